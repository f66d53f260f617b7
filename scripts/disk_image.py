# SPDX-License-Identifier: GPL-2.0
"""A disk that firmware boots: GRUB, and with it a kernel or what another disk has.

This file owns how such images are laid out and made, without root. One has an MBR
with GRUB's boot sector, GRUB's core behind it, and one FAT partition that is the EFI
system partition as well, with a kernel, an initrd and a command line. So it boots by
BIOS and by UEFI. The other has GRUB for BIOS alone, and shows the menu of a system
that is installed on another disk: that of an image without a partition table, which
has no place for a boot loader.
"""

import os
import struct
import subprocess
import tempfile

SECTOR = 512
SIGNATURE = b"\x55\xaa"
START = 2048            # first sector of the partition, 1 MiB
GRUB = "/usr/lib/grub"
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"

# What GRUB does before it looks at the disk: nothing but find its file.
EARLY = "set root=(hd0,msdos1)\nset prefix=($root)/grub\nconfigfile ($root)/grub.cfg\n"
MENU = "linux /bzImage %s\ninitrd /initrd\nboot\n"
MODULES = ["part_msdos", "fat", "normal", "linux", "boot", "configfile"]
BIOS = "i386-pc"

# The menu of an installed system, and the modules that its menu is made of.
FOREIGN = ("search --no-floppy --set=root --file /boot/grub/grub.cfg\n"
           "set prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n")
FOREIGN_MODULES = ["biosdisk", "ext2", "search", "search_fs_file", "search_fs_uuid",
                   "search_label", "all_video", "gzio", "loadenv", "echo", "test"]


def core(work, target, commands, modules):
    """GRUB's core for a target, with its first commands built in."""
    early = os.path.join(work, "early.cfg")
    with open(early, "w", encoding="ascii") as file:
        file.write(commands)
    path = os.path.join(work, target)
    subprocess.run(["grub-mkimage", "-O", target, "-o", path, "-c", early,
                    "-p", "(hd0,msdos1)/grub", *MODULES, *modules], check=True)
    return path


def write_boot(disk, path, partition, room):
    """GRUB's boot sector for BIOS, and its core behind it, to an open file."""
    with open(os.path.join(GRUB, BIOS, "boot.img"), "rb") as file:
        boot = file.read()[:440]
    with open(path, "rb") as file:
        behind = file.read()
    if len(behind) > room:
        raise ValueError("GRUB's core has %d bytes and %d of room" % (len(behind), room))
    disk.write(boot.ljust(446, b"\0") + partition)
    disk.write(behind)


def make_loader(path):
    """Write an image that shows the menu of a system on another disk."""
    with tempfile.TemporaryDirectory() as work:
        with open(path + ".new", "wb") as disk:
            write_boot(disk, core(work, BIOS, FOREIGN, FOREIGN_MODULES),
                       bytes(64) + SIGNATURE, START * SECTOR)
            disk.truncate(2 * START * SECTOR)
    os.replace(path + ".new", path)


def partition_table(sectors):
    """The MBR's table: one active EFI system partition."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0xef,
                        b"\xfe\xff\xff", START, sectors)
    return entry + bytes(48) + SIGNATURE


def make(path, kernel, initrd, append, mib=64):
    """Write the image."""
    sectors = (mib << 20) // SECTOR - START
    with tempfile.TemporaryDirectory() as work:
        bios = core(work, BIOS, EARLY, ["biosdisk"])
        efi = core(work, "x86_64-efi", EARLY, ["all_video"])
        menu = os.path.join(work, "grub.cfg")
        with open(menu, "w", encoding="ascii") as file:
            file.write(MENU % append)
        new = path + ".new"
        with open(new, "wb") as disk:
            write_boot(disk, bios, partition_table(sectors), (START - 1) * SECTOR)
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
