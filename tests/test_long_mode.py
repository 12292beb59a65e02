"""Chapter 5: 64-bit code, behind page tables that map the first GiB to itself."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import BUILD, folder_of, image_of
from hello import HELLOS, assert_hello
from machine import Machine, NotMapped
from machine.registers import CR4_PAE, EFER_LMA, EFER_LME
from page_tables import MIB, PAGE_TABLES, assert_clean_tables, table_at
from strange_bios import address_of, run_to, stop_at_boot_sector

CHAPTER = "long-mode"
HELLO = HELLOS[CHAPTER].text
STACK_TOP = 0x7C00
CODE64 = 0x18                           # a selector
GIB = 1 << 30

NO_CPUID = "This CPU has no CPUID instruction: it is too old for a 64-bit kernel."
NO_MSR = ("This CPU has no model-specific registers (CPUID 1, EDX bit 5): it cannot\n"
          "run a 64-bit kernel.")
NO_PAE = ("This CPU has no physical address extension (CPUID 1, EDX bit 6): it cannot\n"
          "run a 64-bit kernel.")
NO_LONG_MODE = ("This CPU has no long mode (CPUID 0x80000001, EDX bit 29): it cannot run a\n"
                "64-bit kernel.")


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


def assert_nothing_printed(machine: Machine) -> None:
    assert not machine.screen().differs_from("")
    assert machine.serial == ""


def assert_refused(machine: Machine, sentence: str) -> None:
    """The sentence on the screen and on COM1, and a halt in real mode."""
    machine.wait_until_halted()
    assert not machine.screen().differs_from(sentence)
    assert machine.serial == sentence.replace("\n", "\r\n") + "\r\n"
    registers = machine.registers()
    assert not registers.protected_mode and registers.interrupts


# ---- what is seen --------------------------------------------------------------------


def test_the_text_is_light_green_at_the_top_left(halted):
    """Row 0 holds the text, each of its cells with the attribute 0x0a."""
    assert_hello(halted, CHAPTER)



# ---- the state of the CPU ------------------------------------------------------------


def test_the_cpu_is_in_long_mode_with_paging_on(halted):
    """EFER.LME asked for it, CR4.PAE and CR0.PG made it so: EFER.LMA is set."""
    registers = halted.registers()
    assert registers.protected_mode and registers.paging
    assert registers.cr4 & CR4_PAE
    assert registers.efer & (EFER_LME | EFER_LMA) == EFER_LME | EFER_LMA


def test_cs_holds_64_bit_code(halted):
    """The far jump loaded the descriptor with the L bit: no compatibility mode."""
    cs = halted.registers().cs
    assert (cs.selector, cs.bits, cs.privilege) == (CODE64, 64, 0)


def test_the_cpu_is_halted_for_good_in_our_code(halted):
    """hlt with interrupts off, inside the second stage; the stack is as fresh as before."""
    registers = halted.registers()
    assert registers.halted and not registers.interrupts
    size = (BUILD / folder_of(CHAPTER) / "stage2.bin").stat().st_size
    assert 0 <= registers.pc - address_of(CHAPTER, "stage2", "second_stage_head") < size
    assert registers["RSP"] == STACK_TOP


# ---- the page tables -----------------------------------------------------------------


@pytest.mark.parametrize("address", [
    pytest.param(0, id="first-byte"),
    pytest.param(0x7C00, id="boot-sector"),
    pytest.param(0xB8000, id="screen"),
    pytest.param(2 * MIB - 1, id="last-byte-of-the-first-page"),
    pytest.param(2 * MIB, id="first-byte-of-the-second-page"),
    pytest.param(0x12345678, id="in-the-middle"),
    pytest.param(GIB - 1, id="last-byte")])
def test_the_first_gib_is_mapped_to_itself(halted, address):
    """A page of 2 MiB that can be written, for the kernel alone; virtual is physical."""
    found = halted.translate(address)
    assert (found.physical, found.page_size) == (address, 2 * MIB)
    assert found.writable and not found.user


@pytest.mark.parametrize("address", [
    pytest.param(GIB, id="first-byte-above"),
    pytest.param(4 * GIB, id="4-gib"),
    pytest.param(1 << 39, id="next-entry-of-the-first-table"),
    pytest.param(0xFFFF800000000000, id="upper-half"),
    pytest.param(0xFFFFFFFFFFFFFFFF, id="last-byte-of-all")])
def test_nothing_else_is_mapped(halted, address):
    """Above 1 GiB the walk ends at an entry that is not present."""
    with pytest.raises(NotMapped):
        halted.translate(address)


def test_the_page_tables_are_clean_in_dirty_memory(boot):
    """Where every byte was 0xff before, all unused entries are 0."""
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    machine.gdb.write_memory(PAGE_TABLES.start, b"\xff" * len(PAGE_TABLES))
    machine.gdb.detach()
    assert_hello(machine, CHAPTER)
    assert_clean_tables(machine)


# ---- CPUs ----------------------------------------------------------------------------


@pytest.mark.parametrize("cpu, sentence", [
    pytest.param("486", NO_MSR, id="486-without-model-specific-registers"),
    pytest.param("pentium", NO_PAE, id="pentium-without-pae"),
    pytest.param("pentium3", NO_LONG_MODE, id="pentium3-without-long-mode"),
    pytest.param("qemu64,-lm", NO_LONG_MODE, id="with-all-but-long-mode")])
def test_a_cpu_that_lacks_something_gets_a_sentence(boot, cpu, sentence):
    """It names what is missing, and the CPUID bit that says so."""
    assert_refused(boot(CHAPTER, cpu=cpu), sentence)


def test_a_cpu_without_cpuid_gets_a_sentence(boot):
    """Where bit 21 of the flags cannot be changed, cpuid is not tried.

    QEMU has no such CPU: we change the bit back behind the chapter's back.
    """
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    run_to(machine, address_of(CHAPTER, "stage2", "require_long_mode"))
    before = machine.gdb.read_register("rflags")
    popfd = bytes.fromhex("669d")
    for _ in range(20):
        found = machine.gdb.read_memory(machine.gdb.read_register("rip"), 2) == popfd
        machine.gdb.step()
        if found:
            break
    assert machine.gdb.read_register("rflags") ^ before == 1 << 21
    machine.gdb.write_register("rflags", before)
    machine.gdb.detach()
    assert_refused(machine, NO_CPUID)


# ---- broken variants -----------------------------------------------------------------


def test_without_pae_qemu_does_not_switch_paging_on(boot_broken):
    """pg-without-pae: CR0.PG stays 0, and the 64-bit descriptor means 16-bit code."""
    machine = boot_broken(CHAPTER, "pg-without-pae")
    machine.wait_for_end(timeout=2)
    registers = machine.registers()
    assert registers.efer & EFER_LME and not registers.efer & EFER_LMA
    assert not registers.paging and not registers.cr4 & CR4_PAE
    assert (registers.cs.selector, registers.cs.bits) == (CODE64, 16)
    assert_nothing_printed(machine)


def test_without_pae_bochs_faults(boot_bochs):
    """pg-without-pae: the write to CR0 is the exception that the manual asks for."""
    machine = boot_bochs(CHAPTER, variant="pg-without-pae")
    assert machine.wait_for_end().kind == "triple fault"
    assert "without enabling CR4.PAE" in machine.complaint()


def test_without_lme_paging_is_of_the_32_bit_kind(boot_broken):
    """lme-missing: EFER.LMA stays 0; the tables mean something else: a triple fault."""
    machine = boot_broken(CHAPTER, "lme-missing")
    assert machine.wait_for_end().kind == "triple fault"
    registers = machine.registers()
    assert registers.paging and registers.cr4 & CR4_PAE
    assert not registers.efer & (EFER_LME | EFER_LMA)
    assert registers.cs.bits == 32
    assert_nothing_printed(machine)


def test_without_the_far_jump_the_cpu_stays_in_compatibility_mode(boot_broken):
    """no-64-bit-jump: EFER.LMA is set, but 64-bit code is decoded as 32-bit code."""
    machine = boot_broken(CHAPTER, "no-64-bit-jump")
    machine.wait_for_end(timeout=2)
    registers = machine.registers()
    assert registers.mode == "32-bit compatibility mode"
    assert HELLO not in machine.screen() and HELLO not in machine.serial


def test_without_the_check_an_old_cpu_faults(boot_broken):
    """no-cpuid-check: a triple fault, and no word to say why."""
    machine = boot_broken(CHAPTER, "no-cpuid-check", cpu="pentium3")
    assert machine.wait_for_end().kind == "triple fault"
    assert_nothing_printed(machine)


def test_a_page_that_is_not_present_cannot_be_executed(boot_broken):
    """page-not-present: the instruction behind `mov cr0` is the first that is not found."""
    machine = boot_broken(CHAPTER, "page-not-present")
    assert machine.wait_for_end().kind == "triple fault"
    registers = machine.registers()
    assert registers.long_mode and registers.cs.bits == 32
    with pytest.raises(NotMapped) as missing:
        machine.translate(registers.pc)
    assert missing.value.levels[-1].name == "PD"
    assert_nothing_printed(machine)


def test_tables_in_dirty_memory_have_reserved_bits_set(boot_broken):
    """tables-not-cleared: the upper half of an entry is what memory held before."""
    machine = boot_broken(CHAPTER, "tables-not-cleared")
    assert machine.wait_for_end().kind == "triple fault"
    assert machine.registers().long_mode
    first = table_at(machine, PAGE_TABLES.start)[0]
    assert first >> 32 == 0xFFFFFFFF
    assert_nothing_printed(machine)
