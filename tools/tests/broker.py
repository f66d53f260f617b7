# SPDX-License-Identifier: GPL-2.0
"""Tests of mintd's policy by mint-sim, and of mintd and mint-agent; check.py runs them.

Properties are tried on random traces; MINT_SEED chooses others.
"""

import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import machines
from verdict import expect

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(sys.argv[1])
SIM = os.path.join(TOP, "mint-sim")
MINTD = os.path.join(TOP, "mintd")
AGENT = os.path.join(TOP, "mint-agent")
TRACES = os.path.join(HERE, "traces")
MOVE = re.compile(r"(\d+) core (\w+) > (\w+)( at once)?: ")
SUMS = re.compile(r"(mintd|static|one kernel|clairvoyant): makespan (\d+) s(.*), "
                  r"waste ([\d.]+) core-s, (\d+) moves, (\d+) reversals")


def until(true, limit=40):
    """Whether it came true within so many seconds. It is about files of programs that
    run: of their changes nobody is told."""
    end = time.monotonic() + limit
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
    return true()


def sim(trace):
    """What it prints for the lines of a trace."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("\n".join(trace) + "\n")
        file.flush()
        done = subprocess.run([SIM, file.name], check=False, capture_output=True, text=True,
                              timeout=60)
    expect(done.returncode == 0 and done.stderr == "", "%s: %s", trace, done.stderr)
    return done.stdout


def node(number, cores, low=1, high=64, weight=100, priority=50, mode="autonomous"):
    """A line of a trace."""
    return "node,%d,%d,%d,%d,%d,%d,%s" % (number, cores, low, high, weight, priority, mode)


def run(trace):
    """([(second, from, to)], {node or "free": cores at the end}, {scheme: makespan})."""
    out = sim(trace)
    moves = [(int(m[1]), m[2], m[3]) for m in map(MOVE.match, out.splitlines()) if m]
    end = {name: int(cores) for name, cores in
           re.findall(r"^end: (?:node )?(\w+) (?:has )?(\d+)$", out, re.M)}
    spans = {m[1]: int(m[2]) for m in SUMS.finditer(out)}
    expect(len(spans) == 4 and end, "%s", out)
    return moves, end, spans


def owned(trace, moves, until=1 << 30):
    """Who has how many cores after the moves up to that second."""
    cores = {"free": 0}
    for line in trace:
        words = line.split(",")
        if words[0] == "node":
            cores[words[1]] = int(words[2])
        if words[0] == "free":
            cores["free"] = int(words[1])
    for at, giver, receiver in moves:
        if at <= until:
            cores[giver] -= 1
            cores[receiver] += 1
            yield at, dict(cores)


def random_trace(rng):
    """Nodes and loads of any kind, liars, refusals and stale ones among them."""
    trace = ["free,%d" % rng.randint(0, 3), "cost,%d" % rng.choice((5, 100, 400, 2500))]
    numbers = range(rng.randint(1, 5))
    for number in numbers:
        low = rng.randint(1, 3)
        cores = rng.randint(low, 6)
        trace.append(node(number, cores, low, rng.randint(cores, 9), rng.choice((1, 50, 100, 9999)),
                          rng.randint(0, 99), rng.choice(("fixed", "autonomous", "cooperative"))))
    at = 0
    for _ in range(rng.randint(0, 40)):
        at += rng.choice((0, 0, 1, 3, 10, 60))
        number = rng.choice(numbers)
        trace.append(rng.choice((
            "load,%d,%d,%d,%d" % (at, number, rng.choice((0, 50, 900, 1000, 3000, 20000)),
                                  rng.randint(0, 9)),
            "want,%d,%d,%d,%d" % (at, number, rng.randint(-9, 9), rng.randint(0, 400)),
            "lie,%d,%d,%d" % (at, number, rng.choice((-1, 0, 2**31 - 1))),
            "stale,%d,%d,%d" % (at, number, rng.randint(0, 1)),
            "refuse,%d,%d,%d" % (at, number, rng.randint(0, 1)),
            "full,%d,%d,%d" % (at, number, rng.randint(0, 1)))))
    return trace + ["end,%d" % (at + 60)]


# ---- the policy -------------------------------------------------------------------

def traces_are_as_before():
    """What is decided on each trace of tests/traces is as it was read and found right"""
    for name in sorted(os.listdir(TRACES)):
        with open(os.path.join(TRACES, name), encoding="utf-8") as file:
            out = sim(file.read().splitlines())
        path = os.path.join(HERE, "golden", name.replace(".csv", ".sim"))
        if os.environ.get("MINT_GOLDEN") == "write":
            with open(path, "w", encoding="utf-8") as file:
                file.write(out)
        with open(path, encoding="utf-8") as file:
            expect(file.read() == out, "not as in golden/%s: %s", os.path.basename(path), out)


def cores_are_conserved_and_limits_kept():
    """On random traces no core is lost or made, and no move leaves [min, max] or a fixed node"""
    seed = int(os.environ.get("MINT_SEED", "1"))
    for number in range(60):
        rng = random.Random("broker %d %d" % (seed, number))
        trace = random_trace(rng)
        limits = {words[1]: (int(words[3]), int(words[4]), words[7]) for words in
                  (line.split(",") for line in trace) if words[0] == "node"}
        moves, end, _ = run(trace)
        start = dict(owned(trace, [(0, "free", "free")]))[0]
        expect(sum(end.values()) == sum(start.values()), "%s: %s, then %s", trace, start, end)
        last = start
        for at, cores in owned(trace, moves):
            for name, (low, high, mode) in limits.items():
                if cores[name] != last[name]:
                    expect(mode != "fixed" and low <= cores[name] <= high and
                           cores["free"] >= 0, "%s: %d s: %s", trace, at, cores)
            last = cores
        expect(last == end or not moves, "%s: %s, not %s", trace, last, end)


def idle_nodes_are_left_alone():
    """Without work nothing moves, whoever has how many cores"""
    for number in range(20):
        rng = random.Random("idle %d" % number)
        trace = [node(at, rng.randint(1, 9)) for at in range(4)] + ["free,2"]
        trace += ["load,%d,%d,%d,0" % (at, rng.randint(0, 3), rng.randint(0, 200))
                  for at in range(0, 200, 10)]
        moves = run(trace)[0]
        expect(not moves, "%s: %s", trace, moves)


def steady_loads_come_to_rest():
    """Under any constant load the last move is within half a minute"""
    for number in range(30):
        rng = random.Random("steady %d" % number)
        trace = ["cost,%d" % rng.choice((5, 100, 400)), "free,%d" % rng.randint(0, 2)]
        trace += [node(at, rng.randint(1, 4), weight=rng.choice((50, 100, 300)))
                  for at in range(3)]
        trace += ["lie,0,%d,%d" % (at, rng.randint(0, 9000)) for at in range(3)]
        moves = run(trace + ["end,400"])[0]
        expect(all(at < 60 for at, _, _ in moves), "%s: %s", trace, moves)
        expect(len({(a, b) for _, a, b in moves} & {(b, a) for _, a, b in moves}) == 0,
               "%s: there and back: %s", trace, moves)


def square_waves_move_seldom():
    """Two nodes that take turns, in any period: moves that gain little are as rare as promised"""
    for period in (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90):
        for cost in (5, 100, 400):
            trace = [node(1, 1, high=2), node(2, 1, high=2), "free,1", "cost,%d" % cost]
            for at in range(0, 1200, period):
                busy, idle = (1, 2) if at // period % 2 else (2, 1)
                trace += ["lie,%d,%d,2000" % (at, busy), "lie,%d,%d,0" % (at, idle)]
            moves = run(trace + ["end,1200"])[0]
            # The core that moves works where the load is
            ends = [at for at, _, _ in moves[1:]] + [1200]
            worked = sum(str(1 if at // period % 2 else 2) == to
                         for (begin, _, to), end in zip(moves, ends) for at in range(begin, end))
            base = min(max(10 * cost, 1000), 10000) / 1000
            bound = 8 + 1200 / (5 * base) + worked / max(20 * cost / 1000, 0.5)
            expect(len(moves) <= bound, "period %d, cost %d: %d moves, not up to %d", period,
                   cost, len(moves), bound)
            expect(period < 15 or len(moves) >= 1200 // period - 2, "period %d, cost %d: %d moves",
                   period, cost, len(moves))


def turns_that_pay_go_on():
    """Of four nodes one is busy, in turns, for long: each has its cores soon, to the last turn"""
    for period, cost in ((30, 400), (30, 700), (60, 700), (60, 2000)):
        trace = [node(number, 2, high=5) for number in range(4)] + ["cost,%d" % cost]
        for turn in range(40):
            for at, work in ((0, 1700 * period), (2, 0)):
                trace.append("load,%d,%d,%d,8" % (turn * period + at, turn % 4, work))
        moves, _, spans = run(trace + ["end,%d" % (41 * period)])
        for turn in range(40):
            got = [at for at, _, to in moves
                   if to == str(turn % 4) and 0 <= at - turn * period < period]
            # They were waited for at the same time: the third comes soon after the second
            expect(len(got) >= 3 and got[0] <= turn * period + period / 3 and
                   got[2] <= got[1] + 3,
                   "cost %d, turn %d of %d s: it gets cores at %s", cost, turn, period, got)
        expect(spans["mintd"] < spans["static"], "cost %d, turns of %d s: %s", cost, period,
               spans)


def the_entitled_gets_its_core():
    """Who is below its share has a core within 12 s of its load, also from one overloaded"""
    for other in (0, 1000, 50000):
        trace = [node(1, 1), node(2, 5), "cost,200", "lie,0,2,%d" % other,
                 "lie,100,1,3000", "end,160"]
        moves = run(trace)[0]
        first = [at for at, giver, to in moves if (giver, to) == ("2", "1")]
        expect(first and first[0] <= 112, "other %d: %s", other, moves)


def liars_get_no_more_than_their_share():
    """Whatever a node reports, an honest one keeps min(demand, share) or gets it back"""
    for lie in (3000, 100000, 2**31 - 1):
        for weight, honest in ((100, 4), (300, 6), (50, 3)):
            trace = [node(1, 4, low=2, weight=weight), node(2, 4), "cost,100",
                     "lie,0,1,8000", "lie,0,2,%d" % lie, "end,200"]
            moves, end, _ = run(trace)
            expect(end["1"] >= min(honest, 8) or lie == 3000, "%s: %s %s", trace, moves, end)
    # It has got all but the minimum of the idle one, which wakes up
    trace = [node(1, 4, low=2), node(2, 4), "lie,0,2,999999999", "lie,100,1,4000", "end,160"]
    moves, end, _ = run(trace)
    before = dict(owned(trace, moves, 99))
    expect(before[max(before)]["1"] == 2 and end["1"] == 4, "%s %s", moves, end)


def who_can_take_nothing_is_in_nobodys_way():
    """One that lacks cores or memory and can take none keeps no other from a giver"""
    for priority in (50, 99):
        trace = [node(1, 1, priority=priority), node(2, 6, weight=900), node(3, 1), "cost,100",
                 "full,0,1,1", "lie,0,1,99000", "lie,0,2,0", "lie,300,3,3000", "end,900"]
        moves, end, _ = run(trace)
        expect(end["3"] == 3 and [at for at, _, _ in moves if at < 310], "%s", moves)
        # The other has come first, is content, and comes again while the giver is left alone
        trace[-2:] = ["lie,0,3,3000", "lie,100,3,0", "lie,100,2,6000", "lie,200,2,0",
                      "lie,650,3,3000", "end,900"]
        moves, end, _ = run(trace)
        expect(end["3"] == 3 and [at for at, giver, to in moves
                                  if (giver, to) == ("2", "3") and 650 < at < 660], "%s", moves)
        # The other is refused once, too, and again some time later
        moves, end, _ = run(trace[:2] + [node(3, 1, weight=300)] + trace[3:-1] + [
            "refuse,660,2,1", "lie,660,3,4000", "refuse,672,2,0", "end,1200"])
        expect(end["3"] == 4 and [at for at, giver, to in moves
                                  if (giver, to) == ("2", "3") and 672 < at < 720], "%s", moves)
        # Two that can take nothing are no more in its way than one
        moves, end, _ = run(trace[:3] + [node(4, 1, priority=priority)] + trace[3:6] + [
            "full,0,4,1", "lie,0,4,99000", "lie,0,2,0", "lie,300,3,3000", "end,900"])
        expect(end["3"] == 3 and [at for at, _, to in moves if to == "3" and at < 315],
               "%s", moves)
        # Who gives has its own back as soon as it needs it, whoever it has refused
        trace = trace[:6] + ["lie,0,2,0", "lie,10,3,6000", "lie,300,2,6000", "end,400"]
        _, end, _ = run(trace)
        moves = run(trace)[0]
        expect(end["2"] >= 5 and [at for at, _, to in moves if to == "2" and 300 < at < 312],
               "%s", moves)
        # One that refuses everybody is left alone by each
        trace[6:] = []
        out = sim(trace[:6] + ["refuse,0,2,1", "lie,0,2,0", "lie,0,3,3000", "end,900"])
        tries = re.findall(r"^(\d+) refused node (\d)", out, re.M)
        expect(2 <= len(tries) <= 12 and {to for _, to in tries} == {"1", "3"}, "%s", out)
    trace = [node(1, 1, priority=99), node(2, 1), node(3, 1), "memory,1,512,256,4096",
             "memory,2,4096,256,8192", "memory,3,512,256,4096", "full,0,1,1", "need,0,1,512",
             "need,0,3,500", "end,300"]
    out = sim(trace)
    expect("memory 2 > 3: " in out, "%s", out)


def who_can_take_nothing_keeps_no_share():
    """What a node would have that can take nothing goes to the others, and back when it can"""
    for idle in ([node(2, 6)], [node(2, 3), node(4, 3)], [node(2, 1), "free,5"]):
        trace = [node(1, 1), node(3, 1), *idle, "cost,100", "full,0,1,1", "lie,0,1,99000",
                 "lie,0,3,99000"]
        moves, end, _ = run(trace + ["end,300"])
        # All 8 but one for each of the others
        expect(end["free"] == 0 and end["3"] == 8 - (len(end) - 2), "%s: %s %s", trace, moves, end)
        # It does not lose what is its own
        moves, end, _ = run(trace + ["full,300,1,0", "end,900"])
        expect(min(end["1"], end["3"]) >= 3, "%s: %s %s", trace, moves, end)
    for number in range(40):
        rng = random.Random("full %d" % number)
        names, stuck = range(rng.randint(3, 5)), rng.randint(1, 2)
        cores = {name: rng.randint(1, 6) for name in names}
        lies = {name: rng.choice((0, 0, 2000, 5000, 99000)) for name in names}
        trace = [node(name, cores[name], weight=rng.choice((50, 100, 300))) for name in names]
        trace += ["free,%d" % rng.randint(0, 3), "cost,%d" % rng.choice((5, 100, 400))]
        trace += ["full,0,%d,1" % name for name in names if name < stuck]
        trace += ["lie,0,%d,%d" % (name, lies[name]) for name in names]
        moves, end, _ = run(trace + ["end,900"])
        expect(all(at < 200 for at, _, _ in moves) and
               not {(a, b) for _, a, b in moves} & {(b, a) for _, a, b in moves},
               "%s: %s", trace, moves)
        # Nobody waits for a core that somebody else could do without
        if any(lies[name] > 1000 * end[str(name)] + 250 for name in names if name >= stuck):
            spare = {name: end[str(name)] - max(1, -(-(lies[name] - 100) // 1000))
                     for name in names}
            expect(end["free"] == 0 and all(left <= 0 for left in spare.values()),
                   "%s: %s %s", trace, moves, end)


def who_gave_has_room_again():
    """One that could take nothing, and gives, gets back what it gave as soon as it needs that"""
    trace = [node(1, 3), node(2, 3), node(3, 2), "cost,100", "full,0,1,1", "lie,0,1,9000",
             "lie,0,2,0", "lie,0,3,0", "lie,960,1,0", "lie,960,2,9000", "full,970,1,0",
             "lie,980,1,9000", "lie,980,2,0", "end,1020"]
    moves = run(trace)[0]
    gave = [at for at, giver, _ in moves if giver == "1"]
    back = [at for at, _, to in moves if to == "1"]
    expect(gave and back and 980 < back[0] <= 1000, "%s", moves)


def stale_nodes_are_frozen():
    """A node that says nothing neither gives nor gets"""
    moves = run([node(1, 1), node(2, 4), "stale,0,2,1", "lie,5,1,9000", "end,100"])[0]
    expect(not moves, "%s", moves)
    moves = run([node(1, 1), node(2, 4), "free,2", "stale,0,1,1", "lie,5,1,9000", "end,100"])[0]
    expect(not moves, "%s", moves)


def memory_goes_to_who_lacks_it():
    """Blocks go where less than an eighth is left, within limits, and not back again"""
    trace = [node(1, 1), node(2, 1), "memory,1,1024,512,1536", "memory,2,4096,512,8192"]
    for free, wanted in ((0, "2 > 1"), (1024, "free > 1")):
        out = sim(trace + ["free,0,%d" % free, "need,5,1,1100", "end,300"])
        moves = re.findall(r"^\d+ memory (\w+ > \w+)", out, re.M)
        expect(1 <= len(moves) <= 4 and set(moves) == {wanted}, "%s", out)
    # Enough is said to be available, and tasks wait for it: until they do not
    out = sim(trace + ["free,0,1024", "stall,5,1,99,1280", "stall,20,1,100,1280", "end,300"])
    moves = re.findall(r"^(\d+) memory free > 1: (.*)", out, re.M)
    expect(len(moves) == 2 and int(moves[0][0]) in (21, 22) and
           "1024 of 1024 MiB are available, tasks wait for it 10 % of the time" in moves[0][1],
           "%s", out)
    # Nobody takes it from a node that waits for it
    out = sim(trace + ["stall,0,2,500,8000", "need,5,1,1100", "end,300"])
    expect("memory 2 >" not in out, "%s", out)
    # All of the other is in use: nothing can be had
    trace[2] = "memory,1,1024,1024,1536"
    out = sim(trace + ["need,0,2,4000", "need,5,1,1100", "end,300"])
    expect("memory 2" not in out and "end: 0 blocks" in out, "%s", out)


def no_harm_to_makespan():
    """On random honest loads it is done no later than a static split, but for 2 % and 5 s"""
    for number in range(30):
        rng = random.Random("harm %d" % number)
        trace = [node(at, rng.randint(1, 3)) for at in range(3)] + ["cost,100"]
        for at in range(0, 300, rng.choice((20, 50, 100))):
            trace += ["load,%d,%d,%d,%d" % (at, name, rng.choice((0, 300, 1000, 2500)),
                                            rng.randint(1, 4)) for name in range(3)]
        spans = run(trace + ["end,300"])[2]
        expect(spans["mintd"] <= 1.02 * spans["static"] + 5, "%s: %s", trace, spans)


# A node of a trace
ONE = "node,1,1,1,2,100,50,fixed\n"


def wrong_traces_are_refused():
    """A wrong line is named, with what is allowed"""
    for line, pattern in (("node,1,0,1,2,100,50,fixed", "line 1: numbers from 1 on"),
                          ("node,1,1,3,2,100,50,fixed", "line 1: numbers from 1 on"),
                          ("node,1,1,1,2,100,50,free", "line 1: the mode is"),
                          ("free,x", "line 1: free,<cores>"),
                          ("memory,1,2,3", "line 1: memory,<node>"), ("end,1", "has no node"),
                          ("load,1,7,5", "line 1: there is no such node"),
                          ("node,4294967295,1,1,2,100,50,fixed", "line 1: one of its numbers"),
                          ("node,4294967297,1,1,2,100,50,fixed", "line 1: one of its numbers"),
                          ("node,1,1,1,-1,100,50,fixed", "line 1: one of its numbers"),
                          ("node,1,1,1,2,100,100,fixed", "line 1: numbers from 1 on"),
                          ("free,18446744073709551617", "line 1: one of its numbers"),
                          ("#\nnode,1,1,1,2,100,50,fixed\nload,-1,1,5", "line 3: a number is too large"),
                          ("# " + "x" * 999 + "\n# " + "x" * 252 + "\nx", "line 3: neither"),
                          ("load,1," + "0" * 300 + "7,5", "line 1: the line is too long"),
                          ("\0", "line 1: the line is too long, or has a zero byte in it"),
                          (ONE + "load,1,1,nan", "line 2: neither a node"),
                          (ONE + "lie,1,1,inf", "line 2: neither a node"),
                          (ONE + "load,1,1,-5", "line 2: work is 0 or more"),
                          (ONE + "need,1,1,-5", "line 2: memory is 0 or more"),
                          (ONE + "stall,1,1,1001,5", "line 2: thousandths are 0 to 1000"),
                          (ONE + "lie,1,1,-2", "line 2: tasks are 0 or more, or -1"),
                          (ONE + "stale,1,1,7", "line 2: it is 0 or 1"),
                          (ONE + "refuse,1,1,-1", "line 2: it is 0 or 1"),
                          (ONE + "want,1,1,1,86401", "line 2: seconds are 86400 at most"),
                          (ONE + "load,9,1,5\nload,8,1,5", "line 3: times do not go back"),
                          (ONE + "load,9,1,5\nend,5", "line 3: something happens after the end"),
                          (ONE + "end,5\nload,9,1,5", "line 3: something happens after the end"),
                          (ONE + "end,5\nend,9", "line 3: that stands there already"),
                          ("free,1\nfree,2", "line 2: that stands there already"),
                          ("cost,1\ncost,2", "line 2: that stands there already"),
                          (ONE + "memory,1,2,1,3\nmemory,1,2,1,3", "line 3: that stands there alr"),
                          (ONE + ONE, "line 2: numbers from 1 on, min to max"),
                          ("node,1,1,1,2,100,50,Fixed", "line 1: the mode is"),
                          ("\ufeff" + ONE, "line 1: neither a node"),
                          (ONE.replace("\n", "\r") + "load,1,1,5", "line 1: there is a carriage re"),
                          (ONE.replace(",", ";"), "line 1: neither a node"), ("", "has no node"),
                          ("nonsense", "line 1: neither a node")):
        with tempfile.NamedTemporaryFile("w", newline="") as file:
            file.write(line + "\n")
            file.flush()
            done = subprocess.run([SIM, file.name], check=False, capture_output=True, text=True)
        expect(done.returncode == 2 and pattern in done.stderr and not done.stdout and
               done.stderr.startswith("mint-sim: %s: " % file.name), "%s: %s", line, done)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([SIM, os.path.join(TRACES, "idle.csv")], check=False, stdout=full,
                              stderr=subprocess.PIPE, text=True)
    expect(done.returncode == 1 and done.stderr.startswith("mint-sim: standard output: "), "%s",
           done)
    done = subprocess.run([SIM, "/"], check=False, capture_output=True, text=True)
    expect(done.returncode == 2 and "Is a directory" in done.stderr, "%s", done)


# ---- mintd ------------------------------------------------------------------------

class Whole(machines.Tree):
    """A tree whose files are written in one piece, for who reads them meanwhile."""

    def write(self, name, text, mode="w"):
        super().write(name + ".new", text, mode)
        os.rename(self.path(name + ".new"), self.path(name))


class Kernel:
    """A machine of files in which hearts beat and moves are carried out."""

    def __init__(self, **runnable):
        self.top = tempfile.mkdtemp(prefix="mintd.")
        self.tree = Whole(self.top)
        self.tree.stock([(0, 0)])
        self.tree.active()
        self.runnable = runnable
        self.owners = {"0": [0], "1": [1, 2, 3], "2": [4], "free": []}
        self.moves, self.refused = [], ()
        # MiB: by the book, and what the nodes say they have, and have available
        self.owned, self.told = [512] * 3, [(512, 256)] * 3
        self.moved = threading.Condition()
        self.beats = 2**32 - 20
        for number, name in enumerate(("predecessor", "web", "db")):
            self.tree.node(number, name, "running")
        self.tree.mint("move", "")
        os.makedirs(self.tree.path("/run"))
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.live)

    def show(self):
        """Write what the files say now."""
        lists = {name: ",".join(map(str, sorted(cores))) for name, cores in self.owners.items()}
        self.tree.cores(0, **{"node" + name if name != "free" else name: text
                              for name, text in lists.items() if text})
        for number in range(3):
            top = "nodes/%d/" % number
            load = "beats=%d runnable_sum=%d busy_ms=0 cpus=1 mem_mib=%d available_mib=%d\n" % (
                self.beats % 2**32, self.beats * self.runnable.get("node%d" % number, 0) % 2**32,
                *self.told[number])
            start = number << 36
            memory = "0x%x-0x%x\n" % (start, start + self.owned[number] * machines.M - 1)
            for file, text in (("cpus", lists[str(number)] + "\n"), ("load", load),
                               ("memory", memory)):
                self.tree.mint(top + file, text)

    def live(self):
        """Beat and obey, ten times a second."""
        while not self.done.wait(0.1):
            self.beats += 1
            move = "/sys/kernel/mint/move"
            # after_refusal() has put another file there, which may have no end
            words = [] if os.path.islink(self.tree.path(move)) else self.tree.read(move).split()
            if len(words) == 3 and words[0] in ("core", "memory"):
                self.tree.mint("move", "")
                with self.moved:
                    self.moves.append(" ".join(words))
                    self.moved.notify_all()
            if len(words) == 3 and words[0] == "memory":
                self.owned[int(words[2])] += 128
            if len(words) == 3 and words[0] == "core":
                for cores in self.owners.values():
                    if int(words[1]) in cores:
                        cores.remove(int(words[1]))
                self.owners[words[2]].append(int(words[1]))
            self.show()

    def policy(self, name, text):
        """Write a node file that has this section."""
        self.tree.write("/etc/mint/%s.node" % name, "[Policy]\n" + text)

    def __enter__(self):
        self.show()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        shutil.rmtree(self.top)

    def start(self, *words):
        """mintd on it."""
        return subprocess.Popen([MINTD, "--sysroot=" + self.top, *words], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait(self, number, limit=40):
        """Until so many moves were made."""
        with self.moved:
            self.moved.wait_for(lambda: len(self.moves) >= number, limit)
        expect(len(self.moves) >= number, "%s", self.moves)


def finish(process):
    """(status, output, errors) of what shall end."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def mintd_follows_the_load():
    """Cores go to who lacks them, the boot core stays, each move has its reason; a trace is kept"""
    with Kernel(node2=3) as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=autonomous\nCoresMax=3\n")
        record = kernel.tree.path("/trace")
        mintd = kernel.start("--record=" + record)
        try:
            kernel.wait(2)
            second = finish(kernel.start())
            look = finish(kernel.start("--dry-run", "--steps=2"))
        finally:
            mintd.send_signal(signal.SIGTERM)
            status, out, err = finish(mintd)
        expect(kernel.moves == ["core 3 2", "core 2 2"], "%s", kernel.moves)
        expect(status == 0 and not err and
               re.search(r"^move core 3 2: node 2 lacks: 1 cores, share 3, demand 2.\d+; node 1 "
                         r"has 3, share 1, demand 0.00: done in \d+ ms$", out, re.M),
               "%d %s %s", status, out, err)
        expect(second[0] == 1 and not second[1] and
               "there is a mintd already, process %d" % mintd.pid in second[2], "%s", second)
        expect(look[0] == 0 and not look[2], "%s", look)
        with open(record, encoding="utf-8") as file:
            trace = file.read().splitlines()
        expect("node,2,1,1,3,100,50,autonomous" in trace and "node,0,1,1,4096,100,50,fixed" in trace,
               "%s", trace)
        sim(trace)
        # The lock went with its holder
        expect(finish(kernel.start("--steps=1"))[0] == 0, "it is still locked")


