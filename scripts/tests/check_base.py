# SPDX-License-Identifier: GPL-2.0
"""Tests of what every node does: starts, sees what is its own, and ends.

Topics of their own have files of their own; table.py has the machines.
"""

import os
import re
import shlex
import time

import check_devices
import check_ends as ends
import machine as qemu
from check_ends import FOREIGN
from helpers import BIN, SELFTESTS
from machine import in_share
from nodes import SYSFS, UP, Refused, Up
from verdict import Failed, expect, expects

# Complaints of a kernel that is made to crash
CRASH = "sysrq triggered crash"


def three_nodes(b):
    """Three nodes at once, each with its cores, memory and boot ID."""
    before = b.state()
    ups = [b.up]
    expect(b.up.node == "0", "Mint is not active in node 0")
    one, up = b.launch_on("com2", 2)
    expect(up.cpus == 2, "node %d has %d CPUs, not 2", one, up.cpus)
    ups.append(up)
    two, up = b.launch_on("com3", 1)
    expect(up.cpus == 1, "node %d has %d CPUs, not 1", two, up.cpus)
    ups.append(up)
    for up in ups[-2:]:
        expect(b.spec.size // 2 <= up.mem <= b.spec.size,
               "node %s sees %d MiB of %d", up.node, up.mem, b.spec.size)
    expect(len({up.boot_id for up in ups}) == len(ups),
           "boot IDs are not unique")
    for _ in range(3):
        b.nodes.beats([0, one, two])
    for port, up in (("com2", ups[-2]), ("com3", ups[-1])):
        now = b.m.read("/proc/sys/kernel/random/boot_id", port)
        expect(now == up.boot_id, "%s: boot ID %s, was %s", port, now,
               up.boot_id)
        ids = b.m.sh("sed -n 's/^apicid[^0-9]*//p' /proc/cpuinfo", 30, port)
        expect([int(i) for i in ids.split()]
               == b.nodes.cores()["node " + up.node],
               "%s runs on APIC IDs %s", port, ids.split())
    b.stop_all()
    b.nodes.poll(lambda: b.state() == before, 20, "state as before")


def date(b):
    """The date is right in a successor."""
    b.launch_on("com2", 1)
    early = time.time()
    there = int(b.m.sh("date +%s", 30, "com2"))
    late = time.time()
    expect(early - 3 <= there <= late + 3,
           "the successor's clock says %d, it is between %d and %d",
           there, early, late)


def pins(b):
    """No pin of others changes, nor is it written, from launch to end."""
    # COM2's own pin, and the line that COM2 and COM4 share.
    mine = 3
    before = b.m.ioapic()
    owners = b.nodes.pins()
    with b.trace("ioapic_mem_write", "pic_ioport_write") as trace:
        one, _ = b.launch_on("com2", 2)
        two, _ = b.launch_on("com3", 1)
        during = b.m.ioapic()
        expect(b.nodes.pins().get("node %d" % one) == [mine],
               "pins: %s", b.nodes.pins())
        b.stop_all()
    after = b.m.ioapic()
    for pin, line in enumerate(before):
        if pin != mine:
            expect(during[pin] == line, "pin %d was %r, is %r", pin, line,
                   during[pin])
        expect(after[pin] == line, "pin %d was %r, is %r after the end", pin,
               line, after[pin])
    expect(b.nodes.pins() == owners, "pins: %s, before: %s", b.nodes.pins(),
           owners)
    for line in trace.lines:
        expect(not line.startswith("pic_"), "the 8259 was written: %s", line)
        # regsel is the index register: 0x10 + 2 * pin, low and high half.
        match = re.search(r"addr 0x10 regsel: 0x([0-9a-f]+)", line)
        if match:
            pin = (int(match.group(1), 16) - 0x10) // 2
            expect(pin == mine, "pin %d was written: %s", pin, line)
    expect(trace.lines, "the trace saw nothing: is the test blind?")


