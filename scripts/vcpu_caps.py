# SPDX-License-Identifier: GPL-2.0
"""A fixed speed for each core of an emulated machine.

This file owns cgroups of the host. Each vCPU thread of a QEMU gets one, with a quota
of the host's time; QEMU's other threads get one without. So an emulated core is as fast
beside three busy ones as it is alone, as long as the host has cores for all quotas.
Both versions of cgroups will do; root has to ask. Whatever happens, no cgroup is left.
"""

import errno
import os
import re
import select
import time

from machine import MachineError

# Of each period, in us, a vCPU runs its share.
PERIOD = 10000
# For so long QEMU's threads may take to leave their cgroups.
LEAVE_S = 5


class Hierarchy:
    """Where the controller cpu is: version of its cgroups, and the directory to use."""

    def __init__(self, version, base):
        self.version = version
        self.base = base

    def make(self, group):
        """A new group."""
        os.mkdir(group)

    def remove(self, group):
        """It ends."""
        os.rmdir(group)

    def wait_empty(self, group):
        """Until its last thread has left, or a moment has passed."""
        if self.version == 2:
            with open(os.path.join(group, "cgroup.events"), encoding="ascii") as file:
                poller = select.poll()
                poller.register(file, select.POLLPRI)
                if "populated 1" in file.read():
                    poller.poll(1000)
                    return
        # Version 1 tells nobody when a group is empty
        time.sleep(0.05)

    def write(self, group, name, value):
        """A value into a file of a group, by one write(2)."""
        with open(os.path.join(group, name), "r+b", buffering=0) as file:
            file.write(b"%s\n" % str(value).encode())

    def enter(self, group, thread):
        """Put a thread into a group."""
        self.write(group, "tasks" if self.version == 1 else "cgroup.threads", thread)

    def prefer(self, group):
        """What else runs on the host gets what this group leaves."""
        if self.version == 1:
            self.write(group, "cpu.shares", 262144)
        else:
            self.write(group, "cpu.weight", 10000)

    def limit(self, group, quota, period):
        """Give a group its quota."""
        if self.version == 1:
            self.write(group, "cpu.cfs_period_us", period)
            self.write(group, "cpu.cfs_quota_us", quota)
        else:
            self.write(group, "cpu.max", "%d %d" % (quota, period))


def read(path):
    """The text of a file."""
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def find(mounts, own):
    """The hierarchy with the controller cpu, or None.

    mounts is a /proc/self/mountinfo, own a /proc/self/cgroup. Version 1 nests below
    the caller's group. Of version 2 it is the root, the one group that may have both
    processes and groups with limits.
    """
    groups = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update((name, path) for name in controllers.split(","))
    unified = None
    for line in mounts.splitlines():
        words = line.split()
        dash = words.index("-")
        root, place, kind = words[3], words[4], words[dash + 1]
        if kind == "cgroup" and "cpu" in words[dash + 3].split(",") and "cpu" in groups:
            below = os.path.relpath(groups["cpu"], root)
            return Hierarchy(1, place if below.startswith("..") else
                             os.path.normpath(os.path.join(place, below)))
        if kind == "cgroup2" and root == "/" and unified is None:
            unified = place
    if unified and "cpu" in read(os.path.join(unified, "cgroup.controllers")).split():
        return Hierarchy(2, unified)
    return None


def here():
    """That of this host."""
    return find(read("/proc/self/mountinfo"), read("/proc/self/cgroup"))


def lacking(vcpus, share):
    """Why this host cannot give so many vCPUs their share; nothing if it can."""
    if os.geteuid():
        return "cgroups with a quota need root"
    if not here():
        return "no cgroups with the controller cpu are mounted"
    cores = len(os.sched_getaffinity(0))
    if cores < vcpus * share:
        return "%d vCPUs of %g host cores each on a host with %d" % (vcpus, share, cores)
    try:
        with Caps(None, [None] * vcpus, share):
            return ""
    except MachineError as error:
        return str(error)


