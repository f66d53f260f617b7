# SPDX-License-Identifier: GPL-2.0
"""How kernels are configured and compiled, for build and check-prefixes.

It owns the meaning of kernel-config/: fragments on top of allnoconfig (or of a
whole configuration), and an error for every symbol that was asked for and did
not end up in .config.
"""

import os
import re
import shutil
import time

import mintlib
from mintlib import BUILD, LINUX, TOP, die, relative, step, warn

JOBS = str(len(os.sched_getaffinity(0)))


def make(directory, *args):
    """Arguments that run make in a directory on all cores."""
    return ["make", "-C", directory, f"-j{JOBS}", *args]


def environment(base):
    """Every build of the same sources is the same, wherever and by whom.

    Paths below base do not count for ccache, so that build trees share it. Without
    a LOCALVERSION, even an empty one, the release would end with the "+" of a tree
    with commits of its own, which this one always is.
    """
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "O", "BUILD")}
    env.update(LC_ALL="C", LOCALVERSION="", KBUILD_BUILD_TIMESTAMP="Sat Jan  1 00:00:00 UTC 2000",
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


def kernel_key(name):
    """A function that tells the key of a kernel: of its sources as they are now,
    of our way to compile them, and of its .config at the time of the call."""
    tree = mintlib.trees()["linux"]
    status = tree.git("status", "--porcelain", "-z").decode(errors="replace")
    other = [os.path.join(LINUX, entry[3:]) for entry in status.split("\0") if entry]
    ours = [os.path.join(TOP, path) for path in mintlib.tracked(["mint", "Kconfig.mint"])]
    sources = mintlib.digest(tree.line("rev-parse", "HEAD"), status, *compiler(),
                             *(("file", path) for path in other + ours))
    return lambda: mintlib.digest(sources, ("file", os.path.join(BUILD, name, ".config")))


def seed(kernel, other, paths=()):
    """Let a kernel that was never built begin with the objects of another one.

    kbuild knows for each object which files and which symbols of the
    configuration it depends on, and compiles those again that differ: that is
    a minute, where a compiler cache would preprocess every file. Commands that
    name the directory are rewritten, as another command means compiling again;
    so are other paths, pairs of old and new.
    """
    paths = [(os.fsencode(old) + b"/", os.fsencode(new) + b"/")
             for old, new in ((other, kernel), *paths)]
    if os.path.exists(kernel) or not os.path.exists(os.path.join(other, "vmlinux")):
        return
    new = kernel + ".new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(other, new, symlinks=True)
    now = time.time_ns()
    for directory, _, names in os.walk(new):
        for name in names:
            path = os.path.join(directory, name)
            if name.endswith(".cmd"):
                with open(path, "rb") as file:
                    before = after = file.read()
                for old, replacement in paths:
                    after = after.replace(old, replacement)
                if before != after:
                    with open(path, "wb") as file:
                        file.write(after)
            # One date for all: nothing in there is older than what it is made of.
            os.utime(path, ns=(now, now), follow_symlinks=False)
    # What was asked of the other one is not what is asked of this one.
    os.unlink(os.path.join(new, ".config"))
    os.rename(new, kernel)


def configure(source, kernel, fragments, base=None):
    """Write KERNEL/.config from fragments, when they or Kconfig.mint changed.

    Otherwise a symbol that is new would get its default here, and none in a
    tree that is configured from the start.
    """
    paths = fragment_paths(source, fragments)
    symbols = wanted(paths)
    text = "".join(line + "\n" for line in symbols.values())
    name = os.path.relpath(kernel, BUILD).replace("/", "-")
    config = os.path.join(kernel, ".config")
    key = mintlib.digest(text, base or "", ("file", os.path.join(TOP, "Kconfig.mint")))
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
