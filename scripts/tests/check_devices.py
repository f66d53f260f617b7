# SPDX-License-Identifier: GPL-2.0
"""Tests of devices: each kind is used for real, in two nodes at once.

This file owns the machines that exist for their devices, and the tests which
only they can run; scripts/check runs them with all others. Every kind of
device is there twice: a successor has one, node 0 the other. Data are written,
flushed, dropped from the cache, read back and compared; network cards talk to
each other.
"""

import calendar
import os
import re
import struct
import time

import machine as qemu
from verdict import Failed, Skipped, expect
from check_platform import timers_and_ipis
from machine import Limit, in_share
from nodes import SYSFS, Refused


# ---- devices of a node -------------------------------------------------------

# Shell functions for any node: from the name of a PCI function to what the
# kernel made of it.
FUNCTIONS = """
# wait_until <command>..: for ten seconds at the most. That a device is found is
# announced to netlink alone, which no program of the initrd reads, and that a
# process is gone to its parent.
wait_until() {
    i=0
    until "$@"; do
        i=$((i + 1)); [ $i -lt 200 ] || return 1; usleep 50000
    done
}
# look_for <class> <function> [<number>]: of several namespaces, that one
look_for() {
    for e in /sys/$1/*; do
        case $(readlink -f $e) in
        */$2/*)
            [ -n "$3" ] && [ "$(cat $e/nsid)" != $3 ] && continue
            echo ${e##*/}; return 0;;
        esac
    done
    return 1
}
of_device() { wait_until look_for "$@" || { echo "no $*" >&2; return 1; }; }
# A disk is in /sys/block a moment before it can be opened
opens() { (: </dev/$1) 2>/dev/null; }
block() { n=$(of_device block "$@") && wait_until opens $n && echo $n; }
disk() { block $1; }
card() { of_device class/net $1; }
namespace() { block $1 $2; }
# fill <function> <MiB>: random data on its disk, read back; prints the digest
fill() {
    d=$(disk $1) || return 1
    dd if=/dev/urandom of=/tmp/$d.a bs=1M count=$2 2>/dev/null &&
        dd if=/tmp/$d.a of=/dev/$d bs=256k conv=fsync 2>/dev/null &&
        echo 3 >/proc/sys/vm/drop_caches || return 1
    a=$(md5sum </tmp/$d.a)
    b=$(dd if=/dev/$d bs=1M count=$2 2>/dev/null | md5sum)
    rm /tmp/$d.a
    [ "$a" = "$b" ] || { echo "$1 $d: wrote $a, read $b" >&2; return 1; }
    echo $1 ${a%% *}
}
# at_once <command> <function>..: the command for all of them, in parallel
at_once() {
    c=$1; shift; rm -f /tmp/bad.$$
    for f; do $c $f || echo $f >>/tmp/bad.$$ & done
    wait
    [ ! -e /tmp/bad.$$ ]
}
# all_gone <program>: kill its processes; they keep their ports until they are gone
none() { ! killall $1 2>/dev/null; }
all_gone() { wait_until none $1; }
"""


def script(text):
    """The functions above, and a script that uses them."""
    return FUNCTIONS + text


def start(b, name, text, port=None):
    """Begin a script in a node; finish() waits for it."""
    b.m.sh(script("rm -f /tmp/%s.rc; cat >/tmp/%s.sh <<'EOS'\n%s\nEOS\n"
                  "(sh /tmp/%s.sh >/tmp/%s.out 2>&1; echo $? >/tmp/%s.rc) "
                  "</dev/null >/dev/null 2>&1 &" % (
                      name, name, script(text), name, name, name)), 30, port)


def finish(b, name, port=None, limit=120):
    """Wait until a script has ended; return what it printed."""
    def over():
        return b.m.run("[ -s /tmp/%s.rc ]" % name, 30, port)[0] == 0

    b.nodes.poll(over, limit, "end of %s on %s" % (name, port or "node 0"))
    out = b.m.sh("cat /tmp/%s.out; cat /tmp/%s.rc" % (name, name), 30, port)
    lines = out.splitlines()
    expect(lines and lines[-1] == "0", "%s on %s: %s", name, port or "node 0",
           out)
    return lines[:-1]


def seen(b, port):
    """The functions that a successor's lspci lists."""
    return sorted("0000:" + line.split()[0] for line in
                  b.m.sh("lspci", 30, port).splitlines())


# ---- tests --------------------------------------------------------------------

# Of each kind: node 0's function, the successor's.
DISKS = {
    "virtio-blk": ("0000:00:04.0", "0000:00:14.0"),
    "NVMe": ("0000:00:05.0", "0000:01:00.0"),
    "AHCI": ("0000:00:06.0", "0000:05:01.0"),
    "USB": ("0000:00:07.0", "0000:05:02.0"),
}
CARDS = {
    "virtio-net": ("0000:00:08.0", "0000:00:15.0"),
    "e1000e": ("0000:00:09.0", "0000:02:00.0"),
    "e1000": ("0000:00:0a.0", "0000:04:01.0"),
}
RNGS = ("0000:00:0b.0", "0000:04:02.0")
FILL = 4


def disks(b):
    """Four kinds of disk, in a successor and in node 0 at the same time."""
    mine = [pair[0] for pair in DISKS.values()]
    lent = [pair[1] for pair in DISKS.values()]
    unbind(b, *lent)
    node, _ = b.launch_on("com2", 2, devices=",".join(lent))
    above = ["0000:00:10.0", "0000:00:13.0"]
    expect(seen(b, "com2") == sorted(lent + above), "lspci there: %s",
           seen(b, "com2"))
    text = "f() { fill $1 %d; }; at_once f %s"
    for name, who, port in (("there", lent, "com2"), ("here", mine, None)):
        start(b, name, text % (FILL, " ".join(who)), port)
    there = dict(line.split() for line in finish(b, "there", "com2", 240))
    here = dict(line.split() for line in finish(b, "here", None, 240))
    expect(sorted(there) == sorted(lent), "filled there: %s", there)
    expect(sorted(here) == sorted(mine), "filled here: %s", here)
    b.nodes.beats([0, node])
    b.stop_all()
    # Node 0 has them back, with what was written.
    for function, digest in there.items():
        again = b.m.sh(script(
            "echo %s >/sys/bus/pci/drivers_probe; d=$(disk %s) && "
            "dd if=/dev/$d bs=1M count=%d 2>/dev/null | md5sum" % (
                function, function, FILL)), 60)
        expect(digest in again, "%s: node 0 reads %s, written was %s",
               function, again, digest)
        unbind(b, function)


def unbind(b, *functions):
    """Take node 0's drivers off functions."""
    b.m.sh("for f in %s; do d=/sys/bus/pci/devices/$f/driver; "
           "[ ! -e $d ] || echo $f >$d/unbind || exit 1; done"
           % " ".join(functions))