class Caps:
    """The cgroups of one QEMU, a context manager.

    pid       of QEMU; None makes the groups and puts nobody into them
    vcpus     IDs of its vCPU threads
    share     of a host core, which each of them gets at the most
    """

    def __init__(self, pid, vcpus, share, hierarchy=None):
        self.pid = pid
        self.vcpus = vcpus
        self.share = share
        self.hierarchy = hierarchy or here()
        self.top = os.path.join(self.hierarchy.base, "mint-bench-%d" % os.getpid())
        self.rest = os.path.join(self.top, "rest")
        self.groups = [os.path.join(self.top, "vcpu%d" % i) for i in range(len(vcpus))]
        self.home = self.hierarchy.base
        self.made = []
        self.enabled = False

    def __enter__(self):
        try:
            self._make()
            if self.pid:
                self._fill()
        except OSError as error:
            self._remove()
            raise MachineError("cgroups of the host: %s" % error) from error
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *exc):
        self._remove()

    def _make(self):
        if self.hierarchy.version == 2:
            base, control = self.hierarchy.base, "cgroup.subtree_control"
            if "cpu" not in read(os.path.join(base, control)).split():
                self.hierarchy.write(base, control, "+cpu")
                self.enabled = True
        for group in [self.top, self.rest] + self.groups:
            self.hierarchy.make(group)
            self.made.append(group)
        if self.hierarchy.version == 2:
            # Threads of one process in several groups
            for group in [self.rest] + self.groups:
                self.hierarchy.write(group, "cgroup.type", "threaded")
            self.hierarchy.write(self.top, control, "+cpu")
        self.hierarchy.prefer(self.top)
        for group in self.groups:
            self.hierarchy.limit(group, round(self.share * PERIOD), PERIOD)

    def _fill(self):
        if self.hierarchy.version == 2:
            own = re.search(r"^0::(.*)$", read("/proc/%d/cgroup" % self.pid), re.M)
            self.home = self.hierarchy.base + own.group(1)
        self.hierarchy.write(self.top, "cgroup.procs", self.pid)
        # A group beside those of the vCPUs, so that they do not outweigh the others
        for thread in os.listdir("/proc/%d/task" % self.pid):
            try:
                self.hierarchy.enter(self.rest, thread)
            except OSError as error:
                # A thread that has ended meanwhile
                if error.errno != errno.ESRCH:
                    raise
        for thread, group in zip(self.vcpus, self.groups):
            self.hierarchy.enter(group, thread)

    def _remove(self):
        if self.pid and self.made:
            try:
                self.hierarchy.write(self.home, "cgroup.procs", self.pid)
            except OSError:
                # It has ended, or its group has; threads that are left show below
                pass
        limit = time.monotonic() + LEAVE_S
        while self.made:
            try:
                self.hierarchy.remove(self.made[-1])
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > limit:
                    raise MachineError("cgroup of the host stays: %s" % error) from error
                self.hierarchy.wait_empty(self.made[-1])
                continue
            self.made.pop()
        if self.enabled:
            self.hierarchy.write(self.hierarchy.base, "cgroup.subtree_control", "-cpu")
            self.enabled = False

    def throttled(self):
        """How often each vCPU has used up its quota so far."""
        return [int(re.search(r"^nr_throttled (\d+)$", read(os.path.join(
            group, "cpu.stat")), re.M).group(1)) for group in self.groups]

    def used(self):
        """Seconds of the host's time that each vCPU has had so far."""
        tick = os.sysconf("SC_CLK_TCK")
        found = []
        for thread in self.vcpus:
            stat = read("/proc/%d/task/%d/stat" % (self.pid, thread))
            # The name may have blanks; user and system time are 14th and 15th.
            words = stat[stat.rindex(")") + 2:].split()
            found.append((int(words[11]) + int(words[12])) / tick)
        return found
