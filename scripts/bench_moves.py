# SPDX-License-Identifier: GPL-2.0
"""How long it takes to move a core, memory, or a NIC, between running nodes.

This file owns the benchmark `moves` of scripts/bench: what is measured, on which
machines. A core goes to and fro between two successors, then a block of memory, then
a network card with its driver, and /sys/kernel/mint/moves says how long each step
took. In the same run a stock kernel takes a core and a block offline and online again,
with RCU expedited as moves have it. The stock block is neither removed nor filled with
zeroes in between. On a machine of its own, selftests/late_timer.c looks for how long
giver and receiver, and a third node beside them, stand still while a core moves.
"""

import os
import re

import cpio
import helpers
from machine import MachineError
from nodes import UP, Nodes

MOVES = 200
PAIRS = 50
MEMORY_MOVES = 20
MEMORY_PAIRS = 10
NIC, NIC_MOVES = "00:04.0", 10
# How often a node is looked at, and in which windows the worst is kept, while so many
# moves are made, and as long while none is
STALL_US, WINDOW_MS, WINDOWS, STALL_MOVES = 200, 50, 60, 100
LATE, LATE_OUT = "/bench/late_timer", "/tmp/late"
LINE = re.compile(r"^\d+ (?:core|memory|pci) \S+ \S+ > \S+ taken ([\d.]+) give ([\d.]+)"
                  r" clear ([\d.]+) take ([\d.]+)$", re.M)

MEMORY_WORDS = ("offline", "online_movable")

# Nothing is forked between the marks: all but cat is the shell's own.
STOCK = """
echo 1 >/sys/kernel/rcu_expedited
timing=/sys/kernel/mint/timing
file={file}
stamp() {{ echo mark >$timing; while read -r what tsc; do
    [ $what != mark ] || now=$tsc; done <$timing; }}
i=0
while [ $i -lt {count} ]; do
    stamp; begin=$now
    # Pages of a block may be busy for a moment: that is no pair
    echo {off} 2>/dev/null >$file || continue
    stamp; middle=$now
    echo {on} >$file || exit 1; stamp
    echo $begin $middle $now
    i=$((i + 1))
done
"""


def pairs(results, repeat, machine, file, words, name, count, limit):
    """Pairs of offline and online of one thing, in a kernel without Mint."""
    text = machine.sh(STOCK.format(file=file, off=words[0], on=words[1], count=count),
                      limit)
    rows = [[int(word) for word in line.split()] for line in text.splitlines()
            if re.fullmatch(r"\d+ \d+ \d+", line)]
    if len(rows) != count:
        raise MachineError("%d pairs instead of %d: %s" % (len(rows), count, text))
    for index, (begin, middle, end) in enumerate(rows):
        results.add(repeat, "stock", name + "offline", middle - begin, index=index)
        results.add(repeat, "stock", name + "online", end - middle, index=index)
        results.add(repeat, "stock", name + "pair", end - begin, index=index)


def stock(results, repeat, initrd):
    """A core."""
    with results.machine("moves-stock", "quiet", smp="2", memory="1G",
                         initrd=initrd) as machine:
        machine.wait_for(UP, timeout=120)
        pairs(results, repeat, machine, "/sys/devices/system/cpu/cpu1/online", "01", "",
              PAIRS, 300)
        machine.power_off()


def stock_memory(results, repeat, initrd):
    """A block of memory from which all can be moved away."""
    with results.machine("moves-stock-memory", "quiet movablecore=512M", smp="2",
                         memory="1G", initrd=initrd) as machine:
        machine.wait_for(UP, timeout=120)
        # By a plain "online" the first of them would be in a zone of the kernel afterwards
        block = machine.sh(
            "for zones in $(grep -l Movable /sys/devices/system/memory/*/valid_zones); do "
            "file=${zones%%valid_zones}state; echo %s 2>/dev/null >$file && "
            "echo %s >$file && echo $file && break; done" % MEMORY_WORDS, 60).strip()
        if not block:
            raise MachineError("no block of memory goes offline")
        pairs(results, repeat, machine, block, MEMORY_WORDS, "memory_", MEMORY_PAIRS, 100)
        machine.power_off()


def to_and_fro(results, repeat, machine, pair, kind, which, count):
    """Move something count times between two nodes; the first one has it."""
    for index in range(count):
        # The history holds sixteen: read it before it goes on
        text = machine.sh("echo %s %s %d >/sys/kernel/mint/move && "
                          "tail -n 1 /sys/kernel/mint/moves"
                          % (kind, which, pair[(index + 1) % 2]), 60)
        found = LINE.search(text)
        if not found:
            raise MachineError("move %d: %s" % (index, text))
        for what, value in zip(("total", "give", "clear", "take"), found.groups()):
            results.add(repeat, kind, what, float(value), "ms", index=index)


