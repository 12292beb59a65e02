"""docs/boot-protocol.md, the reference of the contract, says what common/loader/ has."""
from __future__ import annotations

import re

import pytest

from conftest import ROOT

DOCUMENT = (ROOT / "docs/boot-protocol.md").read_text(encoding="utf-8")
HEADER = (ROOT / "common/loader/boot_info.h").read_text()
ELF = (ROOT / "common/loader/elf64.h").read_text()
STRUCTS = ("boot_info", "boot_screen", "memory_range", "boot_module")


def without_comments(source: str) -> str:
    return re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)


def layout(struct: str) -> list[tuple[int, int, str]]:
    """Offset, size and name of each member, in order: no member needs padding before it."""
    body = re.search(rf"^struct {struct} {{$(.*?)^}};$", without_comments(HEADER),
                     re.MULTILINE | re.DOTALL)
    members: list[tuple[int, int, str]] = []
    offset = 0
    for kind, name, count in re.findall(r"^ +([\w ]+?) (\w+)(?:\[(\d+)\])?;", body[1],
                                        re.MULTILINE):
        bits = re.fullmatch(r"uint(\d+)_t", kind)
        size = int(bits[1]) // 8 if bits else size_of(kind.split()[1])
        assert offset % min(size, 8) == 0, f"{name} is not aligned"
        members.append((offset, size * int(count or 1), name))
        offset += members[-1][1]
    return members


def size_of(struct: str) -> int:
    offset, size, _ = layout(struct)[-1]
    return offset + size


def section(heading: str) -> str:
    """The text behind a heading, up to the next one."""
    return re.search(rf"^#+ {heading}$(.*?)(?=^#+ |\Z)", DOCUMENT,
                     re.MULTILINE | re.DOTALL)[1]


def rows(text: str, *columns: str) -> list[tuple[str, ...]]:
    """The cells of the table rows in a text whose first cells look like `columns`."""
    row = "^" + "".join(rf"\| ({column}) " for column in columns) + r"\|"
    return [found.groups() for found in re.finditer(row, text, re.MULTILINE)]


@pytest.mark.parametrize("struct", STRUCTS)
def test_the_tables_have_each_member_at_its_offset(struct):
    """In the order of the header, none left out, none that is no more."""
    table = [(int(offset), int(size), name) for offset, size, name
             in rows(section(f"struct {struct}"), r"\d+", r"\d+", r"`\w+`")]
    assert [(offset, size, name.strip("`")) for offset, size, name in table] == layout(struct)


@pytest.mark.parametrize("struct", STRUCTS)
def test_the_header_asserts_the_same_layout(struct):
    """Its _Static_asserts, which hold in every build, agree with the members read here."""
    offsets = {name: offset for offset, _, name in layout(struct)}
    asserted = re.findall(rf"offsetof\(struct {struct}, (\w+)\) == (\d+)", HEADER)
    if struct == "boot_info":
        asserted = re.findall(r"^BOOT_OFFSET\((\w+), (\d+)\);", HEADER, re.MULTILINE)
    assert {name: int(value) for name, value in asserted}.items() <= offsets.items()
    (size,) = re.findall(rf"sizeof\(struct {struct}\) == (\d+)", HEADER)
    assert int(size) == size_of(struct)


def test_the_size_that_is_named_is_the_size():
    """In the row of the member `size`, and of `memory_map_entry_size`."""
    text = section("struct boot_info")
    assert f"of the struct, in bytes: {size_of('boot_info')} in this version" in text
    assert f"bytes from one to the next; {size_of('memory_range')} in this version" in text


def test_the_constants_have_their_values():
    """Those of boot_info.h, each once."""
    defined = {name: int(value, 0) for name, value
               in re.findall(r"^#define (BOOT_\w+) (0x\w+|\d+)\b", HEADER, re.MULTILINE)}
    defined.update((name, 1 << int(bit)) for name, bit
                   in re.findall(r"^#define (BOOT_\w+) \(1u << (\d+)\)", HEADER, re.MULTILINE))
    for enum in ("boot_firmware", "memory_type", "screen_kind"):
        body = re.search(rf"enum {enum} {{(.*?)}};", without_comments(HEADER), re.DOTALL)[1]
        defined.update((name, int(value)) for name, value
                       in re.findall(r"(\w+) = (\d+)", body))
    told = {name: int(value, 0) for name, value in rows(DOCUMENT, "BOOT_\\w+", r"\w+")}
    told.update((name, int(number)) for number, name in rows(DOCUMENT, r"\d+", "MEMORY_\\w+"))
    told.update((name, int(value)) for name, value
                in re.findall(r"\b(SCREEN_\w+) (\d+)", DOCUMENT))
    assert told == defined


def test_the_types_that_are_mapped_are_those():
    """The third column of the table of types agrees with memory_type_is_mapped()."""
    body = re.search(r"memory_type_is_mapped\(uint32_t type\)\n{(.*?)^}", HEADER,
                     re.MULTILINE | re.DOTALL)[1]
    first, last, without = re.search(
        r"type >= (\w+) && type <= (\w+) && type != (\w+);", body).groups()
    table = rows(DOCUMENT, r"\d+", "MEMORY_\\w+", "yes|no")
    number = {name: int(value) for value, name, _ in table}
    for value, name, mapped in table:
        assert (mapped == "yes") == (number[first] <= int(value) <= number[last]
                                     and name != without), name


def test_each_refusal_is_listed():
    """Each status of elf64.h but the first and the last, in its order."""
    statuses = re.search(r"enum elf64_status {(.*?)};", without_comments(ELF), re.DOTALL)[1]
    names = re.findall(r"\bELF64_\w+", statuses)
    assert names[0] == "ELF64_OK" and names[-1] == "ELF64_STATUS_COUNT"
    assert [name for (name,) in rows(DOCUMENT, "ELF64_\\w+")] == names[1:-1]


def test_limits_are_those_of_the_loader():
    """Segments, stack, headers."""
    limits = {name: value for name, value in re.findall(r"#define (ELF64_\w+) (.+)", ELF)}
    assert f"more than {limits['ELF64_SEGMENTS_MOST']}" in DOCUMENT
    assert limits["ELF64_STACK_DEFAULT"] == "(64u << 10)" and "64 KiB" in DOCUMENT
    assert limits["ELF64_STACK_MOST"] == "(16u << 20)" and "at most 16 MiB" in DOCUMENT
    assert f"the first {int(limits['ELF64_HEADERS_MOST']):,} bytes of the file" in DOCUMENT