def networks(b):
    """Three kinds of network card: node 0 and a successor talk by each."""
    lent = [pair[1] for pair in CARDS.values()]
    node, _ = b.launch_on("com2", 2, devices=",".join(lent))
    talk(b, [("com2",) + pair for pair in CARDS.values()])
    rows = b.m.read("/proc/interrupts", "com2")
    expect("IO-APIC" in rows, "e1000 has no line of its own: %s", rows)
    b.nodes.beats([0, node])


def address(b, links, mib):
    """Give every card its address, and every node data to send.

    links are (console, node 0's function, the successor's); each is a subnet.
    Returns {console or None: digest of what this node sends}.
    """
    sums = {}
    for who in {None} | {link[0] for link in links}:
        # Cards of an earlier test may be on the same subnet.
        lines = ["ip link set lo up; rm -f /tmp/got.*; "
                 "for c in $(ls /sys/class/net); do [ $c = lo ] || "
                 "{ ip addr flush dev $c; ip link set $c down; }; done"]
        for k, (port, mine, other) in enumerate(links):
            if who not in (None, port):
                continue
            lines.append("c=$(card %s) && ip addr add 10.1.%d.%d/24 dev $c && "
                         "ip link set $c up || exit 1" % (
                             other if who else mine, k, 2 if who else 1))
        lines.append("mkdir -p /tmp/www && dd if=/dev/urandom "
                     "of=/tmp/www/data bs=1M count=%d 2>/dev/null && "
                     "md5sum </tmp/www/data; all_gone httpd && "
                     "httpd -h /tmp/www" % mib)
        sums[who] = b.m.sh(script("\n".join(lines)), 60, who).split()[0]
    return sums


# get <name> <subnet> <number>: what the node with this number there sends. A card needs
# a while until it has its link: before the next try, ping waits for an answer from there,
# for a second at the most. Who gives up says what it saw.
GET = "GET_FOR=%d\n" % (100 * qemu.SLOW) + r"""
seconds() { read -r now _ </proc/uptime; now=${now%.*}; }
get() {
    at=10.1.$2.$3 tries=0
    seconds; end=$((now + GET_FOR))
    until why=$(wget -T 20 -O /tmp/got.$1.$2 http://$at/data 2>&1); do
        tries=$((tries + 1)); seconds
        [ $now -lt $end ] || break
        ping -c 1 -W 1 $at >/dev/null 2>&1
    done
    [ $now -ge $end ] || return 0
    echo "$tries tries: $why"; ping -c 1 -W 1 $at 2>&1
    ip -s addr; cat /proc/net/arp
    return 1
}
"""


def talk_begin(b, links, name="talk"):
    """All nodes fetch what the other side of each link sends.

    Who talks to a node that has gone may try on for a while, so each name has files
    of its own.
    """
    for who in {None} | {link[0] for link in links}:
        subnets = " ".join(str(k) for k, link in enumerate(links)
                           if who in (None, link[0]))
        start(b, name, GET + "from() { get %s $1 %d; }\nat_once from %s && "
              "for k in %s; do echo $k $(md5sum </tmp/got.%s.$k); done" % (
                  name, 1 if who else 2, subnets, subnets, name), who)


def talk_end(b, links, sums, limit=240):
    """What all have fetched is what was sent."""
    for who in {None} | {link[0] for link in links}:
        for line in finish(b, "talk", who, limit):
            k, digest = line.split()[:2]
            sent = sums[None if who else links[int(k)][0]]
            expect(digest == sent, "%s on link %s: got %s, sent was %s",
                   who or "node 0", k, digest, sent)
    b.m.sh("killall httpd")


def talk(b, links, mib=2):
    """Exchange data on all links, both ways at once, and compare."""
    sums = address(b, links, mib)
    talk_begin(b, links)
    talk_end(b, links, sums)


def rngs(b):
    """virtio-rng in both, and the bridges above them are not written."""
    def bridges():
        """Both bridges, without the command, which lets them forward."""
        words = [b.m.pci_config(f) for f in ((0, 0x12, 0), (3, 0, 0))]
        return [w[:1] + w[2:] for w in words]

    before = bridges()
    node, _ = b.launch_on("com2", 1, devices=RNGS[1])
    expect(seen(b, "com2") == sorted(["0000:00:12.0", "0000:03:00.0",
                                      RNGS[1]]),
           "lspci there: %s", seen(b, "com2"))
    for port in ("com2", None):
        b.m.sh("grep -q virtio /sys/class/misc/hw_random/rng_current && "
               "dd if=/dev/hwrng of=/dev/null bs=64 count=4", 30, port)
    b.nodes.beats([0, node])
    b.stop_all()
    expect(bridges() == before, "a bridge has changed")


def accesses(trace, *names):
    """{name: APIC IDs of the cores that accessed this region}."""
    found = {}
    for line in trace.lines:
        match = re.search(r" cpu (-?\d+) .* name '([^']*)'", line)
        if match and match.group(2) in names:
            found.setdefault(match.group(2), set()).add(int(match.group(1)))
    return found


def no_ports(b):
    """With ECAM, no core of a successor uses CF8/CFC from launch to end."""
    with b.trace("memory_region_ops_write") as trace:
        b.launch_on("com2", 2, devices="00:14.0")
        b.stop_all()
        b.m.sh("lspci >/dev/null")
    found = accesses(trace, "pci-conf-idx", "pci-conf-data")
    expect(found.get("pci-conf-idx") == {0}, "cores at the ports: %s", found)


# A port, and what is behind it. Node 0 has no driver for that.
PORT = ("0000:00:11.0", "0000:02:00.0")


def power(b, device):
    """What runtime power management says of a function."""
    return b.m.read("/sys/bus/pci/devices/%s/power/runtime_status" % device)


def let_sleep(b, control):
    """Choose "auto" or "on" for the port and what is behind it."""
    b.m.sh("cd /sys/bus/pci/devices && for f in %s %s; do "
           "echo %s >$f/power/control || exit 1; done" % (PORT + (control,)))


def suspended(b):
    """For how long the port has slept in all, in ms."""
    return int(b.m.read("/sys/bus/pci/devices/%s/power/runtime_suspended_time"
                        % PORT[0]))


def wait_asleep(b):
    """The port goes to sleep when nobody behind it needs it."""
    b.nodes.poll(lambda: power(b, PORT[0]) == "suspended", 30,
                 "sleeping port")


