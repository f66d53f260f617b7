#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of our own scripts that need no machine; prints KTAP."""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import archive  # noqa: E402
import machine  # noqa: E402
import mintlib  # noqa: E402
from verdict import Failed, expect  # noqa: E402

# Lines of healthy kernels, most of them of processors that we do not have.
HEALTHY = """
[    0.240000] Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/srso.html for mitigation options.
[    0.240000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!
[    0.240000] RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!
[    0.240000] x86/cpu: SGX disabled by BIOS.
[    0.000000] [Firmware Bug]: TSC ADJUST: CPU0: -1234 force to 0
[    0.100000] mint: the caller was debugged: 0
""".strip().splitlines()

# What has to fail a test, in the forms that consoles show.
COMPLAINTS = """
[    2.000000] WARNING: CPU: 0 PID: 1 at kernel/fork.c:100 copy_process+0x10/0x20
[    2.000000][    T1] WARNING: CPU: 3 PID: 71 at arch/x86/mint/ring.c:10 put+0x10/0x20
<4>[    2.000000] WARNING: possible circular locking dependency detected
WARNING: bad unlock balance detected!
# [    2.000000] WARNING: inconsistent lock state
[    2.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    2.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!
[    2.000000] Oops: general protection fault, probably for non-canonical address
[    2.000000] Kernel panic - not syncing: Attempted to kill init!
[    2.000000] irq 20: nobody cared (try booting with the "irqpoll" option)
[    2.000000] APIC error on CPU1: 00(40)
[    2.000000] rcu: INFO: rcu_sched self-detected stall on CPU
[    2.000000] UBSAN: array-index-out-of-bounds in kernel/fork.c:1:2
[    2.000000] BUG: KASAN: slab-out-of-bounds in foo+0x10/0x20
""".strip().splitlines()


def selftest_patterns():
    """The patterns by which selftests find complaints in dmesg."""
    for name in ("functions.sh", "fuzz.sh"):
        with open(os.path.join(mintlib.TOP, "selftests", name), encoding="utf-8") as file:
            found = re.findall(r'grep -E "([^"]*WARNING[^"]*)"', file.read())
        expect(found, "selftests/%s has no pattern for complaints", name)
        for text in found:
            yield name, re.compile(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def advice_is_no_complaint():
    """What a healthy kernel prints about its processor fails no test"""
    for name, pattern in [("machine.py", machine.FAULT), *selftest_patterns()]:
        for line in HEALTHY:
            expect(not pattern.search(line), "%s takes this for a complaint: %s", name, line)


def complaints_are_found():
    """Each form of a complaint is found on a console"""
    for line in COMPLAINTS:
        expect(machine.FAULT.search(line), "not found: %s", line)


def warnings_are_found_inside():
    """Warnings and bugs are found in dmesg by the selftests"""
    for name, pattern in selftest_patterns():
        for line in COMPLAINTS:
            if "WARNING: " in line or "BUG: " in line:
                expect(pattern.search(line), "%s does not find: %s", name, line)


def sources_of(text, name="debian.sources"):
    """(URI, suite) pairs that one file of apt sources gives."""
    path = os.path.join(mintlib.BUILD, "unit-" + name)
    mintlib.write(path, text)
    try:
        read = archive.stanza_entries if name.endswith(".sources") else archive.one_line_entries
        return list(read(path))
    finally:
        os.unlink(path)


def apt_sources():
    """Both formats of apt sources are read; what is off or no Debian is not"""
    expect(sources_of("Types: deb\n# a comment\nURIs: http://a/debian\n"
                      "Suites: trixie trixie-updates\nComponents: main contrib\n\n"
                      "Types: deb\nEnabled: no\nURIs: http://b\nSuites: trixie\n"
                      "Components: main\n") ==
           [("http://a/debian", "trixie"), ("http://a/debian", "trixie-updates")],
           "deb822 is misread")
    expect(sources_of("# deb http://a/debian bookworm main\n"
                      "deb [arch=amd64] http://b/debian bookworm main # us\n"
                      "deb-src http://b/debian bookworm main\n", "sources.list") ==
           [("http://b/debian", "bookworm")], "one-line entries are misread")


TESTS = (advice_is_no_complaint, complaints_are_found, warnings_are_found_inside, apt_sources)


def main():
    """Run all."""
    os.makedirs(mintlib.BUILD, exist_ok=True)
    bad = 0
    print("KTAP version 1\n1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            word = "ok"
        except Failed as error:
            word, bad = "not ok", bad + 1
            print("# %s" % error)
        print("%s %d - %s" % (word, number, test.__name__))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
