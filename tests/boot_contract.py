"""The contract between loaders and kernels, docs/boot-protocol.md, seen from outside.

    seen = Seen(machine)                # its CPU is halted, with rdi as the kernel found it
    assert_contract(seen, kernel, LOADERS["bios"])

Nothing here asks the kernel, and nothing asks the loader's own sources.
"""
from __future__ import annotations

import struct
from collections import namedtuple
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple, Optional, Union

from kernels import EXECUTE, PAGE, WRITE, Loader, Kernel, page_down, page_up
from machine import BochsMachine, Machine, paging
from machine.registers import (CR0_PE, CR0_PG, CR0_WP, CR4_PAE, EFER_LMA, EFER_LME, EFER_NXE,
                               RFLAGS_DF)
from memory_table import ram_of

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
CR0_ET, CR0_NE = 1 << 4, 1 << 5
RFLAGS_TF, RFLAGS_ALWAYS = 1 << 8, 1 << 1
CODE64, DATA = 0x00AF9B000000FFFF, 0x00CF93000000FFFF

HIGHER_HALF = 0xFFFF800000000000
DIRECT_MAP = 0xFFFF800000000000
GUARD_PAGE = 0xFFFFFF0000000000
BIOS, UEFI = 1, 2
HAS_RSDP, HAS_SMBIOS, HAS_BOOT_DRIVE, HAS_EFI, HAS_TSC = (1 << bit for bit in range(5))
SCREEN = struct.Struct("<QIIIH10B")
NO_SCREEN = SCREEN.pack(*[0] * 15)
VGA_TEXT = SCREEN.pack(0xB8000, 80, 25, 160, 16, 2, *[0] * 9)
# QEMU's cards have blue in the lowest byte, then green, then red.
COLORS = (8, 16, 8, 8, 8, 0)
EFI_DESCRIPTOR = struct.Struct("<I4xQQQQ")  # type, physical, virtual, pages, attributes
EFI_MEMORY_TYPES_OF_OURS = {1, 2, 3, 4, 7}  # loader's, boot services', free

FIELDS = [field.split(":") for field in """
    magic:8s version:I size:I firmware:I flags:I
    memory_map:Q memory_map_count:I memory_map_entry_size:I
    direct_map_base:Q direct_map_size:Q
    kernel_physical:Q kernel_virtual:Q kernel_size:Q kernel_slide:Q
    symbols:Q symbols_size:Q strings:Q strings_size:Q
    stack_bottom:Q stack_size:Q screen:32s rsdp:Q smbios:Q
    modules:Q module_count:I boot_drive:I command_line:Q loader_name:Q
    efi_system_table:Q efi_memory_map:Q efi_memory_map_size:I
    efi_descriptor_size:I efi_descriptor_version:I padding:I
    tsc_start:Q tsc_handover:Q""".split()]
BOOT_INFO = struct.Struct("<" + "".join(code for _, code in FIELDS))
BootInfo = namedtuple("BootInfo", [name for name, _ in FIELDS])
RANGE = struct.Struct("<QQII")
SYMBOL = struct.Struct("<IBBHQQ")
STT_SECTION, STT_FILE = 3, 4


class Kind(IntEnum):
    """Of memory, as enum memory_type of boot_info.h."""

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


IN_DIRECT_MAP = set(Kind) - {Kind.RESERVED, Kind.BAD}
IN_RAM = {Kind.USABLE, Kind.LOADER_RECLAIMABLE, Kind.MODULE, Kind.KERNEL}


class Range(NamedTuple):
    """An entry of the memory map."""

    base: int
    length: int
    kind: Kind
    attributes: int

    @property
    def end(self) -> int:
        return self.base + self.length


class Leaf(NamedTuple):
    """A page that the tables map, of 4 KiB, 2 MiB or 1 GiB."""

    virtual: int
    physical: int
    size: int
    rights: str                         # such as "r-x"


class Region(NamedTuple):
    """Pages that follow each other in virtual and in physical memory."""

    begin: int
    end: int
    physical: int
    rights: str

    def __repr__(self) -> str:
        return f"{self.begin:#x}-{self.end - 1:#x} at {self.physical:#x} {self.rights}"