def records_are_traces():
    """A node that is launched anew while mintd records has its line in the trace once"""
    with Kernel() as kernel:
        record = kernel.tree.path("/trace")
        kernel.tree.mint("nodes/2/incarnation", "1\n")

        def seconds():
            # A step that is late may be the next second's
            found = re.findall(r"^load,(\d+),2,", kernel.tree.read("/trace"), re.M) \
                if os.path.exists(record) else []
            return int(found[-1]) if found else -1

        mintd = kernel.start("--record=" + record)
        try:
            for incarnation, second in ((2, 1), (3, 3)):
                expect(until(lambda at=second: seconds() >= at), "no steps")
                kernel.tree.mint("nodes/2/incarnation", "%d\n" % incarnation)
            expect(until(lambda: seconds() >= 5), "no steps")
        finally:
            mintd.send_signal(signal.SIGTERM)
            finish(mintd)
        sim(kernel.tree.read("/trace").splitlines())


def after_refusal(kernel, file, moves, limit=40):
    """A request fails as writing to this file does, so many then do not: (its line, mintd's end)"""
    move = kernel.tree.path("/sys/kernel/mint/move")
    os.symlink(file, move + ".new")
    os.rename(move + ".new", move)
    mintd = kernel.start()
    try:
        expect(select.select([mintd.stdout], [], [], 40)[0], "it tries nothing")
        first = mintd.stdout.readline()
        kernel.tree.mint("move", "")
        kernel.wait(moves, limit)
    finally:
        mintd.send_signal(signal.SIGTERM)
        end = finish(mintd)
    return first, end


