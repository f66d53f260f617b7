# SPDX-License-Identifier: GPL-2.0
"""What the build scripts share: paths, messages, timed steps, stamps, git.

A step runs a command with its output in a log and shows one line; a stamp
remembers the content that a result was made from and is written last, so an
interrupted step is never taken for done.
"""

import fcntl
import hashlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
DL = os.path.join(BUILD, "dl")
OUT = os.path.join(BUILD, "out")
LOG = os.path.join(BUILD, "log")
STAMP = os.path.join(BUILD, "stamp")
LINUX = os.path.join(BUILD, "linux")

# One line of kbuild or BusyBox output for each object that was made.
OBJECT = re.compile(rb"^\s+(CC|AS|LD|AR|HOSTCC|HOSTLD|CC32|AS32|LDS|VDSO)\b")


def say(text):
    """Print one line of progress."""
    print(text, flush=True)


def warn(text):
    """Print one line that is not progress."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def die(text):
    """Say why, and end."""
    warn(f"{os.path.basename(sys.argv[0])}: {text}")
    sys.exit(1)


def versions():
    """scripts/versions as a dictionary."""
    result = {}
    with open(os.path.join(TOP, "scripts", "versions"), encoding="ascii") as file:
        for line in file:
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith("#"):
                result[key] = value
    return result


def elapsed(since):
    """Minutes and seconds since a time.monotonic()."""
    seconds = int(time.monotonic() - since)
    return f"{seconds // 60}:{seconds % 60:02d}"


def relative(path):
    """A path as the user would type it."""
    short = os.path.relpath(path)
    return path if short.startswith("..") else short


class Failed(Exception):
    """A step failed; what there is to say has been said."""


def tail(path, lines=15):
    """The last lines of a log."""
    with open(path, "rb") as file:
        text = file.read()[-16384:].decode(errors="replace")
    return text.rstrip("\n").split("\n")[-lines:]


class _Line:
    """The one line that a running step rewrites (or repeats, without a tty)."""

    def __init__(self, name, start):
        self.name, self.start, self.count = name, start, 0
        self.tty = sys.stdout.isatty()
        self.shown = start

    def text(self):
        objects = f"{self.count} objects, " if self.count else ""
        return f"  {self.name:<24} {objects}{elapsed(self.start)}"

    def tick(self):
        now = time.monotonic()
        if now - self.shown < (1 if self.tty else 20):
            return
        self.shown = now
        if self.tty:
            sys.stdout.write("\r\033[K" + self.text())
            sys.stdout.flush()
        else:
            say(self.text() + " ..")

    def end(self, word=""):
        say(("\r\033[K" if self.tty else "") + self.text() + word)


def _follow(child, log, line, deadline):
    """Copy the child's output to the log until it ends; False when late."""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        rest = b""
        while True:
            line.tick()
            if time.monotonic() > deadline:
                return False
            if not selector.select(1):
                continue
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                return True
            log.write(data)
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            line.count += sum(1 for text in lines if OBJECT.match(text))


def step(name, log_name, argv, limit=7200, quiet=False, **kwargs):
    """Run argv within limit seconds, output to a log; Failed if it fails."""
    os.makedirs(LOG, exist_ok=True)
    path = log_name if "/" in log_name else os.path.join(LOG, log_name + ".log")
    start = time.monotonic()
    line = _Line(name, start)
    with open(path, "wb", buffering=0) as log:
        log.write(("$ " + " ".join(argv) + "\n").encode())
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 start_new_session=True, **kwargs)
        try:
            in_time = _follow(child, log, line, start + limit)
            status = child.wait(timeout=60) if in_time else None
        except BaseException:
            line.end(" interrupted")
            raise
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            child.stdout.close()
    if status == 0:
        if not quiet:
            line.end()
        return path
    line.end(" failed" if status is not None else f" not done in {limit} s")
    for text in tail(path):
        warn("    " + text)
    warn(f"  the whole log: {relative(path)}")
    raise Failed(name)


