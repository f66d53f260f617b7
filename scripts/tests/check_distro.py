#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Distributions on nodes: the tests, as a program that prints KTAP.

Two releases of Debian are successors beside a BusyBox predecessor. Then Debian gets
the packages of `make deb`, its own GRUB boots it as the predecessor of a BusyBox
successor, and it runs selftests. Then it serves the disk of another Debian, on a node
that owns no device.
`make check` runs the first two (scripts/check), `make distro` the third, `make check-deb`
the second with the kernel of `make deb`; by hand:

    scripts/tests/check_distro.py             all of it
    scripts/tests/check_distro.py beside      one part of beside, first, served, server
    scripts/tests/check_distro.py images      no machine: have the images built

The images are those of scripts/distro, built here when they are missing. The
tests of a machine build on each other: the first that fails ends that machine,
and what follows counts as failed, too.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SCRIPTS)

import archive  # noqa: E402
import disk_image  # noqa: E402
import helpers  # noqa: E402
import mintlib  # noqa: E402
import serving  # noqa: E402
from distros import (BOOT, DISTROS, IMAGES, ROOT, Seat, Served, disk,  # noqa: E402
                     seats)
from machine import SLOW, Machine, MachineError, in_share  # noqa: E402
from nodes import SYSFS, UP, Nodes  # noqa: E402
from verdict import Failed, Ktap, KtapReader, expect  # noqa: E402


# How long node 0 waits for a node that it has asked to end, ms
ASK = "/sys/module/mint/parameters/ask_ms"

# The packages, with one of their kernels
DEBS = os.path.join(IMAGES, "deb")

# The disk that the packages are installed on, and the one that its menu is booted from
INSTALLED = os.path.join(IMAGES, "installed.img")
LOADER = os.path.join(IMAGES, "loader.img")

# What node 0 keeps, as mintctl setup is told and as it writes it
KEEP = "--keep=768M --cores=2 --lend=com2"
KEPT = "mint.mem=768M@0 mint.cpus=0-1 mint.devices=-com2"

# Two nodes that start with the machine, each with a link to the other one
PAIR = {"east": "west", "west": "east"}


def boot_id(run):
    """The boot ID of a system, by whatever runs commands there."""
    return run("cat /proc/sys/kernel/random/boot_id").strip()


class Host:
    """What the tests of one machine share."""

    def __init__(self, name, append, places, disks=(), **kw):
        self.seats = places
        self.m = Machine(name, append, memory="2G", limit=3600,
                         devices=[d for seat in places for d in seat.devices]
                         + [device for device, _ in disks],
                         extra=[e for seat in places for e in seat.extra]
                         + [e for _, drive in disks for e in drive],
                         **kw)
        self.nodes = Nodes(self.m)
        self.before = None
        self.served = None
        self.packages = None
        self.ids = {}

    def state(self):
        """Who owns cores and memory."""
        return self.nodes.cores(), self.nodes.memory()


# ---- two distributions beside BusyBox ---------------------------------------

def beside():
    """BusyBox in node 0, a place for each distribution."""
    places = seats()
    return Host("check-distro", "mint.mem=256M@0 maxcpus=1 mint.devices="
                + ",".join(seat.lent() for seat in places), places)


