"""BIOSes that are stranger than QEMU's: in how they read disks and tell of memory."""
from __future__ import annotations

from collections.abc import Callable

import pytest

from big_stage import READ_ERROR, REST_UNREADABLE, UNREADABLE, assert_loaded
from e820 import ENDS_BY_CARRY, ENDS_BY_EBX, NEVER_ENDS, Answer, serve
from machine import Machine
from memory_table import (CHAPTER, E801, E820, ENTRY, GIB, H88, KIB, MEMORY_MAP, MEMORY_MAP_END,
                          MIB, Row, assert_says, assert_says_only, map_in_memory, ram_of,
                          usable_from)
from strange_bios import Hook, run_hooked

NO_MAP = ("This BIOS does not tell how much memory there is: it knows none of the calls E820h, "
          "E801h and 88h. Update it, or try another machine.")


@pytest.fixture
def start_loading(boot_image, big_image) -> Callable[..., tuple[Machine, Hook]]:
    """`start_loading(code)` boots the big second stage with `code` in front of interrupt
    0x13, up to the halt."""
    def start(code: str, **options) -> tuple[Machine, Hook]:
        machine = boot_image(big_image, paused=True, **options)
        return machine, run_hooked(machine, 0x13, code)
    return start


@pytest.fixture
def start_mapping(boot) -> Callable[..., tuple[Machine, Hook]]:
    """`start_mapping(code)` boots chapter 3 with `code` in front of interrupt 0x15, up to
    the halt; `prepare` as run_hooked's."""
    def start(code: str, prepare: Callable[[Machine], object] = lambda machine: None,
              **options) -> tuple[Machine, Hook]:
        machine = boot(CHAPTER, paused=True, **options)
        return machine, run_hooked(machine, 0x15, code, prepare)
    return start


# ---- reading disks: interrupt 0x13 -----------------------------------------------------------

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
def test_without_edd_the_disk_is_read_by_chs(start_loading, big_image, code):
    """AH=41h can say no in three ways; then AH=42h is never called."""
    machine, hook = start_loading(code)
    assert hook.hits == 1
    assert_loaded(machine, big_image)
    assert hook.count(0x42) == 0


