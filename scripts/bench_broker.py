# SPDX-License-Identifier: GPL-2.0
"""Whether it pays that mintd moves cores to the load.

This file owns the benchmark `broker` of scripts/bench: what is measured, on which
machines. Each emulated core has a speed of its own (vcpu_caps.py), so that one more
core makes a node faster, as on metal. bench_work.sh is what the nodes do.
"""

import os
import random
import re
import statistics

import cpio
import machine as qemu
import vcpu_caps
from machine import MachineError
from nodes import UP, Nodes

WORK = "/bench/work"
POLICY = "[Policy]\\nMode=autonomous\\nCoresMin=1\\nCoresMax=%d\\n"
# Nodes, with two cores each: one on which a node began, and one that may move.
NAMES = ("predecessor", "second", "third", "fourth")
# So much longer may loops on all cores at once take than one alone
CAPS_HOLD = 1.25
LOOP_JOBS = 8
# A batch that comes by chance takes so long with two cores, and comes so often, s
BURST_S, GAP_S = 6, (10, 30)
SEED = 6


class Form:
    """How much is measured.

    name      of its machines
    nodes     with two cores each to begin with
    workers   jobs of a batch at a time
    share     of a host core, which each core of the machine gets
    phases    of load in turns
    phase_s   length of one with all cores that a node may have, s
    bursts_s  for how long bursts come; 0 for none
    idle_s    for how long nothing is done
    """

    def __init__(self, name, nodes, workers, share, phases, phase_s, bursts_s, idle_s):
        self.name = name
        self.nodes = nodes
        self.workers = workers
        self.cores = 2 * nodes
        self.most = nodes + 1
        self.share = share
        self.phases = phases
        self.phase_s = phase_s
        self.bursts_s = bursts_s
        self.idle_s = idle_s
        # APIC IDs: node k begins on 2k
        self.movable = range(1, self.cores, 2)


WHOLE = Form("broker", 2, 4, 0.4, 4, 45, 120, 60)
QUICK = Form("broker", 2, 4, 0.4, 2, 30, 0, 20)
FOUR = Form("broker-four", 4, 8, 0.2, 4, 45, 120, 60)


def found(text, what):
    """The numbers that bench_work.sh has told: times in s."""
    values = [int(word) for word in re.findall(r"bench: %s (\d+)" % what, text)]
    return values if what == "move" else [value / 100 for value in values]


def bursts(span, job_s, random_source):
    """[(when in hundredths of a second, jobs)] within so many seconds."""
    jobs = max(1, round(BURST_S * 2 / job_s))
    at, made = random_source.uniform(0, GAP_S[0]), []
    while at < span:
        made.append((round(at * 100), jobs))
        at += random_source.uniform(*GAP_S)
    return made


def words(schedule):
    """A schedule as bench_work.sh takes it."""
    return " ".join("%d:%d" % burst for burst in schedule)


def samples(text, nodes):
    """[(time, {node: cores}, {node: (beats, runnable_sum)})] of these nodes."""
    made = []
    for line in text.splitlines():
        if not line.startswith("at "):
            continue
        at, *parts = line.split("|")
        owners = {owner: len(qemu.ranges(ids)) for owner, _, ids in (
            part.partition(": ") for part in parts if part.startswith("node "))}
        loads = re.findall(r"load (\d+) beats=(\d+) runnable_sum=(\d+)", line)
        if len(loads) == len(nodes):
            made.append((int(at.split()[1]) / 100,
                         {n: owners.get("node %d" % n, 0) for n in nodes},
                         {int(n): (int(beats), int(tasks)) for n, beats, tasks in loads}))
    return made


