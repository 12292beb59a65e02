"""Chapter 2: the first stage reads the second from the disk, or says why it cannot."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from big_stage import (CHAPTER, DAMAGED, FIRST_STAGE, HELLO, READ_ERROR, REST_UNREADABLE, ROOM,
                       SECOND_STAGE, SECTOR, UNREADABLE, assert_loaded, assert_says,
                       grown_stage, make_image, stage_of)
from conftest import BUILD, folder_of, image_of
from machine import Machine
from strange_bios import run_hooked, sleeping_registers

FLOPPY_TRACK = 18                       # sectors


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


# ---- what is seen ----------------------------------------------------------------------------


def test_the_second_stage_says_hello_the_drive_and_its_size(halted):
    """Three lines at the top left of the screen, the same on COM1, and all in memory."""
    assert_loaded(halted, image_of(CHAPTER))
    assert not halted.screen().differs_from(halted.serial.split("\r\n"))


def test_the_sector_count_is_what_the_build_made():
    """It covers the code and the checksum, and not a sector more."""
    code = (BUILD / folder_of(CHAPTER) / "stage2.bin").stat().st_size
    assert len(stage_of(image_of(CHAPTER))) == -(-(code + 4) // SECTOR) * SECTOR


def test_it_halts_in_real_mode_inside_the_second_stage(halted):
    """The CPU halts behind 0x8200 with interrupts on, and segments that are 0."""
    registers = sleeping_registers(halted)
    assert registers.halted and registers.interrupts and not registers.protected_mode
    assert SECOND_STAGE <= registers.pc < SECOND_STAGE + len(stage_of(image_of(CHAPTER)))
    assert {segment.selector for segment in
            (registers.cs, registers.ds, registers.es, registers.ss)} == {0}


def test_nothing_that_the_bios_leaves_is_relied_on(boot):
    """Entered as 07c0:0000 with every register odd, it still knows the boot drive."""
    machine = boot(CHAPTER, paused=True)
    machine.start_at_boot_sector(registers={
        "cs": 0x07C0, "eip": 0, "ds": 0x0040, "es": 0xB800, "ss": 0x8001, "esp": 0xDEAD0FFD,
        "eflags": 0x402, "eax": 0xDEAD1111, "ebx": 0xDEAD2222, "ecx": 0xDEAD3333,
        "edx": 0xDEADBE80, "esi": 0xDEAD4444, "edi": 0xDEAD5555, "ebp": 0xDEAD6666})
    machine.wait_until_halted()
    assert_loaded(machine, image_of(CHAPTER))


# ---- a second stage of any size --------------------------------------------------------------


@pytest.mark.parametrize("disk", ["ide", "ahci", "virtio", "usb", "floppy"])
def test_300_kib_arrive_from_every_kind_of_disk(boot_image, big_image, disk):
    """Every byte is in its place, and no call reads more than 127 sectors, or across a
    multiple of 64 KiB. A floppy is read by CHS, no call across the end of a track; of any
    other disk only the rest of the first stage is."""
    machine = boot_image(big_image, disk=disk, paused=True)
    hook = run_hooked(machine, 0x13)
    assert_loaded(machine, big_image, drive=0x00 if disk == "floppy" else 0x80)
    assert all(1 <= read.count <= 127 for read in hook.reads)
    assert not any(read.crosses_64k for read in hook.reads)
    by_chs = [read for read in hook.reads if read.sector]
    assert len(by_chs) == (len(hook.reads) if disk == "floppy" else 1)
    assert all(read.sector - 1 + read.count <= FLOPPY_TRACK for read in by_chs)


def test_a_second_stage_that_is_too_big_stops_the_build(tmp_path):
    """One byte more than fits below the end of its memory: a sentence, and no image."""
    done = make_image(tmp_path, grown_stage(ROOM - 4))
    assert done.returncode == 0, done.stdout
    (tmp_path / "disk.img").unlink()
    done = make_image(tmp_path, grown_stage(ROOM - 3))
    assert done.returncode == 1
    assert f"the second stage is too big: {ROOM - 3} bytes, {ROOM - 4} fit" in done.stdout
    assert not (tmp_path / "disk.img").exists()


# ---- broken variants -------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["sector-count-short", "across-64k"])
def test_broken_by_a_part_that_is_not_loaded(boot_broken, variant):
    """A typed count, and a read across 64 KiB, leave a hole that the checksum finds."""
    machine = boot_broken(CHAPTER, variant)
    machine.wait_until_halted()
    assert_says(machine, DAMAGED)


def test_broken_no_retry(boot_broken):
    """Without a retry a single time-out ends the boot."""
    machine = boot_broken(CHAPTER, "no-retry")
    machine.wait_until_halted()
    assert_says(machine, UNREADABLE.format(FIRST_STAGE, 0x80) + READ_ERROR)


def test_broken_drive_lost(boot_broken):
    """Without the BIOS's drive number the boot sector asks for a drive that is not there."""
    machine = boot_broken(CHAPTER, "drive-lost")
    machine.wait_until_halted()
    assert_says(machine, REST_UNREADABLE.format(0x01))


def test_broken_no_checksum(boot_broken):
    """Without a checksum a damaged second stage runs as if nothing were wrong."""
    machine = boot_broken(CHAPTER, "no-checksum")
    machine.wait_until_halted()
    assert machine.screen().row(0) == HELLO.replace("e", "u", 1)