def named_by_place(b):
    """Functions by slot and by port; marked, not bindable, bridges awake."""
    want = ["0000:00:14.0", "0000:00:15.0", "0000:02:00.0", "0000:04:01.0",
            "0000:04:02.0"]
    path = "/sys/bus/pci/devices/"
    unbind(b, *want)
    let_sleep(b, "auto")
    wait_asleep(b)
    b.m.sh("dmesg -c >/dev/null")
    node, _ = b.launch_on(
        "com2", 1, devices="00:14,0000:00:15.*,00:11.0/*,00:12.0/*")
    got = b.nodes.file(node, "devices").split()
    expect(sorted(got) == sorted(want + ["com2"]), "it has %s", got)
    marked = b.m.sh("cd %s; grep . */mint_node" % path).split()
    expect(sorted(marked) == sorted("%s/mint_node:%d" % (f, node)
                                    for f in want), "marked: %s", marked)
    for function in want:
        status, text = b.m.run("echo %s >/sys/bus/pci/drivers_probe; "
                               "[ ! -e %s%s/driver ]" % (function, path,
                                                         function))
        expect(not status, "%s is bound in node 0: %s", function, text)
    log = b.m.sh("dmesg")
    expect("%s: lent to node %d, not bound" % (want[0], node) in log,
           "no reason for not binding in the log: %s", log)
    # Its own delay is as long as the time between two heartbeats.
    slept = suspended(b)
    for _ in range(5):
        b.nodes.beats([0, node])
    expect(suspended(b) == slept, "%s slept meanwhile", PORT[0])
    for device in PORT + ("0000:00:12.0", "0000:03:00.0"):
        expect(power(b, device) == "active", "%s is %s", device,
               power(b, device))
    b.stop_all()
    log = b.m.sh("dmesg")
    resets = {}
    for function in want:
        found = re.findall(r"%s: (lent to node \d+|taken back), bus master "
                           r"off, reset: (\w+)" % re.escape(function), log)
        expect(len(found) == 2, "%s: hand-overs in the log: %s", function,
               found)
        resets[function] = found[0][1]
    # What each offers, and the function is used for.
    expect(resets["0000:00:14.0"] == "flr" or resets["0000:02:00.0"] in (
        "flr", "bus", "pm"), "no reset at all: %s", resets)
    expect(b.m.run("ls %s*/mint_node" % path)[0], "still marked")
    wait_asleep(b)
    let_sleep(b, "on")


# The physical function; virtual ones, their numbers and their namespaces. The
# eighth lies in the next slot, which a port usually does not have.
PHYSICAL = "0000:01:00.0"
VIRTUAL = {"com2": ("0000:01:00.1", 1, 2), "com3": ("0000:01:01.0", 8, 3)}


def own_namespace(number):
    """fill() and disk() shall use this namespace."""
    return "disk() { namespace $1 %d; }\n" % number


def digest_of(b, function, number, port=None):
    """The digest of what fill() has written to a namespace."""
    return b.m.sh(script(
        "echo 3 >/proc/sys/vm/drop_caches; d=$(namespace %s %d) && "
        "dd if=/dev/$d bs=1M count=%d 2>/dev/null | md5sum"
        % (function, number, FILL)), 60, port).split()[0]


def make_virtual(b):
    """Eight virtual functions that no driver takes; two have a controller."""
    path = "/sys/bus/pci/devices/" + PHYSICAL
    share = in_share(os.path.join(qemu.BUILD, "selftests"), b.m.share)
    b.m.sh(script(
        "cp %s/nvme_virtual /tmp && c=/dev/$(of_device class/nvme %s) && "
        "/tmp/nvme_virtual $c release && echo 1 >%s/reset && "
        "echo 0 >%s/sriov_drivers_autoprobe && echo 8 >%s/sriov_numvfs"
        % (share, PHYSICAL, path, path, path)), 60)
    for _, number, _ in VIRTUAL.values():
        b.m.sh(script("/tmp/nvme_virtual /dev/$(of_device class/nvme %s) "
                      "online %d 2" % (PHYSICAL, number)), 30)


def bind_virtual(b, function, bind=True):
    """Have node 0's driver take a virtual function, or leave it."""
    path = "/sys/bus/pci/devices/%s/driver" % function
    if bind:
        b.m.sh("echo nvme >%s_override && echo %s >/sys/bus/pci/drivers_probe "
               "&& [ -e %s ]" % (path, function, path), 60)
    else:
        b.m.sh("echo >%s_override; echo %s >%s/unbind" % (
            path, function, path), 60)


def same_function(b, function, port):
    """A virtual function has the same IDs and addresses here and there."""
    look = ("cd /sys/bus/pci/devices/%s && cat vendor device class "
            "subsystem_vendor subsystem_device && "
            # Addresses; flags say in addition that they are fixed there.
            "head -n 6 resource | cut -d' ' -f1-2" % function)
    here, there = b.m.sh(look), b.m.sh(look, 30, port)
    expect(here == there, "%s: %s here, %s there", function, here, there)
    expect("0xffff" not in there.split()[:2], "%s: %s", function, there)


def virtual(b):
    """Virtual functions in two successors, the physical one in node 0."""
    path = "/sys/bus/pci/devices/"
    make_virtual(b)
    first, last = VIRTUAL["com2"][0], VIRTUAL["com3"][0]
    refused(b, "01:00.0", "driven by nvme", "unbind")
    refused(b, "01:01.5", "not on this machine", "lspci")
    bind_virtual(b, first)
    refused(b, first, "driven by nvme", "unbind")
    bind_virtual(b, first, False)
    # The last one is left out by mint.devices= of this machine.
    b.m.sh("cd %s%s && echo nvme >driver_override && "
           "echo %s >/sys/bus/pci/drivers_probe; [ ! -e driver ] && "
           "echo >driver_override" % (path, last, last))

    nodes = {}
    for port, (function, _, _) in VIRTUAL.items():
        nodes[port], _ = b.launch_on(port, 1, devices=function)
    for port, (function, number, space) in VIRTUAL.items():
        want = ["0000:00:10.0", function]
        expect(seen(b, port) == want, "%s sees %s", port, seen(b, port))
        same_function(b, function, port)
        start(b, "fill", own_namespace(space) + "fill %s %d" % (
            function, FILL), port)
    start(b, "fill", own_namespace(1) + "fill %s %d" % (PHYSICAL, FILL))
    digests = {port: finish(b, "fill", port, 240)[0].split()[1]
               for port in list(VIRTUAL) + [None]}
    for port, (function, _, _) in VIRTUAL.items():
        rows = b.m.sh("grep nvme /proc/interrupts", 30, port)
        expect("MSIX" in rows and "IO-APIC" not in rows, "%s: %s", port, rows)
        count = count_of(b, "nvme", port)
        expect(count > 20, "%s: %d interrupts: %s", port, count, rows)
    b.nodes.beats([0] + list(nodes.values()))

    # Node 0 cannot take them away, nor bind them, nor give them twice.
    refused(b, first, "node %d" % nodes["com2"], "end that node")
    status, text = b.m.run("echo 0 >%s%s/sriov_numvfs" % (path, PHYSICAL))
    expect(status, "virtual functions that are lent were disabled: %s", text)
    b.m.sh("! echo %s >/sys/bus/pci/drivers/nvme/bind" % first)
    # A kernel that starts by itself finds them again.
    b.m.send("com2", " reboot -f\n")
    b.nodes.wait_up("com2", 120)
    b.nodes.wait_state(nodes["com2"], "running")
    for port, (function, _, space) in VIRTUAL.items():
        same_function(b, function, port)
        now = digest_of(b, function, space, port)
        expect(now == digests[port], "%s reads %s, written was %s", port, now,
               digests[port])

    b.nodes.stop(nodes["com3"])
    b.launched.remove(nodes["com3"])
    expect(digest_of(b, first, 2, "com2") == digests["com2"],
           "the end of the other node has changed something")
    b.stop_all()
    log = b.m.sh("dmesg")
    for port, (function, _, space) in VIRTUAL.items():
        for what in ("lent to node %d" % nodes[port], "taken back"):
            expect("%s: %s, bus master off, reset: flr" % (function, what)
                   in log, "%s: not %s by flr", function, what)
        now = digest_of(b, PHYSICAL, space)
        expect(now == digests[port], "node 0 reads %s, %s wrote %s", now,
               port, digests[port])
    expect(digest_of(b, PHYSICAL, 1) == digests[None], "node 0's own data")

    # Node 0 uses one of them, then another node does.
    bind_virtual(b, first)
    expect(digest_of(b, first, 2) == digests["com2"], "by the function itself")
    bind_virtual(b, first, False)
    node, _ = b.launch_on("com3", 2, devices=first)
    expect(digest_of(b, first, 2, "com3") == digests["com2"], "the next node")
    b.nodes.beats([0, node])
    b.m.sh("dmesg -c >/dev/null; echo %s >%s%s/driver/unbind" % (
        PHYSICAL, path, PHYSICAL), 60)
    log = b.m.sh("dmesg")
    expect("%s: loses its driver" % PHYSICAL in log, "log: %s", log)
    b.nodes.beats([0, node])
    b.stop_all()
    refused(b, first, "no driver of node 0", "bind one")
    refused(b, "01:00.0", "8 virtual functions", "sriov_numvfs")
    b.m.sh("echo %s >/sys/bus/pci/drivers/nvme/bind && "
           "echo 0 >%s%s/sriov_numvfs" % (PHYSICAL, path, PHYSICAL), 60)
    expect(b.m.run("[ -e %s%s ]" % (path, last))[0], "%s is still there", last)


