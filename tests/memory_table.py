"""Chapter 3's table: as it is printed, as it is in memory, and what QEMU has given."""
from __future__ import annotations

import re
import struct
from typing import NamedTuple

from machine import Machine

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
FIRMWARE = "the firmware left it on"


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
