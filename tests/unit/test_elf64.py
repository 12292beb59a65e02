"""common/loader/elf64.c on this computer, sanitized: files that are good, and files with
one thing wrong.

The files are made here, byte by byte: a good kernel, and a few changes by the names of
the specification. What a good file should become in memory, and where its symbols are, is
computed here as well, by a loader that checks nothing.
"""
from __future__ import annotations

import platform
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from host import SANITIZERS, build, run

from conftest import ROOT

SOURCE = ROOT / "common/loader/elf64.c"
HARNESS = Path(__file__).with_name("elf64_test.c")
HEADER = ROOT / "common/loader/elf64.h"
STATUSES = re.findall(r"^    ELF64_(\w+),", HEADER.read_text(), re.M)[:-1]

ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_STACK = 0, 1, 2, 3, 4, 0x6474E551
X, W, R = 1, 2, 4
DT_NULL, DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_RELA, DT_RELASZ, DT_RELAENT = 0, 1, 2, 4, 7, 8, 9
DT_REL, DT_TEXTREL, DT_FLAGS, DT_RELR = 17, 22, 30, 36
R_NONE, R_64, R_RELATIVE, R_IRELATIVE = 0, 1, 8, 37
SHT_NULL, SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS, SHT_DYNSYM = 0, 2, 3, 8, 11
STT_SECTION = 3

PAGE = 0x1000
HEADERS_MOST = 0x1000  # so many bytes of a file are read before its segments
GIB = 1 << 30
TOP = 1 << 64  # one more than the highest address
IMAGE_MOST = 1 << 20  # elf64_test.c loads no larger kernel
DISTANCES = (0, TOP - 2 * GIB, TOP - 0x200000)  # and those to these places

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
DYN = struct.Struct("<qQ")
RELA = struct.Struct("<QQq")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")

# Where each member is, from the start of its struct, and how many bytes it has.
MEMBERS = {
    "e_type": (16, 2), "e_machine": (18, 2), "e_version": (20, 4), "e_entry": (24, 8),
    "e_phoff": (32, 8), "e_shoff": (40, 8), "e_flags": (48, 4), "e_ehsize": (52, 2),
    "e_phentsize": (54, 2), "e_phnum": (56, 2), "e_shentsize": (58, 2), "e_shnum": (60, 2),
    "e_shstrndx": (62, 2),
    "p_type": (0, 4), "p_flags": (4, 4), "p_offset": (8, 8), "p_vaddr": (16, 8),
    "p_paddr": (24, 8), "p_filesz": (32, 8), "p_memsz": (40, 8), "p_align": (48, 8),
    "sh_type": (4, 4), "sh_offset": (24, 8), "sh_size": (32, 8), "sh_link": (40, 4),
    "sh_entsize": (56, 8),
}


def elf(kind: int, *parts: tuple[int, int, int, bytes, int]) -> bytes:
    """An ELF file of parts: type, flags, address of a page, bytes, zeros that follow.

    A part's bytes lie as far behind that page as they lie behind the start of the file:
    with the parts in a row of pages, none gets into the way of another. The entry point is
    the first code's first byte.
    """
    start = EHDR.size + PHDR.size * len(parts)
    headers, body, entry = b"", b"", 0
    for type_, flags, page, data, zeros in parts:
        offset = start + len(body)
        headers += PHDR.pack(type_, flags, offset, page + offset, 0, len(data),
                             len(data) + zeros, PAGE)
        if flags & X and not entry:
            entry = page + offset
        body += data
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    return EHDR.pack(ident, kind, 62, 1, entry, EHDR.size, 0, 0, EHDR.size, PHDR.size,
                     len(parts), 0, 0, 0) + headers + body