def moved_virtual(b):
    """A virtual function goes from one running successor to another."""
    path = "/sys/bus/pci/devices/" + PHYSICAL
    make_virtual(b)
    function, _, space = VIRTUAL["com2"]
    one, _ = b.launch_on("com2", 1, devices=function)
    two, _ = b.launch_on("com3", 1)
    start(b, "fill", own_namespace(space) + "fill %s %d" % (function, FILL),
          "com2")
    digest = finish(b, "fill", "com2", 240)[0].split()[1]
    b.m.sh("echo pci %s %d >%s/move" % (function, two, SYSFS), 60)
    # With it go the port that is above, and nothing else.
    expect(not seen(b, "com2"), "node %d sees %s", one, seen(b, "com2"))
    want = ["0000:00:10.0", function]
    expect(seen(b, "com3") == want, "node %d sees %s", two, seen(b, "com3"))
    same_function(b, function, "com3")
    now = digest_of(b, function, space, "com3")
    expect(now == digest, "%s reads %s, written was %s", "com3", now, digest)
    rows = b.m.sh("grep nvme /proc/interrupts", 30, "com3")
    expect("MSIX" in rows and "IO-APIC" not in rows, "com3: %s", rows)
    # Its node cannot have it without who keeps the physical one going.
    status, text = b.m.run("echo 0 >%s/sriov_numvfs" % path)
    expect(status, "a function that has moved was disabled: %s", text)
    b.nodes.beats([0, one, two])
    b.m.sh("echo pci %s %d >%s/move" % (function, one, SYSFS), 60)
    now = digest_of(b, function, space, "com2")
    expect(now == digest, "%s reads %s, written was %s", "com2", now, digest)
    b.stop_all()
    log = b.m.sh("dmesg")
    for way in ((one, two), (two, one)):
        expect("%s: from node %d to node %d, bus master off, reset: flr" % (
            (function,) + way) in log, "not reset on its way %s: %s", way, log)
    b.m.sh("echo 0 >%s/sriov_numvfs" % path, 60)


# Memory of the machine as a file, which the host can change behind its kernels.
RAM = os.path.join(qemu.BUILD, "log", "sriov.ram")

# Where struct mint_vf is wrong, and what then stands there: the number
# of another function, no vendor, a register that names memory,
# one of I/O, one whose size is no power of two.
DAMAGE = ((0, b"\xff\xff\xff\xff"), (8, b"\0\0"), (16, b"\x04\0\x10\0\0\0\0\0"),
          (40, b"\x01\0\0\0"), (40, b"\x04\0\xf0\x0f"))


def vf_record(b, function):
    """Where node 0 has written down a virtual function: physical address."""
    domain, bus, dev, fn = (int(n, 16) for n in re.split("[:.]", function))
    want = struct.pack("<II", domain << 16 | bus << 8 | dev << 3 | fn, 1)
    first, last = [int(n, 16) for n in re.search(
        r"(\w+)-(\w+) common area", b.m.read(SYSFS + "/memory")).groups()]
    with open(RAM, "rb") as ram:
        ram.seek(first)
        area = ram.read(last + 1 - first)
    expect(area.count(want) == 1, "%d records of %s", area.count(want), function)
    return first + area.index(want)


def damaged(b):
    """A successor leaves out a function whose record cannot be true."""
    path = "/sys/bus/pci/devices/" + PHYSICAL
    function = VIRTUAL["com2"][0]
    b.m.sh("echo 0 >%s/sriov_drivers_autoprobe && echo 8 >%s/sriov_numvfs"
           % (path, path), 60)
    core = b.nodes.free_cores(1)[0]
    for at, what in DAMAGE + ((0, b""),):
        first, last = b.nodes.free_memory(192)
        b.m.mark("com2")
        b.m.sh("kexec -l --mint-cpu=%d --mem-min=0x%x --mem-max=0x%x "
               "--initrd=%s --mint-devices=com2,%s "
               "--command-line='console=ttyS1' %s" % (
                   core, first, last, b.nodes.initrd, function, b.nodes.image),
               60)
        address = vf_record(b, function)
        # QEMU maps the same pages.
        with open(RAM, "r+b") as ram:
            ram.seek(address + at)
            ram.write(what)
        b.m.sh("kexec -e --mint-cpu=%d" % core, 60)
        node = int(b.nodes.wait_up("com2", 60).node)
        b.launched.append(node)
        expect((function in seen(b, "com2")) == (not what),
               "%d: %r: the node sees %s", at, what, seen(b, "com2"))
        log = b.m.sh("dmesg", 30, "com2")
        expect(("record of function 0x101 is damaged" in log) ==
               bool(what), "%d: %r: log: %s", at, what, log)
        refused(b, function, "node %d" % node, "end that node")
        b.nodes.beats([0, node])
        b.stop_all()
    b.m.sh("echo 0 >%s/sriov_numvfs && echo 1 >%s/sriov_drivers_autoprobe"
           % (path, path), 60)


