"""BIOSes that fail, lie and destroy, one way at a time: what the loader makes of each, and
that without the lines which are there for it (a broken variant) it would not boot, or would
tell its kernel what is not true.
"""
from __future__ import annotations

import random
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Union

import pytest

from big_stage import CUT_SHORT, MISSING, READ_ERROR, UNREADABLE, assert_says
from conftest import BUILD, ROOT, folder_of, image_of
from e820 import (ENDS_BY_CARRY, NEVER_ENDS, OURS, PAGE, PHYSICAL_END, Answer, Memory, Range,
                  as_it_was, expected_map, serve)
from firmware_state import close_a20
from machine import BochsMachine, Machine, MissingProgram, paging
from machine.screen import ROWS
from memory_table import ENTRY, GIB, KIB, MEMORY_MAP, MEMORY_MAP_END, MIB, Row, usable_from
from page_tables import table_at
from strange_bios import Hook, run_hooked, stop_at_boot_sector

CHAPTER = "elf-kernel"
KERNEL_RUNS = "boot_info"               # only the kernel says that: where it is
IMPOSSIBLE = "The loader wants page tables that cannot be: this is a mistake in it."
SECTOR = 512
FILL = 1 * MIB                          # what the kernel is made to hold besides


# ---- what has been loaded --------------------------------------------------------------------


class Segment(NamedTuple):
    """A program header of type PT_LOAD. Source: System V ABI, "Program Header"."""

    at: int                             # where it stands in the file
    flags: int
    offset: int
    virtual: int
    file_size: int
    memory_size: int

    @property
    def writable(self) -> bool:
        return bool(self.flags & 2)


PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PT_LOAD = 1


def segments_of(file: bytes) -> list[Segment]:
    (table,) = struct.unpack_from("<Q", file, 32)
    size, count = struct.unpack_from("<HH", file, 54)
    headers = [(table + i * size, *PROGRAM_HEADER.unpack_from(file, table + i * size))
               for i in range(count)]
    return [Segment(at, flags, offset, virtual, file_size, memory_size)
            for at, kind, flags, offset, virtual, _, file_size, memory_size, _ in headers
            if kind == PT_LOAD]