def mintd_learns_the_boot_core():
    """A node began on another core than its lowest: the kernel says so once, and the lowest goes"""
    with Kernel(node2=5) as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=autonomous\nCoresMax=3\n")
        # Writing to this file is EPERM, for root as well: it can be written once
        first, (status, out, err) = after_refusal(kernel, "/proc/self/uid_map", 2, 80)
        expect(re.match(r"move core 3 2: .*: Operation not permitted$", first), "%s", first)
        expect(status == 0 and kernel.moves == ["core 2 2", "core 1 2"], "%s %s %s",
               kernel.moves, out, err)


def core_without_a_number_bars_nobody():
    """A receiver that has no CPU number for one core of a giver is offered another one at once"""
    with Kernel(node2=5) as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=autonomous\nCoresMax=2\n")
        # Writing to this file is ENOSPC
        first, out = after_refusal(kernel, "/dev/full", 1, 20)
        expect(re.match(r"move core 3 2: .*: No space left on device$", first), "%s", first)
        expect(kernel.moves == ["core 2 2"], "%s %s", kernel.moves, out)


def refused_core_comes_last():
    """A core that was refused is tried again after those that were not"""
    with Kernel(node0=5, node2=5) as kernel:
        kernel.policy("predecessor", "Mode=autonomous\nCoresMax=2\n")
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=autonomous\nCoresMax=2\nPriority=90\n")
        # Writing to this file is EIO
        first, out = after_refusal(kernel, "/proc/version", 1)
        expect(re.match(r"move core 3 2: .*: Input/output error$", first), "%s", first)
        expect(kernel.moves[0] == "core 2 0", "%s %s", kernel.moves, out)


