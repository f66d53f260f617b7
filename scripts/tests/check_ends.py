# SPDX-License-Identifier: GPL-2.0
"""Tests of the host about the ends of nodes, for scripts/check.

What a successor does to itself, and what node 0 does to its successors, as
seen from outside: contents of memory, I/O APIC and PCI configuration, and the
consoles of the nodes that live on. A test is a function that gets a Bench; a
watch is a pair of such functions around a selftest.
"""

import os
import re
import signal
import time

import machine as qemu
from nodes import SYSFS, Refused
from verdict import Skipped, expect, expects

PARAMETERS = "/sys/module/mint/parameters"
PROVOKE = "/sys/kernel/debug/mint/provoke"

# Rows of /proc/interrupts that only another core can make grow, in a kernel
# with a single core.
FOREIGN = ("NMI", "SPU", "RES", "CAL", "TLB", "ERR", "MIS")


def boot_id(b, port):
    """The boot ID of the node on a console."""
    return b.m.read("/proc/sys/kernel/random/boot_id", port)


def provoke(b, port, words):
    """Break the node on a console; it may not come back from that."""
    b.m.send(port, " echo %s >%s\n" % (words, PROVOKE))


def set_parameter(b, name, value):
    """Set a parameter of node 0's Mint."""
    b.m.sh("echo %s >%s/%s" % (value, PARAMETERS, name))


# ---- around ends.sh ---------------------------------------------------------

def outside_before(b):
    """A node with a console on which others' ends would be felt."""
    seen = {"ioapic": b.m.ioapic(), "state": b.state(), "pci": {}}
    for function in b.m.pci_functions():
        seen["pci"][function] = b.m.pci_config(function)
    seen["node"], seen["up"] = b.launch_on("com3", 1)
    seen["counts"] = b.counts("com3")
    seen["id0"] = b.m.read("/proc/sys/kernel/random/boot_id")
    return seen, "MINT_BESIDE=%d" % seen["node"]


def outside_after(b, seen):
    """It has felt nothing, and the machine is as it was."""
    expect(boot_id(b, "com3") == seen["up"].boot_id, "another kernel on com3")
    expect(b.m.read("/proc/sys/kernel/random/boot_id") == seen["id0"],
           "another kernel in node 0")
    counts = b.counts("com3")
    for row in FOREIGN:
        expect(counts.get(row, 0) == seen["counts"].get(row, 0),
               "node %d got %d x %s", seen["node"],
               counts.get(row, 0) - seen["counts"].get(row, 0), row)
    expect(b.nodes.file(seen["node"], "boots").strip() == "1",
           "node %d has booted again", seen["node"])
    b.nodes.beats([0, seen["node"]])
    b.stop_all()
    b.nodes.poll(lambda: b.state() == seen["state"], 20, "state as before")
    after = b.m.ioapic()
    expect(after == seen["ioapic"], "I/O APIC: %s",
           [pair for pair in zip(seen["ioapic"], after) if pair[0] != pair[1]])
    for function, before in seen["pci"].items():
        expect(b.m.pci_config(function) == before,
               "configuration of %02x:%02x.%x has changed" % function)


# ---- own reboot -------------------------------------------------------------

