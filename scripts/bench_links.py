# SPDX-License-Identifier: GPL-2.0
"""What a link between two nodes does.

This file owns the benchmark `links` of scripts/bench: what is measured, on which
machines. A stream and round trips of TCP from node 0 to a successor, each with one
core, and the same between two namespaces of one stock kernel, by veth, with a core
for either end. Then what the successor's disk does for it, and for node 0. In the
long form also a virtual machine in the successor's place: virtio-net, by vhost.
"""

import os
import re
import shutil

import cpio
import machine as qemu
import serving
from helpers import BIN
from machine import MachineError, in_share
from nodes import UP, Nodes

STREAM_MIB = {"icount": 64}
TRIPS = 2000
READS = 1000
RUNS = 3
# A stream of so much counts bells, and as many packets as an Ethernet would need
LOADED_MIB = 32
SEGMENT = 1448
# Seconds after which a link is idle: neighbours are looked up once more before
# that. For so long it is then watched.
SETTLE, IDLE = 15, 10
PORT = 9
PROGRAM = "talk_speed"

# BusyBox cannot name the other end: the kernel calls it veth0.
VETH = """
set -e
cp %s /tmp
ip link add near type veth
unshare -n sh -c 'echo $$ >/tmp/pid
	until ip link show veth0 >/dev/null 2>&1; do usleep 20000; done
	ip addr add 10.9.0.2/30 dev veth0; ip link set veth0 up
	exec taskset 2 /tmp/%s serve %d' >/dev/null 2>&1 &
until [ -s /tmp/pid ]; do usleep 20000; done
ip link set veth0 netns $(cat /tmp/pid)
ip addr add 10.9.0.1/30 dev near
ip link set near up
until ping -c 1 -W 1 10.9.0.2 >/dev/null 2>&1; do usleep 20000; done
"""


# What a guest does: as mint.test= in its initrd
GUEST = """#!/bin/sh
ip addr add 10.8.0.2/30 dev eth0
ip link set eth0 up
exec /bench/%s serve %d
"""

# -xsave as in the benchmark boot; the guest gets the second core. With PCI, as
# virtio-net is used: a microVM of this QEMU has none that the kernel finds. The
# frequency of the TSC is given to the guest: its timers there are too slow to
# find it.
VM = """
set -e
cp -a %(root)s /tmp/root
mkdir -p /tmp/root/dev /tmp/root/proc /tmp/root/tmp
mount --bind /dev /tmp/root/dev
mkdir -p /dev/net
[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
taskset 2 chroot /tmp/root /usr/bin/qemu-system-x86_64 \\
	-M q35 -accel kvm -cpu host,-xsave -m 192 -smp 1 -nodefaults \\
	-no-user-config -display none -no-reboot -L / -kernel /bzImage -initrd /links \\
	-append 'console=ttyS0 quiet %(tsc)s mint.test=/bench/guest mint.shell=0' \\
	-netdev tap,id=net,ifname=tap0,script=no,downscript=no,vhost=on \\
	-device virtio-net-pci,netdev=net,romfile= \\
	-serial stdio </dev/null >/tmp/vm.out 2>&1 &
i=0
until [ -e /sys/class/net/tap0 ]; do
	usleep 100000
	i=$((i + 1))
	[ $i -lt 600 ]
done
ip addr add 10.8.0.1/30 dev tap0
ip link set tap0 up
i=0
until ping -c 1 -W 1 10.8.0.2 >/dev/null 2>&1; do
	i=$((i + 1))
	[ $i -lt 300 ]
done
"""


def numbers(text):
    """The lines that are a number."""
    return [int(line) for line in text.splitlines() if re.fullmatch(r"\d+", line)]