def mintd_leaves_wrong_files_alone():
    """A node whose file is wrong is left alone, which is said; mended and SIGHUP, it takes part"""
    for text, pattern in (("Mode=clever\n", "web.node:2: Mode=clever: what is allowed is fixed"),
                          ("CoresMin=0\n", "web.node:2: CoresMin=0: what is allowed"),
                          ("Weight=10001\n", "web.node:2: Weight=10001: what is allowed"),
                          ("Priority=100\n", "web.node:2: Priority=100: what is allowed"),
                          ("MemoryMin=x\n", "web.node:2: MemoryMin=x: what is allowed"),
                          ("CoresMin=3\nCoresMax=2\n", "CoresMin=3 is more than CoresMax=2"),
                          ("MemoryMin=2G\nMemoryMax=1G\n", "MemoryMin=2048M is more than")):
        with Kernel(node2=3) as kernel:
            kernel.policy("web", text)
            status, out, err = finish(kernel.start("--dry-run", "--steps=1"))
            expect(status == 0 and pattern in err and "node 1 (web) is left alone" in err,
                   "%s: %d %s %s", text, status, out, err)
    with Kernel(node2=3) as kernel:
        kernel.policy("web", "Mode=clever\n")
        kernel.policy("db", "Mode=autonomous\n")
        record = kernel.tree.path("/trace")
        mintd = kernel.start("--record=" + record)
        try:
            # For so long that it would have moved one
            expect(until(lambda: os.path.exists(record) and
                         "load,6," in kernel.tree.read("/trace")), "there are no steps")
            expect(not kernel.moves, "%s", kernel.moves)
            kernel.policy("web", "Mode=autonomous\nCoresMin=2\n")
            mintd.send_signal(signal.SIGHUP)
            kernel.wait(1)
        finally:
            mintd.send_signal(signal.SIGTERM)
            status, out, err = finish(mintd)
        expect(kernel.moves == ["core 3 2"] and "read again" in out, "%s %s", out, err)