def pci_config(b):
    """No byte of PCI configuration changes, nor is it written."""
    functions = b.m.pci_functions()
    expect(len(functions) > 3, "too few functions: %s", functions)
    expect(b.m.pci_config(functions[0], words=1)[0] not in (0, 0xffffffff),
           "no ECAM where this test looks for it")
    before = {f: b.m.pci_config(f, words=1024) for f in functions}
    with b.trace("pci_cfg_write") as trace:
        b.launch_on("com2", 2)
        b.launch_on("com3", 1)
        b.stop_all()
    # Is the trace blind? Node 0 writes the screen's interrupt line as it is.
    with b.trace("pci_cfg_write") as control:
        b.m.sh("f=/sys/bus/pci/devices/0000:00:01.0/config; dd if=$f "
               "of=/tmp/line bs=1 skip=60 count=1 && dd if=/tmp/line of=$f "
               "bs=1 seek=60 conv=notrunc")
    expect(control.lines, "the trace did not see node 0 write")
    for function in functions:
        after = b.m.pci_config(function, words=1024)
        for i, (old, new) in enumerate(zip(before[function], after)):
            expect(old == new, "%02x:%02x.%x at 0x%x: %08x, was %08x",
                   *function, 4 * i, new, old)
    expect(not trace.lines, "written: %s", trace.lines[:3])


# Devices that are node 0's alone, as QEMU calls their registers.
REGISTERS = ("i8042-data", "i8042-cmd", "port92", "pic", "elcr", "pit", "pcspk",
             "hpet", "rtc", "acpi-evt", "acpi-cnt", "acpi-tmr", "acpi-gpe0",
             "vga", "vga-lowmem", "vga ioports remapped", "vbe")
# Those that a stock kernel uses when it boots, or ends for the next one.
STOCK_REGISTERS = ("i8042-data", "i8042-cmd", "pic", "hpet", "rtc", "acpi-evt",
                   "vga")
ACCESSES = ("memory_region_ops_read", "memory_region_ops_write")


def hands_off(b):
    """A successor without devices touches no device of node 0, to its end."""
    with b.trace(*ACCESSES) as trace:
        node = b.launch(2)
        cores = b.nodes.cores()["node %d" % node]
        b.nodes.wait_state(node, "running")
        b.nodes.beats([node])
        b.stop_all()
        node = b.launch(1)
        b.nodes.wait_state(node, "running")
        b.m.sh("echo park >%s/nodes/%d/stop" % (SYSFS, node))
        b.nodes.wait_over(node)
        b.launched = []
        # Is the trace blind? Node 0 has the clock read.
        b.m.sh("hwclock -r")
    found = check_devices.accesses(trace, *REGISTERS)
    expect(0 in found.get("rtc", ()), "the trace did not see node 0: %s", found)
    for name, users in found.items():
        expect(users <= {0, -1}, "%s was touched by cores %s; node %d had %s",
               name, sorted(users), node, cores)


# Writes to a local APIC, as QEMU 7.2 calls them and as QEMU 10 does: by address,
# and by number of the register. Neither knows the other's name, and says so.
APIC_WRITES = ("apic_mem_writel", "apic_register_write")


def ipi_storm(b):
    """TLB flushes and sysrq-l in one node reach no core of another."""
    one, _ = b.launch_on("com2", 2)
    two, _ = b.launch_on("com3", 1)
    before = b.counts(), b.counts("com3")
    with b.trace(*APIC_WRITES) as trace:
        out = b.m.sh("sh /test/storm.sh 2", 60, "com2")
    expect("NMIs" in out, "no storm: %s", out)
    after = b.counts(), b.counts("com3")
    for who, old, new in zip(("node 0", "node %d" % two), before, after):
        for row in FOREIGN:
            expect(new.get(row, 0) == old.get(row, 0),
                   "%s got %d x %s", who, new.get(row, 0) - old.get(row, 0),
                   row)
    b.nodes.beats([0, one, two])
    shorthands(trace)


def shorthands(trace):
    """No command of the trace went to all, or to all but the sender."""
    commands = 0
    for line in trace.lines:
        match = re.search(r"0x([0-9a-f]+) = 0x([0-9a-f]+)", line)
        register, value = (int(x, 16) for x in match.groups())
        if line.startswith("apic_mem_writel"):
            register = register >> 4 & 0xff
        if register == 0x30:
            commands += 1
            expect(value >> 18 & 3 < 2, "shorthand to all: %s", line)
            expect(not value & 0x800, "logical destination: %s", line)
        if register == 0x31:
            expect(value >> 24 != 0xff, "broadcast: %s", line)
    expect(commands, "the trace saw no command: is the test blind?")


