"""Chapter 1: the boot sector prints on the screen and on COM1, whatever the BIOS left."""
from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest

from conftest import image_of
from hello import HELLOS, LIGHT_GREY, assert_hello, assert_hello_on_screen
from machine import Machine
from machine.screen import COLUMNS, ROWS
from strange_bios import BOOT_SECTOR, sleeping_registers, stop_at_boot_sector

CHAPTER = "boot-sector"
HELLO = HELLOS[CHAPTER].text
DIRECTION_FLAG = 1 << 10

COM1 = 0x3F8
IER, IIR, LCR, MCR = COM1 + 1, COM1 + 2, COM1 + 3, COM1 + 4
DLAB = 0x80
PARAMETER_BLOCK = range(0x03, 0x5A)     # of a FAT file system, in a boot sector
BIOS_TICKS = 0x46C                      # the BIOS counts its timer interrupts here

# The command that attaches a port which always reads the same, in front of another.
FIXED_PORT = ["-chardev", "null,id=nobody",
              "-device", "isa-debugcon,iobase={port},readback={value},chardev=nobody"]
# COM1's address is left empty: the one serial port answers to that of COM2.
NO_COM1 = ["-global", "isa-serial.iobase=0x2f8"]


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture(scope="module")
def sector() -> bytes:
    return image_of(CHAPTER).read_bytes()[:512]


def assert_known_state(machine: Machine) -> None:
    """Halted with interrupts on, and what later chapters rely on is as it should be."""
    registers = sleeping_registers(machine)
    assert registers.halted and registers.interrupts
    for segment in (registers.cs, registers.ds, registers.es, registers.ss):
        assert (segment.selector, segment.base) == (0, 0)
    assert registers["RSP"] & 0xFFFF == BOOT_SECTOR
    assert not registers.rflags & DIRECTION_FLAG


def read_port(machine: Machine, port: int) -> int:
    return int(machine.qmp.hmp(f"i /b {port:#x}").split("=")[1], 16)


def write_port(machine: Machine, port: int, value: int) -> None:
    machine.qmp.hmp(f"o /b {port:#x} {value:#x}")


# ---- what is seen ----------------------------------------------------------------------------


def test_the_text_is_at_the_top_left_of_a_cleared_screen(halted):
    """Row 0 column 0 holds the text, and what the BIOS had written is gone."""
    assert not halted.screen().differs_from(HELLO)


def test_every_cell_is_light_grey_on_black(halted):
    """The screen was cleared and printed with the attribute 0x07."""
    screen = halted.screen()
    attributes = b"".join(screen.attributes(row) for row in range(ROWS))
    assert attributes == bytes([LIGHT_GREY]) * ROWS * COLUMNS


def test_com1_gets_the_same_text_and_not_a_byte_more(halted):
    """COM1 carries the line with its end, once."""
    assert halted.serial == HELLO + "\r\n"


# ---- the state of the machine ----------------------------------------------------------------


def test_the_cpu_is_halted_in_our_code_with_interrupts_on(halted):
    """hlt with the interrupt flag set, inside the boot sector."""
    registers = sleeping_registers(halted)
    assert registers.halted and registers.interrupts
    assert BOOT_SECTOR <= registers.pc < BOOT_SECTOR + 512


def test_the_halted_machine_still_handles_interrupts(halted):
    """The BIOS goes on counting timer interrupts, and each time the CPU halts again."""
    before = halted.memory(BIOS_TICKS, 4)
    limit = time.monotonic() + 2
    while halted.memory(BIOS_TICKS, 4) == before and time.monotonic() < limit:
        halted.look(0.01)
    assert halted.memory(BIOS_TICKS, 4) != before
    halted.wait_until_halted()
    assert halted.serial == HELLO + "\r\n"


def test_segments_stack_and_direction_are_known(halted):
    """cs, ds, es and ss are 0, the stack lies below the boot sector, df is clear."""
    assert_known_state(halted)


def test_com1_is_set_to_115200_baud_8n1_from_a_strange_state(boot):
    """Divisor, line, FIFO, modem and interrupt registers are all written, none relied on."""
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    write_port(machine, LCR, DLAB)
    write_port(machine, COM1, 0x80)     # 1 baud, nearly
    write_port(machine, IER, 0xE1)
    write_port(machine, LCR, 0x7E)      # 7 bits, parity, a break on the line
    write_port(machine, IIR, 0x00)      # FIFOs off
    write_port(machine, MCR, 0x1F)      # a loop back to the receiver
    write_port(machine, IER, 0x0F)      # all interrupts
    machine.gdb.detach()
    machine.wait_until_halted()
    assert machine.serial == HELLO + "\r\n"

    assert read_port(machine, LCR) == 0x03
    assert read_port(machine, IER) == 0x00
    assert read_port(machine, IIR) & 0xC0 == 0xC0  # FIFOs on
    assert read_port(machine, MCR) == 0x03
    write_port(machine, LCR, DLAB | 0x03)
    assert (read_port(machine, COM1), read_port(machine, IER)) == (1, 0)


# ---- what BIOSes leave -----------------------------------------------------------------------

# Values that differ from each other, in the upper halves, too.
GARBAGE = {name: 0xDEAD0000 | 0x1111 * number for number, name in
           enumerate(["eax", "ebx", "ecx", "esi", "edi", "ebp"], start=9)}
