"""Chapter 3: the memory map that the BIOS gives, in whatever way, and the A20 gate."""
from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Optional

import pytest

from conftest import image_of
from machine import Machine
from strange_bios import Hook, address_of, run_to, sleeping_registers, stop_at_boot_sector

CHAPTER = "memory-map"
MEMORY_MAP, MEMORY_MAP_END = 0x4000, 0x5000
ENTRY = struct.Struct("<QQII")          # base, length, type, attributes
USABLE = 1
TYPES = {1: "usable", 2: "reserved", 3: "ACPI tables", 4: "ACPI non-volatile",
         5: "bad memory"}
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BIOS_LOW = 639 * KIB                    # what interrupt 0x12 says on QEMU

E820, E801, H88 = "INT 15h, AX=E820h", "INT 15h, AX=E801h", "INT 15h, AH=88h"
COLUMNS = "base                length                    size  type"
NO_MAP = ("This BIOS does not tell how much memory there is: it knows none of the calls E820h, "
          "E801h and 88h. Update it, or try another machine.")
STUCK = ("Cannot switch on the A20 line: neither the BIOS, nor port 0x92, nor the keyboard "
         "controller did it. Look for a BIOS setting called Gate A20.")

FIRMWARE, BIOS = "the firmware left it on", "through the BIOS"
PORT_92, KEYBOARD = "through port 0x92", "through the keyboard controller"


class Row(NamedTuple):
    """An entry of the map. `kind` is a number, or what stands in the table for it."""

    base: int
    length: int
    kind: int

    def __str__(self) -> str:
        if self.length < 10 * MIB:
            size = f"{self.length // KIB:>8} KiB"
        else:
            size = f"{self.length // MIB:>8} MiB"
        return (f"0x{self.base:016x}  0x{self.length:016x}  {size}  "
                f"{TYPES.get(self.kind, 'unknown type')}")


def usable_from(*pairs: tuple[int, int]) -> list[Row]:
    """Rows of usable memory, the first one that which interrupt 0x12 tells of."""
    return [Row(base, length, USABLE) for base, length in [(0, BIOS_LOW), *pairs]]


def assert_says(machine: Machine, source: str, rows: list[Row], a20: str = FIRMWARE) -> None:
    """COM1 and, if it fits, the screen show this table and how A20 got on; and it is on."""
    lines = [f"Memory map ({source}):", COLUMNS, *map(str, rows), f"A20 is on: {a20}"]
    assert machine.serial.split("\r\n") == [*lines, ""]
    if len(lines) < 25:
        assert not machine.screen().differs_from(lines)
    assert machine.registers().a20


def assert_says_only(machine: Machine, sentence: str) -> None:
    """The last words are this sentence, in one line or more, on COM1 and on the screen."""
    text = " ".join(machine.serial.split("\r\n")).rstrip()
    assert text.endswith(sentence)
    last = machine.serial.split("\r\n")[-2]
    assert machine.screen().text.split("\n")[-1] == last


def map_in_memory(machine: Machine, count: int) -> list[Row]:
    data = machine.memory(MEMORY_MAP, count * ENTRY.size)
    return [Row(base, length, kind) for base, length, kind, _ in ENTRY.iter_unpack(data)]


def ram_of(machine: Machine) -> list[range]:
    """Where QEMU itself has put the machine's memory, without what lies under ROMs."""
    views = machine.qmp.hmp("info mtree -f").split("FlatView #")
    view = next(view for view in views if '"memory"' in view)
    found = re.findall(r"^ *([0-9a-f]{16})-([0-9a-f]{16}) \(prio \d+, ram\): pc\.ram", view,
                       re.MULTILINE)
    pieces = [range(int(start, 16), int(end, 16) + 1) for start, end in found]
    return [piece for piece in pieces if not 0xA0000 <= piece.start < MIB]


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture
def start_hooked(boot) -> Callable[..., tuple[Machine, Hook]]:
    """`start_hooked(code)` boots with `code` in front of interrupt 0x15, up to the halt.

    `prepare(machine)` changes more of what the BIOS left, before the boot sector runs.
    """
    def start(code: str = "jmp pass_on",
              prepare: Callable[[Machine], object] = lambda machine: None,
              **options) -> tuple[Machine, Hook]:
        machine = boot(CHAPTER, paused=True, **options)
        stop_at_boot_sector(machine)
        hook = Hook(machine, 0x15, code)
        prepare(machine)
        machine.gdb.detach()
        machine.wait_until_halted()
        return machine, hook
    return start


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
def test_a20_gets_on_by_the_first_way_that_works(start_hooked, code, prepare, way):
    """Off at the entry of the boot sector, on at the end, and the last line says how."""
    machine, hook = start_hooked(code, prepare)
    assert [call.ax for call in hook.calls if call.ah == 0x24] == [0x2401]
    assert machine.registers().a20
    assert machine.serial.endswith(f"\r\nA20 is on: {way}\r\n")


