"""Chapter 8: the boot information in colour, on a console that scrolls; and a panic."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from alone import Alone, built_once, disassembly, symbols
from boot_contract import HAS_BOOT_DRIVE, HAS_RSDP, HAS_SMBIOS, HAS_TSC, KIB, Kind, Seen
from conftest import BUILD, broken_image, folder_of, image_of
from console_model import LIGHT_GREY, ConsoleModel
from machine import Machine
from machine.png import read_ppm
from machine.screen import COLUMNS, GLYPHS, ROWS
from strange_bios import run_to, stop_at_boot_sector

CHAPTER = "console"

CYAN, DARK_GREY, LIGHT_BLUE, LIGHT_GREEN, LIGHT_CYAN, YELLOW = 3, 8, 9, 10, 11, 14
WHITE_ON_RED = 0x4F
TYPES = {Kind.USABLE: ("usable", LIGHT_GREEN),
         Kind.LOADER_RECLAIMABLE: ("the loader's, reclaimable", YELLOW),
         Kind.MODULE: ("loaded with the kernel", CYAN),
         Kind.KERNEL: ("kernel", LIGHT_CYAN),
         Kind.RESERVED: ("reserved", DARK_GREY),
         Kind.FRAMEBUFFER: ("screen", LIGHT_BLUE)}
SAMPLE = ("Zürich, 25 °C, ½ + ¼, π ≈ 3.14159. A character that code page 437 has not, "
          "such as 日 or ¾, becomes a square.\n")

# What the kernel prints: texts and their attributes.
Printed = list[tuple[str, int]]


def report(seen: Seen) -> Printed:
    """The boot information as the kernel should print it."""
    info, printed = seen.info, []

    def line(label: str, text: str) -> None:
        printed.extend([(f"{label:10}", LIGHT_CYAN), (f"{text}\n", LIGHT_GREY)])

    line("memory", f"{len(seen.ranges)} ranges of physical addresses")
    for range_ in seen.ranges:
        name, colour = TYPES[range_.kind]
        printed += [(f"  0x{range_.base:012x} - 0x{range_.end - 1:012x} "
                     f"{range_.length // KIB:10} KiB  ", LIGHT_GREY), (f"{name}\n", colour)]
    usable = sum(range_.length for range_ in seen.ranges if range_.kind == Kind.USABLE)
    line("usable", f"{usable // KIB} KiB")
    line("kernel", f"0x{info.kernel_virtual:016x} {info.kernel_size:10} bytes")
    line("symbols", f"0x{info.symbols:016x} {info.symbols_size:10} bytes")
    line("stack", f"0x{info.stack_bottom:016x} {info.stack_size:10} bytes")
    line("screen", f"VGA text, {COLUMNS} x {ROWS} at physical 0xb8000, a row has 160 bytes")
    assert info.flags == HAS_RSDP | HAS_SMBIOS | HAS_BOOT_DRIVE | HAS_TSC
    line("firmware", f"BIOS, drive 0x{info.boot_drive:02x}, ACPI at 0x{info.rsdp:x}, "
                     f"SMBIOS at 0x{info.smbios:x}")
    line("loader", f"{seen.read_text(info.loader_name)}, "
                   f"{info.tsc_handover - info.tsc_start} ticks of the time stamp counter")
    return printed


def samples() -> Printed:
    """Every pair of colours, every glyph, and the rest of what the kernel prints."""
    printed: Printed = []
    for row in range(16):
        printed += [(f" {row:x}{column:x}", row << 4 | column) for column in range(16)]
        glyphs = GLYPHS[16 * row:16 * row + 16]
        printed.append((" " + " ".join(glyphs) + "\n", LIGHT_GREY))
    return [*printed, (SAMPLE, LIGHT_GREY), ("Hello World!\n", LIGHT_CYAN)]


class Halted(NamedTuple):
    """The chapter at its end, what its loader had told it, and what it should print."""

    machine: Machine
    printed: Printed

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.printed)

    @property
    def model(self) -> ConsoleModel:
        model = ConsoleModel()
        for text, attribute in self.printed:
            model.write(text, attribute)
        return model


def stop_at(machine: Machine, place: int) -> None:
    """Let a paused machine run to an instruction of the kernel."""
    stop_at_boot_sector(machine)
    run_to(machine, place)


@pytest.fixture(scope="module")
def labels() -> dict[str, int]:
    """The addresses of the kernel's functions and variables."""
    return symbols(BUILD / folder_of(CHAPTER) / "kernel.elf")


