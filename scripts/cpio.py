# SPDX-License-Identifier: GPL-2.0
"""Files added to an initrd, without root and without unpacking it."""

import gzip
import os


def entry(name, mode, data=b""):
    """An entry of a cpio archive (newc), as the kernel unpacks it."""
    head = "070701" + "".join("%08x" % n for n in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
    text = head.encode() + name.encode() + b"\0"
    text += b"\0" * (-len(text) % 4)
    return text + data + b"\0" * (-len(data) % 4)


def above(name):
    """All directories that a file lies in."""
    found = set()
    while name := os.path.dirname(name):
        found.add(name)
    return found


def append(initrd, path, files):
    """Write initrd to path with more files: {name: content}, all executable."""
    archive = b""
    for directory in sorted(set().union(*map(above, files))):
        archive += entry(directory, 0o040755)
    for name, data in files.items():
        archive += entry(name, 0o100755, data)
    archive += entry("TRAILER!!!", 0)
    with open(initrd, "rb") as old, open(path + ".new", "wb") as new:
        new.write(old.read())
        new.write(gzip.compress(archive, mtime=0))
    os.replace(path + ".new", path)