def storm_in_node0(b):
    """The same in node 0, with two cores: no successor gets anything."""
    one, _ = b.launch_on("com2", 1)
    before = b.counts("com2")
    share = in_share(BIN, b.m.share)
    selftests = in_share(SELFTESTS, b.m.share)
    with b.trace(*APIC_WRITES) as trace:
        b.m.sh("cp %s/storm.sh %s/tlb_storm /tmp && sh /tmp/storm.sh 2" % (
            shlex.quote(selftests), shlex.quote(share)), 90)
    after = b.counts("com2")
    for row in FOREIGN:
        expect(after.get(row, 0) == before.get(row, 0), "node %d got %d x %s",
               one, after.get(row, 0) - before.get(row, 0), row)
    b.nodes.beats([0, one])
    shorthands(trace)


def boot_shorthands(b):
    """From launch to end, further cores included, nobody broadcasts."""
    with b.trace(*APIC_WRITES) as trace:
        b.launch_on("com2", 3)
        b.stop_all()
    shorthands(trace)


def lent_functions(b):
    """Lent PCI functions work in the successor, and it sees no others."""
    # e1000 with its line (INTx), virtio-rng with MSI-X: see the machine.
    lent = ["0000:00:04.0", "0000:00:05.0"]
    for dev in lent:
        b.m.sh("[ ! -e /sys/bus/pci/devices/%s/driver ] || echo %s >"
               "/sys/bus/pci/devices/%s/driver/unbind" % (dev, dev, dev))
    others = [f for f in b.m.pci_functions() if f[1] not in (4, 5)]
    before = {f: b.m.pci_config(f) for f in others}
    node, _ = b.launch_on("com2", 1, devices=",".join(lent))
    seen = b.m.sh("ls /sys/bus/pci/devices", 30, "com2").split()
    expect(seen == lent, "the successor sees %s, not %s", seen, lent)
    b.m.sh("ip link set lo up; ip addr add 10.0.2.15/24 dev eth0 && "
           "ip link set eth0 up && i=0 && until ping -c 1 -W 1 10.0.2.2; do "
           "i=$((i + 1)); [ $i -lt 20 ] || exit 1; done", 60, "com2")
    b.m.sh("dd if=/dev/hwrng of=/dev/null bs=64 count=1", 30, "com2")
    rows = b.m.read("/proc/interrupts", "com2")
    expect("eth0" in rows, "no interrupt of eth0: %s", rows)
    b.nodes.beats([0, node])
    b.stop_all()
    for function in others:
        expect(b.m.pci_config(function) == before[function],
               "configuration of %02x:%02x.%x changed" % function)
    # Node 0 can have them back.
    b.m.sh("echo %s >/sys/bus/pci/drivers_probe && "
           "[ -e /sys/bus/pci/devices/%s/driver ]" % (lent[0], lent[0]))


def disk_behind_bridge(b):
    """A disk behind a root port: data survive, the bridge is not written."""
    disk, bridge = "0000:01:00.0", (0, 6, 0)
    b.m.sh("[ ! -e /sys/bus/pci/devices/%s/driver ] || echo %s >"
           "/sys/bus/pci/devices/%s/driver/unbind" % (disk, disk, disk))
    before = b.m.pci_config(bridge)
    node, _ = b.launch_on("com2", 2, devices=disk)
    seen = b.m.sh("ls /sys/bus/pci/devices", 30, "com2").split()
    expect(seen == ["0000:00:06.0", disk], "the successor sees %s", seen)
    b.m.sh("[ ! -e /sys/bus/pci/devices/0000:00:06.0/driver ]", 30, "com2")
    b.m.sh("dd if=/dev/urandom of=/tmp/a bs=1M count=4 && "
           "dd if=/tmp/a of=/dev/vda bs=1M && sync && "
           "echo 3 >/proc/sys/vm/drop_caches && "
           "dd if=/dev/vda of=/tmp/b bs=1M count=4 && "
           "cmp /tmp/a /tmp/b", 60, "com2")
    digest = b.m.sh("md5sum </tmp/a", 30, "com2").split()[0]
    status, text = b.m.run("echo %s >/sys/bus/pci/drivers/virtio-pci/bind"
                           % disk)
    expect(status, "node 0 binds a driver to what is lent: %s", text)
    b.nodes.beats([0, node])
    b.stop_all()
    expect(b.m.pci_config(bridge) == before, "the bridge has changed")
    b.m.sh("echo %s >/sys/bus/pci/drivers_probe" % disk)
    again = b.m.sh("dd if=/dev/vda bs=1M count=4 2>/dev/null | md5sum")
    expect(digest in again, "node 0 reads %s, written was %s", again, digest)