class Seen:
    """What a loader gave to the kernel on a machine whose CPU is halted.

    All of it is read at once. no_execute, gigabyte_pages: what the CPU has.
    """

    def __init__(self, machine: Union[Machine, BochsMachine], *, no_execute: bool = True,
                 gigabyte_pages: bool = False) -> None:
        self.machine = machine
        self.no_execute, self.gigabyte_pages = no_execute, gigabyte_pages
        self.registers = machine.registers()
        # By physical address, all page tables; and by virtual address, all that they map.
        self.tables: dict[int, tuple[int, ...]] = {}
        self.leaves = list(self._walk(self.registers.cr3, 0, 0, True, True))
        self.info_at = self.registers["RDI"]
        self.info = BootInfo(*BOOT_INFO.unpack(self.read(self.info_at, BOOT_INFO.size)))
        assert self.info.memory_map_entry_size == RANGE.size
        data = self.read(self.info.memory_map, self.info.memory_map_count * RANGE.size)
        self.ranges = [Range(base, length, Kind(kind), attributes)
                       for base, length, kind, attributes in RANGE.iter_unpack(data)]

    def _walk(self, table: int, depth: int, above: int, writable: bool,
              executable: bool) -> Iterator[Leaf]:
        self.tables[table] = struct.unpack("<512Q", self.machine.memory(table, PAGE))
        name, shift = paging.LEVELS[depth]
        for number, entry in enumerate(self.tables[table]):
            if not entry & paging.PRESENT:
                continue
            virtual = above | number << shift
            if virtual >> 47 == 1:
                virtual |= 0xFFFF << 48
            may_write = writable and bool(entry & paging.WRITABLE)
            may_execute = executable and not entry & paging.NO_EXECUTE
            if name == "PT" or entry & paging.LARGE:
                rights = "r" + ("w" if may_write else "-") + ("x" if may_execute else "-")
                yield Leaf(virtual, entry & paging.ADDRESS & -(1 << shift), 1 << shift, rights)
            else:
                yield from self._walk(entry & paging.ADDRESS, depth + 1, virtual, may_write,
                                      may_execute)

    def physical(self, virtual: int) -> int:
        """Where the kernel's page tables map an address to."""
        for leaf in self.leaves:
            if 0 <= virtual - leaf.virtual < leaf.size:
                return leaf.physical + virtual - leaf.virtual
        raise AssertionError(f"{virtual:#x} is not mapped")

    def read(self, virtual: int, length: int) -> bytes:
        """Read memory at an address of the kernel's."""
        data = b""
        while len(data) < length:
            at = virtual + len(data)
            data += self.machine.memory(self.physical(at),
                                        min(PAGE - at % PAGE, length - len(data)))
        return data

    def read_text(self, virtual: int) -> str:
        """Read text that a zero byte ends, of at most 80 bytes."""
        return self.read(virtual, 80).split(b"\0")[0].decode()

    def total(self, kinds: set[Kind]) -> int:
        """How many bytes of the map are of these kinds."""
        return sum(item.length for item in self.ranges if item.kind in kinds)

    def kinds_of(self, physical: int, size: int) -> set[Optional[Kind]]:
        """What the map says of this memory; None: nothing, of some of it."""
        end = physical + size
        touched = [item for item in self.ranges if item.base < end and physical < item.end]
        covered = sum(min(end, item.end) - max(physical, item.base) for item in touched)
        return {item.kind for item in touched} | ({None} if covered < size else set())

    def symbols(self) -> dict[str, int]:
        """Name and value of each symbol that was handed over."""
        names = self.read(self.info.strings, self.info.strings_size)
        assert names.endswith(b"\0")
        table = self.read(self.info.symbols, self.info.symbols_size)
        return {names[name:names.index(b"\0", name)].decode(): value
                for name, kind, _, _, value, _ in SYMBOL.iter_unpack(table)
                if name and kind & 0xF not in (STT_SECTION, STT_FILE)}


def joined(regions: Iterable[Region]) -> list[Region]:
    """The regions in order, those made one that continue each other."""
    found: list[Region] = []
    for region in sorted(regions):
        last = found[-1] if found else None
        if (last and last.end == region.begin and last.rights == region.rights
                and last.physical + (last.end - last.begin) == region.physical):
            found[-1] = last._replace(end=region.end)
        else:
            found.append(region)
    return found


