#!/usr/bin/env python3
"""Lay the parts of a chapter end to end into a disk image.

    image.py --output disk.img --boot-sector boot.bin
             [--second-stage stage2.bin [--kernel kernel.bin]]

The image is a raw disk of 1,474,560 bytes: the size of a 1.44 MB floppy, so that the
same file boots as a hard disk and as a floppy. Into the head of the second stage go
the sizes that the first stage and the second stage go by (common/bios/second_stage.inc);
behind the second stage and behind the kernel goes a word that makes the checksum of
its sectors zero (common/bios/checksum.asm).

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
BOOT_CODE_SIZE = 446
HEAD = struct.Struct("<4sHH")  # struct second_stage: magic, sectors, kernel_sectors
MAGIC = b"FLS2"


def layout(name):
    """The value of a constant of common/x86/layout.inc."""
    text = (COMMON / "x86" / "layout.inc").read_text()
    return int(re.search(rf"^{name}\s+equ\s+(\w+)", text, re.MULTILINE)[1], 0)


def fail(sentence):
    sys.exit(f"image.py: {sentence}")


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
    parser.add_argument("--kernel", type=Path)
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

        code = arguments.second_stage.read_bytes()
        stage = sealed(code)
        room = limit - layout("SECOND_STAGE")
        if len(stage) > room:
            fail(f"the second stage is too big: {len(code)} bytes, {room - 4} fit below "
                 f"0x{limit:x}")
        if HEAD.unpack_from(code)[0] != MAGIC:
            fail(f"{arguments.second_stage} does not begin with the head of a second stage: "
                 "its source must include bios/second_stage.asm first")
        head = HEAD.pack(MAGIC, len(stage) // SECTOR, len(kernel) // SECTOR)
        stage = sealed(head + code[HEAD.size:])
        report.append(f"second stage: {len(code)} bytes, {sectors(stage)}")
        image += stage + kernel
        if kernel:
            size = arguments.kernel.stat().st_size
            room = layout("KERNEL_LIMIT") - layout("KERNEL_BASE")
            if len(kernel) > room:
                fail(f"the kernel is too big: {size} bytes, {room - 4} fit in its place")
            report.append(f"kernel: {size} of {room} bytes, {sectors(kernel)}")

    if len(image) > IMAGE_SIZE:
        fail(f"the image is too big: {len(image)} bytes, {IMAGE_SIZE} fit on its disk")
    arguments.output.write_bytes(image.ljust(IMAGE_SIZE, b"\0"))
    print(f"{arguments.output}: " + "; ".join(report))


if __name__ == "__main__":
    main()
