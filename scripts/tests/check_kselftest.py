#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The selftests as kernel developers install and run them; prints KTAP.

    make -C tools/testing/selftests TARGETS=mint INSTALL_PATH=.. install
    ../run_kselftest.sh -c mint

The first is done on this host, the second in an emulated machine: kselftest's own
runner, in the directory that was installed, with no variable of these tests set but
the factor for limits. `make check` has it run some programs, since each runs on
other machines in full; what is tested here is how they get on with the runner.
"""

import os
import re
import shlex
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SCRIPTS)

import cpio  # noqa: E402
import machine as qemu  # noqa: E402
from machine import Machine, MachineError, in_share  # noqa: E402
from nodes import Nodes  # noqa: E402
from verdict import Ktap, KtapReader  # noqa: E402

SELFTESTS = os.path.join(qemu.BUILD, "linux", "tools", "testing", "selftests")
WORK = os.path.join(qemu.BUILD, "kselftest")
INSTALLED = os.path.join(WORK, "install")
FOREIGN_INITRD = os.path.join(WORK, "initrd.cpio.lzo")

# Seconds for one call of the runner.
LIMIT = 300

# Harmless programs, and what to run of them: the runner hands arguments on so.
SOME = {"sysfs.sh": "version read_only", "params.sh": "bad_maxcpus",
        "launch.sh": "two_cores"}
# The destructive one that is the last.
LAST = "lockdown.sh"

# lib.mk copies by rsync, which is on few machines; it follows symbolic links.
COPY = ("INSTALL_SINGLE_RULE=$(if $(INSTALL_LIST),@mkdir -p $(INSTALL_PATH) && "
        "cp -pL $(INSTALL_LIST) $(INSTALL_PATH))")

# The runner calls timeout as that of coreutils, and writes to what udev links.
PREPARE = """
ln -s /proc/self/fd/1 /dev/stdout &&
rm /usr/bin/timeout && cat >/usr/bin/timeout <<'END' && chmod +x /usr/bin/timeout
#!/bin/sh
[ "$1" != --foreground ] || shift
exec busybox timeout "$@"
END
"""

# As lib.mk's run_tests, which has no list of what is not in the collection.
RUN_MANY = """
BASE_DIR=%s && cd $BASE_DIR/mint && . $BASE_DIR/kselftest/runner.sh && run_many %s
"""

# An init of nobody's: it knows neither Mint nor how to end.
INIT = b"#!/bin/busybox sh\nexec /bin/busybox sleep 1000000\n"


def install():
    """Install them: what went wrong, or None."""
    done = subprocess.run(
        ["make", "-s", "-C", SELFTESTS, "TARGETS=mint", "INSTALL_PATH=" + INSTALLED,
         "O=" + os.path.join(WORK, "obj"), COPY, "install"], check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    return done.stdout if done.returncode else None


def listed():
    """(Programs of the collection, installed programs that are not in it)."""
    with open(os.path.join(INSTALLED, "kselftest-list.txt"), encoding="ascii") as file:
        there = [line.strip().split(":")[1] for line in file]
    with open(os.path.join(SELFTESTS, "mint", "Makefile"), encoding="ascii") as file:
        words = re.search(r"^DESTRUCTIVE := (.*)$", file.read(), re.M).group(1)
    return there, words.split()


class Reader:
    """Results of runner.sh: those of a program are comments before its own."""

    def __init__(self, ktap, title):
        self.ktap = ktap
        self.title = title
        self.found = {}         # name of a program: number of its results
        self.program = None
        self.inner = None

    def result(self, good, name, notes, skip):
        """A result within a program."""
        self.found[self.program] += 1
        self.ktap.result(good, "%s%s %s" % (self.title, self.program, name),
                         "" if good else "\n".join(notes[-20:]), skip)

    def line(self, text):
        """The next line of what the runner prints."""
        head = re.match(r"# selftests: mint: (\S+)$", text)
        whole = re.match(r"(ok|not ok) \d+ selftests: mint: (\S+)", text)
        if head:
            self.program = head.group(1)
            self.found[self.program] = 0
            self.inner = KtapReader(self.result)
        elif whole and self.inner:
            # Of what it skipped, the program itself has said it.
            self.ktap.result(
                whole.group(1) == "ok" and self.inner.planned == self.inner.results,
                "%s%s ends well" % (self.title, whole.group(2)),
                "" if whole.group(1) == "ok" else "\n".join(
                    self.inner.notes[-20:] + [text]))
            self.inner = None
        elif self.inner and text.startswith("# "):
            self.inner.line(text[2:])


def run(m, ktap, title, programs, script):
    """Run a script, and tell the results of these programs as they come."""
    reader = Reader(ktap, title)
    at = m.mark("ctl")
    done = {}

    def work():
        try:
            # The runner opens its output anew, which a virtio port does not allow.
            done["status"], done["text"] = m.run("{ %s\n} 2>&1 | cat" % script, LIMIT)
        except MachineError as error:
            done["error"] = str(error)

    thread = threading.Thread(target=work)
    thread.start()
    alive = True
    while alive:
        thread.join(1)
        alive = thread.is_alive()
        text = m.ports["ctl"].text
        end = max(at, text.rfind("\n") + 1)
        for line in text[at:end].splitlines():
            reader.line(line)
        at = end
    good = done.get("status") == 0 and set(reader.found) == set(programs)
    ktap.result(good, title + "the runner runs what it is asked for", "" if good else
                "%s\n%s" % (done.get("error", "status %s" % done.get("status")),
                            done.get("text", "")[-2000:]))


def words(**variables):
    """Assignments before a command."""
    return "".join("%s=%s " % (name, shlex.quote(str(value)))
                   for name, value in sorted(variables.items()))


def jobs(m, ktap):
    """What is run in the machine."""
    there, apart = listed()
    ktap.result(set(SOME) <= set(there) and LAST in apart
                and not set(there) & set(apart),
                "the collection has harmless programs alone",
                "%s; apart: %s" % (there, apart))
    installed = in_share(INSTALLED, m.share)
    runner = os.path.join(installed, "run_kselftest.sh")
    fixed = {"MINT_SLOW": max(1, round(qemu.SLOW))}
    some = {"KSELFTEST_%s_ARGS" % name.upper().replace(".", "_"): args
            for name, args in SOME.items()}
    run(m, ktap, "", SOME, words(**fixed, **some) + runner + "".join(
        " -t mint:" + name for name in SOME))
    foreign = in_share(FOREIGN_INITRD, m.share)
    run(m, ktap, "any initrd: ", ["launch.sh"], words(
        MINT_INITRD=foreign, MINT_INIT="none", KSELFTEST_LAUNCH_SH_ARGS="one_core",
        **fixed) + runner + " -t mint:launch.sh")
    run(m, ktap, "destructive: ", [LAST], "export %s;" % words(**fixed)
        + RUN_MANY % (installed, "./" + LAST))


def main():
    """Install them, and run some."""
    ktap = Ktap(None)
    error = install()
    ktap.result(not error, "make install", error or "")
    if not error:
        cpio.append(qemu.default_initrd(), FOREIGN_INITRD, {"init": INIT})
        try:
            with Machine("check-kselftest",
                         "mint.mem=384M@0 maxcpus=1 mint.devices=-com2,-com3,-com4",
                         smp="4", memory="2G", limit=600 + 3 * LIMIT) as m:
                Nodes(m).active()
                m.sh(PREPARE)
                jobs(m, ktap)
                faults = m.faults
            ktap.result(not faults, "no kernel complains", "\n".join(
                "%s: %s" % fault for fault in faults))
        except MachineError as error:
            ktap.result(False, "the machine works", error)
    ktap.end()
    return 1 if ktap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
