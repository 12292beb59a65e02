"""Chapter 2: the first stage reads the second from the disk, or says why it cannot."""
from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Optional

import pytest

from conftest import BUILD, ROOT, folder_of, image_of
from machine import Machine
from strange_bios import Hook, sleeping_registers, stop_at_boot_sector

CHAPTER = "second-stage"
SECTOR = 512
FIRST_STAGE = 3                         # sectors; the second stage follows
SECOND_STAGE = 0x8200                   # where it goes
ROOM = 0x80000 - SECOND_STAGE           # what it can be in size

BIG = 300 * 1024                        # a second stage that crosses four lines of 64 KiB
FLOPPY_TRACK = 18                       # sectors
SPARSE = range(100, 140)                # those of its sectors that hold next to nothing

HELLO = "Hello from the second stage!"
DAMAGED = ("The second stage is damaged: its checksum is wrong. "
           "Write the image to the disk again.")
MISSING = "There is no second stage on the boot disk: write the image again."
REST_MISSING = "Sectors 1 and 2 of the boot disk are not ours: write the image again."
REST_UNREADABLE = "Cannot read sectors 1 and 2 of the boot disk: BIOS error 0x{:02x}"
UNREADABLE = "Cannot read sector 0x{:04x} of the boot disk: BIOS error 0x{:02x}. "
CUT_SHORT = "The disk ends before it: the image is cut short. Write it to the disk again."
READ_ERROR = "Try another disk or port, or write the image again."


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


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


@pytest.fixture(scope="module")
def big_image(tmp_path_factory) -> Path:
    """The chapter's image with a second stage of 300 KiB."""
    stage = bytearray(grown_stage(BIG))
    for sector in SPARSE:
        start = (sector - FIRST_STAGE) * SECTOR
        stage[start:start + SECTOR] = sector.to_bytes(SECTOR, "little")
    folder = tmp_path_factory.mktemp("big")
    done = make_image(folder, bytes(stage))
    assert done.returncode == 0, done.stdout
    return folder / "disk.img"


@pytest.fixture
def start(machines, big_image) -> Callable[..., Machine]:
    """`start()` boots the big image, `start(path)` another one, up to the halt."""
    def start(image: Optional[Path] = None, **options) -> Machine:
        machine = machines.enter_context(Machine(image or big_image, **options))
        machine.wait_until_halted()
        return machine
    return start


@pytest.fixture
def start_hooked(machines, big_image) -> Callable[..., tuple[Machine, Hook]]:
    """`start_hooked(code)` boots the big image with `code` in front of interrupt 0x13."""
    def start(code: str = "jmp pass_on", **options) -> tuple[Machine, Hook]:
        machine = machines.enter_context(Machine(big_image, paused=True, **options))
        stop_at_boot_sector(machine)
        hook = Hook(machine, 0x13, code)
        machine.gdb.detach()
        machine.wait_until_halted()
        return machine, hook
    return start


@pytest.fixture
def changed(big_image, tmp_path) -> Callable[..., Path]:
    """`changed(function)` lets it change the big image's bytes, and writes a new file."""
    def changed(change: Callable[[bytearray], object]) -> Path:
        data = bytearray(big_image.read_bytes())
        change(data)
        assert data != big_image.read_bytes()
        (tmp_path / "changed.img").write_bytes(data)
        return tmp_path / "changed.img"
    return changed


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
def test_300_kib_arrive_from_every_kind_of_disk(start_hooked, big_image, disk):
    """Every byte is in its place, and no call reads more than 127 sectors, or across a
    multiple of 64 KiB. A floppy is read by CHS, no call across the end of a track; of any
    other disk only the rest of the first stage is."""
    machine, hook = start_hooked(disk=disk)
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


# ---- images and disks that are not whole -----------------------------------------------------


def unreadable(sector: int) -> list[str]:
    """QEMU's arguments that make each read of a sector of the image fail."""
    options = {"driver": "blkdebug", "inject-error.0.event": "none",
               "inject-error.0.iotype": "read", "inject-error.0.sector": sector,
               "inject-error.0.errno": 5}
    return [argument for key, value in options.items()
            for argument in ("-set", f"drive.image.file.{key}={value}")]


@pytest.mark.parametrize("disk, sector, status", [("ide", 3, 0x0C), ("virtio", 150, 0x01)])
def test_a_truncated_image_is_called_cut_short(start, changed, disk, sector, status):
    """The sentence names the first sector that is not there, and the BIOS's status."""
    def cut(data: bytearray) -> None:
        del data[sector * SECTOR:]

    machine = start(changed(cut), disk=disk)
    assert_says(machine, UNREADABLE.format(sector, status) + CUT_SHORT)


@pytest.mark.parametrize("disk, sector", [("ide", 3), ("usb", 200)])
def test_an_unreadable_sector_is_named(start, disk, sector):
    """Whatever the size of the call that met it: its number, the BIOS's status, advice."""
    machine = start(disk=disk, extra=unreadable(sector))
    assert_says(machine, UNREADABLE.format(sector, 0x0C) + READ_ERROR)


def test_an_unreadable_first_stage_has_its_own_sentence(start):
    """A read error in what the boot sector itself loads."""
    assert_says(start(extra=unreadable(2)), REST_UNREADABLE.format(0x0C))


