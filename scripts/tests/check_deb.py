#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The packages of `make deb`, without a machine; prints KTAP.

They are built twice, looked at, and unpacked into an empty root, where their
programs are tried, and from which they go again.
"""

import hashlib
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SCRIPTS)

from mintlib import OUT  # noqa: E402
from verdict import Failed, Ktap, expect  # noqa: E402

DEBS = os.path.join(OUT, "deb")
NAMES = {"mint", "mint-initrd", "mint-kexec", "mint-tools"}


def run(*command, **kw):
    """Run a command; what it printed, if its status is 0."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    expect(not done.returncode, "%s: status %d: %s", " ".join(command[:4]),
           done.returncode, done.stdout[-2000:])
    return done.stdout


def debs():
    """Their files."""
    return sorted(os.path.join(DEBS, name) for name in os.listdir(DEBS))


def digests():
    """{file: SHA-256}"""
    found = {}
    for path in debs():
        with open(path, "rb") as file:
            found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def same_every_time():
    """built twice they are the same, byte for byte"""
    run(os.path.join(SCRIPTS, "deb"))
    first = digests()
    names = {run("dpkg-deb", "-f", path, "Package").strip() for path in first}
    images = [name for name in names if name.startswith("linux-image-")]
    expect(names - set(images) == NAMES and len(images) == 1, "%s", sorted(names))
    run(os.path.join(SCRIPTS, "deb"))
    expect(digests() == first, "%s differ from %s", digests(), first)


def files_are_apart():
    """all files are root's, and none is in two packages"""
    owner = {}
    for path in debs():
        for line in run("dpkg-deb", "-c", path).splitlines():
            mode, who, _, _, _, name = line.split(None, 5)
            expect(who == "root/root", "%s: %s", path, line)
            expect(mode[0] == "l" or mode[5] != "w" and mode[8] != "w", "%s: %s", path,
                   line)
            if mode[0] != "d":
                expect(name not in owner, "%s is in %s and %s", name, path, owner.get(name))
                owner[name] = path
    for name in ("./usr/sbin/kexec", "./usr/sbin/mintctl", "./usr/sbin/mintd",
                 "./usr/lib/systemd/system/mint@.service"):
        expect(name in owner, "%s is in none", name)


def lintian_is_content():
    """lintian finds no error"""
    run("lintian", "--fail-on", "error", *(["--allow-root"] if os.getuid() == 0 else []),
        *debs())


def come_and_go():
    """they unpack into an empty root, run there, and leave nothing behind"""
    with tempfile.TemporaryDirectory() as root:
        dpkg = ["fakeroot", "dpkg", "--root=" + root, "--force-not-root",
                "--force-depends", "--force-script-chrootless", "--log=/dev/null"]
        for name in ("var/lib/dpkg/updates", "var/lib/dpkg/info"):
            os.makedirs(os.path.join(root, name))
        for name in ("status", "available"):
            with open(os.path.join(root, "var/lib/dpkg", name), "w", encoding="ascii"):
                pass
        env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        run(*dpkg, "--unpack", *debs(), env=env)
        expect("--mint-cpu" in run(os.path.join(root, "usr/sbin/kexec"), "--help"),
               "it is another kexec")
        text = run(os.path.join(root, "usr/sbin/mintctl"), "complete")
        expect("move" in text.split(), "mintctl: %s", text)
        here = run(*dpkg, "--get-selections", env=env)
        expect(len(here.splitlines()) == len(debs()), "%s", here)
        run(*dpkg, "--purge", *[line.split()[0] for line in here.splitlines()], env=env)
        left = [os.path.join(where, name) for where, _, names in os.walk(root)
                for name in names if "/var/lib/dpkg" not in where]
        expect(not left, "they leave %s", left)


def main():
    """Run all."""
    tests = (same_every_time, files_are_apart, lintian_is_content, come_and_go)
    ktap = Ktap(len(tests))
    failed = subprocess.run([os.path.join(SCRIPTS, "setup"), "base", "build", "deb"],
                            check=False).returncode
    for test in tests:
        try:
            expect(not failed, "packages of this host are missing")
            test()
            ktap.result(True, test.__doc__)
        except (Failed, OSError) as error:
            ktap.result(False, test.__doc__, error)
    return 1 if ktap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