def own_reboot(b):
    """A node reboots three times by itself; its disk and RNG work on."""
    disk, rng = "0000:01:00.0", "0000:00:05.0"
    for dev in (disk, rng):
        b.m.sh("[ ! -e /sys/bus/pci/devices/%s/driver ] || echo %s >"
               "/sys/bus/pci/devices/%s/driver/unbind" % (dev, dev, dev))
    others = [f for f in b.m.pci_functions() if f not in ((1, 0, 0), (0, 5, 0))]
    before = {f: b.m.pci_config(f) for f in others}
    beside = b.launch(1)
    b.nodes.wait_state(beside, "running")
    node, up = b.launch_on("com2", 2, devices="%s,%s" % (disk, rng),
                           name="phoenix")
    look = ("cat /proc/cmdline; grep 'System RAM' /proc/iomem; nproc; "
            "ls /sys/bus/pci/devices; cat %s/nodes/%d/name" % (SYSFS, node))
    had = b.m.sh(look, 30, "com2")
    digest = b.m.sh("dd if=/dev/urandom of=/tmp/a bs=1M count=2 2>/dev/null && "
                    "dd if=/tmp/a of=/dev/vda bs=1M 2>/dev/null && sync && "
                    "md5sum </tmp/a", 60, "com2").split()[0]
    ids = {up.boot_id}
    for boots in range(2, 5):
        b.m.send("com2", " reboot%s\n" % (" -f" if boots == 3 else ""))
        again = b.nodes.wait_up("com2", 120)
        expect(again.node == up.node and again.cpus == up.cpus and
               again.mem == up.mem, "boot %d: node %s, %d CPUs, %d MiB", boots,
               again.node, again.cpus, again.mem)
        ids.add(again.boot_id)
        expect(len(ids) == boots, "boot %d has an old boot ID", boots)
        has = b.m.sh(look, 30, "com2")
        expect(has == had, "boot %d has %s, it had %s", boots, has, had)
        b.nodes.wait_state(node, "running")
        expect(b.nodes.file(node, "boots").strip() == str(boots),
               "%s boots, not %d", b.nodes.file(node, "boots"), boots)
        now = b.m.sh("dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null "
                     "&& dd if=/dev/vda bs=1M count=2 2>/dev/null | md5sum",
                     60, "com2").split()[0]
        expect(now == digest, "boot %d reads %s, written was %s", boots, now,
               digest)
        b.nodes.beats([0, beside, node])
    expect(b.nodes.file(beside, "boots").strip() == "1", "another rebooted")
    b.stop_all()
    for function in others:
        expect(b.m.pci_config(function) == before[function],
               "configuration of %02x:%02x.%x changed" % function)


# ---- what is left in memory -------------------------------------------------

# What is looked for is four times this, which nobody types.
PATTERN = "c0ffee5eed5c0ffee"


def pattern_left(b, scrub):
    """How often a pattern of a node's tmpfs is in its memory after its end."""
    set_parameter(b, "scrub", scrub)
    first, last = b.nodes.free_memory(b.spec.size)
    node, _ = b.launch_on("com2", 1, memory=(first, last))
    b.m.sh("p=%s; i=0; while [ $i -lt 2000 ]; do echo $p$p$p$p; "
           "i=$((i + 1)); done >/tmp/p" % PATTERN, 60, "com2")
    path = os.path.join(b.m.logs, "memory")

    def count():
        b.m.qmp("pmemsave", 120, val=first, size=last - first + 1, filename=path)
        with open(path, "rb") as dump:
            found = dump.read().count(PATTERN.encode() * 4)
        os.unlink(path)
        return found

    # A line that crosses a page may be cut in two.
    expect(count() >= 1800, "the pattern is not in the node's memory")
    # Nothing of its end cleans up after it: no file is closed, no page freed.
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, node))
    b.nodes.wait_over(node)
    b.launched = []
    return count()


def scrub(b):
    """With mint.scrub=1 nothing of a node is left in its memory."""
    try:
        left = pattern_left(b, 0)
        expect(left >= 1800, "not scrubbed, and %d of 2000 are left", left)
        left = pattern_left(b, 1)
        expect(not left, "scrubbed, and %d of 2000 are left", left)
    finally:
        set_parameter(b, "scrub", 0)


# ---- quarantine -------------------------------------------------------------

def lock_up(b, how="deface"):
    """Have one node in quarantine by another, on com3: (one, two)."""
    # The one in the way has the lower APIC ID: the gateway finds its record first.
    two, _ = b.launch_on("com3", 1)
    one = b.launch(1)
    b.nodes.wait_state(one, "running")
    blind(b, one, how)
    status, text = b.m.run("echo force >%s/nodes/%d/stop" % (SYSFS, one))
    expect(status and re.search("I/O error|Input/output", text),
           "force: status %d, %s", status, text)
    return one, two


def blind(b, node, how):
    """The node on com3 keeps the gateway from seeing the core of another one."""
    core = b.nodes.cores()["node %d" % node][0]
    b.m.sh("echo %s %d >%s" % (how, core, PROVOKE), 30, "com3")


def refused_by(b, node, **where):
    """A launch is refused because of that node."""
    try:
        b.launch(1, **where)
    except Refused as refusal:
        expect("node %d" % node in str(refusal), "refusal: %s", refusal)
    else:
        expect(False, "launched on what is in quarantine: %s", where)


