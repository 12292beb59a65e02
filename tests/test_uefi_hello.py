"""Chapter 9: a program that UEFI starts, and what becomes of it when a part is missing."""
from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, Optional

import pytest

from alone import undefined_symbols
from conftest import BUILD, folder_of, image_of
from machine import Machine, Picture, ending

CHAPTER = "uefi-hello"
HELLO = "Hello from UEFI!"
LAST = r"goes off by itself in 5 seconds\.\r\n"
MIB = 1 << 20

LIGHT_CYAN, LIGHT_GREY = 0x00FFFF, 0x989898     # as EDK II's console draws them
CELL = (8, 19)                          # pixels of one of its glyphs

PE_X64, PE32_PLUS, EFI_APPLICATION = 0x8664, 0x20B, 10
EXECUTABLE, WRITABLE = 1 << 29, 1 << 31  # in a section's characteristics
PAGE = 4096


def lines(machine: Machine) -> list[str]:
    """What the program printed on COM1; the firmware's own lines stand above it."""
    text = machine.plain_serial
    return text[text.index(HELLO):].splitlines() if HELLO in text else []


def memory_told(machine: Machine) -> int:
    """MiB of memory as the program tells them."""
    return int(re.search(r"^Memory: (\d+) MiB for an operating system\.$",
                         machine.plain_serial, re.MULTILINE)[1])


@pytest.fixture(scope="module")
def waiting() -> Iterator[Machine]:
    """The program while it waits for a key, in a machine that stands still; for tests
    that only look."""
    with Machine(image_of(CHAPTER), firmware="uefi") as machine:
        machine.wait_until_halted()
        machine.qmp.execute("stop")
        yield machine


# ---- what is seen ----------------------------------------------------------------------------


def test_it_says_hello_and_what_the_firmware_tells(waiting):
    """Four lines on COM1: hello, the firmware, the memory, what to do."""
    hello, firmware, memory, key = lines(waiting)
    assert hello == HELLO
    assert re.fullmatch(r"Firmware: \S.*, revision \d+; it follows version 2\.\d+(\.\d)? "
                        r"of the UEFI specification\.", firmware)
    assert re.fullmatch(r"Memory: \d+ MiB for an operating system\.", memory)
    assert key == "Press a key to switch the machine off; it goes off by itself in 5 seconds."


def test_nearly_all_memory_is_for_an_operating_system(waiting):
    """Of 128 MiB the firmware keeps some for itself, no more than a tenth."""
    assert 115 <= memory_told(waiting) < 128


class Corner(NamedTuple):
    """Where the text begins on a picture, in pixels."""

    x: int
    y: int


def text_corner(picture: Picture, text: list[str]) -> Optional[Corner]:
    """The one place from which the picture shows this text, if there is one.

    The font is not known. But equal characters look alike, different ones do not, and
    blanks are dark.
    """
    width, height = CELL
    lit = [any(picture.data[at:at + 3]) for at in range(0, len(picture.data), 3)]
    rows = [bytes(lit[at:at + picture.width]) for at in range(0, len(lit), picture.width)]
    top = next((y for y, row in enumerate(rows) if any(row)), picture.height)
    left = min((row.index(1) for row in rows if any(row)), default=picture.width)

    def shows(x: int, y: int) -> bool:
        seen = {" ": (bytes(width),) * height}
        for number, line in enumerate(text):
            for column, character in enumerate(line):
                at = x + column * width
                glyph = tuple(row[at:at + width] for row in
                              rows[y + number * height:y + (number + 1) * height])
                if seen.setdefault(character, glyph) != glyph:
                    return False
        return len(set(seen.values())) == len(seen)

    return next((Corner(x, y) for y in range(max(0, top - height), top + 1)
                 for x in range(max(0, left - width), left + 1) if shows(x, y)), None)


def test_the_screen_shows_the_same_text_and_nothing_else(waiting):
    """Pixels: each of the four lines, in a grid of cells; dark around them."""
    picture, text = waiting.pixels(), lines(waiting)
    corner = text_corner(picture, text)
    assert corner
    ends = [corner.x + len(line) * CELL[0] for line in text]
    for y in range(picture.height):
        row, inside = divmod(y - corner.y, CELL[1])
        end = ends[row] if 0 <= row < len(text) else 0
        start = 3 * (y * picture.width + end)
        assert not any(picture.data[start:3 * (y + 1) * picture.width]), f"row {y}"


def test_hello_is_light_cyan_and_the_rest_light_grey(waiting):
    """The two colours that the program asks for, each in its lines."""
    picture, text = waiting.pixels(), lines(waiting)
    corner = text_corner(picture, text)
    for number, line in enumerate(text):
        colours = {picture.at(corner.x + x, corner.y + number * CELL[1] + y)
                   for x in range(len(line) * CELL[0]) for y in range(CELL[1])}
        assert colours == {0, LIGHT_GREY if number else LIGHT_CYAN}, line


# ---- the machine that UEFI hands over ---------------------------------------------------------


def test_the_firmware_runs_in_long_mode_with_interrupts(waiting):
    """No mode is left to switch: paging is on, interrupts are, the CPU sleeps till one."""
    registers = waiting.registers()
    assert registers.mode == "64-bit long mode" and registers.paging
    assert registers.interrupts and registers.halted


@pytest.mark.parametrize("address", [0, 0x7C00, 1 * MIB, 127 * MIB])
def test_virtual_addresses_are_physical_ones(waiting, address):
    """The firmware's page tables map all memory to itself."""
    assert waiting.translate(address).physical == address


# ---- the end ----------------------------------------------------------------------------------