REMOVED = "0000:00:05.0"


def removed(b):
    """A function that node 0 removes comes to rest; its node lives on."""
    node, _ = b.launch_on("com2", 1, devices=REMOVED)
    b.m.sh("dmesg -c >/dev/null; echo 1 >/sys/bus/pci/devices/%s/remove"
           % REMOVED, 60)
    expect(not command(b, REMOVED) & 4, "bus master is on")
    b.m.sh("echo 1 >/sys/bus/pci/rescan", 60)
    expect(b.m.run("[ -e /sys/bus/pci/devices/%s/driver ]" % REMOVED)[0],
           "node 0 binds it")
    refused(b, REMOVED, "node %d" % node, "end that node")
    b.nodes.beats([0, node])
    b.stop_all()
    log = b.m.sh("dmesg")
    expect("%s: removed, lost for node %d, bus master off, reset: " % (
        REMOVED, node) in log, "log: %s", log)
    expect("taken back" not in log, "log: %s", log)
    node, _ = b.launch_on("com2", 1, devices=REMOVED)
    b.nodes.beats([0, node])
    b.stop_all()
    expect("%s: taken back" % REMOVED in b.m.sh("dmesg"), "not taken back")


# A line of the q35 has every fourth slot: GSI 20 is slots 4, 8, 12 ..
SHARED = {"com2": "0000:00:08.0", "com3": "0000:00:0c.0"}
LINKS = [("com2", "0000:00:04.0", SHARED["com2"]),
         ("com3", "0000:00:05.0", SHARED["com3"])]
ALONE = ("com2", "0000:00:07.0", "0000:00:06.0")


def counted(text, row):
    """Interrupts of rows of a text of /proc/interrupts that have this word."""
    return sum(int(word) for line in text.splitlines() if row in line
               for word in line.split(":", 1)[1].split()[:2]
               if word.isdigit())


def count_of(b, row, port=None):
    """Interrupts of rows of /proc/interrupts that have this word."""
    return counted(b.m.read("/proc/interrupts", port), row)


def calm(b, row, port=None):
    """No storm: hardly an interrupt in a second without load.

    A line on which somebody does not answer comes 50 times a second; a storm is
    thousands, and does not end. What was sent last may still be under way at first.
    """
    told = []
    while len(told) < 5:
        # A second in the time of the node. It is longer where commands take long.
        text = b.m.sh("cat /proc/uptime /proc/interrupts; sleep 1; echo later; "
                      "cat /proc/interrupts /proc/uptime", 60, port)
        early, late = (float(line.split()[0]) for line in
                       (text.splitlines()[0], text.splitlines()[-1]))
        before, _, after = text.partition("\nlater\n")
        grown = counted(after, row) - counted(before, row)
        if grown < 100 * (late - early):
            return
        told.append("%d in %.2f s" % (grown, late - early))
    raise Failed("%s: interrupts of %s: %s" % (port or "node 0", row, ", ".join(told)))


def command(b, function):
    """The command register of a function of the q35."""
    bus, dev, fn = function.split(":")[1], *function.split(":")[2].split(".")
    return b.m.pci_config((int(bus, 16), int(dev, 16), int(fn)), words=2)[1]


def shared_line(b):
    """One INTx line of three nodes, under load; then one of them dies."""
    unbind(b, *SHARED.values())
    nodes = {}
    for port, function in SHARED.items():
        nodes[port], _ = b.launch_on(port, 1, devices=function)
    expect(20 in b.nodes.pins()["node 0"], "GSI 20: %s", b.nodes.pins())
    talk(b, LINKS, 6)
    for port in SHARED:
        # Without interrupts, the driver looks every two seconds.
        count = count_of(b, "node0-line", port)
        expect(count > 200, "%s: %d interrupts on its line", port, count)
        calm(b, "node0-line", port)
    calm(b, " 20-fasteoi ")
    b.nodes.beats([0] + list(nodes.values()))

    # One dies, with its line asserted, most likely, and DMA under way.
    sums = address(b, LINKS, 16)
    talk_begin(b, LINKS, "cut")
    b.nodes.poll(lambda: b.m.run("[ -s /tmp/got.cut.1 ]")[0] == 0, 60, "transfer")
    b.m.send("com3", " echo c >/proc/sysrq-trigger\n")
    b.nodes.wait_over(nodes["com3"], 60)
    b.launched.remove(nodes["com3"])
    off = command(b, SHARED["com3"])
    expect(not off & 4, "bus master is on after the end: %08x", off)
    expect(off & 0x400, "INTx is on after the end: %08x", off)
    for line in finish(b, "cut", "com2", 240):
        expect(line.split()[1] == sums[None], "com2 got %s", line)
    b.m.sh("killall wget httpd 2>/dev/null; true")
    talk(b, LINKS[:1], 4)
    calm(b, " 20-fasteoi ")
    calm(b, "node0-line", "com2")
    b.nodes.beats([0, nodes["com2"]])
    b.stop_all()
    # The line is node 0's alone again.
    rows = b.m.sh("grep ' 20-fasteoi ' /proc/interrupts")
    expect("mint" not in rows, "node 0 still passes the line on: %s", rows)


def hung_sharer(b):
    """A sharer hangs with the line asserted: slow for the others, no storm."""
    unbind(b, *SHARED.values())
    nodes = {}
    for port, function in SHARED.items():
        nodes[port], _ = b.launch_on(port, 1, devices=function)
    sums = address(b, LINKS, 4)
    talk_begin(b, LINKS, "cut")
    b.nodes.poll(lambda: b.m.run("[ -s /tmp/got.cut.1 ]")[0] == 0, 60, "transfer")
    b.m.send("com3", " echo hang 0 >/sys/kernel/debug/mint/provoke\n")
    b.nodes.wait_state(nodes["com3"], "silent", 60)
    for line in finish(b, "cut", "com2", 240):
        expect(line.split()[1] == sums[None], "com2 got %s", line)
    calm(b, " 20-fasteoi ")
    calm(b, "node0-line", "com2")
    b.m.sh("killall wget httpd 2>/dev/null; true")
    talk(b, LINKS[:1], 1)
    expect("GSI 20 is shared with a node that does not answer" in
           b.m.sh("dmesg | grep mint:"), "nobody had to wait: was the line "
           "asserted?")
    expect(b.nodes.status()[nodes["com3"]][0] == "silent", "it came back: %s",
           b.nodes.status())
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, nodes["com3"]))
    b.nodes.wait_over(nodes["com3"])
    b.launched.remove(nodes["com3"])
    talk(b, LINKS[:1], 4)
    calm(b, " 20-fasteoi ")
    calm(b, "node0-line", "com2")
    b.nodes.beats([0, nodes["com2"]])


