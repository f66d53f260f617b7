#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The emulated machine: starts QEMU, keeps its consoles, runs commands in it.

This file owns everything that knows about QEMU. As a library it offers the
class Machine to demo, run and check; as a command it boots one machine:

    scripts/machine.py                        COM1 in this terminal
    scripts/machine.py -c 'cat /proc/cpuinfo' one command, then power off
    scripts/machine.py console SOCKET         attach to a console

Variables: ACCEL (tcg, kvm, or icount, which is TCG with a clock that counts
instructions), QEMU, CPU, SMP, MEM, APPEND, DEVICES (QEMU
-device arguments, separated by blanks), BUILD (the build directory), SHARE
(the directory of the host that appears as /mint in the machine, by default
that of the project) and SLOW (a factor for every time limit).

Four serial ports and QMP are Unix sockets. All output of the serial ports is
kept in <build>/log/<machine>/com1.log .. com4.log. A virtio port carries
commands to the predecessor's init and their output back, so that COM1 stays a
plain console. Every wait has a limit, and so has the machine as a whole.
"""

import argparse
import base64
import codecs
import contextlib
import ctypes
import functools
import hashlib
import json
import mmap
import os
import platform
import re
import select
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
OUT = os.path.join(BUILD, "out")
SLOW = float(os.environ.get("SLOW", "1"))

COMS = ("com1", "com2", "com3", "com4")

# Where the directory of the host appears in the machine, see initrd/init.
SHARE = "/mint"

# With "fast" string instructions kernels move memory by the byte, which hardware
# makes fast, and TCG one byte at a time.
TCG_CPU = "max,-erms,-fsrm"

# What each accelerator asks of QEMU: -accel, -cpu, further arguments.
ACCELS = {
    "tcg": ("tcg,thread=multi", TCG_CPU, ()),
    # One nanosecond passes with each instruction, whatever the host does, and
    # the host's own time while all cores wait. Cores take turns.
    "icount": ("tcg,thread=single", TCG_CPU, ("-icount", "shift=0,sleep=on")),
    "kvm": ("kvm", "host", ()),
}

def complaints():
    """What no healthy kernel says, as one expression: selftests/complaints."""
    path = os.path.join(TOP, "selftests", "complaints")
    with open(path, encoding="ascii") as file:
        return "|".join(line.rstrip("\n") for line in file
                        if line.strip() and not line.startswith("#"))


# A line of a console, or of a node's log, that no healthy kernel prints.
FAULT = re.compile(complaints())

# The kernel's own lines, which may cut through the lines of a program.
KERNEL_LINE = re.compile(r"\[ *\d+\.\d{6}\](?:\[[^]\n]*\])? [^\n]*\n")


class MachineError(Exception):
    """Something about the machine that is not as it should be."""


class Limit(MachineError):
    """A wait that reached its limit."""


class Gone(MachineError):
    """The machine has ended, been reset, or its kernel has panicked."""


# Machines whose QEMU may run.
RUNNING = set()

# The release whose emulation has x2APIC, and where scripts/qemu puts one.
X2APIC_SINCE = 9
LATER_QEMU = os.path.join(BUILD, "qemu", "qemu-system-x86_64")


def default_qemu():
    """The QEMU that the environment asks for, by default the host's."""
    return os.environ.get("QEMU", "qemu-system-x86_64")


def qemu_version(command=None):
    """The release of a QEMU, 0 if it does not run."""
    try:
        text = subprocess.run(
            [command or default_qemu(), "--version"], timeout=60, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"\bversion (\d+)", text)
    return int(found.group(1)) if found else 0


@functools.lru_cache(maxsize=None)
def x2apic_qemu():
    """A QEMU whose emulation has x2APIC."""
    for command in (default_qemu(), LATER_QEMU):
        if qemu_version(command) >= X2APIC_SINCE:
            return command
    raise MachineError("no QEMU here has x2APIC: run scripts/qemu")


def kill_all():
    """End every machine of this process at once, without ceremony."""
    for machine in list(RUNNING):
        machine.kill()


