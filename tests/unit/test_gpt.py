"""common/loader/gpt.c on this computer, sanitized: tables as sgdisk makes them, and made here
byte by byte, with one thing odd or wrong in each."""
from __future__ import annotations

import contextlib
import os
import re
import shutil
import struct
import subprocess
import uuid
import zlib
from pathlib import Path

import pytest
from host import Harness, run

from conftest import ROOT

HEADER = ROOT / "common/loader/gpt.h"
STATUSES = re.findall(r"^    GPT_(\w+),", HEADER.read_text(), re.M)[:-1]
SECTOR = 512
SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b").bytes_le
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """gpt_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("gpt_test.c"), ROOT / "common/loader/gpt.c",
                   tmp_path_factory.mktemp("gpt"))


def test_every_status_has_its_own_sentence(harness):
    """Short enough for a screen, and it says what to do."""
    sentences = run(harness.program).stdout.splitlines()
    assert len(sentences) == len(STATUSES) == len(set(sentences))
    for sentence in sentences[1:]:
        assert len(sentence) <= 200
        assert re.fullmatch(r"The boot disk.*: write the image again\.", sentence)


# ---- tables as sgdisk makes them ------------------------------------------------------

def sgdisk(image: Path, *options: str) -> None:
    """Run sgdisk on an image, or skip the test where there is none."""
    # Debian keeps it where only root looks for programs.
    path = shutil.which("sgdisk", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path:
        pytest.skip("sgdisk is not here")
    subprocess.run([path, *options, image], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def image(tmp_path) -> Path:
    """An empty disk of 64 MiB."""
    path = tmp_path / "disk.img"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    return path


@pytest.mark.parametrize("count, number", [
    (1, 1), (2, 1), (2, 2), (3, 2), (4, 4), (5, 5), (128, 1), (128, 64), (128, 128)])
def test_the_partition_of_sgdisk_is_found(harness, image, count, number):
    """Whichever of how many it is. The disk is read twice: the header, and the entries."""
    options = [f"--new={i}:{1000 * i}:{1000 * i + i}" for i in range(1, count + 1)]
    sgdisk(image, "--set-alignment=1", *options, f"--typecode={number}:ef00")
    assert run(harness.program, image).stdout == (
        f"status=0 reads=2 first={1000 * number} count={number + 1}\n")


@pytest.mark.parametrize("entries", [4, 128, 256, 1024])
def test_tables_of_other_lengths_are_read(harness, image, entries):
    """sgdisk can make a table smaller, or larger. 32 KiB are read at a time."""
    sgdisk(image, f"--resize-table={entries}")
    sgdisk(image, "--new=4:8192:+1M", "--typecode=4:ef00")
    reads = 1 + max(1, entries * 128 // 32768)
    assert run(harness.program, image).stdout == (
        f"status=0 reads={reads} first=8192 count=2048\n")


def test_a_table_of_sgdisk_without_the_partition(harness, image):
    """There is one partition, of another type."""
    sgdisk(image, "--new=1:2048:+1M", "--typecode=1:8300")
    assert run(harness.program, image).stdout == (
        f"status={STATUSES.index('NO_PARTITION')} reads=2\n")


def test_a_disk_with_an_mbr_has_no_table(harness, image):
    """A GPT that was removed again: only a partition table of the other kind is there."""
    sgdisk(image, "--new=1:2048:+1M", "--typecode=1:ef00", "--gpttombr=1")
    assert run(harness.program, image).stdout == f"status={STATUSES.index('NO_TABLE')} reads=1\n"


# ---- tables of our own ----------------------------------------------------------------

# Where the header has what, and how many bytes of it. The specification's names.
FIELDS = {
    "Signature": (0, 8), "Revision": (8, 4), "HeaderSize": (12, 4), "HeaderCRC32": (16, 4),
    "Reserved": (20, 4), "MyLBA": (24, 8), "AlternateLBA": (32, 8), "FirstUsableLBA": (40, 8),
    "LastUsableLBA": (48, 8), "PartitionEntryLBA": (72, 8), "NumberOfPartitionEntries": (80, 4),
    "SizeOfPartitionEntry": (84, 4), "PartitionEntryArrayCRC32": (88, 4),
}
FIRST, LAST = 34, 131037  # what is usable

Entries = dict[int, tuple[bytes, int, int]]  # the entries that are used: type, first and last
GOOD: Entries = {0: (LINUX, 40, 99), 3: (SYSTEM, 2048, 4095), 5: (SYSTEM, 5000, 6000)}


def table(entries: Entries = GOOD, size: int = 128, count: int = 128, lba: int = 2,
          tail: bytes = b"", **fields: int) -> bytes:
    """The beginning of a disk with a table. Whatever else the header says, its checksums are
    right, unless they are among `fields`."""
    array = bytearray(size * count)
    for number in range(count):
        # Behind the 128 bytes of an entry may be more, which means nothing to us.
        type_, first, last = entries.get(number, (bytes(16), 0, 0))
        entry = struct.pack("<16s16xQQ", type_, first, last).ljust(128, b"\0") + SYSTEM * 300
        array[size * number:size * (number + 1)] = entry[:size]
    header = bytearray(SECTOR)
    header[92:92 + len(tail)] = tail
    for name, value in {
            "Signature": int.from_bytes(b"EFI PART", "little"), "Revision": 0x10000,
            "HeaderSize": 92 + len(tail), "MyLBA": 1, "AlternateLBA": 131071,
            "FirstUsableLBA": FIRST, "LastUsableLBA": LAST, "PartitionEntryLBA": lba,
            "NumberOfPartitionEntries": count, "SizeOfPartitionEntry": size,
            "PartitionEntryArrayCRC32": zlib.crc32(array), **fields}.items():
        offset, length = FIELDS[name]
        header[offset:offset + length] = value.to_bytes(length, "little")
    if "HeaderCRC32" not in fields:
        covered = header[:fields.get("HeaderSize", 92 + len(tail))]
        header[16:20] = zlib.crc32(covered).to_bytes(4, "little")
    # What is not the table's leads astray whoever reads it.
    disk = bytearray(b"\xab" * SECTOR * (lba + -(-len(array) // SECTOR) + 1))
    disk[SECTOR * lba:SECTOR * lba + len(array)] = array
    disk[SECTOR:2 * SECTOR] = header
    return bytes(disk)


def damaged(offset: int, bit: int = 0) -> bytes:
    """A good table with a bit changed after the checksums were made."""
    disk = bytearray(table())
    disk[offset] ^= 1 << bit
    return bytes(disk)


def alone(first: int, last: int, **fields: int) -> bytes:
    """A table whose only partition has these sectors."""
    return table({0: (SYSTEM, first, last)}, **fields)


FOUND = "OK 2048 2048"
# Disks, and what should be found: a status, the first sector of the partition and its size.
CASES: dict[str, tuple[bytes, str]] = {
    "good": (table(), FOUND),
    "one-entry": (table({0: (SYSTEM, 2048, 4095)}, count=1), FOUND),
    "the-last-entry": (table({127: (SYSTEM, 2048, 4095)}), FOUND),
    "five-entries": (table(count=5), FOUND),
    "entries-of-256-bytes": (table(size=256, FirstUsableLBA=66), FOUND),
    "entries-of-4-kib": (table(size=4096, count=9, FirstUsableLBA=74), FOUND),
    "entries-in-two-pieces": (table({299: (SYSTEM, 2048, 4095)}, count=300, FirstUsableLBA=77),
                              FOUND),
    "the-first-of-two-counts": (table({1: (SYSTEM, 2048, 4095), 8100: (SYSTEM, 5000, 6000)},
                                      count=8192, FirstUsableLBA=2050), "BAD_PARTITION"),
    "1-mib-of-entries": (table({8191: (SYSTEM, 3048, 5095)}, count=8192, FirstUsableLBA=2050),
                         "OK 3048 2048"),
    "the-last-of-pieces-in-4-kib": (table({15: (SYSTEM, 2048, 4095)}, size=4096, count=16,
                                          FirstUsableLBA=130), FOUND),
    "entries-further-back": (table(lba=200, FirstUsableLBA=232), FOUND),
    "entries-up-to-what-is-usable": (table(lba=2, FirstUsableLBA=34), FOUND),
    "a-longer-header": (table(tail=b"more"), FOUND),
    "a-header-of-a-sector": (table(tail=b"\xee" * 420), FOUND),
    "one-sector": (alone(2048, 2048), "OK 2048 1"),
    "the-first-usable-sector": (alone(FIRST, 100), "OK 34 67"),
    "the-last-usable-sector": (alone(131000, LAST), "OK 131000 38"),
    "all-that-is-usable": (alone(FIRST, LAST), f"OK 34 {LAST - FIRST + 1}"),
    "beyond-2-tib": (alone(1 << 40, (1 << 41) - 1, LastUsableLBA=(1 << 50)),
                     f"OK {1 << 40} {1 << 40}"),
    "all-there-can-be": (alone(FIRST, (1 << 64) - 1, LastUsableLBA=(1 << 64) - 1),
                         f"OK 34 {(1 << 64) - 34}"),
    "no-sector-for-the-copy": (table(AlternateLBA=0), FOUND),
    "a-reserved-number": (table(Reserved=1), FOUND),

    "no-entries": (table({}, count=0), "NO_PARTITION"),
    "unused-entries": (table({}), "NO_PARTITION"),
    "another-type": (table({0: (LINUX, 2048, 4095)}), "NO_PARTITION"),
    "a-type-with-one-byte-more": (table({0: (SYSTEM[:15] + b"\0", 2048, 4095)}), "NO_PARTITION"),
    "a-type-with-another-first-byte": (table({0: (b"\0" + SYSTEM[1:], 2048, 4095)}),
                                       "NO_PARTITION"),
    "behind-the-last-entry": (table({4: (SYSTEM, 2048, 4095)}, count=4), "NO_PARTITION"),

    "empty": (bytes(4 * SECTOR), "NO_TABLE"),
    "another-signature": (table(Signature=int.from_bytes(b"EFI PARU", "little")), "NO_TABLE"),
    "half-a-signature": (table(Signature=int.from_bytes(b"EFI \0\0\0\0", "little")), "NO_TABLE"),

    "a-header-of-91-bytes": (table(HeaderSize=91), "BAD_HEADER"),
    "a-header-of-0-bytes": (table(HeaderSize=0), "BAD_HEADER"),
    "a-header-of-513-bytes": (table(tail=b"\xab" * 421), "BAD_HEADER"),
    "a-header-of-4-gib": (table(HeaderSize=0xFFFFFFFF), "BAD_HEADER"),
    "another-header-checksum": (table(HeaderCRC32=1), "BAD_HEADER"),
    "header-checksum-0": (table(HeaderCRC32=0), "BAD_HEADER"),
    **{f"byte-{offset}-of-the-header": (damaged(SECTOR + offset, offset % 8), "BAD_HEADER")
       for offset in (8, 15, 16, 19, 20, 40, 56, 71, 91)},
    "a-bit-behind-the-header": (damaged(SECTOR + 92), FOUND),

    "revision-0": (table(Revision=0), "UNKNOWN"),
    "revision-2": (table(Revision=0x20000), "UNKNOWN"),
    "the-copy": (table(MyLBA=131071), "UNKNOWN"),
    "entries-of-64-bytes": (table(size=64, count=16), "UNKNOWN"),
    "entries-of-0-bytes": (table({}, count=0, SizeOfPartitionEntry=0), "UNKNOWN"),
    "entries-of-384-bytes": (table(size=384, count=16), "UNKNOWN"),
    "entries-of-8-kib": (table(size=8192, count=1), "UNKNOWN"),
    "more-than-1-mib-of-entries": (table(count=8193, FirstUsableLBA=9000), "UNKNOWN"),
    "4-gib-of-entries": (table(NumberOfPartitionEntries=1 << 25, FirstUsableLBA=1 << 30),
                         "UNKNOWN"),
    "4-gib-and-some": (table(NumberOfPartitionEntries=(1 << 25) + 128), "UNKNOWN"),
    "entries-in-the-header": (table(PartitionEntryLBA=1), "UNKNOWN"),
    "entries-in-the-mbr": (table(PartitionEntryLBA=0), "UNKNOWN"),
    "entries-behind-what-is-usable": (table(PartitionEntryLBA=35), "UNKNOWN"),
    "entries-beyond-all": (table(PartitionEntryLBA=(1 << 64) - 1), "UNKNOWN"),
    "entries-in-what-is-usable": (table(FirstUsableLBA=33), "UNKNOWN"),
    "half-a-sector-in-what-is-usable": (table(count=126, FirstUsableLBA=33), "UNKNOWN"),
    "nothing-usable": (table(FirstUsableLBA=0), "UNKNOWN"),

    "another-entry-checksum": (table(PartitionEntryArrayCRC32=1), "BAD_ENTRIES"),
    "no-entries-with-a-checksum": (table({}, count=0, PartitionEntryArrayCRC32=5), "BAD_ENTRIES"),
    **{f"byte-{offset}-of-the-entries": (damaged(2 * SECTOR + offset, offset % 8), "BAD_ENTRIES")
       for offset in (0, 3 * 128, 3 * 128 + 32, 127 * 128, 128 * 128 - 1)},
    "a-bit-behind-the-entries": (damaged(2 * SECTOR + 128 * 128), FOUND),

    "ends-before-it-begins": (alone(2049, 2048), "BAD_PARTITION"),
    "in-the-table": (alone(FIRST - 1, 4095), "BAD_PARTITION"),
    "in-the-copy": (alone(2048, LAST + 1), "BAD_PARTITION"),
    "nowhere": (alone(0, 0), "BAD_PARTITION"),
    "everywhere": (alone(0, (1 << 64) - 1), "BAD_PARTITION"),
    "a-bad-one-before-a-good-one": (table({0: (SYSTEM, 9, 8), 1: (SYSTEM, 2048, 4095)}),
                                    "BAD_PARTITION"),
}


@pytest.fixture(scope="module")
def disks(tmp_path_factory) -> list[Path]:
    """All of them, as files."""
    folder = tmp_path_factory.mktemp("disks")
    for name, (disk, _) in CASES.items():
        (folder / name).write_bytes(disk)
    return [folder / name for name in CASES]


def expected_line(words: str) -> str:
    """What the harness should print, but for the number of reads."""
    status, *numbers = words.split()
    return " ".join([f"status={STATUSES.index(status)}",
                     *(f"{name}={number}" for name, number in zip(("first", "count"), numbers))])


def read_all(program: Path, disks: list[Path]) -> list[str]:
    """What the harness prints of all of them, without the numbers of reads."""
    return re.sub(r" reads=\d+", "", run(program, *disks).stdout).splitlines()


@pytest.fixture(scope="module")
def lines(harness, disks) -> dict[str, str]:
    """The harness's line for each disk."""
    lines = read_all(harness.program, disks)
    assert len(lines) == len(disks), lines[-1]
    return dict(zip(CASES, lines))


