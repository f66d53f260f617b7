# SPDX-License-Identifier: GPL-2.0
"""Tests of what a machine is: its processors, local APICs and clock.

This file owns the machines that exist for their processors, and the tests
which only they can run; scripts/check runs them with all others.
"""

import re
import struct

from machine import TCG_CPU
from nodes import SYSFS, Refused
from verdict import expect

MIB = 1 << 20

# What /sys/kernel/mint/memory calls what the firmware calls no memory.
NO_MEMORY = ("reserved", "ACPI tables", "ACPI NVS", "persistent")

# Offset of pml4 and pml5 in struct mint_common.
PML4 = 136

# A core of the second socket, whose IDs begin at 256.
CORE = ("max-x86_64-cpu,socket-id=1,die-id=0,module-id=0,core-id=%d,"
        "thread-id=0")


def refused(b, words, **kw):
    """A launch is refused, in these words, and changes nothing."""
    before = b.state()
    try:
        node = b.launch(1, **kw)
    except Refused as error:
        for word in words:
            expect(re.search(word, str(error)), "%r is not in: %s", word,
                   error)
    else:
        expect(False, "node %d was launched: %s", node, kw)
    expect(b.state() == before, "a refusal changed something")


# ---- timers and IPIs -----------------------------------------------------------

def timers_and_ipis(b, port):
    """Both cores of a node have timers, and IPIs from each other."""
    def rows():
        """{row: counts of each core} of /proc/interrupts."""
        found = {}
        for line in b.m.read("/proc/interrupts", port).splitlines()[1:]:
            words = line.split()
            found[words[0]] = [int(w) for w in words[1:3] if w.isdigit()]
        return found

    before = rows()
    b.m.sh("i=0; while [ $i -lt 20 ]; do for m in 1 2; do "
           "taskset $m sh -c 'cat /proc/interrupts >/dev/null; usleep 20000' "
           "|| exit 1; done; i=$((i + 1)); done", 60, port)
    after = rows()
    for k in range(2):
        expect(after["LOC:"][k] > before["LOC:"][k],
               "no timer on core %d: %s", k, after["LOC:"])
        expect(after["RES:"][k] + after["CAL:"][k] > 0, "no IPI on core %d", k)


# ---- local APICs -------------------------------------------------------------

def out_of_reach(b):
    """Cores with IDs above 254 are refused in xAPIC mode, whoever wants them."""
    log = b.m.sh("dmesg")
    expect("x2apic disabled" in log, "node 0 is not in xAPIC mode; see %s",
           b.m.where("com1"))
    expect({256, 261} <= set(b.nodes.cores()["free"]), "cores: %s",
           b.nodes.cores())
    words = (r"APIC ID 2(56|61)\b", "xAPIC mode", "boot node 0 in x2APIC mode")
    for ids in ([256], [261], [1, 256], [1, 261]):
        refused(b, words, ids=ids)
    # CPU hotplug of node 0: no core that it does not run comes up but the
    # free one with a small ID.
    came = b.m.sh("cd /sys/devices/system/cpu; for c in cpu[0-9]*; do "
                  "[ -e $c/online ] && [ $(cat $c/online) = 0 ] || continue; "
                  "echo 1 2>/dev/null >$c/online && echo 0 >$c/online && "
                  "echo $c; done; :", 120).split()
    expect(len(came) == 1, "%s came up", came)
    log = b.m.sh("dmesg")
    for apic_id in (256, 261):
        expect(re.search(r"APIC ID %d is out of reach" % apic_id, log),
               "the log does not say why ID %d stays down", apic_id)
    # Those within reach are nodes as ever.
    node = b.launch(1, ids=[1])
    b.nodes.wait_state(node, "running")
    b.nodes.beats([0, node])
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, node))
    b.nodes.wait_over(node)


def far_cores(b):
    """A node whose cores have IDs above 255 in x2APIC mode."""
    log = b.m.sh("dmesg")
    expect(re.search(r"APIC routing to:? (physical|cluster) x2apic", log),
           "node 0 is not in x2APIC mode; see %s", b.m.where("com1"))
    refused(b, (r"00:07\.0", "remap"), ids=[256], devices="00:07.0")
    near = b.launch(1, ids=[1])
    b.nodes.wait_state(near, "running")
    node, up = b.launch_on("com2", 2, ids=[256, 261])
    expect(up.cpus == 2, "%d of 2 cores came up", up.cpus)
    for name in ("cpus", "cpus_up"):
        found = b.nodes.file(node, name).strip()
        expect(found == "256,261", "%s of node %d: %s", name, node, found)
    expect(b.nodes.file(node, "reason").strip() == "up", "reason: %s",
           b.nodes.file(node, "reason"))

    timers_and_ipis(b, "com2")
    b.nodes.beats([0, near, node])
    # All strengths reach these cores, and leave the others alone.
    b.m.send("com2", " reboot -f\n")
    again = b.nodes.wait_up("com2", 120)
    expect(again.cpus == 2, "%d of 2 cores came up again", again.cpus)
    b.nodes.wait_state(node, "running")
    b.m.sh("echo park >%s/nodes/%d/stop" % (SYSFS, node))
    b.nodes.wait_over(node)
    node = b.launch(2, ids=[261, 256])
    b.nodes.wait_state(node, "running")
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, node))
    b.nodes.wait_over(node)
    b.nodes.beats([0, near])