class Group:
    """Node 0 and some successors, each with two cores until one of them moves."""

    def __init__(self, results, repeat, machine, form):
        self.results = results
        self.repeat = repeat
        self.machine = machine
        self.form = form
        self.nodes = Nodes(machine)
        self.numbers = [0]
        self.spans = []

    def add(self, variant, what, value, unit, index=0):
        """One number."""
        self.results.add(self.repeat, variant, what, value, unit, index=index)

    def command(self, verb):
        """What node 0 has to be told."""
        return "WORKERS=%d OTHERS='%s' MOVABLE='%s' %s %s" % (
            self.form.workers,
            " ".join(str(number) for number in self.numbers[1:]),
            " ".join(str(core) for core in self.form.movable), WORK, verb)

    def work(self, verb, timeout):
        """Have node 0 do something; what it tells."""
        return self.machine.sh(self.command(verb), timeout)

    def begin(self):
        """All are up, with two cores each."""
        self.nodes.active()
        for index in range(1, self.form.nodes):
            node = self.nodes.launch(2, 512, "quiet", name=NAMES[index])
            self.nodes.wait_state(node, "running")
            self.numbers.append(node)
        self.split()
        self.work("all prepare", 120)
        self.machine.sh("%s >/tmp/samples 2>&1 </dev/null &" % self.command("sample"), 30)

    def split(self):
        """The cores as at the beginning."""
        for core, node in zip(self.form.movable, self.numbers):
            if core not in self.nodes.cores().get("node %d" % node, []):
                self.machine.sh("echo core %d %d >/sys/kernel/mint/move" % (core, node), 60)

    # -- what is measured ---------------------------------------------------

    def caps(self, caps):
        """Each core has a speed of its own, or nothing is worth measuring; s of a job."""
        # The first time, code is translated
        self.work("all loops 2 2", 240)
        one = found(self.work("loops 1 %d" % LOOP_JOBS, 240), "loop")
        before = caps.used(), caps.throttled()
        every = found(self.work("all loops 2 %d" % LOOP_JOBS, 240), "loop")
        after = caps.used(), caps.throttled()
        if len(one) != 1 or len(every) != self.form.cores:
            raise MachineError("loops: %d and %d times" % (len(one), len(every)))
        self.add("caps", "one", one[0], "s")
        for index, value in enumerate(every):
            self.add("caps", "all", value, "s", index)
            self.add("caps", "share", (after[0][index] - before[0][index]) / max(every),
                     "cores", index)
        ratio = statistics.mean(every) / one[0]
        self.results.say("broker: loops on all %d cores at once take %.2f of one" % (
            self.form.cores, ratio))
        idle = [i for i, (old, new) in enumerate(zip(before[1], after[1])) if new <= old]
        if idle or ratio > CAPS_HOLD:
            raise MachineError("the quotas do not hold: loops on all cores take %.2f of one, "
                               "and vCPUs that never used theirs up: %s" % (ratio, idle))
        return one[0] / LOOP_JOBS

    def spanned(self, variant, text):
        """When that was, by node 0's clock."""
        self.spans.append((variant, found(text, "begin")[0], found(text, "end")[0]))

    def alternate(self, variant, way, jobs):
        """Batches in turns."""
        limit = 60 + 6 * self.form.phases * self.form.phase_s
        text = self.work("alternate %s %d %d" % (way, self.form.phases, jobs), limit)
        for index, value in enumerate(found(text, "phase")):
            self.add(variant, "phase", value, "s", index)
        self.add(variant, "makespan", found(text, "makespan")[0], "s")
        self.results.say("broker: %s: %.1f s" % (variant, found(text, "makespan")[0]))
        self.spanned(variant, text)
        return len(found(text, "move"))

    def chance(self, variant, schedules):
        """Batches by a schedule for each node; how long each took since it was due."""
        if not self.form.bursts_s:
            return
        text = self.work("chance " + " -- ".join(map(words, schedules)),
                         60 + 4 * self.form.bursts_s)
        times = found(text, "batch")
        if len(times) != sum(map(len, schedules)):
            raise MachineError("%d batches: %s" % (len(times), text))
        for index, value in enumerate(times):
            self.add(variant, "burst", value, "s", index)
        self.spanned(variant + ", bursts", text)

    def keep_samples(self):
        """Cores and load over the time of each variant, for the plots."""
        made = samples(self.machine.read("/tmp/samples"), self.numbers)
        for variant, begin, end in self.spans:
            inside = [i for i, sample in enumerate(made) if begin <= sample[0] <= end]
            for index, node in enumerate(self.numbers):
                name = "node %d" % index
                for i in inside:
                    at = round((made[i][0] - begin) * 1000)
                    self.add(variant, "cores of " + name, made[i][1][node], "cores", at)
                    old, new = made[i - 1][2][node], made[i][2][node]
                    if i and new[0] > old[0]:
                        self.add(variant, "load of " + name,
                                 round((new[1] - old[1]) / (new[0] - old[0]), 2), "tasks", at)