def force_over(b, one, two, before):
    """With the node that stands in the way gone, force succeeds: as before."""
    b.nodes.stop(two)
    b.m.sh("echo force >%s/nodes/%d/stop" % (SYSFS, one))
    b.nodes.wait_over(one)
    b.launched = []
    b.nodes.poll(lambda: b.state() == before, 20, "state as before")


def quarantine(b):
    """Cores that cannot be proven parked, and their memory, stay locked up."""
    before = b.state()
    one, two = lock_up(b)
    core = b.nodes.cores()["node %d" % one][0]
    expect(b.nodes.status()[one][0] == "quarantine", "state %s",
           b.nodes.status()[one])
    expect("APIC ID %d not proven parked" % core
           in b.nodes.file(one, "reason"), "reason: %s",
           b.nodes.file(one, "reason"))
    locked = [m[:2] for m in b.nodes.memory()
              if m[2] == "quarantine of node %d" % one]
    expect(len(locked) == 1, "memory: %s", b.nodes.memory())
    expect(b.nodes.cores()["node %d" % one] == [core], "cores: %s",
           b.nodes.cores())
    refused_by(b, one, ids=[core])
    refused_by(b, one, ids=b.nodes.free_cores(1), memory=locked[0])
    # No other kernel takes node 0's place: it would know nothing of the core.
    b.m.sh("kexec -l --initrd=%s --reuse-cmdline %s" % (
        b.nodes.initrd, b.nodes.image), 60)
    status, text = b.m.run("kexec -e")
    expect(status, "kexec -e was not refused: %s", text)
    b.m.sh("kexec -u")
    said = b.m.sh("dmesg | grep 'mint: node %d is in quarantine'" % one)
    expect("echo force > %s/nodes/%d/stop" % (SYSFS, one) in said,
           "no remedy: %s", said)
    b.nodes.beats([0, two])
    # With the defacer gone, the proof succeeds.
    force_over(b, one, two, before)
    node = b.launch(1, ids=[core], memory=locked[0])
    b.nodes.wait_state(node, "running")
    b.nodes.beats([0, node])


def forged(b):
    """A record that says of its core that it is parked is no proof of it."""
    before = b.state()
    one, two = lock_up(b, "forge")
    expect(b.nodes.status()[one][0] == "quarantine", "state %s",
           b.nodes.status()[one])
    b.nodes.beats([0, two])
    force_over(b, one, two, before)


@expects("sysrq triggered crash")
def quarantine_after_panic(b):
    """A node that panicked and is in quarantine stays panicked by a force."""
    before = b.state()
    two, _ = b.launch_on("com3", 1)
    one, _ = b.launch_on("com2", 1, append="panic=0")
    blind(b, one, "forge")
    b.m.send("com2", " echo c >/proc/sysrq-trigger\n")
    b.nodes.wait_state(one, "quarantine")
    force_over(b, one, two, before)
    expect(b.nodes.status()[one][0] == "panicked", "state %s",
           b.nodes.status()[one])
    expect("panic: sysrq triggered crash" in b.nodes.file(one, "reason"),
           "reason: %s", b.nodes.file(one, "reason"))


# ---- hearts -----------------------------------------------------------------

def lost_after(b, ms, port=None):
    """Have hearts called still after so long (times SLOW): (new, old), ms."""
    path = PARAMETERS + "/lost_ms"
    old = int(b.m.read(path, port))
    new = int(ms * qemu.SLOW)
    b.m.sh("echo %d >%s" % (new, path), 30, port)
    return new, old


def stall(b):
    """The whole machine stands still for longer than mint.lost_ms: no matter."""
    ports = {}
    for port in ("com2", "com3"):
        ports[port], _ = b.launch_on(port, 1)
    said = "dmesg | grep ' is silent' || true"
    before = {port: b.m.sh(said, 30, port) for port in (None, *ports)}
    # Node 0 counts 1.5 s of it: in the rest of the limit all cores have to run again.
    limit, old = lost_after(b, 5000)
    for port in ports:
        lost_after(b, 5000, port)
    try:
        for _ in range(2):
            b.m.process.send_signal(signal.SIGSTOP)
            # Not to wait for anything: this is what the machine suffers.
            time.sleep(limit * 1.4 / 1000)
            b.m.process.send_signal(signal.SIGCONT)
            b.nodes.beats([0, *ports.values()])
            b.nodes.beats([0, *ports.values()])
    finally:
        b.m.process.send_signal(signal.SIGCONT)
        set_parameter(b, "lost_ms", old)
    for port, early in before.items():
        now = b.m.sh(said, 30, port)
        expect(now == early, "%s: %s", port or "node 0", now)


