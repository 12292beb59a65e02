"""Disks of more than 2 TiB: the numbers of their last sectors need more than 32 bits."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from big_stage import READ_ERROR, UNREADABLE
from fat_disk import MIB, SECTOR, FatDisk
from kernels import Kernel
from strange_bios import run_hooked
from test_damaged_disks import unreadable
from test_disk_image import assert_loaded, assert_says, kernel_of

BITS_32 = 1 << 32                       # the first number that has more
ESP = BITS_32 - MIB // SECTOR           # the first sector of the EFI system partition


@pytest.fixture(scope="module")
def kernel(tmp_path_factory) -> Kernel:
    return kernel_of(tmp_path_factory.mktemp("kernel") / "kernel.elf", 2 * MIB)


@pytest.fixture
def large_disk(tmp_path, kernel) -> Path:
    """The kernel's file begins in front of sector 2^32, and ends behind it."""
    disk = FatDisk.make(tmp_path / "disk.img", 16, 8, first=ESP)
    disk.put_kernel(kernel.path)
    volume, clusters = disk.volume, disk.kernel_clusters()
    first, last = (ESP + volume.at(clusters[i]) // SECTOR for i in (0, -1))
    assert first < BITS_32 < last
    return disk.path


def test_a_file_across_sector_2_to_the_32_is_loaded(boot_image, large_disk, kernel):
    """Where a number is made larger, all of its 64 bits are."""
    assert_loaded(boot_image(large_disk), kernel)


def test_beyond_2_tib_no_sector_is_read_by_geometry(boot_image, large_disk):
    """A BIOS that knows 32 bits refuses them. Cylinder, head and sector would be those of
    another, in front: nothing is loaded, and the sentence has the whole number."""
    machine = boot_image(large_disk, paused=True)
    hook = run_hooked(machine, 0x13, """
        cmp ah, 0x42
        jne pass_on
        cmp dword [si + 12], 0
        je  pass_on
        inc word [cs:hits]
        mov ah, 0x01
        jmp refuse
    """)
    machine.wait_until_halted()
    assert hook.hits
    said = " ".join(machine.serial.split())
    found = re.fullmatch(r"Cannot read sector 0x(\w{16}) of the boot disk: BIOS error 0x04\. "
                         + re.escape(READ_ERROR), said)
    assert found and BITS_32 <= int(found[1], 16) < BITS_32 + 2 * 127, said
    assert hook.count(0x02) == 0


def test_a_bad_sector_of_a_large_disk_is_no_end_of_it(boot_image, large_disk):
    """The disk has fewer sectors than this number, if only 32 bits of each are looked at."""
    assert_says(boot_image(large_disk, extra=unreadable(ESP)),
                UNREADABLE.format(ESP, 0x04) + READ_ERROR)
