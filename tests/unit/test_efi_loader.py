"""The whole loader of common/efi on this computer, sanitized, with a firmware that is played.

So it meets what no virtual machine does: short reads, memory where nobody wants it, a map
that changes under it. What a kernel must get is worked out here, of its file alone.
"""
from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import gnu_efi
import pytest
from native import Program, run
from test_elf64 import (
    EHDR,
    EXEC,
    HEADERS,
    MOVABLE,
    NAMES,
    PAGE,
    POINTERS,
    R_64,
    SHDR,
    SHT_NULL,
    SHT_STRTAB,
    SHT_SYMTAB,
    SYM,
    SYMBOLS,
    W,
    X,
    changed,
    elf,
    executable,
    extent,
    headers,
    image,
    many,
    movable,
    relocated,
    section,
    sectioned,
)

SOURCES = (
    *(f"../efi/{name}.c" for name in ("loader", "firmware", "kernel_file", "graphics",
                                      "graphics_mode", "efi_memory", "efi_map")),
    *(f"../loader/{name}.c" for name in ("loading", "sentence", "elf64", "memory_map",
                                         "page_table", "address_space", "page_table_count")))
MIB, GIB = 1 << 20, 1 << 30
LARGE_PAGE = 2 * MIB
HALTED = 3
RECLAIMABLE, MODULE, KERNEL, FRAMEBUFFER = 2, 4, 5, 9
DIRECT_MAP, STACK, KERNEL_BASE = 0xFFFF800000000000, 0xFFFFFF0000001000, 0xFFFFFFFF80000000


class Outcome(NamedTuple):
    """What became of it: the values of each name, line by line, and the kernel's memory."""

    lines: dict[str, list[list[str]]]
    memory: bytes

    def numbers(self, name: str) -> list[int]:
        """The one line of that name."""
        (line,) = self.lines[name]
        return [int(value, 16) for value in line]

    def number(self, name: str) -> int:
        return self.numbers(name)[0]

    def table(self, name: str) -> list[list[int]]:
        """All lines of that name."""
        return [[int(value, 16) for value in line] for line in self.lines[name]]


Start = Callable[..., Outcome]
Fail = Callable[..., str]


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Program:
    """The loader with its firmware."""
    return Program(tmp_path_factory.mktemp("efi_loader"), "efi_loader_test.c", SOURCES,
                   gnu_efi.options())


def run_loader(program: Path, folder: Path, kernel: bytes, options: dict[str, int],
               ) -> tuple[int, str]:
    """Its status and what it says, with this kernel and these options of the firmware."""
    (folder / "kernel.elf").write_bytes(kernel)
    done = run(program, folder / "kernel.elf", folder / "image",
               *(f"{name}={value}" for name, value in options.items()))
    return done.returncode, done.stdout.decode(errors="replace")


def starter(program: Path, folder: Path) -> Start:
    """`start(kernel, memory=8)`: what the kernel gets, with the firmware's options."""
    def start(kernel: bytes = EXEC, **options: int) -> Outcome:
        status, text = run_loader(program, folder, kernel, options)
        assert status == 0, text[-500:]
        lines = defaultdict(list)
        for name, *values in map(str.split, text.splitlines()):
            lines[name].append(values)
        return Outcome(lines, (folder / "image").read_bytes())
    return start


def failer(program: Path, folder: Path) -> Fail:
    """`fail(kernel, no_file=1)`: the sentence with which the loader halts."""
    def fail(kernel: bytes = EXEC, **options: int) -> str:
        status, text = run_loader(program, folder, kernel, options)
        assert status == HALTED, text[-500:]
        assert all(len(line) < 80 for line in text.splitlines())
        return " ".join(text.split()).removeprefix("watchdog off ")
    return fail


@pytest.fixture
def start(harness, tmp_path) -> Start:
    return starter(harness.path, tmp_path)


@pytest.fixture
def fail(harness, tmp_path) -> Fail:
    return failer(harness.path, tmp_path)