def between(results, repeat, initrd):
    """Things that go to and fro between two successors, beside node 0."""
    with results.machine("moves", "mint.mem=768M@0 maxcpus=1 quiet", smp="4",
                         memory="2G", initrd=initrd,
                         devices=["e1000e,addr=04.0,netdev=net"],
                         extra=["-netdev", "user,id=net,restrict=on"]) as machine:
        nodes = Nodes(machine)
        nodes.active()
        pair = [nodes.launch(1, 192, "quiet") for _ in range(2)]
        for node in pair:
            nodes.wait_state(node, "running")
        core = nodes.free_cores(1)[0]
        machine.sh("echo core %d %d >/sys/kernel/mint/move" % (core, pair[0]), 60)
        to_and_fro(results, repeat, machine, pair, "core", core, MOVES)
        machine.sh("echo memory 128M %d >/sys/kernel/mint/move" % pair[0], 60)
        block = next(first for first, last, owner in reversed(nodes.memory())
                     if owner == "node %d" % pair[0] and
                     last - first + 1 == 128 << 20)
        to_and_fro(results, repeat, machine, pair, "memory", "128M@%#x" % block,
                   MEMORY_MOVES)
        machine.sh("echo pci %s %d >/sys/kernel/mint/move" % (NIC, pair[0]), 60)
        to_and_fro(results, repeat, machine, pair, "pci", NIC, NIC_MOVES)
        for node in pair:
            nodes.stop(node)
        machine.power_off()


class Watched:
    """A node on whose boot core late_timer runs, with a console of its own."""

    def __init__(self, machine, nodes, name, port):
        self.machine = machine
        self.name = name
        self.port = port
        self.node = nodes.launch(1, 192, "quiet console=ttyS%d" % (int(port[3]) - 1),
                                 devices=port, name=name)
        nodes.wait_up(port)

    def begin(self, windows):
        """From now on each of so many windows keeps its worst."""
        self.machine.sh("rm -f {out}*; mkfifo {out}.over; {{ {program} {us} {ms} {windows} "
                        ">{out}; echo over >{out}.over; }} </dev/null &".format(
                            out=LATE_OUT, program=LATE, us=STALL_US, ms=WINDOW_MS,
                            windows=windows), 30, self.port)

    def end(self, early):
        """The worst of each window that was whole, ms; early: not all are waited for."""
        text = self.machine.sh("{early}read over <{out}.over && cat {out}".format(
            early="kill -INT $(pidof %s) && " % os.path.basename(LATE) if early else "",
            out=LATE_OUT), 60, self.port)
        values = [int(value) / 1e6 for value in re.findall(r"late (\d+)", text)]
        if not values:
            raise MachineError("late_timer in node %d saw no window: %s" % (self.node, text))
        return values


def stalls(results, repeat, initrd):
    """How late timers are in three nodes, while a core moves between two of them."""
    with_late = os.path.join(os.path.dirname(initrd), "late.cpio.lzo")
    with open(os.path.join(helpers.BIN, "late_timer"), "rb") as file:
        cpio.append(initrd, with_late, {LATE.lstrip("/"): file.read()})
    with results.machine("moves-stalls", "mint.mem=768M@0 maxcpus=1 quiet "
                         "mint.devices=-com2,-com3,-com4", smp="5", memory="2G",
                         initrd=with_late) as machine:
        nodes = Nodes(machine)
        nodes.active()
        watched = [Watched(machine, nodes, name, port) for name, port in (
            ("one", "com2"), ("other", "com3"), ("third", "com4"))]
        pair = [node.node for node in watched[:2]]
        core = nodes.free_cores(1)[0]
        machine.sh("echo core %d %d >/sys/kernel/mint/move" % (core, pair[0]), 60)
        for variant in ("quiet", "moving"):
            moving = variant == "moving"
            for node in watched:
                node.begin(100 * WINDOWS if moving else WINDOWS)
            for index in range(STALL_MOVES if moving else 0):
                machine.sh("echo core %d %d >/sys/kernel/mint/move" % (
                    core, pair[(index + 1) % 2]), 60)
            for node in watched:
                for index, value in enumerate(node.end(moving)):
                    results.add(repeat, variant, node.name, value, "ms", index=index)
        for node in watched:
            nodes.stop(node.node)
        machine.power_off()


def moves(results, initrd):
    """All of it, as often as asked for."""
    for repeat in range(1, results.repeats(1) + 1):
        results.attempt("moves: stock", stock, results, repeat, initrd)
        results.attempt("moves: stock memory", stock_memory, results, repeat, initrd)
        results.attempt("moves: core", between, results, repeat, initrd)
        results.attempt("moves: stalls", stalls, results, repeat, initrd)
