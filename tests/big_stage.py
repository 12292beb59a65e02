"""Chapter 2 with a second stage of 300 KiB: its image, and what is right to say of it."""
from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, folder_of
from machine import Machine

CHAPTER = "second-stage"
SECTOR = 512
FIRST_STAGE = 3                         # sectors; the second stage follows
SECOND_STAGE = 0x8200                   # where it goes
ROOM = 0x80000 - SECOND_STAGE           # what it can be in size

BIG = 300 * 1024                        # a second stage that crosses four lines of 64 KiB
SPARSE = range(100, 140)                # those of its sectors that hold next to nothing

HELLO = "Hello from the second stage!"
DAMAGED = ("The second stage is damaged: its checksum is wrong. "
           "Write the image to the disk again.")
MISSING = "There is no second stage on the boot disk: write the image again."
REST_MISSING = "Sectors 1 and 2 of the boot disk are not ours: write the image again."
REST_UNREADABLE = "Cannot read sectors 1 and 2 of the boot disk: BIOS error 0x{:02x}"
UNREADABLE = "Cannot read sector 0x{:08x} of the boot disk: BIOS error 0x{:02x}. "
CUT_SHORT = "The disk ends before it: the image is cut short. Write it to the disk again."
READ_ERROR = "Try another disk or port, or write the image again."


def make_image(folder: Path, stage: bytes) -> subprocess.CompletedProcess[str]:
    """Run the build's last step, with another second stage, to get folder/disk.img."""
    (folder / "stage2.bin").write_bytes(stage)
    return subprocess.run(
        [sys.executable, ROOT / "common/make/image.py", "--output", folder / "disk.img",
         "--boot-sector", BUILD / folder_of(CHAPTER) / "first_stage.bin",
         "--second-stage", folder / "stage2.bin"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def grown_stage(size: int) -> bytes:
    """The chapter's second stage, and random bytes behind it."""
    code = (BUILD / folder_of(CHAPTER) / "stage2.bin").read_bytes()
    return code + random.Random("First Light").randbytes(size - len(code))


@pytest.fixture(scope="session")
def big_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chapter's image with a second stage of 300 KiB."""
    stage = bytearray(grown_stage(BIG))
    for sector in SPARSE:
        start = (sector - FIRST_STAGE) * SECTOR
        stage[start:start + SECTOR] = sector.to_bytes(SECTOR, "little")
    folder = tmp_path_factory.mktemp("big")
    done = make_image(folder, bytes(stage))
    assert done.returncode == 0, done.stdout
    return folder / "disk.img"


def stage_of(image: Path) -> bytes:
    """The second stage as it lies on the disk, all its sectors."""
    data = image.read_bytes()[FIRST_STAGE * SECTOR:]
    return data[:int.from_bytes(data[4:6], "little") * SECTOR]


def assert_loaded(machine: Machine, image: Path, drive: int = 0x80) -> None:
    """The second stage is in memory as it is on the disk, and it runs."""
    stage = stage_of(image)
    assert machine.serial == (f"{HELLO}\r\n"
                              f"Boot drive: 0x{drive:02x}\r\n"
                              f"Sectors of the second stage: {len(stage) // SECTOR}\r\n")
    assert machine.memory(SECOND_STAGE, len(stage)) == stage


def assert_says(machine: Machine, sentence: str) -> None:
    """The sentence alone is on COM1, in one line or two, and so it is on the screen."""
    lines = machine.serial.split("\r\n")
    assert " ".join(lines).rstrip() == sentence
    assert not machine.screen().differs_from(
        [line[start:start + 80] for line in lines for start in range(0, len(line), 80)])