def mintd_bounds_memory_by_the_book():
    """A node that says it has little memory, and none of it left, gets no more than MemoryMax"""
    with Kernel() as kernel:
        kernel.policy("web", "Mode=autonomous\nMemoryMin=512M\nMemoryMax=768M\n")
        kernel.policy("db", "Mode=cooperative\nMemoryMin=128M\nMemoryMax=640M\n")
        kernel.tree.memory((1 << 40, (1 << 40) + machines.G * 16, "free"))
        kernel.told[1:] = [(129, 1), (2**32 - 1, 2**32 - 1)]
        kernel.tree.mint("nodes/2/want", "memory=+4G hold=300s\n")
        status, out, err = finish(kernel.start("--steps=14"))
        expect(status == 0 and not err and
               sorted(kernel.moves) == ["memory 128M 1"] * 2 + ["memory 128M 2"] and
               kernel.owned == [512, 768, 640], "%s %s %s %s", kernel.moves, kernel.owned, out, err)


def names_are_no_paths():
    """A node that calls itself by a path, or as node 0, has no limits of a file"""
    for name, file in (("../../x", "/x.node"), ("predecessor", "/etc/mint/predecessor.node"),
                       ("", "/etc/mint/.node")):
        with Kernel(node2=3) as kernel:
            kernel.policy("web", "Mode=autonomous\n")
            kernel.tree.write(file, "[Policy]\nMode=autonomous\n")
            kernel.tree.mint("nodes/2/name", name + "\n")
            status, out, err = finish(kernel.start("--dry-run", "--steps=5"))
            expect(status == 0 and not out and not err, "%s: %d %s%s", name, status, out, err)