def both_start(h):
    """both start from one image, each with its own cores and devices"""
    h.nodes.active()
    h.before = h.state()
    for seat, cores in zip(h.seats, (2, 1)):
        seat.launch(h.nodes, cores)
    kernel = h.m.read("/proc/version")
    for seat, cores in zip(h.seats, (2, 1)):
        up = seat.wait_up(h.nodes, 0)
        expect(up.cpus == cores, "%s has %d CPUs, not %d", seat.distro.name,
               up.cpus, cores)
        h.ids[seat] = up.boot_id
        expect(seat.ssh("cat /proc/version") == kernel,
               "%s is another kernel than node 0", seat.distro.name)
        seen = seat.ssh("ls /sys/bus/pci/devices").split()
        expect(seen == seat.functions, "%s sees %s, not %s",
               seat.distro.name, seen, seat.functions)
        label = seat.ssh("blkid -s LABEL -o value /dev/vda")
        expect(label == seat.distro.name, "%s has the disk %s",
               seat.distro.name, label)
    names = [seat.ssh(". /etc/os-release; echo $VERSION_CODENAME")
             for seat in h.seats]
    expect(len(set(names)) == len(names), "twice the same release: %s", names)
    ids = list(h.ids.values()) + [boot_id(h.m.sh)]
    expect(len(set(ids)) == len(ids), "boot IDs are not unique: %s", ids)
    h.nodes.beats([0] + [seat.node for seat in h.seats])


def all_units_run(h):
    """systemctl is-system-running says running on both, and none failed"""
    for seat in h.seats:
        expect(seat.wait_running() == "running", "%s does not run",
               seat.distro.name)
        failed = seat.ssh("systemctl --failed --plain --no-legend")
        expect(not failed, "%s: %s", seat.distro.name, failed)


def console_login(h):
    """root logs in on the console with the password, and not without it"""
    for seat in h.seats:
        expect(not seat.login("wrong"), "%s takes a wrong password",
               seat.distro.name)
        expect(seat.login(), "%s refuses the right password",
               seat.distro.name)
        words = h.m.sh("hostname; cat /proc/sys/kernel/random/boot_id",
                       60, seat.port).split()
        expect(words[0] == seat.distro.name and words[-1] == h.ids[seat],
               "%s is the console of %s", seat.port, words)


def ssh_by_key_alone(h):
    """ssh lets in our key, no other key, and no password"""
    none = ["-o", "PubkeyAuthentication=no", "-o",
            "PreferredAuthentications=password,keyboard-interactive"]
    with tempfile.TemporaryDirectory() as directory:
        other = os.path.join(directory, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        other], check=True)
        for seat in h.seats:
            expect(boot_id(seat.ssh) == h.ids[seat], "ssh leads elsewhere")
            for what, how in (("a password", {"options": none}),
                              ("another key", {"key": other})):
                status, text = seat.ssh_status("true", **how)
                expect(status == 255 and "denied (publickey)" in text,
                       "%s, %s: status %d: %s", seat.distro.name, what,
                       status, text)
    host_keys = set()
    for seat in h.seats:
        with open(seat.distro.known_hosts, encoding="ascii") as file:
            host_keys.add(file.read().split()[2])
    expect(len(host_keys) == len(h.seats), "two systems have one host key")


def disks_are_apart(h):
    """what one writes to its disk it reads back, and the other has not"""
    for seat in h.seats:
        seat.ssh("dd if=/dev/urandom of=/root/data bs=1M count=8 2>/dev/null "
                 "&& md5sum </root/data >/root/sum && sync && "
                 "echo 3 >/proc/sys/vm/drop_caches")
    sums = set()
    for seat in h.seats:
        sums.add(seat.ssh("md5sum </root/data | diff - /root/sum && "
                          "cat /root/sum"))
    expect(len(sums) == len(h.seats), "both have the same data")


def others_run_on(h, seat, leave):
    """Whatever one does to itself, the others are the systems they were."""
    others = [other for other in h.seats if other is not seat and other.node]
    expect(others, "there is nobody beside %s", seat.distro.name)
    leave()
    h.m.alive()
    h.nodes.beats([0] + [other.node for other in others])
    for other in others:
        expect(boot_id(other.ssh) == h.ids[other], "%s is another system now",
               other.distro.name)
        expect(other.wait_running() == "running", "%s no longer runs",
               other.distro.name)


