#!/usr/bin/env python3
"""Make a disk image with a GUID partition table and an EFI System Partition.

    gpt_image.py --output disk.img --efi BOOTX64.EFI [--file kernel.elf=kernel.file]...
                 [--boot-sector first_stage.bin --second-stage loader-asm.bin
                  [--loader loader.bin]]
    gpt_image.py --describe disk.img    what is where, as read from the image

The EFI System Partition begins at 1 MiB and holds a FAT32 file system with the loader, as
EFI/BOOT/BOOTX64.EFI, and the files in its root directory. It is as big as they need, with
room for other files in their place.

With a boot sector a BIOS boots the image, too. The code of the boot sector goes in front of
the partition table of LBA 0. What it loads goes to a BIOS boot partition between the tables
and 1 MiB: the other sectors of the first stage, then the second stage as image.py makes it.

The same parts give the same image, byte for byte. No step needs root: sgdisk computes the
tables, mtools fills the file system inside the image.

Exits with 1 and a sentence on standard error when a tool is missing or fails.

Sources: UEFI specification, "GUID Partition Table (GPT) Disk Layout" and "File System
Format"; Microsoft, "FAT: General Overview of On-Disk Format", for the count of clusters.
"""
from __future__ import annotations

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import doctor
from disk_layout import describe
from image import (BOOT_CODE_SIZE, MIB, PARTITION_TABLE, SECTOR, boot_code_size, fail, layout,
                   second_stage)
from image import sectors as in_sectors

LOADER = "EFI/BOOT/BOOTX64.EFI"  # where firmware looks on a disk that it was told nothing of
LABEL = "FIRSTLIGHT"

ESP_FIRST = MIB // SECTOR  # where every partitioning tool puts the first partition
TABLE_SECTORS = 32         # the partition entries, at either end of the disk
END_SIZE = MIB             # behind the last partition: the backup of the tables

# A FAT file system with fewer clusters is FAT16 to all who count them, firmware among them,
# whatever its boot sector says.
FAT32_CLUSTERS = 65525
FAT32_RESERVED = 32        # sectors in front of the first FAT
FAT_ENTRY = 4              # bytes
SMALLEST = 34 * MIB        # a little more than FAT32_CLUSTERS of the smallest size
BIGGEST_CLUSTER = 64       # sectors
FREE = 8 * MIB
FAT_ROOM = 2 * MIB         # more than two FATs of less than 2 * FAT32_CLUSTERS, and reserves
FIXED_DISK = 0xF8          # FAT's media byte
FILE_MOST = 0xFFFFFFFF     # bytes: FAT counts them with 32 bits, and mcopy does not mind

# These tell disks apart that are in one machine. Fixed ones are the same on every stick that
# we write; but firmware starts what is on the stick it was told to start, and our loaders
# ask for the disk they came from. In return, an image says what it was made of.
DISK_GUID = "2EFF78FA-3818-4F0E-A8E7-6C779634ED9E"
ESP_GUID = "6F921C57-4382-459C-A328-B567B5FCBAA3"
BIOS_BOOT_GUID = "4B4C5EB6-D338-4C89-BBC5-D51882A4FB1C"
SERIAL = 0x464C3131        # of the FAT file system
TIME = 315532800           # of its files: 1 January 1980, the oldest that FAT can tell


# Some BIOSes boot a disk only if an entry of its partition table is active. Some UEFI
# firmware takes a GPT for broken whose protective entry is active. So a second entry is: of
# type 0, which is no partition to any operating system, and as long as the boot sector, so
# that it overlaps nothing.
ACTIVE_ENTRY = struct.pack("<B3sB3sII", 0x80, bytes(3), 0, bytes(3), 0, 1)


class Partition(NamedTuple):
    """A partition, its first and its last sector included."""

    first: int
    last: int
    kind: str  # sgdisk's short name of its type
    name: str
    guid: str