@pytest.fixture(scope="module")
def halted(labels) -> Iterator[Halted]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER), paused=True) as machine:
        stop_at(machine, labels["kernel_main"])
        printed = report(Seen(machine)) + samples()
        machine.gdb.detach()
        machine.wait_until_halted()
        yield Halted(machine, printed)


def crtc(machine: Machine, register: int) -> int:
    """A register of the VGA's CRT controller."""
    machine.qmp.hmp(f"o /b 0x3d4 {register}")
    return port(machine, 0x3D5)


def port(machine: Machine, number: int) -> int:
    """A byte from an I/O port."""
    return int(machine.qmp.hmp(f"i /b {number:#x}").split("=")[1], 16)


def cursor(machine: Machine) -> int:
    """The position of the cursor, in cells from the top left."""
    return crtc(machine, 0x0E) << 8 | crtc(machine, 0x0F)


# ---- what is seen -----------------------------------------------------------------------


def test_all_that_is_printed_comes_out_of_com1(halted):
    """The boot information as it lies in memory, then the samples: the rows that the
    screen has lost, too, and the characters that it could not show."""
    assert halted.machine.serial == halted.text.replace("\n", "\r\n")


def test_the_screen_shows_the_last_rows_in_their_colours(halted):
    """All 2000 cells: the glyphs and the colours."""
    screen, model = halted.machine.screen(), halted.model
    assert screen.rows[ROWS - 2].rstrip() == "Hello World!"
    assert screen.memory == model.memory


def test_more_is_printed_than_a_screen_holds(halted):
    """The first rows have left it."""
    assert len(halted.model.history) > ROWS
    assert halted.text.splitlines()[0] not in halted.machine.screen()


def test_the_cursor_waits_in_the_last_row(halted):
    """At column 0, below the last line; it is switched on, two lines high."""
    assert halted.model.cursor == (0, ROWS - 1)
    assert cursor(halted.machine) == (ROWS - 1) * COLUMNS
    assert (crtc(halted.machine, 0x0A), crtc(halted.machine, 0x0B)) == (14, 15)


def attribute_mode(machine: Machine) -> int:
    """The VGA's attribute mode control register."""
    port(machine, 0x3DA)
    machine.qmp.hmp("o /b 0x3c0 0x30")
    mode = port(machine, 0x3C1)
    port(machine, 0x3DA)
    return mode


def test_bright_backgrounds_do_not_blink(halted):
    """The BIOS had let them: bit 3 of the attribute mode is clear now."""
    assert attribute_mode(halted.machine) & 1 << 3 == 0


def test_the_kernel_halts_for_good(halted):
    """In 64-bit code, with interrupts off."""
    registers = halted.machine.registers()
    assert registers.halted and not registers.interrupts
    assert registers.mode == "64-bit long mode"


# ---- panics -----------------------------------------------------------------------------

