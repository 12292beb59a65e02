"""Disks with unreadable sectors, and images that are cut short, damaged or not there."""
from __future__ import annotations

from collections.abc import Callable

import pytest

from big_stage import (BIG, CUT_SHORT, DAMAGED, FIRST_STAGE, MISSING, READ_ERROR, REST_MISSING,
                       REST_UNREADABLE, ROOM, SECTOR, SPARSE, UNREADABLE, assert_says)
from machine import Machine


@pytest.fixture
def start(boot_image) -> Callable[..., Machine]:
    """`start(image)` boots it, up to the halt."""
    def start(image, **options) -> Machine:
        machine = boot_image(image, **options)
        machine.wait_until_halted()
        return machine
    return start


def unreadable(sector: int) -> list[str]:
    """QEMU's arguments that make each read of a sector of the image fail."""
    options = {"driver": "blkdebug", "inject-error.0.event": "none",
               "inject-error.0.iotype": "read", "inject-error.0.sector": sector,
               "inject-error.0.errno": 5}
    return [argument for key, value in options.items()
            for argument in ("-set", f"drive.image.file.{key}={value}")]


@pytest.mark.parametrize("disk, sector, status", [("ide", 3, 0x0C), ("virtio", 150, 0x01)])
def test_a_truncated_image_is_called_cut_short(start, big_image, changed, disk, sector, status):
    """The sentence names the first sector that is not there, and the BIOS's status."""
    def cut(data: bytearray) -> None:
        del data[sector * SECTOR:]

    machine = start(changed(big_image, cut), disk=disk)
    assert_says(machine, UNREADABLE.format(sector, status) + CUT_SHORT)


@pytest.mark.parametrize("disk, sector", [("ide", 3), ("usb", 200)])
def test_an_unreadable_sector_is_named(start, big_image, disk, sector):
    """Whatever the size of the call that met it: its number, the BIOS's status, advice."""
    machine = start(big_image, disk=disk, extra=unreadable(sector))
    assert_says(machine, UNREADABLE.format(sector, 0x0C) + READ_ERROR)


def test_an_unreadable_first_stage_has_its_own_sentence(start, big_image):
    """A read error in what the boot sector itself loads."""
    assert_says(start(big_image, extra=unreadable(2)), REST_UNREADABLE.format(0x0C))


def test_a_missing_first_stage_has_its_own_sentence(start, big_image, changed):
    """Only the boot sector was written to the disk."""
    def wipe(data: bytearray) -> None:
        data[SECTOR:FIRST_STAGE * SECTOR] = bytes((FIRST_STAGE - 1) * SECTOR)

    assert_says(start(changed(big_image, wipe)), REST_MISSING)


def set_head(offset: int, value: bytes) -> Callable[[bytearray], None]:
    """A change of the second stage's head: its magic number, then its sector count."""
    def change(data: bytearray) -> None:
        start = FIRST_STAGE * SECTOR + offset
        data[start:start + len(value)] = value
    return change


@pytest.mark.parametrize("change", [
    pytest.param(set_head(0, bytes(SECTOR)), id="an empty sector"),
    pytest.param(set_head(4, b"\0\0"), id="no sectors"),
    pytest.param(set_head(4, (ROOM // SECTOR + 1).to_bytes(2, "little")),
                 id="more sectors than fit"),
])
def test_a_missing_second_stage_has_its_own_sentence(start, big_image, changed, change):
    """What is there in its place does not begin with a head that makes sense."""
    assert_says(start(changed(big_image, change)), MISSING)


def flip_a_bit(data: bytearray) -> None:
    data[400 * SECTOR + 123] ^= 0x10


def swap(one: int, other: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        here, there = (slice(n * SECTOR, (n + 1) * SECTOR) for n in (one, other))
        data[here], data[there] = data[there], data[here]
    return change


@pytest.mark.parametrize("change", [
    pytest.param(flip_a_bit, id="a flipped bit"),
    pytest.param(swap(SPARSE[0], SPARSE[1]), id="two nearly empty sectors that changed places"),
    pytest.param(swap(SPARSE[0], SPARSE[32]), id="two of them with 31 sectors between"),
    pytest.param(set_head(4, (BIG // SECTOR).to_bytes(2, "little")), id="a sector too few"),
])
def test_a_damaged_second_stage_says_so(start, big_image, changed, change):
    """It sums itself up before it does anything else."""
    assert_says(start(changed(big_image, change)), DAMAGED)
