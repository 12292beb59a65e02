"""Chapter 7: the kernel as an ELF file; it prints all that its loader tells it.

What a loader promises to any kernel is tested in test_boot_protocol.py.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from alone import disassembly
from boot_contract import DIRECT_MAP, GUARD_PAGE, PAGE, Kind, Seen
from conftest import BUILD, broken_image, folder_of, image_of
from firmware_state import STRANGE_REGISTERS, close_a20
from kernels import Kernel
from machine import Machine
from machine.screen import COLUMNS, ROWS
from strange_bios import run_to

CHAPTER = "elf-kernel"
SECTOR = 512
FIRST_STAGE = 3                         # sectors; the second stage follows, then the kernel
LAST_LINE = "12582912 KiB  reserved"    # the place of a CPU's HyperTransport, on QEMU
LIGHT_GREY = 0x07
DATA_SEGMENT = 0x10

NAMES = {
    Kind.USABLE: "usable", Kind.LOADER_RECLAIMABLE: "the loader's, reclaimable",
    Kind.ACPI_RECLAIMABLE: "ACPI tables, reclaimable", Kind.MODULE: "loaded with the kernel",
    Kind.KERNEL: "kernel", Kind.EFI_RUNTIME: "EFI runtime services",
    Kind.ACPI_NVS: "ACPI, to be kept", Kind.RESERVED: "reserved", Kind.FRAMEBUFFER: "screen",
    Kind.BAD: "bad memory"}

DAMAGED = "The kernel is damaged: its checksum is wrong. Write the image again."
MISSING = "There is no kernel on the boot disk: write the image again."
NO_LONG_MODE = ("This CPU has no long mode (CPUID 0x80000001, EDX bit 29): it cannot run a "
                "64-bit kernel.")


class Printed(NamedTuple):
    """The chapter's kernel at its end, and what it was given at its beginning."""

    machine: Machine
    seen: Seen

    @property
    def lines(self) -> list[str]:
        """What it must have printed."""
        info, kernel = self.seen.info, chapter_kernel()
        return [
            f"Loader: First Light, BIOS, drive 0x80; ACPI {self._table(b'RSD PTR ', 20):#010x}; "
            f"SMBIOS {self._table(b'_SM_', 31):#010x}",
            "The kernel, as virtual addresses (segments at physical "
            f"{self.seen.physical(kernel.base):#014x}):",
            span("  segments    ", kernel.base, kernel.size),
            span("  stack       ", GUARD_PAGE + PAGE, 64 << 10),
            span("  direct map  ", DIRECT_MAP, self._mapped()),
            span("  symbols     ", info.symbols, info.symbols_size),
            span("  boot_info   ", self.seen.info_at, 264),
            f"From the loader's start to the kernel's: {info.tsc_handover - info.tsc_start} ticks "
            "of the CPU's clock",
            "Memory, as physical addresses:",
            *(f"  {item.base:#014x} - {item.end - 1:#014x}{item.length // 1024:>10} KiB  "
              f"{NAMES[item.kind]}" for item in self.seen.ranges)]

    def _table(self, word: bytes, size: int) -> int:
        """Where the firmware has put a table that begins so and has no sum."""
        rom = self.machine.memory(0xF0000, 0x10000)
        (found,) = [at for at in range(0, len(rom), 16)
                    if rom.startswith(word, at) and sum(rom[at:at + size]) % 256 == 0]
        return 0xF0000 + found

    def _mapped(self) -> int:
        """Up to where memory is mapped directly, by the page tables."""
        return max(leaf.virtual + leaf.size for leaf in self.seen.leaves
                   if DIRECT_MAP <= leaf.virtual < GUARD_PAGE) - DIRECT_MAP


def span(name: str, base: int, size: int) -> str:
    """A line of the kernel's: a name, the first address and the last."""
    return f"{name}{base:#018x} - {base + size - 1:#018x}"


def chapter_kernel() -> Kernel:
    return Kernel(BUILD / folder_of(CHAPTER) / "kernel.file")


def run_to_its_end(machine: Machine) -> Printed:
    """Let a paused machine run, with a look at what the kernel is given."""
    run_to(machine, chapter_kernel().entry)
    seen = Seen(machine)
    machine.gdb.detach()
    machine.wait_until_halted()
    return Printed(machine, seen)


@pytest.fixture(scope="module")
def printed() -> Iterator[Printed]:
    """The chapter on an ordinary PC; for tests that only look."""
    with Machine(image_of(CHAPTER), paused=True) as machine:
        yield run_to_its_end(machine)


def assert_says(machine: Machine, sentence: str) -> None:
    """The sentence alone, in whole words on the screen and on COM1; then a halt."""
    machine.wait_until_halted()
    lines = machine.serial.split("\r\n")
    assert " ".join(lines).rstrip() == sentence
    assert not machine.screen().differs_from(lines)
    assert not machine.registers().long_mode


