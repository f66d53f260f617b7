#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of mintctl that need no machine: check.py PROGRAM STATIC-PROGRAM; prints KTAP.

Outputs are compared with golden/; MINT_GOLDEN=write makes these anew, to be read
before they are committed. MINT_SEED chooses the seed of what is random.
"""

import fcntl
import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import tty
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts"))

import broker  # noqa: E402
import machines  # noqa: E402
from verdict import Failed, Ktap, expect  # noqa: E402

GOLDEN = os.path.join(HERE, "golden")
PROGRAM, STATIC = sys.argv[1:3]
M, G = machines.M, machines.G

# A kexec that starts nothing: it notes its words and says what the real one says.
KEXEC = """#!/bin/sh
case $1 in
--help)
	echo " --mint-cpu=<APIC ID>  boot core"
	exit 0
	;;
esac
for word in "$@"; do
	echo "$word"
done >"$0.words"
%s
"""
STARTS = 'echo "node 3 started on APIC ID ${1#--mint-cpu=}"'


class Bench:
    """A machine of machines.py in a directory, and mintctl on it."""

    def __init__(self, machine, kexec=STARTS):
        self.top = tempfile.mkdtemp(prefix="mintctl.")
        self.tree = machines.Tree(self.top)
        machine(self.tree)
        self.kexec = self.tree.path("/kexec")
        self.tree.write("/kexec", KEXEC % kexec)
        os.chmod(self.kexec, 0o755)
        self.tree.write("/image", "")
        os.makedirs(self.tree.path("/run"), exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def ctl(self, *words, program=PROGRAM, stdin=""):
        """(status, output, errors)."""
        done = subprocess.run(
            [program, "--sysroot=" + self.top, "--kexec=" + self.kexec, *words],
            check=False, capture_output=True, text=True, input=stdin, timeout=60)
        for text in ("==", "ERROR:", "runtime error"):
            expect(text not in done.stderr, "%s", done.stderr)
        clean = [text.replace(self.top, "") for text in (done.stdout, done.stderr)]
        return (done.returncode, *clean)

    def good(self, *words, **more):
        """Its output; it has to succeed."""
        status, out, err = self.ctl(*words, **more)
        expect(status == 0, "%s: status %d: %s%s", words, status, out, err)
        return out

    def bad(self, status, pattern, *words, **more):
        """It has to fail with this status and one line that matches; nothing changes."""
        before = self.files()
        got, out, err = self.ctl(*words, **more)
        expect(got == status, "%s: status %d, not %d: %s%s", words, got, status, out, err)
        first = err.splitlines()[:1]
        expect(first and re.search(pattern, first[0]), "%s: says %s", words, err)
        expect(out == "", "%s: prints %s", words, out)
        expect(self.files() == before, "%s: changed something", words)
        return err

    def files(self):
        """All that is in the machine, but for the lock of launches."""
        found = {}
        for top, _, names in os.walk(self.top):
            for name in names:
                path = os.path.join(top, name)
                if path.endswith(("/run/mint/lock", "/kexec.words")):
                    continue
                with open(path, "rb") as file:
                    found[path] = file.read()
        return found

    def run(self, *words, **more):
        """mintctl run with what each launch needs."""
        return self.good("run", "--image=" + self.tree.path("/image"), *words, **more)

    def words(self):
        """What kexec was called with."""
        return self.tree.read("/kexec.words").replace(self.top, "").splitlines()

    def plan(self, *words):
        """What it would choose: APIC IDs as text, [(start, end)], notes."""
        out = json.loads(self.good("plan", "--json", "--image=" + self.tree.path("/image"),
                                   *words, "x"))["plan"][0]
        memory = [tuple(int(part, 16) for part in line.split("-"))
                  for line in out["memory"].split("\n")]
        return out["cores"], memory, out["notes"] or ""


def same(name, text):
    """The text is what the golden file of that name has."""
    path = os.path.join(GOLDEN, name)
    text = "".join(line.rstrip() + "\n" for line in text.splitlines())
    if os.environ.get("MINT_GOLDEN") == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(path, encoding="utf-8") as file:
        expect(file.read() == text, "not as in golden/%s: %s", name, text)


def steady(text):
    """Without what is different each time."""
    return re.sub(r"\b1\d{9}\.\d{3}\b|\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b", "<since>", text)


# ---- what is shown --------------------------------------------------------------

def golden_tables():
    """list, show and check of each machine are as they were read and found right"""
    for machine in machines.ALL:
        with Bench(machine) as b:
            text = ""
            for words in (["list"], ["list", "--cores"], ["list", "--memory"],
                          ["show", "0"], ["show", "1"], ["check"]):
                status, out, err = b.ctl(*words)
                text += "# mintctl %s\n%s%s# status %d\n\n" % (
                    " ".join(words), out, err, status)
            same(machine.__name__, steady(text))


def golden_json():
    """JSON has all of it, without units"""
    with Bench(machines.demo) as b:
        same("demo.json", "".join(steady(b.good("--json", *words)) for words in (
            ["list"], ["list", "--cores"], ["list", "--memory"], ["show", "web"],
            ["plan", "--memory=128M", "--image=" + b.tree.path("/image"), "x"])
            ).replace(b.top, ""))


def static_is_alike():
    """The program of the initrd says the same as the one with libsmartcols"""
    for machine in machines.ALL:
        with Bench(machine) as b:
            for words in (["list"], ["list", "--cores"], ["list", "--memory"],
                          ["show", "0"], ["show", "1"], ["check"]):
                one, two = [b.ctl(*words, program=p) for p in (PROGRAM, STATIC)]
                lines = [[line.split() for line in out.splitlines()]
                         for _, out, _ in (one, two)]
                expect(one[0] == two[0] and one[2] == two[2] and lines[0] == lines[1],
                       "%s: %s: %s and %s", machine.__name__, words, one, two)
                if one[0] in (0, 1):
                    one, two = [json.loads(b.ctl("--json", *words, program=p)[1])
                                for p in (PROGRAM, STATIC)]
                    expect(one == two, "%s: %s and %s", words, one, two)


def control_characters_are_shown_harmless():
    """What another kernel wrote cannot steer the terminal"""
    with Bench(machines.demo) as b:
        b.tree.mint("nodes/1/name", "we\x1b[2Jb\n")
        b.tree.write("/sys/kernel/mint/nodes/1/reason", b"a\"b\\c\x07\x9b\n", "wb")
        for program in (PROGRAM, STATIC):
            for words in (["list"], ["show", "1"], ["list", "--json"]):
                out = b.good(*words, program=program)
                expect("we?[2Jb" in out and "\x1b" not in out and "\x07" not in out,
                       "%r", out)
            node = json.loads(b.good("list", "--json", program=program))["nodes"][1]
            expect(node["reason"] == "a\"b\\c??", "%s", node)


def nodes_without_a_good_name():
    """An empty word means no node, no column is lost, completion prints nothing a shell expands"""
    with Bench(machines.demo) as b:
        b.tree.node(3, "", "running", "3")
        b.tree.node(4, "$(touch x)`y`", "running", "4")
        for words in (["stop"], ["stop", "--force"], ["reboot"], ["show"], ["log"], ["console"]):
            b.bad(3, "no node is called ''", *words, "")
        b.tree.mint("move", "")
        b.bad(3, "no node is called ''", "move", "core", "3", "")
        for program in (PROGRAM, STATIC):
            lines = b.good("list", program=program).splitlines()
            expect(lines[4].split()[:3] == ["3", "-", "running"], "%s", lines)
            names = [node["name"] for node in
                     json.loads(b.good("list", "--json", program=program))["nodes"]]
            expect(names == ["predecessor", "web", "db", None, "$(touch x)`y`"], "%s", names)
        words = b.good("complete", "stop").split()
        expect(words[-5:] == ["predecessor", "web", "db", "3", "4"], "%s", words)
        top = b.good("top", "--once", "--interval=0.2").splitlines()
        expect(top[4].split()[:3] == ["3", "-", "running"], "%s", top)


def a_name_of_two_nodes_is_nobodys():
    """Of two live nodes of a name none is meant by it: verbs refuse, and want the number"""
    with Bench(machines.demo) as b:
        b.tree.node(3, "web", "running", "3")
        b.tree.node(4, "predecessor", "running", "4")
        b.tree.mint("move", "")
        node_file(b, "web")
        for words in (["show"], ["stop"], ["stop", "--force"], ["reboot"], ["log"], ["console"],
                      ["move", "core", "4"], ["diff"], ["supervise"], ["plan"], ["run"]):
            b.bad(1, "nodes 1, 3 are called 'web': say which by its number", *words, "web")
        b.bad(1, "nodes 1, 3 are called 'web'", "move", "memory", "128M:web", "0")
        b.good("stop", "3")
        expect(b.tree.read("/sys/kernel/mint/nodes/3/stop") == "ask" and
               b.tree.read("/sys/kernel/mint/nodes/1/stop") == "", "another one was stopped")
        expect(b.good("complete", "stop").split()[-5:] == ["predecessor", "1", "db", "3", "4"],
               "%s", b.good("complete", "stop"))
        # Node 0 is the predecessor, whoever else calls itself so
        expect("echo core 3 0 " in b.good("move", "--dry-run", "core", "3", "predecessor"), "whom?")
        # One that has ended and owns nothing is not meant
        for file in ("cpus", "memory", "devices"):
            b.tree.mint("nodes/3/" + file, "\n")
        b.tree.mint("nodes/3/state", "ended\n")
        expect("node       1\n" in b.good("show", "web"), "not the one that lives")


def lost_output_is_no_success():
    """What could not be written is status 1, with a line that says so"""
    with Bench(machines.demo) as b:
        b.tree.mint("windows", "0 link 0,1 0x1000-0x1fff open\n")
        b.tree.mint("moves", "1 core 3 free > 1 taken 1.0\n")
        for program in (PROGRAM, STATIC):
            for words in (["list"], ["list", "--json"], ["show", "1"], ["links"], ["timeline"],
                          ["timeline", "--svg"], ["move"], ["complete"], ["log", "1"], ["--help"],
                          ["list", "--help"], ["plan", "--memory=1M", "--image=" + b.kexec, "x"]):
                with open("/dev/full", "w", encoding="ascii") as full:
                    done = subprocess.run([program, "--sysroot=" + b.top, *words], check=False,
                                          stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                expect(done.returncode == 1 and done.stderr.startswith("mintctl: ") and
                       done.stderr.count("\n") == 1, "%s: %s", words, done)


# ---- launches -------------------------------------------------------------------

def golden_plans():
    """Plans on each machine are as they were read and found right"""
    text = ""
    for machine, requests in (
            (machines.demo, ("--memory=128M", "--cores=1 --memory=512M", "--memory=100M@0x30000000",
                             "--memory=64M --devices=com3,01:00.0 --command-line=quiet\tx='1'")),
            (machines.smt, ("--cores=2 --memory=1G", "--cores=3 --memory=1G",
                            "--cores=3 --split --memory=1G", "--cores=14 --memory=1G",
                            "--cores=13 --split --memory=9G", "--cores=2 --memory=2G --devices=01:00.0",
                            "--apic-ids=7,5 --memory=1G")),
            (machines.numa, ("--cores=4 --memory=4G", "--cores=8 --memory=12G",
                             "--cores=12 --memory=1G", "--cores=12 --memory=12G",
                             "--cores=20 --memory=20G", "--cores=2 --memory=24G",
                             "--cores=26 --memory=1G")),
            (machines.quarantine, ("--memory=512M", "--cores=3 --memory=512M",
                                   "--memory=2G", "--apic-ids=1 --memory=1G")),
            (machines.holes, ("--cores=2 --memory=90M", "--cores=3 --memory=128M",
                              "--memory=256M", "--memory=700M", "--memory=1100M",
                              "--memory=2G", "--cores=5 --memory=640M"))):
        with Bench(machine) as b:
            for request in requests:
                status, out, err = b.ctl("plan", "--image=" + b.tree.path("/image"),
                                         *request.split(" "), "x")
                text += "# %s: plan %s\n%s%s# status %d\n\n" % (
                    machine.__name__, request, out.replace("/kexec", "kexec"), err, status)
    same("plans", text)


def run_calls_kexec():
    """run gives kexec what plan shows, and says what kexec says"""
    with Bench(machines.demo) as b:
        out = b.run("--memory=128M", "--command-line=quiet a b", "--devices=com3", "dns")
        expect(out == "node 3 started on APIC ID 3\n", "%s", out)
        expect(b.words() == ["--mint-cpu=3", "--mint-cpus=3", "--mem-min=0x20000000",
                             "--mem-max=0x27ffffff", "--mint-devices=com3",
                             "--mint-name=dns", "--command-line=quiet a b", "/image"],
               "%s", b.words())
        out = json.loads(b.run("--json", "--memory=128M", "dns"))
        expect(out == {"launched": [{"node": 3, "name": "dns", "state": "starting"}]},
               "%s", out)


def dry_run_does_nothing():
    """With --dry-run each verb says what it would do, and nothing has changed"""
    with Bench(machines.demo) as b:
        b.tree.mint("move", "")
        before = b.files()
        out = b.run("--dry-run", "--memory=128M", "dns")
        expect("--mint-name=dns" in out, "%s", out)
        out = b.good("--dry-run", "stop", "--ladder", "web")
        expect(out.count("/sys/kernel/mint/nodes/1/stop") == 3, "%s", out)
        out = b.good("--dry-run", "move", "core", "3", "web")
        expect(out == "echo core 3 1 >/sys/kernel/mint/move\n", "%s", out)
        expect(b.files() == before, "something changed")
        expect(not os.path.exists(b.kexec + ".words"), "kexec was called")


def refusals_of_kexec_pass_through():
    """What kexec refuses is said in its words, and is status 1"""
    with Bench(machines.demo, "echo 'kexec: no, because' >&2; exit 1") as b:
        status, out, err = b.ctl("run", "--image=" + b.tree.path("/image"),
                                 "--memory=128M", "dns")
        expect((status, out, err) == (1, "", "kexec: no, because\n"), "%d %s %s", status,
               out, err)


def no_kexec_is_said():
    """Without kexec, run and check say what to install"""
    with Bench(machines.demo) as b:
        b.bad(1, "x: No such file or directory: install mint-kexec", "run",
              "--image=" + b.tree.path("/image"), "--memory=128M", "--kexec=/nonexistent/x",
              "dns")
        status, out, err = b.ctl("check", "--kexec=/nonexistent/x")
        expect(status == 1 and not err and "MISSING  no /nonexistent/x: install" in out, "%s", out)


def sbin_is_searched():
    """kexec is found in /usr/sbin with the PATH of an ordinary user, which has no such directory"""
    for path in ("/usr/bin:/bin", None):
        env = {key: value for key, value in os.environ.items() if key != "PATH"}
        if path:
            env["PATH"] = path
        with Bench(machines.demo) as b:
            # What is there on every host, and knows no --help of kexec
            done = subprocess.run([PROGRAM, "--sysroot=" + b.top, "--kexec=ldconfig", "check"],
                                  check=False, capture_output=True, text=True, env=env, timeout=60)
            expect("MISSING  ldconfig knows no --mint-cpu" in done.stdout, "%s", done)


def what_nodes_have_is_no_fault():
    """Where nodes have all cores and memory check says who; what nobody was given is MISSING"""
    with Bench(machines.demo) as b:
        b.tree.cores(0, node0="0", node1="1-2", node2="3")
        b.tree.memory((0, 256 * M, "node 0"), (256 * M, 512 * M, "node 1"), (512 * M, G, "node 2"))
        b.tree.node(2, "db", "running", "3", [(512 * M, G)])
        out = b.good("check")
        for line in ("cores are given, node 1 (web) 1-2, node 2 (db) 3: for another node, end one",
                     "memory is given, node 1 (web) 256M, node 2 (db) 512M: for another node, "
                     "end one, or boot with a smaller mint.mem="):
            expect("ok       all %s\n" % line in out, "%s", out)
        b.tree.cores(0, node0="0,3", node1="1-2")
        expect("end one, or echo 0 > /sys" in b.good("check"), "%s", b.good("check"))
        # What an end of a node does not give back
        for number in (1, 2):
            b.tree.mint("nodes/%d/state" % number, "quarantine\n")
        status, out, _ = b.ctl("check")
        expect(status == 1 and "MISSING  no core is free" in out and
               "MISSING  no memory is free" in out, "%d %s", status, out)


def kernel_that_is_installed_is_named():
    """On a stock kernel check names the one of the packages, if there is one"""
    with Bench(machines.stock) as b:
        b.tree.write("/boot/vmlinuz-6.1.0-1-amd64", "")
        expect("has no Mint: boot one with CONFIG_MINT=y\n" in b.ctl("check")[1], "%s",
               b.ctl("check"))
        b.tree.write("/boot/vmlinuz-6.12.1-mint", "")
        status, out, err = b.ctl("check")
        expect(status == 1 and not err and "has no Mint: 6.12.1-mint is installed: "
               "'mintctl setup', then reboot into it\n" in out, "%d %s%s", status, out, err)


def taken_meanwhile_is_planned_again():
    """A core that was taken between plan and launch is no refusal"""
    with Bench(machines.smt) as b:
        b.tree.write("/kexec", KEXEC % (
            "if [ ! -e %(top)s/once ]; then >%(top)s/once\n"
            "printf 'node 0: 0-2\\nnode 9: 4-5\\nfree: 3,6-15\\nbsp: 0\\n' "
            ">%(top)s/sys/kernel/mint/cores\n"
            "echo 'kexec: APIC ID 4 is lent' >&2; exit 1; fi\n" % {"top": b.top} + STARTS))
        status, _, err = b.ctl("run", "--image=" + b.tree.path("/image"), "--cores=2",
                               "--memory=1G", "x")
        expect(status == 0, "%d %s", status, err)
        expect(b.words()[1] == "--mint-cpus=6-7", "%s", b.words())


def launches_are_one_at_a_time():
    """A launch waits for another one and says so; without the lock there is none"""
    with Bench(machines.demo) as b:
        b.tree.write("/run/mint/lock", "")
        words = [PROGRAM, "--sysroot=" + b.top, "--kexec=" + b.kexec, "run",
                 "--image=" + b.tree.path("/image"), "--memory=128M", "dns"]
        with open(b.tree.path("/run/mint/lock"), encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with subprocess.Popen(words, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as child:
                expect(child.stderr.readline() == "mintctl: waiting for another launch\n", "unsaid")
                # Its timer rings, and it goes on to wait
                try:
                    child.wait(1.5)
                    expect(False, "it does not wait: %s", child.returncode)
                except subprocess.TimeoutExpired:
                    pass
                expect(not os.path.exists(b.kexec + ".words"), "kexec was called")
                fcntl.flock(lock, fcntl.LOCK_UN)
                out, err = child.communicate(timeout=20)
                expect((child.returncode, out, err) == (0, "node 3 started on APIC ID 3\n", ""),
                       "%d %s%s", child.returncode, out, err)
        os.unlink(b.tree.path("/run/mint/lock"))
        os.unlink(b.kexec + ".words")
        os.mkdir(b.tree.path("/run/mint/lock"))
        b.bad(1, "/run/mint/lock: Is a directory$", *words[3:])
        expect(not os.path.exists(b.kexec + ".words"), "kexec was called")


def names_are_unique():
    """A name is one of a node that is no more, and no number"""
    with Bench(machines.demo) as b:
        image = "--image=" + b.tree.path("/image")
        b.bad(1, "node 1 is called web already", "run", image, "--memory=1M", "web")
        for name in ("1", "1a", "-", "a b", "a/b", "", "predecessor", "free", "all", "none",
                     "x" * 32):
            b.bad(2, "is no name", "run", image, "--memory=1M", "--", name)
        b.run("--memory=128M", "db")


def placements_stick():
    """A node that is launched again gets what it had, if that is free and enough"""
    with Bench(machines.numa) as b:
        b.run("--apic-ids=44-45", "--memory=2G", "x")
        b.run("--cores=2", "--memory=2G", "x")
        expect(b.words()[1] == "--mint-cpus=44-45", "%s", b.words())
        b.run("--cores=4", "--memory=2G", "x")
        expect(b.words()[1] == "--mint-cpus=4-7", "%s", b.words())
        b.run("--apic-ids=44-45", "--memory=2G", "x")
        b.tree.cores(0, node0="0-3", node1="32-35,44", free="4-15,36-43,45-47")
        b.run("--cores=2", "--memory=2G", "x")
        expect("44" not in b.words()[1], "%s", b.words())
        for text in ("", "x", "4-5 0x", "4-5 0x2-0x1", "4-5 " + "0x1-0x2 " * 9):
            b.tree.write("/run/mint/x.launched", text)
            b.run("--cores=2", "--memory=2G", "x")


def placements_follow_the_request():
    """What a node had is no answer to a request that wants whole cores, or memory for a device"""
    with Bench(machines.smt) as b:
        b.run("--cores=2", "--split", "--memory=1G", "x")
        expect(b.words()[1] == "--mint-cpus=3-4", "%s", b.words())
        b.run("--cores=2", "--split", "--memory=1G", "x")
        expect(b.words()[1] == "--mint-cpus=3-4", "%s", b.words())
        b.run("--cores=2", "--memory=1G", "x")
        expect(b.words()[1] == "--mint-cpus=4-5", "%s", b.words())
        low = "--mint-mem=128M@0x80000000"
        b.run("--cores=2", "--memory=2G", "y")
        expect(low not in b.words(), "%s", b.words())
        for _ in range(2):
            b.run("--cores=2", "--memory=2G", "--devices=01:00.0", "y")
            expect(low in b.words(), "%s", b.words())


# ---- placement by chance --------------------------------------------------------

def random_machine(rng):
    """(function that makes it, {APIC ID: (core, cache, NUMA)}, free IDs, free ranges)."""
    smt, cores, llc = rng.choice((0, 1, 1, 2)), rng.randint(1, 3), rng.randint(0, 1)
    package = smt + cores
    packages = rng.randint(1, 3)
    llc = max(smt, package - llc)
    ids = {apic: (apic >> smt, apic >> llc, apic >> package)
           for apic in range(packages << package) if rng.random() < 0.9 or not apic}
    free = [apic for apic in ids if apic and rng.random() < 0.75]
    at, ranges, affinity = 64 * M, [], []
    for numa in range(packages):
        begin = at
        for _ in range(rng.randint(1, 4)):
            size = rng.randint(1, 2048) * M + rng.choice((0, 4096))
            ranges.append((at, at + size, rng.choice(("free", "free", "node 0"))))
            at += size + rng.choice((0, 4096, 512 * M))
        affinity.append((begin, at, numa))

    def make(tree):
        tree.stock([(0, 0)])
        tree.active()
        tree.cpuid(smt, llc, package)
        tree.cores(0, node0=",".join(str(i) for i in ids if i not in free),
                   **({"free": ",".join(map(str, free))} if free else {}))
        tree.srat({apic: place[2] for apic, place in ids.items()}, affinity)
        tree.memory(*ranges)
        tree.node(0, "predecessor", "running", "0")

    return make, ids, free, [r[:2] for r in ranges if r[2] == "free"], affinity


def ids_of(text):
    """"1,4-6" as a list."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def check_placement(b, rng, ids, free, ranges, affinity):
    """One random request; what comes out has to be right."""
    cores, memory = rng.randint(1, max(1, len(free))), rng.randint(1, 3000) * M
    split = rng.random() < 0.3
    words = ["--cores=%d" % cores, "--memory=%d" % memory] + ["--split"] * split
    sizes = {}
    for apic in ids:
        sizes.setdefault(ids[apic][0], []).append(apic)
    whole = [group for group in sizes.values() if split or all(a in free for a in group)]
    try:
        chosen, got, notes = b.plan(*words)
    except Failed as error:
        aligned = sum(max(0, (end & -(2 * M)) - (-(-start // (2 * M)) * 2 * M))
                      for start, end in ranges)
        enough = (cores <= len(free) if split else
                  cores <= sum(map(len, whole)) and len(set(map(len, whole))) == 1 and
                  cores % len(whole[0]) == 0)
        largest = max([end - (-(-start // (2 * M)) * 2 * M) for start, end in ranges] or [0])
        expect(not (enough and memory + 2 * M <= min(largest, aligned)),
               "%s: refused, and it would fit: %s", words, error)
        return False
    chosen = ids_of(chosen)
    expect(len(chosen) == cores and set(chosen) <= set(free), "%s: cores %s of %s", words,
           chosen, free)
    if not split:
        for group in sizes.values():
            taken = [apic for apic in group if apic in chosen]
            expect(not taken or taken == group, "%s: a part of core %s: %s", words, group,
                   chosen)
    wanted = -(-memory // (2 * M)) * 2 * M
    expect(sum(end + 1 - start for start, end in got) == wanted, "%s: %s", words, got)
    expect(len(got) <= 4, "%s: %d ranges", words, len(got))
    for start, end in got:
        expect(start % (2 * M) == 0, "%s: %#x is not aligned", words, start)
        expect(any(a <= start and end < z for a, z in merged(ranges)),
               "%s: %#x-%#x is not free", words, start, end)
    for one, two in zip(sorted(got), sorted(got)[1:]):
        expect(one[1] < two[0], "%s: ranges overlap: %s", words, got)
    # No several NUMA nodes, and no far memory, without saying so
    nodes = {ids[apic][2] for apic in chosen}
    expect(len(nodes) == 1 or "several" in notes, "%s: NUMA %s, unsaid", words, nodes)
    if len(nodes) == 1:
        near = [a for a in affinity if a[2] in nodes][0]
        expect(all(near[0] <= s and e < near[1] for s, e in got) or "not on the NUMA" in notes,
               "%s: far memory, unsaid: %s", words, got)
    expect((chosen, got) == (ids_of(b.plan(*words)[0]), b.plan(*words)[1]),
           "%s: another choice the second time", words)
    return True


def merged(ranges):
    """Neighbours as one."""
    out = []
    for start, end in ranges:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def placement_properties():
    """On random machines what is chosen is free, whole, aligned, enough, and the same again"""
    seed = int(os.environ.get("MINT_SEED", random.randrange(1 << 32)))
    KTAP.note("MINT_SEED=%d" % seed)
    rng, placed = random.Random(seed), 0
    for _ in range(25):
        make, *facts = random_machine(rng)
        with Bench(make) as b:
            for _ in range(4):
                placed += check_placement(b, rng, *facts)
    expect(placed > 10, "only %d of 100 requests could be placed", placed)


# ---- stop, move, log, console -----------------------------------------------------

def stop_writes_its_word():
    """stop asks; --park, --force and --ladder write what they say"""
    for words, text in ((["web"], "ask"), (["1"], "ask"), (["--park", "web"], "park"),
                        (["--force", "web"], "force"), (["--ladder", "web"], "ask")):
        with Bench(machines.demo) as b:
            b.good("stop", *words)
            expect(b.tree.read("/sys/kernel/mint/nodes/1/stop") == text, "%s", words)


def stop_of_many_is_partly_done():
    """Of several nodes those that can be stopped are; status 64 says that not all were"""
    with Bench(machines.demo) as b:
        status, _, err = b.ctl("stop", "db", "web")
        expect(status == 64 and "node 2 (db) is panicked" in err, "%d %s", status, err)
        expect(b.tree.read("/sys/kernel/mint/nodes/1/stop") == "ask", "web was not asked")
        b.bad(3, "no node is called 'x': there is 0 predecessor", "stop", "x")
        b.bad(3, "nothing to stop", "stop", "db")
        b.bad(1, "cannot be stopped from here", "stop", "0")


def loaded_is_unloaded():
    """stop of a node that was only loaded is kexec -u"""
    with Bench(machines.demo) as b:
        b.tree.mint("nodes/1/state", "loaded\n")
        b.good("stop", "web")
        expect(b.words() == ["-u", "--mint-cpu=1"], "%s", b.words())


def reboot_writes_its_word():
    """reboot is one write to stop; nothing is written for a node that is not there"""
    with Bench(machines.demo) as b:
        expect("echo reboot >" in b.good("reboot", "web", "--dry-run"), "not said")
        expect(b.tree.read("/sys/kernel/mint/nodes/1/stop") == "", "it was written")
        b.good("reboot", "web")
        expect(b.tree.read("/sys/kernel/mint/nodes/1/stop") == "reboot", "not written")
        b.bad(3, "no node is called", "reboot", "x")
        b.bad(2, "one node is wanted", "reboot")
        b.bad(2, "one node is wanted", "reboot", "1", "2")
        b.bad(1, "cannot be stopped from here", "reboot", "0")


def reboot_takes_no_file():
    """reboot says which keys of the node's file it does not take"""
    with Bench(machines.demo) as b:
        node_file(b, "web", "Links=0\nShares=rt:64K\n")
        for launched, keys in (("quiet\ncom2\n0\nrt:64K\n", "CommandLine"),
                               ("\ncom2\n0,db\n\n", "Links, Shares"),
                               ("\ncom2\n0\nrt:64K\n", None)):
            b.tree.write("/run/mint/web.launched", "1-2 0x10000000-0x1fffffff\n%s/image\n\n%s" %
                         (b.top, launched))
            for more in (("--dry-run",), ()):
                status, _, err = b.ctl("reboot", "web", *more)
                wanted = ("mintctl: note: node 1 (web) keeps what it was launched with, and %s of "
                          "its file are others: 'mintctl stop 1', then 'mintctl run web' has it "
                          "take them\n" % keys if keys else "")
                expect(status == 0 and err == wanted, "%s: %d %s", keys, status, err)


# ---- load and wishes ------------------------------------------------------------

def wishes_are_one_line():
    """want and give write one line with signs; what is no such word is status 2"""
    with Bench(machines.demo) as b:
        b.bad(3, "passes no wishes on", "want", "cores=2")
        b.tree.mint("want", "")
        for words, text in (
                (("want", "cores=2", "memory=512M", "prio=5", "urgency=high", "hold=30s"),
                 "cores=+2 memory=+512M prio=5 urgency=high hold=30s"),
                (("want", "cores=+1"), "cores=+1"), (("want", "nothing"), ""),
                (("give", "cores=1", "urgency=low"), "cores=-1 urgency=low"),
                (("give", "memory=-1G"), "memory=-1G"),
                (("want", "cores=0x10", "prio=007"), "cores=+16 prio=7"),
                (("want", "cores=4096", "hold=86400s"), "cores=+4096 hold=86400s")):
            b.good(*words)
            expect(b.tree.read("/sys/kernel/mint/want") == text + "\n", "%s", words)
        # The same once more is another wish, whatever an agent has added
        for text in ("cores=+1", "cores=+1 again", "cores=+1"):
            b.good("want", "cores=1")
            expect(b.tree.read("/sys/kernel/mint/want") == text + "\n", "not %s", text)
            b.tree.mint("want", text + " victim=3,4\n")
        for words in (("want", "cores=x"), ("want", "cores=0"), ("want", "cores=-1"),
                      ("give", "cores=+1"), ("want", "memory=1X"), ("want", "hold=30"),
                      ("want", "urgency=now"), ("want", "prio=100"), ("want", "disk=1"),
                      ("want", "nothing", "cores=1"), ("give",), ("give", "nothing"),
                      ("want", "cores=4097"), ("want", "memory=1023K"), ("want", "hold=0s"),
                      ("want", "hold=86401s"), ("want", "hold=99999999999999999999s"),
                      ("want", "hold=-1s"), ("want", "hold=s"), ("want", "hold="),
                      ("want", *["cores=1000"] * 9), ("want", "--x")):
            b.bad(2, words[0] + ": ", *words)
        b.tree.mint("nodes/1/want", "cores=+2\x1b[2J\n")
        expect("   1 web         cores=+2?[2J\n" in b.good("want"), "%s", b.good("want"))


def load_line(beats, runnable, busy, stalls=None):
    """As the kernel prints it."""
    line = ("beats=%d runnable_sum=%d busy_ms=%d cpus=2 mem_mib=256 available_mib=100" %
            (beats, runnable, busy))
    if stalls:
        line += " cpu_stall_ms=%d memory_stall_ms=%d io_stall_ms=%d" % stalls
    return line + "\n"


def in_turn(path, texts):
    """A file that has another content each time that it is read."""
    os.mkfifo(path)

    def serve():
        for text in texts:
            # Waits for the reader of this turn; the next one finds another pipe
            with open(path, "w", encoding="utf-8") as file:
                os.mkfifo(path + ".new")
                os.rename(path + ".new", path)
                file.write(text)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def top_shows_differences():
    """top shows what lies between two looks, counters that wrap among them"""
    with Bench(machines.demo) as b:
        b.tree.mint("nodes/0/load", load_line(7, 7, 7))
        b.tree.mint("nodes/1/want", "cores=+2\n")
        thread = in_turn(b.tree.path("/sys/kernel/mint/nodes/1/load"),
                         (load_line(2**32 - 4, 2**32 - 2, 2**32 - 1, (2**32 - 1, 5, 7)),
                          load_line(6, 13, 10**8, (10**8, 5, 7))))
        out = json.loads(b.good("top", "--once", "--interval=0.2", "--json"))["top"]
        thread.join(10)
        # 15 in 10 beats; more time than has passed is all of it; no load, no figures
        expect(out[1] == {"node": 1, "name": "web", "state": "running", "cpus": 2,
                          "runnable": 1.5, "busy": 2.0, "cpu_stall": 100, "memory_stall": 0,
                          "io_stall": 0, "mem": 256 * M,
                          "available": 100 * M, "want": "cores=+2"}, "%s", out[1])
        # No beat, and a kernel that does not count stalls
        expect(out[0]["runnable"] is None and out[0]["cpu_stall"] is None and
               out[0]["cpus"] == 2, "%s", out[0])
        expect(out[2]["cpus"] is None and out[2]["mem"] is None, "%s", out[2])
        os.unlink(b.tree.path("/sys/kernel/mint/nodes/1/load"))
        b.tree.mint("nodes/1/load", "beats=1 nonsense\n")
        same("top", b.good("top", "--once", "--interval=0.2"))
        for words in (("--interval=0",), ("--interval=x",), ("--interval=1e99",), ("--x",),
                      ("web",)):
            b.bad(2, "top: ", "top", *words)


def timeline_goes_by_moves():
    """timeline shows owners between moves; moves that failed or were of memory are none"""
    with Bench(machines.demo) as b:
        b.bad(3, "no list of moves", "timeline")
        b.tree.mint("moves", "".join(line + "\n" for line in (
            "7 core 2 0 > free taken 10.1 give 3.2 clear 0.1 take 0.0",
            "8 memory 128M@0x20000000 free > 1 taken 3.0 give 0.0 clear 0.1 take 2.0",
            "9 core 2-3 free > 2 taken 10.1 give 3.2 clear 0.1 take 0.0",
            "10 core 1 1 > 0 refused 0.1 APIC ID 1 is the boot core of node 1",
            "11 core 3 2 > free taken 1.0 give 0.1 clear 0.1 take 0.0", "nonsense")))
        same("timeline", b.good("timeline"))
        out = b.good("timeline", "--svg")
        tree = ElementTree.fromstring(out)
        cells = [element for element in tree.iter() if element.tag.endswith("}rect")]
        # Four cores, before the three moves and after each
        expect(len(cells) == 16, "%d cells", len(cells))
        expect(">move 11<" in out and ">move 8<" not in out, "%s", out)
        b.bad(2, "timeline: ", "timeline", "x")
        b.bad(2, "timeline: ", "timeline", "--x")


# ---- moves ----------------------------------------------------------------------

def moves_are_one_write():
    """move writes kind, what and number; what is no such thing is status 2"""
    with Bench(machines.demo) as b:
        b.bad(3, "moves nothing between nodes", "move", "core", "3", "web")
        b.bad(3, "moves nothing between nodes", "move")
        b.tree.mint("move", "")
        for words, text in ((("core", "3", "web"), "core 3 1"),
                            (("thread", "3", "1"), "core 3-3 1"), (("core", "3-5", "1"), "core 3-5 1"),
                            (("memory", "512M@0x20000000", "web"), "memory 512M@0x20000000 1"),
                            (("memory", "1G:web", "0"), "memory 1G:1 0"),
                            (("memory", "1G", "free"), "memory 1G free"),
                            (("pci", "03:00.0", "free"), "pci 03:00.0 free"),
                            (("pci", "0000:03:00.0", "0"), "pci 0000:03:00.0 0")):
            expect(b.good("move", *words) == "", "%s", words)
            expect(b.tree.read("/sys/kernel/mint/move") == text, "%s", words)
        for words in (("core", "x", "web"), ("core", "3-", "web"), ("core", "3-5x", "web"),
                      ("thread", "3-4", "web"), ("core", "3"), ("disk", "3", "web"),
                      ("memory", "x", "web"), ("memory", "1G@", "web"),
                      ("memory", "1G:", "web"), ("memory", "0:1", "web"),
                      ("pci", "03:00", "web"), ("pci", "0:3:0.0x", "web")):
            b.bad(2, "move: ", "move", *words)
        b.bad(3, "no node is called", "move", "core", "3", "x")
        b.bad(3, "node 0 has the list", "move")


def moves_of_others_are_not_ours():
    """Of the list of moves the line is shown that tells of this move, beside a mintd at work"""
    before = "8 core 3 free > 1 taken 1.0\n9 core 4 1 > 2 moving 3.0\n"
    others = before.replace("moving 3.0", "taken 9.0") + "%s11 core 5 0 > 2 moving 0.1\n"
    with Bench(machines.demo) as b:
        moves = b.tree.path("/sys/kernel/mint/moves")
        for line in ("10 core 3 free > 1 taken 1.5\n", ""):
            b.tree.mint("move", "")
            done = in_turn(moves, [before, others % line])
            out = b.good("move", "core", "3", "web")
            expect(out == line, "%r, not %r", out, line)
            done.join(10)
            os.unlink(moves)
        os.unlink(b.tree.path("/sys/kernel/mint/move"))
        os.symlink("/dev/full", b.tree.path("/sys/kernel/mint/move"))
        for line in ("10 core 3 free > 1 refused 1.5 no number\n", ""):
            done = in_turn(moves, [before, others % line])
            got = b.ctl("move", "core", "3", "web")
            expect(got == (1, "", "mintctl: move core 3 1: No space left on device%s\n" % (
                line and ": " + line.strip())), "%s", got)
            done.join(10)
            os.unlink(moves)


def moves_are_json():
    """move --json is one document: the last moves, or the one that was made"""
    keys = "move what which from to state ms give clear take reason".split()
    with Bench(machines.demo) as b:
        moves = b.tree.path("/sys/kernel/mint/moves")
        b.tree.mint("move", "")
        for program in (PROGRAM, STATIC):
            # A successor has no list
            out = json.loads(b.good("move", "--json", "core", "3", "web", program=program))
            expect(out == {"moved": [dict(
                dict.fromkeys(keys), what="core", which="3", to="1", state="taken")]}, "%s", out)
            b.tree.mint("moves", "\n")
            out = json.loads(b.good("move", "--json", program=program))
            expect(out == {"moves": []}, "%s", out)
            before = ("8 pci 00:05.0 1 > free refused 0.125 \"00:05.0\" stays\n"
                      "9 memory 128M@0x20000000 2 > 0 moving 3.000 give 1.500 clear 0.000 take 0.000\n"
                      "a line of another form\n")
            b.tree.mint("moves", before)
            rows = [dict(zip(keys, row)) for row in (
                (8, "pci", "00:05.0", "1", "free", "refused", 0.125, None, None, None,
                 "\"00:05.0\" stays"),
                (9, "memory", "128M@0x20000000", "2", "0", "moving", 3, 1.5, 0, 0, None),
                (10, "core", "3", "free", "1", "taken", 1.5, 0.5, 0.25, 0.75, None))]
            out = json.loads(b.good("move", "--json", program=program))
            expect(out == {"moves": rows[:2]}, "%s", out)
            os.unlink(moves)
            done = in_turn(moves, [before, before + "10 core 3 free > 1 taken 1.500 give 0.500 "
                                   "clear 0.250 take 0.750\n"])
            out = json.loads(b.good("move", "--json", "core", "3", "web", program=program))
            expect(out == {"moved": rows[2:]}, "%s", out)
            done.join(10)
            os.unlink(moves)


def root_is_not_told_to_be_root():
    """Root is not advised to run as root"""
    with Bench(machines.demo) as b:
        # Writing to this file is EPERM, for root as well: it can be written once
        os.symlink("/proc/self/uid_map", b.tree.path("/sys/kernel/mint/move"))
        status, _, err = b.ctl("move", "core", "1", "0")
        expect(status == 1 and err == "mintctl: move core 1 0: Operation not permitted%s\n" %
               (": run as root" if os.getuid() else ""), "%d %s", status, err)


def in_flight_is_nobodys():
    """A core that is in flight is shown, and is not free"""
    with Bench(machines.demo) as b:
        b.tree.mint("cores", "node 0: 0\nnode 1: 1\nin flight: 2\nfree: 3\nbsp: 0\n")
        expect("      2 in flight\n" in b.good("list", "--cores"), "not shown")
        b.bad(1, "2 cores are wanted, 1 are free", "plan", "--cores=2", "--memory=128M",
              "--image=" + b.tree.path("/image"), "x")


def links_are_shown():
    """links shows what the kernel has of them, and says if it has none"""
    with Bench(machines.demo) as b:
        b.bad(3, "no links between nodes", "links")
        b.tree.mint("windows", "0 link 0,1 0x0000000010000000-0x000000001000ffff open\n"
                    "1 other 0,2 0x0-0x1 open\n"
                    "3 share rt 0-2 0x0000000010300000-0x000000001030ffff closed\n")
        expect(json.loads(b.good("links", "--json")) == {"links": [
            {"window": 0, "kind": "link", "name": None, "nodes": "0,1",
             "start": "0x10000000", "end": "0x1000ffff", "state": "open"},
            {"window": 3, "kind": "share", "name": "rt", "nodes": "0-2",
             "start": "0x10300000", "end": "0x1030ffff", "state": "closed"}]}, "not shown")


def log_is_copied():
    """log copies the log; node 0 has none here"""
    with Bench(machines.demo) as b:
        expect(b.good("log", "web") == "[    0.000000] Linux version 6.12\n", "wrong log")
        b.bad(3, "there is no log of node 0", "log", "0")


def log_steers_no_terminal():
    """To a terminal a log goes without control characters, to a file as it is"""
    with Bench(machines.demo) as b:
        b.tree.mint("nodes/1/log", "a\x1b[2J\tb\x7f\x00\xe9\n")
        expect(b.good("log", "web") == "a\x1b[2J\tb\x7f\x00\xe9\n", "not as it is")
        master, slave = os.openpty()
        tty.setraw(slave)
        done = subprocess.run([PROGRAM, "--sysroot=" + b.top, "log", "web"], check=False,
                              stdout=slave, stderr=subprocess.PIPE, timeout=60)
        out = os.read(master, 100)
        expect(done.returncode == 0 and out == "a?[2J\tb??\xe9\n".encode(), "%s %s", done, out)
        os.close(master)
        os.close(slave)


def console_carries_both_ways():
    """console carries what is typed to the node and back, to the end of the node"""
    with Bench(machines.demo) as b:
        b.tree.write("/dev/mint1", "")
        b.bad(3, "there is no console of node 0", "console", "0")
        b.tree.mint("nodes/2/log", "")
        b.bad(3, "there is no /dev/mint2: .* a devtmpfs, which has to be mounted on /dev", "console",
              "db")
        master, slave = os.openpty()
        os.unlink(b.tree.path("/dev/mint1"))
        os.symlink(os.ttyname(slave), b.tree.path("/dev/mint1"))
        with subprocess.Popen([PROGRAM, "--sysroot=" + b.top, "console", "web"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            child.stdin.write("date\n")
            child.stdin.flush()
            expect(os.read(master, 100) == b"date\n", "the node does not hear it")
            os.write(master, b"today\n")
            expect(child.stdout.readline() == "today\n", "the node is not heard")
            os.write(master, b"bye\n")
            b.tree.mint("nodes/1/state", "ended\n")
            expect(child.stdout.read() == "bye\n", "no last words")
            expect(child.wait(20) == 0, "status %d", child.returncode)
            expect("node 1 (web) is ended" in child.stderr.read(), "no reason")
        os.close(master)
        os.close(slave)


def console_can_always_be_left():
    """Ctrl-] leaves a node that reads nothing, and one that never stops talking"""
    def flood(master, over):
        # One that is asleep in write() may sleep on when the other end is closed
        os.set_blocking(master, False)
        while not over.is_set():
            if select.select([], [master], [], 0.1)[1]:
                put(master, b"y\n" * 100)

    def put(user, text):
        try:
            return os.write(user, text) == len(text)
        except BlockingIOError:
            return False

    for floods in (False, True):
        with Bench(machines.demo) as b:
            master, slave = os.openpty()
            os.makedirs(b.tree.path("/dev"))
            os.symlink(os.ttyname(slave), b.tree.path("/dev/mint1"))
            user, terminal = os.openpty()
            os.set_blocking(user, False)
            over = threading.Event()
            thread = threading.Thread(target=flood, args=(master, over), daemon=True)
            child = subprocess.Popen([PROGRAM, "--sysroot=" + b.top, "console", "web"],
                                     stdin=terminal, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
            try:
                expect(b"Ctrl-] leaves" in child.stderr.readline(), "no greeting")
                if floods:
                    thread.start()
                # More than a line keeps, in pieces that the user's own terminal takes
                for _ in range(0 if floods else 40):
                    broker.until(lambda user=user: put(user, b"x" * 1000), 2)
                broker.until(lambda user=user: put(user, b"\x1d"), 2)
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
            over.set()
            if floods:
                thread.join()
            os.close(slave)
            expect(child.wait(20) == 0, "floods %s: status %s", floods, child.returncode)
            child.stderr.close()
            for fd in (master, user, terminal):
                os.close(fd)


# ---- supervise ------------------------------------------------------------------

class Supervisor:
    """mintctl supervise of a node, with a service manager that listens."""

    def __init__(self, bench, *words):
        self.path = bench.tree.path("/notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        self.child = subprocess.Popen(
            [PROGRAM, "--sysroot=" + bench.top, "--kexec=" + bench.kexec, "supervise", *words],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, NOTIFY_SOCKET=self.path))

    def heard(self):
        """What the service manager was told next."""
        return self.socket.recv(1000).decode()

    def ends(self, status, pattern):
        """It ends with this status and says so."""
        out, err = self.child.communicate(timeout=20)
        self.socket.close()
        os.unlink(self.path)
        expect(self.child.returncode == status, "status %d, not %d: %s%s",
               self.child.returncode, status, out, err)
        expect(re.search(pattern, out + err), "says %s%s", out, err)


def node_file(b, name, more=""):
    """A node file with what has to be there."""
    b.tree.write("/etc/mint/%s.node" % name,
                 "[Node]\nImage=%s/image\nMemory=256M\nCores=2\nDevices=com2\n%s" %
                 (b.top, more))


def fate_is_the_status():
    """supervise adopts a live node; its status is what becomes of the node"""
    nothing = {"cpus": "", "memory": "", "devices": ""}
    for status, pattern, changes in (
            (0, "has ended", dict(nothing, state="ended")),
            (10, "has panicked", dict(nothing, state="panicked")),
            (11, "is in quarantine", {"state": "quarantine"}),
            (11, "was lost", {"state": "silent"}),
            (11, "is gone", {"name": "other"})):
        with Bench(machines.demo) as b:
            node_file(b, "web", "[Failure]\nLostSec=1\n")
            supervisor = Supervisor(b, "web")
            expect(supervisor.heard() == "READY=1\nSTATUS=node 1 runs", "not ready")
            for file, text in changes.items():
                b.tree.mint("nodes/1/" + file, text + "\n")
            supervisor.ends(status, "node 1 .web. is adopted\nnode 1 .web. " + pattern)
            expect((b.tree.read("/sys/kernel/mint/nodes/1/stop") == "force") ==
                   (changes.get("state") == "silent"), "force, or no force")


def journal_has_the_log():
    """With --log what a node's kernel logs is copied, up to its end, and never twice"""
    log, old = "/sys/kernel/mint/nodes/1/log", "[    0.000000] Linux version 6.12\n"
    with Bench(machines.demo) as b:
        node_file(b, "web")
        expect(b.tree.read(log) == old, "%s", b.tree.read(log))
        supervisor = Supervisor(b, "--log", "web")
        expect(supervisor.heard() == "READY=1\nSTATUS=node 1 runs", "not ready")
        with open(b.tree.path(log), "a", encoding="utf-8") as file:
            file.write("[    1.000000] Kernel panic\n" + 99999 * "x" + "\n")
        b.tree.mint("nodes/1/cpus", "\n")
        b.tree.mint("nodes/1/memory", "\n")
        b.tree.mint("nodes/1/devices", "\n")
        b.tree.mint("nodes/1/state", "panicked\n")
        supervisor.ends(10, r"adopted\n\[    1.000000\] Kernel panic\nx{99999}\nnode 1 .web. has")
    # Of a node that it launches it has all
    with Bench(machines.demo) as b:
        b.tree.write("/kexec", KEXEC % ("mv %s/sys/kernel/mint/nodes/3x "
                                        "%s/sys/kernel/mint/nodes/3\n" % (b.top, b.top) + STARTS))
        node_file(b, "dns", "[Failure]\nLostSec=1\n")
        b.tree.cores(0, node0="0", free="1-3")
        b.tree.node(3, "dns", "silent", "1-2")
        os.rename(b.tree.path("/sys/kernel/mint/nodes/3"),
                  b.tree.path("/sys/kernel/mint/nodes/3x"))
        Supervisor(b, "--log", "dns").ends(12, re.escape(old) + "node 3 .dns. did not come up")
    # A log that cannot be had is no reason to leave the node alone
    with Bench(machines.demo) as b:
        node_file(b, "web")
        os.unlink(b.tree.path(log))
        supervisor = Supervisor(b, "--log", "web")
        supervisor.heard()
        supervisor.child.terminate()
        supervisor.ends(0, "(?s)runs on.*the log of web is not copied")
        b.bad(2, "is for one node", "supervise", "--all", "--log")


def restart_of_its_own_is_no_end():
    """A node that has panicked and keeps what it has is waited for"""
    with Bench(machines.demo) as b:
        node_file(b, "web")
        supervisor = Supervisor(b, "web")
        supervisor.heard()
        b.tree.mint("nodes/1/state", "panicked\n")
        try:
            supervisor.child.wait(2.5)
            expect(False, "it has ended")
        except subprocess.TimeoutExpired:
            pass
        supervisor.child.terminate()
        supervisor.ends(0, "is not watched any more, and runs on")
        expect(b.tree.read("/sys/kernel/mint/nodes/1/stop") == "", "it was stopped")


def supervise_launches():
    """A node that does not live is launched; one that does not come up is status 12"""
    with Bench(machines.demo) as b:
        b.tree.write("/kexec", KEXEC % ("mv %s/sys/kernel/mint/nodes/3x "
                                        "%s/sys/kernel/mint/nodes/3\n" % (b.top, b.top) + STARTS))
        node_file(b, "dns", "[Failure]\nLostSec=1\n")
        b.bad(1, "2 cores are wanted, 1 are free", "supervise", "dns")
        b.tree.cores(0, node0="0", free="1-3")
        b.tree.node(3, "dns", "silent", "1-2")
        os.rename(b.tree.path("/sys/kernel/mint/nodes/3"),
                  b.tree.path("/sys/kernel/mint/nodes/3x"))
        Supervisor(b, "dns").ends(12, "node 3 .dns. did not come up, and was stopped")
        b.bad(3, "is not there: write it", "supervise", "x")
        b.bad(2, "is no name", "supervise", "7")
        b.tree.write("/etc/mint/x.node", "[Node]\nMemory=1M\n")
        b.bad(1, r"\[Node\] has no Image=", "supervise", "x")
        b.tree.write("/etc/mint/x.node", "[Node]\nImage=/x\n")
        b.bad(1, r"\[Node\] has no Memory=", "supervise", "x")


def all_of_autostart():
    """supervise --all has those that start with the machine, and launches again"""
    with Bench(machines.demo, "echo x >>$0.starts; echo 'kexec: no' >&2; exit 1") as b:
        b.tree.cores(0, node0="0", free="1-3")
        node_file(b, "one", "Autostart=yes\n")
        node_file(b, "two", "")
        status, _, err = b.ctl("supervise", "--all")
        expect(status == 1 and b.tree.read("/kexec.starts") == "x\n", "%d %s", status, err)
        # This one panics whenever it was launched
        b.tree.write("/kexec", KEXEC % ("echo x >>$0.starts\n" + STARTS))
        b.tree.node(3, "one", "panicked")
        status, _, err = b.ctl("supervise", "--all")
        expect(status == 1 and "has failed 5 times" in err, "%d %s", status, err)
        expect(b.tree.read("/kexec.starts") == "x\n" * 6, "%s", b.tree.read("/kexec.starts"))
        # One that fails, and a file that is wrong beside one that is right
        b.tree.write("/etc/mint/bad.node", "[Nodes]\nImage=/x\n")
        status, _, err = b.ctl("supervise", "--all")
        expect(status == 1 and "bad.node:2" in err, "%d %s", status, err)
        b.tree.node(3, "one", "ended")
        status, _, err = b.ctl("supervise", "--all")
        expect(status == 64, "%d %s", status, err)
    with Bench(machines.demo) as b:
        node_file(b, "two", "")
        status, out, err = b.ctl("supervise", "--all")
        expect((status, out) == (0, "") and "no file in /etc/mint has Autostart=yes" in err,
               "%d %s%s", status, out, err)


def links_wait_for_their_nodes():
    """A node that starts with the machine is launched after those with which it has links"""
    appears = "mv %s/sys/kernel/mint/nodes/3x %s/sys/kernel/mint/nodes/3\n"
    with Bench(machines.demo) as b:
        b.tree.write("/kexec", KEXEC % (
            "for word in \"$@\"; do case $word in --mint-name=*) echo $word >>$0.starts;; "
            "esac; done\n" + appears % (b.top, b.top) + STARTS))
        b.tree.cores(0, node0="0", free="1-3")
        b.tree.node(3, "zone", "running", "1-2")
        os.rename(b.tree.path("/sys/kernel/mint/nodes/3"),
                  b.tree.path("/sys/kernel/mint/nodes/3x"))
        # It does not wait for a node without a file, or without Autostart=yes
        node_file(b, "late", "")
        node_file(b, "dns", "Autostart=yes\nLinks=0 web nobody late zone\n")
        node_file(b, "zone", "Autostart=yes\n")
        supervisor = Supervisor(b, "dns")
        line = supervisor.child.stderr.readline()
        expect(line == "mintctl: dns waits for zone, with which it has a link\n", "%s", line)
        expect(supervisor.heard() == "EXTEND_TIMEOUT_USEC=240000000\nSTATUS=waits for zone",
               "a service manager is not told")
        expect(unit("mint@.service").get("TimeoutStartSec") == ["180"], "another time")
        expect(not os.path.exists(b.tree.path("/kexec.starts")), "it was launched")
        other = subprocess.Popen([PROGRAM, "--sysroot=" + b.top, "--kexec=" + b.kexec,
                                  "run", "zone"], stdout=subprocess.DEVNULL)
        other.wait(20)
        supervisor.ends(11, "is gone")
        expect(b.tree.read("/kexec.starts").split() == ["--mint-name=zone", "--mint-name=dns"],
               "%s", b.tree.read("/kexec.starts"))
    # Told to end, it launches nothing any more
    with Bench(machines.demo) as b:
        node_file(b, "dns", "Autostart=yes\nLinks=zone\n")
        node_file(b, "zone", "Autostart=yes\n")
        supervisor = Supervisor(b, "dns")
        supervisor.child.stderr.readline()
        supervisor.child.terminate()
        supervisor.ends(0, "dns is not launched: asked to end")
        expect(not os.path.exists(b.kexec + ".words"), "it was launched")


def mutual_links_delay_nobody():
    """Of two nodes that name each other in Links= none waits; who is launched second asks"""
    for second in ("Links=0 dns\n", "Links=all\n"):
        with Bench(machines.demo) as b:
            nodes = b.tree.path("/sys/kernel/mint/nodes")
            b.tree.write("/kexec", KEXEC % (
                "n=3; case $* in *--mint-name=zone*) n=4;; esac\n"
                "echo \"$*\" >>$0.calls; mv %s/x$n %s/$n; echo node $n started on APIC ID 1" %
                (nodes, nodes)))
            b.tree.cores(0, node0="0", free="1-3")
            for number, name in ((3, "dns"), (4, "zone")):
                b.tree.node(number, name, "running", "1-2")
                os.rename("%s/%d" % (nodes, number), "%s/x%d" % (nodes, number))
            node_file(b, "dns", "Autostart=yes\nLinks=zone\n")
            node_file(b, "zone", "Autostart=yes\n" + second)
            status, out, err = b.ctl("plan", "dns")
            expect(status == 0 and " --command-line=mint.links=none " in out and
                   "zone is not launched yet: it asks for the link with dns" in out, "%d %s%s",
                   status, out, err)
            # At once, as a service manager starts them
            both = [subprocess.Popen([PROGRAM, "--sysroot=" + b.top, "--kexec=" + b.kexec,
                                      "supervise", name], text=True, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE) for name in ("dns", "zone")]
            try:
                expect(broker.until(lambda: all(os.path.exists("%s/%d" % (nodes, n))
                                                for n in (3, 4)), 20), "one waits")
            finally:
                for process in both:
                    process.terminate()
                said = [process.communicate(timeout=20) for process in both]
            expect(not any("waits for" in err for _, err in said), "%s", said)
            calls = b.tree.read("/kexec.calls").splitlines()
            links = {re.search("--mint-name=(.*?) ", call)[1]:
                     re.search("mint.links=([a-z0-9,]*)", call)[1] for call in calls}
            wanted = ({"dns": "none", "zone": second.strip()[6:].replace(" ", ",")},
                      {"zone": "0" if "0" in second else "all", "dns": "zone"})
            expect(len(calls) == 2 and links in wanted, "%s", calls)
            # It is what the files say, whoever has asked
            status, out, err = b.ctl("diff")
            expect("Links" not in out and not err, "%d %s%s", status, out, err)


def links_come_back_with_a_node():
    """A node that is launched again has links with those that run and name it"""
    with Bench(machines.demo) as b:
        b.tree.cores(0, node0="0", node1="1", free="2-3")
        for state, own, links in (
                ("running", "", "0,web"), ("running", "Links=none\n", "web"),
                ("running", "Links=0\n", "0,web"), ("running", "Links=web 0\n", "web,0"),
                ("running", "Links=all\n", "all"), ("running", "Links=1\n", "1"),
                ("ended", "", None), ("ended", "Links=none\n", "none")):
            owns = state == "running"
            b.tree.node(1, "web", state, "1" if owns else "",
                        [(256 << 20, 512 << 20)] if owns else ())
            node_file(b, "db", own)
            node_file(b, "web", "Links=db\n")
            status, out, err = b.ctl("plan", "db")
            found = re.search("mint.links=([a-z0-9,]*)", out)
            expect(status == 0 and (found[1] if found else None) == links, "%s, %s: %d %s%s",
                   state, own, status, out, err)
            # Those that are there when web is launched are not those that come later
            node_file(b, "web", "Links=all\n")
            out = b.ctl("plan", "db")[1]
            expect("web" in own or "mint.links=web" not in out and ",web" not in out, "%s", out)
            # Who does not ask for it gets none
            node_file(b, "web")
            out = b.ctl("plan", "db")[1]
            expect("web" in own or "mint.links=web" not in out and ",web" not in out, "%s", out)
        # What the command line says of links, with no Links=, is left as it is
        node_file(b, "web", "Links=db\n")
        b.tree.node(1, "web", "running", "1", [(256 << 20, 512 << 20)])
        node_file(b, "db", "CommandLine=mint.links=none\n")
        out = b.good("plan", "db")
        expect(" --command-line=mint.links=none " in out and "not heeded" not in out, "%s", out)


def links_with_twins_are_refused():
    """A name of two nodes is no node to have a link with"""
    with Bench(machines.demo) as b:
        b.tree.cores(0, node0="0", node1="1", free="2-3")
        b.tree.node(1, "web", "running", "1")
        node_file(b, "db", "Links=web\n")
        b.good("plan", "db")
        b.tree.node(4, "web", "running", "4")
        b.bad(1, "nodes 1, 4 are called 'web': say which by its number", "plan", "db")


def links_of_a_node_that_goes():
    """A node that ends between plan and launch is no refusal: it is left out, or waited for"""
    goes = ("if [ ! -e %(top)s/once ]; then >%(top)s/once\n"
            "for f in cpus memory devices; do echo >%(node)s/$f; done\n"
            "echo \"kexec: mint.links=: 'web' is no node's number or name\" >&2; exit 1; fi\n" +
            STARTS)
    for own, other, verb, said, links in (
            ("", "Links=db\n", "run", "choosing once more", None),
            ("Links=web\n", "Links=db\n", "run", "choosing once more", "none"),
            ("Links=web\n", "", "supervise", "db waits for web", "web")):
        with Bench(machines.demo) as b:
            b.tree.cores(0, node0="0", node1="1", free="2-3")
            b.tree.node(1, "web", "panicked", "1")
            b.tree.write("/kexec", KEXEC % (goes % {
                "top": b.top, "node": b.tree.path("/sys/kernel/mint/nodes/1")}))
            node_file(b, "db", "Autostart=yes\n" + own)
            node_file(b, "web", "Autostart=yes\n" + other)
            if verb == "run":
                status, out, err = b.ctl(verb, "db")
                expect(status == 0 and said in err, "%d %s%s", status, out, err)
            else:
                supervisor = Supervisor(b, "db")
                expect("EXTEND_TIMEOUT_USEC=" in supervisor.heard(), "it does not wait")
                b.tree.mint("nodes/1/cpus", "1\n")
                # It then finds no node 3, and ends
                supervisor.ends(11, said)
            found = re.search("mint.links=([a-z0-9,]*)", " ".join(b.words()))
            expect((found[1] if found else None) == links, "%s", b.words())


def rings_of_links_are_refused():
    """Nodes that wait for each other in a ring are refused at once, each with what to do"""
    with Bench(machines.demo) as b:
        for name, link in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
            node_file(b, name, "Autostart=yes\nLinks=%s\n" % link)
        for name, link in (("a", "b"), ("b", "c"), ("c", "a")):
            b.bad(1, "%s: its Links= names %s, which waits for %s by its own Links=: none of them "
                  "can be launched first; let %s name %s in its file, too" %
                  (name, link, name, link, name), "supervise", name)
        # That is done: c and a go first, by one of them; b then waits for c, and d for a
        node_file(b, "a", "Autostart=yes\nLinks=b,c\n")
        for name in ("b", "d"):
            supervisor = Supervisor(b, name)
            line = supervisor.child.stderr.readline()
            expect("%s waits for " % name in line, "%s", line)
            supervisor.child.terminate()
            supervisor.ends(0, "is not launched: asked to end")


def supervisors_end_together():
    """Who ends supervise --all ends its children and no node, also by a signal it cannot see"""
    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)):
        with Bench(machines.demo) as b:
            b.tree.node(2, "db", "running", "3", [(512 * M, G)])
            for name in ("web", "db"):
                node_file(b, name, "Autostart=yes\n")
            supervisor = Supervisor(b, "--all")
            heard = {supervisor.heard() for _ in range(2)}
            expect(heard == {"READY=1\nSTATUS=node %d runs" % n for n in (1, 2)}, "%s", heard)
            supervisor.child.send_signal(number)
            # Returns when the last child has closed its output, too
            supervisor.ends(status, r"node 2 .db. is not watched any more")
            for n in (1, 2):
                expect(b.tree.read("/sys/kernel/mint/nodes/%d/stop" % n) == "", "it was stopped")


def diff_shows_drift():
    """diff names each difference between a file and the node, and touches nothing"""
    with Bench(machines.demo) as b:
        node_file(b, "web")
        b.good("diff")
        b.tree.write("/run/mint/web.launched", "1-2 0x10000000-0x1fffffff\n%s/old\n\nquiet\n"
                     "com2\n0\n" % b.top)
        node_file(b, "web", "Initrd=/initrd\n")
        node_file(b, "db", "Autostart=yes\n")
        b.tree.write("/etc/mint/9.node", "")
        # Node 0's has nothing to launch
        b.tree.write("/etc/mint/predecessor.node", "[Policy]\nMode=autonomous\n")
        b.bad(2, "'predecessor' is no name of a node", "diff", "predecessor")
        before = b.files()
        status, out, err = b.ctl("diff")
        expect(b.files() == before, "something changed")
        expect(status == 1 and "9.node is passed over" in err and "predecessor" not in err,
               "%d %s", status, err)
        expect([line.split() for line in out.splitlines()] == [
            ["NAME", "WHAT", "IS", "SHALL"], ["db", "state", "panicked", "running"],
            ["web", "Image", "/old", "/image"], ["web", "Initrd", "-", "/initrd"],
            ["web", "CommandLine", "quiet", "-"], ["web", "Links", "0", "-"]], "%s", out)
        for program in (PROGRAM, STATIC):
            status, out, err = b.ctl("diff", "--json", "db", program=program)
            expect(status == 1 and not err and json.loads(out) == {"differences": [
                {"name": "db", "what": "state", "is": "panicked", "shall": "running"}]},
                   "%d %s%s", status, out, err)
        b.tree.mint("nodes/1/cpus", "1\n")
        b.tree.mint("nodes/1/devices", "\n")
        out = b.ctl("diff", "web")[1]
        expect(["web", "Cores", "1", "2"] in [line.split() for line in out.splitlines()], "%s", out)
        # One that is wrong leaves the others alone
        b.tree.write("/etc/mint/bad.node", "[Nodes]\nImage=/x\n")
        status, out, err = b.ctl("diff")
        expect(status == 1 and "bad.node:2" in err and "web " in out, "%d %s%s", status, out, err)
        node_file(b, "ok", "")
        for program in (PROGRAM, STATIC):
            expect(b.good("diff", "ok", program=program) == "", "there is a difference")
            out = json.loads(b.good("diff", "--json", "ok", program=program))
            expect(out == {"differences": []}, "%s", out)


def generator_makes_units():
    """The generator of systemd makes wants of mint.target, and obeys Respawn=no"""
    with Bench(machines.demo) as b:
        node_file(b, "one", "Autostart=yes\n")
        node_file(b, "two", "[Failure]\nRespawn=no\n")
        b.tree.write("/etc/mint/bad.node", "[Nodes]\nImage=/x\n")
        os.makedirs(b.tree.path("/units"))
        out = b.ctl("generate", "--dry-run", b.tree.path("/units"))[1]
        expect("ln -s /lib/systemd/system/mint@.service /units/mint.target.wants/mint@one.service\n"
               in out and os.listdir(b.tree.path("/units")) == [], "%s", out)
        status, _, err = b.ctl("generate", b.tree.path("/units"), "x", "x")
        expect(status == 64 and "bad.node:2" in err, "%d %s", status, err)
        found = sorted(os.path.relpath(os.path.join(top, name), b.tree.path("/units"))
                       for top, _, names in os.walk(b.tree.path("/units")) for name in names)
        expect(found == ["mint.target.wants/mint@one.service",
                         "mint@two.service.d/respawn.conf",
                         "multi-user.target.wants/mint.target"], "%s", found)
        expect(b.tree.read("/units/mint@two.service.d/respawn.conf") ==
               "[Service]\nRestart=no\n", "wrong drop-in")
        # A boot of another kernel, or as a successor, starts no node, so that no unit fails
        for change in (lambda: b.tree.mint("node", "1\n"),
                       lambda: os.unlink(b.tree.path("/sys/kernel/mint/node"))):
            shutil.rmtree(b.tree.path("/units"))
            os.makedirs(b.tree.path("/units"))
            change()
            b.ctl("generate", b.tree.path("/units"))
            expect(os.listdir(b.tree.path("/units")) == ["mint@two.service.d"], "%s",
                   os.listdir(b.tree.path("/units")))
        # By the name that systemd knows, it is the same verb
        os.symlink(PROGRAM, b.tree.path("/mint-generator"))
        done = subprocess.run([b.tree.path("/mint-generator")], check=False,
                              capture_output=True, text=True)
        expect(done.returncode == 2 and "a directory is wanted" in done.stderr, "%s", done)


def unit(name):
    """{key: [values]} of a unit of systemd."""
    found = {}
    with open(os.path.join(HERE, "..", "systemd", name), encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith("#"):
                found.setdefault(key, []).append(value)
    return found


def unit_stops_what_starts():
    """A node that is stopped while it starts ends; one whose supervisor has failed is left alone"""
    for result, word in (("success", "ask"), ("exit-code", ""), ("timeout", "")):
        with Bench(machines.demo) as b:
            b.tree.mint("nodes/1/state", "starting\n")
            for command in unit("mint@.service").get("ExecStopPost", []):
                expect(command.startswith("-"), "%s counts as a failure", command)
                command = command[1:].replace("%i", "web").replace("$$", "$").replace(
                    "/usr/sbin/mintctl", "%s --sysroot=%s" % (PROGRAM, b.top))
                subprocess.run(shlex.split(command), check=False, capture_output=True,
                               env=dict(os.environ, SERVICE_RESULT=result), timeout=60)
            got = b.tree.read("/sys/kernel/mint/nodes/1/stop")
            expect(got == word, "%s: %r is written, not %r", result, got, word)


def units_say_that_there_is_no_mint():
    """Who starts a node without Mint gets an error; all of them, which start by themselves, none"""
    expect(unit("mint@.service").get("AssertPathExists") == ["/sys/kernel/mint/node"] and
           "ConditionPathExists" not in unit("mint@.service"), "a node is skipped unseen")
    expect(unit("mint.target").get("ConditionPathExists") == ["/sys/kernel/mint/node"],
           "mint.target is not skipped")
    # Also where a successor would refuse: there is no such file
    expect(unit("mintd.service").get("ConditionPathExists") == ["/sys/kernel/mint/moves"],
           "mintd is tried in a successor")


def completion_knows_words():
    """complete has verbs, options of a verb, the nodes that there are, or those that have a file"""
    with Bench(machines.demo) as b:
        verbs = b.good("complete").split()
        expect({"list", "run", "stop", "--json"} <= set(verbs), "%s", verbs)
        words = b.good("complete", "stop").split()
        expect({"--ladder", "web", "db"} <= set(words), "%s", words)
        words = b.good("complete", "run").split()
        expect("--memory=" in words and "web" not in words, "%s", words)
        words = b.good("complete", "move").split()
        expect({"core", "memory", "pci", "web", "free"} <= set(words), "%s", words)
        for name in ("dns", "zone", "predecessor", "7"):
            b.tree.write("/etc/mint/%s.node" % name, "")
        for verb in ("plan", "run", "diff", "supervise"):
            words = b.good("complete", verb, "--json").split()
            expect(words[-2:] == ["dns", "zone"], "%s: %s", verb, words)
        expect("dns" not in b.good("complete", "stop"), "it is no node")


def disk_of_another_node_or_why_not():
    """mint-nvmf of an initrd says why there is no connection, and makes no file of that name"""
    with open(os.path.join(HERE, "..", "initramfs", "mint-nvmf"), encoding="utf-8") as file:
        script = file.read()
    with tempfile.TemporaryDirectory() as top:
        for device, cmdline, status, pattern in (
                ("/dev/null", "quiet mint.nvmf=transport=tcp,nqn=x", 0, "^$"),
                ("/dev/full", "mint.nvmf=nqn=x", 1,
                 "^mint-nvmf: no connection by mint.nvmf=nqn=x: .+"),
                (top + "/gone", "mint.nvmf=nqn=x", 1, "there is no .*/gone: the kernel needs"),
                ("/dev/full", "quiet", 0, "^$")):
            with open(top + "/cmdline", "w", encoding="ascii") as file:
                file.write(cmdline + "\n")
            text = script.replace("/proc/cmdline", top + "/cmdline").replace(
                "/dev/nvme-fabrics", device).replace("tries=120", "tries=2")
            done = subprocess.run(["sh", "-c", text], check=False, capture_output=True, text=True,
                                  timeout=60)
            expect(done.returncode == status and re.search(pattern, done.stderr) and
                   not os.path.exists(top + "/gone"), "%s: %s", device, done)


# ---- wrong words ----------------------------------------------------------------

def wrong_words_are_usage():
    """What is called wrongly is status 2, says why and how, and changes nothing"""
    with Bench(machines.demo) as b:
        image = "--image=" + b.tree.path("/image")
        for pattern, *words in (
                ("is no verb", "fly"), ("too much", "list", "x"), ("option", "list", "--x"),
                ("one node", "show"), ("one node", "show", "1", "2"), ("option", "show", "-x"),
                ("a node is wanted", "stop"), ("option", "stop", "--kill", "web"),
                ("one of --park", "stop", "--park", "--force", "web"),
                ("one of --park", "stop", "--ladder", "--ladder", "web"),
                ("one of --cores", "list", "--memory", "--cores"),
                ("one node", "log"), ("one node", "console"), ("too much", "check", "x"),
                ("one name", "run"),
                ("one name is wanted, and '5' is", "run", image, "a", "--wait", "5"),
                ("--verify goes by", "setup", "--keep=1G", "--cores=2", "--verify"),
                ("--undo goes by", "setup", "--undo", "--lend=com2"),
                ("a directory", "generate"), ("'--foo': this option", "generate", "--foo"),
                ("'--foo': this option", "generate", "/x", "--foo"),
                ("'-xf': this option", "log", "-xf", "web"),
                ("'--lend': this option", "setup", "--keep=1G", "--lend"),
                ("'--split=1': this option", "run", "x", "--split=1"),
                ("'--bogus': this option", "run", "--bogus", "x"), ("no image", "run", "--memory=1M", "x"),
                ("no size", "run", image, "x"),
                ("Cores=0: what is allowed", "run", image, "--cores=0", "x"),
                ("Cores=two: what is allowed", "run", image, "--cores=two", "x"),
                ("Memory=1X: what is allowed", "run", image, "--memory=1X", "x"),
                ("Memory=0: what is allowed", "run", image, "--memory=0", "x"),
                ("ApicIds=3-1: what is", "run", image, "--apic-ids=3-1", "x"),
                ("Devices=,: what is", "run", image, "--devices=,", "x"),
                ("--wait=0", "run", image, "--memory=1M", "--wait=0", "x")):
            b.bad(2, pattern, *words)
        b.bad(1, "--image=/nonexistent/x: No such file", "run", "--image=/nonexistent/x",
              "--memory=1M", "x")
        b.bad(1, "--initrd=: No such file", "run", image, "--initrd=", "--memory=1M", "x")
        b.bad(2, "--command-line= is more than one line", "run", image, "--command-line=a\nb", "x")
        for verb in ("plan", "run"):
            b.bad(1, "x: Image=/: it is no file", verb, "--image=/", "--memory=1M", "x")
        for key in ("Image", "Initrd"):
            b.tree.write("/etc/mint/x.node", "[Node]\nImage=%s/image\n%s=/nonexistent/x\n"
                         "Memory=1M\n" % (b.top, key))
            for verb in ("plan", "run", "supervise"):
                b.bad(1, "x: %s=/nonexistent/x: No such file" % key, verb, "x")
        status, _, err = b.ctl()
        expect(status == 2 and "usage: mintctl" in err, "%d %s", status, err)
        expect("usage: mintctl" in b.good("--help"), "no help")
        b.bad(2, "there is no option '--jason'", "--jason", "list")


def who_may_not_is_told():
    """An ordinary user is told who may, and nothing changes"""
    with Bench(machines.demo) as b:
        # The program of the build may lie where another user does not reach
        program = shutil.copy(STATIC, b.tree.path("/mintctl"))
        mintd = shutil.copy(broker.MINTD, b.tree.path("/mintd"))
        b.tree.mint("want", "")
        b.tree.mint("move", "")
        b.tree.write("/dev/mint1", "")
        b.tree.write("/etc/default/grub.d/mint.cfg", "")
        os.chmod(b.tree.path("/dev/mint1"), 0o400)
        os.chmod(b.tree.path("/sys/kernel/mint/nodes/1/log"), 0o000 if os.getuid() else 0o400)
        for path in ("want", "move", "nodes/1/stop"):
            os.chmod(b.tree.path("/sys/kernel/mint/" + path), 0o444)
        for path in ("/run", "/etc/default/grub.d"):
            os.chmod(b.tree.path(path), 0o555)
        os.chmod(b.top, 0o755)
        more = {} if os.getuid() else {"user": 65534, "group": 65534, "extra_groups": []}
        before = b.files() if not os.getuid() else None
        for words in (["run", "--memory=1M", "--image=" + b.tree.path("/image"), "x"],
                      ["stop", "web"], ["reboot", "web"], ["want", "cores=1"],
                      ["move", "core", "3", "web"], ["log", "web"], ["console", "web"],
                      ["setup", "--undo"]):
            done = subprocess.run([program, "--sysroot=" + b.top, *words], check=False, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, **more)
            expect(done.returncode == 1 and done.stderr.count("\n") == 1 and
                   done.stderr.endswith(": Permission denied: run as root\n"), "%s: %s", words, done)
        done = subprocess.run([mintd, "--sysroot=" + b.top, "--steps=1"], check=False, text=True,
                              capture_output=True, timeout=60, **more)
        expect(done.returncode == 1 and
               done.stderr.endswith("/mintd.lock: Permission denied: run as root\n"), "%s", done)
        expect(before is None or b.files() == before, "something changed")
        for path in ("/run", "/etc/default/grub.d"):
            os.chmod(b.tree.path(path), 0o755)


def each_verb_has_help():
    """VERB --help says how it is called, and does nothing, also where there is no Mint"""
    with Bench(machines.stock) as b:
        verbs = [word for word in b.good("complete").split() if not word.startswith("-")]
        expect(len(verbs) > 15, "%s", verbs)
        before = b.files()
        for verb in verbs:
            if verb == "complete":
                continue
            for words in ((verb, "--help"), (verb, "x", "-h"), ("--json", verb, "--help")):
                expect(b.good(*words).startswith("usage: mintctl %s " % verb), "%s", words)
        expect(b.files() == before, "something changed")
        expect("--lend=" in b.good("complete", "setup", "--help"), "complete takes it for its own")


def manual_has_all_words():
    """mintctl(8) has each verb and each of its options; so do the pages of the other programs"""
    def page(name):
        with open(os.path.join(HERE, "..", name), encoding="utf-8") as file:
            return file.read()

    text = page("mintctl.8")
    with Bench(machines.stock) as b:
        for verb in b.good("complete").split():
            if verb.startswith("-"):
                continue
            expect(".It Cm %s" % verb in text, "no %s", verb)
            for word in b.good("complete", verb).split():
                name = word.strip("-").split("=")[0]
                expect(("Fl -" if word.startswith("-") else "Cm ") + name in text, "%s: no %s",
                       verb, word)
    for program in ("mintd", "mint-agent", "mint-sim"):
        done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), program), "--help"],
                              check=False, capture_output=True, text=True, timeout=60)
        words = re.findall(r"--([a-z-]+)", done.stdout)
        text = page(program + (".1" if program == "mint-sim" else ".8"))
        expect(words and all("Fl -" + word in text for word in words), "%s: %s", program, words)


def source(name):
    """The text of a file of tools/."""
    with open(os.path.join(HERE, "..", name), encoding="utf-8") as file:
        return file.read()


def option_table(text):
    """{name: no, required or optional} of the tables of getopt_long() in a source."""
    return dict(re.findall(r'{ "([a-z-]+)", (no|required|optional)_argument', text))


def flags(page):
    """Options that a manual page names, without the dashes."""
    return set(re.findall(r"Fl -([a-z-]+)", page)) - {""}


def options_are_told_everywhere():
    """What getopt_long() takes, --help, completion and the manual page are the same options"""
    page = source("mintctl.8")
    with Bench(machines.stock) as b:
        every = {word.strip("-=") for word in b.good("complete", "list", "").split()} - {
            "cores", "memory"}
        main = source("mintctl.c")
        taken = set(re.findall(r'"--([a-z-]+)"\)', main[main.index("take_options("):])) | {"help"}
        usage = set(re.findall(r"\[--([a-z-]+)", b.good("--help").splitlines()[0]))
        expect(every == taken == usage, "of all: %s, %s, %s", every, taken, usage)
        told = {}
        for verb in b.good("complete").split():
            if verb.startswith("-"):
                continue
            words = {word for word in b.good("complete", verb).split()
                     if word.startswith("-") and word.strip("-=") not in every}
            usage = b.good(verb, "--help").splitlines()[0] if verb != "complete" else ""
            expect({word.strip("-=") for word in words} ==
                   set(re.findall(r"--([a-z-]+)", usage)) - every, "%s: %s, not %s", verb, words,
                   usage)
            for word in words:
                told.setdefault(word.strip("-="), set()).add(word.endswith("="))
                # Taken, whatever else is missing
                status, _, err = b.ctl(verb, word + "1" * word.endswith("="))
                expect("option is unknown" not in err, "%s %s: %d %s", verb, word, status, err)
    table = {}
    for name in ("console", "move", "run", "setup", "show", "stop", "supervise", "timeline", "top",
                 "want", "check", "complete", "move"):
        for option, kind in option_table(source(name + ".c")).items():
            table.setdefault(option, set()).add(kind == "required")
    expect(table == told, "%s, not %s", table, told)
    expect(flags(page) == set(told) | every, "mintctl.8: %s", flags(page) ^ (set(told) | every))
    for program, section in (("mintd", 8), ("mint-agent", 8), ("mint-sim", 1)):
        done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), program), "--help"],
                              check=False, capture_output=True, text=True, timeout=60)
        told = dict((name, "required" if value else "no") for name, value in
                    re.findall(r"--([a-z-]+)(=?)", done.stdout))
        table = option_table(source(program + ".c"))
        expect(table == told, "%s: %s, not %s", program, told, table)
        found = flags(source("%s.%d" % (program, section)))
        expect(found == set(table), "%s.%d: %s", program, section, found)


def statuses_are_told_everywhere():
    """Each exit status of a program is in its manual page, and no other"""
    numbers = dict(re.findall(r"(ST_[A-Z]+)\s*= (\d+)", source("mintctl.h")))
    for program, section in (("mintctl", 8), ("mintd", 8), ("mint-agent", 8)):
        page = source("%s.%d" % (program, section))
        page = page[page.index(".Sh EXIT STATUS"):].partition(".Sh EXAMPLES")[0]
        told = set(re.findall(r"(?:^\.It |; |^)(\d+)\b", page, re.M))
        text = source(program + ".c")
        if program == "mintctl":
            text = "".join(source(name) for name in os.listdir(os.path.join(HERE, ".."))
                           if name.endswith(".c") and name not in ("mintd.c", "mint-agent.c"))
        used = {numbers[name] for name in re.findall(r"\bST_[A-Z]+", text)}
        # What mint_read() says for all of them
        expect(told == used | {numbers["ST_NOMINT"]}, "%s: %s, not %s", program, told, used)
    units = {name: unit(name)["RestartPreventExitStatus"]
             for name in ("mint@.service", "mintd.service", "mint-agent.service")}
    expect(set(map(tuple, units.values())) == {("1 2 3 5",)}, "%s", units)


def keys_are_told_everywhere():
    """mint.node(5) has the keys of each section that the program knows, and no other"""
    page, known = source("mint.node.5"), {}
    with Bench(machines.demo) as b:
        for section in ("Node", "Policy", "Failure"):
            b.tree.write("/etc/mint/x.node", "[%s]\nX=1\n" % section)
            known[section] = set(b.ctl("plan", "x")[2].partition("allowed are ")[2].split())
    for section, keys in known.items():
        text = page[page.index(".Ss Section " + section):].partition("\n.S")[0]
        told = {key for line in re.findall(r"^\.It Va (.*)", text, re.M)
                for key in line.split(" , ")}
        expect(told == {key.strip(",") for key in keys}, "[%s]: %s, not %s", section, told, keys)


def no_mint_is_status_5():
    """Where there is no Mint, verbs say so, and what to do"""
    for machine, pattern in ((machines.stock, "no Mint: boot one with CONFIG_MINT=y"),
                             (machines.inactive, "not active: boot with mint.mem=")):
        with Bench(machine) as b:
            for words in (["list"], ["show", "1"], ["stop", "1"], ["log", "1"],
                          ["move"], ["console", "1"], ["links"], ["reboot", "1"],
                          ["want"], ["give", "cores=1"], ["top", "--once"], ["timeline"],
                          ["diff"], ["supervise", "--all"],
                          ["plan", "--image=" + b.tree.path("/image"), "--memory=1M", "x"],
                          ["run", "--image=" + b.tree.path("/image"), "--memory=1M", "x"]):
                b.bad(5, pattern, *words)
            expect(os.listdir(b.tree.path("/run")) == [], "a lock was made")


def successors_launch_nothing():
    """In a successor run says that only node 0 launches"""
    with Bench(machines.demo) as b:
        b.tree.mint("node", "1\n")
        b.bad(1, "only node 0 launches: this is node 1", "plan",
              "--image=" + b.tree.path("/image"), "--memory=1M", "x")


# ---- node files -----------------------------------------------------------------

NODE = """# a comment ; or two
[Node]
Image=%s/image
CommandLine=console=mint quiet;x
  maxcpus=2
Cores=1
Memory=128M
Devices=com3, com4
Links=0 web
Shares=rt:64K, bulk:2M
Autostart=yes

[Policy]
SMT=split

[Failure]
Respawn=no
LostSec=5
"""


def node_files_are_read():
    """A node file says what options would; options have the last word"""
    with Bench(machines.demo) as b:
        b.tree.write("/etc/mint/dns.node", NODE % b.top)
        b.good("run", "dns")
        expect(b.words() == ["--mint-cpu=3", "--mint-cpus=3", "--mem-min=0x20000000",
                             "--mem-max=0x27ffffff", "--mint-devices=com3,com4",
                             "--mint-name=dns",
                             "--command-line=console=mint quiet;x maxcpus=2 mint.links=0,web "
                             "mint.share=rt:64K,bulk:2M",
                             "/image"],
               "%s", b.words())
        b.good("run", "--memory=64M", "--devices=com3", "--command-line=x", "--links=all",
               "--shares=x:4K", "dns")
        expect("--mem-max=0x23ffffff" in b.words() and "--mint-devices=com3" in b.words() and
               "--command-line=x mint.links=all mint.share=x:4K" in b.words(), "%s", b.words())
        b.good("run", "--memory=64M", "--command-line=x=\"a -- b\" -- single", "--links=all",
               "--shares=x:4K", "dns")
        expect("--command-line=x=\"a -- b\" mint.links=all mint.share=x:4K -- single" in b.words(),
               "%s", b.words())


def parameters_that_are_not_heeded():
    """A parameter of a command line that a key takes the place of is named in a note"""
    with Bench(machines.demo) as b:
        words = ["--memory=64M", "--image=" + b.kexec]
        line = ("mint.cpus=1 mint.mem=4M@0 mint.name=x mint.devices=com3 mint.links=1 "
                "mint.share=a:4K")
        for options, params in (
                ((), ["cpus", "name"]),
                (("--devices=com3", "--links=0", "--shares=b:4K"),
                 ["cpus", "name", "devices", "links", "share"])):
            for verb in ("plan", "run"):
                status, out, err = b.ctl(verb, *words, "--command-line=" + line, *options, "y")
                found = re.findall(r"mint\.([a-z]+)= on the command line is not heeded",
                                   out if verb == "plan" else err)
                expect(status == 0 and found == params, "%s: %d %s%s", options, status, out, err)
        _, out, err = b.ctl("run", *words, "--command-line=x.mint.cpus=1 -- mint.name=x", "z")
        expect("not heeded" not in err, "%s", err)
        for line, noted in (('"quiet root=/dev/vda1"', True), ('"quiet" root=/dev/vda1', False),
                            ('"quiet" root="a b"', False), ('"quiet"', False),
                            ('dyndbg="file a.c +p"', False)):
            _, out, err = b.ctl("run", *words, "--command-line=" + line, "z")
            expect(("the quotes around the command line make one parameter" in err) == noted,
                   "%s: %s", line, err)
    with Bench(machines.holes) as b:
        out = b.good("plan", "--memory=1100M", "--image=" + b.kexec,
                     "--command-line=mint.mem=4M@0", "x")
        expect("mint.mem= on the command line is not heeded: Memory=, which is" in out, "%s", out)


def cores_are_told_once():
    """A number of cores or which: an option takes the place of the file's, and both are refused"""
    with Bench(machines.smt) as b:
        image = "--image=" + b.tree.path("/image")
        b.tree.write("/etc/mint/x.node", "[Node]\nMemory=1G\nApicIds=8-11\n")
        for words, cores in (((), "8-11"), (("--cores=2",), "4-5"), (("--apic-ids=6-7",), "6-7")):
            b.good("run", image, *words, "x")
            expect("--mint-cpus=" + cores in b.words(), "%s: %s", words, b.words())
        b.tree.write("/etc/mint/x.node", "[Node]\nMemory=1G\nCores=4\n")
        b.good("run", image, "--apic-ids=8-9", "x")
        expect("--mint-cpus=8-9" in b.words(), "%s", b.words())
        b.bad(2, "one of --cores= and --apic-ids=", "run", image, "--cores=2",
              "--apic-ids=8-9", "x")
        b.tree.write("/etc/mint/x.node", "[Node]\nMemory=1G\nCores=2\nApicIds=8-9\n")
        b.bad(1, "has Cores= and ApicIds=: one of them", "run", image, "x")


def node_files_that_are_wrong():
    """A wrong line is named by its number, with what is allowed"""
    whole = NODE % ""
    for line, text, pattern in (
            (2, "[Nodes]\nImage=/x", r":3: there is no section \[Nodes\]: allowed are \[Node\], \[Policy\], \[Failure\]"),
            (3, "Imago=/x", r":3: \[Node\] knows no Imago=: allowed are Image, Initrd"),
            (3, "Image=x", ":3: Image=x: what is allowed is an absolute path, such as "
             "/boot/vmlinuz-" + re.escape(os.uname().release)),
            (6, "Cores=many", ":6: Cores=many: what is allowed is a number"),
            (7, "Memory=8X", ":7: Memory=8X: what is allowed is a size"),
            (7, "Memory=512", ":7: Memory=512: what is allowed is a size from 1M on"),
            (7, "Memory=-64M", ":7: Memory=-64M: what is allowed is a size"),
            (7, "Memory=64MB", ":7: Memory=64MB: what is allowed is a size"),
            (7, "Memory=64M@0xffffffffffffffff", ":7: Memory=64M@0xffffffffffffffff: what is"),
            (7, "Memory=64M@0x20000001", ":7: .* in whole pages at a place"),
            (7, "Memory=67108865@0x20000000", ":7: .* in whole pages at a place"),
            (2, "[node]", r":3: there is no section \[node\]"),
            (2, "[Node] Cores=2", ":2: something stands behind the section"),
            (13, "[Policy]\nCores=2", r":14: \[Policy\] knows no Cores="),
            (13, "Cores=\n[Policy]", ":13: Cores=: what is allowed"),
            (11, "Autostart=yes\r[Policy]\rSMT=split", ":11: there is a carriage return in the line"),
            (1, "# a comment\r[Node]\r", ":1: there is a carriage return in the line"),
            (5, "  [Failure]", r":5: a line that begins with blanks goes on with CommandLine=: begin "
             r"'\[Failure\]' without them"),
            (6, "Cores=-1", ":6: Cores=-1: what is allowed"),
            (9, "Links=0 dns", ":9: Links=0 dns: what is allowed is numbers and names of other"),
            (9, "Links=none, web", ":9: Links=none, web: what is allowed .* or none alone"),
            (8, "Devices=net:eth9", ":8: Devices=net:eth9: what is allowed is a PCI function, such"),
            (9, "Links=0 2x", ":9: Links=0 2x: what is allowed is numbers and names"),
            (10, "Shares=rt:5", ":10: Shares=rt:5: what is allowed is <name>:<size>"),
            (10, "Shares=2:4K", ":10: Shares=2:4K: what is allowed is <name>:<size>"),
            (11, "Autostart=1", ":11: Autostart=1: what is allowed is yes or no"),
            (14, "SMT=half", ":14: SMT=half: what is allowed is whole or split"),
            (17, "Respawn=self", ":17: Respawn=self: what is allowed is new or no"),
            (18, "LostSec=0", ":18: LostSec=0: what is allowed is seconds"),
            (1, "Image=/x", ":1: Image= stands before the first section"),
            (6, "nonsense", ":6: this is no "),
            (4, "CommandLine=quiet init='a ;b'", ":4: a blank and ';' cut the line"),
            (5, "  a=b\t; a comment", ":5: a blank and ';' cut the line: give a comment its own"),
            (6, "Cores=2 ; two", ":6: a blank and ';' cut the line: give a comment its own"),
            (5, "  Cores=2", ":5: a line that begins with blanks goes on with CommandLine=: begin "
             "'Cores=2' without them"),
            (8, "\tMemory = 1G", ":8: a line that begins with blanks goes on with Memory="),
            (7, "Memory=64M\0x", ":7: there is a zero byte in it"),
            (19, "[Node]\0", ":19: there is a zero byte in it"),
            (4, "CommandLine=" + "x" * 300, ":4: the line is longer than 198")):
        lines = whole.splitlines() + [""]
        lines[line - 1] = text
        with Bench(machines.demo) as b:
            b.tree.write("/etc/mint/dns.node", "\n".join(lines))
            b.bad(1, pattern, "plan", "dns")


def node_files_of_other_editors():
    """Ends of lines and the mark of other systems do no harm; words of a kernel may look like keys"""
    with Bench(machines.demo) as b:
        text = ("[Node]\nImage=%s/image\nMemory=64M\nCommandLine=quiet\n  mem=x Cores=2\n"
                "  cores=2\n" % b.top)
        for file in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
            b.tree.write("/etc/mint/x.node", file.encode(), "wb")
            out = b.good("plan", "x")
            expect("'--command-line=quiet mem=x Cores=2 cores=2'" in out, "%s", out)
        b.tree.write("/etc/mint/x.node", text.encode("utf-16"), "wb")
        b.bad(1, "x.node:1: there is a zero byte in it: a node file is plain text", "plan", "x")
        # Refused at once, not after a look at each of these numbers
        b.tree.write("/etc/mint/x.node", text + "ApicIds=0-524287,0-524287\n")
        b.bad(1, "ApicIds=0-524287,0-524287: what is allowed is a list", "plan", "x")


def node_file_that_cannot_be_read():
    """A directory, a pipe, a device, a link to nothing is no empty file, and no wait"""
    units = tempfile.mkdtemp()
    for make, pattern in ((os.mkdir, "x.node: Is a directory"),
                          (os.mkfifo, "x.node: it is a pipe or a device: a node file is plain"),
                          (lambda path: os.symlink("/dev/zero", path), "x.node: it is a pipe or a"),
                          (lambda path: os.symlink("gone", path),
                           "x.node: it is a link to what is not there: mend or remove the link"),
                          (lambda path: os.symlink("x.node", path),
                           "x.node: Too many levels of symbolic links")):
        with Bench(machines.demo) as b:
            os.makedirs(b.tree.path("/etc/mint"))
            make(b.tree.path("/etc/mint/x.node"))
            # What is in the machine is not looked at here: it has what cannot be read
            for status, *words in ((1, "plan", "x"), (1, "supervise", "x"), (1, "diff"),
                                   (64, "generate", units), (1, "supervise", "--all"),
                                   (1, "run", "--memory=64M", "--image=" + b.kexec, "x")):
                got, out, err = b.ctl(*words)
                expect(got == status and re.search(pattern, err) and not out, "%s: %d %s%s", words,
                       got, out, err)
            expect(not os.path.exists(b.kexec + ".words"), "it was launched")
    # A link to a file is that file
    with Bench(machines.demo) as b:
        node_file(b, "y", "Cores=1\n")
        os.symlink("y.node", b.tree.path("/etc/mint/x.node"))
        b.good("plan", "x")
    expect(os.listdir(units) == [], "there are units")
    os.rmdir(units)


def node_directory_that_cannot_be_read():
    """Where it cannot be seen which node files there are, nothing is as it shall be"""
    with Bench(machines.demo) as b:
        b.tree.write("/etc/mint", "")
        for words in (("diff",), ("supervise", "--all"), ("generate", b.tree.path("/run"))):
            b.bad(1, "/etc/mint: Not a directory", *words)


def interface(b):
    """eth1 of function 01:00.1."""
    os.makedirs(b.tree.path("/sys/class/net/eth1"))
    os.makedirs(b.tree.path("/sys/devices/0000:01:00.1"))
    os.symlink("../../../devices/0000:01:00.1", b.tree.path("/sys/class/net/eth1/device"))


def net_names_are_for_setup():
    """setup --lend= takes net:<interface>; nodes name its function, and are told which that is"""
    with Bench(machines.stock) as b:
        interface(b)
        # A virtio device is one below its function; one of USB is not a function at all
        for name, below in (("eth2", "0000:01:00.2/virtio0"), ("usb0", "0000:01:00.3/usb1/1-1")):
            os.makedirs(b.tree.path("/sys/class/net/" + name))
            os.makedirs(b.tree.path("/sys/devices/" + below))
            os.symlink("../../../devices/" + below, b.tree.path("/sys/class/net/%s/device" % name))
        out = b.good("setup", "--keep=1G", "--cores=1", "--lend=net:eth1,com2", "--lend=net:eth2")
        expect(" mint.devices=-0000:01:00.1,-com2,-0000:01:00.2 " in out, "%s", out)
        b.bad(2, "--lend=net:usb0", "setup", "--keep=1G", "--cores=1", "--lend=net:usb0")
    with Bench(machines.demo) as b:
        interface(b)
        for verb in ("plan", "run"):
            b.bad(2, "Devices=net:eth1 com3: what is allowed is a PCI function, such as "
                  "0000:01:00.1, which is that of eth1", verb, "--memory=128M",
                  "--image=" + b.tree.path("/image"), "--devices=net:eth1 com3", "x")
        node_file(b, "web", "Devices=net:eth1\n")
        for words in (("supervise", "web"), ("diff",)):
            b.bad(1, "web.node:6: .* 0000:01:00.1, which is that of eth1", *words)


# ---- setup ----------------------------------------------------------------------

DROP_IN = "/etc/default/grub.d/mint.cfg"


def golden_setup():
    """What setup would have node 0 keep is as it was read and found right"""
    text = ""
    for machine, requests in (
            (machines.stock, ("--keep=1G --cores=1", "--keep=8G --cores=4",
                              "--keep=8G --cores=4 --lend=01:00.0",
                              "--keep=8G --cores=5 --lend=01:00.0,com2", "--keep=3G --cores=2 --lend=com2",
                              "--keep=16G --cores=1", "--keep=1G --cores=8",
                              "--keep=1G --cores=2 --lend=01:00.0")),
            (machines.demo, ("--keep=1G --cores=1",))):
        with Bench(machine) as b:
            for request in requests:
                status, out, err = b.ctl("setup", *request.split())
                text += "# %s: setup %s\n%s%s# status %d\n\n" % (
                    machine.__name__, request, out, err, status)
    same("setup", text)


def setup_keeps_whole_cores():
    """Node 0 keeps whole cores, of its own package first"""
    def threads(tree):
        machines.stock(tree)
        tree.cpuid(1, 4, 4)

    with Bench(threads) as b:
        out = b.good("setup", "--keep=1G", "--cores=6")
        expect("mint.cpus=0-3,16-17 " in out, "%s", out)
        b.bad(1, "3 threads are not a number of whole cores: keep 4", "setup", "--keep=1G",
              "--cores=3")


def setup_is_applied_and_undone():
    """--apply writes what was shown, once; --verify wants it in force; --undo removes it"""
    with Bench(machines.stock) as b:
        want = ["setup", "--keep=2G", "--cores=4", "--lend=com2"]
        b.bad(2, "say what node 0 keeps", "setup")
        b.bad(2, "one of", "setup", "--apply", "--undo")
        for value, pattern in (
                ("$(x)", "devices, such as"), (",", "devices, such as"),
                ("com2,X", "devices, such as"), ("net:eth9", "there is no PCI function of an inter"),
                ("com2,09:00.0", "there is no PCI function 09:00.0"),
                ("1:0:0.0", "there is no PCI function 1:0:0.0")):
            b.bad(2, re.escape("--lend=%s: %s" % (value, pattern)), "setup", "--keep=1G",
                  "--cores=1", "--lend=" + value)
        b.good("setup", "--keep=1G", "--cores=1", "--lend=0000:01:00.0,2:0.0,com2")
        interface(b)
        out = b.good("setup", "--keep=1G", "--cores=1", "--lend=net:eth1", "--lend=com2")
        expect(" mint.devices=-0000:01:00.1,-com2 " in out, "%s", out)
        b.bad(3, "nothing to undo", "setup", "--undo")
        b.bad(3, "--apply. writes it", "setup", "--verify")
        before = b.files()
        shown = b.good(*want)
        b.good(*want, "--apply", "--dry-run")
        expect(b.files() == before, "it was written")
        status, _, err = b.ctl(*want, "--apply")
        expect(status == 3 and "has no GRUB" in err, "%d %s", status, err)
        for keep, lend, pattern in (
                ("15.9G", "com2", "a size from 128M on"),
                ("16383M", "com2", "in steps of 128M that is all"),
                ("2G", "com5", "'com5' is no device: com1 to com4"),
                ("2G", "com2,-vga", "devices, such as")):
            b.bad(1 if "all" in pattern else 2, pattern, "setup", "--keep=" + keep, "--cores=4",
                  "--lend=" + lend, "--apply")
        # GRUB is there, its directory is made
        b.tree.write("/etc/default/grub", "")
        out = b.good(*want, "--apply")
        expect(out.startswith(shown) and "update-grub" in out, "%s", out)
        words = "mint.mem=2G@0 mint.cpus=0-3 mint.devices=-com2 nokaslr"
        expect('"$GRUB_CMDLINE_LINUX %s"\n' % words in b.tree.read(DROP_IN), "%s",
               b.tree.read(DROP_IN))
        expect("is as it shall be" in b.good(*want), "it differs from itself")
        b.bad(1, "booted without mint.mem=2G@0: reboot", "setup", "--verify")
        b.tree.write("/proc/cmdline", "quiet %s\n" % words)
        b.bad(5, "no Mint", "setup", "--verify")
        b.good("setup", "--undo")
        expect(not os.path.exists(b.tree.path(DROP_IN)), "it is still there")
    with Bench(machines.demo) as b:
        b.tree.write(DROP_IN, 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX mint.mem=256M@0"\n')
        expect(b.good("setup", "--verify").startswith("ok"), "not ok")
        b.tree.cores(0, node0="0-3")
        b.bad(1, "no core is free", "setup", "--verify")
        # All of it has gone to nodes that start with the machine
        b.tree.cores(0, node0="0", node1="1-3")
        b.tree.memory((0, 256 * M, "node 0"), (256 * M, G, "node 1"))
        expect(b.good("setup", "--verify").startswith("ok"), "not ok")
        b.tree.memory((0, G, "node 0"))
        b.bad(1, "no memory is free", "setup", "--verify")


TESTS = [golden_tables, golden_json, static_is_alike, control_characters_are_shown_harmless,
         nodes_without_a_good_name, a_name_of_two_nodes_is_nobodys, lost_output_is_no_success,
         golden_plans, run_calls_kexec, dry_run_does_nothing, refusals_of_kexec_pass_through,
         no_kexec_is_said, sbin_is_searched, what_nodes_have_is_no_fault,
         kernel_that_is_installed_is_named,
         taken_meanwhile_is_planned_again, launches_are_one_at_a_time, names_are_unique,
         placements_stick, placements_follow_the_request, placement_properties,
         stop_writes_its_word, stop_of_many_is_partly_done, loaded_is_unloaded,
         reboot_writes_its_word, reboot_takes_no_file,
         wishes_are_one_line, top_shows_differences, timeline_goes_by_moves,
         moves_are_one_write, moves_of_others_are_not_ours, moves_are_json,
         in_flight_is_nobodys,
         links_are_shown, log_is_copied,
         log_steers_no_terminal,
         root_is_not_told_to_be_root, console_can_always_be_left,
         console_carries_both_ways, wrong_words_are_usage, who_may_not_is_told, each_verb_has_help,
         manual_has_all_words, options_are_told_everywhere,
         statuses_are_told_everywhere, keys_are_told_everywhere, no_mint_is_status_5,
         successors_launch_nothing, fate_is_the_status, journal_has_the_log,
         restart_of_its_own_is_no_end,
         supervise_launches, all_of_autostart, supervisors_end_together, diff_shows_drift,
         links_wait_for_their_nodes, mutual_links_delay_nobody, links_come_back_with_a_node,
         links_with_twins_are_refused, links_of_a_node_that_goes,
         rings_of_links_are_refused,
         generator_makes_units, unit_stops_what_starts, units_say_that_there_is_no_mint,
         completion_knows_words, disk_of_another_node_or_why_not,
         golden_setup, setup_keeps_whole_cores, setup_is_applied_and_undone,
         node_files_are_read, parameters_that_are_not_heeded, cores_are_told_once,
         node_files_that_are_wrong,
         node_files_of_other_editors, node_file_that_cannot_be_read,
         node_directory_that_cannot_be_read,
         net_names_are_for_setup] + broker.TESTS
WANTED = sys.argv[3:]
if WANTED:
    TESTS = [test for test in TESTS if test.__name__ in WANTED]
KTAP = Ktap(len(TESTS))
for TEST in TESTS:
    try:
        TEST()
        KTAP.result(True, TEST.__name__)
    except (Failed, OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        KTAP.result(False, TEST.__name__, error)
sys.exit(1 if KTAP.failed else 0)
