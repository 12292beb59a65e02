"""Chapter 2: the first stage reads the second from the disk, or says why it cannot."""
from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from conftest import BUILD, ROOT, folder_of, image_of
from machine import Machine
from strange_bios import Hook, address_of, stop_at_boot_sector

CHAPTER = "second-stage"
SECTOR = 512
FIRST_STAGE = 3                         # sectors; the second stage follows
SECOND_STAGE = 0x8400                   # where it goes
BIG = 300 * 1024                        # a second stage that crosses four lines of 64 KiB

DAMAGED = "The second stage is damaged: its checksum is wrong."
MISSING = "There is no second stage on the boot disk: write the image again."
REST_MISSING = "Sectors 1 and 2 of the boot disk are not ours: write the image again."
REST_UNREADABLE = "Cannot read sectors 1 and 2 of the boot disk: BIOS error 0x"
CUT_SHORT = ". The disk ends before it: the image is cut short."
READ_ERROR = ". Try another disk or port."

Start = Callable[..., tuple[Machine, Hook]]


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture(scope="module")
def big_image(tmp_path_factory) -> Path:
    """The chapter's image with a second stage of 300 KiB: its code, then random bytes."""
    build = BUILD / folder_of(CHAPTER)
    folder = tmp_path_factory.mktemp("big")
    stage = (build / "stage2.bin").read_bytes()
    stage += random.Random("First Light").randbytes(BIG - len(stage))
    (folder / "stage2.bin").write_bytes(stage)
    subprocess.run([sys.executable, ROOT / "common/make/image.py",
                    "--output", folder / "disk.img",
                    "--boot-sector", build / "first_stage.bin",
                    "--second-stage", folder / "stage2.bin"],
                   check=True, stdout=subprocess.DEVNULL)
    return folder / "disk.img"


@pytest.fixture
def start(machines, big_image) -> Start:
    """Boot the big image with `code` in front of the BIOS's disk calls, up to its end."""
    def start(code: str = "jmp pass_on", image: Path | None = None,
              **options) -> tuple[Machine, Hook]:
        machine = machines.enter_context(Machine(image or big_image, paused=True, **options))
        stop_at_boot_sector(machine)
        hook = Hook(machine, 0x13, code)
        machine.gdb.detach()
        machine.wait_until_halted()
        return machine, hook
    return start


@pytest.fixture
def changed(big_image, tmp_path) -> Callable[..., Path]:
    """Write the big image with some of its bytes changed by a function."""
    def changed(change: Callable[[bytearray], object]) -> Path:
        image = bytearray(big_image.read_bytes())
        change(image)
        (tmp_path / "changed.img").write_bytes(image)
        return tmp_path / "changed.img"
    return changed


def stage_of(image: Path) -> bytes:
    """The second stage as it lies on the disk, every sector of it."""
    data = image.read_bytes()[FIRST_STAGE * SECTOR:]
    return data[:int.from_bytes(data[4:6], "little") * SECTOR]


def assert_loaded(machine: Machine, image: Path, drive: int = 0x80) -> None:
    """The second stage is in memory as on the disk, and it runs."""
    stage = stage_of(image)
    assert machine.serial == ("Hello from the second stage!\r\n"
                              f"Boot drive: 0x{drive:02x}\r\n"
                              f"Sectors of the second stage: {len(stage) // SECTOR}\r\n")
    assert machine.memory(SECOND_STAGE, len(stage)) == stage


def sentence(machine: Machine) -> str:
    """What the chapter says, seen on COM1 and, wrapped at its right edge, on the screen."""
    text = machine.serial.replace("\r\n", "\n").rstrip()
    assert not machine.screen().differs_from(
        [line[start:start + 80] for line in text.split("\n")
         for start in range(0, len(line), 80)])
    return text


# ---- what is seen ----------------------------------------------------------------------------


def test_the_second_stage_says_hello_the_drive_and_its_size(halted):
    """Three lines at the top of the screen, the same on COM1; the sector count is the one
    that the file has."""
    assert_loaded(halted, image_of(CHAPTER))
    assert not halted.screen().differs_from(halted.serial.split("\r\n"))


def test_the_sector_count_is_what_the_build_made():
    """The head's count covers the code and the checksum, and not a sector more."""
    code = (BUILD / folder_of(CHAPTER) / "stage2.bin").stat().st_size
    assert len(stage_of(image_of(CHAPTER))) == -(-(code + 4) // SECTOR) * SECTOR


def test_it_halts_in_real_mode_inside_the_second_stage(halted):
    """The CPU halts behind 0x8400 with interrupts on, and segments that are 0."""
    registers = halted.registers()
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


# ---- a second stage of 300 KiB ---------------------------------------------------------------


@pytest.mark.parametrize("disk", ["ide", "ahci", "virtio", "usb", "floppy"])
def test_300_kib_arrive_from_every_kind_of_disk(start, big_image, disk):
    """Every byte is in its place, and no call reads more than 127 sectors or across a
    multiple of 64 KiB."""
    machine, hook = start(disk=disk)
    assert_loaded(machine, big_image, drive=0x00 if disk == "floppy" else 0x80)
    assert {read.count for read in hook.reads} <= set(range(1, 128))
    assert not any(read.crosses_64k for read in hook.reads)
    # EDD where there is EDD: only the rest of the first stage comes by CHS, in one call.
    assert hook.count(0x02) == (1 if disk != "floppy" else len(hook.reads))


# ---- images and disks that are not whole -----------------------------------------------------


@pytest.mark.parametrize("disk", ["ide", "virtio"])
@pytest.mark.parametrize("sectors", [100, 250])
def test_a_truncated_image_is_called_cut_short(boot_image, changed, disk, sectors):
    """The sentence names the first sector that is not there, and the BIOS's status."""
    image = changed(lambda data: data.__delitem__(slice(sectors * SECTOR, None)))
    said = sentence(boot_image(image, disk=disk))
    assert said == (f"Cannot read sector 0x{sectors:04x} of the boot disk: BIOS error 0x01"
                    + CUT_SHORT)


@pytest.mark.parametrize("disk", ["ide", "usb"])
def test_an_unreadable_sector_is_named(boot_image, big_image, disk):
    """A read error in the middle: the sector, the BIOS's status, and what to do."""
    said = sentence(boot_image(big_image, disk=disk, extra=unreadable(200)))
    assert said == ("Cannot read sector 0x00c8 of the boot disk: BIOS error 0x0c"
                    + READ_ERROR)


def test_an_unreadable_first_stage_has_a_sentence_of_its_own(boot_image, big_image):
    """A read error in the sectors that the boot sector itself reads."""
    said = sentence(boot_image(big_image, extra=unreadable(2)))
    assert said == REST_UNREADABLE + "0c"


def flip_a_bit(data: bytearray) -> None:
    data[400 * SECTOR + 123] ^= 0x10


def swap_two_sectors(data: bytearray) -> None:
    one, other = (slice(n * SECTOR, (n + 1) * SECTOR) for n in (50, 82))
    data[one], data[other] = data[other], data[one]


def forget_the_last_sector(data: bytearray) -> None:
    data[4 + FIRST_STAGE * SECTOR:6 + FIRST_STAGE * SECTOR] = \
        (len(stage_of_bytes(data)) // SECTOR - 1).to_bytes(2, "little")


def stage_of_bytes(data: bytes) -> bytes:
    start = FIRST_STAGE * SECTOR
    return data[start:start + int.from_bytes(data[start + 4:start + 6], "little") * SECTOR]
