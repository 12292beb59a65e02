"""Say what is where in a disk image with a GUID partition table, as read from its bytes.

`describe(image)` gives a table. What is damaged is said in its line; only an image without
a partition table that we know is refused, with a sentence.

Sources: UEFI specification, "GUID Partition Table (GPT) Disk Layout"; Microsoft, "FAT:
General Overview of On-Disk Format".
"""
from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from image import BOOT_CODE_SIZE, HEAD, MAGIC, MIB, PARTITION_TABLE, SECTOR, fail, layout

MBR_ENTRY = struct.Struct("<B3xB3xII")     # active, type, first sector, number of sectors
# Signature, size, checksum, the other header's LBA, the entries' LBA, count, size, checksum.
GPT_HEADER = struct.Struct("<8s4xII12xQ32xQIII")
GPT_SIGNATURE = b"EFI PART"
GPT_CHECKSUM = 16                          # where it is in the header
GPT_ENTRY = struct.Struct("<16s16sQQQ72s")  # type, GUID, first, last, attributes, name
ESP = uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
BIOS_BOOT = uuid.UUID("21686148-6449-6E6F-744E-656564454649")
FIRST_STAGE_END = b"FL"                    # REST_MAGIC of first_stage_rest.asm

# FAT's boot sector from BPB_OFFSET: bytes in a sector, sectors in a cluster, reserved sectors,
# FATs, root entries, sectors if fewer than 64 Ki, sectors of a FAT; sectors; then, of FAT32
# alone, sectors of a FAT and the root directory's first cluster.
BPB = struct.Struct("<HBHBHHxH8xII4xI")
BPB_OFFSET = 11
FAT_NAMES = ((4085, "FAT12"), (65525, "FAT16"), (1 << 32, "FAT32"))  # fewer clusters than
FAT_ENTRY = struct.Struct("<11sBB7xH4xHI")  # name, attributes, case, cluster (high, low), size
VOLUME, FOLDER = 0x08, 0x10                # attributes
LOWER_NAME, LOWER_EXTENSION = 0x08, 0x10   # of a FAT entry's case
CLUSTER_BITS = 0x0FFFFFFF                  # of an entry of FAT32's table
FREE_FROM_HERE, DELETED = 0x00, 0xE5       # for the first byte of a name


class Row(NamedTuple):
    """A line of the table: sectors from `first` to `last`, and what they are."""

    first: int
    last: int
    what: str
    more: Sequence[str] = ()


class Gpt(NamedTuple):
    """A GPT header, its own checksum and that of its entries being right or not."""

    intact: bool
    backup: int       # LBA of the other header
    entries: int      # LBA of the first
    count: int
    entry_size: int


def sectors_of(disk: bytes, first: int, count: int = 1) -> bytes:
    return disk[first * SECTOR:(first + count) * SECTOR]


def read_gpt(disk: bytes, lba: int) -> Gpt | None:
    """The GPT header at a sector, if there is one."""
    sector = sectors_of(disk, lba)
    if not sector.startswith(GPT_SIGNATURE):
        return None
    (_, size, checksum, backup, entries, count, entry_size,
     entries_checksum) = GPT_HEADER.unpack_from(sector)
    zeroed = sector[:GPT_CHECKSUM] + bytes(4) + sector[GPT_CHECKSUM + 4:size]
    array = disk[entries * SECTOR:entries * SECTOR + count * entry_size]
    intact = zlib.crc32(zeroed) == checksum and zlib.crc32(array) == entries_checksum
    return Gpt(intact, backup, entries, count, entry_size)


def span(first: int, last: int) -> str:
    return f"{first} - {last}" if last > first else str(first)


def mbr(disk: bytes) -> Row:
    """The boot sector: its code, and the entries of its partition table."""
    code = len(disk[:BOOT_CODE_SIZE].rstrip(b"\0"))
    more = [f"boot code: {code} of {BOOT_CODE_SIZE} bytes"]
    for number in range(4):
        entry = disk[PARTITION_TABLE + number * MBR_ENTRY.size:][:MBR_ENTRY.size]
        active, kind, first, count = MBR_ENTRY.unpack(entry)
        if any(entry):
            more.append(f"entry {number + 1}: {'active, ' * bool(active)}type 0x{kind:02x}, "
                        f"LBA {span(first, first + count - 1)}")
    return Row(0, 0, "protective MBR", more)


def bios_boot(disk: bytes, first: int, last: int) -> Iterator[Row]:
    """What our stages fill of a BIOS boot partition."""
    behind = first + layout("FIRST_STAGE_SECTORS") - 1
    if sectors_of(disk, behind - 1).endswith(FIRST_STAGE_END):
        yield Row(first, behind - 1, "  first stage, its sectors 1 and 2")
    magic, count, _ = HEAD.unpack_from(sectors_of(disk, behind))
    if magic == MAGIC:
        yield Row(behind, behind + count - 1,
                  f"  second stage: {count} of {last - behind + 1} sectors")


def short_name(name: bytes, case: int) -> str:
    """NAME.EXT of the 11 bytes of a directory entry."""
    base, extension = (part.decode("cp437").rstrip() for part in (name[:8], name[8:]))
    base = base.lower() if case & LOWER_NAME else base
    extension = extension.lower() if case & LOWER_EXTENSION else extension
    return f"{base}.{extension}" if extension else base