def default_accel():
    """The accelerator that the environment asks for."""
    accel = os.environ.get("ACCEL", "tcg")
    if accel not in ACCELS:
        raise MachineError("ACCEL=%s: one of %s, please" % (
            accel, ", ".join(ACCELS)))
    return accel


def tsc_khz(accel):
    """Frequency of a machine's TSC, as far as the host knows it; or None."""
    return 1000000 if accel == "icount" else host_tsc_khz()


@functools.lru_cache(maxsize=None)
def host_tsc_khz():
    """Frequency of the host's TSC, which is the guest's under TCG; or None.

    A guest on a busy host finds wrong values when it calibrates its TSC
    against the emulated PIT: its clock then runs thirty times too fast.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
    code = bytes.fromhex("0f3148c1e2204809d0c3")
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ
                         | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    except (OSError, ValueError):
        return None
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)

    def sample():
        best = None
        for _ in range(50):
            before = time.monotonic_ns()
            ticks = rdtsc()
            after = time.monotonic_ns()
            if best is None or after - before < best[0]:
                best = (after - before, (before + after) / 2, ticks)
        return best

    _, t0, c0 = sample()
    # The span that is measured: there is no event at its end.
    time.sleep(0.1)
    _, t1, c1 = sample()
    return round((c1 - c0) * 1e6 / (t1 - t0))


class Port:
    """A character device of the machine: socket, kept text, log."""

    def __init__(self, name, path, log):
        self.name = name
        self.path = path
        self.log_path = log
        self.log = open(log, "w", encoding="utf-8", errors="replace")
        self.sock = None
        self.text = ""
        self.cursor = 0
        self.scanned = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.relay = None
        self.clients = []

    def feed(self, data):
        """Take bytes in; return the lines that they complete."""
        text = self.decoder.decode(data).replace("\r", "")
        self.text += text
        self.log.write(text)
        self.log.flush()
        end = self.text.rfind("\n") + 1
        if end <= self.scanned:
            return []
        lines = self.text[self.scanned:end].split("\n")[:-1]
        self.scanned = end
        return lines

    def close(self):
        """Close socket, relay, clients and log."""
        for sock in [self.sock, self.relay] + self.clients:
            if sock:
                sock.close()
        self.clients = []
        self.log.close()


def default_image():
    """The bzImage that the build made."""
    return os.path.join(OUT, "bzImage")


def default_initrd():
    """The initrd that the build made."""
    return os.path.join(OUT, "initrd.cpio.lzo")


def ram_in_file(path, size):
    """Arguments of QEMU: the machine's memory is a file, which the host can change."""
    return ["-object", "memory-backend-file,id=ram,size=%s,share=on,discard-data=on,mem-path=%s"
            % (size, path.replace(",", ",,")), "-machine", "memory-backend=ram"]


def in_share(path, share=TOP):
    """The name inside the machine of a file below the shared directory."""
    relative = os.path.relpath(path, share)
    if relative.startswith(".."):
        raise MachineError("%s is not below %s, which is what the machine "
                           "can see: set SHARE" % (path, share))
    return os.path.join(SHARE, relative)