def assert_shows(machine: Machine, lines: list[str]) -> None:
    """These lines on COM1, and as many as it has rows on the screen, all in light grey."""
    assert machine.serial.split("\r\n") == [*lines, ""]
    assert all(len(line) <= COLUMNS for line in lines)
    screen = machine.screen()
    assert not screen.differs_from(lines[:ROWS])
    assert screen.memory[1::2] == bytes([LIGHT_GREY]) * (ROWS * COLUMNS)


# ---- what is seen ----------------------------------------------------------------------------


def test_the_kernel_prints_all_that_it_was_given(printed):
    """Each line, compared with the kernel's file, the ROM, the page tables and the map."""
    assert_shows(printed.machine, printed.lines)
    assert printed.lines[-1].endswith(LAST_LINE)


def test_lines_without_a_row_are_on_com1_alone(boot):
    """With 6 GiB, the map is longer than the screen."""
    printed = run_to_its_end(boot(CHAPTER, memory="6G", paused=True))
    assert len(printed.lines) > ROWS
    assert_shows(printed.machine, printed.lines)


def test_the_kernel_halts_for_good(printed):
    """In 64-bit code of its own, with interrupts off."""
    registers = printed.machine.registers()
    assert registers.halted and not registers.interrupts
    assert registers.mode == "64-bit long mode"
    symbols = chapter_kernel().symbols
    assert symbols["kernel_main"] < registers.rip


# ---- firmware and CPUs -----------------------------------------------------------------------


def test_nothing_that_the_bios_leaves_is_relied_on(boot):
    """Entered as 07c0:0000 with odd segments, DF set and garbage in every register."""
    machine = boot(CHAPTER, paused=True)
    machine.start_at_boot_sector(registers=STRANGE_REGISTERS)
    machine.wait_until_halted()
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")


def test_a20_is_switched_on_where_the_bios_left_it_off(boot):
    """Else every other MiB of the kernel would be lost."""
    machine = boot(CHAPTER, paused=True)
    close_a20(machine)
    machine.gdb.detach()
    machine.wait_until_halted()
    assert machine.serial.endswith(f"{LAST_LINE}\r\n") and machine.registers().a20


def test_a_cpu_without_long_mode_gets_a_sentence(boot):
    """Nothing of the loader's part in C runs on it."""
    assert_says(boot(CHAPTER, cpu="pentium3"), NO_LONG_MODE)


# ---- damaged and missing kernels -------------------------------------------------------------


def kernel_at(image: bytes | bytearray) -> int:
    """Where the sector in front of the kernel's file lies in an image."""
    head = FIRST_STAGE * SECTOR
    return head + int.from_bytes(image[head + 4:head + 6], "little") * SECTOR


@pytest.mark.parametrize("where", [
    pytest.param(lambda file: file.segments[0].offset, id="the-first-byte-of-code"),
    pytest.param(lambda file: file.segments[0].offset - 1, id="between-the-segments"),
    pytest.param(lambda file: len(file.file) - 1, id="the-last-byte"),
    pytest.param(lambda file: len(file.file), id="behind-it-in-the-last-sector"),
    pytest.param(lambda file: 16 - SECTOR, id="the-checksum")])
def test_a_damaged_kernel_gets_a_sentence(boot_image, changed, where):
    """One bit is wrong on the disk, anywhere."""
    kernel = chapter_kernel()
    assert len(kernel.file) % SECTOR    # there is something behind it

    def flip_a_bit(data: bytearray) -> None:
        data[kernel_at(data) + SECTOR + where(kernel)] ^= 0x10

    assert_says(boot_image(changed(image_of(CHAPTER), flip_a_bit)), DAMAGED)


@pytest.mark.parametrize("offset, data", [
    pytest.param(0, bytes(8), id="nothing-is-there"),
    pytest.param(8, b"\xff" * 8, id="of-a-size-that-no-kernel-has")])
def test_a_missing_kernel_gets_a_sentence(boot_image, changed, offset, data):
    """The sector in front of the file is not what the build has written."""
    def forget_the_kernel(image: bytearray) -> None:
        at = kernel_at(image) + offset
        image[at:at + 8] = data

    assert_says(boot_image(changed(image_of(CHAPTER), forget_the_kernel)), MISSING)