def crowd(b):
    """As many one-core successors as there are free cores, all at once."""
    before = b.state()
    found = []
    while b.nodes.cores().get("free"):
        found.append(b.launch(1, mib=128))
    expect(len(found) == 7, "%d successors, 7 expected", len(found))
    for node in found:
        b.nodes.wait_state(node, "running")
    for _ in range(3):
        b.nodes.beats([0] + found)
    b.stop_all()
    b.nodes.poll(lambda: b.state() == before, 20, "state as before")


def more_than_known(b):
    """More cores than node 0's kernel is configured for: it lends the others."""
    known = int(re.search(r"^CONFIG_NR_CPUS=(\d+)$", b.m.sh(
        "zcat /proc/config.gz"), re.M).group(1))
    expect(known < int(b.spec.smp), "%s cores are none too many", b.spec.smp)
    cores = b.nodes.cores()
    expect(cores == {"node 0": [0], "free": list(range(1, known)), "bsp": [0]},
           "cores: %s", cores)
    before = b.state()
    found = {}
    for core in (known - 1, known - 2):
        found[b.launch(1, ids=[core], mib=64, limit=240)] = core
    for node, core in found.items():
        b.nodes.wait_state(node, "running", 240)
        expect(b.nodes.cores()["node %d" % node] == [core], "node %d: %s", node,
               b.nodes.cores())
    b.nodes.beats([0, *found], 120)
    for core in (known, 255):
        try:
            b.launch(1, ids=[core], mib=64)
            expect(False, "APIC ID %d was lent", core)
        except Refused as error:
            expect("APIC ID %d does not exist" % core in str(error),
                   "APIC ID %d: %s", core, error)
    b.nodes.beats([0, *found], 120)
    b.stop_all()
    b.nodes.poll(lambda: b.state() == before, 60, "state as before")


def each_core_starts(b):
    """Every free core is a boot core once."""
    for core in b.nodes.cores()["free"]:
        node = b.launch(1, ids=[core], mib=128)
        b.nodes.wait_state(node, "running")
        expect(b.nodes.cores()["node %d" % node] == [core],
               "node %d: %s", node, b.nodes.cores())
        b.nodes.beats([0, node])
        b.stop_all()


def kaslr(b):
    """Kernels lie where their parameters let them, within their memory."""
    text = b.m.sh("sed -n 's/ : Kernel code//p' /proc/iomem")
    first, last = (int(x, 16) for x in text.strip().split("-"))
    expect(any(lo <= first and last <= hi and who == "node 0"
               for lo, hi, who in b.nodes.memory()),
           "node 0 lies at %s, which it does not own", text)
    fixed = "nokaslr" in b.m.append.split()
    virt = b.m.sh("sed -n 's/ T _text$//p' /proc/kallsyms")
    expect(not fixed or int(virt, 16) == 0xffffffff81000000,
           "nokaslr, but _text is %s", virt)
    places = [] if fixed else [virt]
    for port in ("com2", "com3"):
        append = "nokaslr" if port == "com3" else ""
        virt = text_of_successor(b, port, append)
        if append or "nokaslr" in b.spec.successor:
            expect(int(virt, 16) == 0xffffffff81000000,
                   "%s: nokaslr, but _text is %s", port, virt)
        else:
            places.append(virt)
    # Of about 500 places, two kernels now and then draw the same; five do not.
    while 1 < len(places) < 5 and len(set(places)) == 1:
        b.stop_all()
        places.append(text_of_successor(b, "com2"))
    if len(places) > 1:
        expect(len(set(places)) > 1, "not random: %s", places)


