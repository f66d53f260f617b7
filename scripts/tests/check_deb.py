#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The packages of `make deb`, without a machine; prints KTAP.

They are built twice, looked at, and unpacked into an empty root, where their
programs are tried, and from which they go again.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SCRIPTS)

from mintlib import BUILD  # noqa: E402
from verdict import Failed, Ktap, expect  # noqa: E402

# Of the kernel that is tested
DEBS = os.path.join(BUILD, "deb-check")
MAKE = (os.path.join(SCRIPTS, "deb"), "--kernel=user", DEBS)
DROP_IN = "etc/default/grub.d/mint.cfg"
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
    run(*MAKE)
    first = digests()
    names = {run("dpkg-deb", "-f", path, "Package").strip() for path in first}
    images = [name for name in names if name.startswith("linux-image-")]
    expect(names - set(images) == NAMES and len(images) == 1, "%s", sorted(names))
    run(*MAKE)
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


def write(path, text, mode=0o644):
    """A file with this text, and its directory."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def empty_root(root):
    """(dpkg on an empty root, its environment)"""
    os.makedirs(os.path.join(root, "var/lib/dpkg/updates"))
    os.makedirs(os.path.join(root, "var/lib/dpkg/info"))
    for name in ("status", "available"):
        write(os.path.join(root, "var/lib/dpkg", name), "")
    return (["fakeroot", "dpkg", "--root=" + root, "--force-not-root",
             "--force-depends", "--force-script-chrootless", "--log=/dev/null"],
            dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))


def come_and_go():
    """they unpack into an empty root, run there, and leave nothing behind"""
    with tempfile.TemporaryDirectory() as root:
        dpkg, env = empty_root(root)
        run(*dpkg, "--unpack", *debs(), env=env)
        expect("--mint-cpu" in run(os.path.join(root, "usr/sbin/kexec"), "--help"),
               "it is another kexec")
        text = run(os.path.join(root, "usr/sbin/mintctl"), "complete")
        expect("move" in text.split(), "mintctl: %s", text)
        here = run(*dpkg, "--get-selections", env=env)
        expect(len(here.splitlines()) == len(debs()), "%s", here)
        # What mintctl setup writes goes, too, and nothing else of GRUB
        write(os.path.join(root, DROP_IN), "")
        write(os.path.join(root, os.path.dirname(DROP_IN), "other.cfg"), "")
        run(*dpkg, "--purge", *[line.split()[0] for line in here.splitlines()], env=env)
        left = [os.path.join(where, name) for where, _, names in os.walk(root)
                for name in names if "/var/lib/dpkg" not in where]
        expect([os.path.basename(path) for path in left] == ["other.cfg"], "they leave %s", left)


def kexec_of_debian_first():
    """beside kexec-tools, whose /sbin/kexec is the same file, mint-kexec is refused"""
    with tempfile.TemporaryDirectory() as top:
        root, tree = os.path.join(top, "root"), os.path.join(top, "kexec-tools")
        dpkg, env = empty_root(root)
        os.makedirs(os.path.join(root, "usr/sbin"))
        os.symlink("usr/sbin", os.path.join(root, "sbin"))
        write(os.path.join(tree, "sbin/kexec"), "theirs")
        write(os.path.join(tree, "DEBIAN/control"), "Package: kexec-tools\nVersion: 1\n"
              "Architecture: amd64\nMaintainer: X <x@y>\nDescription: theirs\n")
        theirs, ours = tree + ".deb", [path for path in debs() if "/mint-kexec_" in path]
        run("dpkg-deb", "--root-owner-group", "--build", tree, theirs)
        run(*dpkg, "--install", theirs, env=env)
        done = subprocess.run(dpkg + ["--install"] + ours, check=False, capture_output=True,
                              text=True, env=env)
        with open(os.path.join(root, "usr/sbin/kexec"), encoding="utf-8") as file:
            expect(file.read() == "theirs", "kexec is another one")
        expect(done.returncode and "conflicts with kexec-tools" in done.stderr, "%s", done)
        run(*dpkg, "--remove", "kexec-tools", env=env)
        run(*dpkg, "--install", *ours, env=env)
        expect("--mint-cpu" in run(os.path.join(root, "usr/sbin/kexec"), "--help"),
               "it is another kexec")


class Host:
    """Made-up programs that note how they are called, for scripts of mint-tools."""

    def __init__(self, top):
        self.top = top
        self.units = os.path.join(top, "units")
        self.calls = os.path.join(top, "calls")
        self.grub = os.path.join(top, DROP_IN)
        write(self.units, "")
        os.makedirs(os.path.join(top, "run/systemd/system"))
        for name in ("systemctl", "deb-systemd-helper", "update-grub"):
            write(os.path.join(top, "usr/bin", name), '#!/bin/sh\necho "${0##*/} $*" >>%s\n'
                  '[ "$1" != list-units ] || cat %s\n' % (self.calls, self.units), 0o755)
        deb, = [path for path in debs() if "/mint-tools_" in path]
        run("dpkg-deb", "-e", deb, os.path.join(top, "DEBIAN"))

    def script(self, name, *words, status=0):
        """(its output, lines of calls) of a script whose machine is below the directory."""
        with open(os.path.join(self.top, "DEBIAN", name), encoding="utf-8") as file:
            text = re.sub(r"(?<![\w/])/(?=(etc|run|usr)/)|(?<=DPKG_ROOT:-})/", self.top + "/",
                          file.read())
        write(self.calls, "")
        done = subprocess.run(["sh", "-c", text, name, *words], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(os.environ, PATH=self.top + "/usr/bin:/usr/bin:/bin"))
        expect(done.returncode == status, "%s %s: status %d: %s", name, words, done.returncode,
               done.stdout)
        with open(self.calls, encoding="utf-8") as file:
            return done.stdout, file.read().splitlines()


def scripts_mind_what_runs():
    """mint-tools stops its daemons, not below nodes; and takes the boot parameters with it"""
    both = "mintd.service mint-agent.service"
    with tempfile.TemporaryDirectory() as top:
        host = Host(top)
        calls = host.script("postinst", "configure")[1]
        expect(not any("restart" in call for call in calls), "%s", calls)
        calls = host.script("postinst", "configure", "0~1")[1]
        expect("systemctl try-restart " + both in calls, "%s", calls)
        expect("deb-systemd-helper update-state " + both in calls, "%s", calls)
        expect(not host.script("prerm", "upgrade", "0~2")[1], "an upgrade stops something")
        write(host.units, "mint@web.service loaded active running Mint node web\n"
              "mint@db.service loaded activating start Mint node db\n")
        out, calls = host.script("prerm", "remove", status=1)
        expect("systemctl stop mint@web.service mint@db.service\n" in out and len(calls) == 1,
               "%s %s", out, calls)
        write(host.units, "")
        write(host.grub, "")
        out, calls = host.script("prerm", "remove")
        expect("systemctl stop " + both in calls and "mintctl setup --undo" in out, "%s %s", out,
               calls)
        host.script("postrm", "remove")
        expect(os.path.exists(host.grub), "a removal takes the boot parameters")
        calls = host.script("postrm", "purge")[1]
        expect(not os.path.exists(host.grub) and "update-grub " in calls and
               "deb-systemd-helper purge " + both in calls, "%s", calls)
        calls = host.script("postrm", "purge")[1]
        expect("update-grub " not in calls, "%s", calls)


def main():
    """Run all."""
    tests = (same_every_time, files_are_apart, lintian_is_content, come_and_go,
             kexec_of_debian_first, scripts_mind_what_runs)
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