def back_in_order(h, seat, up):
    """A system that started again: another boot, the same data, no repair."""
    expect(up.boot_id != h.ids[seat], "the boot ID is the old one")
    h.ids[seat] = up.boot_id
    expect(seat.wait_running() == "running", "it does not run again")
    text = seat.ssh("md5sum </root/data | diff - /root/sum && "
                    "dmesg | grep -E 'EXT4-fs.*(recover|error)' || :")
    expect(not text, "its disk was not left in order: %s", text)


def reboot_of_one(h):
    """reboot restarts one alone, where it was, with its data"""
    seat = h.seats[0]
    owned = h.state()
    boots = int(h.nodes.file(seat.node, "boots"))
    since = seat.typed = h.m.mark(seat.port)

    def leave():
        # The way in may go before the answer is here.
        seat.ssh_status("systemctl reboot", BOOT)
        back_in_order(h, seat, seat.wait_up(h.nodes, since))

    others_run_on(h, seat, leave)
    expect(int(h.nodes.file(seat.node, "boots")) == boots + 1,
           "node %d was started %s times", seat.node,
           h.nodes.file(seat.node, "boots"))
    expect(h.state() == owned, "owners are %s, were %s", h.state(), owned)


def poweroff_of_one(h):
    """poweroff ends one alone; launched again, it has its data"""
    seat = h.seats[1]

    def leave():
        h.m.sh("dmesg -c >/dev/null")
        seat.ssh_status("systemctl poweroff", BOOT)
        h.nodes.wait_over(seat.node, BOOT)
        log = h.m.sh("dmesg")
        expect("node %d has ended" % seat.node in log,
               "node %d did not end cleanly: %s", seat.node, log)

    others_run_on(h, seat, leave)
    since = h.m.mark(seat.port)
    seat.launch(h.nodes, 1)
    back_in_order(h, seat, seat.wait_up(h.nodes, since))


def stop_from_node0(h):
    """node 0's stop is an orderly power-off; then all is free again"""
    for seat in h.seats:
        since = h.m.mark(seat.port)
        # The write waits for mint.ask_ms, systemd may take longer.
        h.m.run("echo ask >%s/nodes/%d/stop" % (SYSFS, seat.node), BOOT)
        h.nodes.wait_over(seat.node, BOOT)
        h.m.wait_for("systemd-shutdown.*Powering off", seat.port, 10, since)
    h.nodes.poll(lambda: h.state() == h.before, 20, "state as before")


def no_complaint(h):
    """no kernel complains"""
    h.m.power_off(BOOT)
    expect(not h.m.faults, "%s: %s", *(h.m.faults or [("", "")])[0])


# ---- Debian in node 0, from the packages on ---------------------------------

def package_system():
    """The release of this host: what is built on Debian 13 wants the C library of that."""
    suites, host = mintlib.versions(), archive.codename()
    return next((distro for distro in DISTROS
                 if suites[distro.name.upper() + "_SUITE"] == host), DISTROS[0])


def fresh(kernel="user"):
    """Debian that has no nodes, on a disk of its own; which kernel's packages it gets."""
    seat = Seat(package_system().copied(INSTALLED), 5, "com1")
    host = Host("check-distro-fresh", ROOT, [seat], initrd="", may_end=True)
    seat.machine, seat.node = host.m, 0
    host.packages = kernel
    return host


def fresh_for_server():
    """The same, for the packages that users get."""
    return fresh("server")


def has_no_nodes(h):
    """Debian runs, without parameters of Mint"""
    up = h.nodes.wait_up("com1", BOOT)
    expect(up.node == "-", "it is node %s", up.node)
    expect(h.seats[0].wait_running() == "running", "it does not run")


