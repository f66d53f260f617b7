# SPDX-License-Identifier: GPL-2.0
"""What every test of the host judges with; see scripts/check."""


class Failed(Exception):
    """A test found something wrong."""


class Skipped(Exception):
    """A test cannot be made here."""


def expect(true, text, *args):
    """Fail unless true."""
    if not true:
        raise Failed(text % args if args else text)