def twins_have_no_file():
    """Two nodes of a name are both left alone, and said so once, until one of them has ended"""
    with Kernel(node2=3) as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("predecessor", "Mode=autonomous\n")
        kernel.tree.mint("nodes/2/name", "web\n")
        kernel.owners["0"].append(9)
        mintd = kernel.start()
        try:
            lines = [mintd.stderr.readline() for _ in range(2)]
            expect(lines == ["mintd: node %d (web) is left alone: another node is called so, too, "
                             "until one of them has ended\n" % n for n in (1, 2)], "%s", lines)
            # Node 0 gives a core to none of them for so long that it would have
            kernel.done.wait(6)
            expect(not kernel.moves, "%s", kernel.moves)
            kernel.tree.mint("nodes/2/name", "db\n")
            kernel.policy("db", "Mode=autonomous\n")
            mintd.send_signal(signal.SIGHUP)
            kernel.wait(1)
        finally:
            mintd.send_signal(signal.SIGTERM)
            status, out, err = finish(mintd)
        expect(status == 0 and not err and re.match(r"core \d 2", kernel.moves[0]), "%s %s %s",
               kernel.moves, out, err)


def only_root_locks_mintd_out():
    """Nobody but its owner can open mintd's lock; a lock that nobody holds is none"""
    with Kernel() as kernel:
        lock = kernel.tree.path("/run/mint/mintd.lock")
        kernel.tree.write("/run/mint/mintd.lock", "")
        os.chmod(lock, 0o644)
        mintd = kernel.start()
        try:
            expect(until(lambda: os.path.exists(lock) and os.path.getsize(lock)), "no lock")
            expect(os.stat(lock).st_mode & 0o777 == 0o600, "%o", os.stat(lock).st_mode)
        finally:
            mintd.kill()
            finish(mintd)
        # The number in it may be another process' by now
        with open(lock, "w", encoding="ascii") as file:
            file.write("%d\n" % os.getpid())
        status, _, err = finish(kernel.start("--steps=1"))
        expect(status == 0, "%d %s", status, err)