def text_of_successor(b, port, append=""):
    """Launch a successor with a console: the address of its kernel's text."""
    b.launch_on(port, 1, append=append)
    return b.m.sh("sed -n 's/ T _text$//p' /proc/kallsyms", 30, port)


def high_and_low(b):
    """One successor above 4 GiB, one below, both with a console."""
    one, up = b.launch_on("com2", 2, above=True)
    expect(up.mem <= b.spec.size, "node %d sees %d MiB", one, up.mem)
    ram = b.m.sh("grep 'System RAM' /proc/iomem", 30, "com2")
    for line in ram.splitlines():
        expect(int(line.split("-")[0], 16) >= 1 << 32,
               "node %d has RAM at %s", one, line)
    two, _ = b.launch_on("com3", 1, above=False)
    b.nodes.beats([0, one, two])


def stock_boot(b):
    """Without a parameter of Mint, the kernel is a stock one."""
    expect(b.up.node == "-", "node %s without mint.*", b.up.node)
    expect(b.up.cpus == 4, "%d CPUs, not 4", b.up.cpus)
    expect(b.m.run("[ -e %s/version ]" % SYSFS)[0] == 0, "no version")
    left = b.m.sh("ls %s" % SYSFS).split()
    expect(left == ["timing", "version"],
           "there is more than timing and version: %s", left)
    expect("Mint" not in b.m.read("/proc/iomem"), "Mint in /proc/iomem")
    status, text = b.m.run(
        "kexec --mint-cpu=1 --mem-min=0x30000000 --mem-max=0x3fffffff "
        "--initrd=%s %s" % (b.nodes.initrd, b.nodes.image))
    expect(status != 0, "launched without Mint: %s", text)
    expect("mint.mem=" in text, "the refusal names no remedy: %s", text)


def stock_reboot(b):
    """`kexec -l` and `kexec -e` replace this kernel, as they always did."""
    old = b.m.read("/proc/sys/kernel/random/boot_id")
    b.m.sh("kexec -l --initrd=%s --reuse-cmdline %s" % (
        b.nodes.initrd, b.nodes.image), 60)
    b.m.ports["com1"].cursor = b.m.mark("com1")
    status, text = b.m.run("kexec -u && kexec -l --initrd=%s "
                           "--reuse-cmdline %s" % (b.nodes.initrd,
                                                   b.nodes.image))
    expect(status == 0, "kexec -u, kexec -l: %s", text)
    with b.trace(*ACCESSES) as trace:
        b.m.kick("kexec -e")
        up = b.nodes.wait_up("com1", 120)
    expect(up.boot_id != old, "the same kernel: %s", old)
    # What hands_off() sees nobody do is what a stock kernel does.
    found = check_devices.accesses(trace, *REGISTERS)
    for name in STOCK_REGISTERS:
        expect(name in found, "a stock kernel never touches %s: that trace is "
               "blind; seen were %s", name, sorted(found))
    expect(b.m.read("/proc/sys/kernel/random/boot_id") == up.boot_id,
           "another kernel answers")


@expects(CRASH)
def stock_crash(b):
    """A crash kernel that kexec_file_load() loaded is started by a crash."""
    crash(b, "-s")


@expects(CRASH)
def stock_crash_load(b):
    """The same by kexec_load(), which wants to read this kernel."""
    crash(b, "-c")


def crash(b, option):
    """Load a crash kernel with this option of kexec, crash, look at the core."""
    old = b.m.read("/proc/sys/kernel/random/boot_id")
    b.m.sh("kexec %s -p --initrd=%s --append='console=ttyS0 maxcpus=1 irqpoll' "
           "%s" % (option, b.nodes.initrd, b.nodes.image), 60)
    expect(b.m.read("/sys/kernel/kexec_crash_loaded") == "1",
           "no crash kernel is loaded")
    b.m.ports["com1"].cursor = b.m.mark("com1")
    b.m.kick("echo c >/proc/sysrq-trigger")
    up = Up(b.m.wait_for(UP, "com1", 120, fatal=False))
    expect(up.boot_id != old and up.cpus == 1, "boot ID %s, %d CPUs",
           up.boot_id, up.cpus)
    expect(b.m.run("[ -s /proc/vmcore ]", 60)[0] == 0,
           "the crash kernel has no /proc/vmcore")


