# SPDX-License-Identifier: GPL-2.0
"""Distribution images as a machine uses them: disk, network card, log-in.

This file owns what scripts/distro and scripts/tests/check_distro.py share: where the
parts of an image lie, the devices that a machine needs for it, its launch as a
successor, with devices or with a root file system that another node serves, the
log-in on its console and the way in by ssh.

An image is written by scripts/distro and only read here: what a system writes
goes into a file that QEMU forgets at the end of the machine. A copy of an image
keeps it.
"""

import copy
import os
import re
import shlex
import subprocess
import time

import machine as qemu
from machine import Limit, MachineError
from nodes import SYSFS, UP, Up

IMAGES = os.path.join(qemu.BUILD, "distro")

# The key that the images let in as root.
KEY = os.path.join(IMAGES, "key")

# Limit of a wait for a whole boot. Two at once took one and a half minutes
# under emulation on a busy host.
BOOT = 400

ROOT = "root=/dev/vda rw rootwait"


class Distro:
    """One image: its name is that of the host in it."""

    def __init__(self, name, title):
        self.name = name
        self.title = title
        self.directory = os.path.join(IMAGES, name)
        self.image = os.path.join(self.directory, "disk.img")
        self.known_hosts = os.path.join(self.directory, "known_hosts")
        self.password_file = os.path.join(self.directory, "password")
        self.keeps = False      # what the system writes

    def copied(self, path):
        """The same system in a file of its own, which keeps what it writes."""
        subprocess.run(["cp", "--sparse=always", self.image, path], check=True)
        return self.kept_in(path)

    def kept_in(self, path):
        """The same, of a file that has been copied before."""
        other = copy.copy(self)
        other.image, other.keeps = path, True
        return other

    def password(self):
        """root's password on the console."""
        with open(self.password_file, encoding="ascii") as file:
            return file.read().strip()


DISTROS = (Distro("debian12", "Debian 12"), Distro("debian13", "Debian 13"))


def disk(distro, slot):
    """Arguments of QEMU for its disk: what follows -device, and the others."""
    return ("virtio-blk-pci,drive=disk-%s,addr=%02x.0" % (distro.name, slot),
            ["-drive", "if=none,id=disk-%s,format=raw,snapshot=%s,file=%s" % (
                distro.name, "off" if distro.keeps else "on",
                distro.image.replace(",", ",,"))])