def panicked_sharer(b):
    """A sharer panics and waits for its own reboot: no storm meanwhile."""
    unbind(b, *SHARED.values())
    one, _ = b.launch_on("com2", 1, devices=SHARED["com2"])
    stays = int(10 * qemu.SLOW)
    two, _ = b.launch_on("com3", 1, devices=SHARED["com3"], append="panic=%d" % stays)
    talk(b, LINKS, 1)
    began = time.monotonic()
    b.m.send("com3", " echo c >/proc/sysrq-trigger\n")
    b.nodes.wait_state(two, "panicked")
    # What its card receives now asserts the line, and nobody answers.
    b.m.sh("! ping -c 1 -W 1 10.1.1.2")
    before = count_of(b, " 20-fasteoi ")
    calm(b, " 20-fasteoi ")
    asserted = count_of(b, " 20-fasteoi ") > before
    found = b.nodes.status()[two][0]
    # Where all this took longer, it is rightly back, and nothing was to be seen.
    late = time.monotonic() - began >= stays
    if not late:
        expect(asserted, "is the line asserted at all?")
        expect(found == "panicked", "it did not wait: it is %s", found)
    talk(b, LINKS[:1], 1)
    b.nodes.wait_state(two, "running", 90)
    expect(b.nodes.file(two, "boots").strip() == "2", "%s boots",
           b.nodes.file(two, "boots"))
    talk(b, LINKS[:1], 4)
    calm(b, " 20-fasteoi ")
    calm(b, "node0-line", "com2")
    b.nodes.beats([0, one, two])
    if late:
        raise Skipped("it was back before it was looked at")


# Has MSI, does not use it (e1000e.IntMode=0), and is on the line of ALONE[2].
LEGACY_MODE = "0000:00:0a.0"


def taken_line(b):
    """A driver of node 0 that wants a lent line is refused it, and says so."""
    unbind(b, ALONE[2], LEGACY_MODE)
    node, _ = b.launch_on("com2", 1, devices=ALONE[2])
    expect(22 in b.nodes.pins()["node %d" % node], "GSI 22: %s",
           b.nodes.pins())
    bind = ("dmesg -c >/dev/null; echo %s >/sys/bus/pci/drivers_probe; "
            "c=$(card %s) || exit 2; ip link set $c up" % (LEGACY_MODE,
                                                          LEGACY_MODE))
    status, text = b.m.run(script(bind), 60)
    expect(status and "not connected" in text, "it has the line: status %d, %s",
           status, text)
    log = b.m.sh("dmesg")
    expect("%s: without its interrupt line, GSI 22, which is node %d's" % (
        LEGACY_MODE, node) in log, "log: %s", log)
    talk(b, [ALONE], 1)
    b.nodes.beats([0, node])
    b.stop_all()
    unbind(b, LEGACY_MODE)
    b.m.sh(script(bind), 60)
    # Whoever is bound may ask for the line, so it is shared.
    node, _ = b.launch_on("com2", 1, devices=ALONE[2])
    expect(22 in b.nodes.pins()["node 0"], "GSI 22: %s", b.nodes.pins())
    talk(b, [ALONE], 1)
    b.nodes.beats([0, node])


# Every interrupt of a node goes from core to core, again and again.
MOVE = """
i=0
while [ $i -lt 30 ]; do
    for m in 1 2; do
        for f in /proc/irq/[0-9]*/smp_affinity; do
            echo $m >$f
        done 2>/dev/null
    done
    i=$((i + 1))
done
for f in /proc/irq/[0-9]*/smp_affinity; do echo 3 >$f; done 2>/dev/null
exit 0
"""


def wiring(b):
    """The pins without what moves: vector and destination."""
    return [re.sub(r"0x[0-9a-f]+|(vec|dest)=\S+|rirr|\bpend\w*", "", line)
            for line in b.m.ioapic()]


def affinity(b):
    """Two nodes move their interrupts at the same time; pins stay intact."""
    unbind(b, ALONE[2], LEGACY_MODE)
    node, _ = b.launch_on("com2", 2, devices=ALONE[2])
    expect(22 in b.nodes.pins()["node %d" % node], "GSI 22: %s",
           b.nodes.pins())
    talk(b, [ALONE], 1)
    before, all_pins = wiring(b), b.m.ioapic()
    mine = {line.split(":")[0].strip() for line in
            b.m.read("/proc/interrupts").splitlines() if "IO-APIC" in line}
    sums = address(b, [ALONE], 8)
    start(b, "move", MOVE)
    start(b, "move", MOVE, "com2")
    talk_begin(b, [ALONE])
    finish(b, "move", None, 240)
    finish(b, "move", "com2", 240)
    try:
        talk_end(b, [ALONE], sums, 120)
    except (Failed, Limit) as error:
        raise Failed("%s; pins: %s; here: %s; there: %s" % (
            error, b.m.ioapic()[22:], b.m.sh("grep eth /proc/interrupts"),
            b.m.sh("grep eth /proc/interrupts", 30, "com2"))) from error
    after = wiring(b)
    for pin, line in enumerate(before):
        expect(after[pin] == line, "pin %d was %r, is %r", pin, line,
               after[pin])
        if pin not in (2, 3, 22) and str(pin) not in mine:
            expect(b.m.ioapic()[pin] == all_pins[pin],
                   "pin %d, which nobody uses: %r, was %r", pin,
                   b.m.ioapic()[pin], all_pins[pin])
    for port in (None, "com2"):
        expect("broken" not in b.m.sh("dmesg | grep mint:", 30, port),
               "a lock was broken")
    talk(b, [ALONE], 1)
    b.nodes.beats([0, node])


# The pc: node 0's, the successor's.
PC_DISKS = ("0000:00:05.0", "0000:00:06.0")
PC_CARDS = ("com4", "0000:00:07.0", "0000:00:08.0")


def ports(b):
    """Without ECAM, all use CF8/CFC under a lock, and none reads nonsense."""
    lent = [PC_DISKS[1], PC_CARDS[2]]
    unbind(b, *lent)
    expect("ECAM" not in b.m.sh("dmesg"), "this machine has ECAM")
    node, _ = b.launch_on("com4", 1, devices=",".join(lent))
    expect(seen(b, "com4") == lent, "lspci there: %s", seen(b, "com4"))
    share = in_share(os.path.join(qemu.BUILD, "selftests"), b.m.share)
    b.m.sh("cp %s/config_reader /tmp" % share)
    for port, path in ((None, "/tmp"), ("com4", "/test")):
        start(b, "read", "%s/config_reader 8000 "
              "/sys/bus/pci/devices/*/config" % path, port)
        start(b, "fill", "fill %s %d" % (PC_DISKS[1 if port else 0], FILL),
              port)
    talk(b, [PC_CARDS], 2)
    for port in (None, "com4"):
        words = int(finish(b, "read", port)[-1].split()[0])
        expect(words > 2000, "%s: only %d words were read",
               port or "node 0", words)
        finish(b, "fill", port)
        expect("broken" not in b.m.sh("dmesg | grep mint:", 30, port),
               "a lock was broken")
    b.nodes.beats([0, node])


