# SPDX-License-Identifier: GPL-2.0
"""Runs tests on machines: what a machine is, what runs on it, and the verdict.

scripts/check chooses what runs; tests/table.py has the machines.
"""

import os
import re
import shlex
import signal
import subprocess
import threading
import time

import machine as qemu
from helpers import BIN, SELFTESTS
from hosttest import Bench
from machine import Machine, MachineError, in_share
from nodes import UP, Refused, Up
from programs import initrd_with
from verdict import SUMMARY, Failed, KtapReader, Skipped, is_expected


class Spec:
    """A row of the table: a machine and what runs on it.

    jobs are names of selftests with the tests to run of them, or functions
    of this file. append is node 0's command line, successor is added to that
    of every successor, size is their memory in MiB, allow is an expression
    for complaints that belong to the tests, limit is how long a selftest may
    take, in seconds.
    """

    def __init__(self, name, jobs, smp="4", memory="2G", append="",
                 successor="", size=192, devices=(), extra=(), allow=None,
                 env="", limit=900, board="q35", console="com1", up=120,
                 kept=None, kernel=None, cpu=None, x2apic=False, programs=()):
        self.name = name
        self.jobs = jobs
        self.smp = smp
        self.memory = memory
        self.append = append
        self.successor = successor
        self.size = size
        self.devices = list(devices)
        self.extra = list(extra)
        self.allow = re.compile(allow) if allow else None
        self.env = env
        self.limit = limit
        self.board = board
        self.console = console      # of node 0
        self.up = up                # seconds until init is there
        self.kept = kept            # as Machine has it
        self.kernel = kernel        # directory of <build>/out, for another one
        self.cpu = cpu              # as Machine has it
        self.x2apic = x2apic        # the same
        self.programs = programs    # of the host, for all nodes: as initrd_with() has it


class Watched:
    """A selftest with tests of the host before and after it.

    before(bench) returns what after(bench, it) wants to know, and variables
    for the selftest.
    """

    def __init__(self, selftest, before, after):
        self.name = selftest
        self.before = before
        self.after = after


class Program:
    """A job that needs no machine of ours: a program of the host.

    boots says that it starts machines itself.
    """

    def __init__(self, name, command, limit, boots=False):
        self.name = name
        self.command = command
        self.limit = limit
        self.boots = boots


class Verdict:
    """Counts and prints results; several threads use it."""

    # Seconds without a line, after which one says what runs.
    SILENCE = 20

    def __init__(self, skips=()):
        self.passed = self.failed = self.skipped = 0
        self.skips = skips
        self.lock = threading.Lock()
        self.began = self.printed = time.monotonic()
        self.runners = []       # those at work
        self.undone = []        # names of what was chosen and is not done
        self.times = {}         # name of a machine or stage: seconds
        self.results = []       # (name, good, notes, skip) of each

    def put(self, text):
        """Print, under the lock."""
        print(text, flush=True)
        self.printed = time.monotonic()

    def result(self, good, name, notes=(), skip=None):
        """One line, and notes where something is wrong."""
        if skip is not None and not is_expected(self.skips, name, skip):
            good, notes = False, ["skipped: %s; scripts/skips does not list it"
                                  % skip]
            skip = None
        with self.lock:
            self.results.append((name, good, list(notes), skip))
            if skip is not None:
                self.skipped += 1
                self.put("ok - %s # SKIP %s" % (name, skip))
                return
            if good:
                self.passed += 1
            else:
                self.failed += 1
            self.put("\n".join(["%s - %s" % ("ok" if good else "not ok", name)]
                               + ["#   %s" % note for note in notes
                                  if not good]))

    def note(self, text):
        """A line for people."""
        with self.lock:
            self.put("# %s" % text)

    def tick(self):
        """Say what runs, if nothing was said for a while; in a thread."""
        while True:
            # Half a second more or less is nothing to a reader.
            time.sleep(0.5)
            if time.monotonic() - self.printed > self.SILENCE:
                self.note("%s, running: %s" % (
                    clock(time.monotonic() - self.began),
                    "; ".join(runner.doing() for runner in
                              list(self.runners)) or "preparation"))

    def summary(self):
        """The last line."""
        return SUMMARY % (self.passed, self.failed, self.skipped)


