"""What a panic says of the callers: common/kernel/symbols.c and backtrace.c."""
from __future__ import annotations

import inspect
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from native import Program, run

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
SHT_SYMTAB, STT_OBJECT, STT_FUNC = 2, 1, 2
SLIDES = (0, 0xFFFFFFFF80000000)
ROUNDS = "3000"


class Symbol(NamedTuple):
    """A symbol of an ELF file."""

    name: str
    kind: int
    value: int
    size: int


class Tables(NamedTuple):
    """The two tables of an ELF file, as files, and what is in them."""

    symbols: Path
    strings: Path
    known: list[Symbol]

    def functions_at(self, address: int) -> set[tuple[str, int]]:
        """All functions that the address lies in, and how far behind their beginning."""
        return {(symbol.name, address - symbol.value) for symbol in self.known
                if symbol.kind == STT_FUNC and 0 <= address - symbol.value < symbol.size}


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Program:
    """The harness, and both sources."""
    return Program(tmp_path_factory.mktemp("callers"), "callers_test.c",
                   ["symbols.c", "backtrace.c"])


@pytest.fixture
def program(harness) -> Path:
    """The harness with the sources as they are."""
    return harness.path


@pytest.fixture(scope="module")
def tables(harness) -> Tables:
    """Those of a real program: of the harness itself, where it is an ELF file."""
    file = harness.path.read_bytes()
    if not file.startswith(b"\x7fELF\x02"):
        pytest.skip("programs of this computer are no ELF files")
    header = EHDR.unpack_from(file)
    sections = [SHDR.unpack_from(file, header[6] + SHDR.size * i) for i in range(header[12])]
    found = next(section for section in sections if section[1] == SHT_SYMTAB)
    symbols, strings = (file[section[4]:section[4] + section[5]]
                        for section in (found, sections[found[6]]))
    return written(harness.folder, symbols, strings)


def written(folder: Path, symbols: bytes, strings: bytes) -> Tables:
    """Two tables as files."""
    files = folder / "symbols", folder / "strings"
    for file, data in zip(files, (symbols, strings)):
        file.write_bytes(data)
    return Tables(*files, [
        Symbol(strings[name:strings.index(0, name)].decode(), info & 0xF, value, size)
        for name, info, _, _, value, size in SYM.iter_unpack(symbols)])


def answers(program: Path, tables: Tables, addresses: list[int], slide: int = 0) -> list[str]:
    """What the harness says of each address."""
    lines = "\n".join(f"{address:x}" for address in addresses).encode()
    done = run(program, "symbols", tables.symbols, tables.strings, f"{slide:x}", stdin=lines)
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    return done.stdout.decode().splitlines()


def test_each_function_is_found_by_all_that_is_in_it(program, tables):
    """Its first byte and its last, and none beside it; where the program is, and moved."""
    functions = [symbol for symbol in tables.known if symbol.kind == STT_FUNC and symbol.size]
    assert len(functions) > 10
    addresses = sorted({symbol.value + offset for symbol in functions
                        for offset in (-1, 0, symbol.size // 2, symbol.size - 1, symbol.size)})
    for slide in SLIDES:
        moved = [address + slide & (1 << 64) - 1 for address in addresses]
        for address, line in zip(addresses, answers(program, tables, moved, slide)):
            known = {f"{name} {offset:x}" for name, offset in tables.functions_at(address)}
            assert line in known or line == "-" and not known, hex(address)


def hand_made(folder: Path) -> Tables:
    """Symbols of which only the first and the last are functions that have a name."""
    strings = b"\0good\0data\0other\0"
    return written(folder, b"".join(SYM.pack(*symbol) for symbol in [
        (0, 0, 0, 0, 0, 0),
        (1, 0x10 | STT_FUNC, 0, 1, 0x1000, 0x100),
        (6, 0x10 | STT_OBJECT, 0, 2, 0x2000, 0x100),
        (11, STT_FUNC, 0, 1, 0x3000, 0),
        (11, STT_FUNC, 0, 1, (1 << 64) - 0x80, 0x80)]), strings)


def test_data_and_functions_without_a_size_are_no_callers(program, tmp_path):
    """And a function may end with the last byte of all addresses."""
    asked = [0, 0xFFF, 0x1000, 0x10FF, 0x1100, 0x2000, 0x3000, (1 << 64) - 0x81,
             (1 << 64) - 0x80, (1 << 64) - 1]
    assert answers(program, hand_made(tmp_path), asked) == [
        "-", "-", "good 0", "good ff", "-", "-", "-", "-", "other 0", "other 7f"]


def test_a_name_behind_the_strings_is_no_name(program, tmp_path):
    """Neither just behind the end, nor far away, nor where there are no strings."""
    for name, strings in [(17, b"\0good\0data\0other\0"), (0xFFFFFFFF, b"\0a\0"), (0, b"")]:
        (tmp_path / "symbols").write_bytes(SYM.pack(name, STT_FUNC, 0, 1, 0x1000, 0x100))
        (tmp_path / "strings").write_bytes(strings)
        tables = Tables(tmp_path / "symbols", tmp_path / "strings", [])
        assert answers(program, tables, [0x1000]) == ["-"]


def test_damaged_tables_do_no_harm(program, tables):
    """3,000 of them: no byte outside is read, and each name ends inside."""
    done = run(program, "damaged", tables.symbols, tables.strings, ROUNDS)
    assert done.returncode == 0, done.stdout.decode(errors="replace")


def test_a_chain_of_frames_is_followed_as_far_as_it_is_whole(program):
    """To its end, to what is no frame of the stack, and to as many as were asked for."""
    done = run(program, "backtrace")
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("seen_by, source, right, wrong", [
    pytest.param(test_each_function_is_found_by_all_that_is_in_it, "symbols.c",
                 "< entry->st_size", "<= entry->st_size", id="function-a-byte-too-long"),
    pytest.param(test_each_function_is_found_by_all_that_is_in_it, "symbols.c",
                 "address - info->kernel_slide;", "address;", id="not-moved"),
    pytest.param(test_data_and_functions_without_a_size_are_no_callers, "symbols.c",
                 "ELF64_ST_TYPE(entry->st_info) == STT_FUNC &&", "", id="data-called"),
    pytest.param(test_damaged_tables_do_no_harm, "symbols.c",
                 "info->symbols_size / sizeof *entries", "info->symbols_size / 23",
                 id="table-read-too-far"),
    pytest.param(test_a_chain_of_frames_is_followed_as_far_as_it_is_whole, "backtrace.c",
                 "if (here->caller <= frame)", "if (here->caller < frame)", id="bites-its-tail"),
    pytest.param(test_a_chain_of_frames_is_followed_as_far_as_it_is_whole, "backtrace.c",
                 "<= size - sizeof(struct frame)", "<= size", id="frame-out-of-the-stack"),
])
def test_a_defect_is_seen(harness, tables, tmp_path, seen_by, source, right, wrong):
    """With one thing wrong in one source, the test that is named here fails."""
    there = {"program": harness.with_defect(source, right, wrong), "tables": tables,
             "tmp_path": tmp_path}
    with pytest.raises(AssertionError):
        seen_by(**{name: there[name] for name in inspect.signature(seen_by).parameters})
