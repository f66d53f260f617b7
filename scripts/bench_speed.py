# SPDX-License-Identifier: GPL-2.0
"""How fast a node runs, against a stock kernel that is alone on its cores.

This file owns the programs that are run (the host's fio, iperf3 and gcc, on a
disk of their own), the machines that they run in, and the pairs whose ratios
count. Stock, node, stock again: the second stock run is the control, which
shows how much of a ratio is the noise of this host.

A rate is per second; where the machine's clock counts instructions, it is per
second in which the core was not idle: a device of the host answers in the
host's time, which says nothing there.
"""

import os
import re
import shutil
import socket
import subprocess

import machine as qemu
import programs
from machine import MachineError
from nodes import Nodes

OUT = os.path.join(qemu.BUILD, "bench")
ROOT = os.path.join(OUT, "tools")
BIN = os.path.join(qemu.BUILD, "selftests")
DISK = os.path.join(OUT, "tools.ext4")
# Memory of the kernel that is measured, and of node 0 beside it.
MIB, MIB0 = 768, 512
SOURCES = 15

# For every kernel: where its code and that of programs lies decides which of its
# translations collide.
SAME = "quiet nokaslr norandmaps"

# Devices of the machine by their slots: the lent ones, then node 0's own.
LENT = ["0000:00:08.0", "0000:00:09.0", "0000:00:0a.0", "0000:00:0b.0"]

# Where the tools are, whatever a kernel calls its first disk; and stamp(), which
# prints the TSC and, in a machine that counts them, the instructions for which
# the core had nothing to do.
MOUNT = """
for d in /sys/class/block/vd*; do
	[ "$(cat $d/serial)" = tools ] && tools=/dev/${d##*/}
	[ "$(cat $d/serial)" = work ] && work=/dev/${d##*/}
done
[ -x /mnt/usr/bin/fio ] || {
	mount -t ext4 -o ro $tools /mnt && mount -t tmpfs none /mnt/tmp &&
	mount --bind /dev /mnt/dev && mount --bind /sys /mnt/sys &&
	mount -t proc none /mnt/proc
} || exit 1
now() {
	echo mark >/sys/kernel/mint/timing
	while read -r name tsc && [ $name != mark ]; do :; done \\
		</sys/kernel/mint/timing
}
stamp() {
	now
	echo "stamp $tsc $(/mnt/bin/idle_counter -p /mnt/tmp/idle)"
}
if [ "$counting" ] && ! pidof idle_counter >/dev/null; then
	/mnt/bin/idle_counter /mnt/tmp/idle </dev/null >/dev/null 2>&1 &
fi
"""

FIO = MOUNT + """
cd /
stamp
chroot /mnt /usr/bin/fio --name=job --filename=%(file)s --readonly --direct=1 \\
	--rw=%(rw)s --bs=%(bs)s --size=256m %(limit)s \\
	--ioengine=psync --output-format=json --output=/tmp/fio.json >/dev/null ||
	exit 1
stamp
sed -n '/"read"/,/"total_ios"/p' /mnt/tmp/fio.json
"""

# The first build fetches programs and sources; the second begins at the tick
# that it is given, or at once. That moment is all that a job waits for: no event
# reaches two kernels at once. It does not spin for long, since with icount QEMU
# would let no other core run meanwhile.
BUILD = MOUNT + """
cat >/mnt/tmp/build%(id)d <<'END'
for i in /src/*.i; do
	gcc -O1 -w -c -o /tmp/$$.o $i || exit 1
done
END
build() {
	chroot /mnt /bin/sh /tmp/build%(id)d || exit 1
}
"""

ONE_BUILD = BUILD + """
build
stamp
build
stamp
"""

JOB = BUILD + """
until now; [ $tsc -ge $((%(begin)d - %(soon)d)) ]; do usleep 50000; done
until now; [ $tsc -ge %(begin)d ]; do :; done
stamp
build
stamp
"""

NET = MOUNT + """
ip link set lo up
ip addr show dev eth0 | grep -q 10.0.2.15 || {
	ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up
}
i=0
until ping -c 1 -W 1 10.0.2.2 >/dev/null; do
	i=$((i + 1))
	[ $i -lt 20 ] || exit 1
done
stamp
chroot /mnt /usr/bin/iperf3 -c 10.0.2.2 -p %(port)d -t %(time)d -J %(reverse)s \\
	>/tmp/iperf.json || exit 1
stamp
sed -n '/"sum_received"/,/}/p' /tmp/iperf.json
"""


