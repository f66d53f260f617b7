#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The demonstrations, as a newcomer runs them; scripts/check runs this.

It prints KTAP. A demonstration has to end with status 0, and with the last line
that the README promises.
"""

import os
import re
import signal
import subprocess
import sys

SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What each is to say at last. What make demo shows is what three_nodes tests.
DEMOS = {
    "demo-move": r"demo-move: .* went from node \d+ to node \d+, and both ran on",
    "demo-talk": r"demo-talk: one node served disk and network to \d+ others, .*",
}
LIMIT = 600


def run(name):
    """Run a demonstration; what was wrong with it, or None."""
    with subprocess.Popen([os.path.join(SCRIPTS, name)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        # Whoever ends this program ends the machine of the demonstration.
        signal.signal(signal.SIGTERM, lambda *_: (process.terminate(), sys.exit(143)))
        try:
            text, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.communicate()
            return "not over after %d s" % LIMIT
    for line in text.splitlines():
        print("# " + line)
    if process.returncode:
        return "status %d" % process.returncode
    last = (text.splitlines() or [""])[-1]
    if not re.fullmatch(DEMOS[name], last):
        return "the last line is: " + last
    return None


def main():
    """All of them."""
    print("KTAP version 1\n1..%d" % len(DEMOS), flush=True)
    failed = 0
    for number, name in enumerate(DEMOS, 1):
        wrong = run(name)
        if wrong:
            print("# " + wrong)
            failed += 1
        print("%s %d %s" % ("not ok" if wrong else "ok", number, name), flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