def node0_pauses(b):
    """Node 0's heart stands still: a successor says so, until it beats again."""
    node, _ = b.launch_on("com2", 1)
    path = SYSFS + "/nodes/0"

    def seen():
        return b.m.sh("cd %s && cat state reason" % path, 30, "com2").splitlines()

    expect(seen() == ["running", "up"], "node 0 is %s", seen())
    limit, _ = lost_after(b, 2000, "com2")
    # It is silent for two seconds, in which a look from here may not be over. A shell
    # there looks all the time.
    b.m.sh("cd %s && rm -f /tmp/reason || exit 1\n"
           "(i=0; until grep -q silent state; do usleep 20000; i=$((i + 1)); "
           "[ $i -lt 15000 ] || exit; done; cat reason >/tmp/reason) "
           "</dev/null >/dev/null 2>&1 &" % path, 30, "com2")
    # A core that the host takes away meanwhile does not judge others: once more then.
    for _ in range(5):
        b.m.sh("echo pause %d >%s" % (limit * 2, PROVOKE), 60)
        if b.m.run("[ -s /tmp/reason ]", 30, "com2")[0] == 0:
            break
    word = "no heartbeat for %d ms" % limit
    reason = b.m.sh("cat /tmp/reason 2>/dev/null || :", 30, "com2")
    # It may have come back between the looks at state and reason.
    expect(reason in (word, "up"), "silent node 0: %r", reason)
    b.nodes.poll(lambda: seen() == ["running", "up"], 60, "node 0 back")
    said = b.m.sh("dmesg | grep 'mint: node 0 is'", 30, "com2")
    expect("node 0 is silent: " + word in said and "node 0 is back" in said,
           "the log says %s", said)
    b.nodes.beats([0, node])


# ---- node 0 goes ------------------------------------------------------------

def sleep_in_successor(b):
    """A successor cannot put the machine to sleep."""
    node, up = b.launch_on("com2", 1)
    if b.m.run("[ -e /sys/power/state ]", 30, "com2")[0]:
        raise Skipped("this kernel cannot sleep")
    for word in b.m.read("/sys/power/state", "com2").split():
        expect(b.m.run("echo %s >/sys/power/state" % word, 60, "com2")[0],
               "it slept by %s", word)
    b.m.sh("dmesg | grep 'mint: a successor cannot put the machine to sleep'",
           30, "com2")
    expect(boot_id(b, "com2") == up.boot_id, "another kernel on com2")
    b.nodes.beats([0, node])


def kexec_of_node0(b):
    """Load a stock image, and kexec -e; return when node 0 is up again."""
    b.m.sh("kexec -l --initrd=%s --reuse-cmdline %s" % (
        b.nodes.initrd, b.nodes.image), 60)
    begin = b.m.mark("com1")
    b.m.ports["com1"].cursor = begin
    b.m.kick("kexec -e")
    b.launched = []
    b.nodes.active()
    return b.m.ports["com1"].text[begin:]


def reboot_with_all_kinds(b):
    """Node 0 leaves: one node runs, one hangs, one is still starting."""
    b.launch_on("com2", 1)
    b.launch_on("com3", 1)
    provoke(b, "com3", "hang 0")
    b.m.sh("echo 8 >/proc/sys/kernel/printk")
    starting = b.launch(1)
    said = kexec_of_node0(b)
    for n in (1, starting):
        expect("node %d is asked to end first" % n in said,
               "node %d is not asked", n)
        expect("node %d does not end by itself" % n not in said,
               "node %d does not listen", n)
    # Who hangs is asked, unless mint.lost_ms has passed by then.
    expect("node 2 does not end by itself" in said or
           "node 2 is silent and was not asked" in said, "who hangs is not parked")
    expect("goes down with the machine" not in said, "somebody was left")
    node, _ = b.launch_on("com2", 3)
    b.nodes.beats([0, node])


