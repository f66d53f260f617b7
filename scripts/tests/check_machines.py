# SPDX-License-Identifier: GPL-2.0
"""Machines that differ by their firmware, and where things move.

This file owns these machines and the tests which only they can run;
scripts/check runs them with all others.
"""

import re

from check_devices import disk_args, hub_args
from check_ends import PROVOKE, boot_id, panic_node0
from nodes import SYSFS, Refused
from verdict import expect

# Firmware of UEFI; QEMU hands it kernel, initrd and command line.
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"


# Types of the firmware's map that are free once its boot services have ended.
LENDABLE = ("Conventional", "Boot Code", "Boot Data", "Loader Code", "Loader Data")

EFI_ENTRY = re.compile(r"efi: mem\d+: \[([A-Za-z ]+?) *\|.*"
                       r"range=\[0x([0-9a-f]+)-0x([0-9a-f]+)\]")


def firmware_memory(b):
    """UEFI: what the firmware keeps is not free, and nobody gets it."""
    found = [(int(first, 16), int(last, 16))
             for kind, first, last in EFI_ENTRY.findall(b.m.sh("dmesg"))
             if kind not in LENDABLE]
    expect(found, "no map of the firmware's; see %s", b.m.where("com1"))
    free = [(lo, hi) for lo, hi, owner in b.nodes.memory() if owner == "free"]
    expect(free, "no memory is free")
    for first, last in found:
        for lo, hi in free:
            expect(hi < first or last < lo,
                   "%#x-%#x is the firmware's, and free is %#x-%#x", first,
                   last, lo, hi)
    # The highest of it that lies within memory
    low = [first for first, _ in found if first < free[-1][1] + (1 << 26)
           and first > 1 << 24]
    expect(low, "the firmware keeps nothing between what is free: %s", found)
    first = max(low) & -(1 << 21)
    before = b.state()
    try:
        node = b.launch(1, memory=(first, first + (64 << 20) - 1))
        expect(False, "node %d got the firmware's memory at %#x", node, first)
    except Refused as error:
        expect(re.search(r"(?i)memory|0x[0-9a-f]+", str(error)), "%s", error)
    expect(b.state() == before, "a refusal changed something")


# ---- node 0 dies in the middle of moves --------------------------------------

def hold_turn(b, port, turn):
    """Have the node on a console stand still before it changes a move to that."""
    b.m.sh("echo move %d wait >%s" % (turn, PROVOKE), 30, port)


def wait_held(b, port, turn):
    """Wait until it does."""
    b.nodes.poll(lambda: b.m.run(
        "dmesg | grep -q 'provoked at turn %d: wait'" % turn, 30, port)[0] == 0,
                 30, "a move that stands at turn %d on %s" % (turn, port))


def apic_ids(b, port):
    """APIC IDs of the cores that a kernel uses."""
    return [int(i) for i in b.m.sh("sed -n 's/^apicid[^0-9]*//p' /proc/cpuinfo",
                                   30, port).split()]


def total_kib(b, port):
    """How much memory a kernel uses."""
    return int(b.m.sh("sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo",
                      30, port))


def node0_dies(b, gives, takes):
    """Node 0 panics with two moves under way: each thing has one owner at most.

    A core goes from one successor to another, and its giver stands before turn
    `gives`; memory goes to a third one, which stands before turn `takes`.
    """
    ports = {port: b.launch_on(port, 1) for port in ("com2", "com3", "com4")}
    (giver, _), (receiver, _), (third, _) = ports.values()
    core = b.nodes.free_cores(1)[0]
    b.m.sh("echo core %d %d >%s/move" % (core, giver, SYSFS), 60)
    before, had = apic_ids(b, "com3"), total_kib(b, "com4")
    expect(core in apic_ids(b, "com2"), "node %d has not got it", giver)
    hold_turn(b, "com2", gives)
    hold_turn(b, "com4", takes)
    b.m.sh("(echo core %d %d >%s/move) >/dev/null 2>&1 & "
           "(echo memory 128M %d >%s/move) >/dev/null 2>&1 &" % (
               core, receiver, SYSFS, third, SYSFS))
    wait_held(b, "com2", gives)
    wait_held(b, "com4", takes)
    panic_node0(b)
    for port in ports:
        b.nodes.poll(lambda port=port: b.m.read(
            SYSFS + "/nodes/0/state", port).strip() == "panicked", 30,
                     "news of node 0's panic on %s" % port)
    for port in ("com2", "com4"):
        b.m.sh("echo move 0 wait >%s" % PROVOKE, 30, port)
    # Its receiver starts the core by itself: INIT proves that it is at rest.
    b.nodes.poll(lambda: apic_ids(b, "com3") == before + [core], 60,
                 "APIC ID %d in node %d" % (core, receiver))
    expect(core not in apic_ids(b, "com2"), "APIC ID %d runs in two nodes", core)
    # The memory was the third one's by the book already.
    b.nodes.poll(lambda: total_kib(b, "com4") == had + 126 * 1024, 60,
                 "a block more in node %d" % third)
    for port, (node, up) in ports.items():
        path = "%s/nodes/%d/heartbeat" % (SYSFS, node)
        last = int(b.m.read(path, port))
        b.nodes.poll(lambda port=port, path=path, last=last: int(
            b.m.read(path, port)) > last + 2, 30, "heartbeat of node %d" % node)
        expect(boot_id(b, port) == up.boot_id, "another kernel on %s", port)


def node0_dies_late(b):
    """As the giver has given, and as the receiver is about to begin."""
    node0_dies(b, 3, 5)


def node0_dies_early(b):
    """As the giver is about to begin, and as the receiver has taken."""
    node0_dies(b, 2, 6)


def machines(spec, node0, three_nodes, kaslr, crash):
    """The rows of the table of machines; some tests are of check_base.py."""
    uefi = ["-drive", "if=pflash,format=raw,readonly=on,file=" + OVMF]
    return [
        spec("efi", [firmware_memory, kaslr, three_nodes], smp="4", memory="2G",
             append=node0 + " efi=debug", extra=uefi, up=240),
        # Addresses of cards at one cable differ by one: node 0 finds its own.
        spec("move-pci", ["move_pci.sh"], smp="4", memory="2G", append=node0,
             limit=1800, env="MINT_CORNERS=1",
             devices=["pcie-root-port,id=rp1,addr=10.0,chassis=1",
                      "pcie-root-port,id=rp2,addr=11.0,chassis=2",
                      "nvme,bus=rp1,drive=d0,serial=n0",
                      "virtio-net-pci,addr=08.0,netdev=n0,mac=52:54:00:00:00:01",
                      "e1000e,bus=rp2,netdev=n1,mac=52:54:00:00:00:02",
                      "e1000,addr=0a.0"]
             # One more than a node has room for.
             + ["edu,addr=%02x.%d,multifunction=on" % (0x14 + k // 8, k % 8)
                for k in range(33)],
             extra=disk_args(1) + hub_args(2)),
        spec("move-memory", ["move_memory.sh"], smp="4", memory="3G",
             append=node0, env="MINT_CORNERS=1",
             devices=["virtio-rng-pci,addr=05.0"]),
        # Node 0 does not come back, so each is the machine's last test.
        spec("move-panic", [node0_dies_late], smp="5", append=node0 + " panic=0",
             allow=crash),
        spec("move-panic-early", [node0_dies_early], smp="5",
             append=node0 + " panic=0", allow=crash),
        spec("efi-nokaslr", [kaslr], smp="3", memory="1G",
             append=node0 + " nokaslr", successor="nokaslr", extra=uefi, up=240),
    ]