@pytest.mark.parametrize("by_chance", [1, 2])
def test_a20_that_is_on_is_left_alone(start_hooked, by_chance):
    """No way is tried, even if the memory above 1 MiB looks like that below by chance: each
    look writes another small number at 0x600, and this one is at 0x100600 already."""
    machine, hook = start_hooked(prepare=lambda machine: machine.gdb.write_memory(
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


# ---- maps of strange BIOSes ------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What the BIOS does when it is asked for an entry: `written` bytes, and ecx."""

    row: Row
    attributes: int = 1
    written: int = 24
    ecx: Optional[int] = None           # as many as written, unless the BIOS lies

    def source(self) -> str:
        data = ENTRY.pack(*self.row, self.attributes)
        ecx = self.written if self.ecx is None else self.ecx
        return (f"dw {self.written}\n dd {ecx}\n"
                f"db {', '.join(map(str, data))}\n")


SERVE = """
    cmp ax, 0xe820
    jne pass_on
    inc word [cs:hits]
    cmp edx, "PAMS"                     ; a little-endian SMAP
    jne .no_more
    cmp bx, {count}
    jae .no_more

    imul si, bx, 30
    inc bx
    cmp bx, {count}
    jne .more
    {last}
.more:
    mov cx, [cs:table + si]
    push dword [cs:table + si + 2]
.copy:
    mov al, [cs:table + si + 6]
    mov [es:di], al
    inc si
    inc di
    loop .copy
    pop ecx

    ; What no specification protects.
    mov edx, 0xd1d1d1d1
    mov esi, edx
    mov edi, edx
    mov ebp, edx
    mov eax, "PAMS"
    jmp answer

.no_more:
    mov ah, 0x86
    jmp refuse
table:
"""
ENDS_BY_EBX = "xor ebx, ebx"
ENDS_BY_CARRY = ""                      # one call later
NEVER_ENDS = "dec bx"                   # the last entry again and again


def serve(answers: list[Answer], last: str) -> str:
    """A BIOS that has this map, and ends it in one of the three ways above."""
    return (SERVE.format(count=len(answers), last=last)
            + "".join(answer.source() for answer in answers))


GOOD = [Row(0, 0x9FC00, 1), Row(MIB, 63 * MIB, 1)]
ODD_MAP = [
    Answer(Row(4 * GIB, 2 * GIB, 1)),                           # not sorted
    Answer(Row(0x9FC00, 0x400, 2), written=20),                 # from before ACPI 3
    Answer(Row(0, 0x9FC00, 1), attributes=0, ecx=20),           # 4 more, of no meaning
    Answer(Row(0x50000, 0, 1)),                                 # nothing
    Answer(Row(0x60000, 0x1000, 1), attributes=0),              # "ignore this entry"
    Answer(Row(0x70000, 0x1000, 1), attributes=2),              # likewise
    Answer(Row(MIB, 10 * MIB - 1, 1), attributes=3),
    Answer(Row(0x200000, 10 * MIB, 3)),                         # it overlaps
    Answer(Row(0xFFFFFFFFFFFC0000, 0x40000, 4)),
    Answer(Row(0x80000000, 3 * MIB, 5), written=22),
    Answer(Row(0xE0000000, 512, 12)),                           # no type that we know
    Answer(Row(0x90000000, 1 << 40, 0)),
]
IGNORED = {Row(0x50000, 0, 1), Row(0x60000, 0x1000, 1), Row(0x70000, 0x1000, 1)}


@pytest.mark.parametrize("last", [pytest.param(ENDS_BY_EBX, id="ends by ebx"),
                                  pytest.param(ENDS_BY_CARRY, id="ends by the carry flag")])
def test_odd_entries_are_kept_and_void_ones_are_not(start_hooked, last):
    """Unsorted, overlapping, with and without attributes, of any type: as the BIOS gives
    them. Those of no length, and those that it says to ignore, are left out."""
    machine, hook = start_hooked(serve(ODD_MAP, last))
    assert hook.hits == len(ODD_MAP) + (last == ENDS_BY_CARRY)
    assert_says(machine, E820, [answer.row for answer in ODD_MAP if answer.row not in IGNORED])


def test_entries_of_impossible_length_are_not_taken(start_hooked):
    """An ecx below 20 means that something is missing."""
    answers = [Answer(GOOD[0]), Answer(Row(0x60000, 0x1000, 1), ecx=16), Answer(GOOD[1])]
    machine, hook = start_hooked(serve(answers, ENDS_BY_EBX))
    assert hook.hits == 3
    assert_says(machine, E820, GOOD)


def test_a_bios_that_leaves_ecx_alone_may_write_20_bytes(start_hooked):
    """ecx comes back as 24, and no attributes were written: the entry counts."""
    answers = [Answer(row, written=20, ecx=24) for row in GOOD]
    machine, hook = start_hooked(serve(answers, ENDS_BY_EBX))
    assert hook.hits == 2
    assert_says(machine, E820, GOOD)


def test_a_map_without_an_end_is_ended(start_hooked):
    """A BIOS that gives the same void entry for ever is asked a bounded number of times."""
    answers = [Answer(GOOD[0]), Answer(GOOD[1]), Answer(Row(0x50000, 0, 1))]
    machine, hook = start_hooked(serve(answers, NEVER_ENDS))
    assert 100 < hook.hits < 5000
    assert_says(machine, E820, GOOD)


def test_200_entries_are_capped(start_hooked):
    """The map takes as many as there is room for, and nothing is written behind it."""
    rows = [Row(number * MIB, MIB, 1 + number % 2) for number in range(200)]
    room = (MEMORY_MAP_END - MEMORY_MAP) // ENTRY.size
    canary = MEMORY_MAP + room * ENTRY.size
    guard = b"guard" * 100

    machine, hook = start_hooked(
        serve([Answer(row) for row in rows], ENDS_BY_EBX),
        prepare=lambda machine: machine.gdb.write_memory(canary, guard))
    assert hook.hits == room == 170
    assert_says(machine, E820, rows[:room])
    assert machine.memory(canary, len(guard)) == guard


# Calls that are not there, and calls that answer with numbers of ours.
NO_E820 = """
    cmp ax, 0xe820
    je  .refuse
"""
NO_E801 = """
    cmp ax, 0xe801
    je  .refuse
"""
NO_88 = """
    cmp ah, 0x88
    je  .refuse
"""
REFUSE = """
    jmp pass_on
.refuse:
    inc word [cs:hits]
    mov ah, 0x86
    jmp refuse
"""
# The caller's carry flag is what the BIOS returns.
NO_E801_AND_SILENT = """
    cmp ax, 0xe801
    jne .not_e801
    inc word [cs:hits]
    iret
.not_e801:
"""
E801_GIVES = """
    cmp ax, 0xe801
    jne .not_e801
    mov ax, {ax}
    mov bx, {bx}
    mov cx, {cx}
    mov dx, {dx}
    jmp answer
.not_e801:
"""
H88_GIVES = """
    cmp ah, 0x88
    jne .not_88
    mov ax, 0x3c00
    {end}
.not_88:
"""
BELOW_16M, ABOVE_16M = (MIB, 15 * MIB), (16 * MIB, 48 * MIB)
IN_AX_BX = E801_GIVES.format(ax=0x3C00, bx=0x300, cx=0, dx=0)
IN_CX_DX = E801_GIVES.format(ax=0, bx=0, cx=0x3C00, dx=0x300)


@pytest.mark.parametrize("code, source, rows", [
    pytest.param(NO_E820 + IN_AX_BX, E801, usable_from(BELOW_16M, ABOVE_16M), id="E801h"),
    pytest.param(NO_E820 + IN_CX_DX, E801, usable_from(BELOW_16M, ABOVE_16M),
                 id="E801h in its older form"),
    pytest.param(NO_E820 + NO_E801 + H88_GIVES.format(end="jmp answer"), H88,
                 usable_from(BELOW_16M), id="88h"),
    pytest.param(NO_E820 + NO_E801_AND_SILENT + H88_GIVES.format(end="iret"), H88,
                 usable_from(BELOW_16M), id="88h, and a BIOS that never sets carry"),
])
def test_without_e820_an_older_call_answers(start_hooked, code, source, rows):
    """The title says which; its numbers become a map, with the memory below 640 KiB."""
    machine, hook = start_hooked(code + REFUSE)
    assert hook.hits >= 1
    assert_says(machine, source, rows)


def test_e801_agrees_with_the_memory_that_there_is(start_hooked):
    """With QEMU's own E801h, the map has all of the memory but what the BIOS keeps."""
    machine, hook = start_hooked(NO_E820 + REFUSE, memory="64M")
    assert hook.hits == 1
    rows = map_in_memory(machine, 3)
    assert_says(machine, E801, rows)
    missing = sum(map(len, ram_of(machine))) - sum(row.length for row in rows)
    assert 0 <= missing < 256 * KIB


def test_without_any_call_there_is_a_sentence(start_hooked):
    """E820h, E801h and 88h are tried in this order, and then it halts."""
    machine, hook = start_hooked(NO_E820 + NO_E801 + NO_88 + REFUSE)
    assert hook.hits == 3
    assert [call.ax for call in hook.calls] == [0xE820, 0xE801, 0x8800]
    assert " ".join(machine.serial.split("\r\n")).rstrip() == NO_MAP
    assert_says_only(machine, NO_MAP)


def test_a_bios_that_loses_its_signature_is_not_believed(start_hooked):
    """Two good entries, then one without SMAP: nothing of that map is used."""
    code = serve([Answer(row) for row in GOOD], ENDS_BY_CARRY).replace(
        ".no_more:", ".no_more:\n mov eax, 0xe820\n jmp answer\n", 1)
    machine, hook = start_hooked(IN_AX_BX + code)
    assert hook.hits == 3
    assert_says(machine, E801, usable_from(BELOW_16M, ABOVE_16M))


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
