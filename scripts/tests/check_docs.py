#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the documents say of the code is so: names, not meanings; prints KTAP.

It owns the comparison of README.md and docs/ with the sources: parameters, files
of sysfs, states, tests, machines, functions and paths. scripts/folders does the
same for the tables of docs/design.md.
"""

import fnmatch
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from mintlib import TOP  # noqa: E402
from runner import job_name  # noqa: E402
from table import MACHINES, SERIES  # noqa: E402
from verdict import expect, run_all  # noqa: E402


def read(*names):
    """The text of files of the project, by patterns."""
    text = []
    for name in names:
        found = sorted(glob.glob(os.path.join(TOP, name)))
        expect(found, "there is no %s", name)
        for path in found:
            with open(path, encoding="utf-8") as file:
                text.append(file.read())
    return "\n".join(text)


def pages():
    """(name, text) of each page."""
    for path in [os.path.join(TOP, "README.md"), *glob.glob(os.path.join(TOP, "docs", "*.md"))]:
        name = os.path.relpath(path, TOP)
        yield name, read(name)


def none(wrong):
    """Nothing was found; else all of it is told."""
    expect(not wrong, "%s", "\n".join(wrong))


# ---- names of the code ----------------------------------------------------------

def parameters():
    """Names behind "mint." that kernel, initrd and Debian's initrd read."""
    kernel = read("mint/*/*.c")
    return set(re.findall(r'early_param\("mint\.(\w+)"', kernel)
               + re.findall(r"^module_param(?:_cb)?\((\w+),", kernel, re.M)
               + re.findall(r'"mint\.(\w+)="', kernel)
               + re.findall(r"\(parameter mint\.(\w+)\)", read("initrd/init"))
               + re.findall(r"^\s*mint\.(\w+)=\*\)", read("tools/initramfs/*"), re.M))


def parameters_are_described():
    """docs/parameters.md has each mint.* parameter, and no page has another one"""
    known = parameters()
    expect(len(known) > 20, "the code is misread: %s", known)
    described = set(re.findall(r"\bmint\.(\w+)\b", read("docs/parameters.md")))
    wrong = ["docs/parameters.md lacks mint.%s" % name for name in sorted(known - described)]
    for page, text in pages():
        wrong += ["%s: there is no mint.%s=" % (page, name)
                  for name in re.findall(r"\bmint\.(\w+)=", text) if name not in known]
    none(wrong)


def options_of_kexec_are_described():
    """docs/parameters.md has the options that our patches add to kexec, and no other"""
    known = set(re.findall(r'^\+\t\{ "(mint-[a-z-]+)",', read("kexec-tools-patches/*.patch"),
                           re.M))
    expect(known, "the patches are misread")
    described = set(re.findall(r"--(mint-[a-z-]+)", read("docs/parameters.md")))
    expect(described == known, "only in one of them: %s", sorted(described ^ known))


def files_of_sysfs_are_described():
    """The tree of docs/sysfs.md is that of the kernel"""
    show, kinds = read("mint/show/sysfs.c"), read("mint/kind/*.c")
    known = set(re.findall(r"__ATTR_(?:RO|RW|WO)\((\w+)\)|(?:NODE|LONG)_FILE\((\w+)[,)]", show)
                + re.findall(r'\.(?:node_)?file\s*= "(\w+)"()', kinds)
                + re.findall(r'kernfs_create_file\(\w+->sd, "(\w+)"()', read("mint/talk/log.c")))
    known = {one or other for one, other in known} - {"_name"}
    tree = re.search(r"^    /sys/kernel/mint/\n(.*?)\n\n", read("docs/sysfs.md"), re.M | re.S)
    described = set(re.findall(r"^(?: {8}| {12})([a-z_]+)  ", tree.group(1), re.M))
    expect(described == known, "only in one of them: %s", sorted(described ^ known))


def version_is_that_of_the_code():
    """docs/abi.md and docs/sysfs.md name the version of the ABI"""
    number = ".".join(re.search(r"define MINT_VERSION_%s\s+(\d+)" % part,
                                read("mint/include/uapi/asm/mint.h")).group(1)
                      for part in ("MAJOR", "MINOR"))
    first = re.search(r"^\| version \|.*\n.*\n\| ([\d.]+) \|", read("docs/abi.md"), re.M)
    expect(first and first.group(1) == number, "docs/abi.md does not begin with %s", number)
    expect(re.search(r"^ +version +%s:" % re.escape(number), read("docs/sysfs.md"), re.M),
           "docs/sysfs.md has not %s", number)