class Fat:
    """A FAT file system, as far as a look at its kind and its files needs it."""

    def __init__(self, data: bytes) -> None:
        (sector, per_cluster, reserved, fats, root_entries, small, fat_size, big, big_fat_size,
         self.root) = BPB.unpack_from(data, BPB_OFFSET)
        if not sector or not per_cluster:
            raise ValueError("no FAT file system")
        self.data = data
        self.fat = reserved * sector
        self.start = (self.fat + fats * (fat_size or big_fat_size) * sector
                      + root_entries * FAT_ENTRY.size)
        self.cluster = per_cluster * sector
        self.clusters = ((small or big) * sector - self.start) // self.cluster
        self.kind = next(name for below, name in FAT_NAMES if self.clusters < below)
        self.seen: set[int] = set()  # a damaged folder may hold itself

    def folder(self, cluster: int) -> bytes:
        """What is in the clusters of a folder that were not read before."""
        found = b""
        while 2 <= cluster < self.clusters + 2 and cluster not in self.seen:
            self.seen.add(cluster)
            start = self.start + (cluster - 2) * self.cluster
            found += self.data[start:start + self.cluster]
            (cluster,) = struct.unpack_from("<I", self.data, self.fat + cluster * 4)
            cluster &= CLUSTER_BITS
        return found[:len(found) // FAT_ENTRY.size * FAT_ENTRY.size]

    def files(self, folder: int, path: str = "") -> Iterator[tuple[str, int]]:
        """Path and size of every file below a folder of FAT32, which begins at a cluster."""
        for name, attributes, case, high, low, size in FAT_ENTRY.iter_unpack(
                self.folder(folder)):
            if name[0] == FREE_FROM_HERE:
                return
            if name[0] in (DELETED, ord(".")) or attributes & VOLUME:
                continue  # an entry that is a part of a long name has this bit, too
            place = path + short_name(name, case)
            if attributes & FOLDER:
                yield from self.files(high << 16 | low, place + "/")
            else:
                yield place, size


def system_partition(disk: bytes, first: int, last: int, name: str) -> Row:
    """An EFI System Partition and its files."""
    try:
        fat = Fat(sectors_of(disk, first, last - first + 1))
    except (ValueError, struct.error):
        return Row(first, last, f"{name}: no FAT file system")
    files = list(fat.files(fat.root)) if fat.kind == "FAT32" else []
    return Row(first, last, f"{name}: {fat.kind}, {fat.clusters} clusters of {fat.cluster} bytes",
               [f"{path}: {size} bytes" for path, size in files])


def used_entries(disk: bytes, gpt: Gpt) -> Iterator[tuple[uuid.UUID, int, int, str]]:
    """Type, first sector, last sector and name of each partition."""
    start = gpt.entries * SECTOR
    for place in range(start, start + gpt.count * gpt.entry_size, gpt.entry_size):
        kind, _, first, last, _, name = GPT_ENTRY.unpack_from(disk, place)
        if any(kind):
            yield (uuid.UUID(bytes_le=kind), first, last,
                   name.decode("utf-16-le", "replace").rstrip("\0"))


def partitions(disk: bytes, gpt: Gpt) -> Iterator[Row]:
    """The partitions, and what is in those that we know."""
    for kind, first, last, name in used_entries(disk, gpt):
        if kind == ESP:
            yield system_partition(disk, first, last, name)
        else:
            yield Row(first, last, name)
        if kind == BIOS_BOOT:
            yield from bios_boot(disk, first, last)


def tables(disk: bytes, lba: int, what: str) -> Iterator[Row]:
    """A GPT header and the entries that belong to it."""
    gpt = read_gpt(disk, lba)
    if gpt is None:
        yield Row(lba, lba, f"no {what}")
        return
    size = -(-gpt.count * gpt.entry_size // SECTOR)
    used = len(list(used_entries(disk, gpt)))
    yield Row(lba, lba, f"{what}: header, checksums {'right' if gpt.intact else 'WRONG'}")
    yield Row(gpt.entries, gpt.entries + size - 1, f"{what}: {used} of {gpt.count} entries used")


def rows(disk: bytes) -> list[Row]:
    """All that is on a disk, in the order of its sectors."""
    gpt = read_gpt(disk, 1)
    if gpt is None or gpt.entry_size < GPT_ENTRY.size:
        raise ValueError("it has no GUID partition table")
    found = [mbr(disk), *tables(disk, 1, "GPT"), *partitions(disk, gpt),
             *tables(disk, gpt.backup, "backup of the GPT")]
    return sorted(found, key=lambda row: (row.first, -row.last))


def describe(image: Path) -> str:
    """The table: sectors, bytes, and what is there."""
    disk = image.read_bytes()
    try:
        found = rows(disk)
    except ValueError as error:
        fail(f"{image}: {error}")
    except struct.error:
        fail(f"{image}: it ends before its tables do")
    lines = [f"{image}: {len(disk) // MIB} MiB, {len(disk) // SECTOR} sectors", "",
             f"{'LBA':<16}{'bytes':>10}  what"]
    for row in found:
        size = (row.last - row.first + 1) * SECTOR
        lines.append(f"{span(row.first, row.last):<16}{size:>10}  {row.what}")
        lines += [f"{'':28}  {line}" for line in row.more]
    return "\n".join(lines)
