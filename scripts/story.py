# SPDX-License-Identifier: GPL-2.0
"""What the demonstrations have in common: lines of progress, and how they end."""

import signal
import sys
import time

from machine import MachineError
from verdict import Failed

BEGAN = time.monotonic()


def say(text):
    """A line of progress."""
    print("%6.1f s  %s" % (time.monotonic() - BEGAN, text), flush=True)


def fault_free(machine):
    """No kernel has complained."""
    if machine.faults:
        raise MachineError("a kernel complained: %s: %s; see %s" % (
            machine.faults[0] + (machine.logs,)))


def tell(name, story):
    """Tell it; what goes wrong is said in one line, with status 1."""
    # Whatever ends this program ends its machine.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        story()
    except (Failed, MachineError) as error:
        print("%s: failed: %s" % (name, error), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
