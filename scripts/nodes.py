# SPDX-License-Identifier: GPL-2.0
"""Mint as its predecessor shows it: nodes, cores, memory, launch, stop.

This file owns the reading of /sys/kernel/mint and the use of kexec on a
Machine (machine.py); demo, run and check are built on it.
"""

import re
import shlex
import time

import machine as qemu
from machine import Limit, MachineError, in_share, ranges

SYSFS = "/sys/kernel/mint"
MIB = 1 << 20
GIB4 = 1 << 32

# A line of the kernel's own, which may begin inside of what a program prints on
# the same console.
KERNEL_LINE = r"(?:\[ *\d+\.\d+\][^\n]*\n)"


def _text(text):
    """An expression for a program's text, with lines of the kernel in it."""
    return "".join(re.escape(char) + KERNEL_LINE + "*" for char in text)


# One word of it, as a group; Up takes lines of the kernel out.
_WORD = r"((?:[^\s,\[]%s*)+)" % KERNEL_LINE

# What initrd/init says on the console of each node.
UP = re.compile(_text("mint: node ") + _WORD + _text(" up: cpus ") + _WORD
                + _text(", mem ") + _WORD + _text(" MiB, boot_id ") + _WORD
                + _text(", uptime ") + _WORD + _text(" s") + r"\n")


class Refused(MachineError):
    """kexec said no."""


class Up:
    """What a node told about itself when its init ran."""

    def __init__(self, match):
        self.node, cpus, mem, self.boot_id, self.uptime = [
            re.sub(KERNEL_LINE, "", word) for word in match.groups()]
        self.cpus = int(cpus)
        self.mem = int(mem)


