# SPDX-License-Identifier: GPL-2.0
"""What a test of the host works with: the machine and its nodes.

A test is a function of tests/ that takes a Bench.
"""

import os
import re

from machine import in_share
from nodes import SYSFS, UP, Nodes
from verdict import Skipped, expect


class Bench:
    """What a test of the host works with."""

    def __init__(self, spec, machine, initrd, up):
        self.spec = spec
        self.m = machine
        self.up = up            # what init of node 0 said of itself
        self.nodes = Nodes(machine)
        self.nodes.initrd = in_share(initrd, machine.share)
        self.launched = []

    def launch(self, cores, append="", **kw):
        """Launch with the machine's own parameters for successors."""
        kw.setdefault("mib", self.spec.size)
        # The number may have been another node's, whose log goes then.
        self.nodes.listen()
        node = self.nodes.launch(cores, append="%s %s" % (
            append, self.spec.successor), **kw)
        self.launched.append(node)
        return node

    def launch_on(self, port, cores, **kw):
        """Launch with a console; return (number, what init said)."""
        tty = "ttyS%d" % (int(port[3]) - 1)
        begin = self.m.mark(port)
        devices = ",".join(d for d in (port, kw.pop("devices", "")) if d)
        node = self.launch(cores, "console=%s %s" % (
            tty, kw.pop("append", "")), devices=devices, **kw)
        up = self.nodes.wait_up(port, 60, begin)
        expect(up.node == str(node), "%s: init says node %s, kexec node %d",
               port, up.node, node)
        return node, up

    def stop_all(self):
        """End whatever the test launched."""
        if not self.launched:
            return
        status = self.nodes.status()
        for node in self.launched:
            if status.get(node, ("gone",))[0] == "running":
                self.nodes.stop(node)
        self.launched = []

    def counts(self, port=None):
        """{row: sum over the cores} of /proc/interrupts, in any node."""
        found = {}
        for line in self.m.read("/proc/interrupts", port).splitlines():
            words = line.split()
            if words and words[0].endswith(":"):
                found[words[0][:-1]] = sum(
                    int(w) for w in words[1:] if w.isdigit())
        return found

    def state(self):
        """Who owns what."""
        return self.m.sh("cd %s && cat cores memory devices pins && "
                         "cat /proc/iomem /sys/devices/system/cpu/online"
                         % SYSFS)

    def node0_lives(self):
        """Whether node 0 can be asked: its console shows no panic of its own.

        After a panic only a later "up" says that there is a kernel again.
        """
        text = self.m.ports[self.spec.console].text
        return not self.m.ended and text.rfind("Kernel panic - not") <= max(
            (match.start() for match in UP.finditer(text)), default=-1)

    def judge(self, job, seen):
        """Fail if any kernel said what the test did not expect.

        Consoles are read as they come, from the fault number `seen` on; every
        successor's log is read by node 0, if that is still alive.
        """
        allow = [re.compile(p) for p in (getattr(job, "expects", None),
                                         self.spec.allow) if p]
        said = self.m.faults[seen:]
        del self.m.faults[seen:]
        if self.node0_lives():
            said = said + self.nodes.unheard()
        bad = ["%s: %s" % line for line in said
               if not any(p.search(line[1]) for p in allow)]
        expect(not bad, "a kernel complains: %s", "; ".join(bad[:10]))

    def trace(self, *events):
        """Watch what is done to devices: a context of Trace."""
        return Trace(self.m, events)


class Trace:
    """QEMU's own trace of accesses to devices, as a context.

    Afterwards, lines has one entry for each access.
    """

    def __init__(self, machine, events):
        self.machine = machine
        self.events = events
        self.path = os.path.join(machine.logs, "resets.log")
        self.lines = []

    def __enter__(self):
        if os.environ.get("ACCEL", "tcg") != "tcg":
            raise Skipped("only TCG sees every access")
        for event in self.events:
            self.machine.hmp("trace-event %s on" % event)
        self.start = os.path.getsize(self.path)
        return self

    def __exit__(self, *exc):
        for event in self.events:
            self.machine.hmp("trace-event %s off" % event)
        with open(self.path, encoding="utf-8", errors="replace") as log:
            log.seek(self.start)
            self.lines = [line.strip() for line in log
                          if line.startswith(self.events)]