def reboot_of_node0(b):
    """`kexec -e` in node 0: the successors end first, the next one launches."""
    b.launch_on("com2", 1)
    b.m.sh("kexec -l --initrd=%s --reuse-cmdline %s" % (
        b.nodes.initrd, b.nodes.image), 60)
    b.m.ports["com1"].cursor = b.m.mark("com1")
    b.m.kick("kexec -e")
    b.launched = []
    b.nodes.active()
    node, _ = b.launch_on("com2", 1)
    b.nodes.beats([0, node])


def user_kernel(b):
    """The kernel of `make user-kernel` has nothing that only tests want."""
    config = b.m.sh("zcat /proc/config.gz")
    expect("CONFIG_MINT=y" in config, "it has no Mint")
    for name in ("MINT_PROVOKE", "MINT_KUNIT_TEST"):
        expect("CONFIG_%s=" % name not in config, "it has CONFIG_%s", name)
    node, _ = b.launch_on("com2", 1)
    expect(b.m.run("[ -e /sys/kernel/debug/mint/provoke ]", 30, "com2")[0],
           "node %d has provoke", node)


def warnings_are_found(b):
    """A WARNING of a successor that has no console is found by this program."""
    node = b.launch(1, initrd=b.nodes.initrd)
    b.nodes.wait_state(node, "running")
    log = "%s/nodes/%d/log" % (SYSFS, node)
    b.nodes.poll(lambda: b.m.run("grep -q 'mint: node %d up' %s" % (
        node, log))[0] == 0, 60, "init of node %d" % node)
    expect(not b.nodes.unheard(), "there are complaints already")
    b.m.sh("echo 'echo warn >%s' >/dev/mint%d" % (ends.PROVOKE, node))
    # The last line of a warning; its text comes before the line that is found.
    end = "end trace"
    b.nodes.poll(lambda: b.m.run("grep -q '%s' %s" % (end, log))[0] == 0,
                 30, "warning of node %d" % node)
    found = b.nodes.unheard()
    expect([who for who, _ in found] == ["node %d" % node]
           and re.search(r"WARNING: CPU: .* provoke_warn", found[0][1]),
           "found: %s", found)
    expect(not b.nodes.unheard(), "it is found twice")
    # Once more, to be found by whoever ends this test.
    b.m.sh("echo 'echo warn >%s' >/dev/mint%d" % (ends.PROVOKE, node))
    b.nodes.poll(lambda: b.m.run(
        "[ $(grep -c '%s' %s) = 2 ]" % (end, log))[0] == 0, 30,
                 "second warning of node %d" % node)


@expects("provoke_warn")
def warnings_are_judged(b):
    """With such a warning a test of the host fails, unless it expects it."""
    warnings_are_found(b)
    job = type("Job", (), {"expects": None})
    try:
        b.judge(job, len(b.m.faults))
    except Failed as failure:
        expect("WARNING: CPU" in str(failure), "it fails otherwise: %s", failure)
        return
    expect(False, "nobody minds a warning")


SUITES = os.path.join(qemu.TOP, "mint", "tests")


def kunit(b):
    """Every KUnit suite of mint/tests ran at boot, and all its cases passed."""
    log = b.m.sh("dmesg")
    lines = [re.sub(r"^\[ *\d+\.\d+\](?:\[[^]]*\])? ", "", line)
             for line in log.splitlines()]
    bad = [line.strip() for line in lines if line.strip().startswith("not ok ")]
    expect(not bad, "%s; see %s", bad, b.m.where("com1"))
    passed = set(re.findall(r"^ok \d+ (\S+)$", "\n".join(lines), re.M))
    for name in sorted(os.listdir(SUITES)):
        if name.endswith("_kunit.c"):
            suite = "mint_" + name.removesuffix("_kunit.c")
            expect(suite in passed, "suite %s did not run: %s", suite, passed)