def leave_at_once(b):
    """Node 0 leaves: who cannot hear it is not waited for, and told from others."""
    one, _ = b.launch_on("com2", 1)
    two, _ = b.launch_on("com3", 1)
    _, old = lost_after(b, 3000)
    provoke(b, "com3", "hang 0")
    b.nodes.wait_state(two, "silent")
    # The other one may have been taken for silent, too; it comes back.
    set_parameter(b, "lost_ms", old)
    b.nodes.wait_state(one, "running")
    # As good as for ever.
    set_parameter(b, "ask_ms", 3600000)
    b.m.sh("echo 8 >/proc/sys/kernel/printk")
    said = kexec_of_node0(b)
    expect("node %d is asked to end first" % one in said, "not asked: %s", one)
    expect("node %d is asked to end first" % two not in said, "asked: %d", two)
    expect("node %d is silent and was not asked" % two in said,
           "node %d is not told from others", two)
    expect("node %d does not end by itself" % one not in said,
           "node %d is not waited for", one)
    expect("goes down with the machine" not in said, "somebody was left")
    node, _ = b.launch_on("com2", 3)
    b.nodes.beats([0, node])


def leave_when_alone(b):
    """mint.leave=refuse: kexec -e is refused, and not once nobody lives."""
    set_parameter(b, "leave", "refuse")
    node, up = b.launch_on("com2", 1)
    b.m.sh("kexec -l --initrd=%s --reuse-cmdline %s" % (
        b.nodes.initrd, b.nodes.image), 60)
    for command in ("kexec -e", "/bin/busybox reboot -f"):
        status, _ = b.m.run(command)
        expect(status, "%s was not refused", command)
    expect(boot_id(b, "com2") == up.boot_id, "another kernel on com2")
    b.nodes.beats([0, node])
    b.m.sh("kexec -u")
    b.stop_all()
    kexec_of_node0(b)


def panic_node0(b):
    """Crash node 0; return the mark on its console before that."""
    begin = b.m.mark("com1")
    b.m.kick("echo c >/proc/sysrq-trigger")
    b.m.wait_for("Kernel panic - not syncing: sysrq triggered crash", "com1",
                 60, since=begin, fatal=False)
    b.launched = []
    return begin


def panic_of_node0(b):
    """Node 0 panics; the successors run on, on their own consoles."""
    one, up1 = b.launch_on("com2", 1)
    two, up2 = b.launch_on("com3", 2)
    begin = panic_node0(b)
    for port, node, up in (("com2", one, up1), ("com3", two, up2)):
        path = "%s/nodes/%d/heartbeat" % (SYSFS, node)
        b.nodes.poll(lambda port=port: b.m.read(
            SYSFS + "/nodes/0/state", port).strip() == "panicked", 30,
                     "news of node 0's panic in node %d" % node)
        expect("sysrq triggered crash" in b.m.read(
            SYSFS + "/nodes/0/reason", port), "no reason")
        last = int(b.m.read(path, port))
        for _ in range(3):
            b.nodes.poll(lambda path=path, port=port, last=last: int(
                b.m.read(path, port)) > last, 30,
                         "heartbeat of node %d after %d" % (node, last))
            last = int(b.m.read(path, port))
        expect(boot_id(b, port) == up.boot_id, "%s: another kernel", port)
        # It works: processes, memory, its cores.
        out = b.m.sh("dd if=/dev/zero bs=1M count=16 2>/dev/null | md5sum; "
                     "nproc", 60, port).split()
        expect(out[0] == "2c7ab85a893283e98c931e9511add182", "wrong sum: %s",
               out)
        expect(int(out[-1]) == up.cpus, "%s CPUs, not %d", out[-1], up.cpus)
    # The restart that panic= asks for would be theirs, too.
    if "panic=1" in b.m.append:
        b.m.wait_for("no restart: node %d and perhaps others run on" % one, "com1", 30,
                     since=begin, fatal=False)
    # A node reboots without node 0.
    b.m.send("com3", " reboot\n")
    again = b.nodes.wait_up("com3", 120)
    expect(again.boot_id != up2.boot_id and again.cpus == up2.cpus,
           "the second boot has %s, %d CPUs", again.boot_id, again.cpus)
    expect(boot_id(b, "com2") == up1.boot_id, "another kernel on com2")
