"""common/loader/fat.c on this computer, sanitized: file systems as tools make them, and made
here byte by byte, with one thing odd or wrong in each."""
from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from fat_volume import (
    DELETED,
    DIRECTORY,
    ENTRY,
    KERNEL,
    LABEL,
    LONG_NAME,
    SECTOR,
    Volume,
)
from host import Harness, run

from conftest import ROOT

HEADER = ROOT / "common/loader/fat.h"
STATUSES = re.findall(r"^    FAT_(\w+),", HEADER.read_text(), re.M)[:-1]
MIB = 1 << 20


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """fat_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("fat_test.c"), ROOT / "common/loader/fat.c",
                   tmp_path_factory.mktemp("fat"))


class Found(NamedTuple):
    """What a line of fat_test.c says: three statuses, as far as it came, and what there is."""
    statuses: str
    numbers: dict[str, int]


def found_in(line: str) -> Found:
    """A line of the harness, read; a sentence of it that something is wrong is no such line."""
    assert re.fullmatch(r"(\w+=\d+ ?)+", line), line
    numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
    return Found(" ".join(STATUSES[numbers[step]] for step in ("mount", "find", "run")
                          if step in numbers), numbers)


def partitions(*volumes: Volume) -> list[str]:
    """The harness's arguments."""
    return [str(word) for volume in volumes for word in (volume.path, volume.first, volume.count)]


def read_kernel(program: Path, volume: Volume) -> tuple[Found, bytes]:
    """What the harness found in a file system, and the bytes of the file."""
    output = volume.path.with_suffix(".bytes")
    done = run(program, output, *partitions(volume))
    assert done.returncode == 0, done.stdout
    return found_in(done.stdout.strip()), output.read_bytes()


def test_every_status_has_its_own_sentence(harness):
    """Short enough for a screen, and it says what to do."""
    sentences = run(harness.program).stdout.splitlines()
    assert len(sentences) == len(STATUSES) == len(set(sentences))
    for sentence in sentences[1:]:
        assert len(sentence) <= 200
        assert re.fullmatch(r"(The|There) .*(kernel\.elf|EFI system partition).*: .*\.", sentence)


# ---- file systems as tools make them --------------------------------------------------