# ---- clock -------------------------------------------------------------------

def doubted_clock(b):
    """A TSC that node 0 calls unstable: everyone can see it."""
    expect(b.m.read(SYSFS + "/clock").endswith("doubted"), "clock: %s",
           b.m.read(SYSFS + "/clock"))
    log = b.m.sh("dmesg")
    expect("mint: the TSC is unstable" in log, "node 0 does not say so")
    node, _ = b.launch_on("com2", 1)
    log = b.m.sh("dmesg")
    expect(re.search(r"TSC of this machine is unstable: node %d" % node, log),
           "the launch does not say so")
    there = b.m.read(SYSFS + "/clock", "com2")
    expect(there.endswith("doubted"), "the node's clock: %s", there)
    # By its first heartbeat
    b.nodes.poll(lambda: "node 0 finds the TSC unstable" in
                 b.m.sh("cat %s/nodes/%d/log" % (SYSFS, node)), 30,
                 "word of it in the node's log")


# ---- the identity map --------------------------------------------------------

def table(b, address):
    """A page of page-table entries, from outside of all kernels."""
    words = b.m.memory_words(address, 1024)
    return struct.unpack("<512Q", struct.pack("<1024I", *words))


def identity_map(b):
    """The map on which cores come and go has memory, and nothing else."""
    memory = b.nodes.memory()
    area = next(first for first, _, owner in memory
                if owner == "common area")
    words = b.m.memory_words(area + PML4, 4)
    pml4, pml5 = words[0] | words[1] << 32, words[2] | words[3] << 32
    mask = (1 << 52) - (1 << 12)
    if pml5:
        top = table(b, pml5)
        expect(top[0] & mask == pml4 and not any(top[1:]),
               "five levels: %s", [hex(e) for e in top if e])
    pages = []
    for i, pml4e in enumerate(table(b, pml4)):
        if not pml4e & 1:
            continue
        for k, pdpte in enumerate(table(b, pml4e & mask)):
            at = i << 39 | k << 30
            if not pdpte & 1:
                continue
            if pdpte & 0x80:
                pages.append((at, 1 << 30, pdpte))
                continue
            pages += [(at | n << 21, 2 * MIB, pde) for n, pde in
                      enumerate(table(b, pdpte & mask)) if pde & 1]
    ram = [(first, last) for first, last, owner in memory
           if not owner.endswith(NO_MEMORY)]
    for at, size, entry in pages:
        expect(entry & mask & -size == at and not entry >> 63,
               "%#x is mapped by %#x", at, entry)
        inside = sum(min(last + 1, at + size) - max(first, at)
                     for first, last in ram
                     if first < at + size and last >= at)
        expect(inside if size == 2 * MIB else inside == size,
               "%#x-%#x is mapped, %#x bytes of it are memory", at,
               at + size - 1, inside)
    mapped = {}
    for at, size, _ in pages:
        for part in range(at, at + size, 2 * MIB):
            mapped[part] = True
    for first, last in ram:
        for part in range(first & -(2 * MIB), last + 1, 2 * MIB):
            expect(part in mapped, "memory at %#x is not mapped", part)


# ---- machines ----------------------------------------------------------------

def machines(spec, node0):
    """The rows of the table of machines."""
    far = dict(
        smp="2,sockets=2,cores=256,threads=1,maxcpus=512", memory="1G",
        size=160, x2apic=True, append=node0)
    return [
        # The firmware switches x2APIC on, node 0 has no interrupt remapping
        # and switches it off again.
        spec("xapic-again", [out_of_reach], cpu=TCG_CPU + ",+x2apic",
             devices=[CORE % 0, CORE % 5], **far),
        spec("x2apic", [far_cores], cpu=TCG_CPU + ",+x2apic",
             devices=["intel-iommu,intremap=on,eim=on",
                      "virtio-rng-pci,addr=07.0", CORE % 0, CORE % 5],
             **dict(far, append=node0 + ",-00:07.0 no_timer_check")),
        # An Intel processor, for what is only done there, without NX.
        spec("no-nx", ["launch.sh one_core two_cores again", doubted_clock],
             smp="3", memory="1G", cpu="Nehalem,-nx",
             append=node0 + " tsc=unstable"),
    ]