CRASH = r"""
#include <stdint.h>

#include "console.h"
#include "panic.h"

enum { CALLERS, REGISTERS, TWICE, FOREVER };

void crash(void);
_Noreturn void crash_with_registers(void); /* loaded.asm */

volatile uint64_t crash_kind = 0xffff; /* in .data: the test writes it */

/* The last instruction of each is a call: nothing is left to do, and nobody returns. */
__attribute__((noinline)) static void innermost(int many)
{
    panic("%d cells are %s", many, "too many");
}

__attribute__((noinline)) static void middle(int many)
{
    innermost(many + 1);
}

__attribute__((noinline)) static void recursion(uint64_t depth)
{
    KASSERT(depth < 50);
    if (depth < crash_kind + 100) { /* it is not the compiler that shall warn */
        recursion(depth + 1);
    }
}

static void put_and_panic(unsigned column, unsigned row, uint8_t glyph, uint8_t colors)
{
    static unsigned count;
    (void)colors;
    count++;
    if (count > 100) {
        panic("cannot show 0x%x at %u, %u", glyph, column, row);
    }
}

static void do_nothing(void)
{
}

static void no_cursor(unsigned column, unsigned row)
{
    (void)column;
    (void)row;
}

static const struct screen evil = {10, 10, put_and_panic, do_nothing, no_cursor};

void crash(void)
{
    switch (crash_kind) {
    case CALLERS:
        middle((int)crash_kind + 1999); /* no constant: gcc would make copies for it */
        break;
    case REGISTERS:
        crash_with_registers();
        break;
    case TWICE:
        console_init(&evil);
        panic("the first");
    case FOREVER:
        recursion(0);
    }
}
"""
CALLERS, REGISTERS, TWICE, FOREVER = range(4)