def test_an_image_cut_short_gets_a_sentence(boot_image, changed):
    """The disk ends within the kernel's file: a sector is named that is not there."""
    head = kernel_at(image_of(CHAPTER).read_bytes()) // SECTOR
    first = head + 12
    end = head + 1 + -(-len(chapter_kernel().file) // SECTOR)

    def cut(data: bytearray) -> None:
        del data[first * SECTOR:]

    machine = boot_image(changed(image_of(CHAPTER), cut))
    machine.wait_until_halted()
    said = " ".join(machine.serial.split("\r\n"))
    found = re.match(r"Cannot read sector 0x(\w+) of the boot disk: BIOS error 0x\w\w\. ", said)
    assert found and first <= int(found[1], 16) < end
    assert "the image is cut short" in said


# ---- broken variants -------------------------------------------------------------------------


def variant_file(variant: str, name: str) -> Path:
    """A file that was built with a broken variant."""
    return broken_image(CHAPTER, variant).with_name(name)


def test_where_bss_is_not_cleared_the_row_starts_anywhere(boot_broken):
    """bss-not-cleared: nothing on the screen, COM1 has all of it."""
    machine = boot_broken(CHAPTER, "bss-not-cleared")
    machine.wait_until_halted()
    assert not machine.screen().differs_from("")
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")
    row = Kernel(variant_file("bss-not-cleared", "kernel.elf")).symbols["row"]
    lines = machine.serial.count("\r\n")
    at = machine.translate(row).physical
    assert int.from_bytes(machine.memory(at, 4), "little") == 0xAAAAAAAA + lines


def test_without_a_trampoline_the_next_instruction_is_gone(boot_broken):
    """trampoline-not-mapped: the fault is behind `mov cr3, rdi`, and is one of a fetch."""
    machine = boot_broken(CHAPTER, "trampoline-not-mapped")
    assert machine.wait_for_end().kind == "triple fault"
    code = disassembly(variant_file("trampoline-not-mapped", "loader.elf"))
    (at,) = [i for i, instruction in enumerate(code) if instruction.text == "mov %rdi,%cr3"]
    assert machine.registers().rip == machine.registers().cr2 == code[at + 1].address
    assert machine.serial == "" and not machine.screen().differs_from("")


def test_without_write_protection_a_constant_can_be_changed(boot_broken):
    """write-protect-off: the word has changed wherever it stands."""
    machine = boot_broken(CHAPTER, "write-protect-off")
    machine.wait_until_halted()
    assert machine.serial.count("KiB  Usable\r\n") >= 3
    assert "usable" not in machine.serial
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")


def test_without_a_guard_page_the_stack_overwrites_the_screen(boot_broken):
    """stack-without-guard: the return address stands on the screen again and again, and so
    it does in all memory below the stack, down to page 0."""
    machine = boot_broken(CHAPTER, "stack-without-guard")
    assert machine.wait_for_end().kind == "triple fault"
    code = disassembly(variant_file("stack-without-guard", "kernel.elf"))
    returns = [after.address.to_bytes(8, "little") for call, after in zip(code, code[1:])
               if "call" in call.text and call.function == "call_for_ever"]
    assert any(machine.screen().memory.count(address) > 200 for address in returns)
    assert any(machine.memory(PAGE, PAGE).count(address) > 100 for address in returns)
    assert machine.registers().cr2 // PAGE == DIRECT_MAP // PAGE
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")


def test_an_nx_bit_that_the_cpu_has_not_is_reserved(boot_broken):
    """nx-unasked: all is well on a CPU that has it; else the first use of the GDT faults."""
    machine = boot_broken(CHAPTER, "nx-unasked")
    machine.wait_until_halted()
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")

    machine = boot_broken(CHAPTER, "nx-unasked", cpu="qemu64,-nx", extra=["-d", "cpu_reset,int"])
    assert machine.wait_for_end().kind == "triple fault"
    registers = machine.registers()
    assert registers.cr2 // 8 * 8 == registers.gdt.base + DATA_SEGMENT
    # A page fault for a reserved bit; bit 0, present, is set by CPUs, but not by QEMU's.
    assert re.search(r" v=0e e=000[89] ", machine.qemu_log())
    assert machine.serial == ""


def test_a_kernel_that_is_not_checked_starts_with_a_wrong_letter(boot_broken):
    """checksum-ignored: it runs as long as the damage lets it."""
    machine = boot_broken(CHAPTER, "checksum-ignored")
    machine.wait_until_halted()
    assert machine.screen().row(0).startswith("Moader: First Light, BIOS")
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")


def test_segments_on_one_page_cannot_have_two_permissions(boot_broken):
    """segments-share-a-page: the loader refuses the kernel."""
    assert_says(boot_broken(CHAPTER, "segments-share-a-page"),
                "Two segments of the kernel with different permissions share a page: put "
                "`. = ALIGN(4096);` between them in its linker script.")


def test_a_map_made_too_early_calls_page_tables_usable(boot_broken):
    """map-too-early: all is printed; then the kernel has overwritten its page tables."""
    machine = boot_broken(CHAPTER, "map-too-early")
    assert machine.wait_for_end().kind == "triple fault"
    assert machine.serial.endswith(f"{LAST_LINE}\r\n")
    tables = machine.registers().cr3
    lines = [line.split() for line in machine.serial.split("\r\n") if line.endswith(" usable")]
    assert any(int(begin, 16) <= tables <= int(end, 16) for begin, _, end, *_ in lines)
    assert machine.memory(tables, PAGE) == bytes(PAGE)
