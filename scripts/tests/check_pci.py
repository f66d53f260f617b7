# SPDX-License-Identifier: GPL-2.0
"""Tests of PCI functions that more than one kernel can reach.

This file owns the machine "pcie": what a successor can do to a function, to its
neighbours on a card and to the link above it, and what becomes of it when it
changes hands. scripts/check runs it with all others.
"""

import re

from check_devices import (accesses, command, disk_args, hub_args, refused,
                           seen, script)
from nodes import SYSFS
from verdict import expect

# On one line, with MSI-X, and without any reset: the second node gets no line.
RNGS = {"com2": "0000:00:05.0", "com3": "0000:00:09.0"}
SCREEN = "0000:00:01.0"
# Two functions of a card; node 0 has the first one.
SIBLINGS = ("0000:01:00.0", "0000:01:00.1")
# Another one of it. QEMU has it report errors; e1000e cannot be told to.
ERRING = "0000:01:00.2"
# Of one card, too: the functions 0, 2 and 8, of which the first has ARI.
CARD = ["0000:02:00.0", "0000:02:00.2", "0000:02:01.0"]


def place(function):
    """(bus, device, function) of a name."""
    return tuple(int(n, 16) for n in re.split("[:.]", function)[1:])


def resources(b, function, port=None):
    """Where a kernel thinks that a function is, flags left out."""
    text = b.m.read("/sys/bus/pci/devices/%s/resource" % function, port)
    return [tuple(line.split()[:2]) for line in text.splitlines()[:6]]


def bars(b, function):
    """The six registers, as hardware has them."""
    return b.m.pci_config(place(function), words=10)[4:]