class Machine:
    """One QEMU machine, a context manager.

    name      of the machine and of its directory of logs
    append    kernel command line of the predecessor, after console=ttyS0
    initrd    its initrd, by default that of the build; "" for none
    smp       QEMU's -smp, such as "4" or "sockets=2,cores=3"
    memory    QEMU's -m
    devices   further -device arguments
    extra     further arguments of any kind
    control   "ctl" for the virtio port, or "com1" for the shell on COM1
    limit     seconds after which the machine is ended from outside
    board     QEMU's -M: "q35", or "pc", which has no ECAM
    accel     one of ACCELS, by default what the environment asks for
    kept      MiB of translated code that TCG keeps, by default up to 1024; it
              gives up each single translation in the table of every core, so
              with many cores it is faster to give up all at once, more often
    may_end   True when a power-off or reset by the guest is expected
    boot      arguments of QEMU in place of kernel, initrd and append: the
              machine's firmware finds what it boots
    x2apic    True for a QEMU whose emulation has x2APIC
    """

    def __init__(self, name="machine", append="", smp=None, memory=None,
                 kernel=None, initrd=None, devices=(), extra=(), share=None,
                 control="ctl", limit=900, console=True, may_end=False,
                 cpu=None, board="q35", accel=None, boot=(),
                 kept=None, x2apic=False):
        env = os.environ
        self.name = name
        self.smp = smp or env.get("SMP", "4")
        self.memory = memory or env.get("MEM", "1G")
        self.kernel = kernel or default_image()
        self.initrd = default_initrd() if initrd is None else initrd
        self.devices = list(devices) + env.get("DEVICES", "").split()
        self.extra = list(extra)
        self.share = os.path.abspath(share or env.get("SHARE", TOP))
        self.control = control
        self.limit = limit * SLOW
        self.may_end = may_end
        self.cpu = cpu
        self.board = board
        self.accel = accel or default_accel()
        self.kept = kept
        self.qemu = x2apic_qemu() if x2apic else default_qemu()
        self.boot = list(boot)
        words = ["console=ttyS0"] if console else []
        if self.accel != "kvm" and tsc_khz(self.accel):
            words.append("tsc_early_khz=%d" % tsc_khz(self.accel))
        self.append = " ".join(words + append.split()
                               + env.get("APPEND", "").split())
        self.logs = os.path.join(BUILD, "log", name)
        self.faults = []        # complaints on consoles: (port, line)
        self.heard = set()      # in logs of nodes, see nodes.py
        self.unheard = []
        self.ended = None       # why the machine runs no more
        self.events = []
        self.ports = {}
        self.process = None
        self.tmp = None
        self._qmp = None
        self._qmp_text = b""
        self._qmp_id = 0
        self._qmp_replies = {}
        self._cond = threading.Condition()
        self._run_lock = threading.Lock()
        self._selector = None
        self._thread = None
        self._stop = False
        self._serial = 0
        self._closing = False

    # -- start and end ------------------------------------------------------

    def command(self):
        """QEMU's command line."""
        accel_args, cpu, more = ACCELS[self.accel]
        if self.kept and self.accel != "kvm":
            accel_args += ",tb-size=%d" % self.kept
        cpu = self.cpu or os.environ.get("CPU", cpu)
        cmd = [self.qemu,
               "-name", "mint-" + self.name,
               "-M", self.board, "-accel", accel_args, *more, "-cpu", cpu,
               "-smp", self.smp, "-m", self.memory,
               "-nodefaults", "-vga", "std", "-display", "none",
               "-rtc", "base=utc",
               "-no-reboot", "-action", "shutdown=pause",
               "-d", "cpu_reset", "-D", os.path.join(self.logs, "resets.log")]
        if self.boot:
            cmd += self.boot
        else:
            cmd += ["-kernel", self.kernel, "-append", self.append]
        if self.initrd and not self.boot:
            cmd += ["-initrd", self.initrd]
        for name in COMS:
            cmd += ["-chardev", self._chardev(name), "-serial",
                    "chardev:" + name]
        # The screen of a pc takes 02.0.
        slot = 2 if self.board == "q35" else 3
        cmd += ["-chardev", self._chardev("qmp"),
                "-mon", "chardev=qmp,mode=control"]
        if self.control == "ctl":
            cmd += ["-device", "virtio-serial-pci,id=serial,addr=%d.0" % slot,
                    "-chardev", self._chardev("ctl"),
                    "-device", "virtserialport,bus=serial.0,chardev=ctl,"
                               "name=mint.ctl"]
        if self.share:
            cmd += ["-fsdev", "local,id=share,security_model=none,"
                              "readonly=on,multidevs=remap,path="
                    + self.share.replace(",", ",,"),
                    "-device", "virtio-9p-pci,fsdev=share,mount_tag=mint,"
                               "addr=%d.0" % (slot + 1)]
        for device in self.devices:
            cmd += ["-device", device]
        return cmd + self.extra

    def path(self, name):
        """A name in the machine's directory of sockets."""
        return os.path.join(self.tmp, name)

    def _chardev(self, name):
        return "socket,id=%s,path=%s" % (name, self.path(name))

    def start(self):
        """Start QEMU, which connects to our sockets."""
        for what in (self.kernel, self.initrd):
            if what and not os.path.exists(what):
                raise MachineError("%s is missing: build it with `make`"
                                   % what)
        os.makedirs(self.logs, exist_ok=True)
        # A socket's name is at most 108 characters long: not below BUILD.
        self.tmp = tempfile.mkdtemp(prefix="mint-")
        cmd = self.command()
        with open(os.path.join(self.logs, "command"), "w",
                  encoding="utf-8") as log:
            log.write(" ".join(shlex.quote(c) for c in cmd) + "\n")
        # When this program is killed, the machine goes with it.
        if shutil.which("setpriv"):
            cmd = ["setpriv", "--pdeathsig", "KILL"] + cmd
        self.stderr_path = os.path.join(self.logs, "qemu.log")
        names = list(COMS) + (["ctl"] if self.control == "ctl" else [])
        with contextlib.ExitStack() as stack:
            listeners = {name: stack.enter_context(self._listen(name))
                         for name in names + ["qmp"]}
            self._start_qemu(cmd)
            self._selector = selectors.DefaultSelector()
            self._wake_r, self._wake_w = os.pipe()
            self._selector.register(self._wake_r, selectors.EVENT_READ, "wake")
            for name in names:
                port = Port(name, self.path(name),
                            os.path.join(self.logs, name + ".log"))
                self.ports[name] = port
                port.sock = self._accept(listeners[name], name)
                self._selector.register(port.sock, selectors.EVENT_READ, port)
            self._qmp = self._accept(listeners["qmp"], "qmp")
        self._selector.register(self._qmp, selectors.EVENT_READ, "qmp")
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()
        # QEMU may have gigabytes to touch before it answers.
        self.qmp("qmp_capabilities", 120)
        return self

    def _start_qemu(self, cmd):
        with open(self.stderr_path, "w", encoding="utf-8") as err:
            try:
                self.process = subprocess.Popen(
                    cmd, stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                    start_new_session=True)
            except OSError as error:
                raise MachineError("%s cannot be started: %s"
                                   % (cmd[0], error)) from error
        self.began = time.monotonic()
        RUNNING.add(self)

    def _listen(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(self.path(name))
        sock.listen(1)
        return sock

    def _accept(self, listener, name):
        limit = time.monotonic() + 60 * SLOW
        # In pieces, to notice that QEMU has ended.
        while not select.select([listener], [], [], 0.2)[0]:
            if self.process.poll() is not None:
                raise MachineError("QEMU did not start: %s (%s)" % (
                    self._stderr(), self.stderr_path))
            if time.monotonic() > limit:
                raise Limit("QEMU did not connect to %s" % self.path(name))
        return listener.accept()[0]

    def _stderr(self):
        try:
            with open(self.stderr_path, encoding="utf-8") as log:
                lines = log.read().strip().splitlines()
        except OSError:
            lines = []
        # Of a dump of registers, the words in front of it.
        words = [line for line in lines if not re.match(r"\w+ ?=", line)]
        return (words or ["nothing"])[-1]

    def kill(self):
        """End QEMU at once; for programs that are about to end."""
        self._closing = True
        if self.process:
            self.process.kill()
            self.process.wait()
        # Another thread may be about to do the same.
        while self.tmp and os.path.exists(self.tmp):
            shutil.rmtree(self.tmp, ignore_errors=True)

    def close(self):
        """End QEMU, whatever state the machine is in."""
        self._closing = True
        RUNNING.discard(self)
        if self.process and self.process.poll() is None:
            try:
                if self._qmp:
                    self.qmp("quit", limit=5)
            except MachineError:
                pass
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._thread:
            self._stop = True
            os.write(self._wake_w, b"x")
            self._thread.join()
            os.close(self._wake_r)
            os.close(self._wake_w)
            self._thread = None
        for port in self.ports.values():
            port.close()
        if self._qmp:
            self._qmp.close()
            self._qmp = None
        if self._selector:
            self._selector.close()
            self._selector = None
        if self.tmp:
            shutil.rmtree(self.tmp, ignore_errors=True)
            self.tmp = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *exc):
        self.close()

    # -- the thread that reads everything -----------------------------------

    def _pump(self):
        while not self._stop:
            left = self.began + self.limit - time.monotonic()
            if left <= 0 and not self.ended:
                self._end("ran longer than its limit of %d s" % self.limit)
                self.process.kill()
            ready = self._selector.select(max(0.1, min(left, 5)))
            # QEMU tells of the end last: who waits for that finds all consoles read.
            for key, _ in sorted(ready, key=lambda pair: pair[0].data == "qmp"):
                what = key.data
                if what == "wake":
                    os.read(self._wake_r, 1)
                elif what == "qmp":
                    self._pump_qmp()
                elif isinstance(what, Port):
                    self._pump_port(what)
                else:
                    self._pump_client(key.fileobj, *what)
            if self.process.poll() is not None and not self.ended:
                self._end("QEMU ended with status %d: %s" % (
                    self.process.returncode, self._stderr()))

    def _receive(self, sock):
        """Bytes, or None when the other side has gone."""
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(sock)
            return None
        return data

    def _pump_port(self, port):
        data = self._receive(port.sock)
        if data is None:
            return
        for client in list(port.clients):
            try:
                client.sendall(data)
            except OSError:
                self._drop_client(port, client)
        with self._cond:
            for line in port.feed(data):
                if port.name in COMS and FAULT.search(line):
                    self.faults.append((port.name, line.strip()))
            self._cond.notify_all()

    def _pump_client(self, sock, kind, port):
        if kind == "listen":
            client, _ = sock.accept()
            port.clients.append(client)
            self._selector.register(client, selectors.EVENT_READ,
                                    ("client", port))
            return
        try:
            data = sock.recv(4096)
        except OSError:
            data = b""
        if data:
            port.sock.sendall(data)
        else:
            self._drop_client(port, sock)

    def _drop_client(self, port, client):
        self._selector.unregister(client)
        port.clients.remove(client)
        client.close()

    def _pump_qmp(self):
        data = self._receive(self._qmp)
        if data is None:
            return
        self._qmp_text += data
        while b"\n" in self._qmp_text:
            line, self._qmp_text = self._qmp_text.split(b"\n", 1)
            message = json.loads(line)
            with self._cond:
                if "event" in message:
                    self.events.append(message)
                elif "id" in message:
                    self._qmp_replies[message["id"]] = message
                self._cond.notify_all()
            if message.get("event") == "STOP" and not self._closing:
                self._end("was stopped by QEMU, which says: %s (%s)" % (
                    self._stderr(), self.stderr_path))
            if message.get("event") == "SHUTDOWN" and not self._closing:
                reason = message["data"].get("reason", "")
                self._end({"guest-reset": "was reset by the guest",
                           "guest-shutdown": "was powered off by the guest",
                           }.get(reason, "stopped: " + reason))

    def _end(self, why):
        with self._cond:
            if not self.ended:
                self.ended = why
            self._cond.notify_all()

    # -- waiting ------------------------------------------------------------

    def where(self, port="com1"):
        """For messages: where the output can be read."""
        return self.ports[port].log_path if port in self.ports else self.logs

    def last_words(self, port, count=3):
        """The last lines of a port, for messages."""
        lines = [l for l in self.ports[port].text.splitlines() if l.strip()]
        return " | ".join(lines[-count:])

    def _wait(self, ready, limit, what, port, fatal=True):
        """Wait until ready() is true; it runs under the lock."""
        limit *= SLOW
        deadline = time.monotonic() + limit
        with self._cond:
            while True:
                value = ready()
                if value:
                    return value
                if self.ended:
                    raise Gone("machine %s %s while waiting for %s; see %s"
                               % (self.name, self.ended, what,
                                  self.where(port)))
                if fatal:
                    for name, line in self.faults:
                        if name == port and "Kernel panic" in line:
                            raise Gone("%s of machine %s: %s; see %s"
                                       % (port, self.name, line,
                                          self.where(port)))
                left = deadline - time.monotonic()
                if left <= 0:
                    tail = ""
                    if port in self.ports:
                        tail = "; last: " + self.last_words(port)
                    raise Limit("machine %s: no %s within %d s; see %s%s" % (
                        self.name, what, limit, self.where(port), tail))
                self._cond.wait(left)

    def wait_for(self, pattern, port="com1", timeout=60, since=None,
                 fatal=True):
        """Wait for a regular expression on a console; return the match.

        The search begins where the last one on that port ended, or at the
        position `since`. A panic on that console ends the wait at once,
        unless fatal is false.
        """
        regex = re.compile(pattern, 0 if isinstance(pattern, re.Pattern)
                           else re.M)
        stream = self.ports[port]
        start = stream.cursor if since is None else since

        def ready():
            match = regex.search(stream.text, start)
            if match and match.end() > stream.cursor:
                stream.cursor = match.end()
            return match

        return self._wait(ready, timeout, "/%s/" % regex.pattern, port,
                          fatal)

    def mark(self, port):
        """The present end of a console, for `since`."""
        with self._cond:
            return len(self.ports[port].text)

    def wait_end(self, timeout=60):
        """Wait until the guest powers off or resets; return how."""
        limit = time.monotonic() + timeout * SLOW
        with self._cond:
            while not self.ended:
                left = limit - time.monotonic()
                if left <= 0:
                    raise Limit("machine %s did not end within %d s; see %s"
                                % (self.name, timeout * SLOW, self.logs))
                self._cond.wait(left)
            return self.ended

    def alive(self):
        """Raise if the machine has ended."""
        if self.ended:
            raise Gone("machine %s %s; see %s" % (self.name, self.ended,
                                                  self.logs))

    # -- commands in the machine --------------------------------------------

    def run(self, script, timeout=60, port=None):
        """Run a shell script in the machine: (status, output).

        Without a port, it runs in the predecessor by way of the control
        port; with the name of a serial port, in the shell on that console.
        A script that outlives its limit raises Limit.
        """
        port = port or self.control
        with self._run_lock:
            if port == "ctl":
                return self._run_agent(script, timeout)
            return self._run_console(script, timeout, port)

    def sh(self, script, timeout=60, port=None):
        """Like run(), but returns the output and fails on a bad status."""
        status, output = self.run(script, timeout, port)
        if status:
            raise MachineError("%r in machine %s: status %d: %s; see %s" % (
                script, self.name, status, output.strip(), self.logs))
        return output.strip()

    def kick(self, script):
        """Start a script in the predecessor, without waiting for its end."""
        with self._run_lock:
            self.alive()
            self.send("ctl", self._request(self._mark_text(), 60, script))

    def read(self, path, port=None):
        """The text of a file in the machine."""
        return self.sh("cat " + shlex.quote(path), 30, port)

    def send(self, port, text):
        """Type on a port."""
        try:
            self.ports[port].sock.sendall(text.encode())
        except OSError as error:
            self.alive()
            raise MachineError("%s of machine %s: %s" % (port, self.name,
                                                         error)) from error

    def _mark_text(self):
        self._serial += 1
        return "mint-%d-%s" % (self._serial, os.urandom(4).hex())

    @staticmethod
    def _request(mark, limit, script):
        """A line for the agent in initrd/init."""
        return "%s %d %s\n" % (
            mark, limit, base64.b64encode(script.encode()).decode())

    def _run_agent(self, script, timeout):
        stream = self.ports["ctl"]
        mark = self._mark_text()
        begin = self.mark("ctl")
        limit = max(1, int(timeout * SLOW))
        self.alive()
        self.send("ctl", self._request(mark, limit, script))
        regex = re.compile(r"%s begin\n(.*)\n%s (\d+)\n" % (mark, mark), re.S)

        def ready():
            if stream.text.count(mark, begin) < 2:
                return None
            return regex.search(stream.text, begin)

        match = self._wait(ready, timeout + 10,
                           "end of %r" % script[:60], "ctl")
        status = int(match.group(2))
        if status == 143 or status == 124:
            raise Limit("machine %s: %r ran longer than %d s; see %s" % (
                self.name, script[:60], limit, self.where("ctl")))
        return status, match.group(1)

    def _run_console(self, script, timeout, port):
        stream = self.ports[port]
        mark = self._mark_text()
        half, rest = mark[:6], mark[6:]
        # The echo of what is typed must not look like an answer, hence
        # the mark in two parts.
        tag = '%s""%s' % (half, rest)
        begin = self.mark(port)
        self.send(port, (
            "\n stty -echo; echo %s ready; while read -r l; do "
            "[ \"$l\" = . ] && break; echo \"$l\"; done | base64 -d "
            ">/tmp/.run; stty echo; sh /tmp/.run </dev/null >/tmp/.out 2>&1; "
            "echo %s status $?\n") % (tag, tag))
        self._wait(lambda: re.search(mark + " ready\n", KERNEL_LINE.sub(
            "", stream.text[begin:])), 30, "shell", port)
        encoded = base64.encodebytes(script.encode()).decode()
        self.send(port, encoded + ".\n")
        match = self._wait(
            lambda: re.search(mark + r" status (\d+)\n", KERNEL_LINE.sub(
                "", stream.text[begin:])),
            timeout, "end of %r" % script[:60], port)
        status = int(match.group(1))
        # A line of the kernel may have cut through the output: ask again.
        for attempt in range(4):
            begin = self.mark(port)
            self.send(port, " echo %s out%d; base64 /tmp/.out; "
                            "echo %s sum $(md5sum </tmp/.out)\n" % (
                                tag, attempt, tag))
            match = self._wait(
                lambda: re.search(
                    r"%s out%d\n(.*)%s sum (\w+)[^\n]*\n" % (
                        mark, attempt, mark),
                    KERNEL_LINE.sub("", stream.text[begin:]), re.S),
                60, "output of %r" % script[:60], port)
            try:
                output = base64.b64decode("".join(match.group(1).split()))
            except ValueError:
                continue
            if hashlib.md5(output).hexdigest() == match.group(2):
                return status, output.decode("utf-8", "replace")
        raise MachineError("%s of machine %s garbles what it sends; see %s"
                           % (port, self.name, self.where(port)))

    # -- QMP and the monitor ------------------------------------------------

    def qmp(self, execute, limit=20, **arguments):
        """A QMP command; returns what it returns."""
        with self._cond:
            self._qmp_id += 1
            ident = self._qmp_id
        message = {"execute": execute, "id": ident}
        if arguments:
            message["arguments"] = arguments
        try:
            self._qmp.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise Gone("machine %s: QMP: %s" % (self.name, error)) from error
        deadline = time.monotonic() + limit * SLOW
        with self._cond:
            while ident not in self._qmp_replies:
                left = deadline - time.monotonic()
                if self.process.poll() is not None:
                    raise Gone("machine %s: QEMU ended before it answered %s: "
                               "%s (%s)" % (self.name, execute, self._stderr(),
                                            self.stderr_path))
                if left <= 0:
                    raise Gone("machine %s: no answer to %s" % (self.name,
                                                                execute))
                self._cond.wait(min(left, 0.5))
            reply = self._qmp_replies.pop(ident)
        if "error" in reply:
            raise MachineError("machine %s: %s: %s" % (
                self.name, execute, reply["error"].get("desc")))
        return reply.get("return")

    def hmp(self, line):
        """A line of the human monitor; returns its text without CRs."""
        return self.qmp("human-monitor-command",
                        **{"command-line": line}).replace("\r", "")

    def inject_nmi(self):
        """An NMI to every core, as a button on the case sends it."""
        self.qmp("inject-nmi")

    def memory_words(self, address, count):
        """Physical memory (or device registers) as 32-bit words."""
        words = []
        for line in self.hmp("xp /%dwx 0x%x" % (count, address)).splitlines():
            words += [int(w, 16) for w in line.split(":", 1)[1].split()]
        return words

    def ioapic(self):
        """The redirection table as QEMU sees it: one line a pin."""
        return [" ".join(line.split())
                for line in self.hmp("info pic").splitlines()
                if line.strip().startswith("pin ")]

    def pci_functions(self):
        """All functions that QEMU has: a list of (bus, device, function)."""
        found = []

        def walk(bus):
            for dev in bus.get("devices", ()):
                found.append((dev["bus"], dev["slot"], dev["function"]))
                bridge = dev.get("pci_bridge")
                if bridge:
                    walk(bridge)

        for bus in self.qmp("query-pci"):
            walk(bus)
        return sorted(found)

    def pci_config(self, function, ecam=0xb0000000, words=64):
        """Configuration space of a function, by the q35's ECAM window."""
        bus, dev, fn = function
        return self.memory_words(ecam + (bus << 20 | dev << 15 | fn << 12),
                                 words)

    # -- consoles for people ------------------------------------------------

    def offer(self, name, path):
        """Relay a console to whoever connects to the socket at path."""
        port = self.ports[name]
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(4)
        port.relay = listener
        self._selector.register(listener, selectors.EVENT_READ,
                                ("listen", port))
        os.write(self._wake_w, b"x")

    def power_off(self, timeout=60):
        """Ask the predecessor to power the machine off; wait for it."""
        self.kick("poweroff")
        how = self.wait_end(timeout)
        if "powered off" not in how:
            raise Gone("machine %s %s instead of powering off; see %s" % (
                self.name, how, self.logs))