def assert_entry_state(seen: Seen, kernel: Kernel) -> None:
    """The CPU is as the kernel was entered, but for the HLT that it has executed."""
    registers, info = seen.registers, seen.info
    assert registers.halted
    assert registers.cr0 == CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG
    assert registers.cr4 == CR4_PAE
    assert registers.efer == EFER_LME | EFER_LMA | (EFER_NXE if seen.no_execute else 0)
    assert not registers.interrupts and not registers.rflags & (RFLAGS_DF | RFLAGS_TF)
    assert registers.rflags == RFLAGS_ALWAYS

    assert registers.rip == kernel.entry + kernel.slide + 1 & (1 << 64) - 1
    assert registers["RSP"] == info.stack_bottom + info.stack_size - 8
    assert (registers["RSP"] + 8) % 16 == 0
    assert seen.read(registers["RSP"], 8) == bytes(8)
    zero = ["RAX", "RBX", "RCX", "RDX", "RSI", "RBP", *(f"R{i}" for i in range(8, 16))]
    assert {name: registers[name] for name in zero} == dict.fromkeys(zero, 0)
    assert_segment_registers(seen)


def assert_segment_registers(seen: Seen) -> None:
    """Flat segments from a GDT that the kernel can see; no IDT."""
    registers = seen.registers
    assert registers.cs.selector == 0x08 and registers.cs.bits == 64
    for segment in (registers.ss, registers.ds, registers.es):
        assert segment.selector == 0x10 and segment.present
    for segment in (registers.fs, registers.gs):
        assert segment.selector == 0
    for segment in (registers.cs, registers.ss, registers.ds, registers.es, registers.fs,
                    registers.gs):
        assert segment.base == 0 and segment.privilege == 0
    assert registers.idt.limit == 0
    assert registers.gdt.limit == 3 * 8 - 1
    assert struct.unpack("<3Q", seen.read(registers.gdt.base, 24)) == (0, CODE64, DATA)


def assert_boot_info(seen: Seen, kernel: Kernel, loader: Loader, drive: int = 0x80) -> None:
    """Each member of struct boot_info says what is so."""
    info = seen.info
    assert info.magic == b"FSTLIGHT" and info.version == 1
    assert info.size == BOOT_INFO.size == 264
    assert info.firmware == loader.firmware
    assert seen.read_text(info.loader_name) == loader.name
    assert seen.read_text(info.command_line) == ""
    assert info.module_count == 0
    if loader.firmware == BIOS:
        assert info.flags == HAS_RSDP | HAS_SMBIOS | HAS_BOOT_DRIVE | HAS_TSC
        assert info.boot_drive == drive
        assert info.screen == VGA_TEXT
    else:
        assert info.flags == HAS_RSDP | HAS_SMBIOS | HAS_EFI | HAS_TSC
        assert_pixels(seen)
        assert_efi(seen)
    assert info.direct_map_base == DIRECT_MAP
    assert seen.read(DIRECT_MAP + info.rsdp, 8) == b"RSD PTR "
    assert seen.read(DIRECT_MAP + info.smbios, 4) in (b"_SM_", b"_SM3")
    assert 0 < info.tsc_start < info.tsc_handover

    assert info.kernel_virtual == kernel.base + kernel.slide
    assert info.kernel_slide == kernel.slide
    assert info.kernel_size == kernel.size
    assert info.stack_bottom == GUARD_PAGE + PAGE
    assert info.stack_size == kernel.stack_size
    for address in (seen.info_at, info.memory_map, info.loader_name, info.command_line,
                    info.stack_bottom, seen.registers.gdt.base):
        assert address >= HIGHER_HALF


def assert_pixels(seen: Seen) -> None:
    """The screen is described as QEMU shows it, and its memory is its own; or there is none."""
    assert isinstance(seen.machine, Machine)
    if seen.info.screen == NO_SCREEN:
        assert seen.total({Kind.FRAMEBUFFER}) == 0
        return
    picture = seen.machine.pixels()
    base, width, height, pitch, bits, kind, *colors = SCREEN.unpack(seen.info.screen)
    assert (width, height) == (picture.width, picture.height)
    assert (bits, kind, pitch) == (32, 1, 4 * width)
    assert tuple(colors[:6]) == COLORS
    assert seen.kinds_of(base, pitch * height) == {Kind.FRAMEBUFFER}
    assert seen.physical(DIRECT_MAP + base) == base