def transitions_of_code(text):
    """{(event, state, next)} of transitions[] in states.c."""
    found, state = set(), None
    table = re.search(r"transitions\[.*?\n};", text, re.S).group()
    for old, event, new in re.findall(
            r"\[MINT_STATE_(\w+)\] = {|\[MINT_EVENT_(\w+)\]\s*= MINT_STATE_(\w+)", table):
        state = old.lower() or state
        if event:
            found.add((event, state, new.lower()))
    return found


def states_are_those_of_the_code():
    """The table of transitions in docs/states.md is that of the kernel"""
    rows = re.findall(r"^\| `([A-Z]+)` \| .* \| (`.*`) \| `(\w+)` \|$", read("docs/states.md"),
                      re.M)
    written = {(event, state, new) for event, states, new in rows
               for state in re.findall(r"\w+", states)}
    coded = transitions_of_code(read("mint/own/states.c"))
    expect(len(coded) > 20, "transitions[] is misread: %s", coded)
    expect(coded == written, "the code and docs/states.md differ: %s",
           sorted(coded ^ written))


# ---- tests ----------------------------------------------------------------------

class Tests:
    """Every test that a page may name."""

    def __init__(self):
        self.jobs = {spec.name: {job_name(job).split()[0] for job in spec.jobs}
                     for spec in [SERIES, *MACHINES]}
        self.selftests = {}
        for path in glob.glob(os.path.join(TOP, "selftests", "*.sh")):
            name = os.path.basename(path)
            self.selftests[name] = set(re.findall(
                r"\w+", read("selftests/" + name).partition("\nrun_tests ")[2]))
        # It makes a test of each way out and each load.
        ways = re.search(r"for way in (.*?); do", read("selftests/ends.sh"), re.S).group(1)
        self.selftests["ends.sh"] |= {
            "%s_%d_%s" % (way, cores, load) for way in ways.replace("\\", "").split()
            for cores in (1, 3) for load in ("idle", "busy")}
        self.suites = {}
        for path in glob.glob(os.path.join(TOP, "mint", "tests", "*_kunit.c")):
            name = os.path.basename(path)
            self.suites["mint_" + name.removesuffix("_kunit.c")] = set(
                re.findall(r"KUNIT_CASE\((\w+)\)", read("mint/tests/" + name)))

    def has(self, name):
        """[machine] job [test], suite [case], or any of these alone; * as in a shell."""
        words = name.split()
        for groups in (self.jobs, self.selftests, self.suites):
            inner = groups.get(words[0], set())
            if words[0] in groups and (len(words) == 1 or words[1] in inner and (
                    len(words) == 2 or words[2] in self.selftests.get(words[1], ()))):
                return True
        return len(words) == 1 and any(
            fnmatch.filter(inner, name) for groups in (self.jobs, self.selftests, self.suites)
            for inner in groups.values())


# What has the form of a test's name and is a word of something else is cited
# without backquotes, or as it is typed: `mint.reset=must`, not `must`.
NAME = re.compile(r"[a-z][\w*-]*(\.sh)?( [a-z][\w-]*(\.sh)?){0,2}")

# The runner of kselftest, which is the kernel's
NOT_OURS = {"run_kselftest.sh"}


def hazards():
    """The entries of docs/hazards.md."""
    return [paragraph for paragraph in re.split(r"\n\n+", read("docs/hazards.md"))
            if re.match(r"\*\*\d", paragraph)]


def hazards_are_whole():
    """Each hazard has a policy and a proof, or the reason why it has none"""
    wrong, open_ones = [], []
    for entry in hazards():
        wrong += ["%s: no %s" % (entry.splitlines()[0], part) for part in ("Policy", "Proof")
                  if "\n- %s: " % part not in entry]
        if "\n- Not yet: " in entry:
            open_ones.append(re.match(r"\*\*(\w+)", entry).group(1))
    listed = re.search(r"^Not done yet.*: (.*)\.$", read("docs/hazards.md"), re.M).group(1)
    if listed != ", ".join(open_ones):
        wrong.append("Not done yet: %s; the entries: %s" % (listed, ", ".join(open_ones)))
    none(wrong)