def console(path, quit_key=0x1d):
    """Join this terminal to a console's socket; Ctrl-] leaves."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    stdin = sys.stdin.fileno()
    saved = termios.tcgetattr(stdin) if os.isatty(stdin) else None
    watch = [sock, stdin]
    try:
        if saved:
            tty.setraw(stdin)
        sock.sendall(b"\n")
        while True:
            for ready in select.select(watch, [], [])[0]:
                if ready is sock:
                    data = sock.recv(4096)
                    if not data:
                        return
                    os.write(sys.stdout.fileno(), data)
                else:
                    data = os.read(stdin, 256)
                    if not data:
                        watch.remove(stdin)
                    if quit_key in data:
                        return
                    sock.sendall(data)
    except OSError:
        return
    finally:
        if saved:
            termios.tcsetattr(stdin, termios.TCSADRAIN, saved)


def ranges(text):
    """[0, 2, 3] from the list "0,2-3"."""
    numbers = []
    for part in text.replace("\n", "").split(","):
        first, _, last = part.strip().partition("-")
        if first:
            numbers += range(int(first), int(last or first) + 1)
    return numbers


def interactive(args):
    """The command: boot a machine, run commands or join COM1."""
    with Machine(args.name, args.append, args.smp, args.memory, args.kernel,
                 args.initrd, args.device, limit=args.limit,
                 control=args.control) as machine:
        if not args.command:
            path = machine.path("terminal")
            machine.offer("com1", path)
            print("COM1 of machine %s; Ctrl-] ends the machine" % args.name)
            client = threading.Thread(target=console, args=(path,))
            client.start()
            client.join()
            return 0
        status = 0
        for command in args.command:
            status, output = machine.run(command, args.timeout)
            sys.stdout.write(output)
            if status:
                break
        for port, line in machine.faults:
            print("%s: %s" % (port, line), file=sys.stderr)
        if not machine.ended:
            machine.power_off()
        return status or (1 if machine.faults else 0)


def main():
    """The command line."""
    # Whatever ends this program ends its machines.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) == 3 and sys.argv[1] == "console":
        try:
            console(sys.argv[2])
        except OSError as error:
            sys.exit("%s: %s" % (sys.argv[2], error))
        return 0
    parser = argparse.ArgumentParser(
        description="Boot an emulated machine.",
        epilog="See the head of this file for variables.")
    parser.add_argument("-n", "--name", default="machine")
    parser.add_argument("-a", "--append", default="",
                        help="further kernel parameters")
    parser.add_argument("-s", "--smp")
    parser.add_argument("-m", "--memory")
    parser.add_argument("-k", "--kernel")
    parser.add_argument("-i", "--initrd")
    parser.add_argument("-d", "--device", action="append", default=[],
                        help="a further -device of QEMU")
    parser.add_argument("-c", "--command", action="append",
                        help="run this in the machine, then power off")
    parser.add_argument("-t", "--timeout", type=int, default=120,
                        help="limit of each command, in seconds")
    parser.add_argument("-l", "--limit", type=int, default=86400,
                        help="limit of the machine, in seconds")
    parser.add_argument("--control", default="ctl", choices=["ctl", "com1"])
    args = parser.parse_args()
    try:
        return interactive(args)
    except MachineError as error:
        print("machine: %s" % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