def digest(*parts):
    """SHA-256 over strings, and over the content of ("file", path) pairs."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, tuple):
            part = part[1] + "\0" + sha256(part[1])
        total.update(part.encode() + b"\0")
    return total.hexdigest()


def sha256(path):
    """SHA-256 of a file, "" if it is not there."""
    total = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                total.update(data)
    except (FileNotFoundError, IsADirectoryError):
        return ""
    return total.hexdigest()


def stamp(name):
    """What a result was made from, "" if it was never made."""
    try:
        with open(os.path.join(STAMP, name), encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def set_stamp(name, value):
    """Remember, in one piece, what a result was made from."""
    os.makedirs(STAMP, exist_ok=True)
    write(os.path.join(STAMP, name), value + "\n")


def write(path, text):
    """Replace a file in one piece."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def lock(name="lock"):
    """Let one build at a time work in build/; children inherit the right.

    What works in a directory of its own, and long, takes a lock of its own.
    """
    path = os.path.join(BUILD, "." + name)
    if path in os.environ.get("MINT_LOCKS", "").split(":"):
        return
    os.makedirs(BUILD, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("  waiting for another build in this tree (one hour at most)")

        def late(*_):
            die(f"another build still holds {relative(path)}")

        signal.signal(signal.SIGALRM, late)
        signal.alarm(3600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        signal.alarm(0)
    os.environ["MINT_LOCKS"] = os.environ.get("MINT_LOCKS", "") + ":" + path


def main(function):
    """Run a script: SIGTERM and Ctrl-C end its step, Failed is status 1."""
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(function(sys.argv[1:]))
    except Failed:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


# --- git ------------------------------------------------------------------

IDENTITY = {"NAME": "Mint", "EMAIL": "mint@localhost"}


class Tree:
    """A prepared git tree: Debian's source, tagged stock, and a patch a commit.

    Commits are made from the patches alone (author, date, text), with no
    part of the user's git configuration, so the same series on the same
    source has the same commit IDs everywhere.
    """

    def __init__(self, path, patches):
        self.path, self.patches = path, patches

    def git(self, *args, data=None, check=True, env=None):
        """Run git in the tree and return its output as bytes."""
        full = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null",
                    GIT_CONFIG_SYSTEM="/dev/null", LC_ALL="C", **(env or {}))
        for who in ("AUTHOR", "COMMITTER"):
            for what, value in IDENTITY.items():
                full.setdefault(f"GIT_{who}_{what}", value)
        done = subprocess.run(["git", "-C", self.path, "-c", "gc.auto=0",
                               "-c", "core.hooksPath=/dev/null", *args],
                              input=data, capture_output=True, env=full,
                              check=False)
        if check and done.returncode:
            error = done.stderr.decode(errors="replace").strip()
            die(f"git {' '.join(args)}: {error}")
        return done.stdout if done.returncode == 0 else None

    def line(self, *args, **kwargs):
        """The one line that a git command prints, None if it failed."""
        output = self.git(*args, **kwargs)
        return None if output is None else output.decode().strip()

    def dirty(self):
        """What differs from HEAD, as git status tells it."""
        return self.git("status", "--porcelain").decode()

    def series(self):
        """Names of the patches, in order."""
        return [name for name, _ in read_series(self.patches)[0]]

    def patches_key(self):
        """Changes when a patch, or their order, does."""
        return digest(*(part for name in self.series()
                        for part in (name, ("file", os.path.join(self.patches, name)))))

    def imported(self):
        """The commit at which tree and patches said the same, and their key then."""
        try:
            with open(os.path.join(self.path, ".git", "mint-imported"),
                      encoding="ascii") as file:
                return file.read().split()
        except FileNotFoundError:
            return [self.line("rev-parse", "stock"), ""]

    def set_imported(self):
        """Remember that tree and patch files say the same now."""
        write(os.path.join(self.path, ".git", "mint-imported"),
              f"{self.line('rev-parse', 'HEAD')} {self.patches_key()}\n")

    def commit(self, tree, parent, message, env):
        """Make a commit; the committer is ours, at the author's date."""
        env = dict(env, GIT_COMMITTER_NAME=IDENTITY["NAME"],
                   GIT_COMMITTER_EMAIL=IDENTITY["EMAIL"])
        env["GIT_COMMITTER_DATE"] = env["GIT_AUTHOR_DATE"]
        args = ["commit-tree", tree] + (["-p", parent] if parent else [])
        return self.line(*args, data=message, env=env)

    def apply(self, base):
        """Commits of the whole series on a base, without the work tree."""
        index = {"GIT_INDEX_FILE": os.path.join(self.path, ".git", "mint-index")}
        self.git("read-tree", base, env=index)
        commits, parent = [], base
        for name in self.series():
            env, message, diff = self.mail(name)
            if self.git("apply", "--cached", "-", data=diff, check=False,
                        env=index) is None:
                self.refuse(name, diff, index)
            tree = self.line("write-tree", env=index)
            parent = self.commit(tree, parent, message, env)
            commits.append(parent)
        os.unlink(index["GIT_INDEX_FILE"])
        return commits

    def refuse(self, name, diff, index):
        """Say which patch does not apply, and why."""
        done = subprocess.run(["git", "-C", self.path, "apply", "--cached", "-"],
                              input=diff, capture_output=True, check=False,
                              env=dict(os.environ, **index))
        for text in done.stderr.decode(errors="replace").splitlines()[:6]:
            warn("    " + text)
        die(f"{relative(os.path.join(self.patches, name))} does not apply"
            " without fuzz; the patches before it do")

    def mail(self, name):
        """Author, message and diff of a patch file."""
        path = os.path.join(self.patches, name)
        try:
            with open(path, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            die(f"{relative(path)} is in the series and not there")
        work = os.path.join(self.path, ".git")
        body, diff = os.path.join(work, "mint-msg"), os.path.join(work, "mint-diff")
        info = self.git("mailinfo", "--encoding=UTF-8", body, diff, data=text).decode()
        field = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
        with open(body, "rb") as file:
            rest = file.read()
        with open(diff, "rb") as file:
            change = file.read()
        os.unlink(body)
        os.unlink(diff)
        if b"diff --git" not in change and b"\n--- " not in b"\n" + change:
            die(f"{relative(path)} has no diff")
        if "Subject" not in field or "Email" not in field:
            die(f"{relative(path)} needs From: and Subject: lines")
        env = {"GIT_AUTHOR_NAME": field["Author"], "GIT_AUTHOR_EMAIL": field["Email"],
               "GIT_AUTHOR_DATE": field.get("Date", "2000-01-01T00:00:00Z")}
        message = (field["Subject"] + "\n\n").encode() + rest.strip(b"\n")
        return env, message.strip(b"\n") + b"\n", change


def read_series(directory):
    """([(name, lines before it)], lines after the last) of DIRECTORY/series."""
    entries, before = [], []
    try:
        with open(os.path.join(directory, "series"), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        word = line.split("#")[0].strip()
        if word:
            entries.append((word.split()[0], before))
            before = []
        else:
            before.append(line)
    return entries, before


def tracked(paths):
    """Files below the paths that git has or would add; no links, no products."""
    done = subprocess.run(["git", "-C", TOP, "-c", "safe.directory=*", "ls-files", "-z",
                           "--cached", "--others", "--exclude-standard", "--", *paths],
                          capture_output=True, check=False, text=True)
    names = done.stdout.split("\0")
    if done.returncode:
        # Not a clone but an unpacked archive.
        names = [os.path.relpath(os.path.join(directory, name), TOP) for path in paths
                 for directory, _, files in os.walk(os.path.join(TOP, path)) for name in files]
        names += paths
    return sorted({name for name in names if name
                   and os.path.isfile(os.path.join(TOP, name))})


# Where our own directories appear in the kernel tree; the first match counts.
ROOMS = (("mint/include/linux/", "include/linux/"),
         ("mint/include/uapi/linux/", "include/uapi/linux/"),
         ("mint/include/", "arch/x86/include/"),
         ("mint/", "arch/x86/mint/"),
         ("selftests/", "tools/testing/selftests/mint/"),
         ("Kconfig.mint", "arch/x86/mint/Kconfig"))


def rooms():
    """(path in the kernel, path here) of every file of the rooms."""
    for name in tracked(["mint", "selftests", "Kconfig.mint"]):
        for ours, theirs in ROOMS:
            if name.startswith(ours):
                yield theirs + name[len(ours):], os.path.join(TOP, name)
                break


def author():
    """(name, address) of the project's last commit, for what we generate."""
    done = subprocess.run(["git", "-C", TOP, "-c", "safe.directory=*", "log", "-1",
                           "--format=%an%n%ae"],
                          capture_output=True, check=False)
    lines = done.stdout.splitlines()
    return tuple(lines) if len(lines) == 2 else (b"Mint", b"mint@localhost")


def trees():
    """The two trees that have a patch series."""
    return {"linux": Tree(LINUX, os.path.join(TOP, "patches")),
            "kexec-tools": Tree(os.path.join(BUILD, "kexec-tools"),
                                os.path.join(TOP, "kexec-tools-patches"))}