def mintd_heeds_wishes():
    """A cooperative node gets what it asks for; of an autonomous one the wish is not heeded"""
    with Kernel() as kernel:
        kernel.policy("web", "Mode=cooperative\n")
        kernel.policy("db", "Mode=cooperative\n")
        kernel.policy("predecessor", "Mode=autonomous\n")
        kernel.tree.mint("nodes/0/want", "cores=+3 urgency=high\n")
        kernel.tree.mint("nodes/1/want", "victim=2\n")
        kernel.tree.mint("nodes/2/want", "cores=+1 x=y memory= prio=100 urgency=high hold=60s\n")
        mintd = kernel.start()
        try:
            kernel.wait(1)
        finally:
            mintd.send_signal(signal.SIGTERM)
            status, out, err = finish(mintd)
        expect(status == 0 and kernel.moves == ["core 2 2"] and "node 2 asks" in out,
               "%s %s %s", kernel.moves, out, err)


def wishes_stand_in_any_order():
    """A wish may stand behind victim=; where no trace can be written mintd says so and goes on"""
    with Kernel() as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=cooperative\n")
        kernel.tree.mint("nodes/2/want", "victim=4 cores=+1 hold=60s\n")
        status, out, err = finish(kernel.start("--steps=6", "--record=/dev/full"))
        expect(status == 0 and "node 2 asks" in out and len(kernel.moves) == 1, "%s %s %s",
               kernel.moves, out, err)
        expect(err == "mintd: --record: No space left on device: nothing is recorded any more\n",
               "%s", err)


def wishes_count_once():
    """A wish that one mintd has met is not new to the next; another text, or another node's, is"""
    with Kernel() as kernel:
        kernel.owners["1"] = [1, 2, 3, 5, 6, 7]
        kernel.policy("web", "Mode=cooperative\n")
        kernel.tree.mint("nodes/1/incarnation", "1\n")
        kernel.tree.mint("nodes/1/want", "cores=-1 victim=3\n")
        mintd = kernel.start("--dry-run")
        try:
            expect("would move core 3 free" in mintd.stdout.readline(), "it is not heeded")
        finally:
            mintd.send_signal(signal.SIGTERM)
            finish(mintd)
        expect(os.listdir(kernel.tree.path("/run")) == [], "a dry run keeps something")
        for number, change in enumerate((
                lambda: None, lambda: kernel.tree.mint("nodes/1/want", "cores=-1 again\n"),
                lambda: kernel.tree.mint("nodes/1/incarnation", "2\n"),
                # It counted for nothing while it was not heeded
                lambda: (kernel.policy("web", ""), kernel.tree.mint("nodes/1/want", "cores=-1\n"),
                         finish(kernel.start("--steps=2")),
                         kernel.policy("web", "Mode=cooperative\n")))):
            change()
            mintd = kernel.start()
            try:
                kernel.wait(number + 1)
            finally:
                mintd.send_signal(signal.SIGTERM)
                finish(mintd)
            status, out, err = finish(kernel.start("--steps=3"))
            expect(status == 0 and len(kernel.moves) == number + 1 and not out + err,
                   "%d: %s %s%s", number, kernel.moves, out, err)
        # Nor does the one of a node which a mintd does not see, or which is left alone for a while
        kernel.tree.mint("nodes/1/state", "silent\n")
        kernel.tree.mint("nodes/0/want", "cores=+0\n")
        kernel.policy("predecessor", "Mode=cooperative\n")
        finish(kernel.start("--steps=3"))
        kernel.tree.mint("nodes/1/state", "running\n")
        kernel.policy("web", "Mode=cooperativ\n")
        finish(kernel.start("--steps=3"))
        kernel.policy("web", "Mode=cooperative\n")
        status, out, err = finish(kernel.start("--steps=3"))
        expect(status == 0 and len(kernel.moves) == 4 and not out, "%d %s %s%s", status,
               kernel.moves, out, err)
        # One that ended before it counted is new, also to the next
        kernel.tree.mint("nodes/1/want", "cores=-1 last\n")
        finish(kernel.start("--steps=1"))
        mintd = kernel.start()
        try:
            kernel.wait(5)
        finally:
            mintd.send_signal(signal.SIGTERM)
            finish(mintd)
        status, out, err = finish(kernel.start("--dry-run", "--steps=3"))
        expect(status == 0 and not out + err, "%d %s%s", status, out, err)
        os.unlink(kernel.tree.path("/run/mint/mintd.wishes"))
        os.makedirs(kernel.tree.path("/run/mint/mintd.wishes/x"))
        status, out, err = finish(kernel.start("--steps=2"))
        expect(status == 0 and re.search("mintd.wishes: .*: a wish that stands counts again", err),
               "%d %s%s", status, out, err)


def mintd_is_not_held_up_by_wishes():
    """A wish that names all APIC IDs there can be takes no step its time, whatever the mode"""
    with Kernel() as kernel:
        kernel.policy("db", "Mode=cooperative\n")
        kernel.tree.mint("nodes/1/want", "victim=0-1048575\n")
        kernel.tree.mint("nodes/2/want", "victim=%s\n" % ",".join(["0-1048575"] * 9))
        began = time.monotonic()
        status, out, err = finish(kernel.start("--steps=2"))
        took = time.monotonic() - began
        expect(status == 0 and not out and not err and took < 20, "%d %s %s, %.0f s", status,
               out, err, took)


def only_cooperative_nodes_name_victims():
    """Of an autonomous node the last core goes, whichever its wish names"""
    with Kernel(node2=3) as kernel:
        kernel.policy("web", "Mode=autonomous\n")
        kernel.policy("db", "Mode=autonomous\n")
        kernel.tree.mint("nodes/1/want", "victim=2\n")
        mintd = kernel.start()
        try:
            kernel.wait(1)
        finally:
            mintd.send_signal(signal.SIGTERM)
            status, out, err = finish(mintd)
        expect(status == 0 and kernel.moves[0] == "core 3 2", "%s %s %s", kernel.moves, out, err)


def wait_for(tree, want, limit=40):
    """Until that is the node's wish."""
    expect(until(lambda: tree.read("/sys/kernel/mint/want") == want, limit), "%r, not %r",
           tree.read("/sys/kernel/mint/want"), want)