def write_config(b, function, at, data, port):
    """As setpci does."""
    text = "".join("\\%03o" % byte for byte in data)
    b.m.sh("printf '%s' | dd of=/sys/bus/pci/devices/%s/config bs=%d seek=%d "
           "count=1 conv=notrunc 2>/dev/null" % (
               text, function, len(data), at // len(data)), 30, port)


def capability(b, function, wanted):
    """(Offset, first word) of a capability in hardware."""
    words = b.m.pci_config(place(function))
    at = words[0x34 // 4] & 0xfc
    while at:
        if words[at // 4] & 0xff == wanted:
            return at, words[at // 4]
        at = words[at // 4] >> 8 & 0xfc
    expect(False, "%s has no capability %#x", function, wanted)
    return None


def msix_on(b, function):
    """Is MSI-X enabled?"""
    return bool(capability(b, function, 0x11)[1] & 0x80000000)


def forced(functions):
    """Names for mint.devices= of what cannot be reset."""
    return ",".join(f + "!" for f in functions)


def fixed_addresses(b):
    """What a successor removes, finds again and writes stays where it is."""
    nodes = {}
    want = {f: resources(b, f) for f in list(RNGS.values()) + CARD}
    there = {"com2": [RNGS["com2"]] + CARD, "com3": [RNGS["com3"]]}
    registers = {f: bars(b, f) for f in want}
    for port, words in (("com2", "pci=realloc"), ("com3", "")):
        nodes[port], _ = b.launch_on(
            port, 1, devices=forced(there[port]), append=words)
    for port, functions in there.items():
        # What is removed with a port is found with it, and twice is not once.
        gone = functions[:1] + (["0000:00:11.0"] if len(functions) > 1 else [])
        for _ in range(2):
            b.m.sh("cd /sys/bus/pci && for f in %s; do "
                   "echo 1 >devices/$f/remove || exit 1; done; echo 1 >rescan"
                   % " ".join(gone), 60, port)
            for function in functions:
                now = resources(b, function, port)
                expect(now == want[function], "%s on %s is at %s, was at %s",
                       function, port, now, want[function])
                expect(bars(b, function) == registers[function],
                       "%s: registers %s, were %s", function,
                       bars(b, function), registers[function])
        expect(b.m.read("/sys/class/misc/hw_random/rng_current",
                        port).startswith("virtio"), "no generator")
        b.m.sh("dd if=/dev/hwrng of=/dev/null bs=64 count=4", 30, port)
    b.m.sh(script("for f in %s; do of_device class/nvme $f || exit 1; done"
                  % " ".join(CARD)), 60, "com2")

    # Other addresses, in one piece and in others; then the sizes.
    function = RNGS["com3"]
    for at, data in ((16, b"\0\0\0\xc8"), (20, b"\0\0\0\xc8"), (20, b"\0\xc8"),
                     (23, b"\xc8"), (32, b"\x0c\0\0\xc8"), (48, b"\1\0\0\xc8")):
        write_config(b, function, at, data, "com3")
        expect(bars(b, function) == registers[function],
               "%d: %r: registers %s, were %s", at, data, bars(b, function),
               registers[function])
    write_config(b, function, 20, b"\xff\xff\xff\xff", "com3")
    expect(bars(b, function) == registers[function], "sizing has moved it")
    b.m.sh("dd if=/dev/hwrng of=/dev/null bs=64 count=4", 30, "com3")
    b.nodes.beats([0] + list(nodes.values()))
    b.stop_all()
    for function, before in registers.items():
        expect(bars(b, function) == before, "%s afterwards: %s, was %s",
               function, bars(b, function), before)


def all_of_a_card(b):
    """Functions 0, 2 and 8 of a card with ARI, and each two of them."""
    for functions in (CARD, CARD[1:], CARD[::2]):
        node, _ = b.launch_on("com2", 1, devices=forced(functions))
        expect(seen(b, "com2") == ["0000:00:11.0"] + functions,
               "%s of %s are there", seen(b, "com2"), functions)
        b.nodes.beats([0, node])
        b.stop_all()


def filtered(b):
    """No word of pci=, no byte and no reset gets past the filter."""
    with b.trace("memory_region_ops_write", "memory_region_ops_read") as trace:
        first, _ = b.launch_on("com2", 1, devices=forced([RNGS["com2"]]),
                               append="pci=conf1")
        second, _ = b.launch_on(
            "com3", 1, devices=forced([RNGS["com3"], SIBLINGS[1]]),
            append="pci=conf1,nommconf pcie_ports=native")
        b.m.sh("lspci >/dev/null", 30, "com3")
    b.m.sh("lspci >/dev/null")
    found = accesses(trace, "pci-conf-idx", "pci-conf-data")
    expect(not set().union(*found.values()) - {0, -1}, "cores at the ports: %s",
           found)
    expect(seen(b, "com2") == [RNGS["com2"]], "com2: %s", seen(b, "com2"))
    expect(seen(b, "com3") == sorted(["0000:00:10.0", RNGS["com3"],
                                      SIBLINGS[1]]), "com3: %s", seen(b, "com3"))
    # Its line is another node's, so it shows no pin, and its INTx stays off.
    function = RNGS["com3"]
    expect(b.m.sh("od -An -tu1 -j61 -N1 /sys/bus/pci/devices/%s/config"
                  % function, 30, "com3").strip() == "0", "it has a line")
    expect(command(b, function) & 0x400, "INTx is on: %08x",
           command(b, function))
    for at, data in ((4, b"\7\0"), (5, b"\0"), (4, b"\7\0\0\0")):
        write_config(b, function, at, data, "com3")
        expect(command(b, function) & 0x407 == 0x407, "%d: %r: command %08x",
               at, data, command(b, function))
    # The port is not written, so the bus behind it cannot be reset.
    methods = b.m.sh("cat /sys/bus/pci/devices/%s/reset_method; true"
                     % SIBLINGS[1], 30, "com3")
    expect("bus" not in methods.split(), "resets: %s", methods)
    expect(b.m.run("echo bus >/sys/bus/pci/devices/%s/reset_method"
                   % SIBLINGS[1], 30, "com3")[0], "a reset of the bus is offered")
    b.nodes.beats([0, first, second])
    b.stop_all()


def changed_hands(b):
    """A function is reset, and silent, whenever a new kernel gets it."""
    refused(b, RNGS["com2"], "cannot be reset", re.escape(RNGS["com2"] + "!"))
    node, _ = b.launch_on("com2", 1, devices="%s!,%s" % (RNGS["com2"], CARD[0]))
    # By the first driver, not by the launch, and once.
    text = "%s: own reboot, bus master off, reset: flr" % CARD[0]
    expect(text not in b.m.sh("dmesg", 30, "com2"), "reset at the launch")
    b.m.send("com2", " reboot -f\n")
    b.nodes.wait_up("com2", 120)
    b.nodes.wait_state(node, "running")
    b.m.sh(script("of_device class/nvme %s" % CARD[0]), 60, "com2")
    log = b.m.sh("dmesg", 30, "com2")
    expect(log.count(text) == 1, "log: %s", log)
    # Whether a driver came first: it says how many queues it has.
    expect(re.search(re.escape(text) + r".*nvme nvme\d", log, re.S),
           "a driver came first: %s", log)
    expect(msix_on(b, RNGS["com2"]), "MSI-X is off: what is there to clear?")
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, node))
    b.nodes.wait_over(node)
    b.launched.remove(node)
    for function in (RNGS["com2"], CARD[0]):
        expect(not msix_on(b, function), "%s: MSI-X is on", function)
        expect(not command(b, function) & 4, "%s: bus master is on", function)
    b.nodes.beats([0])


def whose_screen(b):
    """What node 0 draws on stays there, and so do domains of drivers."""
    refused(b, SCREEN, "screen of node 0", "mint.devices=-vga")
    refused(b, "10000:e1:00.0", "10000:e1:00.0", "domain that a driver")


def link_errors(b):
    """Errors of a lent function reach node 0, and reset no lent function."""
    node, _ = b.launch_on("com2", 1, devices=forced([SIBLINGS[1], ERRING]))
    other = "/sys/bus/pci/devices/%s/net/*" % SIBLINGS[1]
    b.m.sh("ip link set $(basename %s) up" % other, 30, "com2")
    b.m.sh("ip link set $(ls /sys/bus/pci/devices/%s/net) up" % SIBLINGS[0])

    def works():
        return b.m.run("[ $(cat %s/operstate) = up ]" % other, 30, "com2")[0] == 0

    def inject(error, outcome, text):
        b.m.sh("dmesg -c >/dev/null")
        b.m.hmp("pcie_aer_inject_error erring " + error)
        b.nodes.poll(lambda: "device recovery" in b.m.sh("dmesg"), 30,
                     "word of " + error)
        log = b.m.sh("dmesg")
        for line in ["error message received from " + ERRING,
                     "device recovery " + outcome] + [
                         "%s: %s" % (f, text % node)
                         for f in (SIBLINGS[1], ERRING)]:
            expect(line in log, "no %r in: %s", line, log)
        # No reset: they are still bus masters, and work.
        for function in (SIBLINGS[1], ERRING):
            expect(command(b, function) & 4, "reset under node %d: %s: %08x",
                   node, function, command(b, function))
        b.nodes.poll(works, 30, "link of the other function")
        b.m.sh("dd if=/dev/hwrng of=/dev/null bs=64 count=4", 30, "com2")
        b.nodes.beats([0, node])

    b.nodes.poll(works, 30, "link of the other function")
    inject("COMP_TIME", "successful", "an error on its link, node %d goes on")
    inject("MALF_TLP", "failed",
           "a fatal error on its link, which is not reset while node %d has it")
    expect("AER" not in b.m.sh("dmesg", 30, "com2"),
           "a successor looks after errors of the link")


def machines(spec, node0):
    """The rows of the table of machines."""
    lent = list(RNGS.values()) + CARD + [SIBLINGS[1], ERRING]
    nvme = ("nvme,id=c%d,bus=rp2,addr=%s,serial=c%d,drive=d%d")
    return [
        spec("pcie", [fixed_addresses, all_of_a_card, filtered, changed_hands,
                      whose_screen, link_errors],
             smp="3", memory="1G", size=160,
             # ARI of QEMU lists the first two functions alone.
             append=node0 + "".join(",-" + f for f in lent)
             + " pci=noari,pcie_scan_all mint.reset=must",
             devices=["virtio-rng-pci,addr=05.0", "virtio-rng-pci,addr=09.0",
                      "pcie-root-port,id=rp1,addr=10.0,chassis=1",
                      "e1000e,id=sib0,bus=rp1,addr=00.0,multifunction=on,netdev=n0",
                      "e1000e,id=sib1,bus=rp1,addr=00.1,netdev=n1",
                      "virtio-rng-pci,id=erring,bus=rp1,addr=00.2,aer=on",
                      "pcie-root-port,id=rp2,addr=11.0,chassis=2",
                      "nvme-subsys,id=s0",
                      "nvme,id=c0,bus=rp2,addr=00.0,multifunction=on,serial=c0,"
                      "subsys=s0,sriov_max_vfs=1,sriov_vq_flexible=2,"
                      "sriov_vi_flexible=1,max_ioqpairs=6,msix_qsize=6",
                      "nvme-ns,bus=c0,drive=d0,nsid=1",
                      nvme % (1, "00.2", 1, 1), nvme % (2, "01.0", 2, 2)],
             extra=disk_args(3) + hub_args(2)),
    ]
