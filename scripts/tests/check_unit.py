#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of our own scripts that need no machine; prints KTAP."""

import contextlib
import errno
import importlib.machinery
import importlib.util
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from xml.etree import ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.dirname(HERE)
sys.path.insert(0, SCRIPTS)

import archive  # noqa: E402
import bench_broker  # noqa: E402
import junit  # noqa: E402
import kbuild  # noqa: E402
import machine  # noqa: E402
import mintlib  # noqa: E402
import report  # noqa: E402
import runner  # noqa: E402
import vcpu_caps  # noqa: E402
from nodes import UP, Up  # noqa: E402
from verdict import SUMMARY, expect, expected_skips, run_all  # noqa: E402

# Lines of healthy kernels, most of them of processors that we do not have.
HEALTHY = """
[    0.240000] Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/srso.html for mitigation options.
[    0.240000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!
[    0.240000] RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!
[    0.240000] x86/cpu: SGX disabled by BIOS.
[    0.000000] [Firmware Bug]: TSC ADJUST: CPU0: -1234 force to 0
[    0.100000] mint: the caller was debugged: 0
""".strip().splitlines()

# What has to fail a test, in the forms that consoles show.
COMPLAINTS = """
[    2.000000] WARNING: CPU: 0 PID: 1 at kernel/fork.c:100 copy_process+0x10/0x20
[    2.000000][    T1] WARNING: CPU: 3 PID: 71 at arch/x86/mint/talk/ring.c:10 put+0x10/0x20
<4>[    2.000000] WARNING: possible circular locking dependency detected
WARNING: bad unlock balance detected!
# [    2.000000] WARNING: inconsistent lock state
[    2.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    2.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!
[    2.000000] Oops: general protection fault, probably for non-canonical address
[    2.000000] Kernel panic - not syncing: Attempted to kill init!
[    2.000000] irq 20: nobody cared (try booting with the "irqpoll" option)
[    2.000000] APIC error on CPU1: 00(40)
[    2.000000] rcu: INFO: rcu_sched self-detected stall on CPU
[    2.000000] UBSAN: array-index-out-of-bounds in kernel/fork.c:1:2
[    2.000000] BUG: KASAN: slab-out-of-bounds in foo+0x10/0x20
""".strip().splitlines()


def grepped(line):
    """Whether the selftests, which use grep -E, take a line for a complaint."""
    return not subprocess.run(["grep", "-qE", "--", machine.complaints()], check=False,
                              input=line + "\n", text=True).returncode


def advice_is_no_complaint():
    """What a healthy kernel prints about its processor fails no test"""
    for line in HEALTHY:
        expect(not machine.FAULT.search(line), "this is taken for a complaint: %s", line)
        expect(not grepped(line), "selftests take this for a complaint: %s", line)


def complaints_are_found():
    """Each form of a complaint is found, on consoles and by the selftests"""
    for line in COMPLAINTS:
        expect(machine.FAULT.search(line), "not found: %s", line)
        expect(grepped(line), "not found by the selftests: %s", line)


# ---- the runner ---------------------------------------------------------------