def measured(results, repeat, variant, machine, address, before=""):
    """A stream and round trips, each several times; the first of all is not kept."""
    mib = STREAM_MIB.get(results.accel, 256)
    for what, count, runs in (("stream", mib // 8, 1), ("stream", mib, RUNS),
                              ("trips", TRIPS, RUNS)):
        for index in range(runs):
            found = numbers(machine.sh("%s /tmp/%s %s %s %d %d" % (
                before, PROGRAM, what, address, PORT, count), 600))
            if len(found) != 1:
                raise MachineError("%s: no time of a %s" % (variant, what))
            if runs == RUNS:
                results.add(repeat, variant, what, found[0] / count, "ns",
                            index=index)


def veth(results, repeat, initrd):
    """Two namespaces of a kernel without Mint."""
    with results.machine("links-veth", "quiet", smp="2", memory="1G",
                         initrd=initrd) as machine:
        machine.wait_for(UP, timeout=120)
        machine.sh(VETH % (in_share(os.path.join(BIN, PROGRAM)), PROGRAM, PORT), 60)
        measured(results, repeat, "veth", machine, "10.9.0.2", "taskset 1")
        machine.power_off()


class Bells:
    """Interrupts that two nodes have taken from the other, and frames between them."""

    def __init__(self, machine, node):
        self.machine = machine
        self.frames = "cat /sys/class/net/mint%d/statistics/?x_packets" % node

    def now(self):
        """(interrupts, frames) so far."""
        rows = [self.machine.sh("sed -n 's/^ *PLT: *//p' /proc/interrupts", 60, port)
                for port in (None, "com2")]
        return (sum(int(word) for row in rows for word in row.split()
                    if word.isdigit()),
                sum(numbers(self.machine.sh(self.frames, 60))))


def link(results, repeat, initrd):
    """Node 0 and a successor that has a disk."""
    disk = os.path.join(qemu.OUT, "vmlinux")
    with results.machine(
            "links", "mint.mem=512M@0 maxcpus=1 mint.devices=-com2,-00:05.0 quiet",
            smp="2", memory="1G", initrd=initrd,
            devices=["virtio-blk-pci,addr=05.0,drive=disk"],
            extra=["-drive", "if=none,id=disk,format=raw,snapshot=on,file=" + disk]
            ) as machine:
        nodes = Nodes(machine)
        nodes.active()
        machine.sh("cp %s /tmp" % in_share(os.path.join(BIN, PROGRAM)), 60)
        node = nodes.launch(1, 192, "console=ttyS1 quiet", devices="com2,00:05.0")
        nodes.wait_up("com2")
        machine.sh("/bench/%s serve %d >/dev/null 2>&1 &" % (PROGRAM, PORT), 30,
                   "com2")
        for port in (None, "com2"):
            machine.sh("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6", 30, port)
        machine.sh(serving.serve(node), 60, "com2")
        machine.sh(serving.use(0, node), 120)
        local = numbers(machine.sh(
            "for i in 1 2 3; do /bench/%s reads /dev/vda %d; done" % (PROGRAM, READS),
            600, "com2"))
        served = numbers(machine.sh(
            "for i in 1 2 3; do /tmp/%s reads /dev/nvme0n1 %d; done" % (
                PROGRAM, READS), 600))
        for variant, found in (("local", local), ("served", served)):
            for index, value in enumerate(found):
                results.add(repeat, variant, "read", value / READS, "ns", index=index)
        machine.sh(serving.LEAVE, 60)
        # A link is measured without a bridge, as veth is.
        machine.sh("ip link set mint0 nomaster; ip addr add 10.0.1.2/30 dev mint0",
                   30, "com2")
        machine.sh("ip addr add 10.0.1.1/30 dev mint%d" % node, 30)
        bells = Bells(machine, node)
        measured(results, repeat, "link", machine, "10.0.1.2")
        before = bells.now()
        machine.sh("/tmp/%s stream 10.0.1.2 %d %d" % (PROGRAM, PORT, LOADED_MIB), 600)
        loaded = bells.now()
        results.add(repeat, "link", "bells", loaded[0] - before[0], "bells")
        results.add(repeat, "link", "frames", loaded[1] - before[1], "frames")
        results.add(repeat, "link", "packets", (LOADED_MIB << 20) / SEGMENT, "packets")
        machine.sh("sleep %d" % SETTLE, 120)
        before = bells.now()
        machine.sh("sleep %d" % IDLE, 120)
        results.add(repeat, "idle", "bells", bells.now()[0] - before[0], "bells")
        nodes.stop(node)
        machine.power_off()


def guest(results, repeat, kernel, root, tsc):
    """A virtual machine in a kernel without Mint's parameters, by KVM there."""
    with results.machine("links-guest", "quiet", smp="2", memory="2G",
                         kernel=kernel) as machine:
        machine.wait_for(UP, timeout=120)
        machine.sh("cp %s /tmp" % in_share(os.path.join(BIN, PROGRAM)), 60)
        machine.sh(VM % {"root": in_share(root), "tsc": tsc}, 900)
        measured(results, repeat, "guest", machine, "10.8.0.2", "taskset 1")
        machine.sh("kill $(pidof qemu-system-x86_64)", 30)
        machine.power_off()


def links(results, initrd, vm=None):
    """All, as often as asked for.

    vm: a kernel with KVM, a root with QEMU, and what a guest's command line says of
    the TSC.
    """
    path = os.path.join(os.path.dirname(initrd), "links.cpio.lzo")
    with open(os.path.join(BIN, PROGRAM), "rb") as file:
        cpio.append(initrd, path, {"bench/" + PROGRAM: file.read(),
                                   "bench/guest": (GUEST % (PROGRAM, PORT)).encode()})
    if vm:
        shutil.copy(path, os.path.join(vm[1], "links"))
    for repeat in range(1, results.repeats(1) + 1):
        results.attempt("links: veth", veth, results, repeat, path)
        results.attempt("links: link", link, results, repeat, path)
        if vm:
            results.attempt("links: guest", guest, results, repeat, *vm)