def sources():
    """Preprocessed C files, so that compiling them needs no headers."""
    tree = os.path.join(qemu.BUILD, "busybox")
    directory = os.path.join(ROOT, "src")
    os.makedirs(directory)
    names = sorted(name for name in os.listdir(os.path.join(tree, "coreutils"))
                   if name.endswith(".c"))
    made = 0
    for name in names:
        target = os.path.join(directory, name[:-2] + ".i")
        done = subprocess.run(
            ["gcc", "-E", "-P", "-I", os.path.join(tree, "include"), "-include",
             os.path.join(tree, "include", "autoconf.h"), "-I",
             os.path.join(tree, "libbb"), "-D_GNU_SOURCE", "-o", target,
             os.path.join(tree, "coreutils", name)],
            capture_output=True, check=False)
        made += done.returncode == 0
        if made == SOURCES:
            return
    raise MachineError("only %d C files of %s can be compiled" % (made, tree))


def tools():
    """The disk with the programs: an ext4 image, made without root."""
    shutil.rmtree(ROOT, ignore_errors=True)
    os.makedirs(ROOT)
    for directory in ("tmp", "dev", "proc", "sys", "bin"):
        os.mkdir(os.path.join(ROOT, directory))
    wanted = [shutil.which(name) for name in ("fio", "iperf3", "gcc", "as")]
    wanted += [subprocess.run(
        ["gcc", "-print-prog-name=cc1"], capture_output=True, text=True,
        check=True).stdout.strip()]
    if not all(wanted):
        raise MachineError("fio, iperf3 or gcc is missing: scripts/setup bench")
    for program in wanted:
        programs.copy(program, ROOT)
    shutil.copy(os.path.join(qemu.OUT, "busybox"), os.path.join(ROOT, "bin/sh"))
    shutil.copy(os.path.join(BIN, "idle_counter"), os.path.join(ROOT, "bin"))
    sources()
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", ROOT, "-L", "tools",
                    DISK, "160M"], check=True)


def devices(accel):
    """What every machine has, at the same places."""
    null = "driver=null-co,size=1G,read-zeroes=on"
    if accel == "icount":
        # Else some reads end before who asked for them has gone to sleep, and
        # how many is up to the host.
        null += ",latency-ns=100000"
    drives = ["-drive", "if=none,id=tools,format=raw,readonly=on,file=" + DISK,
              "-drive", "if=none,id=tools0,format=raw,readonly=on,file=" + DISK,
              "-drive", "if=none,id=work," + null,
              "-drive", "if=none,id=nvme," + null,
              "-netdev", "user,id=net,net=10.0.2.0/24"]
    return {"devices": [
        "virtio-blk-pci,drive=tools,serial=tools,addr=08.0",
        "virtio-blk-pci,drive=work,serial=work,addr=09.0",
        "nvme,drive=nvme,serial=nvme,addr=0a.0",
        "virtio-net-pci,netdev=net,addr=0b.0",
        "virtio-blk-pci,drive=tools0,serial=tools,addr=0c.0"],
        "extra": drives}


