# SPDX-License-Identifier: GPL-2.0
"""How a test of the host says what it found: used by check and its tests."""


class Failed(Exception):
    """A test found something wrong."""


class Skipped(Exception):
    """A test cannot be made here."""


def expect(true, text, *args):
    """Fail unless true."""
    if not true:
        raise Failed(text % args if args else text)