class Nodes:
    """The nodes of a machine, seen from its predecessor."""

    def __init__(self, machine):
        self.machine = machine
        self.image = in_share(machine.kernel, machine.share)
        self.initrd = in_share(machine.initrd or qemu.default_initrd(),
                               machine.share)

    # -- reading ------------------------------------------------------------

    def active(self, timeout=120):
        """Wait for the predecessor's init; return what it says of itself."""
        up = self.wait_up("com1", timeout)
        if up.node != "0":
            raise MachineError(
                "Mint is not active in the predecessor (node %s); see %s" % (
                    up.node, self.machine.where("com1")))
        return up

    def wait_up(self, port, timeout=60, since=None):
        """Wait for the line of a node's init on its console."""
        return Up(self.machine.wait_for(UP, port, timeout, since))

    def _owners(self, name):
        """{owner: [numbers]}, from a file that lists them."""
        owners = {}
        for line in self.machine.read("%s/%s" % (SYSFS, name)).splitlines():
            owner, _, numbers = line.partition(":")
            owners[owner.strip()] = ranges(numbers)
        return owners

    def cores(self):
        """{owner: [APIC IDs]}, with the owners "free" and "bsp" too."""
        return self._owners("cores")

    def memory(self):
        """[(first, last, owner)], as sysfs has it."""
        found = []
        for line in self.machine.read(SYSFS + "/memory").splitlines():
            span, _, owner = line.partition(" ")
            first, _, last = span.partition("-")
            found.append((int(first, 16), int(last, 16), owner))
        return found

    def pins(self):
        """{owner: [GSIs]}."""
        return self._owners("pins")

    def status(self):
        """{node: (state, heartbeat)} of all nodes at one moment."""
        text = self.machine.sh(
            "for d in %s/nodes/*; do echo ${d##*/} "
            "$(cat $d/state $d/heartbeat 2>/dev/null); done" % SYSFS)
        found = {}
        for line in text.splitlines():
            words = line.split()
            # A node that goes away may be there in part.
            if len(words) == 3:
                found[int(words[0])] = (words[1], int(words[2]))
        return found

    def file(self, node, name):
        """A file of a node in sysfs."""
        return self.machine.read("%s/nodes/%d/%s" % (SYSFS, node, name))

    def listen(self):
        """Keep what successors' kernels complain of in their logs.

        A log lasts until its number is used again, so this comes before each
        launch of a test. unheard() hands out what was found.
        """
        m = self.machine
        out = m.sh("for d in %s/nodes/[1-9]*; do [ -r $d/log ] || continue; "
                   "tr -d '\\000' <$d/log | grep -E -- %s | "
                   "sed \"s/^/${d##*/} /\"; done; :" % (
                       SYSFS, shlex.quote(qemu.FAULT.pattern)))
        for line in out.splitlines():
            number, _, text = line.partition(" ")
            if (number, text) not in m.heard:
                m.heard.add((number, text))
                m.unheard.append(("node " + number, text))

    def unheard(self):
        """[(node, line)]: complaints since the last call."""
        self.listen()
        found, self.machine.unheard = self.machine.unheard, []
        return found

    # -- choosing -----------------------------------------------------------

    def free_cores(self, count):
        """The lowest free APIC IDs."""
        free = self.cores().get("free", [])
        if len(free) < count:
            raise MachineError("%d free cores wanted, there are %s" % (
                count, free))
        return free[:count]

    def free_memory(self, mib, above=None):
        """(first, last) of a free range; above or below 4 GiB if asked."""
        for first, last, owner in self.memory():
            first = -(-first // (2 * MIB)) * 2 * MIB
            if owner != "free" or last - first + 1 < mib * MIB:
                continue
            if above is True and first < GIB4:
                continue
            if above is False and last >= GIB4:
                continue
            return first, first + mib * MIB - 1
        raise MachineError("no free range of %d MiB in %s/memory" % (mib,
                                                                    SYSFS))

    # -- doing --------------------------------------------------------------

    def launch(self, cores, mib=192, append="", devices="", name="",
               above=None, memory=None, image=None, initrd=None, ids=None,
               limit=60):
        """Launch a successor within so many seconds; return its number.

        cores is a count, of which the lowest free ones are taken; ids is a
        list of APIC IDs for --mint-cpus instead. An initrd of "" is none.
        """
        chosen = ids or self.free_cores(cores)
        first, last = memory or self.free_memory(mib, above)
        cmd = ["kexec", "--mint-cpu=%d" % chosen[0],
               "--mem-min=0x%x" % first, "--mem-max=0x%x" % last]
        if initrd != "":
            cmd.append("--initrd=" + (initrd or self.initrd))
        if ids:
            cmd.append("--mint-cpus=" + ",".join(str(i) for i in ids))
        else:
            append = "maxcpus=%d %s" % (cores, append)
        if devices:
            cmd.append("--mint-devices=" + devices)
        if name:
            cmd.append("--mint-name=" + name)
        cmd += ["--command-line=" + append.strip(), image or self.image]
        status, text = self.machine.run(
            " ".join(shlex.quote(word) for word in cmd), limit)
        match = re.search(r"^node (\d+) started on", text, re.M)
        if status or not match:
            raise Refused("kexec: status %d: %s" % (status, text.strip()))
        return int(match.group(1))

    def poll(self, ready, timeout, what):
        """Ask again and again until ready() is true, within a limit."""
        limit = time.monotonic() + timeout * qemu.SLOW
        while True:
            value = ready()
            if value:
                return value
            if time.monotonic() > limit:
                raise Limit("machine %s: no %s within %d s; see %s" % (
                    self.machine.name, what, timeout * qemu.SLOW,
                    self.machine.logs))
            # What is asked for has no event that the host could see.
            time.sleep(0.1)

    def wait_state(self, node, state, timeout=60):
        """Wait until a node is in a state."""
        self.poll(lambda: self.status().get(node, ("gone", 0))[0] == state,
                  timeout, "state %s of node %d" % (state, node))

    def beats(self, nodes, timeout=30):
        """Wait until the hearts of all these nodes have beaten since now.

        Returns {node: (count before, count after)}; every node must be
        running at both readings.
        """
        before = self.status()

        def grown():
            after = self.status()
            for node in nodes:
                if after.get(node, ("gone", 0))[0] != "running":
                    raise MachineError("node %d is %s, not running" % (
                        node, after.get(node, ("gone", 0))[0]))
                if after[node][1] <= before.get(node, ("gone", 0))[1]:
                    return None
            return {n: (before[n][1], after[n][1]) for n in nodes}

        return self.poll(grown, timeout, "heartbeat of nodes %s" % nodes)

    def stop(self, node, timeout=60):
        """Ask a node to power itself off; wait until it owns nothing."""
        self.machine.sh("echo ask >%s/nodes/%d/stop" % (SYSFS, node), timeout)
        self.wait_over(node, timeout)

    def wait_over(self, node, timeout=60):
        """Wait until a node has ended and owns nothing."""
        owner = "node %d" % node

        def over():
            return (self.status().get(node, ("gone", 0))[0]
                    in ("gone", "ended", "panicked")
                    and not self.cores().get(owner)
                    and all(o != owner for _, _, o in self.memory()))

        self.poll(over, timeout, "end of node %d" % node)
