"""Chapter 3: the memory map that the BIOS gives, in whatever way, and the A20 gate."""
from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from conftest import image_of
from machine import Machine
from memory_table import (BIOS_LOW, CHAPTER, E801, E820, FIRMWARE, KIB, USABLE, Row,
                          assert_says, assert_says_only, map_in_memory, ram_of)
from strange_bios import (Hook, address_of, run_hooked, run_to, sleeping_registers,
                          stop_at_boot_sector)

BIOS = "through the BIOS"
PORT_92, KEYBOARD = "through port 0x92", "through the keyboard controller"
STUCK = ("Cannot switch on the A20 line: neither the BIOS, nor port 0x92, nor the keyboard "
         "controller did it. Look for a BIOS setting called Gate A20.")


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


# ---- what is seen ----------------------------------------------------------------------------


def test_the_table_shows_the_map_that_is_in_memory(halted):
    """Title, columns, a line for each entry at 0x4000, and the last line about A20; all of
    it on the screen, all of it on COM1."""
    rows = map_in_memory(halted, len(halted.serial.split("\r\n")) - 4)
    assert len(rows) >= 4
    assert_says(halted, E820, rows)


def test_it_halts_in_real_mode_with_interrupts_on(halted):
    """The CPU halts in the second stage, and its stack is where it was."""
    registers = sleeping_registers(halted)
    assert registers.halted and registers.interrupts and not registers.protected_mode
    assert 0x8200 <= registers.pc < 0x10000
    assert registers["RSP"] == 0x7C00


@pytest.mark.parametrize("options", [
    pytest.param({"memory": "1M"}, id="1 MiB"),
    pytest.param({"memory": "8M"}, id="8 MiB"),
    pytest.param({"memory": "512M", "disk": "ahci"}, id="512 MiB on a q35 board"),
    pytest.param({"memory": "6G"}, id="6 GiB"),
])
def test_the_usable_memory_is_what_qemu_has_given(boot, options):
    """Each usable byte is memory of the machine, none is named twice, and of all memory
    only what the BIOS keeps for itself (less than 256 KiB) is missing."""
    machine = boot(CHAPTER, **options)
    machine.wait_until_halted()
    rows = map_in_memory(machine, len(machine.serial.split("\r\n")) - 4)
    assert_says(machine, E820, rows)

    ram = ram_of(machine)
    usable = sorted(row for row in rows if row.kind == USABLE)
    assert all(any(piece.start <= row.base and row.base + row.length <= piece.stop
                   for piece in ram) for row in usable)
    everything = sorted(rows)
    assert all(one.base + one.length <= other.base
               for one, other in zip(everything, everything[1:]))
    missing = sum(map(len, ram)) - sum(row.length for row in usable)
    assert 0 <= missing < 256 * KIB


# ---- A20 -------------------------------------------------------------------------------------

# A BIOS that cannot switch A20 on, and says so.
NO_A20 = """
    cmp ax, 0x2401
    jne pass_on
    inc word [cs:hits]
    mov ah, 0x86
    jmp refuse
"""
SYSTEM_CONTROL, KEYBOARD_COMMAND = 0x92, 0x64


def write_port(machine: Machine, port: int, value: int) -> None:
    machine.qmp.hmp(f"o /b {port:#x} {value:#x}")


def shut_the_gate(machine: Machine) -> None:
    """Switch A20 off by port 0x92, which then can switch it on, too."""
    write_port(machine, SYSTEM_CONTROL, 0)
    assert not machine.registers().a20


def shut_the_keyboard_controllers_gate(machine: Machine) -> None:
    """Switch A20 off by the keyboard controller, while port 0x92 says that it is on."""
    write_port(machine, SYSTEM_CONTROL, 2)
    write_port(machine, KEYBOARD_COMMAND, 0xDD)
    assert not machine.registers().a20


@pytest.mark.parametrize("code, prepare, way", [
    pytest.param("jmp pass_on", shut_the_gate, BIOS, id="the BIOS"),
    pytest.param(NO_A20, shut_the_gate, PORT_92, id="port 0x92"),
    pytest.param(NO_A20, shut_the_keyboard_controllers_gate, KEYBOARD,
                 id="the keyboard controller"),
])
def test_a20_gets_on_by_the_first_way_that_works(boot, code, prepare, way):
    """Off at the entry of the boot sector, on at the end, and the last line says how."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x15, code, prepare)
    assert [call.ax for call in hook.calls if call.ah == 0x24] == [0x2401]
    assert machine.registers().a20
    assert machine.serial.endswith(f"\r\nA20 is on: {way}\r\n")


@pytest.mark.parametrize("by_chance", [1, 2])
def test_a20_that_is_on_is_left_alone(boot, by_chance):
    """No way is tried, even if the memory above 1 MiB looks like that below by chance: each
    look writes another small number at 0x600, and this one is at 0x100600 already."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x15, prepare=lambda machine: machine.gdb.write_memory(
        0x100600, struct.pack("<H", by_chance)))
    assert not [call for call in hook.calls if call.ah == 0x24]
    assert machine.serial.endswith(f"\r\nA20 is on: {FIRMWARE}\r\n")


@pytest.mark.parametrize("extra", [
    pytest.param([], id="keyboard controller works"),
    # Its status reads as all ones, as that of a port at which nothing is.
    pytest.param(["-chardev", "null,id=nobody", "-device",
                  "isa-debugcon,iobase=0x64,readback=0xff,chardev=nobody"],
                 id="no keyboard controller"),
])
def test_a20_that_is_stuck_gets_a_sentence(boot, extra):
    """After each of the three ways the gate is shut again; no wait is without an end."""
    machine = boot(CHAPTER, paused=True, extra=extra)
    stop_at_boot_sector(machine)
    hook = Hook(machine, 0x15)
    shut_the_gate(machine)
    for _ in range(3):
        run_to(machine, address_of(CHAPTER, "stage2", "a20_wait"))
        write_port(machine, SYSTEM_CONTROL, 0)
    machine.gdb.detach()
    machine.wait_until_halted(timeout=5)
    assert [call.ax for call in hook.calls if call.ah == 0x24] == [0x2401]
    assert not machine.registers().a20
    assert_says_only(machine, STUCK)


# ---- broken variants -------------------------------------------------------------------------


def test_broken_a20_left_off(boot_broken):
    """Without a look at the gate, a byte for the memory above 1 MiB lands in our text."""
    machine = boot_broken(CHAPTER, "a20-left-off")
    machine.wait_until_halted()
    assert machine.serial.endswith(f"\r\nB20 is on: {FIRMWARE}\r\n")
    assert not machine.registers().a20


@pytest.mark.parametrize("variant", ["carry-ignored", "attributes-not-preset"])
def test_broken_so_that_the_map_is_lost(boot_broken, variant):
    """Without a heed to carry, or with attributes that nobody has set, only E801h is left."""
    machine = boot_broken(CHAPTER, variant)
    machine.wait_until_halted()
    assert_says(machine, E801, map_in_memory(machine, 3))


def test_broken_signature_lost(boot_broken):
    """Without edx before each call the map ends after one entry."""
    machine = boot_broken(CHAPTER, "signature-lost")
    machine.wait_until_halted()
    assert_says(machine, E820, [Row(0, BIOS_LOW, USABLE)])
