# SPDX-License-Identifier: GPL-2.0
"""Tests of interrupt lines (INTx), for scripts/check.

What happens to a line when MSI is off, when handlers are threads, and when the
node that passes it on has panicked. What else there is of lines is with the
machine "lines" of check_devices.py.
"""

from check_devices import (calm, count_of, finish, hub_args, script, start,
                           talk, unbind)
from verdict import expect


# ---- without MSI, with threads --------------------------------------------------

# Slots 4 and 8 of the q35 are on one line, GSI 20.
LATE = ("com2", "0000:00:04.0", "0000:00:08.0")


def without_msi(b):
    """pci=nomsi, threadirqs: a line is shared with all that have nothing else."""
    _, mine, lent = LATE
    expect("MSI" not in b.m.read("/proc/interrupts"), "node 0 uses MSI")
    unbind(b, mine, lent)
    node, _ = b.launch_on("com2", 1, devices=lent)
    expect(20 in b.nodes.pins()["node 0"], "GSI 20: %s", b.nodes.pins())
    # The driver comes when the line is passed on already.
    b.m.sh("echo %s >/sys/bus/pci/drivers_probe; "
           "[ -e /sys/bus/pci/devices/%s/driver ]" % (mine, mine))
    threads = b.m.sh("for p in /proc/[0-9]*; do cat $p/comm; done 2>/dev/null")
    expect("irq/20-" in threads, "no handler is a thread: %s", threads)
    talk(b, [LATE])
    count = count_of(b, "node0-line", "com2")
    expect(count > 50, "com2 got %d interrupts on its line", count)
    b.nodes.beats([0, node])
    b.stop_all()
    # The driver was there first.
    node, _ = b.launch_on("com2", 1, devices=lent)
    talk(b, [LATE])
    calm(b, " 20-fasteoi ")
    b.nodes.beats([0, node])


# ---- a panic of node 0 ------------------------------------------------------------

# com2's function and com3's on each cable. The first two are on one line, which
# node 0 passes on; com2 has the other two of its own on one line, GSI 22.
PAIRS = [("0000:00:08.0", "0000:00:0c.0"), ("0000:00:06.0", "0000:00:05.0"),
         ("0000:00:0e.0", "0000:00:07.0")]
PEERS = (("com2", 0), ("com3", 1))


def prepare(b):
    """Addresses and data; returns {port: digest of what it serves}."""
    sums = {}
    for port, side in PEERS:
        lines = ["ip link set lo up"]
        for k, pair in enumerate(PAIRS):
            lines.append("c=$(card %s) && ip addr add 10.2.%d.%d/24 dev $c && "
                         "ip link set $c up || exit 1" % (
                             pair[side], k, side + 1))
        lines.append("mkdir -p /tmp/www && dd if=/dev/urandom of=/tmp/www/data "
                     "bs=1M count=1 2>/dev/null && md5sum </tmp/www/data; "
                     "httpd -h /tmp/www")
        sums[port] = b.m.sh(script("\n".join(lines)), 60, port).split()[0]
    return sums


def exchange(b, sums):
    """Both nodes fetch from each other on all cables at once, and compare."""
    for port, side in PEERS:
        start(b, "fetch", "get() { i=0; until wget -q -T 20 -O /tmp/got.$1 "
              "http://10.2.$1.%d/data 2>/dev/null; do i=$((i + 1)); "
              "[ $i -lt 20 ] || return 1; done; }\nat_once get 0 1 2 && "
              "md5sum /tmp/got.*" % (2 - side), port)
    for port, side in PEERS:
        sent = sums[PEERS[1 - side][0]]
        got = finish(b, "fetch", port, 240)
        expect([line.split()[0] for line in got] == [sent] * len(PAIRS),
               "%s got %s, sent was %s", port, got, sent)


def lines_outlive_node0(b):
    """Node 0 panics: own lines and those that it passes on work as before."""
    for _, side in PEERS:
        unbind(b, *(pair[side] for pair in PAIRS))
    for port, side in PEERS:
        b.launch_on(port, 1, devices=",".join(pair[side] for pair in PAIRS))
    owners = b.nodes.pins()
    expect(20 in owners["node 0"], "GSI 20 is not passed on: %s", owners)
    expect(owners["node 1"] == [3, 22], "two functions of one node do not have "
           "their line for themselves: %s", owners)
    expect(21 in owners["node 2"] and 23 in owners["node 2"], "pins: %s",
           owners)
    sums = prepare(b)
    exchange(b, sums)
    begin = b.m.mark("com1")
    b.m.kick("echo c >/proc/sysrq-trigger")
    b.m.wait_for("end Kernel panic - not syncing: sysrq triggered crash",
                 "com1", 60, since=begin, fatal=False)
    b.launched = []
    before = {port: count_of(b, "node0-line", port) for port, _ in PEERS}
    for _ in range(2):
        exchange(b, sums)
    for port, _ in PEERS:
        grown = count_of(b, "node0-line", port) - before[port]
        # Without interrupts, the driver looks every two seconds.
        expect(grown > 100, "%s: %d interrupts on its line", port, grown)
        calm(b, "node0-line", port)


# ---- machines ---------------------------------------------------------------------

def machines(spec, node0):
    """The rows of the table of machines."""
    return [
        spec("nomsi", [without_msi], smp="2", memory="1G", size=160,
             append=node0 + " pci=nomsi threadirqs", successor="threadirqs",
             devices=["virtio-net-pci,addr=04.0,netdev=n0",
                      "e1000,addr=08.0,netdev=n1"],
             extra=hub_args(2)),
        # Node 0 does not come back: its panic is the machine's last test.
        spec("lines-panic", [lines_outlive_node0], smp="4", memory="1G",
             size=160, append=node0.replace("maxcpus=1", "maxcpus=2"),
             devices=["e1000,addr=%s,netdev=n%d" % (function[8:], k)
                      for k, function in enumerate(sum(PAIRS, ()))],
             extra=hub_args(6), allow="sysrq triggered crash"),
    ]