def test_a_read_that_fails_once_is_repeated(start_loading, big_image):
    """After a reset the same call comes again, whatever the BIOS left in the packet."""
    machine, hook = start_loading("""
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


def test_a_first_stage_that_fails_three_times_is_read_at_the_fourth(start_loading, big_image):
    """The boot sector, too, repeats its only read, with a reset each time."""
    machine, hook = start_loading("""
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


# A disk that fails after some reads, and a BIOS that sets the direction flag.
FAILS_DOWNWARDS = """
    cmp ah, 0x42
    je  .read
    cmp ah, 0x02
    jne .known
.read:
    inc word [cs:hits]
    cmp word [cs:hits], {reads}
    jbe .known
    mov ah, 0x0c
    stc
    jmp .back
.known:
    call bios
.back:
    push bp
    mov bp, sp
    pushf
    pop word [bp + 6]                   ; the flags that the caller gets
    or  byte [bp + 7], 4
    pop bp
    iret
"""


@pytest.mark.parametrize("words, reads, sentence", [
    pytest.param("second-stage", 0, REST_UNREADABLE.format(0x0C), id="first stage"),
    pytest.param("second-stage", 1, UNREADABLE.format(3, 0x0C) + READ_ERROR, id="second stage"),
    pytest.param("disk-image", 0, "No loader in the BIOS boot partition: error 0x0c",
                 id="first stage of the disk image")])
def test_a_sentence_is_printed_forwards(boot, words, reads, sentence):
    """Whatever a call into the BIOS has left in the direction flag."""
    machine = boot(words, paused=True)
    hook = run_hooked(machine, 0x13, FAILS_DOWNWARDS.format(reads=reads))
    assert hook.hits > reads
    assert " ".join(machine.serial.split()) == sentence


def test_a_second_stage_starts_with_the_direction_flag_clear(boot):
    """So it can print at once, although the last read has left the flag set."""
    machine = boot("second-stage", paused=True)
    run_hooked(machine, 0x13, FAILS_DOWNWARDS.format(reads=0xFFFF))
    assert machine.serial.startswith("Hello from the second stage!")


def test_a_bios_that_reads_few_sectors_a_call_gets_few(start_loading, big_image):
    """Calls are halved until they succeed, and EDD goes on with that size."""
    machine, hook = start_loading("""
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


def test_when_every_edd_read_fails_chs_takes_over(start_loading, big_image):
    """A BIOS that claims EDD and cannot do it: down to one sector, then by CHS."""
    machine, hook = start_loading("""
        cmp ah, 0x42
        jne pass_on
        inc word [cs:hits]
        mov ah, 0x01
        jmp refuse
    """)
    assert hook.hits == hook.count(0x42) >= 2
    assert_loaded(machine, big_image)


@pytest.mark.parametrize("disk", ["ide", "floppy"])
def test_a_bios_may_destroy_every_register(start_loading, big_image, disk):
    """After each call only ds, the stack and what the call returns are as they should be,
    on the EDD and on the CHS path."""
    machine, hook = start_loading("""
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


# ---- telling of memory: interrupt 0x15 -------------------------------------------------------

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
def test_odd_entries_are_kept_and_void_ones_are_not(start_mapping, last):
    """Unsorted, overlapping, with and without attributes, of any type: as the BIOS gives
    them. Those of no length, and those that it says to ignore, are left out."""
    machine, hook = start_mapping(serve(ODD_MAP, last))
    assert hook.hits == len(ODD_MAP) + (last == ENDS_BY_CARRY)
    assert_says(machine, E820, [answer.row for answer in ODD_MAP if answer.row not in IGNORED])


def test_entries_of_impossible_length_are_not_taken(start_mapping):
    """An ecx below 20 means that something is missing."""
    answers = [Answer(GOOD[0]), Answer(Row(0x60000, 0x1000, 1), ecx=16), Answer(GOOD[1])]
    machine, hook = start_mapping(serve(answers, ENDS_BY_EBX))
    assert hook.hits == 3
    assert_says(machine, E820, GOOD)


def test_a_bios_that_leaves_ecx_alone_may_write_20_bytes(start_mapping):
    """ecx comes back as 24, and no attributes were written: the entry counts."""
    answers = [Answer(row, written=20, ecx=24) for row in GOOD]
    machine, hook = start_mapping(serve(answers, ENDS_BY_EBX))
    assert hook.hits == 2
    assert_says(machine, E820, GOOD)


def test_a_map_without_an_end_is_ended(start_mapping):
    """A BIOS that gives the same void entry for ever is asked a bounded number of times."""
    answers = [Answer(GOOD[0]), Answer(GOOD[1]), Answer(Row(0x50000, 0, 1))]
    machine, hook = start_mapping(serve(answers, NEVER_ENDS))
    assert 100 < hook.hits < 5000
    assert_says(machine, E820, GOOD)


def test_200_entries_are_capped(start_mapping):
    """The map takes as many as there is room for, and nothing is written behind it."""
    rows = [Row(number * MIB, MIB, 1 + number % 2) for number in range(200)]
    room = (MEMORY_MAP_END - MEMORY_MAP) // ENTRY.size
    canary = MEMORY_MAP + room * ENTRY.size
    guard = b"guard" * 100

    machine, hook = start_mapping(
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
def test_without_e820_an_older_call_answers(start_mapping, code, source, rows):
    """The title says which; its numbers become a map, with the memory below 640 KiB."""
    machine, hook = start_mapping(code + REFUSE)
    assert hook.hits >= 1
    assert_says(machine, source, rows)


def test_e801_agrees_with_the_memory_that_there_is(start_mapping):
    """With QEMU's own E801h, the map has all of the memory but what the BIOS keeps."""
    machine, hook = start_mapping(NO_E820 + REFUSE, memory="64M")
    assert hook.hits == 1
    rows = map_in_memory(machine, 3)
    assert_says(machine, E801, rows)
    missing = sum(map(len, ram_of(machine))) - sum(row.length for row in rows)
    assert 0 <= missing < 256 * KIB


def test_without_any_call_there_is_a_sentence(start_mapping):
    """E820h, E801h and 88h are tried in this order, and then it halts."""
    machine, hook = start_mapping(NO_E820 + NO_E801 + NO_88 + REFUSE)
    assert hook.hits == 3
    assert [call.ax for call in hook.calls] == [0xE820, 0xE801, 0x8800]
    assert " ".join(machine.serial.split("\r\n")).rstrip() == NO_MAP
    assert_says_only(machine, NO_MAP)


def test_a_bios_that_loses_its_signature_is_not_believed(start_mapping):
    """Two good entries, then one without SMAP: nothing of that map is used."""
    code = serve([Answer(row) for row in GOOD], ENDS_BY_CARRY).replace(
        ".no_more:", ".no_more:\n mov eax, 0xe820\n jmp answer\n", 1)
    machine, hook = start_mapping(IN_AX_BX + code)
    assert hook.hits == 3
    assert_says(machine, E801, usable_from(BELOW_16M, ABOVE_16M))
