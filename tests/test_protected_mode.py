"""Chapter 4: 32-bit code in protected mode writes into the memory of the VGA screen."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import BUILD, folder_of, image_of
from hello import HELLOS, assert_hello
from machine import Machine
from machine.screen import COLUMNS
from strange_bios import address_of

CHAPTER = "protected-mode"
HELLO = HELLOS[CHAPTER].text
STACK_TOP = 0x7C00

CODE, DATA = 0x08, 0x10                 # selectors
# The parts of a descriptor's upper half that give a segment its meaning.
TYPE = 0xF << 8                         # with the bit "accessed"
CODE_READABLE, DATA_WRITABLE = 0xB << 8, 0x3 << 8
NOT_OF_THE_SYSTEM, PRESENT, BIG = 1 << 12, 1 << 15, 1 << 22


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


def stage() -> range:
    """The memory of the second stage."""
    size = (BUILD / folder_of(CHAPTER) / "stage2.bin").stat().st_size
    start = address_of(CHAPTER, "stage2", "second_stage_head")
    return range(start, start + size)


# ---- what is seen --------------------------------------------------------------------


def test_the_text_is_yellow_at_the_top_left(halted):
    """Row 0 holds the text, each of its cells with the attribute 0x0e."""
    assert_hello(halted, CHAPTER)



# ---- the state of the CPU ------------------------------------------------------------


def test_the_cpu_is_in_protected_mode_without_paging(halted):
    """CR0.PE is set, CR0.PG is not."""
    registers = halted.registers()
    assert registers.protected_mode and not registers.paging


def test_cs_holds_32_bit_code_from_0_to_4_gib(halted):
    """The far jump loaded cs from the GDT: base 0, limit 4 GiB, 32 bits, ring 0."""
    cs = halted.registers().cs
    assert (cs.selector, cs.base, cs.limit, cs.bits) == (CODE, 0, 0xFFFFFFFF, 32)
    assert cs.flags & TYPE == CODE_READABLE
    assert cs.flags & NOT_OF_THE_SYSTEM and cs.present and cs.privilege == 0


@pytest.mark.parametrize("name", ["ds", "es", "fs", "gs", "ss"])
def test_a_data_segment_spans_4_gib(halted, name):
    """Every data segment register holds the writable segment from 0 to 4 GiB."""
    segment = getattr(halted.registers(), name)
    assert (segment.selector, segment.base, segment.limit) == (DATA, 0, 0xFFFFFFFF)
    assert segment.flags & TYPE == DATA_WRITABLE
    assert segment.flags & NOT_OF_THE_SYSTEM and segment.present
    assert segment.flags & BIG and segment.privilege == 0


def test_the_gdt_lies_in_the_second_stage(halted):
    """GDTR holds the table's linear address, and its last byte's offset: 3 descriptors."""
    gdt = halted.registers().gdt
    assert gdt.base == address_of(CHAPTER, "stage2", "gdt")
    assert gdt.base in stage() and gdt.base + gdt.limit in stage()
    assert gdt.base % 8 == 0 and gdt.limit == 3 * 8 - 1
    assert halted.memory(gdt.base, 8) == bytes(8)


def test_the_cpu_is_halted_for_good_in_our_code(halted):
    """hlt with interrupts off: no handler for them is left."""
    registers = halted.registers()
    assert registers.halted and not registers.interrupts
    assert registers.pc in stage()


def test_the_stack_is_fresh(halted):
    """esp is 0x7c00 again, where nothing of ours lies below."""
    assert halted.registers()["RSP"] == STACK_TOP


def test_a20_is_on(halted):
    """The firmware had it on, or the second stage switched it on."""
    assert halted.registers().a20


# ---- broken variants -----------------------------------------------------------------


def test_without_the_far_jump_the_cpu_decodes_16_bit_code(boot_broken):
    """no-far-jump: CR0.PE is set, but cs is real mode's, and nothing is printed."""
    machine = boot_broken(CHAPTER, "no-far-jump")
    machine.wait_for_end(timeout=2)
    registers = machine.registers()
    assert registers.protected_mode
    assert (registers.cs.selector, registers.cs.bits) == (0, 16)
    assert not machine.screen().differs_from("") and machine.serial == ""


def test_with_a_wrong_gdt_limit_loading_ds_is_a_triple_fault(boot_broken):
    """gdt-limit-wrong: cs was loaded, and the data descriptor is behind the end."""
    machine = boot_broken(CHAPTER, "gdt-limit-wrong")
    assert machine.wait_for_end().kind == "triple fault"
    registers = machine.registers()
    assert (registers.cs.selector, registers.cs.bits) == (CODE, 32)
    assert (registers["RAX"], registers.ds.selector) == (DATA, 0)
    assert registers.gdt.limit < DATA + 7
    assert not machine.screen().differs_from("") and machine.serial == ""


def test_with_interrupts_on_the_timer_is_a_triple_fault(boot_broken):
    """interrupts-left-on: all goes well until the timer's first tick."""
    machine = boot_broken(CHAPTER, "interrupts-left-on")
    end = machine.look(timeout=5)
    assert end and end.kind == "triple fault"
    registers = machine.registers()
    assert registers.interrupts and registers.cs.bits == 32


def test_without_data_segments_the_text_goes_elsewhere(boot_broken):
    """data-segments-not-loaded: es still has the base that real mode gave it."""
    machine = boot_broken(CHAPTER, "data-segments-not-loaded")
    machine.wait_until_halted()
    assert not machine.screen().differs_from("")
    assert machine.serial == HELLO + "\r\n"
    assert machine.registers().es.base == 0xB8000
    astray = machine.memory(0xB8000 + 0xB8000, 2 * len(HELLO))
    assert astray[0::2].decode() == HELLO


def test_without_data_segments_bochs_sees_a_limit_passed(boot_bochs):
    """data-segments-not-loaded: real mode's limit of 64 KiB is still in force."""
    machine = boot_bochs(CHAPTER, variant="data-segments-not-loaded")
    assert machine.wait_for_end().kind == "triple fault"
    assert "beyond limit" in machine.complaint()


def test_with_a20_off_an_odd_mib_is_a_view_of_the_even_one(boot_broken):
    """a20-left-off: text written 1 MiB above the screen appears on the screen."""
    machine = boot_broken(CHAPTER, "a20-left-off")
    machine.wait_until_halted()
    assert not machine.registers().a20
    astray = "I was written 1 MiB above the screen."
    assert not machine.screen().differs_from([HELLO, astray])
    assert machine.registers()["RDI"] == 0x1B8000 + 2 * (COLUMNS + len(astray))