def refused(b, devices, *patterns):
    """A launch with these devices is refused in such words."""
    before = b.state()
    try:
        b.launch(1, devices=devices)
    except Refused as error:
        for pattern in patterns:
            expect(re.search(pattern, str(error)), "%s: no %s in: %s",
                   devices, pattern, error)
        expect(b.state() == before, "a refusal has changed something")
        return
    expect(False, "%s was not refused", devices)


def no_route(b):
    """INTx that reaches no I/O APIC, and a register without an address."""
    unbind(b, "0000:00:07.0")
    refused(b, "00:07.0", "no MSI", "no route of its INTA", "boot node 0")
    refused(b, "00:05.0", "no address for BAR 2", "pci=realloc")
    node, _ = b.launch_on("com2", 1)
    b.nodes.beats([0, node])


# What node 0 says where an IOMMU is at work: (machine, expression).
AT_WORK = {
    "intremap": r"DMAR-IR: Enabled IRQ remapping in xapic mode",
    "iommu": r"DMAR: Intel\(R\) Virtualization Technology for Directed I/O",
    "amd-iommu": r"AMD-Vi: Interrupt remapping enabled",
    "amd-x2apic": r"AMD-Vi: X2APIC enabled",
}


def translated(b):
    """An active IOMMU: no function is lent, all else works."""
    log = b.m.sh("dmesg")
    expect(re.search(AT_WORK[b.spec.name], log), "no IOMMU; see %s",
           b.m.where("com1"))
    types = b.m.sh("cd /sys/kernel/iommu_groups && cat */type").split()
    expect(types and all(kind.startswith("DMA") for kind in types),
           "DMA is not translated: %s", types)
    unbind(b, "0000:00:07.0")
    before = b.state()
    refused(b, "00:07.0", "active IOMMU", "intel_iommu=off")
    node, up = b.launch_on("com2", 2)
    expect(up.cpus == 2, "%d of 2 cores came up", up.cpus)
    timers_and_ipis(b, "com2")
    b.nodes.beats([0, node])
    b.stop_all()
    b.nodes.poll(lambda: b.state() == before, 20, "state as before")


def own_line(b):
    """DMA translation alone is nothing to a line: COM2 is lent with its own."""
    node, _ = b.launch_on("com2", 1)
    expect(b.nodes.pins().get("node %d" % node) == [3], "pins: %s",
           b.nodes.pins())
    before = count_of(b, "ttyS1", "com2")
    expect(b.m.sh("echo here", 30, "com2") == "here", "com2 is silent")
    expect(count_of(b, "ttyS1", "com2") > before, "no interrupt of com2")
    b.nodes.beats([0, node])


def no_line(b):
    """With interrupts remapped no line is lent: COM2 does without its own."""
    before = b.nodes.pins()
    node, _ = b.launch_on("com2", 1)
    expect(b.nodes.pins() == before, "pins: %s, before: %s", b.nodes.pins(),
           before)
    log = b.m.sh("dmesg | grep mint:")
    expect("com2 is lent without its line, GSI 3" in log, "log: %s", log)
    # Polled: the driver has no interrupt.
    ports = b.m.sh("grep -i 2f8 /proc/tty/driver/serial", 30, "com2")
    expect("irq:0" in ports, "COM2 there: %s", ports)
    b.nodes.beats([0, node])
    b.stop_all()
    refused(b, "i8042", "nothing without GSI 1,", "intremap=off")


def legacy(b):
    """Keyboard, screen, RTC and three serial ports, each in a successor."""
    core = b.nodes.cores()["free"]
    with b.trace("memory_region_ops_write", "memory_region_ops_read") as trace:
        nodes = [b.launch_on("com1", 1, devices="i8042,vga,rtc",
                             append="console=tty0 console=ttyS0")[0]]
        nodes.append(b.launch_on("com2", 1)[0])
        nodes.append(b.launch_on("com3", 1)[0])
        # The screen.
        b.m.sh("echo what a nice screen >/dev/tty1", 30, "com1")
        shows(b, "what a nice screen")
        # The keyboard: the terminal shows what has arrived.
        start(b, "type", "head -n 1 </dev/tty1 >/tmp/typed", "com1")
        b.nodes.poll(lambda: b.m.run("pidof head", 30, "com1")[0] == 0, 20,
                     "reader")
        for end, key in enumerate("mint"):
            b.m.hmp("sendkey " + key)
            shows(b, "what a nice screen", "mint"[:end + 1])
        b.m.hmp("sendkey ret")
        finish(b, "type", "com1")
        typed = b.m.read("/tmp/typed", "com1")
        expect(typed == "mint", "typed was %r", typed)
        # The clock, read and written.
        early = time.time()
        text = b.m.sh("TZ=UTC hwclock -u -w && TZ=UTC hwclock -u -r", 30,
                      "com1")
        there = calendar.timegm(time.strptime(
            " ".join(text.split()[:5]), "%a %b %d %H:%M:%S %Y"))
        expect(abs(there - early) < 30, "the RTC says %s", text)
        for port in ("com1", "com2", "com3"):
            expect(b.m.sh("echo here", 30, port) == "here", "%s", port)
        # A core of node 0 that starts leaves the RTC alone, too.
        b.m.sh("c=/sys/devices/system/cpu/cpu%d/online; echo 1 >$c && "
               "echo 0 >$c" % core[3])
    expect(b.m.run("ls /dev/rtc* /dev/input/event*")[0],
           "node 0 has a keyboard or a clock")
    b.nodes.beats([0] + nodes)
    found = accesses(trace, "rtc", "i8042-data", "i8042-cmd", "vga",
                     "vga-lowmem", "vga ioports remapped")
    for region in ("rtc", "i8042-data", "i8042-cmd"):
        expect(region in found, "nobody used %s: is the trace blind? %s",
               region, found)
    for region, cores in found.items():
        expect(cores - {-1} <= {core[0]}, "%s was used by cores %s, not %d",
               region, sorted(cores), core[0])
    uarts = {}
    for line in trace.lines:
        match = re.search(r" cpu (\d+) .* addr 0x([0-9a-f]+) .*'serial'",
                          line)
        if match:
            uarts.setdefault(int(match.group(2), 16) & ~7, set()).add(
                int(match.group(1)))
    want = dict(zip((0x3f8, 0x2f8, 0x3e8), ({c} for c in core)))
    for base, cores in want.items():
        expect(uarts.get(base) == cores, "UART %x was used by %s, not %s",
               base, uarts.get(base), cores)


def shows(b, text, behind=""):
    """Wait until the screen shows one text, and another one behind it."""
    def there():
        _, found, after = screen(b).rpartition(text)
        return found and behind in after

    b.nodes.poll(there, 20, "%r on the screen" % (text + behind))


