# SPDX-License-Identifier: GPL-2.0
"""Programs of the host that run in a machine.

This file owns how one gets there with all that it is linked with: into a directory,
or into an initrd.
"""

import os
import shutil
import subprocess

import cpio
import machine as qemu
from machine import MachineError


def libraries(program):
    """What a program is linked with, dynamic linker included."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True,
                          check=False)
    for line in done.stdout.splitlines():
        for word in line.split():
            if word.startswith("/"):
                yield word
                break


def copy(program, root):
    """Put a program and its libraries into a root directory."""
    for path in [program, *libraries(program)]:
        target = root + path
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.realpath(path), target)


def initrd_with(machine, group, *names):
    """The path of a machine's initrd: the default one, with programs of the host.

    They come with this group of scripts/packages.
    """
    files = {}
    for name in names:
        program = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
        if not program:
            raise MachineError("%s is missing: scripts/setup %s" % (name, group))
        for path in [program, *libraries(program)]:
            with open(path, "rb") as file:
                files[path.lstrip("/")] = file.read()
    path = os.path.join(qemu.BUILD, machine + ".cpio.lzo")
    cpio.append(qemu.default_initrd(), path, files)
    return path