def packages_come(h):
    """the packages of make deb install, and all of the tool is from /usr then"""
    made = subprocess.run([os.path.join(SCRIPTS, "deb"), "--kernel=" + h.packages, DEBS],
                          check=False, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expect(not made.returncode, "scripts/deb: %s", made.stdout[-2000:])
    h.m.sh("dpkg -i %s/*.deb 2>&1" % in_share(DEBS, h.m.share), BOOT)
    # "mint" depends on all of them in this version.
    h.m.sh("dpkg -s mint | grep -x 'Status: install ok installed' && "
           "! dpkg --audit | grep .")
    owners = h.m.sh("for name in kexec mintctl mintd mint-agent; do "
                    "dpkg -S $(readlink -f $(command -v $name)); done")
    expect([line.split(":")[0] for line in owners.splitlines()]
           == ["mint-kexec"] + ["mint-tools"] * 3, "%s", owners)
    h.m.sh("lsinitramfs /boot/initrd.img-*-mint* | "
           "grep -x scripts/local-top/mint-nvmf", 120)
    h.m.sh("cmp /boot/vmlinuz-*-mint* %s"
           % in_share(os.path.join(os.path.dirname(h.m.kernel), h.packages, "bzImage"),
                      h.m.share))


def pair_shall_start(h):
    """two files of nodes say that they start with the machine, each with a link to the other"""
    for name, other in PAIR.items():
        h.m.sh("printf '%%s\\n' '[Node]' Image=$(ls /boot/vmlinuz-*-mint*) "
               "Initrd=/usr/lib/mint/initrd.cpio.lzo Cores=1 Memory=192M "
               "Autostart=yes Links=%s >/etc/mint/%s.node" % (other, name))


def tool_sets_up(h):
    """mintctl setup has update-grub write what node 0 keeps into the menu, and reboots"""
    status, text = h.m.run("mintctl check")
    expect(status == 1 and "mintctl setup" in text, "check: status %d: %s", status, text)
    # As grub-install leaves it
    h.m.sh("mkdir -p /boot/grub && echo 'GRUB_CMDLINE_LINUX=\"%s\"' >/etc/default/grub"
           % h.m.append.replace(ROOT, "rw"))
    text = h.m.sh("mintctl setup %s --apply" % KEEP, 120)
    expect(KEPT in text, "%s", text)
    menu = [line for line in h.m.read("/boot/grub/grub.cfg").splitlines()
            if line.strip().startswith("linux")]
    expect(menu and all(KEPT in line for line in menu), "the menu has %s", menu)
    expect(h.m.run("mintctl setup --verify")[0], "it is verified before the reboot")
    h.m.kick("systemctl reboot")
    how = h.m.wait_end(BOOT)
    expect("reset" in how, "it %s", how)
    expect(not h.m.faults, "%s: %s", *(h.m.faults or [("", "")])[0])


def installed():
    """The same disk, booted by GRUB."""
    disk_image.make_loader(LOADER)
    seat = Seat(package_system().kept_in(INSTALLED), 5, "com1")
    host = Host("check-distro-first", "", [seat],
                boot=disk_image.boot(LOADER, "bios"))
    seat.machine, seat.node = host.m, 0
    return host


def menu_boots_node_0(h):
    """GRUB boots the kernel of the packages, and mintctl finds what it has set up"""
    predecessor_starts(h)
    words = h.m.read("/proc/cmdline").split()
    expect(words[0].startswith("BOOT_IMAGE=/boot/vmlinuz-") and set(KEPT.split()) <= set(words),
           "GRUB has passed %s", words)
    h.m.sh("mintctl setup --verify")


def predecessor_starts(h):
    """Debian is node 0, and systemctl is-system-running says running"""
    seat = h.seats[0]
    h.ids[seat] = h.nodes.active(BOOT).boot_id
    expect(seat.wait_running() == "running", "it does not run")
    expect(boot_id(seat.ssh) == h.ids[seat], "ssh leads elsewhere")
    expect(seat.login(), "the console refuses the password")


def launches_busybox(h):
    """its kexec launches a BusyBox successor, which lives beside it"""
    seat = h.seats[0]
    h.before = h.state()
    node = h.nodes.launch(1, 192, "console=ttyS1", devices="com2",
                          name="busybox")
    up = h.nodes.wait_up("com2", 120)
    expect(up.node == str(node) and up.boot_id != h.ids[seat],
           "the successor is node %s", up.node)
    h.nodes.beats([0, node])
    kernel = seat.ssh("uname -v")
    there = h.m.sh("uname -v; echo $0; [ -e /bin/busybox ]", 60, "com2")
    expect(there.splitlines()[0] == kernel, "another kernel: %s", there)
    h.nodes.stop(node)
    h.nodes.poll(lambda: h.state() == h.before, 30, "state as before")
    expect(seat.wait_running() == "running", "Debian no longer runs")


def link_is_open(h, names):
    """{name: number} of the nodes that run, two of which have a link."""
    nodes = {row[1]: int(row[0]) for row in map(str.split, h.m.sh("mintctl list").splitlines())
             if row[2] == "running"}
    links = json.loads(h.m.sh("mintctl links --json"))["links"]
    ends = "%d,%d" % tuple(sorted(nodes[name] for name in names))
    expect(["link", ends, "open"] in [[row["kind"], row["nodes"], row["state"]]
                                      for row in links], "%s", links)
    return nodes


def units_are(h):
    """What systemd says of the two nodes and their target, as a set."""
    units = " ".join(["mint.target"] + ["mint@%s" % name for name in PAIR])
    return set(h.m.run("systemctl is-active " + units)[1].split())


def pair_is_active(h):
    """Both services and their target are; {name: number} of the nodes, which have their link."""
    expect(units_are(h) == {"active"}, "%s: %s", units_are(h),
           h.m.sh("systemctl status --no-pager 'mint*' || :"))
    nodes = link_is_open(h, PAIR)
    h.nodes.beats([0] + [nodes[name] for name in PAIR])
    return nodes


def pair_has_started(h):
    """systemd has started both nodes with the machine, and they have their link"""
    pair_is_active(h)
    text = h.m.sh("journalctl -b -o cat | grep -i 'ordering cycle' || :")
    expect(not text, "%s", text)


def panic_starts_again(h):
    """one that panics is started again by systemd, and has its link again"""
    nodes = link_is_open(h, PAIR)
    was = h.m.sh("systemctl show -p InvocationID mint@east")
    h.m.sh("echo 'echo c >/proc/sysrq-trigger' >/dev/mint%d" % nodes["east"])
    h.nodes.poll(lambda: h.m.sh("systemctl show -p InvocationID mint@east") != was
                 and not h.m.run("systemctl is-active mint@east")[0], BOOT, "another start")
    text = h.m.sh("journalctl -b -o cat -u mint@east | grep -i panic")
    expect("node %d (east) has panicked" % nodes["east"] in text and
           "Kernel panic - not syncing: sysrq triggered crash" in text, "%s", text)
    again = pair_is_active(h)
    expect(again["west"] == nodes["west"], "west is node %d", again["west"])


def pair_ends_with_its_target(h):
    """systemctl stop mint.target ends both, and nothing has failed"""
    h.m.sh("systemctl stop mint.target", BOOT)
    # It waits for the target alone
    h.nodes.poll(lambda: not units_are(h) & {"active", "deactivating"}, BOOT, "end of both")
    expect(units_are(h) == {"inactive"}, "%s: %s", units_are(h),
           h.m.sh("systemctl status --no-pager 'mint*' || :"))
    h.nodes.poll(lambda: set(h.nodes.cores()) == {"node 0", "free", "bsp"} and
                 not any(owner.startswith("node") and owner != "node 0"
                         for _, _, owner in h.nodes.memory()), 30, "cores and memory back")
    h.m.sh("cd /etc/mint && rm %s && systemctl daemon-reload" % " ".join(
        "%s.node" % name for name in PAIR), 120)
    h.m.sh("mintctl check")


def service_of_a_node(h):
    """systemctl starts the example of a node as a service, and stops it"""
    before = h.state()
    h.m.sh("cp /usr/share/mint/web.node /etc/mint/")
    h.m.sh("systemctl start mint@web", BOOT)
    expect(h.m.sh("systemctl is-active mint@web") == "active", "it is not active")
    rows = [line.split() for line in h.m.sh("mintctl list").splitlines()]
    node = [row for row in rows if row[1] == "web"]
    expect(len(node) == 1 and node[0][2] == "running", "%s", rows)
    h.nodes.beats([0, int(node[0][0])])
    h.m.sh("systemctl stop mint@web", BOOT)
    expect(h.m.run("systemctl is-failed mint@web")[0], "it has failed: %s",
           h.m.sh("systemctl status --no-pager mint@web || :"))
    h.nodes.poll(lambda: h.state() == before, 30, "state as before")
    expect(h.seats[0].wait_running() == "running", "Debian no longer runs")


def nodes_talk_and_a_core_moves(h):
    """two nodes by mintctl have a link, and a core of node 0 goes to one and comes back"""
    before = h.state()
    for name in ("web", "db"):
        h.m.sh("mintctl run --image=$(ls /boot/vmlinuz-*-mint*) --links=all --wait=%d "
               "--initrd=/usr/lib/mint/initrd.cpio.lzo --cores=1 --memory=192M %s" % (
                   BOOT, name), BOOT)
    nodes = link_is_open(h, ("web", "db"))
    core = max(before[0]["node 0"])
    h.m.sh("mintctl move core %d db" % core, 120)
    expect(core in h.nodes.cores()["node %d" % nodes["db"]], "%s", h.nodes.cores())
    h.nodes.beats([0, nodes["web"], nodes["db"]])
    h.m.sh("mintctl move core %d 0" % core, 120)
    h.m.sh("mintctl stop web db", BOOT)
    h.nodes.poll(lambda: h.state() == before, 30, "state as before")


def selftests_take_its_initrd(h):
    """a selftest launches the initrd that Debian makes, and is content"""
    before = h.state()
    helpers.compile_all()
    # Nobody is there who could be asked to end, so the test will use force.
    bound = h.m.read(ASK).strip()
    h.m.sh("echo 3000 >" + ASK)
    status, text = h.m.run(
        "cd %s && MINT_BIN=%s MINT_INITRD=/boot/initrd.img-mint MINT_INIT=none "
        "MINT_SIZE=384 MINT_SLOW=%d sh ./launch.sh one_core" % (
            in_share(helpers.SELFTESTS, h.m.share),
            in_share(helpers.BIN, h.m.share), max(1, round(SLOW))), 300)
    h.m.sh("echo %s >%s" % (bound, ASK))
    good = []
    reader = KtapReader(lambda ok, name, notes, skip:
                        good.append(name) if ok and skip is None else None)
    for line in text.splitlines():
        reader.line(line)
    expect(not reader.wrong(status) and good == ["one_core"],
           "%s: %s", reader.wrong(status), text[-2000:])
    expect(h.state() == before, "it left something behind")


def setup_is_undone(h):
    """mintctl setup --undo takes it out of the menu again"""
    h.m.sh("mintctl setup --undo", 120)
    h.m.sh("! test -e /etc/default/grub.d/mint.cfg && grep -q vmlinuz /boot/grub/grub.cfg && "
           "! grep mint.mem= /boot/grub/grub.cfg")


def shutdown_ends_successors(h):
    """its power-off asks the successor to end, and ends the machine"""
    since = h.m.mark("com2")
    h.nodes.launch(1, 192, "console=ttyS1", devices="com2")
    h.m.wait_for(UP, "com2", 120, since)
    h.m.power_off(BOOT)
    expect("reboot: Power down" in h.m.ports["com2"].text[since:],
           "the successor was not asked: %s", h.m.last_words("com2"))
    expect(not h.m.faults, "%s: %s", *(h.m.faults or [("", "")])[0])


# ---- Debian without a device ------------------------------------------------

# What a node boots with whose root is a disk of node 0
ROOT_BY_NVME = "root=/dev/nvme0n1 mint.nvmf=" + serving.options(Served.SERVER)


def served():
    """Debian in node 0, which has another disk."""
    seat = Seat(DISTROS[0], 5, "com1")
    host = Host("check-distro-served", ROOT + " mint.mem=768M@0 maxcpus=2",
                [seat], [disk(DISTROS[1], 7)], initrd="")
    seat.machine, seat.node = host.m, 0
    host.served = Served(DISTROS[1], seat)
    return host


def owns_no_device(h):
    """Node 0 says so, and the node itself sees none."""
    node = h.served
    owned = h.nodes.file(node.node, "devices")
    expect(not owned, "it owns %s", owned)
    seen = node.ssh("ls /sys/bus/pci/devices")
    expect(not seen, "it sees %s", seen)
    name = node.ssh("hostname")
    expect(name == node.distro.name, "it is %s", name)
    expect(node.wait_running() == "running", "it does not run")
    target = node.ssh("systemctl is-active multi-user.target")
    expect(target == "active", "multi-user.target is %s", target)


def root_by_nvme(h):
    """a node without a device boots Debian from a disk that node 0 serves by NVMe/TCP"""
    node = h.served
    h.before = h.state()
    node.launch(h.nodes, ROOT_BY_NVME, initrd="/boot/initrd.img-mint")
    h.m.sh(serving.target("/dev/disk/by-label/" + node.distro.name, node.SERVER))
    h.ids[node] = node.wait_up(h.nodes).boot_id
    owns_no_device(h)
    root, how = node.ssh("findmnt -n -o SOURCE / && "
                         "cat /sys/class/nvme/nvme0/transport").split()
    expect((root, how) == ("/dev/nvme0n1", "tcp"), "its root is %s, by %s", root, how)


def own_reboot(h):
    """it writes a file, reboots by itself, and finds the file"""
    node = h.served
    boots = int(h.nodes.file(node.node, "boots"))
    owned = h.state()
    node.ssh("dd if=/dev/urandom of=/root/data bs=1M count=8 2>/dev/null && "
             "md5sum </root/data >/root/sum && sync")
    node.ssh_status("systemctl reboot", BOOT)
    back_in_order(h, node, node.wait_up(h.nodes, h.ids[node]))
    expect(int(h.nodes.file(node.node, "boots")) == boots + 1,
           "it was started %s times", h.nodes.file(node.node, "boots"))
    expect(h.state() == owned, "owners are %s, were %s", h.state(), owned)
    owns_no_device(h)
    expect(boot_id(h.seats[0].ssh) == h.ids[h.seats[0]], "node 0 is another system now")


def ends_when_asked(h, node):
    """Node 0 asks it to, and has all back."""
    # The write waits for mint.ask_ms, systemd may take longer.
    h.m.run("echo ask >%s/nodes/%d/stop" % (SYSFS, node.node), BOOT)
    h.nodes.wait_over(node.node, BOOT)
    h.nodes.poll(lambda: h.state() == h.before, 20, "state as before")


def file_is_on_the_disk(h):
    """it ends when it is asked to, and its file is on the disk of node 0"""
    node = h.served
    ends_when_asked(h, node)
    h.m.sh("set -e" + serving.UNTARGET)
    text = h.m.sh("mkdir -p /run/disk && "
                  "mount -o ro /dev/disk/by-label/%s /run/disk && "
                  "md5sum </run/disk/root/data | diff - /run/disk/root/sum && "
                  "umount /run/disk" % node.distro.name)
    expect(not text, "the file is another: %s", text)
    heard = h.nodes.unheard()
    expect(not heard, "its kernel complains: %s", heard)


# The same disk, as a directory of node 0
ROOT_BY_NFS = "root=/dev/nfs nfsroot=%s:/,vers=4.0" % Served.SERVER


def root_by_nfs(h):
    """it boots from a directory that node 0 serves by NFS, without an initrd"""
    node = h.served
    h.m.sh("mkdir -p /run/disk && mount /dev/disk/by-label/%s /run/disk" % node.distro.name)
    node.launch(h.nodes, ROOT_BY_NFS)
    h.m.sh(serving.export("/run/disk", node.ADDRESS))
    h.ids[node] = node.wait_up(h.nodes, h.ids[node]).boot_id
    owns_no_device(h)
    root = node.ssh("findmnt -n -o SOURCE /")
    expect(root == node.SERVER + ":/", "its root is %s", root)


def own_reboot_by_nfs(h):
    """it reboots by itself, and finds a file that it wrote there"""
    own_reboot(h)


def file_is_in_the_directory(h):
    """it ends when it is asked to, and its file is in the directory of node 0"""
    node = h.served
    ends_when_asked(h, node)
    text = h.m.sh("md5sum </run/disk/root/data | diff - /run/disk/root/sum")
    expect(not text, "the file is another: %s", text)
    h.m.sh("set -e" + serving.UNEXPORT + "umount /run/disk")
    heard = h.nodes.unheard()
    expect(not heard, "its kernel complains: %s", heard)


# ---- running ----------------------------------------------------------------

COMES = (has_no_nodes, packages_come, pair_shall_start, tool_sets_up)
IS_THERE = (menu_boots_node_0, pair_has_started, panic_starts_again,
            pair_ends_with_its_target, launches_busybox, service_of_a_node,
            nodes_talk_and_a_core_moves, selftests_take_its_initrd, setup_is_undone,
            shutdown_ends_successors)

# Part, machine, and its tests
TESTS = (
    ("beside", beside, (both_start, all_units_run, console_login, ssh_by_key_alone,
                        disks_are_apart, reboot_of_one, poweroff_of_one,
                        stop_from_node0, no_complaint)),
    ("first", fresh, COMES),
    ("first", installed, IS_THERE),
    ("server", fresh_for_server, COMES),
    ("server", installed, IS_THERE),
    ("served", served, (predecessor_starts, root_by_nvme, own_reboot,
                        file_is_on_the_disk, root_by_nfs, own_reboot_by_nfs,
                        file_is_in_the_directory, no_complaint)),
)


def run_machine(arrange, tests, results):
    """The tests of one machine, in their order."""
    broken = None
    host = None
    try:
        host = arrange()
        host.m.start()
    except MachineError as error:
        broken = str(error)
    for test in tests:
        name = "%s: %s" % (arrange.__name__, test.__doc__)
        if broken:
            results.result(False, name, broken)
            broken = "not tried: an earlier test of this machine failed"
            continue
        began = time.monotonic()
        try:
            test(host)
            results.result(True, name, "%.0f s" % (time.monotonic() - began))
        except (Failed, MachineError, LookupError, ValueError,
                OSError) as error:
            results.result(False, name, "%s: %s; see %s; %.0f s" % (
                type(error).__name__, error, host.m.logs,
                time.monotonic() - began))
            broken = "not tried: an earlier test of this machine failed"
    if host:
        host.m.close()


def main():
    """The command line."""
    chosen = [(arrange, tests) for part, arrange, tests in TESTS
              if not sys.argv[1:] or part in sys.argv[1:]]
    results = Ktap(1 + sum(len(tests) for _, tests in chosen))
    # What it prints is no KTAP: lines of progress.
    done = subprocess.run([os.path.join(SCRIPTS, "distro"), "build"],
                          stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                          check=False)
    results.result(done.returncode == 0, "the images can be built")
    if done.returncode:
        # Without a disk there is no machine to try.
        return 1
    for arrange, tests in chosen:
        run_machine(arrange, tests, results)
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