class System:
    """A distribution on a node, as ssh reaches it."""

    def __init__(self, distro, port):
        self.distro = distro
        self.port = port
        self.machine = None
        self.node = None

    def way(self):
        """How it is reached: options of ssh, and an address."""
        raise NotImplementedError

    def ssh_command(self, *options, key=KEY):
        """The ssh command that leads there, for people and for scripts."""
        more, address = self.way()
        return ["ssh", "-F", "none", "-i", key, *more,
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", "StrictHostKeyChecking=yes",
                "-o", "UserKnownHostsFile=" + self.distro.known_hosts,
                "-o", "HostKeyAlias=" + self.distro.name,
                "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8",
                "-o", "LogLevel=ERROR", *options, "root@" + address]

    def ssh_status(self, script, timeout=120, options=(), key=KEY):
        """Run a shell script there by ssh: (status, output)."""
        limit = timeout * qemu.SLOW
        try:
            done = subprocess.run(
                self.ssh_command("-o", "ConnectTimeout=%d" % limit, *options,
                                 key=key) + [script], stdin=subprocess.DEVNULL, timeout=limit,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", check=False)
        except subprocess.TimeoutExpired as error:
            raise Limit("ssh to %s: %r ran longer than %d s; see %s" % (
                self.distro.name, script[:60], limit,
                self.machine.where(self.port))) from error
        return done.returncode, done.stdout.strip()

    def ssh(self, script, timeout=120):
        """The same: only the output, and an error for a bad status."""
        status, output = self.ssh_status(script, timeout)
        if status:
            raise MachineError("ssh to %s: %r: status %d: %s; see %s" % (
                self.distro.name, script[:60], status, output,
                self.machine.where(self.port)))
        return output

    def reach(self, timeout=BOOT):
        """Wait until ssh is answered: sshd may be there before the address."""
        limit = time.monotonic() + timeout * qemu.SLOW
        while True:
            self.machine.alive()
            status, text = self.ssh_status("true")
            if status == 0:
                return
            if status != 255 or "denied" in text or time.monotonic() > limit:
                raise MachineError("%s does not answer by ssh: %s; see %s" % (
                    self.distro.name, text, self.machine.where(self.port)))
            # QEMU takes the connection in any case; that somebody listens
            # behind it is announced nowhere.
            time.sleep(0.5)

    def wait_running(self):
        """Wait until systemd has started all; fail unless it all runs."""
        self.reach()
        status, state = self.ssh_status(
            "systemctl is-system-running --wait", BOOT)
        if status or state != "running":
            raise MachineError("%s is %s: %s; see %s" % (
                self.distro.name, state,
                self.ssh("systemctl --failed --plain --no-legend || :"),
                self.machine.where(self.port)))
        return state


class Seat(System):
    """A place in a machine for one distribution: slots, port, what runs there.

    The disk has PCI slot `slot`, the network card the next one; port is the
    serial port of its console.
    """

    def __init__(self, distro, slot, port):
        super().__init__(distro, port)
        self.tty = "ttyS%d" % (int(port[3]) - 1)
        self.functions = ["0000:00:%02x.0" % n for n in (slot, slot + 1)]
        device, drive = disk(distro, slot)
        self.devices = [device,
                        "virtio-net-pci,netdev=net-%s,addr=%02x.0" % (
                            distro.name, slot + 1)]
        # QEMU finds a free port of the host. The network is the host alone.
        self.extra = [*drive,
                      "-netdev", "user,id=net-%s,restrict=on,"
                                 "hostfwd=tcp:127.0.0.1:0-:22" % distro.name]
        # Where on the console the present log-in prompt is looked for.
        self.typed = 0

    def lent(self):
        """What a predecessor leaves alone, for its mint.devices=."""
        return ",".join("-" + name for name in [self.port] + self.functions)

    def launch(self, nodes, cores, mib=512, append=""):
        """Launch it as a successor; return the number of the node."""
        self.machine = nodes.machine
        self.typed = self.machine.mark(self.port)
        self.node = nodes.launch(
            cores, mib, "console=%s %s %s" % (self.tty, ROOT, append),
            devices=",".join([self.port] + self.functions),
            name=self.distro.name, initrd="")
        return self.node

    def wait_up(self, nodes, since=None):
        """Wait until it says so on its console; return what it says."""
        up = nodes.wait_up(self.port, BOOT, since)
        if up.node != str(self.node):
            raise MachineError("%s: the system says node %s, kexec node %d" % (
                self.port, up.node, self.node))
        self.reach()
        return up

    def login(self, password=None):
        """Log in as root on the console; whether it was allowed."""
        host = self.distro.name
        limit = time.monotonic() + BOOT * qemu.SLOW
        while True:
            try:
                self.machine.wait_for("%s login: " % host, self.port, 60,
                                      since=self.typed)
                self.machine.send(self.port, "root\n")
                self.machine.wait_for("Password: ", self.port, 60)
                break
            except Limit:
                if time.monotonic() > limit:
                    raise
                # An empty line brings a prompt again that lines of the
                # kernel have cut through.
                self.typed = self.machine.mark(self.port)
                self.machine.send(self.port, "\n")
        self.typed = self.machine.mark(self.port)
        self.machine.send(self.port, (password or self.distro.password())
                          + "\n")
        match = self.machine.wait_for(
            r"root@%s:\S*# |Login incorrect" % host, self.port, 120)
        return "incorrect" not in match.group(0)

    def ssh_port(self):
        """The port of the host that leads to its port 22."""
        text = self.machine.hmp("info usernet")
        found = re.search(r"\(net-%s\):.*?HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1"
                          r"\s+(\d+)\s" % self.distro.name, text, re.S)
        if not found:
            raise MachineError("machine %s forwards no port to %s: %s" % (
                self.machine.name, self.distro.name, text))
        return int(found.group(1))

    def way(self):
        """By the port of the host that leads to its port 22."""
        return ["-p", str(self.ssh_port())], "127.0.0.1"


class Served(System):
    """A distribution on a node without devices, beside node 0 that serves its root.

    Both are in the network of their link, whatever number the node gets. Its console
    is a line to node 0. What it says there is looked for in its kernel's log.
    """

    SERVER, ADDRESS = "10.0.1.1", "10.0.1.2"

    def __init__(self, distro, server):
        super().__init__(distro, "mint1")
        self.server = server
        self.machine = server.machine

    def way(self):
        """Through node 0."""
        leads = self.server.ssh_command("-W", self.ADDRESS + ":22")
        return ["-o", "ProxyCommand=" + shlex.join(leads).replace("%", "%%")], self.ADDRESS

    def launch(self, nodes, root, initrd="", mib=512):
        """Launch it, and see to node 0's end of the link; return its number."""
        # The log of the node that had this number before
        nodes.listen()
        self.node = nodes.launch(
            1, mib, "ip=%s::%s:255.255.255.252::mint0:off rw %s" % (
                self.ADDRESS, self.SERVER, root),
            name=self.distro.name, initrd=initrd)
        dev = "mint%d" % self.node
        nodes.poll(lambda: not self.machine.run("[ -e /sys/class/net/%s ]" % dev)[0], 30,
                   dev + " in node 0")
        self.machine.sh("ip addr add %s/30 dev %s && ip link set %s up" % (
            self.SERVER, dev, dev))
        return self.node

    def wait_up(self, nodes, since=None):
        """Wait until it says so, with another boot ID; return what it says."""
        def said():
            self.machine.alive()
            # Nothing says when there is more in a log, and looking costs the node time.
            text = self.machine.sh("sleep 2; tr -d '\\000' <%s/nodes/%d/log | "
                                   "grep 'mint: node' || :" % (SYSFS, self.node))
            for match in UP.finditer(text + "\n"):
                up = Up(match)
                if up.boot_id != since:
                    return up
            return None

        up = nodes.poll(said, BOOT, "system on node %d" % self.node)
        self.reach()
        return up


def seats(first_slot=5, ports=("com2", "com3"), distros=DISTROS):
    """A seat for each distribution, beside a predecessor with COM1."""
    return [Seat(distro, first_slot + 2 * i, port)
            for i, (distro, port) in enumerate(zip(distros, ports))]

