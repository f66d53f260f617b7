# SPDX-License-Identifier: GPL-2.0
"""A disk that firmware boots: GRUB, a kernel, an initrd and a command line.

This file owns how such an image is laid out and made, without root: an MBR
with GRUB's boot sector, GRUB's core behind it, and one FAT partition that is
the EFI system partition as well. So one image boots by BIOS and by UEFI.
"""

import os
import struct
import subprocess
import tempfile

SECTOR = 512
START = 2048            # first sector of the partition, 1 MiB
GRUB = "/usr/lib/grub"
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"

# What GRUB does before it looks at the disk: nothing but find its file.
EARLY = "set root=(hd0,msdos1)\nset prefix=($root)/grub\nconfigfile ($root)/grub.cfg\n"
MENU = "linux /bzImage %s\ninitrd /initrd\nboot\n"
MODULES = ["part_msdos", "fat", "normal", "linux", "boot", "configfile"]


def core(work, target, modules):
    """GRUB's core for a target, with its first commands built in."""
    early = os.path.join(work, "early.cfg")
    with open(early, "w", encoding="ascii") as file:
        file.write(EARLY)
    path = os.path.join(work, target)
    subprocess.run(["grub-mkimage", "-O", target, "-o", path, "-c", early,
                    "-p", "(hd0,msdos1)/grub", *MODULES, *modules], check=True)
    return path


def partition_table(sectors):
    """The MBR's table: one active EFI system partition."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0xef,
                        b"\xfe\xff\xff", START, sectors)
    return entry + bytes(48) + b"\x55\xaa"


def make(path, kernel, initrd, append, mib=64):
    """Write the image."""
    sectors = (mib << 20) // SECTOR - START
    with tempfile.TemporaryDirectory() as work:
        bios = core(work, "i386-pc", ["biosdisk"])
        efi = core(work, "x86_64-efi", ["all_video"])
        menu = os.path.join(work, "grub.cfg")
        with open(menu, "w", encoding="ascii") as file:
            file.write(MENU % append)
        with open(os.path.join(GRUB, "i386-pc", "boot.img"), "rb") as file:
            boot = file.read()[:440]
        with open(bios, "rb") as file:
            behind = file.read()
        if len(behind) > (START - 1) * SECTOR:
            raise ValueError("GRUB's core does not fit before the partition")
        new = path + ".new"
        with open(new, "wb") as disk:
            disk.write(boot.ljust(446, b"\0") + partition_table(sectors))
            disk.write(behind)
            disk.truncate(mib << 20)
        where = "%s@@%d" % (new, START * SECTOR)
        subprocess.run(["mformat", "-i", where, "-F", "-T", str(sectors), "::"],
                       check=True)
        subprocess.run(["mmd", "-i", where, "::EFI", "::EFI/BOOT"], check=True)
        for source, target in ((efi, "EFI/BOOT/BOOTX64.EFI"),
                               (menu, "grub.cfg"), (kernel, "bzImage"),
                               (initrd, "initrd")):
            subprocess.run(["mcopy", "-i", where, source, "::" + target],
                           check=True)
    os.replace(new, path)


def boot(path, firmware):
    """QEMU's arguments to boot the image with "bios" or "uefi"."""
    args = ["-drive", "if=none,id=boot,format=raw,snapshot=on,file=" + path,
            "-device", "virtio-blk-pci,drive=boot,bootindex=1,addr=07.0"]
    if firmware == "uefi":
        args += ["-drive", "if=pflash,format=raw,readonly=on,file=" + OVMF,
                 "-drive", "if=pflash,format=raw,snapshot=on,file="
                 + OVMF.replace("CODE", "VARS")]
    return args