def changed(file: bytes, changes: dict[str, int]) -> bytes:
    """The file with other values of members: of the file header ("e_type"), of a program
    header ("2.p_flags"), of a section header ("1.sh_size"), or of the identification's
    bytes ("e_ident.4")."""
    result = bytearray(file)
    sections = int.from_bytes(file[40:48], "little")
    for name, value in changes.items():
        first, _, second = name.partition(".")
        if first == "e_ident":
            offset, size = int(second), 1
        elif second:
            offset, size = MEMBERS[second]
            offset += (sections + SHDR.size * int(first) if second.startswith("sh_")
                       else EHDR.size + PHDR.size * int(first))
        else:
            offset, size = MEMBERS[first]
        result[offset:offset + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(result)


def executable(base: int = 0x100000) -> bytes:
    """A good kernel at fixed addresses: code, constants, data with zeros, stack."""
    return elf(ET_EXEC, (PT_LOAD, R | X, base, b"program code....", 0),
               (PT_LOAD, R, base + PAGE, b"constants.......", 0),
               (PT_LOAD, R | W, base + 2 * PAGE, b"data............", 0x1800),
               (PT_GNU_STACK, R | W, 0, b"", 0))


# Where `executable` has what, for the changes below.
EXEC = executable()
HEADERS = EHDR.size + 4 * PHDR.size
CODE, CONSTANTS, DATA = (0x100000 + HEADERS, 0x101000 + HEADERS + 16, 0x102000 + HEADERS + 32)

# Where `movable` has what. The bytes of each segment end where those of the next begin.
RELOCATIONS = EHDR.size + 5 * PHDR.size
POINTERS = 0x2000 + RELOCATIONS + 3 * RELA.size + 16
DYNAMIC = POINTERS + 32
TAGS = ((DT_HASH, 0), (DT_RELA, RELOCATIONS), (DT_RELASZ, 3 * RELA.size),
        (DT_RELAENT, RELA.size), (DT_NULL, 0))
TABLE = len(TAGS) * DYN.size
THREE = ((POINTERS, R_RELATIVE, 0x1234), (POINTERS + 9, R_RELATIVE, -8),
         (POINTERS + 24, R_RELATIVE, 0x2000))


def movable(relocations: tuple = THREE, tags: tuple = TAGS, base: int = 0,
            zeros: int = 0x1000) -> bytes:
    """A good kernel for any address: relocations, code, pointers and the dynamic table."""
    rela = b"".join(RELA.pack(base + offset & TOP - 1, info, addend)
                    for offset, info, addend in relocations)
    dynamic = b"".join(DYN.pack(tag, (base + value if tag == DT_RELA else value) % TOP)
                       for tag, value in tags)
    data = b"\xee" * 32 + dynamic
    file = elf(ET_DYN, (PT_LOAD, R, base, rela, 0),
               (PT_LOAD, R | X, base + PAGE, b"program code....", 0),
               (PT_LOAD, R | W, base + 2 * PAGE, data, zeros),
               (PT_DYNAMIC, R | W, 0, b"", 0), (PT_GNU_STACK, R | W, 0, b"", 0))
    return changed(file, {"3.p_vaddr": base + DYNAMIC, "3.p_memsz": len(dynamic)})


def relocated(*relocations: tuple[int, int, int]) -> bytes:
    """`movable` with other relocations in place of its first ones."""
    return movable(relocations + THREE[len(relocations):])


def tagged(*entries: tuple[int, int]) -> bytes:
    """`movable` with more entries, before the others, in its dynamic table."""
    return movable(tags=entries + TAGS)


def retagged(tag: int, value: int | None) -> bytes:
    """`movable` with another value for one tag, or without it."""
    tags = [(known, value if known == tag else old) for known, old in TAGS]
    return movable(tags=tuple(entry for entry in tags if entry[1] is not None))


def at_entry(number: int, member: int, addend: int) -> tuple[int, int, int]:
    """A relocation of a relocation: of its first, second or third member."""
    return (RELOCATIONS + number * RELA.size + 8 * member, R_RELATIVE, addend)


def halved(size: int, *relocations: tuple[int, int, int]) -> bytes:
    """`relocated` with its last segment in two: the first has `size` bytes, from POINTERS on,
    and the second begins where it ends."""
    file = relocated(*relocations)
    left = 32 + TABLE - size
    return changed(file, {"2.p_filesz": size, "2.p_memsz": size, "4.p_type": PT_LOAD,
                          "4.p_vaddr": POINTERS + size, "4.p_offset": len(file) - left,
                          "4.p_filesz": left, "4.p_memsz": PAGE, "4.p_align": 8})


def topmost(offset: int) -> bytes:
    """A kernel that ends with the last byte of all addresses, where its zeros are. Its
    relocations should begin so many bytes behind this end."""
    return movable(tags=((DT_RELA, 4 * PAGE + offset),) + TAGS[2:], base=TOP - 4 * PAGE,
                   zeros=4 * PAGE - DYNAMIC - TABLE + 16)


def many(count: int) -> bytes:
    """A kernel of so many segments, on a page each."""
    return elf(ET_EXEC, *((PT_LOAD, R | X, 0x100000 + PAGE * i, b"%08d" % i, 0)
                          for i in range(count)))


def crowded(count: int) -> bytes:
    """A kernel with so many program headers from byte 64 on; but for the last they load
    nothing."""
    return elf(ET_EXEC, *[(PT_NULL, 0, 0, b"", 0)] * (count - 1),
               (PT_LOAD, R | X, 0x100000, b"program code....", 0))


def headed(end: int) -> bytes:
    """`executable` with its program headers, four, up to an offset that is its size."""
    offset = end - 4 * PHDR.size
    return changed(EXEC.ljust(offset, b"\0") + EXEC[EHDR.size:HEADERS], {"e_phoff": offset})


NAMES = b"\0first\0light\0"
SYMBOLS = SYM.pack(0, 0, 0, 0, 0, 0) + SYM.pack(1, 2, 0, 1, 0x1234, 16) + SYM.pack(
    7, 1, 0, 1, 0x5678, 8)


def section(kind: int, offset: int = 0, size: int = 0, link: int = 0, entry: int = 0) -> bytes:
    """A section header."""
    return SHDR.pack(0, kind, 0, 0, offset, size, link, 0, 0, entry)


def sectioned(count: int = 3, gap: int = 0) -> bytes:
    """`executable` with symbols, their names, and section headers for both at the end. The
    headers from the fourth on are those of a second table of symbols, a part of the first;
    `gap` bytes are in front of all headers."""
    file = EXEC + SYMBOLS
    headers = section(SHT_NULL) + section(SHT_SYMTAB, len(EXEC), len(SYMBOLS), 2, SYM.size)
    headers += section(SHT_STRTAB, len(file), len(NAMES))
    headers += section(SHT_SYMTAB, len(EXEC), SYM.size, 2, SYM.size) * (count - 3)
    file = (file + NAMES).ljust(480, b"\0") + bytes(gap)
    return changed(file + headers, {"e_shoff": len(file), "e_shnum": count,
                                    "e_shentsize": SHDR.size})


MOVABLE = movable()
# These two end with the last byte of all addresses.
TOPMOST = changed(executable(TOP - 4 * PAGE),
                  {"2.p_memsz": 4 * PAGE - (DATA - 0x100000)})
TOPMOST_MOVABLE = movable(((POINTERS, R_RELATIVE, 0), (4 * PAGE - 8, R_RELATIVE, 0)) + THREE[2:],
                          base=TOP - 4 * PAGE, zeros=4 * PAGE - DYNAMIC - TABLE)
# The program headers at the end, where a byte may be missing.
AT_END = headed(len(EXEC) + 4 * PHDR.size)
# The bytes of the third segment are behind what elf64_parse() gets to see.
FAR = changed(EXEC[:HEADERS + 32].ljust(HEADERS + 32 + PAGE, b"x") + EXEC[-16:],
              {"2.p_offset": HEADERS + 32 + PAGE})
# The relocations of `movable` in two segments, of which one ends where the other begins.
RELOCATIONS_IN_HALVES = changed(MOVABLE, {
    "e_entry": RELOCATIONS + 72, "0.p_flags": R | X, "0.p_filesz": 40, "0.p_memsz": 40,
    "1.p_vaddr": RELOCATIONS + 40, "1.p_offset": RELOCATIONS + 40, "1.p_filesz": 48,
    "1.p_memsz": 48, "1.p_align": 8})
SECTIONED = sectioned()
SIZE = len(SECTIONED)

# What it is -> a good kernel, and changes to its section headers. What is wrong with them is
# no reason to refuse it: then there are no section headers, or no symbols.
NO_SECTIONS: dict[str, tuple[bytes, dict[str, int]]] = {
    **{f"section headers of {i} bytes": (SECTIONED, {"e_shentsize": i}) for i in (0, 63, 65)},
    "513 section headers": (sectioned(513), {}),
    "65535 section headers": (SECTIONED, {"e_shnum": 0xFFFF}),
    "section headers that are misaligned": (sectioned(gap=4), {}),
    "section headers a byte short": (SECTIONED[:-1], {}),
    "a section header too many": (SECTIONED, {"e_shnum": 4}),
    "section headers behind the end": (SECTIONED, {"e_shoff": SIZE + 8}),
    "section headers that wrap": (SECTIONED, {"e_shoff": -8}),
    "section headers up to the end of all there is": (SECTIONED, {"e_shoff": -3 * SHDR.size}),
}
NO_SYMBOLS: dict[str, tuple[bytes, dict[str, int]]] = {
    "no section headers": (SECTIONED, {"e_shnum": 0}),
    "one section header": (SECTIONED, {"e_shnum": 1}),
    "the file header as a section header": (SECTIONED, {"e_shoff": 0, "e_shnum": 1}),
    "no section header of the strings": (SECTIONED, {"e_shnum": 2}),
    "only symbols for a dynamic linker": (SECTIONED, {"1.sh_type": SHT_DYNSYM}),
    **{f"symbols with strings in section {i}": (SECTIONED, {"1.sh_link": i})
       for i in (0, 1, 3, 0x7FFFFFFF, 0xFFFFFFFF)},
    **{f"symbols of {i} bytes each": (SECTIONED, {"1.sh_entsize": i}) for i in (0, 16, 25, 48)},
    **{f"symbols {place}": (SECTIONED, {"1.sh_offset": offset}) for place, offset in (
        ("a byte beyond the end", SIZE - len(SYMBOLS) + 1), ("behind the end", SIZE + 1),
        ("that wrap", -8), ("up to the end of all there is", -len(SYMBOLS)))},
    "symbols of all there is": (SECTIONED, {"1.sh_size": -1}),
    "no symbols behind the end": (SECTIONED, {"1.sh_offset": SIZE + 1, "1.sh_size": 0}),
    **{f"strings {place}": (SECTIONED, {"2.sh_offset": offset}) for place, offset in (
        ("a byte beyond the end", SIZE - len(NAMES) + 1), ("behind the end", SIZE + 1),
        ("that wrap", -8), ("up to the end of all there is", -len(NAMES)))},
    "strings of all there is": (SECTIONED, {"2.sh_size": -1}),
    "strings of no size": (SECTIONED, {"2.sh_size": 0}),
    "strings without bytes": (SECTIONED, {"2.sh_type": SHT_NOBITS}),
    "two tables, the first without its strings": (sectioned(4), {"1.sh_link": 4}),
    "two tables, the first of another size": (sectioned(4), {"1.sh_entsize": 16}),
}
SYMBOLIC: dict[str, tuple[bytes, dict[str, int]]] = {
    "symbols": (SECTIONED, {}),
    "symbols at the end": (SECTIONED, {"1.sh_offset": SIZE - len(SYMBOLS)}),
    "symbols of the whole file": (SECTIONED, {"1.sh_offset": 0, "1.sh_size": SIZE}),
    "strings at the end": (SECTIONED, {"2.sh_offset": SIZE - len(NAMES)}),
    "strings of one byte": (SECTIONED, {"2.sh_size": 1}),
    "no symbols at the end": (SECTIONED, {"1.sh_offset": SIZE, "1.sh_size": 0}),
    "two tables": (sectioned(4), {}),
    "two tables, the first for a dynamic linker": (sectioned(4), {"1.sh_type": SHT_DYNSYM}),
    "512 section headers": (sectioned(512), {}),
    "symbols in the last section": (sectioned(512), {f"{i}.sh_type": SHT_NOBITS
                                                     for i in (1, *range(3, 511))}),
}

# What it is -> a file, the changes to it, and the statuses: of elf64_parse() and, after a
# space, of elf64_relocate(); of the latter three, where they differ with the distance.
Case = tuple[bytes, dict[str, int], str]
CASES: dict[str, Case] = {
    "an executable": (EXEC, {}, "OK"),
    "a movable kernel": (MOVABLE, {}, "OK"),
    "up to the end of all addresses": (TOPMOST, {}, "OK"),
    "movable up to the end of all addresses": (TOPMOST_MOVABLE, {}, "OK"),

    # The file header.
    "empty": (b"", {}, "TRUNCATED_HEADER"),
    "a byte short of a header": (EXEC[:63], {}, "TRUNCATED_HEADER"),
    "only a header": (EXEC[:64], {}, "BAD_PROGRAM_HEADERS"),
    "zeros": (bytes(512), {}, "NOT_ELF"),
    **{f"byte {i} of the magic": (EXEC, {f"e_ident.{i}": 0x20}, "NOT_ELF") for i in range(4)},
    **{f"class {i}": (EXEC, {"e_ident.4": i}, "NOT_64_BIT") for i in (0, 1, 3)},
    **{f"data {i}": (EXEC, {"e_ident.5": i}, "NOT_LITTLE_ENDIAN") for i in (0, 2)},
    **{f"ident version {i}": (EXEC, {"e_ident.6": i}, "WRONG_VERSION") for i in (0, 2)},
    **{f"version {i}": (EXEC, {"e_version": i}, "WRONG_VERSION") for i in (0, 2, 0x10001)},
    "for i386": (EXEC, {"e_machine": 3}, "WRONG_MACHINE"),
    "for AArch64": (EXEC, {"e_machine": 183}, "WRONG_MACHINE"),
    "an object file": (EXEC, {"e_type": ET_REL}, "WRONG_TYPE"),
    "a core dump": (EXEC, {"e_type": ET_CORE}, "WRONG_TYPE"),
    "what a loader does not read": (
        EXEC, {"e_ident.7": 3, "e_ident.8": 9, "e_flags": -1, "e_ehsize": 1, "e_shstrndx": -1,
               "0.p_paddr": -1}, "OK"),

    # The table of program headers.
    "program headers of 55 bytes": (EXEC, {"e_phentsize": 55}, "BAD_PROGRAM_HEADERS"),
    "program headers of 57 bytes": (EXEC, {"e_phentsize": 57}, "BAD_PROGRAM_HEADERS"),
    "no program headers": (EXEC, {"e_phnum": 0}, "BAD_PROGRAM_HEADERS"),
    "program headers at the end": (AT_END, {}, "OK"),
    "program headers a byte short": (AT_END[:-1], {}, "BAD_PROGRAM_HEADERS"),
    "program headers behind the end": (EXEC, {"e_phoff": len(EXEC) + 8}, "BAD_PROGRAM_HEADERS"),
    "program headers that wrap": (EXEC, {"e_phoff": -8}, "BAD_PROGRAM_HEADERS"),
    "program headers that are misaligned": (
        EXEC + bytes(4) + EXEC[EHDR.size:HEADERS], {"e_phoff": len(EXEC) + 4},
        "BAD_PROGRAM_HEADERS"),
    "72 program headers, up to byte 4096": (crowded(72), {}, "OK"),
    "73 program headers": (crowded(73), {}, "BAD_PROGRAM_HEADERS"),
    "65535 program headers": (EXEC + bytes(HEADERS_MOST), {"e_phnum": 0xFFFF},
                              "BAD_PROGRAM_HEADERS"),
    "program headers up to byte 4096": (headed(HEADERS_MOST), {}, "OK"),
    "program headers up to byte 4096 of 8192": (headed(HEADERS_MOST) + bytes(4096), {}, "OK"),
    "program headers up to byte 4096 of 4095": (headed(HEADERS_MOST)[:-1], {},
                                                "BAD_PROGRAM_HEADERS"),
    # The next multiple of 8.
    "program headers up to byte 4104": (headed(HEADERS_MOST + 8), {}, "BAD_PROGRAM_HEADERS"),
    "program headers from byte 4096 on": (headed(HEADERS_MOST + 4 * PHDR.size), {},
                                          "BAD_PROGRAM_HEADERS"),
    "an interpreter": (EXEC, {"3.p_type": PT_INTERP}, "INTERPRETER"),
    "notes": (EXEC, {"3.p_type": PT_NOTE}, "OK"),

    # How many segments.
    "no segments": (EXEC, {f"{i}.p_type": PT_NOTE for i in range(3)}, "NO_SEGMENT"),
    "only empty segments": (EXEC, {f"{i}.{size}": 0 for i in range(3)
                                   for size in ("p_filesz", "p_memsz")}, "NO_SEGMENT"),
    "one segment": (many(1), {}, "OK"),
    "32 segments": (many(32), {}, "OK"),
    "33 segments": (many(33), {}, "TOO_MANY_SEGMENTS"),
    "an empty segment": (EXEC, {"1.p_filesz": 0, "1.p_memsz": 0, "1.p_vaddr": 1,
                                "1.p_offset": -1, "1.p_align": 3, "1.p_flags": 7}, "OK"),

    "segments behind the first 4096 bytes": (FAR, {}, "OK"),

    # Each segment alone. The third one's bytes are the last ones of the file.
    "a segment a byte short": (EXEC[:-1], {}, "SEGMENT_TRUNCATED"),
    "a segment at the end": (EXEC, {"1.p_align": 1, "1.p_offset": len(EXEC) - 16}, "OK"),
    "a segment a byte beyond the end": (
        EXEC, {"1.p_align": 1, "1.p_offset": len(EXEC) - 15}, "SEGMENT_TRUNCATED"),
    "a segment behind the end": (
        EXEC, {"1.p_offset": PAGE + HEADERS + 16}, "SEGMENT_TRUNCATED"),
    "a segment whose offset wraps": (EXEC, {"1.p_align": 1, "1.p_offset": -8},
                                     "SEGMENT_TRUNCATED"),
    "a segment of all there is": (EXEC, {"1.p_filesz": -1, "1.p_memsz": -1},
                                  "SEGMENT_TRUNCATED"),
    "zeros behind the end of the file": (
        EXEC, {"2.p_filesz": 0, "2.p_offset": TOP - PAGE + HEADERS + 32}, "OK"),
    "more in the file than in memory": (EXEC, {"1.p_memsz": 15}, "SEGMENT_SIZES"),
    "bytes in the file and none in memory": (EXEC, {"1.p_memsz": 0}, "SEGMENT_SIZES"),
    "a byte beyond all addresses": (
        TOPMOST, {"2.p_memsz": 4 * PAGE - (DATA - 0x100000) + 1}, "SEGMENT_WRAPS"),
    "memory of all there is": (EXEC, {"2.p_memsz": -1}, "SEGMENT_WRAPS"),
    "alignment 0": (EXEC, {"1.p_align": 0, "1.p_vaddr": 0x101001}, "OK"),
    "alignment 1": (EXEC, {"1.p_align": 1, "1.p_vaddr": 0x101001}, "OK"),
    "alignment 2, matched": (EXEC, {"1.p_align": 2, "1.p_vaddr": 0x101002}, "OK"),
    "alignment 2, not matched": (EXEC, {"1.p_align": 2, "1.p_vaddr": 0x101001},
                                 "SEGMENT_ALIGNMENT"),
    "alignment of 1 MiB": (EXEC, {"0.p_align": 0x100000}, "OK"),
    "alignment of 2 MiB, not matched": (EXEC, {"0.p_align": 0x200000}, "SEGMENT_ALIGNMENT"),
    "movable by 2 MiB": (MOVABLE, {"0.p_align": 0x200000}, "OK"),
    "an address a byte too high": (EXEC, {"1.p_vaddr": CONSTANTS + 1}, "SEGMENT_ALIGNMENT"),
    **{f"alignment {i:#x}": (EXEC, {"1.p_align": i}, "SEGMENT_ALIGNMENT")
       for i in (3, 0x1001, 0x3000, TOP - 1)},
    **{f"permissions {i}": (EXEC, {"1.p_flags": i}, "NOT_READABLE") for i in (0, X, W, W | X)},
    "writable and executable": (EXEC, {"1.p_flags": R | W | X}, "WRITE_AND_EXECUTE"),
    "permissions of other systems": (EXEC, {"1.p_flags": 0xFFFFFFF8 | R}, "OK"),

    # Each segment beside the one before it. The code ends 16 bytes behind its start.
    "segments in descending order": (
        EXEC, {"1.p_vaddr": 0x102000 + HEADERS + 16, "2.p_vaddr": 0x101000 + HEADERS + 32},
        "SEGMENT_ORDER"),
    "a segment a byte lower": (EXEC, {"1.p_align": 1, "1.p_vaddr": CODE - 1}, "SEGMENT_ORDER"),
    "a segment at the same address": (EXEC, {"1.p_align": 1, "1.p_vaddr": CODE},
                                      "SEGMENTS_OVERLAP"),
    "a segment at the last byte": (EXEC, {"1.p_align": 1, "1.p_vaddr": CODE + 15},
                                   "SEGMENTS_OVERLAP"),
    "a segment behind the last byte": (
        EXEC, {"1.p_align": 1, "1.p_vaddr": CODE + 16}, "SEGMENTS_SHARE_PAGE"),
    "a segment with the same permissions there": (
        EXEC, {"1.p_align": 1, "1.p_vaddr": CODE + 16, "1.p_flags": R | X}, "OK"),
    "a segment at the last byte of a page": (
        EXEC, {"1.p_align": 1, "1.p_vaddr": 0x100FFF}, "SEGMENTS_SHARE_PAGE"),
    "a segment at the next page": (EXEC, {"1.p_align": 1, "1.p_vaddr": 0x101000}, "OK"),
    "a segment up to the end of its page": (EXEC, {"0.p_memsz": 0x101000 - CODE}, "OK"),
    "a segment up to the next page": (EXEC, {"0.p_memsz": 0x101001 - CODE},
                                      "SEGMENTS_SHARE_PAGE"),
    "a byte of the last page": (EXEC, {"2.p_memsz": 0x103001 - DATA}, "OK"),
    "2 GiB": (EXEC, {"2.p_memsz": 0x100000 + 2 * GIB - DATA}, "OK"),
    "2 GiB and a byte": (EXEC, {"2.p_memsz": 0x100000 + 2 * GIB - DATA + 1}, "TOO_BIG"),
    "one segment of more than 2 GiB": (many(1), {"0.p_memsz": 2 * GIB}, "TOO_BIG"),

    # The entry point.
    "entry at the last byte of code": (EXEC, {"e_entry": CODE + 15}, "OK"),
    "entry behind the code": (EXEC, {"e_entry": CODE + 16}, "BAD_ENTRY"),
    "entry before the code": (EXEC, {"e_entry": CODE - 1}, "BAD_ENTRY"),
    "entry in the zeros behind the code": (EXEC, {"0.p_memsz": 32, "e_entry": CODE + 31}, "OK"),
    "entry in constants": (EXEC, {"e_entry": CONSTANTS}, "BAD_ENTRY"),
    "entry in data": (EXEC, {"e_entry": DATA}, "BAD_ENTRY"),
    "entry 0": (EXEC, {"e_entry": 0}, "BAD_ENTRY"),
    "entry 0, below the topmost code": (
        changed(TOPMOST, {f"{i}.p_type": PT_NULL for i in (0, 1)}),
        {"2.p_flags": R | X, "e_entry": 0}, "BAD_ENTRY"),

    # The stack.
    **{f"a stack of {i:#x} bytes": (EXEC, {"3.p_memsz": i}, "OK")
       for i in (1, 0xFFF, 0x1000, 0x1001, (16 << 20) - 1, 16 << 20)},
    "a stack of 16 MiB and a byte": (EXEC, {"3.p_memsz": (16 << 20) + 1}, "BAD_STACK"),
    "a stack of all there is": (EXEC, {"3.p_memsz": -1}, "BAD_STACK"),
    "a stack that can be executed": (EXEC, {"3.p_flags": R | W | X}, "OK"),

    # The dynamic table: where it is. The last segment goes on with zeros, 0x1000 of them.
    "movable without a dynamic table": (MOVABLE, {"3.p_type": PT_NULL}, "BAD_DYNAMIC"),
    "a dynamic table of no size": (MOVABLE, {"3.p_memsz": 0}, "BAD_DYNAMIC"),
    "an executable with a dynamic table of no size": (
        MOVABLE, {"e_type": ET_EXEC, "3.p_memsz": 0}, "OK"),
    "two dynamic tables": (
        MOVABLE, {"4.p_type": PT_DYNAMIC, "4.p_vaddr": DYNAMIC, "4.p_memsz": TABLE},
        "BAD_DYNAMIC"),
    "a dynamic table behind one of no size": (
        MOVABLE, {"3.p_memsz": 0, "4.p_type": PT_DYNAMIC, "4.p_vaddr": DYNAMIC,
                  "4.p_memsz": TABLE}, "OK"),
    "an executable with relocations": (MOVABLE, {"e_type": ET_EXEC}, "OK"),
    "an executable with a bad dynamic table": (
        MOVABLE, {"e_type": ET_EXEC, "3.p_memsz": 64}, "OK BAD_DYNAMIC"),
    "bytes of a dynamic table in the file": (
        MOVABLE, {"3.p_offset": -1, "3.p_filesz": -1, "3.p_align": 3}, "OK"),
    "a dynamic table in no segment": (MOVABLE, {"3.p_vaddr": 0x8000}, "OK BAD_DYNAMIC"),
    "a dynamic table between segments": (MOVABLE, {"3.p_vaddr": PAGE}, "OK BAD_DYNAMIC"),
    "a dynamic table before its segment": (MOVABLE, {"3.p_vaddr": POINTERS - 8},
                                           "OK BAD_DYNAMIC"),
    "a dynamic table in zeros": (MOVABLE, {"3.p_vaddr": 0x3000}, "OK"),
    "a dynamic table that ends in zeros": (MOVABLE, {"3.p_memsz": TABLE + 24}, "OK"),
    "a dynamic table whose end is in zeros": (
        MOVABLE, {"2.p_filesz": 32 + TABLE - 16, "2.p_memsz": 0x1000}, "OK"),
    "a dynamic table in two segments": (halved(32 + 40), {}, "OK BAD_DYNAMIC"),
    "a dynamic table up to the next segment": (
        halved(32 + 48), {"3.p_vaddr": DYNAMIC + 16, "3.p_memsz": 32}, "OK BAD_DYNAMIC"),
    "a dynamic table behind another segment": (halved(32), {}, "OK"),
    "a dynamic table in the last bytes": (movable(zeros=0), {}, "OK"),
    "a dynamic table a byte beyond the last": (movable(zeros=0), {"3.p_memsz": TABLE + 1},
                                               "OK BAD_DYNAMIC"),
    "a dynamic table in the last zeros": (
        MOVABLE, {"3.p_vaddr": DYNAMIC + TABLE + 0xFF0, "3.p_memsz": 16}, "OK"),
    "a dynamic table a byte beyond the last zero": (
        MOVABLE, {"3.p_vaddr": DYNAMIC + TABLE + 0xFF0, "3.p_memsz": 17}, "OK BAD_DYNAMIC"),
    "a dynamic table of all there is": (MOVABLE, {"3.p_memsz": -1}, "OK BAD_DYNAMIC"),
    "a dynamic table at the last address": (MOVABLE, {"3.p_vaddr": -8}, "OK BAD_DYNAMIC"),
    "a dynamic table at the last 16 addresses": (
        TOPMOST_MOVABLE, {"3.p_vaddr": -16, "3.p_memsz": 16}, "OK"),
    "a dynamic table across the end of all addresses": (
        TOPMOST_MOVABLE, {"3.p_vaddr": -16, "3.p_memsz": 32}, "OK BAD_DYNAMIC"),
    "a dynamic table at address 0, below the topmost": (
        TOPMOST_MOVABLE, {"3.p_vaddr": 0, "3.p_memsz": 16}, "OK BAD_DYNAMIC"),
    "a dynamic table that is misaligned": (
        MOVABLE, {"3.p_vaddr": DYNAMIC + 4, "3.p_memsz": 64}, "OK BAD_DYNAMIC"),
    "misaligned zeros as a dynamic table": (MOVABLE, {"3.p_vaddr": 0x3004}, "OK BAD_DYNAMIC"),
    "a dynamic table at a multiple of 8": (
        movable(tuple((offset + 8, info, addend) for offset, info, addend in THREE)),
        {"2.p_vaddr": POINTERS + 8, "2.p_align": 8, "3.p_vaddr": DYNAMIC + 8}, "OK"),
    "a dynamic table without an end": (MOVABLE, {"3.p_memsz": TABLE - 16}, "OK BAD_DYNAMIC"),
    "a dynamic table with half an end": (MOVABLE, {"3.p_memsz": TABLE - 1}, "OK BAD_DYNAMIC"),
    "a dynamic table of one entry, not the end": (MOVABLE, {"3.p_memsz": 16}, "OK BAD_DYNAMIC"),
    "a dynamic table of a byte": (MOVABLE, {"3.p_memsz": 1}, "OK BAD_DYNAMIC"),

    # What the dynamic table says.
    "a shared library": (tagged((DT_NEEDED, 1)), {}, "OK INTERPRETER"),
    "a shared library without a name": (tagged((DT_NEEDED, 0)), {}, "OK INTERPRETER"),
    "a shared library behind the end": (movable(tags=TAGS + ((DT_NEEDED, 1),)), {}, "OK"),
    "relocations of type REL": (tagged((DT_REL, 0)), {}, "OK BAD_RELOCATION"),
    "relocations of type RELR": (tagged((DT_RELR, 0)), {}, "OK BAD_RELOCATION"),
    "relocations in code": (tagged((DT_TEXTREL, 0)), {}, "OK BAD_RELOCATION"),
    "relocations in code by flag": (tagged((DT_FLAGS, 0xC)), {}, "OK BAD_RELOCATION"),
    "other flags": (tagged((DT_FLAGS, -5)), {}, "OK"),
    "relocations of calls": (tagged((DT_PLTRELSZ, 24)), {}, "OK BAD_RELOCATION"),
    "no relocations of calls": (tagged((DT_PLTRELSZ, 0)), {}, "OK"),
    **{f"an unknown tag {tag:#x}": (tagged((tag, -1)), {}, "OK")
       for tag in (10, DT_RELR + 1, 64 + DT_NEEDED, (1 << 32) + DT_RELASZ, 0x6FFFFEF5,
                   (1 << 63) - 1, -1, -(1 << 63) + DT_REL)},
    "two sizes, of which the last counts": (tagged((DT_RELASZ, 7)), {}, "OK"),

    # The table of relocations. It is all of the first segment.
    "no relocations": (movable(tags=((DT_HASH, 0), (DT_NULL, 0))), {}, "OK"),
    "only the end of the dynamic table": (movable(tags=((DT_NULL, 0),)), {}, "OK"),
    "relocations of no size": (retagged(DT_RELASZ, 0), {}, "OK"),
    "relocations of no size at an address of nothing": (
        movable(tags=((DT_RELA, 0x8000), (DT_RELASZ, 0), (DT_RELAENT, 24), (DT_NULL, 0))), {},
        "OK"),
    "relocations of unknown size": (retagged(DT_RELASZ, None), {}, "OK BAD_DYNAMIC"),
    "two of three relocations": (retagged(DT_RELASZ, 48), {}, "OK"),
    "relocations of two bytes less": (retagged(DT_RELASZ, 70), {}, "OK BAD_DYNAMIC"),
    "relocations of 8 bytes less": (retagged(DT_RELASZ, 64), {}, "OK BAD_DYNAMIC"),
    "more relocations than bytes": (retagged(DT_RELASZ, 96), {}, "OK BAD_DYNAMIC"),
    "relocations that end in zeros": (retagged(DT_RELASZ, 96), {"0.p_memsz": 96}, "OK"),
    "relocations in two segments": (RELOCATIONS_IN_HALVES, {}, "OK BAD_DYNAMIC"),
    "relocations of all there is": (retagged(DT_RELASZ, TOP - 16), {}, "OK BAD_DYNAMIC"),
    "relocations of 0 bytes each": (retagged(DT_RELAENT, 0), {}, "OK BAD_DYNAMIC"),
    "relocations of 16 bytes each": (retagged(DT_RELAENT, 16), {}, "OK BAD_DYNAMIC"),
    "relocations of 36 bytes each": (retagged(DT_RELAENT, 36), {}, "OK BAD_DYNAMIC"),
    "relocations of unknown size each": (retagged(DT_RELAENT, None), {}, "OK BAD_DYNAMIC"),
    "relocations at an unknown address": (
        movable(tags=((DT_RELASZ, 24), (DT_RELAENT, 24), (DT_NULL, 0))),
        # Here the file header is in memory at 0, and would do for a relocation.
        {"0.p_offset": 0, "0.p_vaddr": 0, "0.p_filesz": 512, "0.p_memsz": 512},
        "OK BAD_DYNAMIC"),
    "relocations in no segment": (retagged(DT_RELA, 0x8000), {}, "OK BAD_DYNAMIC"),
    "relocations before their segment": (retagged(DT_RELA, RELOCATIONS - 8), {},
                                         "OK BAD_DYNAMIC"),
    "relocations that are misaligned": (
        retagged(DT_RELA, RELOCATIONS + 4), {"0.p_align": 4, "0.p_vaddr": RELOCATIONS + 4}, "OK"),
    "relocations that wrap": (retagged(DT_RELA, TOP - 24), {}, "OK BAD_DYNAMIC"),
    "relocations in the last zeros of all addresses": (topmost(-72), {}, "OK"),
    "relocations across the end of all addresses": (topmost(-48), {}, "OK BAD_DYNAMIC"),
    "relocations at address 0, below the topmost": (topmost(0), {}, "OK BAD_DYNAMIC"),

    # Each relocation.
    "a relocation of type 64": (relocated((POINTERS, R_64, 0)), {}, "OK BAD_RELOCATION"),
    "a relocation of type IRELATIVE": (relocated((POINTERS, R_IRELATIVE, 0)), {},
                                       "OK BAD_RELOCATION"),
    "a relocation of a type with more bits": (relocated((POINTERS, R_RELATIVE + 256, 0)), {},
                                              "OK BAD_RELOCATION"),
    "a relocation with a symbol": (relocated((POINTERS, R_RELATIVE + (5 << 32), 6)), {}, "OK"),
    "the last relocation is bad": (movable(THREE[:2] + ((POINTERS, R_64, 0),)), {},
                                   "OK BAD_RELOCATION"),
    "the last relocation is bad, but does not count": (
        movable(THREE[:2] + ((POINTERS, R_64, 0),),
                tuple((tag, 48 if tag == DT_RELASZ else value) for tag, value in TAGS)), {},
        "OK"),
    "a relocation of type NONE outside": (relocated((-1, R_NONE, 1)), {}, "OK"),
    "a relocation of type NONE inside": (relocated((POINTERS, R_NONE, 1)), {}, "OK"),
    "a relocation of type NONE with a symbol": (relocated((-1, R_NONE + (8 << 32), 1)), {},
                                                "OK"),
    "a relocation of the greatest addend": (
        relocated((POINTERS, R_RELATIVE, (1 << 63) - 1)), {}, "OK"),
    "a relocation of the least addend": (relocated((POINTERS, R_RELATIVE, -(1 << 63))), {}, "OK"),
    "a relocation of code": (relocated((PAGE + RELOCATIONS + 72 + 8, R_RELATIVE, 1)), {}, "OK"),
    "a relocation beyond code": (
        relocated((PAGE + RELOCATIONS + 72 + 9, R_RELATIVE, 1)), {}, "OK BAD_RELOCATION"),
    "a relocation across two segments": (
        halved(32, (POINTERS + 25, R_RELATIVE, 1)), {}, "OK BAD_RELOCATION"),
    "a relocation up to the next segment": (
        halved(32, (POINTERS + 24, R_RELATIVE, 1)), {}, "OK"),
    "a relocation of the last zeros": (
        relocated((DYNAMIC + TABLE + 0xFF8, R_RELATIVE, 1)), {}, "OK"),
    "a relocation beyond the last zeros": (
        relocated((DYNAMIC + TABLE + 0xFF9, R_RELATIVE, 1)), {}, "OK BAD_RELOCATION"),
    "a relocation before a segment": (relocated((POINTERS - 1, R_RELATIVE, 1)), {},
                                      "OK BAD_RELOCATION"),
    "a relocation beyond all addresses": (relocated((TOP - 4, R_RELATIVE, 1)), {},
                                          "OK BAD_RELOCATION"),
    "a relocation of address 0, below the topmost data": (
        movable(((4 * PAGE, R_RELATIVE, 0),) + THREE[1:], base=TOP - 4 * PAGE,
                zeros=4 * PAGE - DYNAMIC - TABLE), {}, "OK BAD_RELOCATION"),
    "a relocation across the end of all addresses": (
        movable(((4 * PAGE - 7, R_RELATIVE, 0),) + THREE[1:], base=TOP - 4 * PAGE,
                zeros=4 * PAGE - DYNAMIC - TABLE), {}, "OK BAD_RELOCATION"),
    "two relocations of the same bytes": (relocated(THREE[1]), {}, "OK"),

    # Relocations of what they are made of: each counts as it is when its time has come.
    "a relocation of its own addend": (relocated(at_entry(0, 2, 0x1234)), {}, "OK"),
    "a relocation of its own address": (relocated(at_entry(0, 0, 0)), {}, "OK"),
    "a relocation of its own last byte and the next": (
        relocated((RELOCATIONS + 23, R_RELATIVE, POINTERS + 1 << 8)), {},
        "OK OK BAD_RELOCATION BAD_RELOCATION"),
    "a relocation of the next one's addend": (relocated(at_entry(1, 2, 0x1234)), {}, "OK"),
    "a relocation of the next one's address": (
        relocated(at_entry(1, 0, POINTERS + 2)), {}, "OK OK BAD_RELOCATION BAD_RELOCATION"),
    "a relocation of the next one's address, good when moved": (
        relocated(at_entry(1, 0, POINTERS + 2 + 0x200000)), {},
        "OK BAD_RELOCATION BAD_RELOCATION OK"),
    "a relocation of the next one's type": (
        relocated(at_entry(1, 1, R_NONE)), {}, "OK OK BAD_RELOCATION BAD_RELOCATION"),
    "a relocation of the one before": (
        relocated(THREE[0], at_entry(0, 0, -1)), {}, "OK"),
    "a relocation of the one before's type": (relocated(THREE[0], at_entry(0, 1, R_64)), {}, "OK"),
    "a relocation of the size of relocations": (
        relocated((DYNAMIC + 2 * DYN.size + 8, R_RELATIVE, 24)), {}, "OK"),
    "a relocation of the address of relocations": (
        relocated((DYNAMIC + DYN.size + 8, R_RELATIVE, 0)), {}, "OK"),

    # What a loader finds in the section headers: see below.
    **{name: (file, changes, "OK") for name, (file, changes) in
       (NO_SECTIONS | NO_SYMBOLS | SYMBOLIC).items()},
}
FILES = {name: changed(file, changes) for name, (file, changes, _) in CASES.items()}


def headers(file: bytes) -> tuple[list[tuple], list[tuple]]:
    """The program headers that load something, and all others."""
    header = EHDR.unpack_from(file)
    table = [PHDR.unpack_from(file, header[5] + i * PHDR.size) for i in range(header[10])]
    loads = [entry for entry in table if entry[0] == PT_LOAD and entry[6] > 0]
    return loads, [entry for entry in table if entry[0] != PT_LOAD]


def extent(loads: list[tuple]) -> tuple[int, int]:
    """The address of the first page of a kernel, and the bytes to the end of the last."""
    base = loads[0][3] // PAGE * PAGE
    return base, -(-(loads[-1][3] + loads[-1][6]) // PAGE) * PAGE - base


def symbols(file: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    """Offset and size of the first table of symbols, and of its strings."""
    header = EHDR.unpack_from(file)
    sections = [SHDR.unpack_from(file, header[6] + i * SHDR.size) for i in range(header[12])]
    table = next(entry for entry in sections if entry[1] == SHT_SYMTAB)
    return table[4:6], sections[table[6]][4:6]


def description(name: str, file: bytes) -> str:
    """What the harness should print of a good file before it is relocated."""
    loads, others = headers(file)
    base, size = extent(loads)
    header = EHDR.unpack_from(file)
    stack = next((entry[6] for entry in others if entry[0] == PT_GNU_STACK), 0) or 64 << 10
    nothing = (0, 0)
    ranges = (nothing, nothing, nothing)
    if name in NO_SYMBOLS:
        ranges = ((header[6], header[12] * SHDR.size), nothing, nothing)
    elif name in SYMBOLIC:
        ranges = ((header[6], header[12] * SHDR.size), *symbols(file))
    return (f"base={base:#x} size={size:#x} "
            f"alignment={max(PAGE, *(load[7] for load in loads)):#x} entry={header[4]:#x} "
            f"stack={-(-stack // PAGE) * PAGE:#x} movable={int(header[1] == ET_DYN)}" + "".join(
                f" {address:#x}+{memory:#x}={offset if held else 0:#x}+{held:#x}:{flags & 7}"
                for _, flags, offset, address, _, held, memory, _ in loads) + "".join(
                    f" {what}={offset:#x}+{length:#x}" for what, (offset, length) in
                    zip(("sections", "symbols", "strings"), ranges)))


def relocate(memory: bytearray, base: int, address: int, distance: int) -> None:
    """Relocate memory that begins at an address, by the dynamic table at another."""
    tags: dict[int, int] = {}
    while (entry := DYN.unpack_from(memory, address - base))[0] != DT_NULL:
        tags[entry[0]] = entry[1]
        address += DYN.size
    for at in range(0, tags.get(DT_RELASZ, 0), RELA.size):
        # Not before its turn: one of the others may have changed it.
        offset, info, addend = RELA.unpack_from(memory, tags[DT_RELA] - base + at)
        if info & 0xFFFFFFFF == R_RELATIVE:
            struct.pack_into("<Q", memory, offset - base, (addend + distance) % TOP)


def image(file: bytes, distance: int) -> bytes:
    """The memory of a good file, moved by a distance."""
    loads, others = headers(file)
    base, size = extent(loads)
    memory = bytearray(size)
    for _, _, offset, address, _, held, _, _ in loads:
        memory[address - base:address - base + held] = file[offset:offset + held]
    for kind, _, _, address, _, _, length, _ in others:
        if kind == PT_DYNAMIC and length:
            relocate(memory, base, address, distance)
    return bytes(memory)


def expectation(name: str, file: bytes) -> tuple[str, bytes]:
    """What should become of a file: the harness's line, and the memory it leaves."""
    first, *then = CASES[name][2].split()
    if first != "OK":
        return str(STATUSES.index(first)), b""
    line = f"0 {description(name, file)}"
    if extent(headers(file)[0])[1] > IMAGE_MOST:
        return line, b""
    distances = DISTANCES if EHDR.unpack_from(file)[1] == ET_DYN else (0,)
    if len(then) <= 1:
        then = (then or ["OK"]) * len(distances)
    return (line + " relocated" + "".join(f":{STATUSES.index(status)}" for status in then),
            b"".join(image(file, distance) for distance, status in zip(distances, then)
                     if status == "OK"))


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The harness with our elf64.c, sanitized."""
    return build(tmp_path_factory.mktemp("elf64") / "elf64_test", "-O0", *SANITIZERS, HARNESS,
                 SOURCE)


def parse_and_load(program: Path, paths: list[Path], folder: Path) -> tuple[list[str], bytes]:
    """Return the lines that the harness prints, and the memory of all good files."""
    done = run(program, folder / "images", *paths)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines(), (folder / "images").read_bytes()


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[Path]:
    """All files of the cases, in their order."""
    folder = tmp_path_factory.mktemp("files")
    for number, file in enumerate(FILES.values()):
        (folder / str(number)).write_bytes(file)
    return [folder / str(number) for number in range(len(FILES))]


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[str, bytes]]:
    """What should become of each file."""
    return {name: expectation(name, file) for name, file in FILES.items()}


@pytest.fixture(scope="module")
def outcome(program, paths, expected, tmp_path_factory) -> dict[str, tuple[str, bytes]]:
    """What became of each file."""
    lines, memory = parse_and_load(program, paths, tmp_path_factory.mktemp("images"))
    result = {}
    for line, (name, (_, wanted)) in zip(lines, expected.items()):
        result[name] = (line, memory[:len(wanted)])
        memory = memory[len(wanted):]
    assert len(result) == len(FILES) and not memory
    return result


@pytest.mark.parametrize("name", CASES)
def test_a_file_gets_its_status(outcome, expected, name):
    """The status of each step says what is wrong; a good file is described as it is."""
    line = outcome[name][0]
    assert STATUSES[int(line.split()[0])] == CASES[name][2].split()[0]
    assert line == expected[name][0]


@pytest.mark.parametrize("name", [name for name, case in CASES.items()
                                  if case[2].split()[-1] == "OK"])
def test_memory_is_as_the_file_says(outcome, expected, name):
    """Every byte: of the file, zero between and behind, relocated at three addresses."""
    assert outcome[name][1] == expected[name][1]


def test_every_status_is_reached():
    """No status that elf64.h names is without a file above."""
    assert {status for case in CASES.values() for status in case[2].split()} == set(STATUSES)


def test_every_status_has_a_sentence_of_its_own(program):
    """Sentences about the kernel that fit into three lines of a screen."""
    sentences = run(program).stdout.splitlines()
    assert len(sentences) == len(set(sentences)) == len(STATUSES)
    for sentence in sentences:
        assert re.fullmatch(r"(The|A|Two) [ -~]*\bkernel\b[ -~]*\.", sentence), sentence
        assert len(sentence) <= 200


# What is wrong -> text of elf64.c, and what stands there instead.
DEFECTS = {
    "a-sum-that-wraps": ("offset <= size && length <= size - offset", "offset + length <= size"),
    "a-byte-less-fits": ("length <= size - offset", "length < size - offset"),
    "header-only": ("size < sizeof *header", "size <= sizeof *header"),
    "headers-of-4097-bytes": ("size < ELF64_HEADERS_MOST ? size : ELF64_HEADERS_MOST",
                              "size < ELF64_HEADERS_MOST + 8 ? size : ELF64_HEADERS_MOST + 8"),
    "headers-beyond-the-end": ("size < ELF64_HEADERS_MOST ? size : ", ""),
    "headers-anywhere": ("size < ELF64_HEADERS_MOST ? size : ELF64_HEADERS_MOST", "size"),
    "three-bytes-of-magic": ("ELFMAG, SELFMAG", "ELFMAG, SELFMAG - 1"),
    "one-version-of-two": (" || header->e_version != EV_CURRENT", ""),
    "no-program-headers": ("header->e_phnum == 0 || ", ""),
    "program-headers-too-long": ("header->e_phentsize != sizeof", "header->e_phentsize < sizeof"),
    "program-headers-misaligned": ("header->e_phoff % _Alignof(struct elf64_phdr) != 0 ||", ""),
    "as-many-bytes-as-in-memory": (
        "header->p_filesz > header->p_memsz",
        "header->p_filesz >= header->p_memsz"),
    "zeros-have-an-offset": ("header->p_filesz > 0 && !lies_within", "!lies_within"),
    "the-last-byte-of-all-addresses": (
        "header->p_memsz - 1 > UINT64_MAX",
        "header->p_memsz > UINT64_MAX"),
    "another-sum-that-wraps": (
        "header->p_memsz - 1 > UINT64_MAX - header->p_vaddr",
        "header->p_vaddr + header->p_memsz - 1 < header->p_vaddr - 1"),
    "alignment-0": ("align > 1 && (", "("),
    "no-power-of-two": ("(align & (align - 1)) != 0 ||", ""),
    "not-readable": ("!(header->p_flags & PF_R)", "(header->p_flags & 7) == 0"),
    "order": ("segment->virtual_address < previous", "segment->virtual_address <= previous"),
    "overlap-of-one-byte": ("segment->virtual_address <= last", "segment->virtual_address < last"),
    "no-two-permissions": (
        "page_of(segment->virtual_address) == page_of(last) &&\n        segment",
        "segment"),
    "no-two-segments-on-a-page": (
        "page_of(last) &&\n        segment->flags != previous->flags",
        "page_of(last)"),
    "2-gib": ("last - elf->base >= SIZE_MOST", "last - elf->base > SIZE_MOST"),
    "bytes-that-go-nowhere": (
        "header->p_memsz == 0 && header->p_filesz == 0",
        "header->p_memsz == 0"),
    "31-segments": ("count == ELF64_SEGMENTS_MOST", "count == ELF64_SEGMENTS_MOST - 1"),
    "the-last-page": ("page_of(last) - elf->base + PAGE", "page_of(last + PAGE - 1) - elf->base"),
    "last-alignment": ("elf->alignment < header->p_align", "header->p_align > 0"),
    "16-mib": ("size > ELF64_STACK_MOST", "size >= ELF64_STACK_MOST"),
    "a-page-of-stack-more": ("page_of(size + PAGE - 1)", "page_of(size + PAGE)"),
    "entry-behind-the-code": ("segment_of(elf, elf->entry, 1)", "segment_of(elf, elf->entry, 0)"),
    "entry-anywhere": ("segment != NULL && segment->flags & PF_X ?", "segment != NULL ?"),
    "two-dynamic-tables": ("elf->dynamic_size != 0) {\n        return ELF64_BAD", "0) {\n"
                           "        return ELF64_BAD"),
    "movable-by-nothing": ("elf->position_independent && elf->dynamic_size == 0", "0"),
    "dynamic-only-if-movable": ("elf->position_independent && elf->dynamic_size == 0",
                                "elf->dynamic_size == 0"),
    "the-dynamic-table-of-the-file": ("dynamic_size = header->p_memsz",
                                      "dynamic_size = header->p_filesz"),
    "a-dynamic-table-anywhere": ("in_image(elf, image, elf->dynamic, elf->dynamic_size)",
                                 "in_image(elf, image, elf->dynamic, 16)"),
    "a-dynamic-table-misaligned": (" || elf->dynamic % sizeof(uint64_t) != 0", ""),
    "a-dynamic-table-at-16": ("elf->dynamic % sizeof(uint64_t)", "elf->dynamic % 16"),
    "beyond-dt-null": ("entry->d_tag != DT_NULL; left--", "1; left--"),
    "no-dt-null": ("    if (left == 0) {\n        return ELF64_BAD_DYNAMIC;", "    if (0) {\n"
                   "        return ELF64_BAD_DYNAMIC;"),
    "the-last-entry": ("left > 0 && entry->d_tag", "left > 1 && entry->d_tag"),
    "half-an-entry": ("elf->dynamic_size / sizeof(struct elf64_dyn)",
                      "(elf->dynamic_size + 8) / sizeof(struct elf64_dyn)"),
    "tags-signed": ("(uint64_t)entry->d_tag <= DT_RELR", "entry->d_tag <= DT_RELR"),
    "tags-of-32-bits": ("(uint64_t)entry->d_tag <= DT_RELR", "(uint32_t)entry->d_tag <= DT_RELR"),
    "no-relr": ("BIT(DT_REL) | BIT(DT_RELR)", "BIT(DT_REL)"),
    "no-textrel": (" | BIT(DT_TEXTREL)", ""),
    "other-flags": ("values[DT_FLAGS] & DF_TEXTREL", "values[DT_FLAGS]"),
    "calls-of-no-size": ("values[DT_PLTRELSZ] != 0", "there & BIT(DT_PLTRELSZ)"),
    "address-0": ("BIT(DT_RELA) | BIT(DT_RELASZ)", "BIT(DT_RELASZ)"),
    "size-0": ("BIT(DT_RELASZ) | BIT(DT_RELAENT)", "BIT(DT_RELAENT)"),
    "always-relocations": ("    if (there != 0 &&\n", "    if (1 &&\n"),
    "smaller-relocations": ("values[DT_RELAENT] != sizeof", "values[DT_RELAENT] > sizeof"),
    "half-a-relocation": (" ||\n         *bytes % sizeof(struct elf64_rela) != 0", ""),
    "relocations-of-no-size": ("status != ELF64_OK || bytes == 0", "status != ELF64_OK"),
    "relocations-anywhere": ("in_image(elf, image, address, bytes)",
                             "in_image(elf, image, address, 24)"),
    "the-last-relocation": ("at < bytes && status", "at + sizeof relocation < bytes && status"),
    "the-last-status": ("at < bytes && status == ELF64_OK; at", "at < bytes; at"),
    "a-segment-of-their-own": ("length <= size - offset;", "length <= size - offset + 1;"),
    "relocated-from-0": ("image + (address - elf->base)", "image + address"),
    "a-relocation-of-one-byte": ("relocation->r_offset, sizeof value", "relocation->r_offset, 1"),
    "symbols-of-relocations": ("#define BIT(tag)", "#undef ELF64_R_TYPE\n"
                               "#define ELF64_R_TYPE(info) (info)\n#define BIT(tag)"),
    "types-of-8-bits": ("ELF64_R_TYPE(relocation->r_info) != R",
                        "(uint8_t)relocation->r_info != R"),
    "other-types": ("ELF64_R_TYPE(relocation->r_info) != R_X86_64_RELATIVE || ", ""),
    "nothing-to-do-outside": ("ELF64_R_TYPE(relocation->r_info) == R_X86_64_NONE", "0"),
    "relocates-by-nothing": ("(uint64_t)relocation->r_addend + distance",
                             "(uint64_t)relocation->r_addend"),
    "relocates-32-bits": ("memcpy(where, &value, sizeof value)", "memcpy(where, &value, 4)"),
    "adds-to-what-is-there": ("    memcpy(where, &value, sizeof value)",
                              "    *(uint64_t *)where += value"),
    "moved-from-0": ("&relocation, base - elf->base)", "&relocation, base)"),
    "all-relocations-at-first": (
        "        memcpy(&relocation, table + at, sizeof relocation);",
        "        static unsigned char all[4096];\n        if (at == 0) {\n"
        "            memcpy(all, table, bytes);\n        }\n"
        "        memcpy(&relocation, all + at, sizeof relocation);"),
    "relocations-where-they-are": (
        "        status = relocate(elf, image, &relocation, base",
        "        status = relocate(elf, image, (const void *)(table + at), base"),
    "no-zeros-between": ("memset(done, 0, (size_t)(start - done));", ""),
    "no-zeros-behind": ("memset(done, 0, (size_t)(memory + elf->size - done));", ""),
    "no-zeros-of-a-segment": (
        "done = start + segment->file_size",
        "done = start + segment->memory_size"),
    "zeros-over-the-file": ("done = start + segment->file_size", "done = start"),
    "section-headers-too-long": ("header->e_shentsize == sizeof", "header->e_shentsize >= sizeof"),
    "513-section-headers": ("e_shnum <= ELF64_SECTIONS_MOST", "e_shnum <= ELF64_SECTIONS_MOST + 1"),
    "section-headers-misaligned": ("header->e_shoff % _Alignof(struct elf64_shdr) == 0 &&", ""),
    "section-headers-anywhere": (" &&\n        lies_within(header->e_shoff, bytes, size)", ""),
    "no-section-0": ("uint64_t i = 0;\n    while", "uint64_t i = 2;\n    while"),
    "a-section-too-many": ("while (i < count && ", "while (i + 1 < count && "),
    "strings-of-the-next-section": ("header[i].sh_link >= count", "header[i].sh_link > count"),
    "strings-of-other-sections": ("names->sh_type == SHT_STRTAB &&", ""),
    "strings-of-no-size": (" && names->sh_size > 0", ""),
    "strings-anywhere": (" &&\n        lies_within(names->sh_offset, names->sh_size, size)", ""),
    "symbols-anywhere": ("lies_within(table->sh_offset, table->sh_size, size) &&", ""),
    "larger-symbols": ("table->sh_entsize == sizeof", "table->sh_entsize >= sizeof"),
    "symbols-of-the-last-table": ("    uint64_t i = 0;\n    while (i < count &&",
                                  "    uint64_t i = count - 1;\n    while (i < count &&"),
}


# The type of each public function that may have a defect, its name and its parameters.
FUNCTIONS = [found for found in re.findall(r"^(\w[^\n(]*?)(elf64_\w+)\(([^)]+)\);",
                                           HEADER.read_text(), re.M)
             if found[1] != "elf64_sentence"]


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> Path:
    """The harness with elf64.c and all broken versions of it; the variable DEFECT says which
    one it uses. To compile them as one source takes a tenth of the time."""
    text, mark, sentences = SOURCE.read_text().partition("const char *elf64_sentence")
    names = re.findall(r"^\w[^\n=]*?(\w+)\([^;]*?\)\n\{$", text, re.M)
    source = "#include <stdlib.h>\n"
    versions = [("", ""), *DEFECTS.values()]
    for number, (right, wrong) in enumerate(versions):
        assert not right or text.count(right) == 1, f"elf64.c has changed: adapt {right!r}"
        source += "".join(f"#define {name} {name}_{number}\n" for name in names)
        source += text.replace(right, wrong) if right else text
        source += "".join(f"#undef {name}\n" for name in names)
    for kind, name, parameters in FUNCTIONS:
        versions_of_it = ", ".join(f"{name}_{number}" for number in range(len(versions)))
        arguments = ", ".join(re.findall(r"(\w+)(?:,|$)", parameters))
        source += (f"{kind}{name}({parameters})\n{{\n"
                   f"    {kind}(*all[])({parameters}) = {{{versions_of_it}}};\n"
                   f'    {"" if kind == "void " else "return "}'
                   f'all[atoi(getenv("DEFECT"))]({arguments});\n}}\n')
    folder = tmp_path_factory.mktemp("broken")
    (folder / "elf64.c").write_text(source + mark + sentences)
    # What compilers think of a defect does not count.
    return build(folder / "elf64_test", "-O0", "-g0", "-w", HARNESS, folder / "elf64.c")


def all_is_right(program: Path, paths: list[Path], folder: Path,
                 expected: dict[str, tuple[str, bytes]]) -> bool:
    """Do all files get the line, and the memory, that they should?"""
    done = run(program, folder / "images", *paths)
    return (done.returncode == 0
            and done.stdout.splitlines() == [line for line, _ in expected.values()]
            and (folder / "images").read_bytes() == b"".join(
                memory for _, memory in expected.values()))


def test_without_a_defect_all_is_right(broken, paths, expected, tmp_path, monkeypatch):
    """So whatever the next test sees is the defect."""
    monkeypatch.setenv("DEFECT", "0")
    assert all_is_right(broken, paths, tmp_path, expected)


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_harness_sees_a_defect(broken, paths, expected, tmp_path, monkeypatch, defect):
    """With one thing wrong in elf64.c, a file gets another status or another memory."""
    monkeypatch.setenv("DEFECT", str(1 + list(DEFECTS).index(defect)))
    assert not all_is_right(broken, paths, tmp_path, expected)


KERNEL = """
static const char *const words[] = {"first", "light"};
const char *volatile word = "kernel";
volatile unsigned long counters[1000];

void _start(void);
void _start(void)
{
    for (;;) {
        word = words[counters[counters[0] % 1000]++ & 1];
    }
}
"""


@pytest.mark.parametrize("kind", ["fixed", "movable"])
@pytest.mark.parametrize("tools", [("gcc", "ld"),
                                   ("clang --target=x86_64-unknown-none-elf", "ld.lld")],
                         ids=["gcc", "clang"])
def test_a_linked_kernel_is_read_as_readelf_reads_it(tmp_path, program, tools, kind):
    """Entry, stack, segments and symbols, and then each byte of memory."""
    compiler, linker = tools
    if compiler == "gcc" and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("gcc makes kernels only where it makes programs of the same format")
    for tool in (compiler.split()[0], linker, "readelf"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not here")
    pie = kind == "movable"
    subprocess.run([*compiler.split(), "-O2", "-ffreestanding", "-fpie" if pie else "-fno-pic",
                    "-fno-asynchronous-unwind-tables", "-x", "c", "-", "-c", "-o",
                    tmp_path / "kernel.o"], input=KERNEL, text=True, check=True)
    kernel = tmp_path / "kernel.elf"
    subprocess.run([linker, "-static", "-nostdlib", "-z", "noexecstack", "-z", "stack-size=20000",
                    *(["-pie", "--no-dynamic-linker"] if pie else []),
                    tmp_path / "kernel.o", "-o", kernel], check=True)

    said = subprocess.run(["readelf", "-hlrsW", kernel], capture_output=True, text=True,
                          check=True).stdout
    (line,), memory = parse_and_load(program, [kernel], tmp_path)
    words = line.split()
    assert re.search("Type: +DYN", said) if pie else re.search("Type: +EXEC", said)
    assert f"movable={int(pie)}" in words
    assert f"entry={re.search(r'Entry point address: +(0x[0-9a-f]+)', said)[1]}" in words
    assert "stack=0x5000" in words
    assert (" R_X86_64_RELATIVE " in said) == pie
    loads = re.findall(r"^  LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+) (0x\w+) (R?) ?(W?) ?(E?)",
                       said, re.M)
    assert words[7:-4] == [
        f"{int(address, 16):#x}+{int(size, 16):#x}={int(offset, 16):#x}+{int(held, 16):#x}:"
        f"{4 * bool(r) + 2 * bool(w) + bool(x)}"
        for offset, address, held, size, r, w, x in loads if int(size, 16)]
    file = kernel.read_bytes()
    distances = DISTANCES if pie else DISTANCES[:1]
    assert words[-1] == "relocated" + ":0" * len(distances)
    assert memory == b"".join(image(file, distance) for distance in distances)
    table, names = (file[int(offset, 16):][:int(size, 16)] for offset, size in re.findall(
        r" (?:symbols|strings)=(\w+)\+(\w+)", line))
    # Those of sections have no names, readelf prints those of the sections.
    found = [(f"{value:016x}", names[name:].split(b"\0")[0].decode())
             for name, kind, _, _, value, _ in SYM.iter_unpack(table) if kind & 15 != STT_SECTION]
    assert found == re.findall(r"^ +\d+: (\w+) +\w+ (?!SECTION)\w+ +\w+ +\w+ +\w+ ?(\S*)$",
                               said.split("'.symtab'")[1], re.M)
    assert {"_start", "counters", "word"} <= {name for _, name in found}
