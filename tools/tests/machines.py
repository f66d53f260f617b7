# SPDX-License-Identifier: GPL-2.0
"""Machines as directory trees, for mintctl --sysroot.

Owns what is in them; each is made anew, so that time stamps are fresh.
"""

import os
import struct
import time

G, M = 1 << 30, 1 << 20
DAY = 86400


class Tree:
    """A directory that stands in for / ."""

    def __init__(self, top):
        self.top = top

    def path(self, name):
        """Where a file of the machine lies."""
        return os.path.join(self.top, name.lstrip("/"))

    def write(self, name, text, mode="w"):
        """Have this in a file."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as file:
            file.write(text)

    def read(self, name):
        """What is in a file."""
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def mint(self, name, text):
        """A file of /sys/kernel/mint."""
        self.write("/sys/kernel/mint/" + name, text)

    def cores(self, bsp, **owners):
        """node0="0-1", free="2-3"."""
        lines = ["%s: %s" % (owner.replace("node", "node "), ids)
                 for owner, ids in owners.items()]
        self.mint("cores", "\n".join(lines + ["bsp: %d" % bsp]) + "\n")

    def memory(self, *ranges):
        """(start, end, owner), end exclusive."""
        self.mint("memory", "".join("0x%016x-0x%016x %s\n" % (start, end - 1, owner)
                                    for start, end, owner in ranges))

    def node(self, number, name, state, cpus="", memory=(), devices="", reason="",
             age=60, boots=1, up=None):
        """A directory of nodes/."""
        top = "nodes/%d/" % number
        for file, text in (
                ("name", name), ("state", state), ("reason", reason),
                ("since", "%.3f" % (time.time() - age - 0.5)), ("boots", boots),
                ("heartbeat", 4711), ("cpus", cpus),
                ("cpus_up", cpus if up is None else up),
                ("memory", "\n".join("0x%016x-0x%016x" % (a, b - 1) for a, b in memory)),
                ("devices", devices.replace(",", "\n"))):
            self.mint(top + file, "%s\n" % text)
        if number:
            self.mint(top + "log", "[    0.000000] Linux version 6.12\n")
            self.mint(top + "stop", "")

    def stock(self, cpus, flags="constant_tsc nonstop_tsc x2apic", cmdline="quiet"):
        """What a kernel without Mint has, too."""
        self.write("/proc/cpuinfo", "".join(
            "processor\t: %d\napicid\t\t: %d\nphysical id\t: %d\nflags\t\t: fpu %s\n\n" %
            (at, apic, package, flags) for at, (apic, package) in enumerate(cpus)))
        self.write("/sys/devices/system/cpu/present", "0-%d\n" % (len(cpus) - 1))
        self.write("/proc/cmdline", cmdline + "\n")
        self.write("/proc/iomem", "e0000000-efffffff : PCI ECAM 0000 [bus 00-ff]\n")
        self.write("/proc/sys/kernel/kexec_load_disabled", "0\n")

    def active(self):
        """Files that say that Mint is at work."""
        self.mint("version", "1.3\n")
        self.mint("node", "0\n")
        self.mint("clock", "tsc 2100000 kHz trusted\n")

    def cpuid(self, smt, llc, package):
        """Shifts of APIC IDs, as `cpuid -1 -r` prints them."""
        def line(leaf, sub, a, b, c, d):
            return "   0x%08x 0x%02x: eax=0x%08x ebx=0x%08x ecx=0x%08x edx=0x%08x\n" % (
                leaf, sub, a, b, c, d)
        self.write("/cpuid", "CPU:\n" +
                   line(0, 0, 0xb, 0x756e6547, 0x6c65746e, 0x49656e69) +
                   line(4, 0, (1 << smt) - 1 << 14 | 1 << 5 | 1, 0, 0, 0) +
                   line(4, 1, (1 << llc) - 1 << 14 | 3 << 5 | 3, 0, 0, 0) +
                   line(4, 2, 0, 0, 0, 0) +
                   line(0xb, 0, smt, 1 << smt, 0x100, 0) +
                   line(0xb, 1, package, 1 << package, 0x201, 0) +
                   line(0xb, 2, 0, 0, 2, 0))

    def srat(self, cores, memory):
        """{APIC ID: NUMA node} and [(start, end, NUMA node)] as an ACPI table."""
        body = b"".join(struct.pack("<BBBBIIII", 2, 24, 0, 0, numa, apic, 1, 0) + b"\0" * 4
                        for apic, numa in sorted(cores.items()))
        body += b"".join(struct.pack("<BBIHQQIIQ", 1, 40, numa, 0, start, end - start, 0,
                                     1, 0) for start, end, numa in memory)
        header = struct.pack("<4sIBB6s8sI4sI", b"SRAT", 48 + len(body), 3, 0, b"MINT",
                             b"TEST", 1, b"TEST", 1) + b"\0" * 12
        self.write("/sys/firmware/acpi/tables/SRAT", header + body, "wb")


def demo(tree):
    """Four cores, 1 GiB; node 1 runs, node 2 has ended."""
    tree.stock([(0, 0)], cmdline="mint.mem=256M@0 maxcpus=1 console=ttyS0")
    tree.active()
    tree.cores(0, node0="0", node1="1-2", free="3")
    tree.memory((0, 0x9e000, "node 0"), (0x9e000, 0x9f000, "gateway"),
                (M, 254 * M, "node 0"), (254 * M, 255 * M, "common area"),
                (255 * M, 256 * M, "node 0"), (256 * M, 512 * M, "node 1"),
                (512 * M, 0x3ffe0000, "free"), (0x3ffe0000, G, "reserved"))
    tree.node(0, "predecessor", "running", "0", [(0, 0x9e000), (M, 254 * M)], age=3 * DAY)
    tree.node(1, "web", "running", "1-2", [(256 * M, 512 * M)], "com2", age=7300, up="1")
    tree.node(2, "db", "panicked", reason="panic: Oops", boots=2, age=240)


def smt(tree):
    """8 cores with 2 threads; node 0 has the first core and half of another."""
    tree.stock([(0, 0), (1, 0), (2, 0)])
    tree.active()
    tree.cpuid(1, 4, 4)
    tree.cores(0, node0="0-2", free="3-15")
    tree.memory((0, 2 * G, "node 0"), (2 * G, 3 * G, "free"), (4 * G, 12 * G, "free"))
    tree.node(0, "predecessor", "running", "0-2", [(0, 2 * G)])


def numa(tree):
    """Two packages, each 8 cores with 2 threads and 16 GiB; two caches a package."""
    tree.stock([(0, 0), (1, 0)])
    tree.active()
    tree.cpuid(1, 3, 5)
    tree.cores(0, node0="0-3", node1="32-35", free="4-15,36-47")
    tree.srat({apic: apic >> 5 for apic in list(range(16)) + list(range(32, 48))},
              [(0, 2 * G, 0), (4 * G, 18 * G, 0), (18 * G, 34 * G, 1)])
    tree.memory((0, 2 * G, "node 0"), (4 * G, 8 * G, "node 0"), (8 * G, 18 * G, "free"),
                (18 * G, 20 * G, "node 1"), (20 * G, 34 * G, "free"))
    tree.node(0, "predecessor", "running", "0-3", [(0, 2 * G), (4 * G, 8 * G)])
    tree.node(1, "big", "running", "32-35", [(18 * G, 20 * G)])


def quarantine(tree):
    """A core that could not be proven parked keeps what its node had."""
    tree.stock([(0, 0)])
    tree.active()
    tree.cores(0, node0="0", node1="1", free="2-3")
    tree.memory((0, 512 * M, "node 0"), (512 * M, G, "quarantine of node 1"),
                (G, 2 * G, "free"))
    tree.node(0, "predecessor", "running", "0", [(0, 512 * M)])
    tree.node(1, "web", "quarantine", "1", [(512 * M, G)],
              reason="APIC ID 1 does not show up in the park loop")


def holes(tree):
    """Memory in pieces of 96, 300, 128 and 640 MiB; APIC IDs with gaps."""
    tree.stock([(0, 0)])
    tree.active()
    tree.cores(0, node0="0", free="1-2,8-10")
    tree.memory((0, 256 * M, "node 0"), (256 * M, 352 * M, "free"),
                (352 * M, 400 * M, "reserved"), (400 * M, 700 * M, "free"),
                (700 * M, 701 * M, "ACPI tables"), (768 * M, 896 * M, "free"),
                (896 * M, 897 * M, "reserved by node 0"), (1024 * M, 1664 * M, "free"))
    tree.node(0, "predecessor", "running", "0", [(0, 256 * M)])


def stock(tree):
    """No Mint."""
    tree.stock([(0, 0), (1, 0), (2, 0), (3, 0), (16, 1), (17, 1), (18, 1), (19, 1)])
    tree.write("/sys/class/iommu/dmar0/name", "dmar0\n")
    tree.write("/sys/firmware/efi/runtime", "0x0\n")
    tree.write("/sys/bus/pci/devices/0000:00:00.0/class", "0x060000\n")
    tree.write("/sys/bus/pci/devices/0000:01:00.0/class", "0x020000\n")
    tree.write("/sys/bus/pci/devices/0000:01:00.0/reset", "")
    tree.write("/sys/bus/pci/devices/0000:02:00.0/class", "0x010802\n")
    for at, (start, end, kind) in enumerate(((0, 0x9ffff, "System RAM"),
                                             (M, 3 * G - 1, "System RAM"),
                                             (3 * G, 3 * G + M - 1, "Reserved"),
                                             (4 * G, 17 * G - 1, "System RAM"))):
        top = "/sys/firmware/memmap/%d/" % at
        tree.write(top + "start", "0x%x\n" % start)
        tree.write(top + "end", "0x%x\n" % end)
        tree.write(top + "type", kind + "\n")


def inactive(tree):
    """Mint, and no mint.mem=."""
    stock(tree)
    tree.mint("version", "1.3\n")


ALL = (demo, smt, numa, quarantine, holes, stock, inactive)