class Broker:
    """mintd in node 0, a context manager."""

    def __init__(self, machine, form):
        self.machine = machine
        self.names = NAMES[:form.nodes]
        self.policy = POLICY % form.most
        self.pid = 0

    def __enter__(self):
        self.machine.sh("mkdir -p /etc/mint; for name in %s; do printf '%s' "
                        ">/etc/mint/$name.node; done" % (" ".join(self.names), self.policy), 30)
        self.pid = int(self.machine.sh(
            "mintd >/tmp/mintd 2>&1 </dev/null & echo $!", 30).split()[0])
        return self

    def __exit__(self, kind, *exc):
        if kind:
            return
        # Its lock goes with it
        self.machine.sh("kill %d; flock /run/mint/mintd.lock true" % self.pid, 60)
        with open(os.path.join(self.machine.logs, "mintd"), "w", encoding="utf-8") as log:
            log.write(self.machine.read("/tmp/mintd") + "\n")

    def told(self):
        """What it has done so far, refusals included."""
        text = self.machine.read("/tmp/mintd")
        self.machine.sh("kill -0 %d" % self.pid, 30)
        return [line for line in text.splitlines() if line.startswith("move ")]

    def moves(self, since):
        """(done, refused) since it had told so much."""
        lines = self.told()[since:]
        done = sum(": done in " in line for line in lines)
        return done, len(lines) - done


def nodes_run(results, repeat, initrd, form):
    """A static split, an oracle, the broker. How many jobs a phase had."""
    with results.machine(form.name, "mint.mem=768M@0 maxcpus=2 quiet", smp=str(form.cores),
                         memory="%dM" % (512 + 768 * form.nodes), initrd=initrd,
                         limit=3600) as machine:
        group = Group(results, repeat, machine, form)
        group.begin()
        with capped(machine, form) as caps:
            job_s = group.caps(caps)
            jobs = max(form.cores, round(form.most * form.phase_s / job_s))
            source = random.Random(SEED)
            schedules = [bursts(form.bursts_s, job_s, source) for _ in range(form.nodes)]
            group.add("work", "jobs", jobs, "jobs")
            group.add("work", "job", job_s, "s")
            group.alternate("static", "split", jobs)
            group.chance("static", schedules)
            group.add("oracle", "moves", group.alternate("oracle", "oracle", jobs), "moves")
            group.split()
            with Broker(machine, form) as broker:
                machine.sh("sleep %d" % form.idle_s, form.idle_s + 60)
                group.add("idle", "moves", len(broker.told()), "moves")
                group.add("idle", "span", form.idle_s, "s")
                for variant, measure, *arguments in (
                        ("broker", group.alternate, "split", jobs),
                        ("broker, bursts", group.chance, schedules)):
                    since = len(broker.told())
                    measure("broker", *arguments)
                    for what, value in zip(("moves", "refused"), broker.moves(since)):
                        group.add(variant, what, value, "moves")
            group.keep_samples()
        for node in group.numbers[1:]:
            group.nodes.stop(node)
        machine.power_off()
    return jobs


def one_kernel(results, repeat, initrd, form, jobs):
    """The same phases in a kernel that has all cores."""
    with results.machine(form.name + "-one", "quiet", smp=str(form.cores),
                         memory="%dM" % (512 + 768 * form.nodes), initrd=initrd) as machine:
        machine.wait_for(UP, timeout=120)
        with capped(machine, form):
            machine.sh("%s prepare; %s loops %d 2" % (WORK, WORK, form.cores), 240)
            group = Group(results, repeat, machine, form)
            text = machine.sh("WORKERS=%d %s alternate one %d %d" % (
                                  form.workers, WORK, form.phases, jobs),
                              60 + 4 * form.phases * form.phase_s)
            for index, value in enumerate(found(text, "phase")):
                group.add("one", "phase", value, "s", index)
            group.add("one", "makespan", found(text, "makespan")[0], "s")
            results.say("broker: one kernel: %.1f s" % found(text, "makespan")[0])
        machine.power_off()


def capped(machine, form):
    """The quotas of a machine's cores."""
    return vcpu_caps.Caps(machine.process.pid, [
        cpu["thread-id"] for cpu in machine.qmp("query-cpus-fast")], form.share)


def broker(results, initrd, form):
    """All of it, as often as asked for; or why not."""
    reason = "with icount all cores are one thread" if results.accel == "icount" \
        else vcpu_caps.lacking(form.cores, form.share)
    if reason:
        results.skip(reason)
        return
    path = os.path.join(os.path.dirname(initrd), "broker.cpio.lzo")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_work.sh"),
              "rb") as file:
        cpio.append(initrd, path, {WORK[1:]: file.read()})
    for repeat in range(1, results.repeats(1) + 1):
        jobs = results.attempt("broker: %d nodes" % form.nodes, nodes_run, results, repeat,
                               path, form)
        if jobs:
            results.attempt("broker: one kernel", one_kernel, results, repeat, path, form,
                            jobs)