def grown(file: bytes, fill: bytes) -> bytes:
    """The kernel's file with `fill` behind the variables of its last segment, which moves
    to the end of the file for that."""
    last = segments_of(file)[-1]
    data = file[last.offset:][:last.file_size].ljust(last.memory_size, b"\0") + fill
    start = -(-len(file) // PAGE) * PAGE + last.virtual % PAGE
    file = bytearray(file.ljust(start, b"\0") + data)
    struct.pack_into("<Q", file, last.at + 8, start)
    struct.pack_into("<QQ", file, last.at + 32, len(data), len(data))
    return bytes(file)


class Kernel(NamedTuple):
    """A disk image, and the kernel's file that is on it."""

    image: Path
    file: bytes


@pytest.fixture(scope="session")
def grown_kernel(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    """The chapter's image with a kernel that holds 1 MiB of random bytes."""
    folder, build = tmp_path_factory.mktemp("grown"), BUILD / folder_of(CHAPTER)
    file = grown((build / "kernel.file").read_bytes(),
                 random.Random("First Light").randbytes(FILL))
    (folder / "kernel.file").write_bytes(file)
    subprocess.run(
        [sys.executable, ROOT / "common/make/image.py", "--output", folder / "disk.img",
         "--boot-sector", build / "first_stage.bin",
         "--second-stage", build / "loader_bios.bin", "--loader", build / "loader.bin",
         "--kernel-file", folder / "kernel.file"], check=True, stdout=subprocess.PIPE)
    return Kernel(folder / "disk.img", file)


class BootInfo(NamedTuple):
    """The beginning of struct boot_info (common/loader/boot_info.h)."""

    magic: bytes
    version: int
    size: int
    firmware: int
    flags: int
    memory_map: int
    memory_map_count: int
    memory_map_entry_size: int
    direct_map_base: int
    direct_map_size: int
    kernel_physical: int
    kernel_virtual: int
    kernel_size: int


BOOT_INFO = struct.Struct("<8sIIIIQIIQQQQQ")
DIRECT_MAP = 0xFFFF800000000000         # where the kernel sees physical address 0


def boot_info(machine: Union[Machine, BochsMachine]) -> BootInfo:
    """What the kernel was given, from memory; it has told on COM1 where that is."""
    where = re.search(rf"{KERNEL_RUNS} +(0x[0-9a-f]+)", machine.serial)
    assert where, machine.report()
    data = machine.memory(int(where[1], 0) - DIRECT_MAP, BOOT_INFO.size)
    info = BootInfo(*BOOT_INFO.unpack(data))
    assert info.magic == b"FSTLIGHT"
    return info


def map_given(machine: Machine) -> list[Range]:
    """The memory map that the kernel was given."""
    info = boot_info(machine)
    size = info.memory_map_entry_size
    data = machine.memory(info.memory_map - DIRECT_MAP, info.memory_map_count * size)
    ranges = [ENTRY.unpack_from(data, at) for at in range(0, len(data), size)]
    return [Range(base, base + length, Memory(kind)) for base, length, kind, _ in ranges]


def assert_started(machine: Machine) -> None:
    """The kernel runs, in memory that the map says is its own."""
    begin, size = boot_info(machine).kernel_physical, boot_info(machine).kernel_size
    assert any(part.kind == Memory.KERNEL and part.begin <= begin and begin + size <= part.end
               for part in map_given(machine))


def assert_loaded(machine: Machine, file: bytes) -> None:
    """The kernel runs, and is in memory as it is in its file: all but its variables."""
    assert_started(machine)
    info = boot_info(machine)
    for segment in segments_of(file):
        data = file[segment.offset:][:segment.file_size]
        where = info.kernel_physical + segment.virtual - info.kernel_virtual
        in_memory = machine.memory(where, len(data)) if data else b""
        skipped = len(data) - FILL if segment.writable else 0
        assert in_memory[skipped:] == data[skipped:]


@pytest.fixture
def start_loading(boot_image, grown_kernel) -> Callable[..., Hook]:
    """`start_loading(code)` boots the grown kernel with `code` in front of interrupt 0x13;
    it must be loaded in spite of it. Returns the hook."""
    def start(code: str) -> Hook:
        machine = boot_image(grown_kernel.image, paused=True)
        hook = run_hooked(machine, 0x13, code)
        assert_loaded(machine, grown_kernel.file)
        return hook
    return start


@pytest.fixture
def start_broken(boot_broken) -> Callable[..., Machine]:
    """`start_broken(variant, interrupt, code)` boots a broken variant with `code` in front
    of an interrupt, up to the halt."""
    def start(variant: str, interrupt: int, code: str) -> Machine:
        machine = boot_broken(CHAPTER, variant, paused=True)
        run_hooked(machine, interrupt, code)
        return machine
    return start


# ---- reading the disk: interrupt 0x13 --------------------------------------------------------

FAILS_ONCE = """
    cmp ah, 0x42
    jne pass_on
    inc word [cs:seen]
    cmp word [cs:seen], {}
    jne pass_on
    inc word [cs:hits]
    mov word [si + 2], 0                ; "so many sectors were read"
    mov ah, 0x80                        ; time-out
    jmp refuse
seen: dw 0
"""


# Of the second stage; of the kernel's file the head, the first, the middle, the last sectors.
@pytest.mark.parametrize("number", [2, 3, 5, 12, 20])
def test_a_read_that_fails_once_is_repeated(start_loading, number):
    """Wherever on the disk it is: after a reset, the same call comes again."""
    hook = start_loading(FAILS_ONCE.format(number))
    assert hook.hits == 1
    edd = [read for read in hook.reads if not read.sector]
    assert edd[number] == edd[number - 1]
    assert hook.count(0x00) == 1


def test_broken_disk_no_retry(start_broken):
    """A single time-out ends the boot."""
    machine = start_broken("disk-no-retry", 0x13, FAILS_ONCE.format(2))
    assert_says(machine, UNREADABLE.format(3, 0x80) + READ_ERROR)


# What the boot sector itself reads comes to 0x7e00: it has no room to do better.
READS_FEW = """
    cmp ah, 0x42
    je  .edd
    cmp ah, 0x02
    jne pass_on
    cmp bx, 0x7e00
    je  pass_on
    cmp al, {most}
    jmp .compared
.edd:
    cmp word [si + 2], {most}
.compared:
    jbe pass_on
    inc word [cs:hits]
    mov ah, 0x01
    jmp refuse
"""


@pytest.mark.parametrize("most, size", [(1, 1), (8, 7), (64, 63)])
def test_a_bios_that_reads_few_sectors_a_call_gets_few(start_loading, most, size):
    """Calls are halved until they succeed, and no other way to the disk is tried."""
    hook = start_loading(READS_FEW.format(most=most))
    assert hook.hits and hook.count(0x02) == 1
    assert max(read.count for read in hook.reads[-100:] if read.count <= most) == size


def test_broken_disk_no_halving(start_broken):
    """The same call again and again, then by CHS, ends with the sentence."""
    machine = start_broken("disk-no-halving", 0x13, READS_FEW.format(most=8))
    assert_says(machine, UNREADABLE.format(3, 0x01) + READ_ERROR)


# ds and the stack are all that a caller can count on.
DESTROYS_REGISTERS = """
    cmp ah, 0x41                        ; it returns bx and cx
    je  pass_on
    cmp ah, 0x08                        ; it returns cx and dx
    je  pass_on
    call bios
    inc word [cs:hits]
    mov bx, 0x8d8d
    mov es, bx
    mov fs, bx
    mov gs, bx
    mov ebx, 0xf1f1f1f1
    mov ecx, ebx
    mov edx, ebx
    mov esi, ebx
    mov edi, ebx
    mov ebp, ebx
    mov al, bl
    jc  refuse
    mov eax, ebx
    jmp answer
"""


def test_a_bios_may_destroy_every_register(start_loading):
    """Nothing that is still needed lies in one while the BIOS is called."""
    hook = start_loading(DESTROYS_REGISTERS)
    assert hook.hits == len(hook.reads)


def test_broken_disk_registers_trusted(start_broken):
    """The number of sectors was in bp: it is 0xf1f1 when the call comes back, and so many
    sectors further there is no disk."""
    machine = start_broken("disk-registers-trusted", 0x13, DESTROYS_REGISTERS)
    assert_says(machine, UNREADABLE.format(3 + 0xF1F1, 0x04) + CUT_SHORT)


# No call from AH=41h on is known, and nobody says so: all is as the caller left it.
NO_EDD = """
    cmp ah, 0x41
    jb  pass_on
    inc word [cs:hits]
    iret
"""


def test_without_edd_the_disk_is_read_by_chs(start_loading):
    """The answer to AH=41h counts only if it is in bx, too; then AH=42h is never called."""
    hook = start_loading(NO_EDD)
    assert hook.hits == hook.count(0x41) == 2
    assert hook.count(0x42) == 0


def test_broken_disk_edd_assumed(start_broken):
    """Nothing is read, and nobody says so: what was in memory counts as a second stage."""
    machine = start_broken("disk-edd-assumed", 0x13, NO_EDD)
    assert_says(machine, MISSING)


# It waits for the disk's interrupt, and leaves it to its caller whether one can arrive.
NEEDS_INTERRUPTS = """
    push bp
    mov bp, sp
    test byte [bp + 7], 2               ; IF in the caller's flags
    pop bp
    jnz pass_on
    inc word [cs:hits]
    mov ah, 0x80
    jmp refuse
"""


def test_the_disk_is_read_with_interrupts_on(start_loading):
    """Down in real mode, too, after the loader has been in long mode with interrupts off."""
    hook = start_loading(NEEDS_INTERRUPTS)
    assert hook.hits == 0
    assert len(hook.reads) > 20


def test_broken_disk_interrupts_off(start_broken):
    """The interrupt of the disk never arrives: the first read from long mode times out."""
    machine = start_broken("disk-interrupts-off", 0x13, NEEDS_INTERRUPTS)
    sectors = (BUILD / folder_of(CHAPTER) / "disk.img").read_bytes()[3 * SECTOR + 4]
    assert_says(machine, UNREADABLE.format(3 + sectors, 0x80) + READ_ERROR)


def test_a_large_kernel_is_copied_where_limits_are_checked(machines, grown_kernel):
    """In Bochs, whose CPU stops a write above 1 MiB that real mode does not allow."""
    try:
        machine = machines.enter_context(BochsMachine(grown_kernel.image))
    except MissingProgram as missing:
        pytest.skip(missing.sentence)
    machine.wait_until_halted(timeout=30)
    assert machine.complaints() == []
    info, last = boot_info(machine), segments_of(grown_kernel.file)[-1]
    end = info.kernel_physical + last.virtual - info.kernel_virtual + last.memory_size
    assert machine.memory(end - SECTOR, SECTOR) == grown_kernel.file[-SECTOR:]


# ---- telling of memory: interrupt 0x15 -------------------------------------------------------

LOW = [Row(0, 639 * KIB, 1), Row(639 * KIB, KIB, 2), Row(0xF0000, 64 * KIB, 2)]
HIGH = [Row(MIB, 62 * MIB, 1), Row(63 * MIB, MIB, 2)]
PLAIN = [*LOW, *HIGH]

# What the BIOS says when it is asked by E801h, and what that means.
E801 = """
    cmp ax, 0xe801
    jne .not_e801
    mov ax, 15 << 10
    mov bx, 32 << 4
    jmp answer
.not_e801:
"""
BY_E801 = usable_from((MIB, 15 * MIB), (16 * MIB, 32 * MIB))


def answers(*rows: Row, **options: int) -> list[Answer]:
    return [Answer(row, **options) for row in rows]


class Told(NamedTuple):
    """What a BIOS tells of memory; the map that comes of it; a broken variant, and the map
    that it makes."""

    code: str
    right: list[Range]
    variant: str
    wrong: list[Range]


NESTS = [
    Row(16 * MIB, 64 * KIB, 2),                                 # in usable memory
    Row(2 * GIB, 256 * MIB, 2), Row(2 * GIB + 64 * MIB, MIB, 1),    # the other way round
    Row(32 * MIB, MIB, 3),
]
NESTED_TWICE = [Row(32 * MIB + 64 * KIB, 4 * KIB, 4), Row(2 * GIB + 4 * KIB, 4 * KIB, 5)]
OVERLAPS = [
    Row(62 * MIB, 2 * MIB - 1, 3),                              # half in another range
    Row(40 * MIB, MIB, 4), Row(40 * MIB, MIB, 1),               # the same range twice
    Row(20 * MIB + 1, 2, 2), Row(21 * MIB - 1, 2, 5),           # a page, two pages
]
IGNORED = [Row(3 * GIB, GIB, 1), Row(16 * MIB, MIB, 2)]
WRAPS = [
    Row(48 * MIB, (1 << 64) - 4 * KIB, 2),                      # to below its beginning
    Row(4 * GIB, (1 << 64) - 1, 1),
    Row((1 << 64) - 256 * KIB, 256 * KIB, 4),                   # to 0
]
# Of no length; and what becomes of them if they are taken for a page that is touched.
VOID = [Row(8 * MIB + 123, 0, 2), Row(10 * MIB - 1, 0, 4), Row(50 * MIB + 1, 0, 5),
        Row(30 * MIB + 7, 0, 1), Row(12 * MIB, 0, 3)]
TOUCHED = [row._replace(length=1) for row in VOID[:3]]

MAPS = {
    "nested": Told(
        serve(answers(*PLAIN, *NESTS, *NESTED_TWICE)),
        expected_map([*PLAIN, *NESTS, *NESTED_TWICE]),
        "map-first-wins", expected_map([*PLAIN, *NESTS], OURS[:1])),
    "overlapping": Told(
        serve(answers(*OVERLAPS, *PLAIN)), expected_map([*OVERLAPS, *PLAIN]),
        "map-last-wins", expected_map(PLAIN)),
    "of zero length": Told(
        serve(answers(*VOID, *PLAIN)), expected_map(PLAIN),
        "map-zero-length", expected_map([*TOUCHED, *PLAIN])),
    "wrapping around 2^64": Told(
        serve(answers(*PLAIN, *WRAPS)), expected_map([*PLAIN, *WRAPS]),
        "map-wraps", expected_map(PLAIN)),
    "with RAM where video memory and ROMs are": Told(
        serve(answers(Row(0, 63 * MIB, 1))), expected_map([Row(0, 63 * MIB, 1)]),
        "map-rom-trusted", expected_map([Row(0, 63 * MIB, 1)], OURS[1:])),
    "to be ignored": Told(
        serve([*answers(*LOW, written=20), *answers(*HIGH, written=20, ecx=24),
               *answers(IGNORED[0], attributes=0), *answers(IGNORED[1], attributes=2)]),
        expected_map(PLAIN),
        "e820-attributes-ignored", expected_map([*PLAIN, *IGNORED])),
    "ended by the carry flag": Told(
        E801 + serve(answers(*PLAIN), ENDS_BY_CARRY), expected_map(PLAIN),
        "e820-carry-ignored", expected_map(BY_E801)),
    "without its signature midway": Told(
        E801 + serve([*answers(*LOW), *answers(*IGNORED, eax=0xE820), *answers(*HIGH)]),
        expected_map(BY_E801),
        "e820-signature-ignored", expected_map([*PLAIN, *IGNORED])),
}
each_map = pytest.mark.parametrize("told", MAPS.values(), ids=MAPS.keys())


def assert_tells(machine: Machine, ranges: list[Range]) -> None:
    """The kernel runs, and its map is this one but for what the loader took."""
    assert_started(machine)
    assert as_it_was(map_given(machine)) == ranges


@each_map
def test_the_map_is_right_whatever_the_bios_tells(boot, told):
    """For each page the most careful claim counts, and void entries count for nothing."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x15, told.code)
    assert hook.hits
    assert_tells(machine, told.right)


@each_map
def test_broken_so_that_the_map_is_wrong(start_broken, told):
    """The variant takes memory for free that is not, or loses some that is."""
    assert told.wrong != told.right
    assert_tells(start_broken(told.variant, 0x15, told.code), told.wrong)


UNSORTED = [HIGH[1], LOW[2], Row(32 * MIB, 31 * MIB, 1), LOW[0], Row(MIB, 31 * MIB, 1), LOW[1]]


def test_an_unsorted_map_is_sorted(boot):
    """Neighbours of one kind are one range again, wherever they stood."""
    machine = boot(CHAPTER, paused=True)
    run_hooked(machine, 0x15, serve(answers(*UNSORTED)))
    assert_tells(machine, expected_map(PLAIN))


def test_broken_map_not_sorted(start_broken):
    """The memory that the loader takes is looked for in order, and lies in two ranges."""
    machine = start_broken("map-not-sorted", 0x15, serve(answers(*UNSORTED)))
    assert_says(machine, IMPOSSIBLE)


ROOM = (MEMORY_MAP_END - MEMORY_MAP) // ENTRY.size
MANY = [*PLAIN, *(Row(4 * GIB + n * 8 * KIB, 4 * KIB, 2) for n in range(200 - len(PLAIN)))]
BEHIND = MEMORY_MAP + ROOM * ENTRY.size
GUARD = b"guard" * 100


def put_guard(machine: Machine) -> None:
    machine.gdb.write_memory(BEHIND, GUARD)


def test_of_200_entries_those_count_for_which_there_is_room(boot):
    """That is more than 128, and nothing behind the table is written."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x15, serve(answers(*MANY)), put_guard)
    assert hook.hits == ROOM > 128
    assert_tells(machine, expected_map(MANY[:ROOM]))
    assert machine.memory(BEHIND, len(GUARD)) == GUARD


def test_broken_e820_not_capped(boot_broken):
    """The entries for which there is no room lie behind the table."""
    machine = boot_broken(CHAPTER, "e820-not-capped", paused=True)
    run_hooked(machine, 0x15, serve(answers(*MANY)), put_guard)
    behind = machine.memory(BEHIND, ENTRY.size)
    assert behind == ENTRY.pack(*MANY[ROOM], 1)


ENDLESS = serve(answers(*PLAIN, VOID[0]), NEVER_ENDS)
ENOUGH = 2000                           # calls; a map has some ten entries


def test_a_map_without_an_end_is_ended(boot):
    """A BIOS that gives the same entry for ever is asked a bounded number of times."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x15, ENDLESS)
    assert len(PLAIN) < hook.hits < ENOUGH
    assert_tells(machine, expected_map(PLAIN))


def test_broken_e820_never_ends(boot_broken):
    """The BIOS is asked for ever; nothing is on the screen."""
    machine = boot_broken(CHAPTER, "e820-never-ends", paused=True)
    stop_at_boot_sector(machine)
    hook = Hook(machine, 0x15, ENDLESS)
    machine.gdb.detach()
    while hook.hits < ENOUGH:
        assert machine.look(0.05) is None
    assert not machine.screen().text and not machine.serial


BEYOND = [*PLAIN, Row(PHYSICAL_END - 4 * MIB, 8 * MIB, 1), Row(1 << 45, GIB, 3),
          Row((1 << 52) - MIB, MIB, 1)]


def mapped_ends(machine: Machine, table: int, shift: int = 39) -> Iterator[int]:
    """The end of each page of physical memory that the page tables lead to."""
    for entry in table_at(machine, table):
        address = entry & paging.ADDRESS
        if entry & paging.PRESENT and (shift == 12 or entry & paging.LARGE):
            yield address + (1 << shift)
        elif entry & paging.PRESENT:
            yield from mapped_ends(machine, address, shift - 9)


def test_memory_that_the_cpu_cannot_reach_is_not_mapped(boot):
    """An entry of a page table with more address bits than the CPU has is a fault. What is
    below is mapped, up to the last byte."""
    machine = boot(CHAPTER, paused=True)
    run_hooked(machine, 0x15, serve(answers(*BEYOND)))
    assert_tells(machine, expected_map(BEYOND))
    assert boot_info(machine).direct_map_size == PHYSICAL_END
    assert max(mapped_ends(machine, machine.registers().cr3)) == PHYSICAL_END


def test_broken_map_beyond_cpu(start_broken):
    """The page tables refuse it, and the boot ends."""
    machine = start_broken("map-beyond-cpu", 0x15, serve(answers(*BEYOND)))
    assert_says(machine, IMPOSSIBLE)


# ---- A20 -------------------------------------------------------------------------------------

# The gate is closed, and the BIOS does nothing about it.
NO_A20 = """
    cmp ax, 0x2401
    jne pass_on
    inc word [cs:hits]
    mov ah, {}
    jmp {}
"""
SAYS_NO, SAYS_YES = NO_A20.format("0x86", "refuse"), NO_A20.format("0", "answer")


def boot_without_a20(machine: Machine, code: str) -> Hook:
    close_a20(machine)
    hook = Hook(machine, 0x15, code)
    machine.gdb.detach()
    return hook


either_answer = pytest.mark.parametrize("code", [SAYS_NO, SAYS_YES],
                                        ids=["says no", "says yes"])


@either_answer
def test_a_bios_that_leaves_a20_closed_is_seen_through(boot, code):
    """Whatever it says of it: another way is tried."""
    machine = boot(CHAPTER, paused=True)
    hook = boot_without_a20(machine, code)
    machine.wait_until_halted()
    assert hook.hits == 1
    assert_started(machine)
    assert machine.registers().a20


@either_answer
def test_broken_a20_bios_trusted(boot_broken, code):
    """What the loader puts above 1 MiB lands on the loader: it never starts the kernel."""
    machine = boot_broken(CHAPTER, "a20-bios-trusted", paused=True)
    hook = boot_without_a20(machine, code)
    machine.wait_for_end()
    assert hook.hits
    assert not machine.registers().a20
    assert KERNEL_RUNS not in machine.serial


# ---- flags -----------------------------------------------------------------------------------

LEAVES_DIRECTION_SET = """
    call bios
    inc word [cs:hits]
    push bp
    mov bp, sp
    pushf
    pop word [bp + 6]                   ; the flags that the caller gets
    or  byte [bp + 7], 4
    pop bp
    iret
"""
either_interrupt = pytest.mark.parametrize("interrupt", [0x13, 0x15], ids=["disk", "memory"])


@either_interrupt
def test_a_bios_may_leave_the_direction_flag_set(boot, interrupt):
    """No string instruction of ours then goes downwards."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, interrupt, LEAVES_DIRECTION_SET)
    assert hook.hits
    assert_started(machine)


@pytest.mark.parametrize("words, sentence", [
    ("memory-map", "A20 is on: through the BIOS"),
    ("protected-mode", "Hello from 32-bit protected mode!"),
    ("long-mode", "Hello from 64-bit long mode!"),
    ("vga-hello", "Hello World!")])
def test_the_bios_that_opens_a20_may_leave_it_set(boot, words, sentence):
    """It is the last that the chapters before the loader ask of a BIOS."""
    machine = boot(words, paused=True)
    hook = boot_without_a20(machine, LEAVES_DIRECTION_SET)
    machine.wait_until_halted()
    assert hook.hits
    screen = machine.screen()
    assert sentence in [screen.row(number) for number in range(ROWS)]


@either_interrupt
def test_broken_direction_trusted(boot_broken, interrupt):
    """`rep` writes the page tables, or the memory map, over what lies below them."""
    machine = boot_broken(CHAPTER, "direction-trusted", paused=True)
    stop_at_boot_sector(machine)
    Hook(machine, interrupt, LEAVES_DIRECTION_SET)
    machine.gdb.detach()
    machine.wait_for_end()
    assert KERNEL_RUNS not in machine.serial


CLOSES_A20 = """
    call bios
    inc word [cs:hits]
    push bp
    mov bp, sp
    pushf
    pop word [bp + 6]                   ; the flags that the caller gets
    push ax
    in  al, 0x92
    and al, 0xfd
    out 0x92, al
    pop ax
    pop bp
    iret
"""


def test_a_bios_may_close_a20_at_each_read(boot):
    """As one does that thinks of DOS; the next copy above 1 MiB is right nevertheless."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x13, CLOSES_A20)
    assert hook.hits > 3
    assert_started(machine)


def test_broken_a20_once(boot_broken):
    """Every odd MiB is the even one below it: what is written there lands on the loader."""
    machine = boot_broken(CHAPTER, "a20-once", paused=True)
    stop_at_boot_sector(machine)
    Hook(machine, 0x13, CLOSES_A20)
    machine.gdb.detach()
    machine.wait_for_end()
    assert KERNEL_RUNS not in machine.serial


# ---- without a hostile BIOS ------------------------------------------------------------------

QUIET = ["disk-no-retry", "disk-no-halving", "disk-registers-trusted", "disk-edd-assumed",
         "disk-interrupts-off", "direction-trusted", "map-last-wins", "map-zero-length",
         "map-wraps", "map-beyond-cpu", "e820-attributes-ignored", "e820-carry-ignored",
         "e820-signature-ignored", "e820-not-capped", "e820-never-ends", "a20-bios-trusted",
         "a20-once"]


@pytest.fixture(scope="module")
def ordinary_map() -> list[Range]:
    """The map on an ordinary PC."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        return map_given(machine)


@pytest.mark.parametrize("variant", QUIET)
def test_an_ordinary_bios_shows_nothing_of_it(boot_broken, ordinary_map, variant):
    """It is the hostile BIOS that finds these variants out."""
    machine = boot_broken(CHAPTER, variant)
    machine.wait_until_halted()
    assert_started(machine)
    assert map_given(machine) == ordinary_map