def tool(*arguments: str | Path) -> None:
    """Run a tool that makes file systems, or skip the test where there is none."""
    # Debian keeps mkfs.fat where only root looks for programs.
    path = shutil.which(arguments[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{arguments[0]} is not here")
    subprocess.run([path, *arguments[1:]], check=True, stdout=subprocess.DEVNULL)


def formatted(path: Path, bits: int, clusters: int, per_cluster: int, sector_size: int) -> Volume:
    """A file system of mkfs.fat with about so many clusters."""
    with open(path, "wb") as file:
        file.truncate((clusters + 600) * per_cluster * sector_size)
    tool("mkfs.fat", "-F", str(bits), "-s", str(per_cluster), "-S", str(sector_size), path)
    volume = Volume(path)
    volume.count = path.stat().st_size // SECTOR
    return volume


@pytest.mark.parametrize("sector_size", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("per_cluster", [1, 2, 8, 32, 64, 128])
@pytest.mark.parametrize("bits, clusters", [(12, 3400), (16, 4600), (32, 66000)])
def test_a_file_of_mcopy_is_read(tmp_path, harness, bits, clusters, per_cluster, sector_size):
    """Byte by byte: of 3 MiB, or what fits. Then once more, in clusters without any order."""
    volume = formatted(tmp_path / "fat.img", bits, clusters, per_cluster, sector_size)
    size = min(3 * MIB + 1, volume.clusters * volume.cluster_size // 2)
    data = random.Random(bits).randbytes(size)
    (tmp_path / "kernel").write_bytes(data)
    tool("mcopy", "-i", volume.path, tmp_path / "kernel", "::kernel.elf")

    found, read = read_kernel(harness.program, volume)
    assert found.statuses == "OK OK OK"
    assert (found.numbers["bits"], found.numbers["clusters"]) == (bits, volume.clusters)
    assert read == data

    order = volume.chain(volume.entries()[KERNEL])
    random.Random(size).shuffle(order)
    volume.reorder(order)
    found, read = read_kernel(harness.program, volume)
    assert (found.statuses, read == data) == ("OK OK OK", True)


@pytest.mark.parametrize("bits, clusters", [(12, 3000), (16, 4600), (32, 66000)])
def test_a_file_that_mtools_put_into_holes_is_read(tmp_path, harness, bits, clusters):
    """Every other small file is deleted, and the kernel takes their places, and more. Before
    it in the directory are long names, and it has been there before."""
    volume = formatted(tmp_path / "fat.img", bits, clusters, 2, 512)
    image = ("-i", volume.path)
    (tmp_path / "small").write_bytes(b"small" * 500)
    (tmp_path / "kernel").write_bytes(b"old")
    names = [f"::a long name, number {number}" for number in range(24)]
    tool("mcopy", *image, tmp_path / "kernel", "::kernel.elf")
    for name in names:
        tool("mcopy", *image, tmp_path / "small", name)
    tool("mdel", *image, "::kernel.elf", *names[::2])
    if bits == 32:
        # FSI_Nxt_Free: mtools would go on where it was, behind the holes.
        volume.write(SECTOR + 492, (2).to_bytes(4, "little"))
    data = random.Random(bits).randbytes(300_000)
    (tmp_path / "kernel").write_bytes(data)
    tool("mcopy", *image, tmp_path / "kernel", "::kernel.elf")

    found, read = read_kernel(harness.program, volume)
    assert (found.statuses, read == data) == ("OK OK OK", True)
    chain = volume.chain(volume.entries()[KERNEL])
    assert sum(after != before + 1 for before, after in zip(chain, chain[1:])) >= 5


# ---- file systems of our own ----------------------------------------------------------

CLUSTERS = {12: 300, 16: 5000, 32: 66000}
LAST = {12: 0xFFF, 16: 0xFFFF, 32: 0xFFFFFFF}  # of the marks for the end of a chain

# Each has a function that makes a file system in a file, with a kernel of some bytes; and
# what the three steps should say of it.
CASES: dict[str, tuple[Callable[[Path], tuple[Volume, bytes]], str]] = {}


def case(statuses: str, *bits: int) -> Callable:
    """Add a function to the cases, once for each kind of FAT."""
    def add(function: Callable[[Path, int], tuple[Volume, bytes]]) -> Callable:
        for kind in bits or (12, 16, 32):
            name = f"{function.__name__.replace('_', '-')}-{kind}"
            CASES[name] = (lambda path, kind=kind: function(path, kind)), statuses
        return function
    return add


def small(path: Path, bits: int, clusters: list[int] | None = None, size: int = 0,
          **options: int) -> tuple[Volume, bytes]:
    """A file system with a kernel in these clusters, of whole clusters if no size is said."""
    clusters = clusters or [5, 6, 7]
    volume = Volume.make(path, bits, options.pop("count", CLUSTERS[bits]), **options)
    return volume, volume.add_file(clusters, size or len(clusters) * volume.cluster_size)


def with_fields(**fields: int) -> Callable[[Path, int], tuple[Volume, bytes]]:
    """A function that makes a small one with other numbers in its boot sector."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, _ = small(path, bits)
        volume.set_fields(**fields)
        return volume, b""
    return make


def add_cases(statuses: str, make: Callable[..., Callable], *values: object,
              bits: tuple[int, ...] = (12, 16, 32)) -> None:
    """Add what make(value) returns, for each value and each kind of FAT."""
    for value in values:
        for kind in bits:
            words = " ".join(map(str, value if isinstance(value, tuple) else (value,)))
            name = "-".join(re.findall(r"\w+", f"{make.__name__} {words} {kind}"))
            CASES[name] = (lambda path, kind=kind, value=value: make(value)(path, kind)), statuses


def size(bytes_: int) -> Callable:
    """A file of so many bytes, in clusters that do not follow each other."""
    return lambda path, bits: small(path, bits, [9, 4, 6, 7, 3][:-(-bytes_ // SECTOR)], bytes_)


add_cases("OK OK OK", size, 1, 511, 512, 513, 1024, 1025, 2047, 2048, 2049, 2560)


def order(clusters: tuple[int, ...]) -> Callable:
    """A file in these clusters, of four sectors each; it ends within the last one."""
    return lambda path, bits: small(path, bits, list(clusters),
                                    (len(clusters) * 4 - 2) * SECTOR - 5, per_cluster=4)


add_cases("OK OK OK", order, (7,), (3, 4, 5, 6), (9, 8, 7, 6, 5),
          (5, 6, 7, 20, 21, 10, 11, 12), (3, 5, 7, 9, 8, 6, 4))


def clusters_of(sectors: int) -> Callable:
    """Clusters of so many sectors, of 512 bytes and of 4 KiB; a file of two of them, and a bit."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        sector_size = 4096 if sectors % 2 == 0 else 512
        return small(path, bits, [9, 10, 5], 2 * abs(sectors) * sector_size + 3,
                     per_cluster=abs(sectors), sector_size=sector_size, root_entries=33)
    return make


add_cases("OK OK OK", clusters_of, 1, 2, 16, 128)


def file_system_of(clusters: int) -> Callable:
    """So many clusters; the file has the last one, another, the last but one, and the first."""
    return lambda path, bits: small(path, bits, [clusters + 1, 5, clusters, 3], count=clusters)


add_cases("OK OK OK", file_system_of, 8, 340, 4084, bits=(12,))
add_cases("OK OK OK", file_system_of, 4085, 4094, 65524, bits=(16,))
add_cases("OK OK OK", file_system_of, 65525, 65662, bits=(32,))


@case("OK OK OK")
def a_file_of_no_bytes(path, bits):
    """Its cluster is not looked at."""
    volume = Volume.make(path, bits, CLUSTERS[bits])
    volume.add(KERNEL, 1, 0)
    return volume, b""


@case("OK OK OK", 12, 16)
def the_first_cluster_of_all(path, bits):
    """The file begins behind the root directory."""
    return small(path, bits, [2, 3])


@case("OK OK OK", 32)
def a_root_directory_elsewhere(path, bits):
    """On FAT32 it may be in any cluster."""
    volume = Volume.make(path, bits, CLUSTERS[bits])
    volume.set_fields(RootClus=65999)
    volume.set_chain([65999, 4000])
    return volume, volume.add_file([2, 3], 1000)


@case("OK OK OK", 16, 32)
def a_chain_over_all_of_the_fat(path, bits):
    """There and back: of 16 bits, 4096 entries are in memory, of 32 bits 2048."""
    last = CLUSTERS[bits] + 1
    return small(path, bits, [*range(2040, 2056), last, last - 1, 3, *range(4090, 4100), 2039, 4])


@case("OK OK OK")
def a_chain_that_is_longer_than_its_file(path, bits):
    """Some systems take clusters before they have bytes for them."""
    volume, data = small(path, bits, [5], 100)
    volume.set_chain([5, 9, 10, 11])
    return volume, data


@case("OK OK OK")
def the_first_of_the_marks_for_an_end(path, bits):
    """All eight mean the same."""
    volume, data = small(path, bits)
    volume.set_entry(7, volume.mask - 7)
    return volume, data


@case("OK OK OK")
def copies_of_the_fat_that_differ(path, bits):
    """The first one counts."""
    volume, data = small(path, bits, [5, 6, 9])
    for cluster in (5, 6, 9):
        volume.set_entry(cluster, 0, slice(1, None))
    return volume, data


@case("OK OK OK")
def one_copy_of_the_fat(path, bits):
    """And one reserved sector: as few as there can be."""
    return small(path, bits, fats=1, reserved=1)


@case("OK OK OK")
def three_copies_of_a_fat_that_is_too_long(path, bits):
    """As some tools make it, to align what is behind it."""
    return small(path, bits, fats=3, reserved=37, fat_sectors=600)


@case("OK OK OK", 32)
def bits_that_mean_nothing(path, bits):
    """FAT32 has 28 bits; the four above them are anything, in the FAT and in directories."""
    volume = Volume.make(path, bits, CLUSTERS[bits])
    for fat in volume.fats:
        volume.write(fat, b"\xff" * 100)
    volume.set_entry(2, volume.mask)
    data = volume.add_file([5, 9, 10], 1500)
    volume.add(KERNEL, 0xA0000005, 1500, slot=0)
    return volume, data


@case("OK OK OK", 12, 16)
def a_cluster_with_a_high_half(path, bits):
    """Only FAT32 has one; other systems keep something else in its place."""
    volume, data = small(path, bits)
    volume.add(KERNEL, 0x1230005, len(data), slot=0)
    return volume, data


@case("OK OK OK", 12, 16)
def a_name_of_another_type(path, bits):
    """What the boot sector is called says nothing."""
    volume, data = small(path, bits)
    volume.write(54, b"FAT32   ")
    return volume, data


@case("OK OK OK", 12, 16)
def two_numbers_of_sectors(path, bits):
    """That of 16 bits counts, if it is not 0."""
    volume, data = small(path, bits)
    volume.set_fields(TotSec32=0xFFFFFFFF)
    return volume, data


@case("OK OK OK", 12, 16)
def a_number_of_sectors_in_32_bits(path, bits):
    """Though 16 would do."""
    volume, data = small(path, bits)
    volume.set_fields(TotSec32=volume.field("TotSec16"))
    volume.set_fields(TotSec16=0)
    return volume, data


@case("OK OK OK")
def a_larger_partition(path, bits):
    """What is behind the file system stays as it is."""
    volume, data = small(path, bits)
    volume.count += 1
    return volume, data


@case("OK OK OK")
def sectors_that_lie_far_back(path, bits):
    """The partition begins beyond 4 GiB."""
    return small(path, bits, first=10_000_000)


# ---- directories ----------------------------------------------------------------------

OTHER = b"OTHER   ELF"


def full(path: Path, bits: int, *last: tuple[bytes, int, int, int]) -> Volume:
    """A root directory of 512 entries without a free one, on FAT32 in clusters without order;
    the last ones are given."""
    volume = Volume.make(path, bits, CLUSTERS[bits], root_entries=512)
    if bits == 32:
        volume.set_chain([2, *range(60, 40, -1), *range(100, 111)])
    for at in volume.slots():
        volume.write(at, ENTRY.pack(OTHER, 0x20, 0, 9, 1))
    for slot, entry in enumerate(last, 512 - len(last)):
        volume.add(*entry, slot=slot)
    return volume


@case("OK OK OK")
def the_last_entry_of_a_full_directory(path, bits):
    """With nothing behind it that says so."""
    volume = full(path, bits, (KERNEL, 9, 1, 0))
    volume.write(volume.at(9), b"K")
    volume.set_chain([9])
    return volume, b"K"


@case("OK NO_FILE")
def a_full_directory_without_the_kernel(path, bits):
    """On FAT32 its chain ends, else it has its size; behind it is what looks like the file."""
    volume = full(path, bits)
    behind = volume.data if bits < 32 else volume.at(111)
    volume.write(behind, ENTRY.pack(KERNEL, 0x20, 0, 9, 1))
    return volume, b""


@case("OK OK OK")
def all_but_the_file_before_it(path, bits):
    """A label, a directory, a deleted file, parts of long names: nothing of that is it."""
    volume = Volume.make(path, bits, CLUSTERS[bits])
    volume.add(KERNEL, 0, 0, LABEL)
    volume.add(KERNEL, 8, 0, DIRECTORY)
    volume.add(DELETED, 9, 100)
    volume.add(KERNEL, 9, 100, LONG_NAME)
    volume.add(KERNEL, 9, 100, DIRECTORY | 0x01)
    volume.add(KERNEL.lower(), 9, 100)
    volume.add(b"KERNEL  EL_", 9, 100)
    volume.add(b"_ERNEL  ELF", 9, 100)
    volume.add(KERNEL, 10, 700, 0x27)
    volume.add(KERNEL, 9, 100)
    volume.set_chain([10, 12])
    for cluster in (10, 12):
        volume.write(volume.at(cluster), b"%d" % cluster * 256)
    return volume, (b"10" * 256 + b"12" * 256)[:700]


@case("OK NO_FILE")
def a_file_behind_the_end(path, bits):
    """The first entry that was never used ends the directory."""
    volume, _ = small(path, bits)
    volume.add(KERNEL, 5, 100, slot=2)
    volume.add(OTHER, slot=0)
    return volume, b""


@case("OK NO_FILE")
def a_deleted_file(path, bits):
    """Its first letter is gone."""
    volume, _ = small(path, bits)
    volume.add(DELETED, 5, 100, slot=0)
    return volume, b""


def root_chain(mark: str) -> Callable:
    """A root directory that goes on in no cluster."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume = full(path, bits)
        volume.set_entry(105, {"free": 0, "one": 1, "bad": volume.mask - 8, "itself": 105,
                               "first": 2, "outside": volume.clusters + 2}[mark])
        return volume, b""
    return make


add_cases("OK CHAIN_FREE", root_chain, "free", bits=(32,))
add_cases("OK CHAIN_BAD", root_chain, "bad", bits=(32,))
add_cases("OK CHAIN_OUTSIDE", root_chain, "one", "outside", bits=(32,))
add_cases("OK CHAIN_LOOPS", root_chain, "itself", "first", bits=(32,))


def directory_of(clusters: int) -> Callable:
    """A root directory of clusters of 4 KiB, the kernel in its last entry. FAT allows 2 MiB."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume = Volume.make(path, bits, CLUSTERS[bits], per_cluster=8)
        volume.set_chain([2, *range(10, 9 + clusters)])
        for cluster in volume.chain(2):
            volume.write(volume.at(cluster), ENTRY.pack(OTHER, 0x20, 0, 9, 1) * 128)
        return volume, volume.add_file([5000], 1, slot=128 * clusters - 1)
    return make


add_cases("OK OK OK", directory_of, 2, 512, bits=(32,))
add_cases("OK CHAIN_LOOPS", directory_of, 513, bits=(32,))


# ---- boot sectors that are wrong ------------------------------------------------------

def boot(field: tuple[str, int]) -> Callable:
    """A boot sector with another number."""
    return with_fields(**{field[0]: field[1]})


add_cases("NO_SIGNATURE", boot, ("Signature", 0), ("Signature", 0x55AA))
add_cases("BAD_BOOT_SECTOR", boot, ("BytsPerSec", 0), ("BytsPerSec", 256), ("BytsPerSec", 513),
          ("BytsPerSec", 1536), ("BytsPerSec", 8192), ("SecPerClus", 0), ("SecPerClus", 3),
          ("SecPerClus", 255), ("RsvdSecCnt", 0), ("NumFATs", 0))
add_cases("BAD_BOOT_SECTOR", boot, ("FSVer", 1), ("RootEntCnt", 16), ("ExtFlags", 0x80),
          ("ExtFlags", 0x81), ("RootClus", 0), ("RootClus", 1), ("RootClus", 66002),
          ("RootClus", 0xFFFFFF7), ("RootClus", 0xFFFFFFF), ("RootClus", 0xF0000002), bits=(32,))
add_cases("BAD_LAYOUT", boot, ("TotSec16", 1))
add_cases("BAD_LAYOUT", boot, ("RsvdSecCnt", 65535), ("FATSz16", 65535), bits=(12, 16))
add_cases("BAD_LAYOUT", boot, ("NumFATs", 255), bits=(16, 32))
add_cases("BAD_LAYOUT", boot, ("FATSz32", 0), ("FATSz32", 0xFFFFFFFF), ("TotSec32", 0), bits=(32,))
add_cases("BEYOND_PARTITION", boot, ("TotSec16", 65535), bits=(12, 16))
add_cases("BEYOND_PARTITION", boot, ("TotSec32", 0xFFFFFFFF), bits=(32,))


def room_for(clusters: tuple[int, int]) -> Callable:
    """Clusters of four sectors, none or one, and so many sectors more."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume = Volume.make(path, bits, CLUSTERS[bits], per_cluster=4)
        volume.set_fields(TotSec16=volume.data // SECTOR + 4 * clusters[0] + clusters[1])
        volume.clusters = clusters[0]
        return volume, b""
    return make


add_cases("BAD_LAYOUT", room_for, (0, -1), (0, 0), (0, 3))
add_cases("OK NO_FILE", room_for, (1, 0), (1, 3), bits=(12,))


def a_fat_of(sizes: tuple[int, int]) -> Callable:
    """A FAT of so many sectors, and so many clusters."""
    return lambda path, bits: (Volume.make(path, bits, sizes[1], fat_sectors=sizes[0]), b"")


# A sector has 341 entries and a third, or 256, or 128; the first two are not of clusters.
add_cases("BAD_LAYOUT", a_fat_of, (1, 340), (3, 1023), bits=(12,))
add_cases("BAD_LAYOUT", a_fat_of, (16, 4095), bits=(16,))
add_cases("BAD_LAYOUT", a_fat_of, (512, 65535), bits=(32,))
add_cases("OK NO_FILE", a_fat_of, (1, 339), (3, 1022), bits=(12,))
add_cases("OK NO_FILE", a_fat_of, (16, 4094), bits=(16,))
add_cases("OK NO_FILE", a_fat_of, (513, 65662), bits=(32,))


def clusters_for_another_type(clusters: int) -> Callable:
    """A layout of FAT32 with too few clusters, or one of FAT16 with too many."""
    return lambda path, bits: (Volume.make(path, bits, clusters, fat_sectors=600), b"")


add_cases("WRONG_TYPE", clusters_for_another_type, 100, 4084, 4085, 65524, bits=(32,))
add_cases("WRONG_TYPE", clusters_for_another_type, 65525, bits=(16,))


@case("BEYOND_PARTITION")
def a_partition_that_is_a_sector_short(path, bits):
    """The file system does not fit."""
    volume, _ = small(path, bits)
    volume.count -= 1
    return volume, b""


@case("BEYOND_PARTITION", 32)
def sectors_that_wrap_in_32_bits(path, bits):
    """Of 4 KiB each there would be 2^32 + 8 of 512 bytes."""
    volume, _ = small(path, bits, sector_size=4096)
    volume.set_fields(TotSec32=0x20000001)
    return volume, b""


def many(clusters: int) -> Callable:
    """More clusters than anybody has; only the beginning of them is in the file."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume = Volume.make(path, bits, CLUSTERS[bits], fat_sectors=0x200000, fats=1)
        volume.count = 0x200002 + clusters
        volume.set_fields(TotSec32=volume.count)
        volume.clusters = clusters
        return volume, b""
    return make


add_cases("OK NO_FILE", many, 0xFFFFFF5, bits=(32,))
add_cases("BAD_LAYOUT", many, 0xFFFFFF6, bits=(32,))


# ---- chains that are wrong ------------------------------------------------------------

def next_cluster(mark: str) -> Callable:
    """A chain whose second cluster has another one behind it; without an end, or too early."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, _ = small(path, bits, [5, 6, 7, 9])
        volume.set_entry(6, {
            "free": 0, "one": 1, "bad": volume.mask - 8, "first outside": volume.clusters + 2,
            "last outside": volume.mask - 9, "end": volume.mask, "first end": volume.mask - 7,
            "itself": 6, "before": 5}[mark])
        return volume, b""
    return make


def behind_the_end(mark: str) -> Callable:
    """The same behind the file's last cluster: nothing that is read, but a wrong chain."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, _ = next_cluster(mark)(path, bits)
        volume.add(KERNEL, 5, 2 * SECTOR, slot=0)
        return volume, b""
    return make


for wrong_chain in (next_cluster, behind_the_end):
    add_cases("OK OK CHAIN_FREE", wrong_chain, "free")
    add_cases("OK OK CHAIN_BAD", wrong_chain, "bad")
    add_cases("OK OK CHAIN_OUTSIDE", wrong_chain, "one", "first outside", "last outside")
    add_cases("OK OK CHAIN_LOOPS", wrong_chain, "itself", "before")
add_cases("OK OK CHAIN_ENDS", next_cluster, "end", "first end")


def first_cluster(mark: str) -> Callable:
    """A directory that says where the file begins, and is wrong."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, data = small(path, bits)
        cluster = {"free": 0, "one": 1, "outside": volume.clusters + 2, "bad": volume.mask - 8,
                   "end": volume.mask, "unused": volume.clusters + 1}[mark]
        volume.add(KERNEL, cluster, len(data), slot=0)
        return volume, b""
    return make


add_cases("OK CHAIN_FREE", first_cluster, "free")
add_cases("OK CHAIN_OUTSIDE", first_cluster, "one", "outside")
add_cases("OK CHAIN_BAD", first_cluster, "bad")
add_cases("OK CHAIN_ENDS", first_cluster, "end")
add_cases("OK OK CHAIN_FREE", first_cluster, "unused")


def size_of_three_clusters_and(more: int) -> Callable:
    """A file whose chain has three clusters; the directory says another size."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, data = small(path, bits)
        volume.add(KERNEL, 5, 3 * SECTOR + more, slot=0)
        return volume, data if more == 0 else b""
    return make


add_cases("OK OK OK", size_of_three_clusters_and, 0)
add_cases("OK OK CHAIN_ENDS", size_of_three_clusters_and, 1, 50000)
add_cases("OK CHAIN_ENDS", size_of_three_clusters_and, 0xFFFFF9FF)


def size_of_all_clusters_and(more: int) -> Callable:
    """More than there is: if the chain has no end, it loops."""
    def make(path: Path, bits: int) -> tuple[Volume, bytes]:
        volume, _ = small(path, bits)
        volume.set_entry(7, 5)
        volume.add(KERNEL, 5, volume.clusters * SECTOR + more, slot=0)
        return volume, b""
    return make


add_cases("OK OK CHAIN_LOOPS", size_of_all_clusters_and, 0)
add_cases("OK CHAIN_ENDS", size_of_all_clusters_and, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, tuple[Volume, bytes]]:
    """All these file systems, and the bytes of their kernels."""
    folder = tmp_path_factory.mktemp("volumes")
    made = {}
    for name, (make, statuses) in CASES.items():
        volume, data = make(folder / f"{name}.img")
        made[name] = volume, data if statuses == "OK OK OK" else b""
    return made


def read_all(program: Path, made: dict[str, tuple[Volume, bytes]],
             output: Path) -> tuple[list[str], bytes]:
    """What the harness prints of all of them, and the bytes of all files that it could read."""
    done = run(program, output, *partitions(*(volume for volume, _ in made.values())))
    return done.stdout.splitlines(), output.read_bytes()


@pytest.fixture(scope="module")
def lines(harness, made, tmp_path_factory) -> dict[str, str]:
    """The harness's line for each case. The bytes are right, or this fails."""
    lines, data = read_all(harness.program, made, tmp_path_factory.mktemp("read") / "bytes")
    assert len(lines) == len(made), lines[-1]
    assert data == b"".join(data for _, data in made.values())
    return dict(zip(made, lines))


@pytest.mark.parametrize("name", CASES)
def test_a_file_system_is_what_it_should_be(lines, made, name):
    """Its type, the number of its clusters, what is found; or why it is refused."""
    volume, data = made[name]
    found = found_in(lines[name])
    assert found.statuses == CASES[name][1]
    if found.statuses.startswith("OK"):
        assert found.numbers["bits"] == volume.bits
        assert found.numbers["clusters"] == volume.clusters
    if found.statuses == "OK OK OK":
        assert found.numbers["size"] == len(data)


def test_every_status_is_reached():
    """By one file system at least."""
    assert {word for _, words in CASES.values() for word in words.split()} == set(STATUSES)


def test_the_largest_file_has_all_its_sectors(tmp_path, harness):
    """Of a byte less than 4 GiB: more than 32 bits would count in sectors and a bit."""
    volume = Volume.make(tmp_path / "largest.img", 32, 66000, per_cluster=128)
    chain = range(3, 3 + (1 << 32) // volume.cluster_size)
    volume.write(volume.fats[0] + 4 * chain[0],
                 b"".join((cluster + 1).to_bytes(4, "little") for cluster in chain))
    volume.set_entry(chain[-1], volume.mask)
    volume.add(KERNEL, chain[0], (1 << 32) - 1)
    found, _ = read_kernel(harness.program, volume)
    assert (found.statuses, found.numbers["size"]) == ("OK OK OK", (1 << 32) - 1)
    assert found.numbers["run_reads"] == -(-chain[-1] // 2048)


@pytest.mark.parametrize("step", [1, 2], ids=["in-one-piece", "every-other-cluster"])
def test_a_long_chain_needs_few_reads(tmp_path, harness, step):
    """Of 100,000 clusters in a FAT32: the FAT is read once, 2048 entries at a time."""
    count = 100_000
    volume = Volume.make(tmp_path / "long.img", 32, 2 * count + 10)
    chain = range(10, 10 + step * count, step)
    table = bytearray(4 * (chain[-1] + 1))
    for cluster in chain:
        table[4 * cluster:4 * cluster + 4] = (cluster + step).to_bytes(4, "little")
    volume.write(volume.fats[0], bytes(table))
    volume.set_chain([2])
    volume.set_entry(chain[-1], volume.mask)
    volume.add(KERNEL, chain[0], count * SECTOR)
    found, _ = read_kernel(harness.program, volume)
    assert found.statuses == "OK OK OK"
    assert found.numbers["mount_reads"] == found.numbers["find_reads"] == 1
    assert found.numbers["run_reads"] <= -(-chain[-1] // 2048) + 1


# ---- defects --------------------------------------------------------------------------

DEFECTS: dict[str, tuple[str, str]] = {
    "no-signature": ("boot->signature != FAT_SIGNATURE", "false"),
    "type-not-checked": ("is_fat32 != (fat->entry_bits == 32)", "false"),
    "fat-without-clusters-0-and-1": (
        "fat->cluster_count + (uint64_t)FAT_FIRST_CLUSTER)",
        "(uint64_t)fat->cluster_count)"),
    "fat-too-small": (
        ") * fat->entry_bits >\n        fat->fat_sectors * BITS_PER_SECTOR",
        ") * fat->entry_bits / 2 >\n        fat->fat_sectors * BITS_PER_SECTOR"),
    "fat-exactly-large-enough": (") * fat->entry_bits >\n", ") * fat->entry_bits >=\n"),
    "root-cluster-not-checked": (
        "is_fat32 && check_cluster(fat, fat->root_cluster) != FAT_OK",
        "false"),
    "version-ignored": ("boot->version != 0 || ", ""),
    "root-entries-ignored": ("boot->root_entries != 0 ||", ""),
    "mirroring-ignored": (" ||\n         (boot->flags & FAT_NOT_MIRRORED) != 0", ""),
    "fields-of-fat32-in-fat16": ("boot->fat_sectors_16 == 0 &&\n", "true &&\n"),
    "any-sector-size": ("return is_power_of_two(boot->bytes_per_sector) &&", "return"),
    "small-sectors": ("boot->bytes_per_sector >= FAT_SECTOR_LEAST &&", ""),
    "large-sectors": ("boot->bytes_per_sector <= FAT_SECTOR_MOST &&", ""),
    "any-cluster-size": ("is_power_of_two(boot->sectors_per_cluster) &&", ""),
    "zero-is-a-power-of-two": ("return number != 0 && ", "return "),
    "no-reserved-sectors": ("boot->reserved_sectors != 0 &&", ""),
    "no-fat": ("&&\n           boot->fat_count != 0", ""),
    "sectors-of-512-bytes": ("scale = boot->bytes_per_sector / DISK_SECTOR", "scale = 1"),
    "sectors-wrap": ("total = scale * (", "total = (uint32_t)scale * ("),
    "sectors-of-32-bits-only": (
        "boot->total_sectors_16 != 0 ? boot->total_sectors_16",
        "false ? boot->total_sectors_16"),
    "sectors-of-16-bits-only": ("boot->total_sectors_16 != 0 ?", "true ?"),
    "one-fat": ("reserved + boot->fat_count * fat->fat_sectors", "reserved + fat->fat_sectors"),
    "root-rounded-down": ("(boot->root_entries + ENTRIES_PER_SECTOR - 1)", "boot->root_entries"),
    "root-of-half-sectors": ("(root + scale - 1) / scale * scale", "root"),
    "partition-too-small": ("total > count", "total > count + 1"),
    "partition-exactly-large-enough": ("total > count", "total >= count"),
    "no-clusters": (" || total - data_offset < fat->cluster_sectors", ""),
    "one-cluster-is-none": ("total - data_offset < fat", "total - data_offset <= fat"),
    "clusters-like-marks": ("clusters > FAT32_CLUSTERS_MOST", "clusters > FAT32_CLUSTERS_MOST + 1"),
    "fewer-clusters-than-allowed": (
        "clusters > FAT32_CLUSTERS_MOST",
        "clusters >= FAT32_CLUSTERS_MOST"),
    "fat-at-the-partition": ("fat->fat_lba = first + reserved", "fat->fat_lba = first"),
    "fat-without-first": ("fat->fat_lba = first + reserved", "fat->fat_lba = reserved"),
    "root-behind-one-fat": (
        "fat->root_lba = first + root_offset",
        "fat->root_lba = first + reserved + fat->fat_sectors"),
    "root-a-sector-short": ("fat->root_sectors = root;", "fat->root_sectors = root - 1;"),
    "root-a-sector-long": ("fat->root_sectors = root;", "fat->root_sectors = root + 1;"),
    "4084-clusters-are-16-bits": (
        "cluster_count < FAT16_CLUSTERS_LEAST",
        "cluster_count < FAT16_CLUSTERS_LEAST - 1"),
    "4085-clusters-are-12-bits": (
        "cluster_count < FAT16_CLUSTERS_LEAST",
        "cluster_count <= FAT16_CLUSTERS_LEAST"),
    "65524-clusters-are-32-bits": (
        "cluster_count < FAT32_CLUSTERS_LEAST",
        "cluster_count < FAT32_CLUSTERS_LEAST - 1"),
    "65525-clusters-are-16-bits": (
        "cluster_count < FAT32_CLUSTERS_LEAST",
        "cluster_count <= FAT32_CLUSTERS_LEAST"),
    "32-bits-are-used": ("0x0fffffff;", "0xffffffff;"),
    "window-kept": ("fat->window_lba != lba", "fat->window_lba == 0"),
    "window-never-kept": ("fat->window_lba = lba;", ""),
    "window-of-another-disk": ("fat->window_lba = 0;", ""),
    "window-behind-the-fat": (
        "smaller(fat->fat_sectors - window, FAT_WINDOW_SECTORS)",
        "FAT_WINDOW_SECTORS"),
    "window-a-sector-short": (
        "smaller(fat->fat_sectors - window, FAT_WINDOW_SECTORS)",
        "smaller(fat->fat_sectors - window, FAT_WINDOW_SECTORS - 1)"),
    "bits-not-shifted": ("entry >> bit % 8", "entry"),
    "first-end-unknown": ("cluster >= FAT_END(", "cluster > FAT_END("),
    "bad-unknown": ("cluster == FAT_BAD(fat->entry_mask)", "false"),
    "free-unknown": ("cluster == FAT_FREE", "false"),
    "one-cluster-too-many": (
        "cluster - FAT_FIRST_CLUSTER >= fat->cluster_count",
        "cluster - FAT_FIRST_CLUSTER > fat->cluster_count"),
    "one-cluster-too-few": (
        "cluster - FAT_FIRST_CLUSTER >= fat->cluster_count",
        "cluster - FAT_FIRST_CLUSTER + 1 >= fat->cluster_count"),
    "clusters-from-0": (
        "(uint64_t)(cluster - FAT_FIRST_CLUSTER) * fat->cluster_sectors",
        "(uint64_t)cluster * fat->cluster_sectors"),
    "no-high-half": ("(uint32_t)entry->cluster_high << 16 | ", ""),
    "high-half-not-masked": ("cluster & fat->entry_mask", "cluster"),
    "empty-file-has-a-cluster": ("file->size == 0", "false"),
    "file-larger-than-all": ("file->size > fat->cluster_count * cluster_size", "false"),
    "file-as-large-as-all": ("file->size > fat->cluster_count", "file->size >= fat->cluster_count"),
    "first-cluster-not-checked": (
        "return check_cluster(fat, file->first_cluster)",
        "return FAT_OK"),
    "index-not-set": ("    file->index = 0;\n    if (file->size == 0)", "    if (file->size == 0)"),
    "directory-never-ends": ("entry->name[0] == FAT_NO_MORE_ENTRIES", "false"),
    "directories-are-files": ("(FAT_VOLUME_ID | FAT_DIRECTORY)", "FAT_VOLUME_ID"),
    "labels-are-files": ("(FAT_VOLUME_ID | FAT_DIRECTORY)", "FAT_DIRECTORY"),
    "ten-letters": (
        "memcmp(entry->name, name, sizeof entry->name)",
        "memcmp(entry->name, name, 10)"),
    "not-the-first-letter": (
        "memcmp(entry->name, name, sizeof entry->name)",
        "memcmp(entry->name + 1, name + 1, 10)"),
    "an-entry-of-each-sector-is-left-out": (
        "left = piece * ENTRIES_PER_SECTOR;",
        "left = piece * (ENTRIES_PER_SECTOR - 1);"),
    "the-first-piece-again": ("        lba += piece;\n", ""),
    "root-of-one-cluster": (
        "return status == FAT_CHAIN_ENDS ? FAT_NO_FILE : status;\n        }\n    }\n"
        "    return FAT_CHAIN_LOOPS;\n}\n\n/* ---- files",
        "return FAT_NO_FILE;\n        }\n    }\n    return FAT_CHAIN_LOOPS;\n}\n\n/* ---- files"),
    "directory-a-cluster-short": (
        "done < DIRECTORY_MOST;",
        "done + fat->cluster_sectors < DIRECTORY_MOST;"),
    "directory-a-cluster-long": ("done < DIRECTORY_MOST;", "done <= DIRECTORY_MOST;"),
    "directory-of-65536-clusters": ("done += fat->cluster_sectors", "done++"),
    "an-end-is-an-error": ("return status == FAT_CHAIN_ENDS ? FAT_OK : status;", "return status;"),
    "behind-the-end-all-is-well": (
        "return status == FAT_CHAIN_ENDS ? FAT_OK : status;",
        "return FAT_OK;"),
    "the-end-is-not-looked-at": ("*count == left ? check_end(fat, file) : FAT_OK", "FAT_OK"),
    "every-end-is-looked-at": (
        "*count == left ? check_end(fat, file) : FAT_OK",
        "check_end(fat, file)"),
    "no-way-back": ("index < file->index", "false"),
    "back-to-index-only": ("        file->cluster = file->first_cluster;\n", ""),
    "seek-without-a-check": (
        "        if (status != FAT_OK) {\n            return status;\n        }\n"
        "        file->cluster = next;\n        file->index++;\n    }\n    return FAT_OK;",
        "        (void)status;\n        file->cluster = next;\n        file->index++;\n    }\n"
        "    return FAT_OK;"),
    "a-sector-behind-the-file": ("file->size + DISK_SECTOR - 1)", "file->size + DISK_SECTOR)"),
    "sectors-rounded-down": ("file->size + DISK_SECTOR - 1)", "file->size)"),
    "as-many-as-there-are": ("wanted = smaller(left, most)", "wanted = left"),
    "behind-the-file": ("wanted = smaller(left, most)", "wanted = most"),
    "from-the-cluster-s-begin": (
        "lba_of(fat, file->cluster) + offset",
        "lba_of(fat, file->cluster)"),
    "run-too-long-by-offset": (
        "found = fat->cluster_sectors - offset",
        "found = fat->cluster_sectors"),
    "one-cluster-more": ("while (found < wanted)", "while (found <= wanted)"),
    "any-cluster-follows": ("next != file->cluster + 1", "false"),
    "no-cluster-follows": ("next != file->cluster + 1", "true"),
    "cursor-without-index": ("        file->index++;\n        found", "        found"),
    "cursor-stays": (
        "        file->cluster = next;\n        file->index++;\n        found",
        "        found"),
    "more-than-wanted": ("*count = smaller(found, wanted)", "*count = found"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_harness_sees_a_defect(harness, made, lines, tmp_path, defect):
    """With one thing wrong in fat.c, a file system gets another status or other bytes."""
    program = harness.with_defect(*DEFECTS[defect])
    try:
        seen, data = read_all(program, made, tmp_path / "bytes")
    except subprocess.TimeoutExpired:
        return
    assert (seen != list(lines.values())
            or data != b"".join(data for _, data in made.values()))