def assert_efi(seen: Seen) -> None:
    """The system table, and the firmware's map as it was at the end, agree with ours."""
    info = seen.info
    assert seen.read(DIRECT_MAP + info.efi_system_table, 8) == b"IBI SYST"
    assert info.efi_descriptor_version == 1
    size, step = info.efi_memory_map_size, info.efi_descriptor_size
    assert step >= EFI_DESCRIPTOR.size and size % step == 0
    data = seen.read(info.efi_memory_map, size)
    free = 0
    for at in range(0, size, step):
        kind, physical, _, pages, _ = EFI_DESCRIPTOR.unpack_from(data, at)
        begin, end = max(physical, PAGE), physical + pages * PAGE   # page 0 is nobody's
        if kind in EFI_MEMORY_TYPES_OF_OURS and begin < end:
            free += end - begin
            assert seen.kinds_of(begin, end - begin) <= IN_RAM
    assert seen.total(IN_RAM) == free


def assert_memory_map(seen: Seen, ram: list[range], loader: Loader) -> None:
    """Sorted, disjoint, in whole pages; what is usable is RAM, and nearly all of that is."""
    ranges = seen.ranges
    for item in ranges:
        assert item.length > 0 and item.attributes == 0
        assert item.base % PAGE == item.length % PAGE == 0
    for item, following in zip(ranges, ranges[1:]):
        assert item.end <= following.base
        assert item.end < following.base or item.kind != following.kind
    assert ranges[0].base == 0 and ranges[0].kind == Kind.RESERVED

    for item in ranges:
        if item.kind in IN_RAM:
            assert any(piece.start <= item.base and item.end <= piece.stop for piece in ram)
    # UEFI firmware keeps some for itself, of which it does not even tell.
    for piece in ram if loader.firmware == BIOS else []:
        assert None not in seen.kinds_of(piece.start, len(piece))
    assert seen.total(IN_RAM) >= (0.95 if loader.firmware == BIOS else 0.9) * sum(map(len, ram))
    assert seen.total({Kind.LOADER_RECLAIMABLE}) <= 256 * KIB + seen.info.stack_size

    low = sum(min(item.end, MIB) - item.base for item in ranges
              if item.kind == Kind.USABLE and item.base < MIB)
    assert low >= 512 * KIB             # for what can live nowhere else
    if loader.firmware == BIOS:
        assert seen.kinds_of(0xA0000, 0x60000) == {Kind.RESERVED, Kind.FRAMEBUFFER}
        assert seen.kinds_of(0xB8000, 0x8000) == {Kind.FRAMEBUFFER}
    else:
        assert seen.kinds_of(0xA0000, 0x60000) <= {None, Kind.RESERVED}


def assert_owners(seen: Seen) -> None:
    """The map says of all that a kernel needs whose it is."""
    info = seen.info
    assert seen.kinds_of(info.kernel_physical, info.kernel_size) == {Kind.KERNEL}
    assert seen.total({Kind.KERNEL}) == info.kernel_size
    loaders = [(seen.info_at, info.size), (info.loader_name, 1), (info.command_line, 1),
               (info.memory_map, info.memory_map_count * RANGE.size),
               (seen.registers.gdt.base, 24),
               *((page, PAGE) for page in range(info.stack_bottom,
                                                info.stack_bottom + info.stack_size, PAGE))]
    for virtual, size in loaders:
        assert seen.kinds_of(seen.physical(virtual), size) == {Kind.LOADER_RECLAIMABLE}
    for table in seen.tables:
        assert seen.kinds_of(table, PAGE) == {Kind.LOADER_RECLAIMABLE}
    if info.symbols:
        symbols = seen.physical(info.symbols)
        assert seen.kinds_of(symbols, info.symbols_size) == {Kind.MODULE}
        strings = seen.physical(info.strings)
        assert seen.kinds_of(strings, info.strings_size) == {Kind.MODULE}
        assert seen.total({Kind.MODULE}) <= page_up(strings + info.strings_size) - symbols
    else:
        assert seen.total({Kind.MODULE}) == 0