def program(name: str, tool: str) -> str:
    """The path of a program; or exit with what to install. Some users' PATH has no sbin."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return path or sys.exit(doctor.missing_sentence(tool, ""))


def run(*command: str | Path) -> None:
    """Run a tool in a fixed world: file times from TIME, no time zone, no translation."""
    world = {**os.environ, "SOURCE_DATE_EPOCH": str(TIME), "TZ": "UTC", "LC_ALL": "C"}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", env=world)
    if done.returncode:
        fail(f"{Path(command[0]).name} failed:\n{done.stdout.strip()}")


def up(size: int, unit: int) -> int:
    """A size rounded up to whole units."""
    return -(-size // unit) * unit


def esp_size(loader: int, files: list[int]) -> int:
    """Bytes of a partition for a loader and files of these sizes, with room for files of
    twice their sizes beside them: a careful copy removes the old one last."""
    used = sum(up(size, BIGGEST_CLUSTER * SECTOR) for size in (loader, *files))
    return max(SMALLEST, up(used + max(FREE, 2 * sum(files)) + FAT_ROOM, MIB))


def cluster_sectors(size: int) -> int:
    """Sectors of a cluster: as many as leave FAT32 enough clusters. Long chains are slow."""
    sectors, count = size // SECTOR, BIGGEST_CLUSTER
    while count > 1:
        fat = up(sectors // count * FAT_ENTRY, SECTOR) // SECTOR + 1
        if (sectors - FAT32_RESERVED - 2 * fat) // count >= FAT32_CLUSTERS:
            break
        count //= 2
    return count


def tables(disk: Path, *options: str) -> tuple[bytes, bytes]:
    """What sgdisk would write to the first and to the last sectors of a disk.

    It waits a second after it has written, for a kernel that would have to notice. So let it
    pretend, and take the tables from the backup that it saves.
    """
    with tempfile.TemporaryDirectory() as folder:
        backup = Path(folder, "backup")
        run(program("sgdisk", "sgdisk"), "--pretend", *options, f"--backup={backup}", disk)
        mbr, header, backup_header, entries = split(backup.read_bytes(), 1, 1, 1, TABLE_SECTORS)
    return mbr + header + entries, entries + backup_header


def partition_tables(partitions: list[Partition], sectors: int) -> tuple[bytes, bytes]:
    """The first and the last sectors of a disk that has these partitions."""
    options = ["--set-alignment=1", f"--disk-guid={DISK_GUID}"]
    for number, part in enumerate(partitions, 1):
        options += [f"--new={number}:{part.first}:{part.last}",
                    f"--typecode={number}:{part.kind}",
                    f"--change-name={number}:{part.name}",
                    f"--partition-guid={number}:{part.guid}"]
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(sectors * SECTOR)
        return tables(Path(disk.name), *options)


def split(data: bytes, *counts: int) -> list[bytes]:
    """The sectors of some data, in groups of these sizes."""
    ends = [sum(counts[:index + 1]) * SECTOR for index in range(len(counts))]
    return [data[end - count * SECTOR:end] for end, count in zip(ends, counts)]


def make_file_system(image: Path, first: int, size: int, files: dict[str, Path]) -> None:
    """Make a FAT32 file system of `size` bytes at a sector of the image, and fill it."""
    place = f"{image}@@{first * SECTOR}"
    run(program("mformat", "mtools"), "-i", place, "-F", "-v", LABEL, "-N", f"{SERIAL:08x}",
        "-m", str(FIXED_DISK), "-H", str(first), "-T", str(size // SECTOR),
        "-c", str(cluster_sectors(size)), "::")
    folders = dict.fromkeys(str(folder) for name in files
                            for folder in reversed(Path(name).parents[:-1]))
    run(program("mmd", "mtools"), "-i", place, *(f"::{folder}" for folder in folders))
    for name, path in files.items():
        run(program("mcopy", "mtools"), "-i", place, path, f"::{name}")


def write(image: Path, esp: Partition, bios: list[bytes]) -> None:
    """Write the tables of a disk, and the boot sector and the partition for a BIOS if there
    is one; leave the EFI System Partition empty."""
    partitions = [esp]
    if bios:
        partitions.append(Partition(layout("BIOS_BOOT_LBA"), esp.first - 1, "ef02",
                                    "BIOS boot partition", BIOS_BOOT_GUID))
    sectors = esp.last + 1 + END_SIZE // SECTOR
    head, tail = partition_tables(partitions, sectors)
    if bios:
        boot_sector, rest, stage = bios
        entries = PARTITION_TABLE + len(ACTIVE_ENTRY)
        head = (boot_sector[:BOOT_CODE_SIZE] + head[BOOT_CODE_SIZE:entries] + ACTIVE_ENTRY
                + head[entries + len(ACTIVE_ENTRY):] + rest + stage)
    with open(image, "wb") as disk:
        disk.write(head)
        disk.truncate(sectors * SECTOR - len(tail))  # a hole: it takes no time and no room
        disk.seek(0, os.SEEK_END)
        disk.write(tail)


def bios_parts(arguments: argparse.Namespace) -> tuple[list[bytes], list[str]]:
    """The boot sector, the rest of the first stage and the second stage; and what to say."""
    first = arguments.boot_sector.read_bytes()
    count = layout("FIRST_STAGE_SECTORS")
    if len(first) != count * SECTOR:
        fail(f"{arguments.boot_sector} must have {count} sectors: it has {len(first)} bytes")
    size, stage = second_stage(arguments.second_stage, arguments.loader,
                               layout("KERNEL_LIMIT"), 0)
    code = boot_code_size(arguments.boot_sector)
    return [first[:SECTOR], first[SECTOR:], stage], [
        f"boot sector: {code} of {BOOT_CODE_SIZE} bytes",
        f"second stage: {size} bytes, {in_sectors(stage)}"]


def named_file(argument: str) -> tuple[str, Path]:
    """NAME=PATH of the command line."""
    name, equals, path = argument.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"'{argument}' is not NAME=PATH")
    return name, Path(path)


def arguments_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line, all that belongs together being there."""
    for name in ("output", "efi", "boot-sector", "second-stage", "loader", "describe"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--file", type=named_file, action="append", default=[])
    arguments = parser.parse_args()
    if not arguments.describe and not (arguments.output and arguments.efi):
        parser.error("--output and --efi are needed")
    if bool(arguments.boot_sector) != bool(arguments.second_stage):
        parser.error("--boot-sector and --second-stage go together")
    return arguments


def main() -> None:
    arguments = arguments_of(argparse.ArgumentParser(
        description="Make a disk image that UEFI boots, and a BIOS if it is given the parts."))
    if arguments.describe:
        print(describe(arguments.describe))
        return

    files = {LOADER: arguments.efi, **dict(arguments.file)}
    sizes = {name: path.stat().st_size for name, path in files.items()}
    for name, count in sizes.items():
        if count > FILE_MOST:
            fail(f"{name} is too big: {count} bytes, and FAT knows no file of more than "
                 f"{FILE_MOST}")
    size = esp_size(sizes[LOADER], [sizes[name] for name in sizes if name != LOADER])
    esp = Partition(ESP_FIRST, ESP_FIRST + size // SECTOR - 1, "ef00", "EFI System Partition",
                    ESP_GUID)
    bios, report = bios_parts(arguments) if arguments.boot_sector else ([], [])
    write(arguments.output, esp, bios)
    make_file_system(arguments.output, esp.first, size, files)
    report += [f"EFI system partition: {size // MIB} MiB, FAT32",
               *(f"{name}: {count} bytes" for name, count in sizes.items())]
    print(f"{arguments.output}: " + "; ".join(report))


if __name__ == "__main__":
    main()
