"""The CPU's registers, read from the text that QEMU's `info registers` prints.

QEMU names general registers by the CPU's mode (EAX, or RAX once long mode is active) and
shows 32 bits before that. Here they are always called by their 64-bit names.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import MachineError

CR0_PE = 1 << 0                         # protected mode
CR0_WP = 1 << 16                        # write protection holds for the kernel, too
CR0_PG = 1 << 31                        # paging
CR4_PAE = 1 << 5                        # 64-bit page table entries
EFER_LME = 1 << 8                       # long mode wanted
EFER_LMA = 1 << 10                      # long mode active
EFER_NXE = 1 << 11                      # no-execute bit in page tables
RFLAGS_IF = 1 << 9                      # interrupts on
RFLAGS_DF = 1 << 10                     # string instructions count downwards

# The upper half of a segment descriptor (Intel SDM, "Segment Descriptors").
DESCRIPTOR_PRESENT = 1 << 15
DESCRIPTOR_LONG = 1 << 21
DESCRIPTOR_BIG = 1 << 22

# Where a PC's video and firmware ROMs are. A CPU that halts there waits for the BIOS.
ROM = range(0xC0000, 0x100000)


@dataclass(frozen=True)
class Segment:
    """A segment register with the part that the CPU keeps hidden.

    `base` and `limit` in bytes, `flags` the descriptor's upper 32 bits, `bits` the width
    of code in this segment: 16, 32, or 64 (which needs EFER.LMA besides the L flag).
    """

    selector: int
    base: int
    limit: int
    flags: int
    bits: int

    @property
    def present(self) -> bool:
        return bool(self.flags & DESCRIPTOR_PRESENT)

    @property
    def privilege(self) -> int:
        """The descriptor's privilege level, 0 (kernel) to 3."""
        return self.flags >> 13 & 3


@dataclass(frozen=True)
class Table:
    """GDTR or IDTR: the linear address of the table, and its size in bytes minus 1."""

    base: int
    limit: int


class Registers:
    """The state of one CPU at one moment. `r["RAX"]` reads a general register."""

    def __init__(self, text: str) -> None:
        self.text = text
        pairs = re.findall(r"\b([A-Z][A-Z0-9]{1,3}) ?=([0-9a-f]+)\b", text)
        self.values = {name: int(value, 16) for name, value in pairs}
        if "CR0" not in self.values:
            raise MachineError(f"cannot read QEMU's `info registers`: {text[:200]!r}")
        self.cr0 = self.values["CR0"]
        self.cr2 = self.values["CR2"]
        self.cr3 = self.values["CR3"]
        self.cr4 = self.values["CR4"]
        self.efer = self.values.get("EFER", 0)
        self.rip = self["RIP"]
        self.rflags = self.values.get("RFL", self.values.get("EFL", 0))
        self.halted = self.values.get("HLT", 0) == 1
        self.a20 = self.values.get("A20", 1) == 1
        self.cs, self.ds, self.es, self.fs, self.gs, self.ss = (
            self._segment(name) for name in ("CS", "DS", "ES", "FS", "GS", "SS"))
        self.gdt = self._table("GDT")
        self.idt = self._table("IDT")

    def __getitem__(self, name: str) -> int:
        """A general register by its 64-bit or 32-bit name."""
        name = name.upper()
        other = ("E" if name[0] == "R" else "R") + name[1:]
        for known in (name, other):
            if known in self.values:
                return self.values[known]
        if re.fullmatch(r"R(8|9|1[0-5])", name):
            return 0                    # outside long mode they are not shown
        raise KeyError(name)

    @property
    def pc(self) -> int:
        """The linear address of the next instruction."""
        base = 0 if self.cs.bits == 64 else self.cs.base
        return base + self.rip

    @property
    def where(self) -> str:
        """CS:RIP as text, with as many digits as the CPU's mode has."""
        digits = {16: 4, 32: 8, 64: 16}[self.cs.bits]
        return f"{self.cs.selector:04x}:{self.rip:0{digits}x}"

    @property
    def protected_mode(self) -> bool:
        return bool(self.cr0 & CR0_PE)

    @property
    def paging(self) -> bool:
        return bool(self.cr0 & CR0_PG)

    @property
    def long_mode(self) -> bool:
        """EFER.LMA: paging is on with four levels, whatever width the code has."""
        return bool(self.efer & EFER_LMA)

    @property
    def interrupts(self) -> bool:
        return bool(self.rflags & RFLAGS_IF)

    @property
    def in_firmware(self) -> bool:
        """Does the CPU execute the BIOS or a ROM on a card?"""
        return self.pc in ROM or self.pc >= 0xFFFC0000 and self.pc <= 0xFFFFFFFF

    @property
    def mode(self) -> str:
        if self.long_mode:
            kind = "long mode" if self.cs.bits == 64 else "compatibility mode"
            return f"{self.cs.bits}-bit {kind}"
        if self.protected_mode:
            return f"{self.cs.bits}-bit protected mode"
        return "real mode"

    def describe(self) -> str:
        """The state in a few lines of words and numbers."""
        paging = f"on, tables at CR3 {self.cr3:#x}" if self.paging else "off"
        lines = [
            f"{self.mode} at {self.where} (linear {self.pc:#x}), "
            f"{'halted' if self.halted else 'not halted'}, "
            f"interrupts {'on' if self.interrupts else 'off'}",
            f"paging {paging}; A20 {'on' if self.a20 else 'off'}; "
            f"CR0 {self.cr0:#x}  CR2 {self.cr2:#x}  CR4 {self.cr4:#x}  "
            f"EFER {self.efer:#x}",
        ]
        general = "RAX RBX RCX RDX RSI RDI RBP RSP".split()
        digits = 16 if self.long_mode else 8
        named = [f"{name} {self[name]:0{digits}x}" for name in general]
        lines += ["  ".join(named[:4]), "  ".join(named[4:])]
        segments = {"CS": self.cs, "DS": self.ds, "ES": self.es, "SS": self.ss}
        lines.append("  ".join(f"{name} {segment.selector:04x} (base {segment.base:x})"
                               for name, segment in segments.items()))
        lines.append(f"GDT {self.gdt.base:#x}, limit {self.gdt.limit:#x}  "
                     f"IDT {self.idt.base:#x}, limit {self.idt.limit:#x}  "
                     f"RFLAGS {self.rflags:#x}")
        return "\n".join(lines)

    def _segment(self, name: str) -> Segment:
        four = " ".join(["([0-9a-f]+)"] * 4)
        found = re.search(rf"^{name} ={four}", self.text, re.MULTILINE)
        if not found:
            raise MachineError(f"QEMU's `info registers` shows no {name}.")
        selector, base, limit, flags = (int(group, 16) for group in found.groups())
        if self.efer & EFER_LMA and flags & DESCRIPTOR_LONG:
            bits = 64
        else:
            bits = 32 if flags & DESCRIPTOR_BIG else 16
        return Segment(selector, base, limit, flags, bits)

    def _table(self, name: str) -> Table:
        found = re.search(rf"^{name}= *([0-9a-f]+) ([0-9a-f]+)", self.text, re.MULTILINE)
        if not found:
            raise MachineError(f"QEMU's `info registers` shows no {name}.")
        return Table(int(found[1], 16), int(found[2], 16))