# A number of its own in each register. rdi, rsi, rdx and rax are then what panic_at needs.
NUMBERED = [*"rax rbx rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()]
NUMBERS = {name: 0x1122334455667700 + number for number, name in enumerate(NUMBERED)}
FLAGS = 0x8D7                           # all that calculations leave, and interrupts off
LOADED = f"""
bits 64
default rel
extern save_registers
extern panic_at
global crash_with_registers:function (crash_end - crash_with_registers)
global after_save_registers
section .text
crash_with_registers:
    push rbp
    mov rbp, rsp
    push {FLAGS}
    popfq
    {"; ".join(f"mov {name}, {number:#x}" for name, number in NUMBERS.items())}
    call save_registers
after_save_registers:
    lea rdi, [crash_end.file]
    mov esi, 7
    lea rdx, [crash_end.message]
    xor eax, eax
    call panic_at
crash_end:
.file:
    db "loaded.asm", 0
.message:
    db "numbers", 0
section .note.GNU-stack noalloc noexec nowrite progbits
""".replace("; mov", "\n    mov")


@pytest.fixture
def crashing() -> Alone:
    """The chapter with a kernel that panics at its end, as crash_kind says."""
    def change(alone: Alone) -> None:
        alone.add_to_kernel("crash.c", CRASH)
        (alone.sources / "loaded.asm").write_text(LOADED)
        alone.replace("chapter.mk", "linker_script :=",
                      f"kernel += chapters/{alone.chapter}/loaded.asm\nlinker_script :=")
        alone.replace("kernel.c", "    halt();\n", "    void crash(void);\n    crash();\n"
                                                   "    halt();\n")

    return built_once(CHAPTER, "crashing", change, "-j2")


@pytest.fixture
def crash(crashing, boot_image) -> Callable[[int], Machine]:
    """`crash(TWICE)` boots that kernel and lets it panic in one of its ways."""
    def crash(kind: int) -> Machine:
        labels = symbols(crashing.build / "kernel.elf")
        machine = boot_image(crashing.image, paused=True)
        stop_at(machine, labels["kernel_main"])
        machine.gdb.write_memory(labels["crash_kind"], kind.to_bytes(8, "little"))
        machine.gdb.detach()
        machine.wait_until_halted()
        return machine
    return crash


def panic_of(machine: Machine) -> list[str]:
    """The lines on COM1 from the panic on."""
    before, panic, rest = machine.serial.partition("\r\nkernel panic: ")
    assert panic and "kernel panic" not in before
    return ("kernel panic: " + rest).replace("\r\n", "\n").splitlines()


class Caller(NamedTuple):
    """A line of the backtrace."""

    address: int
    function: str
    offset: int


def callers_of(machine: Machine) -> list[Caller]:
    """The lines of the backtrace, each of which must name a function."""
    lines = panic_of(machine)
    found = []
    for line in lines[lines.index("called from") + 1:]:
        if line != "  and perhaps more":
            match = re.fullmatch(r"  ([0-9a-f]{16}) ([\w.]+)\+0x([0-9a-f]+)", line)
            assert match, line
            found.append(Caller(int(match[1], 16), match[2], int(match[3], 16)))
    return found


def assert_true(callers: list[Caller], kernel: Path) -> None:
    """Each address is behind a call of the function before, by the disassembler; and the
    names and offsets are what nm says."""
    code, labels = disassembly(kernel), symbols(kernel)
    ends = {before.address: after.address for before, after in zip(code, code[1:])}
    called = "panic_at"
    for caller in callers:
        assert caller.address - caller.offset == labels[caller.function]
        call = next(line for line in code if ends.get(line.address) == caller.address)
        assert call.function == caller.function
        assert call.text.startswith("call") and f"<{called}>" in call.text
        called = caller.function


def test_a_panic_names_its_callers(crash, crashing):
    """From the innermost out to kernel_main; also those that end with the call, whose
    return address lies in no function, or in the next one."""
    machine = crash(CALLERS)
    lines = panic_of(machine)
    place = next(number for number, line in enumerate(CRASH.splitlines(), 1)
                 if "too many" in line)
    assert lines[:2] == ["kernel panic: 2000 cells are too many",
                         f"in chapters/{crashing.chapter}/crash.c, line {place}"]
    callers = callers_of(machine)
    assert [caller.function for caller in callers] == ["innermost", "middle", "crash",
                                                       "kernel_main"]
    assert_true(callers, crashing.build / "kernel.elf")


def test_a_panic_is_white_on_red_below_the_text_before(crash):
    """All of it is on the screen, down to the last line of the backtrace."""
    machine = crash(CALLERS)
    model = ConsoleModel()
    for text, attribute in samples():
        model.write(text, attribute)
    model.write("\n" + "\n".join(panic_of(machine)) + "\n", WHITE_ON_RED)
    assert machine.screen().memory == model.memory
    registers = machine.registers()
    assert not registers.interrupts and registers.mode == "64-bit long mode"


def test_a_panic_shows_the_registers_as_they_were(crash, crashing):
    """A number in each, written by code that knows what it wrote; the flags; rip behind
    the call; rsp and rbp within the stack."""
    machine = crash(REGISTERS)
    lines = panic_of(machine)
    pairs = re.findall(r"(r\w+) +([0-9a-f]{8,16})\b", "\n".join(lines[2:8]))
    values = {name: int(value, 16) for name, value in pairs}
    assert len(values) == 18
    assert {name: values[name] for name in NUMBERS} == NUMBERS
    assert values["rflags"] == FLAGS
    labels = symbols(crashing.build / "kernel.elf")
    assert values["rip"] == labels["after_save_registers"]
    assert values["rsp"] == values["rbp"]
    assert int.from_bytes(machine.memory(
        machine.translate(values["rsp"] + 8).physical, 8), "little") in {
            caller.address for caller in callers_of(machine)}


def test_a_panic_within_a_panic_ends(crash, crashing):
    """The screen's own code panics while the first panic is printed: a word of that, on
    COM1, and a halt."""
    machine = crash(TWICE)
    first_letter = "\r\nk"
    assert machine.serial.endswith(
        f"Hello World!\r\n{first_letter}\r\nkernel panic during a kernel panic, "
        f"in chapters/{crashing.chapter}/crash.c\r\n")


def test_a_panic_shows_no_more_callers_than_fit(crash, crashing):
    """Fifty calls deep, ten are shown, and that there may be more."""
    machine = crash(FOREVER)
    lines = panic_of(machine)
    assert lines[0] == "kernel panic: this must be true: depth < 50"
    assert [caller.function for caller in callers_of(machine)] == ["recursion"] * 10
    assert lines[-1] == "  and perhaps more"
    assert lines[0] in machine.screen()


def test_a_kernel_refuses_boot_information_of_another_kind(boot, labels):
    """The assertion's own words, and the registers, on COM1; no screen is believed in."""
    machine = boot(CHAPTER, paused=True)
    stop_at(machine, labels["kernel_main"])
    before = machine.screen().memory
    machine.gdb.write_memory(machine.gdb.read_register("rdi"), b"f")
    machine.gdb.detach()
    machine.wait_until_halted()
    lines = panic_of(machine)
    assert lines[0] == ("kernel panic: this must be true: info->magic == BOOT_INFO_MAGIC && "
                        "info->version == BOOT_INFO_VERSION")
    assert len(lines) == 8 and lines[2].startswith("rax ")
    assert machine.screen().memory == before


# ---- broken variants -----------------------------------------------------------------------

ENDS_OF_LONGER_LINES = ["as ■ or ■, becomes a square.14159. A character that code page 437 has "
                        "not, such",
                        "Hello World!ecomes a square.14159. A character that code page 437 has "
                        "not, such"]


@pytest.fixture
def halted_variant(boot_broken) -> Callable[[str], Machine]:
    """`halted_variant("wraps-at-once")` boots a broken variant, which halts as the chapter."""
    def halted_variant(name: str) -> Machine:
        machine = boot_broken(CHAPTER, name)
        machine.wait_until_halted()
        return machine
    return halted_variant


def test_where_no_row_is_blanked_the_ends_of_longer_lines_stay(halted_variant):
    """last-row-not-blanked: they are copied up, and stand behind each shorter line."""
    machine = halted_variant("last-row-not-blanked")
    assert [machine.screen().row(row) for row in (22, 23, 24)] == [
        *ENDS_OF_LONGER_LINES, ENDS_OF_LONGER_LINES[1]]
    assert machine.serial.endswith("becomes a square.\r\nHello World!\r\n")


def test_where_a_full_row_is_left_at_once_an_empty_one_follows(halted_variant):
    """wraps-at-once: behind each row of 80 characters, of which all are full."""
    screen = halted_variant("wraps-at-once").screen()
    shown = [row.split(" ")[1:2] for row in map(screen.row, range(9, 21))]
    assert shown == [[f"{digit}0"] if full else [] for digit in "abcdef" for full in (1, 0)]
    assert screen.row(20) == "" and screen.row(21).startswith("Zürich")


def test_where_one_register_is_written_the_cursor_is_far_above(halted_variant):
    """cursor-low-byte-only: it is 7 * 256 cells above the end of the text, in row 1."""
    position = cursor(halted_variant("cursor-low-byte-only"))
    assert position == (ROWS - 1) * COLUMNS - 7 * 256
    assert position // COLUMNS == 1


def test_bytes_of_utf8_are_strange_characters(halted_variant):
    """bytes-shown-as-they-are: each byte is taken for a character of code page 437."""
    machine = halted_variant("bytes-shown-as-they-are")
    strange = SAMPLE.encode().decode("cp437")
    assert strange.startswith("Z├╝rich, 25 ┬░C, ")
    assert machine.screen().row(21) == strange[:COLUMNS]
    assert machine.serial.endswith(SAMPLE.replace("\n", "\r\n") + "Hello World!\r\n")


def picture_of_colours(machine: Machine) -> bytes:
    """The pixels of the rows that show each pair of colours."""
    file = machine.folder / "colours.ppm"
    machine.qmp.execute("screendump", filename=str(file))
    width, height, pixels = read_ppm(file.read_bytes())
    row = 3 * width * height // ROWS
    return pixels[5 * row:21 * row]


def test_where_blinking_is_left_on_qemu_shows_no_difference(halted, halted_variant):
    """blink-left-on: the bit is as the BIOS has set it, and the picture is the same."""
    machine = halted_variant("blink-left-on")
    assert attribute_mode(machine) & 1 << 3
    assert picture_of_colours(machine) == picture_of_colours(halted.machine)


def test_without_frame_pointers_the_chain_of_callers_breaks(halted_variant):
    """no-frame-pointers: the function that panicked is named, and not who called it."""
    machine = halted_variant("no-frame-pointers")
    callers = callers_of(machine)
    assert callers[0].function.startswith("look_at") and len(callers) < 3
    assert "kernel_main" not in [caller.function for caller in callers]
    labels = symbols(broken_image(CHAPTER, "no-frame-pointers").with_name("kernel.elf"))
    assert {"look_around", "kernel_main"} < {name.split(".")[0] for name in labels}