def test_a_key_switches_the_machine_off(boot):
    """At once: long before the five seconds are over."""
    machine = boot(CHAPTER, firmware="uefi")
    machine.expect(LAST)
    machine.qmp.execute("send-key", keys=[{"type": "qcode", "data": "spc"}])
    end = machine.look(4.5)
    assert end and end.kind == ending.POWERED_OFF


def test_without_a_key_it_goes_off_by_itself(boot):
    """Nobody needs to be there: a timer is waited for as well."""
    machine = boot(CHAPTER, firmware="uefi")
    machine.expect(LAST)
    end = machine.look(60)
    assert end and end.kind == ending.POWERED_OFF


# ---- other machines ---------------------------------------------------------------------------


def test_more_memory_is_counted_above_4_gib_too(boot):
    """6 GiB, on another board and another disk; there are more ranges to count."""
    machine = boot(CHAPTER, firmware="uefi", memory="6G", disk="ahci")
    machine.expect(LAST)
    assert 6 * 1024 * 0.95 <= memory_told(machine) < 6 * 1024


def test_secure_boot_does_not_start_it(boot):
    """No key that the firmware knows has signed the program, and the firmware says so."""
    machine = boot(CHAPTER, firmware="uefi", disk="ahci", secure_boot=True)
    end = machine.wait_for_end()
    assert end.kind == ending.NOT_STARTED and "Secure Boot" in end.sentence
    assert not lines(machine)


def test_a_disk_for_a_bios_is_not_started(boot):
    """UEFI asks for a file, and looks at no boot sector."""
    machine = boot("console", firmware="uefi")
    assert machine.wait_for_end().kind == ending.NOT_STARTED


# ---- the file ---------------------------------------------------------------------------------


class Section(NamedTuple):
    """A section of a PE file: its name, where it is in memory, what may be done with it."""

    name: str
    address: int
    characteristics: int


class Program:
    """BOOTX64.EFI, as far as its headers tell; Microsoft's "PE Format" describes them."""

    def __init__(self, data: bytes) -> None:
        assert data[:2] == b"MZ"
        (header,) = struct.unpack_from("<I", data, 0x3C)
        assert data[header:header + 4] == b"PE\0\0"
        self.machine, count, size = struct.unpack_from("<HH12xH", data, header + 4)
        optional = header + 24
        (self.magic,) = struct.unpack_from("<H", data, optional)
        (self.alignment,) = struct.unpack_from("<I", data, optional + 32)
        (self.subsystem,) = struct.unpack_from("<H", data, optional + 68)
        self.relocations, _ = struct.unpack_from("<II", data, optional + 112 + 5 * 8)
        self.sections = []
        for number in range(count):
            name, address, characteristics = struct.unpack_from(
                "<8s4xI20xI", data, optional + size + 40 * number)
            self.sections.append(Section(name.rstrip(b"\0").decode(), address, characteristics))


@pytest.fixture(scope="module")
def program() -> Program:
    """What the build put onto the disk."""
    return Program((image_of(CHAPTER).parent / "BOOTX64.EFI").read_bytes())


def test_it_is_a_64_bit_application_for_uefi(program):
    """The three numbers by which firmware knows what it may start."""
    assert (program.machine, program.magic, program.subsystem) == (
        PE_X64, PE32_PLUS, EFI_APPLICATION)


def test_it_says_how_it_can_be_moved(program):
    """Its header points to .reloc; without it, firmware could not load it anywhere."""
    assert program.relocations in [section.address for section in program.sections
                                   if section.name == ".reloc"]


def test_no_page_of_it_is_both_written_and_executed(program):
    """Firmware that is strict about this can load it: sections begin at pages of their own."""
    assert program.alignment == PAGE
    for section in program.sections:
        assert section.address % PAGE == 0
        assert not (section.characteristics & EXECUTABLE
                    and section.characteristics & WRITABLE), section.name


def test_no_name_is_left_open():
    """Nobody would fill it in."""
    image_of(CHAPTER)                   # skips where the chapter cannot be built
    assert undefined_symbols(BUILD / folder_of(CHAPTER) / "efi.so") == []


# ---- broken variants --------------------------------------------------------------------------


@pytest.mark.parametrize("variant, found", [("reloc-dropped", True), ("wrong-name", False)])
def test_broken_by_what_the_firmware_does_not_load(boot_broken, variant, found):
    """A file that cannot be moved is as bad as none: "Not Found". But before it fails to
    load a file, the firmware says that it loads it."""
    machine = boot_broken(CHAPTER, variant, firmware="uefi")
    assert machine.wait_for_end().kind == ending.NOT_STARTED
    before, failed = machine.serial.split("BdsDxe: failed to load", 1)
    assert re.search(r": Not Found\r\n", failed.split("BdsDxe:")[0])
    assert ("BdsDxe: loading" in before) is found


@pytest.mark.parametrize("variant", ["ms-abi-forgotten", "names-left-open"])
def test_broken_by_a_call_that_goes_nowhere(boot_broken, variant):
    """It is started, and ends with an exception before it has said a word."""
    machine = boot_broken(CHAPTER, variant, firmware="uefi")
    assert machine.wait_for_end().kind == ending.EXCEPTION
    assert "BdsDxe: starting" in machine.serial and not lines(machine)


def test_broken_descriptor_size_assumed(boot_broken):
    """Steps of 40 bytes through descriptors of 48: nearly all memory is overlooked."""
    machine = boot_broken(CHAPTER, "descriptor-size-assumed", firmware="uefi")
    machine.expect(LAST)
    assert memory_told(machine) < 16


def test_broken_wide_characters(boot_broken):
    """Every second character is zero, the end of a text: only first ones are seen."""
    machine = boot_broken(CHAPTER, "wide-characters", firmware="uefi")
    machine.wait_until_halted()
    assert re.search(r"HF\S.*,\d+;2\.\d+.*M\d+ P5$", machine.plain_serial)
