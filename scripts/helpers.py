# SPDX-License-Identifier: GPL-2.0
"""The C programs of selftests/, compiled on the host for initrds without a libc."""

import os
import re
import subprocess

import machine as qemu

SELFTESTS = os.path.join(qemu.TOP, "selftests")
BIN = os.path.join(qemu.BUILD, "selftests")


def names():
    """Those that selftests/Makefile has."""
    with open(os.path.join(SELFTESTS, "Makefile"), encoding="ascii") as file:
        text = file.read().replace("\\\n", " ")
    return re.search(r"^TEST_GEN_FILES := (.*)$", text, re.M).group(1).split()


def compile_all():
    """Have them in build/selftests, static; the old ones if nothing has changed."""
    os.makedirs(BIN, exist_ok=True)
    for name in names():
        program = os.path.join(BIN, name)
        sources = [os.path.join(SELFTESTS, source)
                   for source in (name + ".c", "clock.h")]
        if os.path.exists(program) and \
                os.path.getmtime(program) >= max(map(os.path.getmtime, sources)):
            continue
        subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-Wall",
                        "-static", "-pthread", "-idirafter",
                        os.path.join(qemu.TOP, "mint/include/uapi"),
                        "-o", program, sources[0]],
                       check=True)
