# SPDX-License-Identifier: GPL-2.0
"""How long it takes to move a core between running nodes.

This file owns the benchmark `moves` of scripts/bench: what is measured, on which
machines. A core goes to and fro between two successors, and /sys/kernel/mint/moves
says how long each step took. In the same run a stock kernel takes the same core
offline and online again, with RCU expedited as moves have it.
"""

import re

from machine import MachineError
from nodes import UP, Nodes

MOVES = 200
PAIRS = 50
LINE = re.compile(r"^\d+ core \S+ \S+ > \S+ taken ([\d.]+) give ([\d.]+)"
                  r" clear ([\d.]+) take ([\d.]+)$", re.M)

# Nothing is forked between the marks: all but cat is the shell's own.
STOCK = """
echo 1 >/sys/kernel/rcu_expedited
timing=/sys/kernel/mint/timing
cpu=/sys/devices/system/cpu/cpu1/online
stamp() {{ echo mark >$timing; while read -r what tsc; do
    [ $what != mark ] || now=$tsc; done <$timing; }}
i=0
while [ $i -lt {count} ]; do
    stamp; begin=$now
    echo 0 >$cpu; stamp; middle=$now
    echo 1 >$cpu; stamp
    echo $begin $middle $now
    i=$((i + 1))
done
"""


def stock(results, repeat, initrd):
    """Pairs of offline and online of one core, in a kernel without Mint."""
    with results.machine("moves-stock", "quiet", smp="2", memory="1G",
                         initrd=initrd) as machine:
        machine.wait_for(UP, timeout=120)
        text = machine.sh(STOCK.format(count=PAIRS), 300)
        machine.power_off()
    rows = [[int(word) for word in line.split()] for line in text.splitlines()
            if re.fullmatch(r"\d+ \d+ \d+", line)]
    if len(rows) != PAIRS:
        raise MachineError("%d pairs instead of %d" % (len(rows), PAIRS))
    for index, (begin, middle, end) in enumerate(rows):
        results.add(repeat, "stock", "offline", middle - begin, index=index)
        results.add(repeat, "stock", "online", end - middle, index=index)
        results.add(repeat, "stock", "pair", end - begin, index=index)


def between(results, repeat, initrd):
    """A core to and fro between two successors, beside node 0."""
    with results.machine("moves", "mint.mem=768M@0 maxcpus=1 quiet", smp="4",
                         memory="2G", initrd=initrd) as machine:
        nodes = Nodes(machine)
        nodes.active()
        pair = [nodes.launch(1, 192, "quiet") for _ in range(2)]
        for node in pair:
            nodes.wait_state(node, "running")
        core = nodes.free_cores(1)[0]
        machine.sh("echo core %d %d >/sys/kernel/mint/move" % (core, pair[0]), 60)
        for index in range(MOVES):
            # The history holds sixteen: read it before it goes on
            text = machine.sh("echo core %d %d >/sys/kernel/mint/move && "
                              "tail -n 1 /sys/kernel/mint/moves"
                              % (core, pair[(index + 1) % 2]), 60)
            found = LINE.search(text)
            if not found:
                raise MachineError("move %d: %s" % (index, text))
            for what, value in zip(("total", "give", "clear", "take"),
                                   found.groups()):
                results.add(repeat, "core", what, float(value), "ms", index=index)
        for node in pair:
            nodes.stop(node)
        machine.power_off()


def moves(results, initrd):
    """Both, as often as asked for."""
    for repeat in range(1, results.repeats(1) + 1):
        results.attempt("moves: stock", stock, results, repeat, initrd)
        results.attempt("moves: core", between, results, repeat, initrd)
