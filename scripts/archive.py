# SPDX-License-Identifier: GPL-2.0
"""Packages of any release of Debian, without root, for fetch, qemu and distro.

This file owns build/apt. The user's apt sources say where the archive is; each
release that is asked for has a directory there with lists, a cache and an empty
dpkg status of its own. So neither the release of this machine nor what is
installed on it, pinned or held back has a say in what is found.
"""

import glob
import os
import re
import subprocess

import mintlib
from mintlib import BUILD, die

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def codename():
    """The release of this machine, such as bookworm."""
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r"^VERSION_CODENAME=\"?(\w+)", file.read(), re.M)
    return found.group(1) if found else die("/etc/os-release names no release")


def one_line_entries(path):
    """(URI, suite) pairs of a sources.list file that offer main."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = re.sub(r"\[[^]]*\]", "", line.split("#")[0])
            words = line.split()
            if len(words) > 3 and words[0] == "deb" and "main" in words[3:]:
                yield words[1], words[2]


def stanza_entries(path):
    """(URI, suite) pairs of a deb822 .sources file that offer main."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.M)
    for stanza in re.split(r"\n\s*\n", text):
        field, name = {}, ""
        for line in stanza.splitlines():
            if not line[:1].isspace():
                name, _, line = line.partition(":")
            field.setdefault(name.lower(), []).extend(line.split())
        if field.get("enabled", ["yes"])[0].lower() in ("no", "false"):
            continue
        if "deb" in field.get("types", []) and "main" in field.get("components", []):
            for uri in field.get("uris", []):
                for suite in field.get("suites", []):
                    yield uri, suite


def entries():
    """(URI, suite) pairs of Debian's own entries of this machine."""
    release = codename()
    suites = {release, f"{release}-updates", f"{release}-security",
              f"{release}/updates", "stable", "stable-updates", "stable-security",
              "oldstable", "oldstable-updates", "oldstable-security"}
    lists = glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*.list")
    pairs = [pair for path in lists for pair in one_line_entries(path)]
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        pairs += stanza_entries(path)
    found = [pair for pair in dict.fromkeys(pairs) if pair[1] in suites]
    return found or die(f"no apt source of this machine offers {release} main")


def lines(release, kinds=("deb",)):
    """A sources.list for a release, from the archives that this machine uses."""
    # An archive has all releases, each under its own name. What is not signed by
    # Debian is not Debian, whatever its suite is called.
    names = dict.fromkeys((uri, re.sub(r"^[a-z]+", release, suite))
                          for uri, suite in entries())
    return [f"{kind} [signed-by={KEYRING}] {uri} {suite} main"
            for uri, suite in names for kind in kinds]


class Archive:
    """One release, as apt sees it through lists of our own."""

    def __init__(self, release):
        self.release = release
        self.path = os.path.join(BUILD, "apt", release)
        self.cache = os.path.join(self.path, "cache", "archives")
        self.updated = False

    def argv(self, command):
        """An apt command that works on these lists alone."""
        options = {"Dir::Etc::sourcelist": os.path.join(self.path, "sources.list"),
                   "Dir::Etc::sourceparts": "-",
                   "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "-",
                   "Dir::State::lists": os.path.join(self.path, "lists"),
                   "Dir::State::status": os.path.join(self.path, "status"),
                   "Dir::State::extended_states": os.path.join(self.path, "states"),
                   "Dir::Cache": os.path.join(self.path, "cache"),
                   "APT::Default-Release": "", "APT::Install-Recommends": "false",
                   "Acquire::Languages": "none", "Acquire::Retries": "3",
                   "Acquire::http::Timeout": "60", "Debug::NoLocking": "true"}
        if os.getuid() == 0:
            options["APT::Sandbox::User"] = "root"
        return command[:1] + [word for key, value in options.items()
                              for word in ("-o", f"{key}={value}")] + command[1:]

    def apt(self, step, command, limit=1800, **kwargs):
        """Run an apt command, its output in a log."""
        mintlib.step(step, "fetch", self.argv(command), limit=limit, **kwargs)

    def update(self):
        """Bring the lists up to date, once a run."""
        if self.updated:
            return
        if not os.path.exists(KEYRING):
            die(f"{KEYRING} is missing: install debian-archive-keyring")
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.path, name), exist_ok=True)
        mintlib.write(os.path.join(self.path, "status"), "")
        mintlib.write(os.path.join(self.path, "sources.list"),
                      "\n".join(lines(self.release, ("deb", "deb-src"))) + "\n")
        self.apt(f"lists of {self.release}", ["apt-get", "update"])
        self.updated = True

    def offered(self, package, source=False):
        """Versions of a package, newest first."""
        text = subprocess.run(self.argv(["apt-cache", "madison", package]),
                              capture_output=True, text=True, check=False).stdout
        rows = [[word.strip() for word in line.split("|")] for line in text.splitlines()]
        return [row[1] for row in rows
                if len(row) == 3 and row[2].endswith("Sources") == source]

    def choose(self, package, tested, source=False):
        """The tested version if the archive has it, else its newest, and say so."""
        self.update()
        versions = self.offered(package, source)
        if not versions:
            advice = "" if any("security" in suite for _, suite in entries()) else \
                "; it may be in the security archive, which no apt source of this machine names"
            die(f"the archive of this machine has no {package} in {self.release}{advice}")
        if tested in versions:
            return tested
        mintlib.say(f"  {package}: tested with {tested}, {self.release} has {versions[0]};"
                    " going on with that")
        return versions[0]