def agent_names_idle_cores():
    """The agent names idle cores; not the first, a bound or an isolated one; and keeps the rest"""
    def times(*busy):
        tree.write("/proc/stat.new", "cpu  1 1 1 1\n" + "".join(
            "cpu%d %d 0 0 %d 0 0 0 0 0 0\n" % (at, ticks, 1000 - ticks + times.all)
            for at, ticks in enumerate(busy)) + "intr 1\n")
        os.rename(tree.path("/proc/stat.new"), tree.path("/proc/stat"))
        times.all += 1000

    times.all = 0
    top = tempfile.mkdtemp()
    try:
        tree = machines.Tree(top)
        tree.stock([(at, 0) for at in (4, 5, 6, 7, 8)])
        tree.mint("want", "cores=-1 hold=60s\n")
        tree.write("/sys/devices/system/cpu/isolated", "4\n")
        tree.write("/proc/7/status", "Name:\tx\nVmSize:\t1 kB\nCpus_allowed_list:\t3\n")
        tree.write("/proc/8/status", "Name:\tkthread\nCpus_allowed_list:\t1\n")
        tree.write("/proc/9/status", "Name:\ty\nVmSize:\t1 kB\nCpus_allowed_list:\t0-4\n")
        times(0, 0, 0, 0, 0)
        agent = subprocess.Popen([AGENT, "--sysroot=" + top], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            # Of the first look nothing follows
            wait_for(tree, "cores=-1 hold=60s victim=\n")
            times(0, 0, 500, 0, 0)
            wait_for(tree, "cores=-1 hold=60s victim=5\n")
            tree.mint("want", "prio=3\n")
            times(0, 500, 500, 0, 0)
            wait_for(tree, "prio=3 victim=6\n")
        finally:
            agent.send_signal(signal.SIGTERM)
            status, _, err = finish(agent)
        expect(status == 0 and tree.read("/sys/kernel/mint/want") == "prio=3\n",
               "%d %s %s", status, err, tree.read("/sys/kernel/mint/want"))
        os.unlink(tree.path("/sys/kernel/mint/want"))
        done = finish(subprocess.Popen([AGENT, "--sysroot=" + top], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        expect(done[0] == 3 and "passes no wishes on" in done[2], "%s", done)
        done = finish(subprocess.Popen([AGENT, "--sysroot=/nonexistent"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        expect(done[0] == 5, "%s", done)
    finally:
        shutil.rmtree(top)


def mintd_says_whom_it_leaves_alone():
    """Of more nodes than it looks after the others are named, once; that no file has a mode, too"""
    with Kernel() as kernel:
        for number in range(3, 70):
            kernel.tree.node(number, "n%d" % number, "running", "%d" % (number + 10))
        status, out, err = finish(kernel.start("--steps=3"))
        expect(status == 0 and out == "as yet no node takes part: Mode= in section [Policy] of its "
               "file says which does, see mint.node(5)\n" and err ==
               "mintd: 64 nodes are looked after: node 64 and those behind it are left alone\n",
               "%d %s%s", status, out, err)
        kernel.policy("n9", "Mode=autonomous\n")
        status, out, _ = finish(kernel.start("--steps=2"))
        expect(status == 0 and not out, "%d %s", status, out)


def mintd_is_for_node_0():
    """A successor and a kernel without Mint have no mintd; wrong words are usage"""
    with Kernel() as kernel:
        expect(finish(kernel.start("--steps=0"))[0] == 2, "no usage")
        expect(finish(kernel.start("x"))[0] == 2, "no usage")
        # No lock, no broker; no record, none either
        lock = kernel.tree.path("/run/mint/mintd.lock")
        os.makedirs(lock)
        status, _, err = finish(kernel.start("--steps=1"))
        expect(status == 1 and err.endswith("/run/mint/mintd.lock: Is a directory\n"), "%d %s",
               status, err)
        os.rmdir(lock)
        status, _, err = finish(kernel.start("--steps=1", "--record=/nonexistent/x"))
        expect(status == 1 and err == "mintd: --record=/nonexistent/x: No such file or directory\n",
               "%d %s", status, err)
        kernel.tree.mint("node", "1\n")
        status, _, err = finish(kernel.start())
        expect(status == 1 and "only node 0 shares out" in err, "%d %s", status, err)
        done = finish(subprocess.Popen([MINTD, "--sysroot=/nonexistent"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        expect(done[0] == 5 and "mintd: this kernel has no Mint" in done[2], "%s", done)


def programs_have_help():
    """--help is usage on standard output; what is called wrongly is status 2 and does nothing"""
    for program in (MINTD, AGENT, SIM):
        done = finish(subprocess.Popen([program, "--help"], text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE))
        expect(done[0] == 0 and done[1].startswith("usage: ") and not done[2], "%s", done)
        for words, why in ((["--bogus"], "unrecognized option '--bogus'"),
                           (["--steps=x"], "--steps=x"), (["--steps=0"], "--steps=0"),
                           (["--steps"], "option '--steps"),
                           (["x", "y"], "one trace is wanted" if program == SIM else
                            "'x' is too much")):
            done = finish(subprocess.Popen([program, *words], text=True,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE))
            first, _, rest = done[2].partition("\n")
            expect(done[0] == 2 and not done[1] and why in first and rest.startswith("usage: "),
                   "%s: %s", words, done)


TESTS = [traces_are_as_before, cores_are_conserved_and_limits_kept, idle_nodes_are_left_alone,
         steady_loads_come_to_rest, square_waves_move_seldom, turns_that_pay_go_on,
         the_entitled_gets_its_core, liars_get_no_more_than_their_share,
         who_can_take_nothing_is_in_nobodys_way, who_gave_has_room_again,
         who_can_take_nothing_keeps_no_share,
         stale_nodes_are_frozen, memory_goes_to_who_lacks_it,
         no_harm_to_makespan, wrong_traces_are_refused, mintd_follows_the_load, records_are_traces,
         mintd_learns_the_boot_core, core_without_a_number_bars_nobody,
         refused_core_comes_last, mintd_leaves_wrong_files_alone,
         mintd_bounds_memory_by_the_book, names_are_no_paths, twins_have_no_file,
         only_root_locks_mintd_out, mintd_heeds_wishes,
         wishes_stand_in_any_order, wishes_count_once, mintd_is_not_held_up_by_wishes,
         only_cooperative_nodes_name_victims,
         agent_names_idle_cores, mintd_says_whom_it_leaves_alone,
         mintd_is_for_node_0, programs_have_help]
