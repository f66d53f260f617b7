# SPDX-License-Identifier: GPL-2.0
"""The machines of `make check`, and what runs on each.

A row that belongs to a topic is made by the file of that topic.
"""

import os

import check_devices
import check_ends as ends
import check_lines
import check_links
import check_machines
import check_pci
import check_platform
import machine as qemu
from check_base import (CRASH, boot_shorthands, crowd, date, disk_behind_bridge,
                        each_core_starts, hands_off, high_and_low, ipi_storm,
                        kaslr, kunit, lent_functions, more_than_known,
                        pci_config, pins, reboot_of_node0, stock_boot,
                        stock_crash, stock_crash_load, stock_reboot,
                        storm_in_node0, three_nodes, user_kernel,
                        warnings_are_judged)
from helpers import SELFTESTS
from runner import Program, Spec, Watched

TESTS = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(qemu.TOP, "tools")

NODE0 = "mint.mem=384M@0 maxcpus=1 mint.devices=-com2,-com3,-com4"

MACHINES = [
    Spec("base", ["harness.sh", warnings_are_judged, "sysfs.sh", "launch.sh", three_nodes, date, "memory.sh",
                  "boot_timing.sh", "isolation.sh", ipi_storm, boot_shorthands, pins,
                  pci_config, hands_off, kaslr, check_platform.identity_map], append=NODE0),
    Spec("refusals", ["refusals.sh", "devices.sh", "lockdown.sh"],
         append=NODE0.replace("maxcpus=1", "maxcpus=2")
         + " memmap=64K$0x6c000000",
         devices=["pcie-root-port,id=rp,addr=06.0,chassis=1",
                  "e1000e,bus=rp"]),
    Spec("two", ["launch.sh two_cores again", "isolation.sh", storm_in_node0],
         smp="6", append=NODE0.replace("maxcpus=1", "mint.cpus=0,2")),
    Spec("threads", ["launch.sh one_core two_cores three_cores core_list",
                     three_nodes, each_core_starts, "mintctl.sh whole_cores", "leave.sh smt_control",
                     "move.sh whole_core"],
         smp="sockets=2,cores=2,threads=2", append=NODE0),
    Spec("holes", ["launch.sh one_core two_cores three_cores core_list",
                   three_nodes, each_core_starts],
         smp="sockets=2,cores=3", append=NODE0),
    Spec("high", ["memory.sh", "launch.sh one_core two_cores", high_and_low,
                  three_nodes, check_platform.identity_map], memory="6G",
         append=NODE0),
    Spec("eight", [crowd, "launch.sh three_cores same_image"],
         smp="8", append=NODE0),
    Spec("big", [more_than_known], smp="130", memory="1G",
         append=NODE0 + " quiet", successor="quiet", up=300, kept=256),
    # Two cores, so that the tests of races do race
    Spec("kunit", [kunit], append=NODE0.replace("maxcpus=1", "maxcpus=2") + " kunit.enable=1"),
    Spec("nokaslr", ["launch.sh one_core two_cores same_image", kaslr],
         append=NODE0 + " nokaslr", successor="nokaslr"),
    Spec("kaslr-successors", [kaslr, "launch.sh two_cores"],
         append=NODE0 + " nokaslr"),
    Spec("moved", [kaslr, three_nodes], memory="3G",
         append=NODE0.replace("384M@0", "64M@0,384M@1G")),
    # The disk begins as a copy of the image, and is forgotten at the end.
    Spec("devices", [lent_functions, disk_behind_bridge, ends.own_reboot,
                     three_nodes],
         append=NODE0,
         devices=["e1000,addr=04.0,netdev=net", "virtio-rng-pci,addr=05.0",
                  "pcie-root-port,id=rp,addr=06.0,chassis=1",
                  "virtio-blk-pci,bus=rp,drive=disk"],
         extra=["-netdev", "user,id=net,restrict=on",
                "-drive", "if=none,id=disk,format=raw,snapshot=on,file="
                + os.path.join(qemu.OUT, "bzImage")]),
    Spec("malformed", ["params.sh", "launch.sh one_core"],
         append="mint.mem=384M@0,64M@,junk,1@1 mint.cpus=0,x,9-2 "
                "mint.devices=-com2,-com3,fax,00:zz.9 mint.ask_ms=3600001 "
                "mint.move_ms=0 mint.lost_ms=4294967295 mint.start_ms=999 "
                "mint.log mint.log=64Kx mint.shared=17592186044417M",
         env="MINT_BAD='64M@ junk 1@1 x 9-2 fax 00:zz.9 3600001 0 4294967295 999 "
             "64Kx 17592186044417M'"),
    Spec("stock", [stock_boot, stock_reboot, stock_crash],
         append="crashkernel=256M"),
    # The crash kernel does not lead back.
    Spec("stock-load", [stock_crash_load], append="crashkernel=256M"),
    # What users get: no provoke, no suites of KUnit, nothing of test.config.
    Spec("user", [user_kernel, "launch.sh one_core two_cores again",
                  three_nodes],
         append=NODE0, kernel="user"),
    Spec("ends", ["cores.sh", Watched("ends.sh", ends.outside_before,
                                      ends.outside_after),
                  "next_image.sh", "list.sh"],
         smp="5", append=NODE0, limit=1800, env="MINT_CORNERS=1"),
    Spec("stop", ["stop.sh", "load.sh", "reboot.sh", "giveback.sh", "leave.sh",
                  ends.sleep_in_successor, ends.quarantine, ends.forged,
                  ends.quarantine_after_panic, ends.scrub, ends.stall,
                  ends.node0_pauses],
         smp="5", append=NODE0),
    Spec("move", ["move.sh"], smp="6", append=NODE0, limit=1800,
         env="MINT_CORNERS=1"),
    Spec("fuzz", ["fuzz.sh", "soak.sh"], smp="5", append=NODE0),
    Spec("words", ["log.sh", "terminal.sh"], append=NODE0),
    Spec("tool", ["mintctl.sh"], append=NODE0),
    Spec("again", [reboot_of_node0, ends.leave_when_alone,
                   ends.reboot_with_all_kinds, ends.leave_at_once], append=NODE0),
    # Node 0 does not come back, so each is the machine's last test.
    Spec("panic", [ends.panic_of_node0], append=NODE0 + " panic=0",
         allow=CRASH),
    Spec("panic-restart", [ends.panic_of_node0], append=NODE0 + " panic=1",
         allow=CRASH),
    # On the host: none of it gets as far as the kernel.
    Spec("scripts", [Program("check_unit",
                             [os.path.join(TESTS, "check_unit.py")], 60),
                     Program("check_docs",
                             [os.path.join(TESTS, "check_docs.py")], 60)]),
    Spec("tools", [Program("mintctl",
                           ["make", "-s", "-C", TOOLS,
                            "O=" + os.path.join(qemu.BUILD, "mintctl"), "check"], 300)]),
    Spec("kexec", [Program("kexec_options",
                           ["sh", os.path.join(SELFTESTS, "kexec_options.sh"),
                            os.path.join(qemu.OUT, "kexec"),
                            os.path.join(qemu.OUT, "bzImage")], 120)]),
    Spec("packages", [Program("check_deb",
                              [os.path.join(TESTS, "check_deb.py")], 600)]),
    # A machine of its own, with what kselftest installs.
    Spec("kselftest", [Program("check_kselftest",
                               [os.path.join(TESTS, "check_kselftest.py")],
                               900, boots=True)]),
    # Machines of their own, one after the other; see there.
    Spec("demos", [Program("check_demos",
                           [os.path.join(TESTS, "check_demos.py")], 1300,
                           boots=True)]),
    # Only built here, beside the builds of the series; "distro" runs them.
    Spec("images", [Program("check_distro",
                            [os.path.join(TESTS, "check_distro.py"), "images"],
                            1500)]),
    Spec("distro", [Program("check_distro",
                            [os.path.join(TESTS, "check_distro.py"),
                             "beside", "first"], 2400, boots=True)]),
    # Those that take minutes come before those that take seconds: while the last one
    # runs, the other place is empty.
] + (check_links.machines(Spec, NODE0, CRASH)
     + check_machines.machines(Spec, NODE0, three_nodes, kaslr, CRASH)
     + check_devices.machines(Spec, NODE0) + check_lines.machines(Spec, NODE0)
     + check_pci.machines(Spec, NODE0) + check_platform.machines(Spec, NODE0))

# Builds, so it runs before the machines and beside none of them.
SERIES = Spec("series", [Program("check-prefixes",
                                 [os.path.join(qemu.TOP, "scripts",
                                               "check-prefixes")], 3600)])


def soak(rounds):
    """The machines of `make soak`, in place of the others."""
    stress = ("soak", "stress-ng")
    return [
        Spec("soak", ["soak.sh"], append=NODE0, env="MINT_ROUNDS=%d" % rounds,
             limit=120 + 30 * rounds),
        Spec("soak-cores", ["move.sh at_random"], smp="6", append=NODE0,
             env="MINT_MOVES=%d" % (2 * rounds), programs=stress, size=256,
             limit=600 + 10 * rounds),
        Spec("soak-memory", ["move_memory.sh at_random"], memory="3G",
             append=NODE0, env="MINT_MOVES=%d" % (2 * rounds // 5), programs=stress,
             size=256, limit=600 + 10 * rounds),
    ] + check_links.soak(Spec, NODE0, rounds)
