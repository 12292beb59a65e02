#!/usr/bin/env python3
"""Lay the parts of a chapter end to end into a disk image.

    image.py --output disk.img --boot-sector boot.bin
             [--second-stage stage2.bin [--kernel kernel.bin]]
             [--second-stage loader-asm.bin --loader loader.bin --kernel-file kernel.file]

The image is a raw disk of 1,474,560 bytes: the size of a 1.44 MB floppy, so that the
same file boots as a hard disk and as a floppy. A kernel file that needs more gets a
bigger disk, in whole MiB.

Into the head of the second stage go the sizes that the first stage and the second stage
go by (common/bios/second_stage.inc); behind the second stage and behind a flat kernel
goes a word that makes the checksum of its sectors zero (common/bios/checksum.asm). In
front of a kernel file goes a sector that tells its size and its checksum
(struct kernel_head of common/bios/kernel_behind_loader.c).

Exits with 1 and a sentence on standard error when a part does not fit.
"""

import argparse
import re
import struct
import sys
from pathlib import Path

COMMON = Path(__file__).resolve().parent.parent
SECTOR = 512
IMAGE_SIZE = 80 * 2 * 18 * SECTOR
BOOT_CODE_SIZE = 440  # behind it, Windows writes a number that tells disks apart
PARTITION_TABLE = 446
HEAD = struct.Struct("<4sHH")  # struct second_stage: magic, sectors, kernel_sectors
MAGIC = b"FLS2"
KERNEL_HEAD = struct.Struct("<8sQQ")  # struct kernel_head: magic, size, checksum
KERNEL_HEAD_MAGIC = b"FKELFILE"
PARTITION_END = struct.Struct("<3sII")  # of an entry, from byte 5: CHS, first, count
BEYOND_CHS = b"\xfe\xff\xff"
MIB = 1 << 20


def layout(name):
    """The value of a constant of common/x86/layout.inc."""
    text = (COMMON / "x86" / "layout.inc").read_text()
    return int(re.search(rf"^{name}\s+equ\s+(\w+)", text, re.MULTILINE)[1], 0)


def fail(sentence):
    sys.exit(f"{Path(sys.argv[0]).name}: {sentence}")


def sectors(part):
    """How many sectors a sealed part has, in words."""
    count = len(part) // SECTOR
    return f"{count} sector" + "s" * (count != 1)


def sealed(part):
    """The part padded to whole sectors, the last word chosen so that the sum is zero."""
    size = -(-(len(part) + 4) // SECTOR) * SECTOR
    part = part.ljust(size - 4, b"\0")
    total = 0
    for (word,) in struct.iter_unpack("<I", part):
        total = total * 3 + word & 0xFFFFFFFF
    return part + struct.pack("<I", -total * 3 & 0xFFFFFFFF)


def second_stage(path, loader, limit, kernel_sectors):
    """The size of a second stage, and the sectors that it becomes. Its part in C, if it has
    one, follows its part in assembly; the memory from `limit` on is another's."""
    code = path.read_bytes()
    if loader:
        if len(code) != layout("LOADER_BASE") - layout("SECOND_STAGE"):
            fail(f"{path} must end where the loader's part in C begins: "
                 "its source must end with fill_to LOADER_BASE - SECOND_STAGE")
        code += loader.read_bytes()
    stage = sealed(code)
    room = limit - layout("SECOND_STAGE")
    if len(stage) > room:
        fail(f"the second stage is too big: {len(code)} bytes, {room - 4} fit below 0x{limit:x}")
    if HEAD.unpack_from(code)[0] != MAGIC:
        fail(f"{path} does not begin with the head of a second stage: "
             "its source must include bios/second_stage.asm first")
    head = HEAD.pack(MAGIC, len(stage) // SECTOR, kernel_sectors)
    return len(code), sealed(head + code[HEAD.size:])


def with_head(file):
    """A kernel file in whole sectors, behind the sector that the loader reads first."""
    padded = file.ljust(-(-len(file) // SECTOR) * SECTOR, b"\0")
    total = len(file)
    for (word,) in struct.iter_unpack("<Q", padded):
        total = total * 3 + word & 0xFFFFFFFFFFFFFFFF
    return KERNEL_HEAD.pack(KERNEL_HEAD_MAGIC, len(file), total).ljust(SECTOR, b"\0") + padded


def on_a_disk(image):
    """The image filled up to the size of a floppy; or to a bigger disk, whose partition
    ends with it and has no geometry that CHS could tell."""
    if len(image) <= IMAGE_SIZE:
        return image.ljust(IMAGE_SIZE, b"\0")
    disk = bytearray(image.ljust(-(-len(image) // MIB) * MIB, b"\0"))
    PARTITION_END.pack_into(disk, PARTITION_TABLE + 5, BEYOND_CHS, 1, len(disk) // SECTOR - 1)
    return disk


def boot_code_size(boot_sector):
    """How many bytes of the boot sector are code, by the map that NASM wrote beside it."""
    symbols = boot_sector.with_suffix(".map").read_text()
    end = re.search(r"^ *([0-9A-F]+) +[0-9A-F]+ +boot_code_end$", symbols, re.MULTILINE)
    return int(end[1], 16) - layout("BOOT_SECTOR")


def main():
    parser = argparse.ArgumentParser(description="Make a disk image of a chapter.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--boot-sector", type=Path, required=True)
    parser.add_argument("--second-stage", type=Path)
    parser.add_argument("--loader", type=Path)
    parser.add_argument("--kernel", type=Path)
    parser.add_argument("--kernel-file", type=Path)
    arguments = parser.parse_args()

    image = arguments.boot_sector.read_bytes()
    report = [f"boot sector: {boot_code_size(arguments.boot_sector)} of {BOOT_CODE_SIZE} bytes"]

    if arguments.second_stage:
        kernel = b""
        limit = layout("KERNEL_LIMIT")
        if arguments.kernel:
            code = arguments.kernel.read_bytes()
            kernel = sealed(code)
            limit = layout("KERNEL_BASE")

        size, stage = second_stage(arguments.second_stage, arguments.loader, limit,
                                   len(kernel) // SECTOR)
        report.append(f"second stage: {size} bytes, {sectors(stage)}")
        image += stage + kernel
        if kernel:
            size = arguments.kernel.stat().st_size
            room = layout("KERNEL_LIMIT") - layout("KERNEL_BASE")
            if len(kernel) > room:
                fail(f"the kernel is too big: {size} bytes, {room - 4} fit in its place")
            report.append(f"kernel: {size} of {room} bytes, {sectors(kernel)}")

    if arguments.kernel_file:
        file = arguments.kernel_file.read_bytes()
        image += with_head(file)
        report.append(f"kernel file: {len(file)} bytes")
    arguments.output.write_bytes(on_a_disk(image))
    print(f"{arguments.output}: " + "; ".join(report))


if __name__ == "__main__":
    main()