@pytest.mark.parametrize("name", CASES)
def test_a_table_is_what_it_should_be(lines, name):
    """The partition that is found, or why there is none."""
    assert lines[name] == expected_line(CASES[name][1])


def test_every_status_is_reached():
    """By one table at least."""
    assert {words.split()[0] for _, words in CASES.values()} == set(STATUSES)


# ---- defects --------------------------------------------------------------------------

DEFECTS = {
    "count-without-the-last": ("last - *first + 1", "last - *first"),
    "entries-not-checked": ("crc != header.partition_entry_array_crc32", "false"),
    "ends-before-it-begins": ("*first > last || ", ""),
    "one-sector-is-none": ("*first > last || ", "*first >= last || "),
    "in-the-table": ("*first < header.first_usable_lba ||", ""),
    "not-the-first-usable": ("*first < header.first", "*first <= header.first"),
    "in-the-copy": ("last > header.last_usable_lba", "false"),
    "not-the-last-usable": ("last > header.last", "last >= header.last"),
    "crc-not-inverted": ("    crc = ~crc;\n", ""),
    "crc-not-inverted-back": ("return ~crc", "return crc"),
    "crc-of-seven-bits": ("bit < 8", "bit < 7"),
    "another-polynomial": ("0xedb88320", "0x04c11db7"),
    "header-not-checked": ("||\n        !has_good_checksum(there)", ""),
    "checksum-in-its-place": ("crc32(crc, &zeros, sizeof zeros)",
                              "crc32(crc, &header->header_crc32, sizeof zeros)"),
    "checksum-of-92-bytes": ("header->header_size - behind", "GPT_HEADER_SIZE - behind"),
    "short-header": ("there->header_size < GPT_HEADER_SIZE || ", ""),
    "short-header-by-a-byte": ("there->header_size < GPT_HEADER_SIZE",
                               "there->header_size < GPT_HEADER_SIZE - 1"),
    "long-header": ("there->header_size > DISK_SECTOR ||", ""),
    "no-sector-long-header": ("there->header_size > DISK_SECTOR",
                              "there->header_size >= DISK_SECTOR"),
    "no-signature": ("there->signature != GPT_SIGNATURE", "false"),
    "half-a-signature": ("there->signature != GPT_SIGNATURE",
                         "(uint32_t)there->signature != (uint32_t)GPT_SIGNATURE"),
    "any-revision": ("header->revision == GPT_REVISION && ", ""),
    "the-copy": ("header->my_lba == GPT_HEADER_LBA &&", ""),
    "small-entries": ("size >= GPT_ENTRY_SIZE && ", ""),
    "large-entries": ("size <= GPT_ENTRY_MOST && ", ""),
    "odd-entries": ("(size & (size - 1)) == 0", "true"),
    "no-entries-of-4-kib": ("size <= GPT_ENTRY_MOST", "size < GPT_ENTRY_MOST"),
    "many-entries": ("bytes <= GPT_ENTRIES_MOST && ", ""),
    "not-1-mib-of-entries": ("bytes <= GPT_ENTRIES_MOST", "bytes < GPT_ENTRIES_MOST"),
    "bytes-wrap": ("(uint64_t)header->number_of_partition_entries * size",
                   "header->number_of_partition_entries * size"),
    "entries-in-the-header": ("header->partition_entry_lba > GPT_HEADER_LBA &&", ""),
    "entries-behind-usable": (
        "header->partition_entry_lba <= header->first_usable_lba &&", ""),
    "entries-in-usable": (
        "sectors_of(bytes) <= header->first_usable_lba - header->partition_entry_lba", "true"),
    "entries-not-up-to-usable": ("sectors_of(bytes) <= header", "sectors_of(bytes) < header"),
    "half-sectors": ("(bytes + DISK_SECTOR - 1) / DISK_SECTOR", "bytes / DISK_SECTOR"),
    "crc-not-carried-on": ("*crc = crc32(*crc, piece, bytes)", "*crc = crc32(0, piece, bytes)"),
    "the-last-one-wins": ("at < bytes && !is_found", "at < bytes"),
    "entries-of-128-bytes": ("at += size", "at += GPT_ENTRY_SIZE"),
    "fifteen-bytes-of-a-type": ("type, sizeof type)", "type, sizeof type - 1)"),
    "any-first-byte-of-a-type": ("memcmp(entry->partition_type_guid, type, sizeof type)",
                                 "memcmp(entry->partition_type_guid + 1, type + 1, 15)"),
    "the-first-piece-again": ("        lba += PIECE_SECTORS;\n", ""),
    "only-the-first-piece": ("        left -= bytes;\n", "        left = 0;\n"),
    "whole-pieces": ("left < PIECE ? left : PIECE", "PIECE"),
    "no-partition-is-a-bad-one": ("    if (!found) {\n        return GPT_NO_PARTITION;\n    }\n",
                                  ""),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_harness_sees_a_defect(harness, disks, lines, defect):
    """With one thing wrong in gpt.c, a table gets another status or another partition."""
    program = harness.with_defect(*DEFECTS[defect])
    # One that never ends is seen as well.
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert read_all(program, disks) != list(lines.values())
