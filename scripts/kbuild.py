# SPDX-License-Identifier: GPL-2.0
"""How kernels are configured and compiled, for build and check-prefixes.

It owns the meaning of kernel-config/: fragments on top of allnoconfig (or of a
whole configuration), and an error for every symbol that was asked for and did
not end up in .config.
"""

import os
import re
import shutil

import mintlib
from mintlib import BUILD, TOP, die, relative, step, warn

JOBS = str(len(os.sched_getaffinity(0)))


def make(directory, *args):
    """Arguments that run make in a directory on all cores."""
    return ["make", "-C", directory, f"-j{JOBS}", *args]


def environment(base):
    """Every build of the same sources is the same, wherever and by whom.

    Paths below base do not count for ccache, so that build trees share it.
    """
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "O", "BUILD")}
    env.update(LC_ALL="C", KBUILD_BUILD_TIMESTAMP="Sat Jan  1 00:00:00 UTC 2000",
               KBUILD_BUILD_VERSION="1", KBUILD_BUILD_USER="mint",
               KBUILD_BUILD_HOST="mint", SOURCE_DATE_EPOCH="946684800",
               CCACHE_BASEDIR=base, CCACHE_NOHASHDIR="1")
    return env


def compiler():
    """make variables: ccache in front of gcc, when it is there."""
    return ["CC=ccache gcc", "HOSTCC=ccache gcc"] if shutil.which("ccache") else []


def wired(source):
    """Whether the series as it is makes CONFIG_MINT known."""
    with open(os.path.join(source, "arch", "x86", "Kconfig"), encoding="utf-8") as file:
        return "arch/x86/mint/Kconfig" in file.read()


def fragment_paths(source, names):
    """Paths of kernel-config fragments; mint only once a seam wires it."""
    if "mint" in names and not wired(source):
        warn("  no patch wires arch/x86/mint yet: a kernel without CONFIG_MINT")
        names = [name for name in names if name != "mint"]
    paths = [os.path.join(TOP, "kernel-config", name + ".config") for name in names]
    for path in paths:
        if not os.path.exists(path):
            die(f"{relative(path)} is not there")
    return paths


def wanted(paths):
    """Symbol -> line of what the fragments ask for; the last one counts."""
    result = {}
    for path in paths:
        with open(path, encoding="ascii") as file:
            for line in file.read().splitlines():
                found = re.match(r"(?:# )?(CONFIG_\w+)(=| is not set$)", line)
                if found:
                    result[found.group(1)] = line
                elif line and not line.startswith("#"):
                    die(f"{relative(path)}: not a configuration line: {line}")
    return result


def check_config(path, symbols):
    """Report every wanted symbol that did not end up as wanted."""
    with open(path, encoding="ascii") as file:
        lines = set(file.read().splitlines())
    bad = [line for symbol, line in symbols.items() if line not in lines and not
           (line.startswith("#") and not any(x.startswith(symbol + "=") for x in lines))]
    for line in bad:
        warn(f"  wanted and not there: {line}")
    if bad:
        die(f"{relative(path)} is not what was asked for; a dependency of these"
            " symbols is missing, or they have gone")


def configure(source, kernel, fragments, base=None):
    """Write KERNEL/.config from fragments, when they or Kconfig changed."""
    paths = fragment_paths(source, fragments)
    symbols = wanted(paths)
    text = "".join(line + "\n" for line in symbols.values())
    name = os.path.relpath(kernel, BUILD).replace("/", "-")
    config = os.path.join(kernel, ".config")
    key = mintlib.digest(text, base or "")
    if os.path.exists(config) and mintlib.stamp(name + "-config") == key:
        return
    os.makedirs(kernel, exist_ok=True)
    merged = os.path.join(kernel, "mint-fragments")
    if base:
        mintlib.write(config, base + text)
        command = ["olddefconfig"]
    else:
        mintlib.write(merged, text)
        command = [f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"]
    step(f"configure {name}", "configure", make(source, f"O={kernel}", *compiler(), *command),
         env=environment(os.path.dirname(source)), quiet=True)
    check_config(config, symbols)
    mintlib.set_stamp(name + "-config", key)