def screen(b):
    """All text that the screen has in memory, wherever it begins."""
    words = b.m.memory_words(0xb8000, 0x8000 // 4)
    return "".join(chr(word >> shift & 0x7f) for word in words
                   for shift in (0, 16))


# ---- machines -----------------------------------------------------------------

def matrix():
    """(-device arguments, further arguments) of the machine with all kinds."""
    devices = [
        "pcie-root-port,id=rp1,addr=10.0,chassis=1",
        # Ports that can be plugged at are never put to sleep.
        "pcie-root-port,id=rp2,addr=11.0,chassis=2,hotplug=off",
        "pcie-root-port,id=rp3,addr=12.0,chassis=3",
        "pcie-pci-bridge,id=ppb,bus=rp3",
        "pci-bridge,id=pb,addr=13.0,chassis_nr=5",
        "virtio-blk-pci,addr=04.0,drive=d0",
        "virtio-blk-pci,addr=14.0,drive=d1",
        "nvme,addr=05.0,drive=d2,serial=n0",
        "nvme,bus=rp1,drive=d3,serial=n1",
        "ich9-ahci,addr=06.0,id=sata0", "ide-hd,bus=sata0.0,drive=d4",
        "ich9-ahci,bus=pb,addr=01.0,id=sata1", "ide-hd,bus=sata1.0,drive=d5",
        "qemu-xhci,addr=07.0,id=usb0", "usb-storage,bus=usb0.0,drive=d6",
        "qemu-xhci,bus=pb,addr=02.0,id=usb1",
        "usb-storage,bus=usb1.0,drive=d7",
        "virtio-net-pci,addr=08.0,netdev=n0,mac=52:54:00:00:00:01",
        "virtio-net-pci,addr=15.0,netdev=n1,mac=52:54:00:00:00:02",
        "e1000e,addr=09.0,netdev=n2,mac=52:54:00:00:00:03",
        "e1000e,bus=rp2,netdev=n3,mac=52:54:00:00:00:04",
        "e1000,addr=0a.0,netdev=n4,mac=52:54:00:00:00:05",
        "e1000,bus=ppb,addr=01.0,netdev=n5,mac=52:54:00:00:00:06",
        "virtio-rng-pci,addr=0b.0",
        "virtio-rng-pci,bus=ppb,addr=02.0",
    ]
    return devices, disk_args(8) + hub_args(6)


def disk_args(count):
    """Disks d0.. that begin as copies of the image and are forgotten."""
    args = []
    for k in range(count):
        args += ["-drive", "if=none,id=d%d,format=raw,snapshot=on,file=%s"
                 % (k, os.path.join(qemu.OUT, "bzImage"))]
    return args


def hub_args(count):
    """Cards n0.., each two of which hang on a cable of their own."""
    args = []
    for k in range(count):
        args += ["-netdev", "hubport,id=n%d,hubid=%d" % (k, k // 2)]
    return args


def machines(spec, node0):
    """The rows of the table of machines."""
    devices, extra = matrix()
    # What node 0 never had, and, with the disks, what it gives up later.
    lent = [pair[1] for pair in CARDS.values()] + [RNGS[1]]
    return [
        spec("matrix", [disks, networks, rngs, named_by_place, no_ports],
             smp="3", memory="1G",
             append=node0 + "".join(",-" + f for f in lent)
             + " pcie_port_pm=force",
             devices=devices, extra=extra),
        spec("sriov", [damaged, virtual, moved_virtual, removed], smp="4", memory="1G",
             size=160,
             append=node0 + ",-%s,-%s" % (VIRTUAL["com3"][0], REMOVED),
             devices=["nvme-subsys,id=s0",
                      "pcie-root-port,id=rp,addr=10.0,chassis=1",
                      "nvme,id=pf,bus=rp,serial=n0,subsys=s0,sriov_max_vfs=8,"
                      "sriov_vq_flexible=16,sriov_vi_flexible=16,"
                      "max_ioqpairs=20,msix_qsize=20",
                      "virtio-rng-pci,addr=05.0"]
             + ["nvme-ns,bus=pf,drive=d%d,nsid=%d" % (k, k + 1)
                for k in range(3)],
             extra=disk_args(3) + qemu.ram_in_file(RAM, "1G")),
        spec("lines", [hung_sharer, panicked_sharer, shared_line, affinity,
                       taken_line], smp="5",
             memory="1G", size=160,
             append=node0.replace("maxcpus=1", "maxcpus=2")
             + " e1000e.IntMode=0,0,0,0,0,0,0,0",
             # One for each time that the driver gets the card.
             devices=["e1000,addr=%02x.0,netdev=n%d" % (slot, k)
                      for k, slot in enumerate((4, 8, 5, 12, 6, 7))]
             + ["e1000e,addr=0a.0,netdev=n6"],
             extra=hub_args(7), allow="sysrq triggered crash"),
        spec("pc", [ports], board="pc", smp="2", memory="1G", append=node0,
             devices=["virtio-blk-pci,addr=05.0,drive=d0",
                      "virtio-blk-pci,addr=06.0,drive=d1",
                      "e1000,addr=07.0,netdev=n0", "e1000,addr=08.0,netdev=n1"],
             extra=disk_args(2) + hub_args(2)),
        spec("legacy", [legacy], smp="5", memory="1G", console="com4",
             append="mint.mem=384M@0 maxcpus=1 console=ttyS3 "
                    "mint.devices=-com1,-com2,-com3,-i8042,-vga,-rtc"),
        spec("no-route", [no_route], smp="2", memory="1G",
             append=node0 + " noapic",
             devices=["pci-testdev,addr=05.0,membar=1T", "e1000,addr=07.0"]),
        # Without extended interrupt mode there is no x2APIC mode either. With
        # interrupt remapping a tick that comes late ends the boot: no_timer_check.
        spec("intremap", [translated, no_line], smp="3", memory="1G",
             append=node0 + ",-i8042 intel_iommu=on no_timer_check",
             devices=["intel-iommu,intremap=on,eim=off",
                      "virtio-rng-pci,addr=07.0"]),
        spec("iommu", [translated, own_line], smp="3", memory="1G",
             append=node0 + " intel_iommu=on",
             devices=["intel-iommu,intremap=off",
                      "virtio-rng-pci,addr=07.0"]),
        spec("amd-iommu", [translated, no_line], smp="3", memory="1G",
             append=node0 + ",-i8042 no_timer_check",
             devices=["amd-iommu,intremap=on", "virtio-rng-pci,addr=07.0"]),
        spec("amd-x2apic", [translated, no_line], smp="3", memory="1G",
             append=node0 + ",-i8042 no_timer_check", x2apic=True,
             cpu=qemu.TCG_CPU + ",+x2apic",
             devices=["amd-iommu,intremap=on,xtsup=on",
                      "virtio-rng-pci,addr=07.0"]),
    ]
