"""The page walk: from a virtual address to a physical one, as the CPU does it.

Four levels, each with tables of 512 entries of 8 bytes. Nine bits of the address choose
the entry at each level; the last level, or an entry with the size bit, maps a page.
Source: Intel SDM, "4-Level Paging and 5-Level Paging".
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import MachineError

PRESENT = 1 << 0
WRITABLE = 1 << 1
USER = 1 << 2
LARGE = 1 << 7
NO_EXECUTE = 1 << 63
ADDRESS = 0x000F_FFFF_FFFF_F000

# Name of the table, and the lowest bit of the address that chooses its entry.
LEVELS = (("PML4", 39), ("PDPT", 30), ("PD", 21), ("PT", 12))


@dataclass(frozen=True)
class Level:
    """One step: entry number `index` of the table at physical address `table`."""

    name: str
    table: int
    index: int
    entry: int

    @property
    def flags(self) -> str:
        words = [(PRESENT, "present"), (WRITABLE, "writable"), (USER, "user"),
                 (NO_EXECUTE, "no-execute")]
        return ", ".join(word for bit, word in words if self.entry & bit) or "empty"

    def __str__(self) -> str:
        return (f"{self.name}[{self.index}] at {self.table:#x} = {self.entry:#018x} "
                f"({self.flags})")


@dataclass(frozen=True)
class Translation:
    """The result of a walk. `page_size` in bytes: 4 KiB, 2 MiB or 1 GiB."""

    virtual: int
    physical: int
    page_size: int
    levels: tuple[Level, ...]

    @property
    def writable(self) -> bool:
        return all(level.entry & WRITABLE for level in self.levels)

    @property
    def user(self) -> bool:
        return all(level.entry & USER for level in self.levels)

    @property
    def executable(self) -> bool:
        """No level forbids it. (Only meaningful with EFER.NXE.)"""
        return not any(level.entry & NO_EXECUTE for level in self.levels)

    def __str__(self) -> str:
        steps = "\n".join(f"  {level}" for level in self.levels)
        return f"{self.virtual:#x} is at {self.physical:#x}:\n{steps}"


class NotMapped(MachineError):
    """The walk met an entry that is not present. `levels` holds the steps so far."""

    def __init__(self, virtual: int, levels: list[Level]) -> None:
        self.levels = tuple(levels)
        super().__init__(f"The virtual address {virtual:#x} is not mapped: "
                         f"{levels[-1]} is not present.")


def walk(read: Callable[[int, int], bytes], cr3: int, virtual: int) -> Translation:
    """Translate `virtual` by the tables at `cr3`; `read(address, length)` is physical."""
    sign = virtual >> 47
    if sign not in (0, 0x1FFFF):
        raise MachineError(f"The address {virtual:#x} is not canonical: bits 47 to 63 "
                           "must be equal.")
    table = cr3 & ADDRESS
    levels: list[Level] = []
    for name, shift in LEVELS:
        index = virtual >> shift & 511
        entry = int.from_bytes(read(table + 8 * index, 8), "little")
        levels.append(Level(name, table, index, entry))
        if not entry & PRESENT:
            raise NotMapped(virtual, levels)
        if name == "PT" or (name in ("PDPT", "PD") and entry & LARGE):
            break
        table = entry & ADDRESS
    size = 1 << shift
    physical = (entry & ADDRESS & -size) | (virtual & (size - 1))
    return Translation(virtual, physical, size, tuple(levels))