def proofs_exist():
    """Each test that docs/hazards.md cites behind "Proof:" exists"""
    tests, wrong, cited = Tests(), [], 0
    for paragraph in hazards():
        for name in re.findall(r"`([^`]+)`", paragraph.partition("Proof:")[2]):
            name = " ".join(name.split())
            if NAME.fullmatch(name):
                cited += 1
                if not tests.has(name):
                    wrong.append("%s: no test %s" % (paragraph.splitlines()[0], name))
    expect(cited > 100, "docs/hazards.md is misread: %d tests", cited)
    none(wrong)


def tests_exist():
    """Each test that any other page names exists, and scripts/check finds each pattern"""
    tests, wrong, cited = Tests(), [], 0
    programs = read("tools/tests/*.py")
    for page, text in pages():
        names = set(re.findall(r"`([^`\n]+)`", text)) if page != "docs/hazards.md" else set()
        names = {name for name in names - NOT_OURS if NAME.fullmatch(name) and (
            name.split()[0].endswith(".sh") or " " in name and name.split()[0] in tests.jobs)}
        for suites in re.findall(r"KUnit(?: suite)?((?:,? `\w+`)+)", text):
            names.update(re.findall(r"\w+", suites))
        wrong += ["%s: no test %s" % (page, name) for name in sorted(names) if not tests.has(name)]
        alone = re.findall(r"\btest\s+`(\w+)`", text) if page != "docs/hazards.md" else []
        wrong += ["%s: no test %s" % (page, name) for name in alone
                  if not tests.has(name) and "def %s(" % name not in programs]
        patterns = re.findall(r"scripts/check (?:--debug )?-k ('[^']*'|\w+)(?: -t (\w+))?", text)
        for pattern, test in patterns:
            pattern = pattern.strip("'")
            if not any(re.search(pattern, "%s %s" % (machine, job))
                       and (not test or test in tests.selftests.get(job, ()))
                       for machine, jobs in tests.jobs.items() for job in jobs):
                wrong.append("%s: scripts/check -k '%s' finds no test %s" % (page, pattern, test))
        cited += len(names) + len(alone) + len(patterns)
    expect(cited > 20, "the pages are misread: %d tests", cited)
    none(wrong)


def machines_are_described():
    """The table of docs/testing.md has each machine, and no other"""
    table = read("docs/testing.md").partition("\n| machine |")[2].partition("\n\n")[0]
    described = {name for names in re.findall(r"^\| (`.*?) \|", table, re.M)
                 for name in re.findall(r"`([\w-]+)`", names)}
    known = {spec.name for spec in [SERIES, *MACHINES]}
    expect(described == known, "only in one of them: %s", sorted(described ^ known))


# ---- places -----------------------------------------------------------------------

# A kernel tree has tools/testing/, too.
FOLDERS = "mint|scripts|selftests|tools(?!/testing)|docs|distro|initrd|kernel-config"


def places_exist():
    """Paths, commands of make and functions that pages name exist, and where they say"""
    targets, wrong = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M)), []
    code = read("mint/*.h", "mint/*/*.[chS]", "kexec-tools-patches/*.patch")
    for page, text in pages():
        for name in sorted(set(re.findall(r"\bmint_\w+(?=\(\))", text))):
            if not re.search(r"\b%s\b" % name, code):
                wrong.append("%s: there is no %s()" % (page, name))
        for path in re.findall(r"`((?:%s)/[\w./@*-]+)`" % FOLDERS, text):
            if not glob.glob(os.path.join(TOP, path)):
                wrong.append("%s: there is no %s" % (page, path))
        for name in re.findall(r"`make ([a-z][a-z-]*)", text):
            if name not in targets:
                wrong.append("%s: there is no make %s" % (page, name))
        for names, path in re.findall(r"((?:`\w+\(\)`,\s+)+)`(mint/[\w/]+\.[cS])`", text):
            for name in re.findall(r"\w+", names):
                if os.path.exists(os.path.join(TOP, path)) and not re.search(
                        r"\b%s\(" % name, read(path)):
                    wrong.append("%s: %s() is not in %s" % (page, name, path))
    none(wrong)


TESTS = (parameters_are_described, options_of_kexec_are_described, files_of_sysfs_are_described,
         version_is_that_of_the_code, states_are_those_of_the_code, hazards_are_whole, proofs_exist,
         tests_exist, machines_are_described, places_exist)


if __name__ == "__main__":
    sys.exit(run_all(TESTS))