def promised(seen: Seen, kernel: Kernel) -> list[Region]:
    """What must be mapped, but for the loader's last instructions."""
    info = seen.info
    always = "-" if seen.no_execute else "x"
    found = []
    for segment in kernel.segments:
        begin = page_down(segment.address) + kernel.slide
        end = page_up(segment.address + segment.memory_size) + kernel.slide
        rights = ("r" + ("w" if segment.flags & WRITE else "-")
                  + ("x" if segment.flags & EXECUTE else always))
        found.append(Region(begin, end, begin - info.kernel_virtual + info.kernel_physical,
                            rights))
    found.append(Region(info.stack_bottom, info.stack_bottom + info.stack_size,
                        seen.physical(info.stack_bottom), "rw" + always))
    memory = [(PAGE, MIB), *((max(item.base, MIB), item.end) for item in seen.ranges
                             if item.kind in IN_DIRECT_MAP and item.end > MIB)]
    found += [Region(DIRECT_MAP + begin, DIRECT_MAP + end, begin, "rw" + always)
              for begin, end in memory]
    return joined(found)


def assert_address_space(seen: Seen, kernel: Kernel) -> None:
    """All that is promised is mapped, with its permissions, and nothing else but the pages
    in which the page tables were changed."""
    flags = (paging.PRESENT | paging.WRITABLE | paging.LARGE | paging.NO_EXECUTE
             | 1 << 5 | 1 << 6)         # the CPU writes down that a page was used
    for entries in seen.tables.values():
        for entry in entries:
            assert entry & ~(flags | paging.ADDRESS) == 0

    wanted = promised(seen, kernel)
    actual = joined(Region(leaf.virtual, leaf.virtual + leaf.size, leaf.physical, leaf.rights)
                    for leaf in seen.leaves)
    assert [region for region in wanted if region not in actual] == []
    (trampoline,) = [region for region in actual if region not in wanted]
    assert trampoline.begin == trampoline.physical
    assert trampoline.end - trampoline.begin <= 2 * PAGE
    assert trampoline.rights == "r-x"
    assert seen.kinds_of(trampoline.begin, trampoline.end - trampoline.begin) == {
        Kind.LOADER_RECLAIMABLE}
    assert seen.info.direct_map_size == max(
        region.end - DIRECT_MAP for region in wanted if region.begin < GUARD_PAGE
        and region.begin >= DIRECT_MAP)
    assert_large_pages(seen)


def assert_large_pages(seen: Seen) -> None:
    """Within a range of memory the direct map has the largest pages that the CPU knows."""
    sizes = {leaf.virtual: leaf.size for leaf in seen.leaves}
    size = GIB if seen.gigabyte_pages else 2 * MIB
    assert max(sizes.values()) <= size
    for item in seen.ranges:
        first = -(-max(item.base, MIB) // size) * size
        for at in range(first, item.end - size + 1, size):
            if item.kind in IN_DIRECT_MAP:
                assert sizes[DIRECT_MAP + at] == size


def assert_in_memory(seen: Seen, kernel: Kernel) -> None:
    """The kernel's memory is as its file says, and zero where that says nothing."""
    actual = seen.machine.memory(seen.info.kernel_physical, kernel.size)
    wanted = kernel.image()
    if actual != wanted:                # so long that pytest must not compare them
        first = next(i for i in range(kernel.size) if actual[i] != wanted[i])
        raise AssertionError(f"byte {first:#x} of the kernel is {actual[first]:#04x}, "
                             f"not {wanted[first]:#04x}")


def assert_contract(seen: Seen, kernel: Kernel, loader: Loader, *, drive: int = 0x80,
                    ram: Optional[list[range]] = None) -> None:
    """All but the state of the CPU, which a kernel changes with its first instruction."""
    if ram is None:
        assert isinstance(seen.machine, Machine)
        ram = ram_of(seen.machine)
    assert_boot_info(seen, kernel, loader, drive)
    assert_memory_map(seen, ram, loader)
    assert_owners(seen)
    assert_address_space(seen, kernel)
    assert_in_memory(seen, kernel)
