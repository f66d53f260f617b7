#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The selftests as kernel developers run them; prints KTAP.

    make -C tools/testing/selftests TARGETS=mint run_tests

runs in an emulated machine whose user space is Debian's: its make, its shell, its
tools. They are on the disk of scripts/distro, which node 0 enters by chroot, because
the boot of a whole Debian takes minutes under emulation and no test here needs its
services. The tests of launches run once more with an initrd that Debian's
initramfs-tools made.

`make check` does not run it; by hand:

    scripts/check_kselftest.py              what TEST_PROGS lists, then launch.sh
    scripts/check_kselftest.py sysfs.sh ..  these, with our initrd
    scripts/check_kselftest.py -d           what run_destructive_tests adds, too
"""

import os
import re
import shlex
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SCRIPTS)

import machine as qemu  # noqa: E402
from distros import DISTROS  # noqa: E402
from machine import Machine, MachineError, in_share  # noqa: E402
from nodes import Nodes  # noqa: E402
from verdict import Ktap  # noqa: E402

BIN = os.path.join(qemu.BUILD, "selftests")
LINUX = os.path.join(qemu.BUILD, "linux")

# Seconds for one call of make.
LIMIT = 2400

ENTER = """
mkdir -p /deb && mount /dev/vda /deb && mkdir -p /deb/mint &&
for d in proc sys dev; do mount --rbind /$d /deb/$d || exit; done &&
mount --bind /mint /deb/mint && mount -t tmpfs none /deb/tmp &&
mkdir -p /deb/tmp/out/kselftest/mint &&
cp %s/* /deb/tmp/out/kselftest/mint/ &&
touch /deb/tmp/out/kselftest/mint/*
"""

RESULT = re.compile(r"(# )?(ok|not ok) (\d+) (?:- )?(.*?)(?: # SKIP ?(.*))?$")


class Reader:
    """Results of runner.sh: those of a program are comments before its own."""

    def __init__(self, ktap, title):
        self.ktap = ktap
        self.title = title
        self.program = "make"
        self.found = {}
        self.notes = []

    def line(self, text):
        """The next line of what make prints."""
        head = re.match(r"# selftests: \S+: (\S+)$", text)
        if head:
            self.program, self.notes = head.group(1), []
            self.found[self.program] = 0
            return
        match = RESULT.match(text)
        if not match:
            self.notes.append(re.sub(r"^# (# )?", "", text))
            return
        inner, word, _, name, skip = match.groups()
        if inner:
            self.found[self.program] += 1
            name = "%s %s" % (self.program, name)
        else:
            # The program as a whole; what it skipped, it has said.
            name = "%s ends well" % self.program
            skip = skip if not self.found.get(self.program) else None
        self.ktap.result(
            word == "ok", "%s%s" % (self.title, name),
            "\n".join(self.notes[-20:]) if word != "ok" else "",
            skip=(skip or "no reason") if skip is not None else None)
        self.notes = []


def run_make(m, ktap, title, target="run_tests", progs=(), **variables):
    """Run make in Debian's user space, and tell its results as they come."""
    words = ["%s=%s" % pair for pair in sorted(variables.items())]
    call = ["env", *words, "make", "-s", "-C", os.path.join(
        in_share(LINUX, m.share), "tools/testing/selftests"), "TARGETS=mint",
            "O=/tmp/out", target]
    if progs:
        call.append("TEST_PROGS=" + " ".join(progs))
    script = "chroot /deb " + " ".join(shlex.quote(word) for word in call)
    reader = Reader(ktap, title)
    begin = m.mark("ctl")
    done = {}

    def work():
        try:
            done["status"], done["text"] = m.run(script, LIMIT)
        except MachineError as error:
            done["error"] = str(error)

    thread = threading.Thread(target=work)
    thread.start()
    at = begin
    while True:
        thread.join(2)
        text = m.ports["ctl"].text
        end = text.rfind("\n") + 1
        for line in text[at:end].splitlines():
            if not re.match(r"mint-\d+-", line):
                reader.line(line)
        at = max(at, end)
        if not thread.is_alive():
            break
    good = done.get("status") == 0 and sum(reader.found.values())
    ktap.result(bool(good), title + "make " + target, "" if good else "%s\n%s" % (
        done.get("error", "status %s" % done.get("status")),
        "\n".join(reader.notes[-20:])))


def main():
    """The command line."""
    ktap = Ktap(None)
    destructive = "-d" in sys.argv[1:]
    progs = [word for word in sys.argv[1:] if word != "-d"]
    done = subprocess.run([os.path.join(SCRIPTS, "distro"), "build"], check=False,
                          stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    ktap.result(done.returncode == 0, "the disk can be built")
    if done.returncode:
        ktap.end()
        return 1
    disk = DISTROS[0].image.replace(",", ",,")
    try:
        with Machine("check-kselftest",
                     "mint.mem=512M@0 maxcpus=2 mint.devices=-com2,-com3,-com4",
                     smp="5", memory="2G", limit=3 * LIMIT, devices=["virtio-blk-pci,drive=disk"],
                     extra=["-drive", "if=none,id=disk,format=raw,snapshot=on,file="
                            + disk]) as m:
            nodes = Nodes(m)
            nodes.active()
            m.sh(ENTER % shlex.quote(in_share(BIN, m.share)), 120)
            fixed = {"MINT_SLOW": max(1, round(qemu.SLOW)),
                     "MINT_KERNEL": in_share(m.kernel, m.share),
                     "MINT_VMLINUX": in_share(os.path.join(
                         os.path.dirname(m.kernel), "vmlinux"), m.share),
                     "MINT_INIT": in_share(m.initrd, m.share)}
            run_make(m, ktap, "", progs=progs, MINT_INITRD=fixed["MINT_INIT"], **fixed)
            if not progs:
                run_make(m, ktap, "Debian's initrd: ", progs=["launch.sh"],
                         MINT_INITRD="/boot/initrd.img-mint", MINT_SIZE=256, **fixed)
            if destructive:
                run_make(m, ktap, "destructive: ", "run_destructive_tests",
                         progs=["sysfs.sh"], MINT_INITRD=fixed["MINT_INIT"], **fixed)
            faults = m.faults
        ktap.result(not faults, "no kernel complains", "\n".join(
            "%s: %s" % fault for fault in faults))
    except MachineError as error:
        ktap.result(False, "the machine works", error)
    ktap.end()
    return 1 if ktap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
