"""Plays a BIOS that gives a memory map of ours, and says what a loader must make of it.

    machine = boot("elf-kernel", paused=True)
    run_hooked(machine, 0x15, serve([Answer(row) for row in rows]))
    assert as_it_was(ranges) == expected_map(rows)
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Optional

from memory_table import ENTRY, KIB, MIB, Row

SMAP = 0x534D4150


@dataclass(frozen=True)
class Answer:
    """What the BIOS does when it is asked for an entry: `written` bytes, ecx, and eax."""

    row: Row
    attributes: int = 1
    written: int = 24
    ecx: Optional[int] = None           # as many as written, unless the BIOS lies
    eax: int = SMAP

    def source(self) -> str:
        data = ENTRY.pack(*self.row, self.attributes)
        ecx = self.written if self.ecx is None else self.ecx
        return (f"dw {self.written}\n dd {ecx}, {self.eax}\n"
                f"db {', '.join(map(str, data))}\n")


ANSWER_SIZE = 2 + 4 + 4 + ENTRY.size

SERVE = f"""
    cmp ax, 0xe820
    jne pass_on
    inc word [cs:hits]
    cmp edx, {SMAP}
    jne .no_more
    cmp bx, {{count}}
    jae .no_more

    imul si, bx, {ANSWER_SIZE}
    inc bx
    cmp bx, {{count}}
    jne .more
    {{last}}
.more:
    mov cx, [cs:table + si]
    push dword [cs:table + si + 2]
    push dword [cs:table + si + 6]
.copy:
    mov al, [cs:table + si + 10]
    mov [es:di], al
    inc si
    inc di
    loop .copy
    pop eax
    pop ecx

    ; What no specification protects.
    mov edx, 0xd1d1d1d1
    mov esi, edx
    mov edi, edx
    mov ebp, edx
    jmp answer

.no_more:
    mov ah, 0x86
    jmp refuse
table:
"""
ENDS_BY_EBX = "xor ebx, ebx"
ENDS_BY_CARRY = ""                      # one call later
NEVER_ENDS = "dec bx"                   # the last entry again and again


def serve(answers: list[Answer], last: str = ENDS_BY_EBX) -> str:
    """A BIOS that has this map, and ends it in one of the three ways above."""
    return (SERVE.format(count=len(answers), last=last)
            + "".join(answer.source() for answer in answers))


# -- what a loader must make of it -------------------------------------------------------------


class Memory(IntEnum):
    """enum memory_type of common/loader/boot_info.h: the greater one wins."""

    USABLE = 1
    LOADER_RECLAIMABLE = 2
    ACPI_RECLAIMABLE = 3
    MODULE = 4
    KERNEL = 5
    EFI_RUNTIME = 6
    ACPI_NVS = 7
    RESERVED = 8
    FRAMEBUFFER = 9
    BAD = 10


class Range(NamedTuple):
    """Memory from `begin` up to `end`, and whose it is."""

    begin: int
    end: int
    kind: Memory

    def __repr__(self) -> str:
        return f"{self.begin:#x} to {self.end:#x} {self.kind.name}"


OF_E820 = {1: Memory.USABLE, 3: Memory.ACPI_RECLAIMABLE, 4: Memory.ACPI_NVS, 5: Memory.BAD}
# What the loader takes for itself and for the kernel, it takes from usable memory.
TAKEN = {Memory.LOADER_RECLAIMABLE, Memory.MODULE, Memory.KERNEL}

PAGE = 4 * KIB
PHYSICAL_END = 1 << 40                  # QEMU's CPU has no more address bits
# Whatever the BIOS says of the first MiB: video memory, ROMs, and its own data are there.
OURS = [Range(0xA0000, MIB, Memory.RESERVED), Range(0xB8000, 0xC0000, Memory.FRAMEBUFFER),
        Range(0x9F000, 0xA0000, Memory.RESERVED)]


def rounded(row: Row) -> Range:
    """An entry in whole pages, not beyond PHYSICAL_END, and without page 0: usable memory
    has those that lie in it, all other memory those that it touches."""
    kind = OF_E820.get(row.kind, Memory.RESERVED)
    more_at_begin, more_at_end = (PAGE - 1, 0) if kind == Memory.USABLE else (0, PAGE - 1)
    end = min(row.base + row.length, PHYSICAL_END)
    return Range(max(row.base + more_at_begin & -PAGE, PAGE), end + more_at_end & -PAGE, kind)


def expected_map(rows: Iterable[Row], ours: Iterable[Range] = OURS) -> list[Range]:
    """For every page, the greatest kind that anybody claims; neighbours in one range."""
    claims = [*ours, *(rounded(row) for row in rows if row.length)]
    edges = sorted({edge for claim in claims for edge in (claim.begin, claim.end)})
    pieces = [Range(0, PAGE, Memory.RESERVED)]
    for begin, end in zip(edges, edges[1:]):
        kinds = [claim.kind for claim in claims if claim.begin <= begin and end <= claim.end]
        if kinds:
            pieces.append(Range(begin, end, max(kinds)))
    return joined(pieces)


def as_it_was(ranges: Iterable[Range]) -> list[Range]:
    """A loader's map as it was before the loader took memory from it; without what the CPU
    cannot reach."""
    return joined(Range(begin, min(end, PHYSICAL_END),
                        Memory.USABLE if kind in TAKEN else kind)
                  for begin, end, kind in ranges if begin < PHYSICAL_END)


def joined(pieces: Iterable[Range]) -> list[Range]:
    """The same with neighbours of one kind made one; in the order in which they came."""
    ranges: list[Range] = []
    for piece in pieces:
        if ranges and ranges[-1].end == piece.begin and ranges[-1].kind == piece.kind:
            ranges[-1] = ranges[-1]._replace(end=piece.end)
        else:
            ranges.append(piece)
    return ranges