class Iperf:
    """iperf3's server on the host, for as long as the context lasts."""

    def __enter__(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.process = subprocess.Popen(
            ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.port

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()


def number(text, name):
    """A number in a piece of JSON. It came through a port that is slow."""
    match = re.search(r'"%s"\s*:\s*([\d.]+)' % name, text)
    if not match:
        raise MachineError("no %s in: %s" % (name, text[-300:]))
    return float(match.group(1))


class Place:
    """Where programs run: a kernel of a machine, and the way to its shell."""

    def __init__(self, machine, port):
        self.machine = machine
        self.port = port
        self.console = port or "com1"

    def sh(self, script, limit=300):
        """Run a script there; its output."""
        return self.machine.sh(script, limit, self.port)

    def work(self, script, limit=300):
        """The same for a script with stamps."""
        if self.machine.accel != "icount":
            return self.sh(script, limit)
        text = self.sh("counting=1\n" + script, limit)
        if not re.search(r"^stamp \d+ [1-9]", text, re.M):
            raise MachineError("nobody has counted idle time: %s" % text[:300])
        return text

    def span(self, text):
        """The TSC at both stamps of a script, and the seconds that count."""
        match = re.findall(r"^stamp (\d+) (\d+)\r?$", text, re.M)
        if len(match) != 2:
            raise MachineError("no two stamps in: %s" % text[-300:])
        (first, idle), (last, idle_then) = [map(int, pair) for pair in match]
        seconds = (last - first) / qemu.tsc_khz(self.machine.accel) / 1000
        if self.machine.accel == "icount":
            seconds -= (idle_then - idle) / 1e9
        return first, last, seconds

    def fio(self, file, rw, bs):
        """Reads in a second."""
        if self.machine.accel != "icount":
            return self.read(file, rw, bs, "--time_based --runtime=3")
        # The difference leaves out what fio needs to start.
        few, many = [min(self.read(file, rw, bs, "--io_size=%d" % (
            count * 1024 * int(bs[:-1])), count) for _ in range(2))
            for count in (1000, 11000)]
        return 10000 / (many - few)

    def read(self, file, rw, bs, limit, count=None):
        """Reads in a second; for a count of them, the seconds of work."""
        text = self.work(FIO % {"file": file, "rw": rw, "bs": bs, "limit": limit})
        if count is None:
            return number(text, "iops")
        if number(text, "total_ios") != count:
            raise MachineError("fio did not do %d reads: %s" % (count, text))
        return self.span(text)[2]

    def iperf(self, port, reverse, seconds=3):
        """Mbit in a second."""
        text = self.work(NET % {"port": port, "time": seconds,
                              "reverse": "-R" if reverse else ""})
        if self.machine.accel == "icount":
            return number(text, "bytes") * 8 / self.span(text)[2] / 1e6
        return number(text, "bits_per_second") / 1e6

    def builds(self):
        """Builds in an hour."""
        return 3600 / self.span(self.work(ONE_BUILD % {"id": 0}, 900))[2]


def stock_machine(results, cores, setup):
    """A kernel that is alone, with some of the cores."""
    return results.machine(
        "speed_stock%d" % cores, "%s maxcpus=%d mem=%dM" % (
            SAME, cores, MIB if cores == 1 else MIB + MIB0),
        smp="2", memory="2G", devices=setup["devices"], extra=setup["extra"])


def node_machine(results, setup):
    """Node 0 with one core, a successor with the other and the devices."""
    return results.machine(
        "speed_node", "%s maxcpus=1 mint.mem=%dM@0 mint.devices=-com2,%s" % (
            SAME, MIB0, ",".join("-" + dev for dev in LENT)), smp="2", memory="2G",
        devices=setup["devices"], extra=setup["extra"])


def in_node(machine):
    """Launch the successor; the place in it."""
    nodes = Nodes(machine)
    nodes.active()
    nodes.launch(1, MIB, SAME + " console=ttyS1,115200",
                 devices=",".join(["com2"] + LENT))
    nodes.wait_up("com2", 120)
    return Place(machine, "com2")


FIGURES = (
    ("fio_4k_virtio", "IO/s", lambda p, _: p.fio("$work", "randread", "4k")),
    ("fio_128k_virtio", "IO/s", lambda p, _: p.fio("$work", "read", "128k")),
    ("fio_4k_nvme", "IO/s", lambda p, _: p.fio("/dev/nvme0n1", "randread", "4k")),
    ("fio_128k_nvme", "IO/s", lambda p, _: p.fio("/dev/nvme0n1", "read", "128k")),
    ("iperf_send", "Mbit/s", lambda p, port: p.iperf(port, False)),
    ("iperf_receive", "Mbit/s", lambda p, port: p.iperf(port, True)),
    ("builds", "1/h", lambda p, _: p.builds()),
)


def figures(results, repeat, variant, place):
    """All figures of one place."""
    found = {}
    with Iperf() as port:
        for name, unit, measure in FIGURES:
            value = results.attempt("speed: %s in %s" % (name, variant), measure,
                                    place, port)
            if value:
                results.add(repeat, variant, name, round(value, 4), unit)
                found[name] = value
    return found


def alone(results, repeat, variant, setup):
    """A stock kernel with one core."""
    with stock_machine(results, 1, setup) as machine:
        Nodes(machine).wait_up("com1", 120)
        return figures(results, repeat, variant, Place(machine, None))


def beside(results, repeat, setup):
    """A successor with one core, node 0 idle."""
    with node_machine(results, setup) as machine:
        return figures(results, repeat, "node", in_node(machine))


def both(results, repeat, setup):
    """Seconds until both nodes have built, at the same time."""
    with node_machine(results, setup) as machine:
        place = in_node(machine)
        return two_builds(results, repeat, "both nodes",
                          [Place(machine, None), place])


def all_cores(results, repeat, variant, setup):
    """Seconds until one kernel with both cores has built twice, at once."""
    with stock_machine(results, 2, setup) as machine:
        Nodes(machine).wait_up("com1", 120)
        return two_builds(results, repeat, variant, [Place(machine, None)] * 2)


def two_builds(results, repeat, variant, places):
    """Build in each place at once; seconds from the start to the last end.

    Scripts run in the background of their kernels, begin at the same tick, and
    say on their consoles that they have ended: the host takes no time from them.
    """
    # Before the jobs start: two of one kernel would both want to mount. And
    # what is read for the first time is read from the host.
    for i, place in enumerate(places):
        place.sh((BUILD + "build") % {"id": i}, 900)
    khz = qemu.tsc_khz(places[0].machine.accel)
    marks = [place.machine.mark(place.console) for place in places]
    # Long enough for both jobs to be on their way.
    begin = int(re.search(r"^stamp (\d+)", places[0].sh((MOUNT + "stamp") % {}),
                          re.M).group(1)) + 10000 * khz
    for i, place in enumerate(places):
        place.sh("cat >/tmp/job%d <<'EOT'\n%s\nEOT\n(sh /tmp/job%d >/tmp/done%d "
                 "2>&1; echo 'bench: job %d is over' >/dev/console) "
                 "</dev/null >/dev/null 2>&1 &" % (
                     i, JOB % {"id": i, "begin": begin, "soon": 200 * khz}, i, i, i))
    for i, (place, mark) in enumerate(zip(places, marks)):
        place.machine.wait_for("bench: job %d is over" % i, place.console, 900,
                               mark)
    spans = [place.span(place.sh("cat /tmp/done%d" % i))
             for i, place in enumerate(places)]
    late = max(span[0] for span in spans) - begin
    # With icount QEMU lets a core wait until the one before it waits. The sum
    # of their instructions is the same.
    if late > 100 * khz and places[0].machine.accel != "icount":
        raise MachineError("%s: a job was %d ms late" % (variant, late / khz))
    value = (max(span[1] for span in spans) - begin) / khz / 1000
    results.add(repeat, variant, "two builds", round(value, 4), "s")
    return value


def speed(results):
    """fio, iperf3 and builds: successor against stock, two nodes against one kernel"""
    tools()
    setup = devices(results.accel)
    repeats = results.repeats(5)
    for repeat in range(1, repeats + 1):
        results.say("speed: repeat %d of %d" % (repeat, repeats))
        stock = results.attempt("speed: stock", alone, results, repeat, "stock",
                                setup)
        node = results.attempt("speed: node", beside, results, repeat, setup)
        again = results.attempt("speed: control", alone, results, repeat,
                                "stock again", setup)
        for name, _, _ in FIGURES:
            if stock and node and name in stock and name in node:
                results.add(repeat, "ratio", name + "_over_stock",
                            node[name] / stock[name], "1")
            if stock and again and name in stock and name in again:
                results.add(repeat, "ratio", name + "_control",
                            again[name] / stock[name], "1")
        one = results.attempt("speed: one kernel", all_cores, results, repeat,
                              "one kernel", setup)
        two = results.attempt("speed: both nodes", both, results, repeat, setup)
        more = results.attempt("speed: control", all_cores, results, repeat,
                               "one kernel again", setup)
        if one and two:
            results.add(repeat, "ratio", "build_both_over_one", two / one, "1")
        if one and more:
            results.add(repeat, "ratio", "build_both_control", more / one, "1")