def load(name):
    """A program of scripts/ as a module."""
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(SCRIPTS, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def run_program(text, limit=20, skips=()):
    """(verdict, output) of a program of the host that is this shell script."""
    verdict = runner.Verdict(skips)
    spec = runner.Spec("unit", [runner.Program("program", ["sh", "-c", text], limit)])
    verdict.undone = [("unit", "program")]
    options = types.SimpleNamespace(tests=[], kernel=None)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runner.Runner(spec, spec.jobs, verdict, options).run()
    return verdict, out.getvalue()


def counts(verdict, passed, failed, skipped):
    """They are these."""
    expect(verdict.summary() == SUMMARY % (passed, failed, skipped), "%s; not %s",
           verdict.summary(), (passed, failed, skipped))


def skips_are_expected_or_failures():
    """A skip that the table does not list fails; one that it lists is counted"""
    text = "echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP no b here'"
    counts(run_program(text)[0], 1, 1, 0)
    counts(run_program(text, skips=[("unit: program b", "no * here")])[0], 1, 0, 1)
    counts(run_program(text, skips=[("unit: program b", "other")])[0], 1, 1, 0)
    counts(run_program(text, skips=[("unit: program a", "*")])[0], 1, 1, 0)
    counts(run_program("echo '1..0 # SKIP nothing'")[0], 0, 1, 0)
    expect(expected_skips(), "the table is empty")


def results_are_written():
    """JUnit's file has a case for each result, with its reason, and says how many"""
    text = ("echo 1..3; echo ok 1 - a; echo '# why <not>'; echo not ok 2 - b;"
            "echo 'ok 3 - c # SKIP no c'; exit 1")
    verdict, _ = run_program(text, skips=[("unit: program c", "*")])
    with tempfile.NamedTemporaryFile("r", suffix=".xml") as file:
        junit.write(file.name, verdict)
        root = ElementTree.parse(file).getroot()
    suite = root.find("testsuite[@name='unit']")
    for where in (root, suite):
        expect([where.get(count) for count in ("tests", "failures", "skipped")] ==
               ["3", "1", "1"], "%s", ElementTree.tostring(root))
    expect([case.get("name") for case in suite] ==
           ["program a", "program b", "program c"], "%s", ElementTree.tostring(root))
    expect(suite.find("testcase/failure").get("message") == "why <not>", "no reason")
    expect(suite.find("testcase/skipped").get("message") == "no c", "no reason")


def cut_short_is_failure():
    """A program that tells less than it planned, or nothing, has failed"""
    counts(run_program("echo 1..2; echo ok 1 - a")[0], 1, 1, 0)
    counts(run_program("echo ok 1 - a")[0], 1, 1, 0)
    counts(run_program("exit 3")[0], 0, 1, 0)
    counts(run_program("echo 1..1; echo ok 1 - a; exit 3")[0], 1, 1, 0)
    counts(run_program("echo 1..1; echo not ok 1 - a; exit 1")[0], 0, 1, 0)


def late_is_failure():
    """What a program that runs too long has told so far counts"""
    # Time enough to tell something on a host that builds a kernel meanwhile
    verdict, out = run_program("echo 1..2; echo not ok 1 - a; exec sleep 100", 5)
    counts(verdict, 0, 2, 0)
    expect("not done in" in out, "it does not say so: %s", out)


def interrupted_run_tells():
    """A run that is ended from outside tells what it found, and what is not done"""
    code = ("import sys; sys.path.insert(0, %r); import check_unit\n"
            "from runner import Program, Spec\n"
            "check = check_unit.load('check')\n"
            "check.MACHINES[:] = [Spec('unit', [Program('p', ['sh', '-c',"
            "'echo 1..2; echo ok 1 - a; exec sleep 100'], 100)]),"
            "Spec('other', [Program('q', ['true'], 9)])]\n"
            "check.SERIES.jobs[0].command[:] = ['sh', '-c', 'echo 1..1; echo ok 1 - s']\n"
            "check.helpers.compile_all = check.test_initrd = lambda: None\n"
            "sys.argv = ['check', '-j', '1']\nsys.exit(check.main())" % HERE)
    with subprocess.Popen([sys.executable, "-c", code], text=True, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL) as child:
        out = ""
        for line in child.stdout:
            out += line
            if line.startswith("ok - unit: p a"):
                child.terminate()
        status = child.wait(60)
    expect(out.splitlines()[-1] == SUMMARY % (2, 0, 0), "last line of: %s", out)
    expect(status == 128 + signal.SIGTERM, "status %d", status)
    for text in ("# not finished after", "# not done: unit: p", "# not done: other: q"):
        expect(text in out, "no '%s' in: %s", text, out)


def builds_have_company():
    """Beside the builds of the series run programs that boot nothing; all others run after them"""
    with tempfile.TemporaryDirectory() as top:
        # Each end of a pipe waits for the other one
        os.mkfifo(os.path.join(top, "beside"))
        code = ("import sys; sys.path.insert(0, %r); import check_unit\n"
                "from runner import Program, Spec\n"
                "check = check_unit.load('check')\n"
                "def job(text, **kw):\n"
                "    return [Program('p', ['sh', '-c', 'cd %s; { ' + text + '; } && a= || a=not;'"
                " 'echo 1..1; echo $a ok 1 - it'], 60, **kw)]\n"
                "check.MACHINES[:] = [Spec('boots', job('[ -e over ]', boots=True)),"
                "Spec('host', job('timeout 20 tee beside </dev/null'))]\n"
                "check.SERIES.jobs[:] = job('timeout 20 cat beside && touch over')\n"
                "check.helpers.compile_all = check.test_initrd = lambda: None\n"
                "sys.argv = ['check', '-j', '2']\nsys.exit(check.main())" % (HERE, top))
        done = subprocess.run([sys.executable, "-c", code], check=False, text=True, timeout=60,
                              capture_output=True, stdin=subprocess.DEVNULL)
    expect(done.returncode == 0 and done.stdout.splitlines()[-1] == SUMMARY % (3, 0, 0),
           "status %d: %s%s", done.returncode, done.stdout, done.stderr)


# ---- apt ----------------------------------------------------------------------

def sources_of(text, name="debian.sources"):
    """(URI, suite) pairs that one file of apt sources gives."""
    path = os.path.join(mintlib.BUILD, "unit-" + name)
    mintlib.write(path, text)
    try:
        read = archive.stanza_entries if name.endswith(".sources") else archive.one_line_entries
        return list(read(path))
    finally:
        os.unlink(path)


def apt_sources():
    """Both formats of apt sources are read; what is off or no Debian is not"""
    expect(sources_of("Types: deb\n# a comment\nURIs: http://a/debian\n"
                      "Suites: trixie trixie-updates\nComponents: main contrib\n\n"
                      "Types: deb\nEnabled: no\nURIs: http://b\nSuites: trixie\n"
                      "Components: main\n") ==
           [("http://a/debian", "trixie"), ("http://a/debian", "trixie-updates")],
           "deb822 is misread")
    expect(sources_of("# deb http://a/debian bookworm main\n"
                      "deb [arch=amd64] http://b/debian bookworm main # us\n"
                      "deb-src http://b/debian bookworm main\n", "sources.list") ==
           [("http://b/debian", "bookworm")], "one-line entries are misread")


# ---- consoles -----------------------------------------------------------------

def up_is_read_through_kernel_lines():
    """The kernel may print at any character of the line by which init says "up"."""
    kernel = "[    1.926932] tsc: Refined TSC clocksource calibration: 2096.021 MHz\n"
    line = "mint: node 2 up: cpus 1, mem 357 MiB, boot_id 03e5-1f02, uptime 1.86 s\n"
    for place in range(len(line)):
        text = "node 0# " + line[:place] + kernel * 2 + line[place:]
        match = UP.search(text)
        expect(match, "not found: %s", text)
        up = Up(match)
        expect((up.node, up.cpus, up.mem, up.boot_id, up.uptime) ==
               ("2", 1, 357, "03e5-1f02", "1.86"), "misread: %s", text)
    expect(not UP.search(line[:-1]), "a line that is not whole counts")


# ---- measurements -------------------------------------------------------------

# A launch of 91 ms beside a kexec reboot of ten times as much, at 1 MHz.
BOOTS = """repeat,variant,count,index,what,value,unit
1,successor,1,0,begin,1000,ticks
1,successor,1,0,execute,2000,ticks
1,successor,1,0,kernel_init,93000,ticks
1,kexec_reboot,1,0,execute,1000,ticks
1,kexec_reboot,1,0,kernel_init,911000,ticks
"""
RUN = ("measured: 2026-01-0%d 00:00 UTC\nproject: %s\nhost: A processor, 2 cores, Linux 6.1, "
       "load 0.%d\nQEMU: 7.2\ncompiler: gcc\nkernel: 6.12\nTSC: 1000 kHz\n")


def run_of(directory, commits):
    """A run of scripts/bench: one benchmark for each commit."""
    for at, commit in enumerate(commits):
        name = os.path.join(directory, ("boot", "load", "ends")[at])
        mintlib.write(name + ".csv", BOOTS if not at else BOOTS.splitlines()[0] + "\n")
        mintlib.write(name + ".config", RUN % (at + 1, commit, at))


def numbers_are_of_one_run():
    """docs/benchmarks.md has numbers of one run at one commit, and is up to date"""
    doc = load("bench-doc")
    with open(doc.PAGE, encoding="utf-8") as file:
        page = file.read()
    expect(doc.filled(page) == page, "run scripts/bench-doc")
    with tempfile.TemporaryDirectory() as top:
        source, kept = [os.path.join(top, name) for name in ("run", "kept")]
        os.mkdir(source)
        run_of(source, ["abcdef1", "abcdef1"])
        doc.take(source, kept)
        text = doc.filled(page, kept)
        for wanted in ("| project | abcdef1 |", "| last | 2026-01-02 00:00 UTC |",
                       "| launch_over_kexec_reboot | 0.100 | ratio | <= 0.157 |",
                       "| successor | 0.309 s | 0.091 s |"):
            expect(wanted in text, "no '%s' in: %s", wanted, text[:4000])
        expect("| launch_over_cold_boot" not in text, "what was not measured is shown")
        expect(doc.filled(text, kept) == text, "it is not made twice alike")
        for commits in (["abcdef1", "abcdef2"], ["abcdef1-dirty"]):
            run_of(source, commits + ["abcdef1"] * (2 - len(commits)))
            try:
                doc.take(source, kept)
            except doc.Refused:
                continue
            expect(False, "a run of %s is taken", commits)


def quick_form_ends():
    """make bench-quick has benchmarks that exist, ends in time and says what is left"""
    bench = load("bench")
    unknown = set(bench.QUICK) - set(bench.BENCHMARKS)
    expect(not unknown, "unknown: %s", unknown)
    bench.BEGAN, bench.QUICK_MINUTES = time.monotonic(), 10
    options = types.SimpleNamespace(quick=True, repeats=0, counts="1", modes="serial")
    armed = []

    def first(results):
        """a number"""
        results.add(1, "a", "b", results.repeats(10))

    def second(_results):
        """no end: here the time is over"""
        armed.append(signal.setitimer(signal.ITIMER_REAL, 0.01)[0])
        threading.Event().wait(60)

    with tempfile.TemporaryDirectory() as bench.OUT:
        with contextlib.redirect_stdout(io.StringIO()):
            failed = bench.measure([("load", first, "tcg"), ("boot", second, "tcg"),
                                    ("many", first, "tcg")], options)
        expect(failed == ["not measured in time: boot, many"], "%s", failed)
        expect(0 < armed[0] <= 600, "10 minutes were set as %s s", armed)
        with open(os.path.join(bench.OUT, "load.csv"), encoding="ascii") as file:
            expect("1,a,1,0,b,%d,ticks" % bench.QUICK["load"] in file.read(), "no number")
        expect(not os.path.exists(os.path.join(bench.OUT, "boot.csv")), "half a benchmark")


def symbols_are_chosen():
    """kernel-config/ and selftests/config say of each symbol of Kconfig.mint what it is to be"""
    folder = os.path.join(mintlib.TOP, "kernel-config")
    asked = kbuild.wanted([os.path.join(folder, name + ".config")
                           for name in ("mint", "test")])
    with open(os.path.join(mintlib.TOP, "Kconfig.mint"), encoding="ascii") as file:
        symbols = re.findall(r"^config (\w+)$", file.read(), re.M)
    expect(symbols, "no symbol at all")
    left = [name for name in symbols if "CONFIG_" + name not in asked]
    expect(not left, "nothing is said of %s", ", ".join(left))
    # The suites of KUnit are no programs.
    wanted = kbuild.wanted([os.path.join(mintlib.TOP, "selftests", "config")])
    left = [name for name in symbols
            if "CONFIG_" + name not in wanted and name != "MINT_KUNIT_TEST"]
    expect(not left, "selftests/config: nothing is said of %s", ", ".join(left))


def numbers_name_no_tree():
    """Of where the tree lay that was measured, docs/bench says nothing"""
    kept = os.path.join(mintlib.TOP, "docs", "bench")
    for name in sorted(os.listdir(kept)):
        with open(os.path.join(kept, name), encoding="utf-8") as file:
            found = re.findall(r"\bpath=/\S*", file.read().replace("path=$TMP", ""))
        expect(not found, "%s: %s", name, found[:1])


def metrics_have_questions():
    """Each metric answers one question of the report"""
    for name, *_ in report.METRICS:
        found = [q.name for q in report.QUESTIONS if q.metrics.match(name)]
        expect(len(found) == 1, "%s: %s", name, found)


def page_is_whole():
    """The page of the report is filled from its templates, pictures first"""
    with tempfile.TemporaryDirectory() as top:
        run_of(top, ["abcdef1"])
        mintlib.write(os.path.join(top, "services.svg"), "<svg id='a'></svg>")
        plots = report.Plots(top)
        os.rename(os.path.join(top, "services.svg"),
                  os.path.join(plots.out, "services.svg"))
        plots.made.append(("services", ""))
        data = report.Data(top)
        text = report.page(data, report.summary(data), plots)
    expect(text.count("<h2>") == 2, "questions that nobody asked: %s", text)
    expect(0 < text.find("<svg id='services-a'>") < text.find("launch_over_kexec_reboot"),
           "no picture first: %s", text)
    expect("&lt;= 0.157" in text and "<td class=\"n\">0.100</td>" in text, "%s", text)


# ---- speeds of cores ----------------------------------------------------------

MOUNTS = """24 30 0:22 / /proc rw,nosuid - proc proc rw
33 32 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
35 32 0:30 %s /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct
36 32 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
"""
GROUPS = "5:cpuset:/\n4:cpu,cpuacct:%s\n0::/user.slice/session-1.scope\n"


def controller_is_found():
    """Cgroups with the controller cpu are found, of version 1 and of version 2"""
    for root, own, base in (("/", "/", ""), ("/", "/a/b", "/a/b"), ("/a", "/a/b", "/b"),
                            ("/c", "/", "")):
        found = vcpu_caps.find(MOUNTS % root, GROUPS % own)
        expect((found.version, found.base) == (1, "/sys/fs/cgroup/cpu,cpuacct" + base),
               "%s in %s: %s", own, root, vars(found))
    with tempfile.TemporaryDirectory() as top:
        mounts = "33 32 0:28 / %s rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n" % top
        for controllers, version in (("cpuset io", None), ("cpuset cpu io", 2)):
            mintlib.write(os.path.join(top, "cgroup.controllers"), controllers + "\n")
            found = vcpu_caps.find(mounts, "0::/init.scope\n")
            expect((found and found.version) == version, "%s: %s", controllers, found)
    expect(vcpu_caps.find("", "") is None, "cgroups that are not there")


class Cgroups(vcpu_caps.Hierarchy):
    """A directory, in which a group has files as a kernel makes them."""

    FILES = {1: ("cgroup.procs", "tasks", "cpu.shares", "cpu.cfs_period_us",
                 "cpu.cfs_quota_us"),
             2: ("cgroup.procs", "cgroup.threads", "cgroup.type", "cpu.weight", "cpu.max",
                 "cgroup.subtree_control", "cgroup.events")}

    def __init__(self, version, base):
        super().__init__(version, base)
        self.written = []
        self.busy = []
        self.fill(base)

    def fill(self, group):
        """The files of a new group."""
        for name in self.FILES[self.version]:
            mintlib.write(os.path.join(group, name), "")

    def make(self, group):
        super().make(group)
        self.fill(group)

    def remove(self, group):
        if group in self.busy:
            self.busy.remove(group)
            mintlib.write(os.path.join(group, "cgroup.events"), "populated 1\nfrozen 0\n")
            raise OSError(errno.EBUSY, "busy", group)
        shutil.rmtree(group)

    def write(self, group, name, value):
        super().write(group, name, value)
        self.written.append((os.path.basename(group), name, str(value)))
        if value == "fail":
            raise OSError(errno.EINVAL, "refused", name)

    def groups(self):
        """The groups that are there, by their last names."""
        return sorted(os.path.basename(path) for path, *_ in os.walk(self.base))[1:]


def cores_are_limited():
    """Each vCPU thread has a quota, other threads have none; no cgroup is left over"""
    pid, thread = os.getpid(), threading.get_native_id()
    for version, tasks, limits in (
            (1, "tasks", {("cpu.cfs_period_us", "10000"), ("cpu.cfs_quota_us", "4000")}),
            (2, "cgroup.threads", {("cpu.max", "4000 10000")})):
        with tempfile.TemporaryDirectory(prefix="a") as top:
            fake = Cgroups(version, top)
            with vcpu_caps.Caps(pid, [thread], 0.4, fake):
                expect(fake.groups() == ["mint-bench-%d" % pid, "rest", "vcpu0"], "%s",
                       fake.groups())
            expect(not fake.groups(), "left: %s", fake.groups())
            got = {line for line in fake.written if line[0] in ("rest", "vcpu0")
                   and line[1].startswith("cpu.")}
            expect(got == {("vcpu0",) + limit for limit in limits}, "limits: %s", got)
            order = [fake.written.index(line) for line in (
                ("mint-bench-%d" % pid, "cgroup.procs", str(pid)),
                ("rest", tasks, str(thread)), ("vcpu0", tasks, str(thread)))]
            expect(order == sorted(order), "%s", fake.written)
            expect(version == 1 or fake.written[-1][1:] == ("cgroup.subtree_control", "-cpu"),
                   "the controller stays on: %s", fake.written)
            try:
                with vcpu_caps.Caps(pid, ["fail"], 0.4, fake):
                    expect(False, "a refusal goes unnoticed")
            except machine.MachineError:
                pass
            expect(not fake.groups(), "left after a refusal: %s", fake.groups())
            # A thread that is about to leave
            with vcpu_caps.Caps(pid, [thread], 0.4, fake) as caps:
                fake.busy = list(caps.groups)
            expect(not fake.groups() and not fake.busy, "left: %s", fake.groups())


SAMPLES = """at 1000|node 0: 0,3|node 1: 1-2|bsp: 0|load 0 beats=5 runnable_sum=9 busy_ms=1 \
cpus=2|load 1 beats=7 runnable_sum=2 busy_ms=1 cpus=2
/bench/work: line 1: no such file
at 1101|node 0: 0,2-3|in flight: 4|node 1: 1|bsp: 0|load 0 beats=15 runnable_sum=49 busy_ms=1 \
cpus=3|load 1 beats=17 runnable_sum=2 busy_ms=1 cpus=1
"""


def broker_is_judged():
    """What nodes tell of their cores, load and times becomes ratios with goals"""
    made = bench_broker.samples(SAMPLES, [0, 1])
    expect(made == [(10.0, {0: 2, 1: 2}, {0: (5, 9), 1: (7, 2)}),
                    (11.01, {0: 3, 1: 1}, {0: (15, 49), 1: (17, 2)})], "%s", made)
    text = "bench: phase 150\nbench: move 2\nbench: phase 1275\nbench: makespan 1425\n"
    expect([bench_broker.found(text, what) for what in ("phase", "move", "makespan")] ==
           [[1.5, 12.75], [2], [14.25]], "%s", text)
    rows = ["repeat,variant,count,index,what,value,unit"]
    rows += ["1,%s,1,0,%s,%s,x" % row for row in (
        ("static", "makespan", 100), ("broker", "makespan", 72), ("oracle", "makespan", 60),
        ("idle", "moves", 0), ("static", "burst", 4), ("static", "burst", 6),
        ("broker", "burst", 3), ("broker", "burst", 9))]
    with tempfile.TemporaryDirectory() as top:
        mintlib.write(os.path.join(top, "broker.csv"), "\n".join(rows) + "\n")
        data = report.Data(top)
        found = {row[0]: (row[1], report.meets(row[1], row[3]))
                 for row in report.summary(data)}
        tables = report.broker_tables(data.broker, "two")
    expect(found == {"broker_makespan_over_static": ("0.720", "yes"),
                     "broker_makespan_over_oracle": ("1.200", "no"),
                     "broker_idle_moves": ("0", "yes"),
                     "broker_longest_burst_over_static": ("1.500", ""),
                     "broker_median_burst_over_static": ("1.200", "")}, "%s", found)
    expect(tables[0].rows[1] == ["mintd", "72.0 s", "0.720", "", ""], "%s", tables[0].rows)


def phases_go_round():
    """Each node has its turn; the oracle gives who has it all cores that may move, and no other"""
    with open(os.path.join(SCRIPTS, "bench_work.sh"), encoding="utf-8") as file:
        script = file.read()
    for count in (2, 3, 4):
        nodes = [str(number) for number in range(count)]
        movable = [str(10 + number) for number in range(count)]
        with tempfile.TemporaryDirectory() as top:
            work, asked = [os.path.join(top, name) for name in ("work", "asked")]
            mintlib.write(work, script.replace(">/sys/kernel/mint/move", ">>" + asked))
            said = subprocess.run(
                ["sh", "-c", ". %s; for phase in $(seq 0 %d); do turn $phase; echo $node; "
                 "oracle $phase $node; done" % (work, 2 * count), "sh", ":"],
                check=False, capture_output=True, text=True, timeout=60,
                env=dict(os.environ, OTHERS=" ".join(nodes[1:]), MOVABLE=" ".join(movable)))
            with open(asked, encoding="ascii") as file:
                moves = file.read().splitlines()
        turns = (nodes * 3)[:2 * count + 1]
        # In the first phase who has it has its own already
        wanted = [(core, node) for phase, node in enumerate(turns)
                  for core in movable[not phase:]]
        expect(moves == ["core %s %s" % move for move in wanted], "%d nodes: %s", count, moves)
        lines = []
        for phase, node in enumerate(turns):
            lines += [node] + ["bench: move " + core for core in movable[not phase:]]
        expect(said.stdout.splitlines() == lines and not said.stderr, "%d nodes: %s", count, said)


TESTS = (up_is_read_through_kernel_lines, advice_is_no_complaint, complaints_are_found, skips_are_expected_or_failures,
         results_are_written, cut_short_is_failure, late_is_failure, interrupted_run_tells,
         builds_have_company, apt_sources,
         numbers_are_of_one_run, quick_form_ends,
         symbols_are_chosen, numbers_name_no_tree, metrics_have_questions, page_is_whole,
         controller_is_found, cores_are_limited, broker_is_judged, phases_go_round)


def main():
    """Run all."""
    os.makedirs(mintlib.BUILD, exist_ok=True)
    return run_all(TESTS)


if __name__ == "__main__":
    sys.exit(main())