def with_symbols(kernel: bytes) -> bytes:
    """The kernel with symbols, their names, and section headers for both, behind it all."""
    file = kernel + SYMBOLS + NAMES
    file = file.ljust(-(-len(file) // 8) * 8, b"\0")
    table = (section(SHT_NULL) + section(SHT_SYMTAB, len(kernel), len(SYMBOLS), 2, SYM.size)
             + section(SHT_STRTAB, len(kernel) + len(SYMBOLS), len(NAMES)))
    return changed(file + table, {"e_shoff": len(file), "e_shnum": 3, "e_shentsize": SHDR.size})


def aligned(kernel: bytes, alignment: int, segment: int = 0) -> bytes:
    """The kernel with a segment aligned to more than a page, as it happens to be."""
    _, _, offset, address, *_ = headers(kernel)[0][segment]
    assert (address - offset) % alignment == 0
    return changed(kernel, {f"{segment}.p_align": alignment})


KERNELS = {
    "at-fixed-addresses": EXEC,
    "in-the-topmost-2-gib": executable(KERNEL_BASE + MIB),
    "movable": MOVABLE,
    "movable-with-a-base": movable(base=0x40000000),
    "movable-and-aligned-to-16-mib": aligned(movable(), 16 * MIB),
    "movable-and-aligned-in-its-middle": aligned(movable(base=32 * MIB - PAGE), 16 * MIB, 1),
    "of-32-segments": many(32),
    "of-32-segments-with-symbols": with_symbols(many(32)),
    "with-symbols": sectioned(),
    "with-symbols-that-are-damaged": changed(sectioned(), {"1.sh_size": 1 << 40}),
    "without-names-of-symbols": changed(sectioned(), {"1.sh_link": 9}),
    "with-a-segment-of-zeros": elf(2, (1, 4 | X, MIB, b"program code....", 0),
                                   (1, 4 | W, MIB + PAGE, b"", 0x2345)),
    "with-an-empty-segment": elf(2, (1, 4 | X, MIB, b"program code....", 0),
                                 (1, 4 | W, MIB + PAGE, b"", 0)),
    "of-3-mib": elf(2, (1, 4 | X, MIB, b"program code....", 0),
                    (1, 4, MIB + PAGE, bytes(range(251)) * 12500, 0)),
}


def check_kernel(file: bytes, got: Outcome) -> None:
    """It has the memory that its file says, where it should be, and may do with it just that."""
    base, size = extent(headers(file)[0])
    slide, physical = got.number("slide"), got.number("physical")
    alignment = max(load[7] for load in headers(file)[0])
    assert got.number("virtual") == (base + slide) % (1 << 64)
    assert got.number("kernel_size") == size
    assert got.number("entry") == (EHDR.unpack_from(file)[4] + slide) % (1 << 64)
    assert got.memory[:size] == image(file, slide)
    if EHDR.unpack_from(file)[1] == 3:
        assert KERNEL_BASE <= got.number("virtual") < KERNEL_BASE + alignment
        assert slide % max(alignment, PAGE) == 0
    else:
        assert slide == 0
    expected = {}
    for _, flags, _, address, _, _, length, _ in headers(file)[0]:
        for page in range(address // PAGE * PAGE, address + length, PAGE):
            expected[(page + slide) % (1 << 64)] = (page - base + physical, bool(flags & W),
                                                    bool(flags & X))
    assert pages_from(got, got.number("virtual"), size) == expected


def pages_from(got: Outcome, begin: int, size: int) -> dict[int, tuple[int, bool, bool]]:
    """The 4-KiB pages that are mapped there: where to, may they be written, executed."""
    return {place + i: (to + i, bool(write), bool(execute))
            for place, to, length, write, execute in got.table("page")
            for i in range(0, length, PAGE) if begin <= place + i < begin + size}


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_in_memory_as_its_file_says(start, name):
    """Each byte, each permission, the entry; moved, if at all, by its alignment."""
    check_kernel(KERNELS[name], start(KERNELS[name]))


def test_a_kernel_gets_its_symbols(start):
    """As they are in its file, and one zero byte behind the names."""
    got = start(sectioned())
    assert got.numbers("symbols") == [len(SYMBOLS), len(NAMES) + 1, len(SYMBOLS)]
    assert got.memory[0x4000:] == SYMBOLS + NAMES + b"\0"
    assert start(with_symbols(many(32))).memory[32 * PAGE:] == SYMBOLS + NAMES + b"\0"
    for name in ("with-symbols-that-are-damaged", "without-names-of-symbols"):
        assert start(KERNELS[name]).numbers("symbols") == [0, 0, 0]


def test_a_kernel_gets_a_stack_above_a_page_without_a_mapping(start):
    """Of the size that it says, for data alone, all of it in one piece."""
    got = start()
    bottom, size = got.numbers("stack")
    assert (bottom, size, got.number("stack_top")) == (STACK, 0x10000, STACK + 0x10000)
    pages = pages_from(got, STACK - PAGE, size + 2 * PAGE)
    assert sorted(pages) == list(range(STACK, STACK + size, PAGE))
    first = pages[STACK][0]
    assert all(page == (first + place - STACK, True, False) for place, page in pages.items())


def check_memory(got: Outcome, lost: int = 0) -> None:
    """Each page that was taken is told of, but for page tables that were not needed."""
    ranges = got.table("range")
    assert all(base + length <= after for (base, length, _), (after, *_)
               in zip(ranges, ranges[1:]))
    taken = sum(length for _, length, kind in ranges if kind in (RECLAIMABLE, MODULE, KERNEL))
    ours, page_tables, needed = got.numbers("pages")
    assert ours - taken // PAGE == page_tables - needed + lost
    assert all(base >= MIB or length == PAGE for base, length, kind in ranges
               if kind in (RECLAIMABLE, MODULE, KERNEL))
    size = got.number("kernel_size")
    assert [got.number("physical"), size, KERNEL] in ranges
    # The direct map has it all, and no more; the first MiB whatever it is.
    expected = set(range(PAGE, MIB, PAGE))
    for base, length, kind in ranges:
        if kind != 8:
            expected |= set(range(base, base + length, PAGE))
    direct = pages_from(got, DIRECT_MAP, 1 << 46)
    assert {place - DIRECT_MAP for place in direct} == expected
    assert all(page == (place - DIRECT_MAP, True, False) for place, page in direct.items())


@pytest.mark.parametrize("name", ["at-fixed-addresses", "movable", "with-symbols", "of-3-mib"])
def test_all_memory_is_told_of_and_mapped(start, name):
    """What the loader has taken is not free, and nothing else is lost."""
    got = start(KERNELS[name])
    check_memory(got)
    assert got.number("physical") % LARGE_PAGE == 0


def test_the_last_instructions_are_mapped_to_themselves(start):
    """One page, for execution, below 640 KiB, and not page 0."""
    place, to, size, write, execute = min(start().table("page"))
    assert (place, size, write, execute) == (to, PAGE, 0, 1)
    assert PAGE <= place < 0xA0000


@pytest.mark.parametrize("options", [
    {"descriptor_size": 40}, {"descriptor_size": 56}, {"descriptor_size": 64},
    {"memory": 4}, {"holes": 1200}, {"holes": 400, "memory": 4}, {"map_grows": 3},
    {"map_grows": 6, "exit_fails": 1}, {"exit_fails": 1}, {"map_fails": 3}, {"secure": 2}],
    ids=str)
def test_an_odd_firmware_starts_it_all_the_same(start, options):
    """The kernel is where it should be, and all memory is told of."""
    got = start(MOVABLE, **options)
    check_kernel(MOVABLE, got)
    check_memory(got)


@pytest.mark.parametrize("read_most", [1 << 16, 4095, 100])
def test_short_reads_are_continued(start, read_most):
    """However few bytes the firmware gives at a time, all come to their place."""
    check_kernel(KERNELS["of-3-mib"], start(KERNELS["of-3-mib"], read_most=read_most))


@pytest.mark.parametrize("size", [PAGE, 3 * MIB // 2 + 4321, 4 * MIB])
def test_memory_that_is_not_aligned_is_given_back(start, size):
    """However the free memory begins and ends: what is around the kernel stays free."""
    for memory in (16, 17, 32):
        file = elf(2, (1, 4 | X, MIB, b"program code....", 0), (1, 4 | W, MIB + PAGE, b"", size))
        got = start(file, memory=memory)
        assert got.number("physical") % LARGE_PAGE == 0
        check_memory(got)


def test_page_0_and_memory_below_1_mib_are_not_taken(start):
    """They are given away once or twice: then the loader asks again."""
    check_memory(start(page_0=1), lost=2)  # which the firmware's map would have taken
    place, *_ = min(start(page_0_low=1).table("page"))
    assert place >= PAGE
    for calls in (1, 2, 3):
        got = start(low_first=calls)
        ranges = got.table("range")
        assert [length for base, length, kind in ranges if base < MIB
                and kind in (RECLAIMABLE, MODULE, KERNEL)] == [PAGE]


def test_the_screen_is_the_first_with_pixels(start):
    """Its rows are as long as in memory; asleep, it is woken up; without one, there is none."""
    good = [2 * GIB, 1366, 768, 1376 * 4, 32, 1]
    for options in ({}, {"screens": 3}, {"screen_sleeps": 1}):
        got = start(**options)
        assert got.numbers("screen") == good
        assert [2 * GIB, -(-1376 * 4 * 768 // PAGE) * PAGE, FRAMEBUFFER] in got.table("range")
    for options in ({"screens": 0}, {"query_fails": 1}):
        got = start(**options)
        assert got.numbers("screen") == [0] * 6
        assert FRAMEBUFFER not in [kind for *_, kind in got.table("range")]


@pytest.mark.parametrize("tables, rsdp, smbios", [
    (15, 0x1002, 0x1004), (1, 0x1001, 0), (2, 0x1002, 0), (4, 0, 0x1003), (8, 0, 0x1004),
    (0, 0, 0)])
def test_the_newest_tables_are_found(start, tables, rsdp, smbios):
    """ACPI's and SMBIOS's, and the flags say which there are."""
    got = start(tables=tables)
    assert (got.number("rsdp"), got.number("smbios")) == (rsdp, smbios)
    assert got.number("flags") == 0x18 | (1 if rsdp else 0) | (2 if smbios else 0)


def test_the_kernel_gets_the_firmware_s_own_map(start):
    """Where it is, its size in whole descriptors, and theirs."""
    for size in (40, 48):
        where, length, step, version = start(descriptor_size=size).numbers("efi_map")
        assert where >= DIRECT_MAP + MIB and length > 0
        assert (length % size, step, version) == (0, size, 1)


NO_MAP = "The firmware does not tell how much memory there is."
ODD_MAP = "The firmware's memory map is not as the UEFI specification has it."
SENTENCES = {
    "secure-boot": (EXEC, {"secure": 1}, "Secure Boot is on, but this loader cannot tell"),
    "five-levels": (EXEC, {"la57": 1}, "The firmware has switched on page tables of five"),
    "no-volume": (EXEC, {"no_volume": 1},
                  "The loader cannot open the volume that it came from (EFI error 3). Try"),
    "no-file": (EXEC, {"no_file": 1}, "There is no kernel.elf on the volume that"),
    "open-error": (EXEC, {"open_fails": 1}, "The loader cannot open kernel.elf (EFI error 7)."),
    "info-error": (EXEC, {"info_fails": 1}, "The loader cannot open kernel.elf (EFI error 10)."),
    "no-console": (EXEC, {"no_console": 1, "folder": 1}, "kernel.elf is a folder: copy"),
    "folder": (EXEC, {"folder": 1}, "kernel.elf is a folder: copy"),
    "5-gib": (EXEC, {"file_size": 5 * GIB}, "kernel.elf has more than 4 GiB: that is no"),
    "empty": (b"", {}, "The kernel's file ends before its ELF header does"),
    "no-elf": (b"?" * 5000, {}, "The kernel is not an ELF file"),
    "read-error": (EXEC, {"read_fails": 1}, "The firmware cannot read kernel.elf (EFI error 7)"),
    "late-read-error": (EXEC, {"read_fails": 3}, "The firmware cannot read kernel.elf (EFI err"),
    "shorter-than-said": (EXEC, {"file_size": len(EXEC) + 1}, "kernel.elf is shorter than its"),
    "suddenly-shorter": (EXEC, {"read_ends": 3}, "kernel.elf is shorter than its volume says"),
    "truncated": (EXEC[:HEADERS + 20], {}, "The kernel's file ends before one of its segments"),
    "relocation": (relocated((POINTERS, R_64, 0)), {},
                   "The kernel has relocations that are not of type R_X86_64_RELATIVE"),
    "low-kernel": (executable(0x10000), {}, "The kernel's addresses are not free: link it at"),
    "kernel-in-the-hole": (executable(0x8000_0000_0000), {}, "The kernel's addresses are not"),
    "little-memory": (elf(2, (1, 4 | X, MIB, b"program code....", 20 * MIB)), {"memory": 8},
                      "There is too little memory for the kernel: it needs 20484 KiB in one "
                      "piece, and "),
    "little-memory-for-the-stack": (EXEC, {"holes": 10, "memory": 4},
                                    "There is too little memory for the kernel's stack: it "
                                    "needs 64 KiB in one piece, and "),
    "no-low-memory": (EXEC, {"no_low": 1}, "The firmware leaves no memory below 640 KiB"),
    "no-map": (EXEC, {"map_fails": 1}, ODD_MAP),
    "no-map-later": (EXEC, {"map_fails": 2}, NO_MAP),
    "short-descriptors": (EXEC, {"descriptor_size": 32}, ODD_MAP),
    "no-descriptors": (EXEC, {"descriptor_size": 0}, ODD_MAP),
    "exit-fails": (EXEC, {"exit_fails": 2}, "The firmware does not let go of the machine"),
    "no-page-tables": (EXEC, {"map_grows_late": 90}, "The loader has too few page tables"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_cannot_be_done_is_said(fail, name):
    """In a sentence of its own, on COM1 and, while the firmware is there, on its console."""
    kernel, options, sentence = SENTENCES[name]
    said = fail(kernel, **options)
    assert said.startswith(sentence) and said.endswith(".")


def test_the_free_memory_is_counted(fail):
    """Where the kernel is too large: what is free from 1 MiB to the last free page."""
    said = fail(elf(2, (1, 4 | X, MIB, b"program code....", 20 * MIB)), memory=8)
    free = int(said.split(" KiB are free")[0].split()[-1])
    assert 6 * 1024 < free < 7 * 1024


# What one wrong thing does to the tests above: the one that must fail, the source, the line.
DEFECTS = {
    "short-read-ends": (test_short_reads_are_continued, {"read_most": 4095}, "kernel_file.c",
                        "size -= chunk;", "size = 0;"),
    "chunk-at-the-same-place": (test_short_reads_are_continued, {"read_most": 4095},
                                "kernel_file.c", "at += chunk;", ""),
    "all-at-once": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "of-3-mib"},
                    "kernel_file.c", "size < CHUNK ? size : CHUNK", "size"),
    "position-not-set": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "of-32-segments"},
                         "kernel_file.c", "file->SetPosition(file, offset);", "EFI_SUCCESS;"),
    "read-error-ignored": (test_what_cannot_be_done_is_said, {"name": "late-read-error"},
                           "kernel_file.c", "status = file->Read(file, &chunk, at);",
                           "file->Read(file, &chunk, at);"),
    "end-ignored": (test_what_cannot_be_done_is_said, {"name": "suddenly-shorter"},
                    "kernel_file.c", "if (size > 0) {", "if (size > UINT32_MAX) {"),
    "folder-read": (test_what_cannot_be_done_is_said, {"name": "folder"}, "kernel_file.c",
                    "& EFI_FILE_DIRECTORY", "& EFI_FILE_HIDDEN"),
    "size-believed": (test_what_cannot_be_done_is_said, {"name": "5-gib"}, "kernel_file.c",
                      "(4ull << 30)", "(8ull << 30)"),
    "bare-name": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "movable"},
                  "kernel_file.c", 'L"\\\\kernel.elf"', 'L"kernel.elf"'),
    "name-without-room": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "movable"},
                          "kernel_file.c", "sizeof answer;", "sizeof answer.info;"),
    "volume-not-looked-at": (test_what_cannot_be_done_is_said, {"name": "no-volume"},
                             "kernel_file.c", "status = efi_boot->HandleProtocol(self",
                             "efi_boot->HandleProtocol(self"),
    "secure-boot-ignored": (test_what_cannot_be_done_is_said, {"name": "secure-boot"},
                            "firmware.c", "on == 1;", "on == 2;"),
    "no-variable-is-on": (test_an_odd_firmware_starts_it_all_the_same,
                          {"options": {"secure": 2}}, "firmware.c", "UINT8 on = 0;\n",
                          "return TRUE; UINT8 on = 0;\n"),
    "half-a-guid": (test_the_newest_tables_are_found, {"tables": 15, "rsdp": 0x1002,
                                                       "smbios": 0x1004},
                    "firmware.c", "guid, sizeof *guid)", "guid, 0)"),
    "console-alone": (test_what_cannot_be_done_is_said, {"name": "no-file"}, "firmware.c",
                      "serial_put(*at);", ""),
    "com1-alone": (test_what_cannot_be_done_is_said, {"name": "no-file"}, "firmware.c",
                   "show(lines);", ""),
    "console-taken-for-granted": (test_what_cannot_be_done_is_said, {"name": "no-console"},
                                  "firmware.c", "if (efi_system->ConOut == NULL) {",
                                  "if (0) {"),
    "console-after-exit": (test_what_cannot_be_done_is_said, {"name": "no-page-tables"},
                           "firmware.c", "if (efi_boot != NULL) {", "{"),
    "size-not-reset": (test_an_odd_firmware_starts_it_all_the_same,
                       {"options": {"map_grows": 6, "exit_fails": 1}}, "efi_memory.c",
                       "map.size = map.capacity;",
                       "map.size = map.size && map.capacity ? map.size : map.capacity;"),
    "one-try": (test_an_odd_firmware_starts_it_all_the_same, {"options": {"exit_fails": 1}},
                "efi_memory.c", "tries = 2; tries > 0 && EFI_ERROR",
                "tries = 1; tries > 0 && EFI_ERROR"),
    "old-key": (test_an_odd_firmware_starts_it_all_the_same, {"options": {"exit_fails": 1}},
                "efi_memory.c", "        status = read_map();\n",
                "        status = tries == 2 ? read_map() : 0;\n"),
    "asked-between": (test_an_odd_firmware_starts_it_all_the_same, {"options": {"exit_fails": 1}},
                      "efi_memory.c", "        status = read_map();\n",
                      "        firmware_is_secure(); status = read_map();\n"),
    "interrupts-on": (test_the_last_instructions_are_mapped_to_themselves, {}, "efi_memory.c",
                      '__asm__ volatile("cli");', ""),
    "no-room-to-grow": (test_an_odd_firmware_starts_it_all_the_same, {"options": {"map_grows": 3}},
                        "efi_memory.c", "#define NEW_DESCRIPTORS 128",
                        "#define NEW_DESCRIPTORS 8"),
    "first-error-ignored": (test_what_cannot_be_done_is_said, {"name": "no-map"}, "efi_memory.c",
                            "read_map() != EFI_BUFFER_TOO_SMALL ||", "read_map() == 0 ||"),
    "short-descriptors": (test_what_cannot_be_done_is_said, {"name": "short-descriptors"},
                          "efi_memory.c", "map.descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR)",
                          "map.descriptor_size == 0"),
    "map-error-ignored": (test_what_cannot_be_done_is_said, {"name": "no-map-later"},
                          "efi_memory.c", "if (efi_boot != NULL && EFI_ERROR(read_map())) {",
                          "if (efi_boot != NULL && read_map() == 1) {"),
    "low-memory-taken": (test_page_0_and_memory_below_1_mib_are_not_taken, {}, "efi_memory.c",
                         "if (address >= first) {", "if (address >= PAGE) {"),
    "page-0-taken": (test_page_0_and_memory_below_1_mib_are_not_taken, {}, "efi_memory.c",
                     "EfiLoaderCode, 1, PAGE,", "EfiLoaderCode, 1, 0,"),
    "asked-once": (test_page_0_and_memory_below_1_mib_are_not_taken, {}, "efi_memory.c",
                   "tries = 2; tries > 0; tries--", "tries = 1; tries > 0; tries--"),
    "before-kept": (test_memory_that_is_not_aligned_is_given_back, {"size": PAGE}, "efi_memory.c",
                    "efi_boot->FreePages(begin, before);", ""),
    "behind-kept": (test_memory_that_is_not_aligned_is_given_back, {"size": PAGE}, "efi_memory.c",
                    "efi_boot->FreePages(aligned + size, more - before);", ""),
    "one-too-many-freed": (test_memory_that_is_not_aligned_is_given_back, {"size": PAGE},
                           "efi_memory.c", "aligned + size, more - before)",
                           "aligned + size, more - before + 1)"),
    "alignment-or-nothing": (test_an_odd_firmware_starts_it_all_the_same,
                             {"options": {"holes": 400, "memory": 4}}, "efi_memory.c",
                             "address = allocate_aligned(whole_pages, PAGE);", ""),
    "trampoline-is-data": (test_the_last_instructions_are_mapped_to_themselves, {},
                           "efi_memory.c", "allocate_pages(EfiLoaderCode, 1,",
                           "allocate_pages(EfiLoaderData, 1,"),
    "not-told-of": (test_all_memory_is_told_of_and_mapped, {"name": "movable"}, "efi_memory.c",
                    "i < taken_count; i++", "i + 1 < taken_count; i++"),
    "tables-not-told-of": (test_all_memory_is_told_of_and_mapped, {"name": "movable"},
                           "efi_memory.c", "page_tables.base, page_tables_used,",
                           "page_tables.base, PAGE,"),
    "all-tables-told-of": (test_all_memory_is_told_of_and_mapped, {"name": "movable"},
                           "efi_memory.c", "page_tables = taken[--taken_count];",
                           "page_tables = taken[taken_count - 1];"),
    "tables-without-end": (test_what_cannot_be_done_is_said, {"name": "no-page-tables"},
                           "efi_memory.c", "if (page_tables_used == page_tables.length) {",
                           "if (page_tables.length == 0) {"),
    "sleeping-screen": (test_the_screen_is_the_first_with_pixels, {}, "graphics.c",
                        "status == EFI_NOT_STARTED &&", "0 &&"),
    "first-screen-alone": (test_the_screen_is_the_first_with_pixels, {}, "graphics.c",
                           "i < count; i++", "i < count && i < 1; i++"),
    "old-acpi": (test_the_newest_tables_are_found, {"tables": 15, "rsdp": 0x1002,
                                                    "smbios": 0x1004},
                 "loader.c", "firmware_table(&acpi2);", "firmware_table(&acpi1);"),
    "five-levels-ignored": (test_what_cannot_be_done_is_said, {"name": "five-levels"}, "loader.c",
                            "read_cr4() & CR4_LA57", "read_cr4() & 1"),
    "framebuffer-not-told-of": (test_the_screen_is_the_first_with_pixels, {}, "loader.c",
                                "screen_size, MEMORY_FRAMEBUFFER", "0, MEMORY_FRAMEBUFFER"),
    "slide-not-aligned": (test_a_kernel_is_in_memory_as_its_file_says,
                          {"name": "movable-and-aligned-in-its-middle"}, "loading.c",
                          "& (elf->alignment - 1));", "& (PAGE_SIZE - 1));"),
    "zeros-read": (test_a_kernel_is_in_memory_as_its_file_says,
                   {"name": "with-a-segment-of-zeros"}, "loading.c",
                   "elf64_clear(elf, image);", ""),
    "31-segments": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "of-32-segments"},
                    "loading.c", "i < elf->segment_count", "i < 31 && i < elf->segment_count"),
    "two-pieces-too-many": (test_a_kernel_is_in_memory_as_its_file_says,
                            {"name": "of-32-segments-with-symbols"}, "loading.c",
                            "(ELF64_SEGMENTS_MOST + 2)", "ELF64_SEGMENTS_MOST"),
    "no-last-zero": (test_a_kernel_gets_its_symbols, {}, "loading.c",
                     "table[bytes - 1] = '\\0';", ""),
    "names-elsewhere": (test_a_kernel_gets_its_symbols, {}, "loading.c",
                        "add_piece(strings, table + symbols.size);", "add_piece(strings, table);"),
    "not-relocated": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "movable"},
                      "loading.c", "elf64_relocate(elf, (void *)kernel->physical, "
                      "kernel->virtual_base)", "ELF64_OK"),
    "any-address": (test_what_cannot_be_done_is_said, {"name": "low-kernel"}, "loading.c",
                    "if (!address_space_has_room(kernel->virtual_base, elf->size)) {",
                    "if (elf->size == 0) {"),
    "trampoline-writable": (test_the_last_instructions_are_mapped_to_themselves, {}, "loading.c",
                            "end - begin, PAGE_EXECUTE)",
                            "end - begin, PAGE_EXECUTE | PAGE_WRITE)"),
    "interrupts-not-masked": (test_the_last_instructions_are_mapped_to_themselves, {},
                              "loading.c", "outb(PIC2_DATA, PIC_MASK_ALL);", ""),
    "entry-not-moved": (test_a_kernel_is_in_memory_as_its_file_says, {"name": "movable"},
                        "loading.c", "kernel->virtual_base + (kernel->elf->entry - "
                        "kernel->elf->base)", "kernel->elf->entry"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_seen(harness, tmp_path, name):
    """With one thing wrong in one source, the test that is named above fails."""
    seen_by, arguments, source, right, wrong = DEFECTS[name]
    program = harness.with_defect(source, right, wrong)
    there = {"start": starter(program, tmp_path), "fail": failer(program, tmp_path), **arguments}
    with pytest.raises(AssertionError):
        seen_by(**{name: there[name] for name in inspect.signature(seen_by).parameters})
