# SPDX-License-Identifier: GPL-2.0
"""Machines that differ by their firmware, and where things move.

This file owns these machines and the tests which only they can run;
scripts/check runs them with all others.
"""

import re

from check_devices import disk_args, hub_args
from nodes import Refused
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


def machines(spec, node0, three_nodes, kaslr):
    """The rows of the table of machines; some tests are of check_base.py."""
    uefi = ["-drive", "if=pflash,format=raw,readonly=on,file=" + OVMF]
    return [
        spec("efi", [firmware_memory, kaslr, three_nodes], smp="4", memory="2G",
             append=node0 + " efi=debug", extra=uefi, up=240),
        # Addresses of cards at one cable differ by one: node 0 finds its own.
        spec("move-pci", ["move_pci.sh"], smp="4", memory="1280M", append=node0,
             limit=1800,
             devices=["pcie-root-port,id=rp1,addr=10.0,chassis=1",
                      "pcie-root-port,id=rp2,addr=11.0,chassis=2",
                      "nvme,bus=rp1,drive=d0,serial=n0",
                      "virtio-net-pci,addr=08.0,netdev=n0,mac=52:54:00:00:00:01",
                      "e1000e,bus=rp2,netdev=n1,mac=52:54:00:00:00:02",
                      "e1000,addr=0a.0"],
             extra=disk_args(1) + hub_args(2)),
        spec("move-memory", ["move_memory.sh"], smp="4", memory="3G",
             append=node0),
        spec("efi-nokaslr", [kaslr], smp="3", memory="1G",
             append=node0 + " nokaslr", successor="nokaslr", extra=uefi, up=240),
    ]
