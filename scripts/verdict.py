# SPDX-License-Identifier: GPL-2.0
"""What tests of the host found, and how it is told: KTAP, written and read.

Used by check and its tests, and by the programs that check runs.
"""

import fnmatch
import os
import re

# Skips that are expected, see there.
SKIPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "skips")

# The last line of everything that counts.
SUMMARY = "%d passed, %d failed, %d skipped"


class Failed(Exception):
    """A test found something wrong."""


class Skipped(Exception):
    """A test cannot be made here."""


def expect(true, text, *args):
    """Fail unless true."""
    if not true:
        raise Failed(text % args if args else text)


def expects(pattern):
    """Of a test: lines of a kernel that match are asked for, no complaints."""
    def decorate(test):
        test.expects = pattern
        return test

    return decorate


def expected_skips(path=SKIPS):
    """[(test, reason)] of the table, both as patterns of a shell."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                test, mark, reason = line.strip().partition(" # SKIP ")
                if not mark or not reason:
                    raise ValueError("%s: no reason in: %s" % (path, line))
                found.append((test, reason))
    return found


def is_expected(skips, test, reason):
    """Whether the table has such a skip."""
    return any(fnmatch.fnmatchcase(test, t) and fnmatch.fnmatchcase(reason, r)
               for t, r in skips)


class Ktap:
    """Prints KTAP: a plan, then a line for each result, its notes before it.

    With no plan, end() prints it, as what was done.
    """

    def __init__(self, plan):
        self.number = self.failed = 0
        print("KTAP version 1" + ("" if plan is None else "\n1..%d" % plan),
              flush=True)

    def end(self):
        """The plan of who had none."""
        print("1..%d" % self.number, flush=True)

    def note(self, text):
        """Lines for people."""
        for line in str(text).splitlines():
            print("# " + line, flush=True)

    def result(self, good, name, note="", skip=None):
        """One test."""
        self.number += 1
        self.failed += not good
        self.note(note)
        print("%sok %d - %s%s" % (
            "" if good else "not ", self.number, name,
            "" if skip is None else " # SKIP %s" % skip), flush=True)


def run_all(tests):
    """Run functions as tests, named as they are; the status to exit with."""
    ktap = Ktap(len(tests))
    for test in tests:
        try:
            test()
            ktap.result(True, test.__name__)
        except Failed as error:
            ktap.result(False, test.__name__, error)
    return 1 if ktap.failed else 0


class KtapReader:
    """Takes the KTAP of a program apart, line by line, into results.

    result(good, name, notes, skip) is called for each of them. Afterwards
    planned, results and failed are counts (planned is None without a plan), and
    notes the lines that belong to no result.
    """

    PLAN = re.compile(r"1\.\.(\d+)(?: # SKIP (.*))?$")
    RESULT = re.compile(r"(ok|not ok) \d+ (?:- )?(.*?)(?: # SKIP(.*))?$")

    def __init__(self, result):
        self.result = result
        self.planned = None
        self.results = self.failed = 0
        self.notes = []

    def line(self, line):
        """The next line; whether it was part of KTAP."""
        plan = self.PLAN.match(line)
        match = self.RESULT.match(line)
        if plan:
            self.planned = int(plan.group(1))
            if plan.group(2) is not None:
                self.result(True, "", (), plan.group(2))
        elif match:
            self.results += 1
            good = match.group(1) == "ok"
            self.failed += not good
            skip = match.group(3)
            self.result(good, match.group(2), self.notes,
                        skip.strip() if good and skip is not None else None)
            self.notes = []
        elif line.startswith("#"):
            self.notes.append(line[1:].strip())
        elif line.strip() and not line.startswith(("KTAP version",
                                                   "TAP version")):
            self.notes.append(line)
            return False
        return True

    def wrong(self, status):
        """What is wrong with the whole, "" if nothing is."""
        if self.planned != self.results:
            return "%d results, %s planned, status %s" % (
                self.results, self.planned, status)
        if status not in (0, 4) and not self.failed:
            return "status %s without a failed test" % status
        return ""