STRANGE_SEGMENTS = {"ds": 0x0040, "es": 0xB800, "fs": 0x9ABC, "gs": 0xF000}
STRANGE_STACK = {"ss": 0x8001, "esp": 0xDEAD0FFD}   # odd, in memory that is free
DF_WITHOUT_IF = {"eflags": 0x402}

ENTRY_STATES = {
    "jumped to as 07c0:0000": {"cs": 0x07C0, "eip": 0},
    "odd segments and an odd stack": {**STRANGE_SEGMENTS, **STRANGE_STACK},
    "direction flag set and interrupts off": DF_WITHOUT_IF,
    "garbage in every other register": {**GARBAGE, "edx": 0xDEADBE80},
    "all of that at once": {"cs": 0x07C0, "eip": 0, **STRANGE_SEGMENTS, **STRANGE_STACK,
                            **DF_WITHOUT_IF, **GARBAGE, "edx": 0xDEADBE80},
}


@pytest.mark.parametrize("state", ENTRY_STATES.values(), ids=ENTRY_STATES)
def test_nothing_that_the_bios_leaves_is_relied_on(boot, state):
    """The text is printed and the CPU halts with interrupts on, from any state at entry."""
    machine = boot(CHAPTER, paused=True)
    machine.start_at_boot_sector(registers=state)
    assert_hello(machine, CHAPTER)
    assert_known_state(machine)


def test_a_bios_may_write_into_the_parameter_block(boot):
    """Every byte from 0x03 to 0x59 can change: no code and no data of ours is there."""
    machine = boot(CHAPTER, paused=True)
    machine.start_at_boot_sector(
        memory={BOOT_SECTOR + PARAMETER_BLOCK.start: b"\xf4" * len(PARAMETER_BLOCK)})
    assert_hello_on_screen(machine, CHAPTER)
    assert sleeping_registers(machine).pc >= BOOT_SECTOR + PARAMETER_BLOCK.stop


def test_without_a_serial_port_the_screen_has_the_text(boot):
    """Where no port answers at COM1's address, the text is on the screen all the same."""
    machine = boot(CHAPTER, extra=NO_COM1)
    assert_hello_on_screen(machine, CHAPTER)
    assert machine.serial == ""


def test_a_serial_port_that_is_never_ready_does_not_hang_the_boot(boot):
    """The wait for COM1 is bounded: its status always reads as not ready."""
    machine = boot(CHAPTER, extra=[argument.format(port=COM1 + 5, value=0)
                                   for argument in FIXED_PORT])
    assert_hello_on_screen(machine, CHAPTER)


# ---- the sector itself -----------------------------------------------------------------------


def test_the_sector_ends_with_the_signature(sector):
    """Its last two bytes are 0x55 and 0xaa."""
    assert sector[510:] == b"\x55\xaa"


def test_the_sector_begins_with_a_jump_over_the_parameter_block(sector):
    """A short jump and a nop, as BIOSes check for; the jump leads behind the block."""
    assert sector[0] == 0xEB and sector[2] == 0x90
    assert 2 + sector[1] >= PARAMETER_BLOCK.stop


def test_exactly_one_partition_is_active(sector):
    """One entry is marked 0x80 and the other three are empty."""
    entries = [sector[start:start + 16] for start in range(446, 510, 16)]
    assert [entry[0] for entry in entries] == [0x80, 0, 0, 0]
    assert entries[1:] == [bytes(16)] * 3


def test_the_active_partition_lies_within_the_image(sector):
    """It has a type, starts behind the boot sector and ends with the image, by LBA and by
    CHS."""
    size = image_of(CHAPTER).stat().st_size
    _, *first, kind, head, sector_and_cylinder, cylinder, start, count = \
        struct.unpack("<8BII", sector[446:462])
    assert kind not in (0x00, 0xEE)
    assert start >= 1 and count >= 1 and (start + count) * 512 <= size

    def lba(head, sector, cylinder):
        return ((cylinder + (sector >> 6 << 8)) * 2 + head) * 18 + (sector & 0x3F) - 1

    assert lba(*first) == start
    assert lba(head, sector_and_cylinder, cylinder) == start + count - 1


# ---- broken variants (uart-not-polled: in test_bochs.py) -------------------------------------


def test_broken_ds_not_set(boot_broken):
    """Without `mov ds, ax` no text comes, neither on the screen nor on COM1."""
    machine = boot_broken(CHAPTER, "ds-not-set")
    machine.wait_until_halted()
    assert HELLO not in machine.screen() and HELLO not in machine.serial


def test_broken_no_cld(boot_broken):
    """Without `cld` the first letter is right, and what follows it is not."""
    machine = boot_broken(CHAPTER, "no-cld")
    machine.wait_until_halted()
    assert machine.screen().row(0).startswith("H")
    assert not machine.screen().row(0).startswith("He")


def test_broken_no_signature(boot_broken):
    """Without 0x55 0xaa the BIOS does not start the sector."""
    machine = boot_broken(CHAPTER, "no-signature")
    machine.wait_for_screen(lambda screen: "not a bootable disk" in screen)
    assert machine.serial == ""


def test_broken_code_in_bpb(boot_broken):
    """Code in the parameter block is overwritten by the BIOS, and the text never comes."""
    machine = boot_broken(CHAPTER, "code-in-bpb")
    machine.wait_for_end(1)
    assert machine.memory(BOOT_SECTOR + 0x1C, 4) == struct.pack("<I", 63)
    assert HELLO not in machine.screen() and HELLO not in machine.serial