def test_a_missing_first_stage_has_its_own_sentence(start, changed):
    """Only the boot sector was written to the disk."""
    def wipe(data: bytearray) -> None:
        data[SECTOR:FIRST_STAGE * SECTOR] = bytes((FIRST_STAGE - 1) * SECTOR)

    assert_says(start(changed(wipe)), REST_MISSING)


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
def test_a_missing_second_stage_has_its_own_sentence(start, changed, change):
    """What is there in its place does not begin with a head that makes sense."""
    assert_says(start(changed(change)), MISSING)


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
def test_a_damaged_second_stage_says_so(start, changed, change):
    """It sums itself up before it does anything else."""
    assert_says(start(changed(change)), DAMAGED)


# ---- strange BIOSes --------------------------------------------------------------------------

# Each gives two of the three answers that mean "EDD is here", and not the third.
DENIES_EDD = """
    cmp ah, 0x41
    jne pass_on
    inc word [cs:hits]
    mov bx, {bx}
    mov cx, {cx}
    jmp {end}
"""


@pytest.mark.parametrize("code", [
    pytest.param(DENIES_EDD.format(bx=0xAA55, cx=1, end="refuse"), id="by the carry flag"),
    pytest.param(DENIES_EDD.format(bx=0x55AA, cx=1, end="answer"), id="by bx"),
    pytest.param(DENIES_EDD.format(bx=0xAA55, cx=6, end="answer"), id="by bit 0 of cx"),
])
def test_without_edd_the_disk_is_read_by_chs(start_hooked, big_image, code):
    """AH=41h can say no in three ways; then AH=42h is never called."""
    machine, hook = start_hooked(code)
    assert hook.hits == 1
    assert_loaded(machine, big_image)
    assert hook.count(0x42) == 0


def test_a_read_that_fails_once_is_repeated(start_hooked, big_image):
    """After a reset the same call comes again, whatever the BIOS left in the packet."""
    machine, hook = start_hooked("""
        cmp ah, 0x42
        jne pass_on
        inc word [cs:seen]
        cmp word [cs:seen], 3
        jne pass_on
        inc word [cs:hits]
        mov word [si + 2], 5            ; "so many sectors were read"
        mov ah, 0x80                    ; time-out
        jmp refuse
    seen: dw 0
    """)
    assert hook.hits == 1
    assert_loaded(machine, big_image)
    edd = [read for read in hook.reads if not read.sector]
    assert edd[3] == edd[2] and edd[2].count == 127
    assert hook.count(0x00) == 1


def test_a_first_stage_that_fails_three_times_is_read_at_the_fourth(start_hooked, big_image):
    """The boot sector, too, repeats its only read, with a reset each time."""
    machine, hook = start_hooked("""
        cmp ah, 0x02
        jne pass_on
        cmp word [cs:hits], 3
        je  pass_on
        inc word [cs:hits]
        mov bp, 0x9001                  ; a BIOS may lose both
        mov es, bp
        mov bp, 1
        mov ah, 0x80
        jmp refuse
    """)
    assert hook.hits == 3
    assert_loaded(machine, big_image)
    assert hook.count(0x00) == 3


def test_a_bios_that_reads_few_sectors_a_call_gets_few(start_hooked, big_image):
    """Calls are halved until they succeed, and EDD goes on with that size."""
    machine, hook = start_hooked("""
        cmp ah, 0x42
        jne pass_on
        cmp word [si + 2], 8
        jbe pass_on
        inc word [cs:hits]
        mov ah, 0x01
        jmp refuse
    """)
    assert_loaded(machine, big_image)
    edd = [read for read in hook.reads if not read.sector]
    assert hook.hits == sum(read.count > 8 for read in edd) <= 8
    assert max(read.count for read in edd[-50:]) == 7
    assert hook.count(0x02) == 1


def test_when_every_edd_read_fails_chs_takes_over(start_hooked, big_image):
    """A BIOS that claims EDD and cannot do it: down to one sector, then by CHS."""
    machine, hook = start_hooked("""
        cmp ah, 0x42
        jne pass_on
        inc word [cs:hits]
        mov ah, 0x01
        jmp refuse
    """)
    assert hook.hits == hook.count(0x42) >= 2
    assert_loaded(machine, big_image)


@pytest.mark.parametrize("disk", ["ide", "floppy"])
def test_a_bios_may_destroy_every_register(start_hooked, big_image, disk):
    """After each call only ds, the stack and what the call returns are as they should be,
    on the EDD and on the CHS path."""
    machine, hook = start_hooked("""
        mov [cs:function], ah
        call bios
        inc word [cs:hits]
        pushf
        mov si, 0x8d8d
        mov es, si
        mov esi, 0xf1f1f1f1
        mov edi, esi
        mov ebp, esi
        cmp byte [cs:function], 0x41    ; it returns bx and cx
        je  .keep
        mov bx, si
        cmp byte [cs:function], 0x08    ; it returns cx and dx
        je  .keep
        mov ecx, esi
        mov edx, esi
    .keep:
        mov al, 0xf1
        popf
        jc  refuse
        mov eax, 0xf1f1f1f1
        jmp answer
    function: db 0
    """, disk=disk)
    assert hook.hits == len(hook.calls)
    assert_loaded(machine, big_image, drive=0x00 if disk == "floppy" else 0x80)


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