def clock(seconds):
    """Minutes and seconds."""
    return "%d:%02d" % divmod(int(seconds), 60)


def job_name(job):
    """How a job is called."""
    if isinstance(job, str):
        return job
    return job.name if isinstance(job, (Program, Watched)) else job.__name__


class Runner:
    """One machine with the jobs that were selected for it."""

    def __init__(self, spec, jobs, verdict, options):
        self.spec = spec
        self.jobs = jobs
        self.verdict = verdict
        self.options = options
        self.machine = None
        self.up = None
        self.job = "boot"
        self.count = lambda: ""     # how far the job is, for people

    def doing(self):
        """What runs here now, and how far it is."""
        return "%s: %s%s" % (self.spec.name, self.job, self.count())

    def boot(self):
        """A fresh machine, up to its init."""
        spec = self.spec
        kernel = self.options.kernel
        if spec.kernel:
            kernel = os.path.join(qemu.OUT, spec.kernel, "bzImage")
        self.machine = Machine(
            "check-" + spec.name, spec.append, spec.smp, spec.memory,
            kernel=kernel, devices=spec.devices, extra=spec.extra,
            initrd=initrd_with(spec.name, *spec.programs) if spec.programs else None,
            limit=600 + spec.limit, board=spec.board,
            console=spec.console == "com1", kept=spec.kept, cpu=spec.cpu,
            x2apic=spec.x2apic)
        self.machine.start()
        self.up = Up(self.machine.wait_for(UP, spec.console, spec.up))

    def shut(self):
        """End the machine; complaints of its kernels fail it."""
        machine, self.machine = self.machine, None
        if machine is None:
            return
        machine.close()
        bad = ["%s: %s" % fault for fault in machine.faults
               if not (self.spec.allow and self.spec.allow.search(fault[1]))]
        self.verdict.result(not bad, "%s: no kernel complains" %
                            self.spec.name,
                            bad[:10] + ["see %s" % machine.logs])

    def run(self):
        """All jobs; a job that ends the machine is followed by a new one."""
        began = time.monotonic()
        self.verdict.runners.append(self)
        try:
            for job in self.jobs:
                self.one(job)
                self.verdict.undone.remove((self.spec.name, job_name(job)))
            self.shut()
        finally:
            if self.machine:
                self.machine.close()
            self.verdict.runners.remove(self)
            self.verdict.times[self.spec.name] = time.monotonic() - began

    def one(self, job):
        """One job, in the machine as it is or in a new one."""
        self.job, self.count = job_name(job), lambda: ""
        name = "%s: %s" % (self.spec.name, self.job)
        began = time.monotonic()
        if isinstance(job, Program):
            self.program(job)
        else:
            try:
                if self.machine is None:
                    self.boot()
            except MachineError as error:
                self.verdict.result(False, name, ["no machine: %s" % error])
                self.shut()
                return
            began = time.monotonic()
            if isinstance(job, str):
                self.selftest(job)
            elif isinstance(job, Watched):
                self.watched(job)
            else:
                self.host_test(job)
        self.verdict.note("%s: %.0f s" % (name, time.monotonic() - began))
        if self.machine and self.machine.ended:
            self.shut()

    def watched(self, job):
        """A selftest between two halves of a test of the host."""
        def both(bench):
            seen, variables = job.before(bench)
            self.selftest(job.name, variables)
            self.machine.alive()
            # The selftest has judged its own nodes.
            mine = ["node %d" % node for node in bench.launched]
            self.machine.unheard = [said for said in bench.nodes.unheard()
                                    if said[0] in mine]
            job.after(bench, seen)

        both.__name__ = job.name + " from outside"
        self.host_test(both)

    def host_test(self, job):
        """A function of this file, or of one that it imports."""
        name = "%s: %s" % (self.spec.name, job.__name__)
        bench = Bench(self.spec, self.machine, self.options.initrd,
                      self.up)
        try:
            bench.nodes.unheard()
            seen = len(self.machine.faults)
            job(bench)
            bench.stop_all()
            self.machine.alive()
            bench.judge(job, seen)
            self.verdict.result(True, name)
        except Skipped as reason:
            self.verdict.result(True, name, skip=str(reason))
        except (Failed, Refused, MachineError, LookupError,
                ValueError) as error:
            self.verdict.result(False, name, [
                "%s: %s" % (type(error).__name__, error),
                "see %s" % self.machine.logs])
            self.tidy(bench)

    def tidy(self, bench):
        """After a failure: end what is left, or give the machine up."""
        if self.machine.ended:
            return
        try:
            bench.stop_all()
            left = [n for n in bench.nodes.status() if n]
            if not left:
                return
        except MachineError:
            pass
        self.machine.close()
        self.machine.ended = self.machine.ended or "was given up"

    def reader(self, title):
        """What takes the KTAP of a program of that title apart."""
        def result(good, name, notes, skip):
            # A list of tests for several programs fits some of them.
            if skip and self.options.tests and skip.startswith("no test "):
                self.verdict.note("%s: %s" % (title, skip))
            else:
                self.verdict.result(good, ("%s %s" % (title, name)).rstrip(),
                                    notes, skip)

        return KtapReader(result)

    def program(self, job):
        """A program of the host that prints KTAP, as it comes."""
        title = "%s: %s" % (self.spec.name, job.name)
        reader = self.reader(title)
        self.count = lambda: " %d of %s" % (reader.results, reader.planned)
        limit = job.limit * qemu.SLOW
        late = threading.Event()
        try:
            child = subprocess.Popen(
                job.command, stdin=subprocess.DEVNULL, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                errors="replace", start_new_session=True)
        except OSError as error:
            self.verdict.result(False, title, [str(error)])
            return

        def end():
            late.set()
            end_group(child.pid)

        CHILDREN.add(child.pid)
        timer = threading.Timer(limit, end)
        timer.start()
        try:
            for line in child.stdout:
                line = line.rstrip("\n")
                if not reader.line(line) and line.startswith("  "):
                    self.verdict.note("%s: %s" % (title, line.strip()))
            status = child.wait()
        finally:
            timer.cancel()
            CHILDREN.discard(child.pid)
        wrong = reader.wrong(status)
        if late.is_set():
            wrong = "not done in %d s: %s" % (limit, wrong)
        if wrong:
            self.verdict.result(False, title, reader.notes[-5:] + [wrong])

    def selftest(self, job, variables=""):
        """A program of selftests/, its KTAP taken apart."""
        machine = self.machine
        words = job.split() + self.options.tests
        title = "%s: %s" % (self.spec.name, words[0])
        share = machine.share
        if self.options.tests:
            variables += " MINT_SOME=1"
        script = (
            "cd %s && %s MINT_BIN=%s MINT_KERNEL=%s MINT_INITRD=%s MINT_INIT=%s "
            "MINT_VMLINUX=%s MINT_SIZE=%d MINT_SLOW=%d MINT_APPEND=%s sh %s"
            % (shlex.quote(in_share(SELFTESTS, share)),
               "%s %s" % (self.spec.env, variables),
               shlex.quote(in_share(BIN, share)),
               shlex.quote(in_share(machine.kernel, share)),
               *[shlex.quote(in_share(machine.initrd, share))] * 2,
               shlex.quote(in_share(os.path.join(os.path.dirname(
                   machine.kernel), "vmlinux"), share)),
               self.spec.size, max(1, round(qemu.SLOW)),
               shlex.quote(self.spec.successor),
               " ".join(shlex.quote(w) for w in ["./" + words[0]]
                        + words[1:])))
        begin = machine.mark("ctl")
        self.count = lambda: " %d done" % len(re.findall(
            r"^(?:not )?ok \d", machine.ports["ctl"].text[begin:], re.M))
        lost = None
        try:
            status, text = machine.run(script, self.spec.limit)
        except MachineError as error:
            lost = str(error)
            status, text = 1, machine.ports["ctl"].text[begin:]
        with open(os.path.join(machine.logs, words[0] + ".ktap"), "w",
                  encoding="utf-8") as log:
            log.write(text)
        reader = self.reader(title)
        for line in text.splitlines():
            reader.line(line)
        wrong = lost or reader.wrong(status)
        if wrong:
            self.verdict.result(False, title, reader.notes[-5:] + [
                "%s; see %s" % (wrong, machine.logs)])
        if lost and not machine.ended:
            # Whatever still runs in there would disturb the next job.
            machine.close()
            machine.ended = "was given up"


# Process groups of the programs that run.
CHILDREN = set()


def end_group(pid):
    """End a program and what it started."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except OSError:
        pass
