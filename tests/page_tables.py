"""The three page tables that the second stage of chapter 5, and later ones, make."""
from __future__ import annotations

from machine import Machine

PAGE_TABLES = range(0x1000, 0x4000)     # three of them
MIB = 1 << 20
PRESENT, WRITABLE, LARGE = 1 << 0, 1 << 1, 1 << 7
ACCESSED, DIRTY = 1 << 5, 1 << 6        # the CPU sets them


def table_at(machine: Machine, address: int) -> list[int]:
    """A page table's 512 entries, without the bits that the CPU sets when it uses them."""
    data = machine.memory(address, 4096)
    entries = (int.from_bytes(data[i:i + 8], "little") for i in range(0, 4096, 8))
    return [entry & ~(ACCESSED | DIRTY) for entry in entries]


def assert_clean_tables(machine: Machine) -> None:
    """Each of the three tables holds what it must hold and, besides, zeros."""
    pml4, pdpt, directory = PAGE_TABLES[::4096]
    assert machine.registers().cr3 == pml4
    assert table_at(machine, pml4) == [pdpt | WRITABLE | PRESENT, *[0] * 511]
    assert table_at(machine, pdpt) == [directory | WRITABLE | PRESENT, *[0] * 511]
    assert table_at(machine, directory) == [
        2 * MIB * number | LARGE | WRITABLE | PRESENT for number in range(512)]
