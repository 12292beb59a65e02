"""Plays BIOSes that are stranger than QEMU's.

A machine is stopped when the BIOS enters the boot sector. Then a few bytes of our own are
put in front of one of the BIOS's interrupts: they write down every call, and do to some
calls what other BIOSes have been seen to do.

    machine = boot("second-stage", paused=True)
    hook = run_hooked(machine, 0x13, FAIL_EVERY_READ)
    assert hook.hits
"""
from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from conftest import BUILD, folder_of
from machine import Machine, Registers

BOOT_SECTOR = 0x7C00
# Above all that the chapters load, below the 639 KiB that QEMU's BIOS leaves free.
HOOK_SEGMENT = 0x9000
VECTOR, HITS, LOGGED, LOG = 4, 8, 10, 12
RECORD = struct.Struct("<IIIIHH16s")    # eax, ebx, ecx, edx, es, -, 16 bytes at ds:si
RECORDS = 1600                          # after so many calls no more are written down
LOG_END = LOG + RECORD.size * RECORDS

# A hook's code is NASM source. It finds the registers as the caller left them, and ends
# with a jump to one of these:
#   pass_on   the BIOS does the rest, as if we were not there
#   refuse    return to the caller with CF = 1
#   answer    return to the caller with CF = 0
# `call bios` is what `int` is to the caller: it returns, with the BIOS's flags. Whoever
# does something strange counts it: `inc word [cs:hits]` leaves CF as it is.
FRAME = f"""
    bits 16
    jmp near log_call
    times {VECTOR} - ($ - $$) db 0
vector: dd 0
hits:   dw 0
logged: dw 0
log:    times {LOG_END - LOG} db 0

log_call:
    pushad
    push ds
    push es
    mov bp, sp
    cmp word [cs:logged], {RECORDS}
    jae .full
    imul di, [cs:logged], {RECORD.size}
    inc word [cs:logged]
    add di, log
    mov [cs:di], eax
    mov [cs:di + 4], ebx
    mov [cs:di + 8], ecx
    mov [cs:di + 12], edx
    mov ax, [bp]
    mov [cs:di + 16], ax
    mov cx, 16
    add di, 20
.packet:
    mov al, [si]
    mov [cs:di], al
    inc si
    inc di
    loop .packet
.full:
    pop es
    pop ds
    popad
    jmp hook

pass_on:
    jmp far [cs:vector]
bios:
    pushf
    call far [cs:vector]
    ret
refuse:
    push bp
    mov bp, sp
    or  byte [bp + 6], 1
    pop bp
    iret
answer:
    push bp
    mov bp, sp
    and byte [bp + 6], 0xfe
    pop bp
    iret

hook:
"""


@dataclass(frozen=True)
class Call:
    """A call into the BIOS: the registers as it found them, and 16 bytes at ds:si."""

    eax: int
    ebx: int
    ecx: int
    edx: int
    es: int
    packet: bytes

    @property
    def ax(self) -> int:
        return self.eax & 0xFFFF

    @property
    def ah(self) -> int:
        return self.ax >> 8


@dataclass(frozen=True)
class Read:
    """A read of `count` sectors to `address`: by EDD from the sector `lba`; or by CHS, and
    then `sector` is the one within the track, from 1."""

    count: int
    address: int
    lba: int = 0
    sector: int = 0

    @property
    def crosses_64k(self) -> bool:
        return self.address // 0x10000 != (self.address + self.count * 512 - 1) // 0x10000


class Hook:
    """Our code in front of the BIOS's `interrupt`; the machine is stopped meanwhile."""

    def __init__(self, machine: Machine, interrupt: int, code: str = "jmp pass_on") -> None:
        self.machine = machine
        source, binary = machine.folder / "hook.asm", machine.folder / "hook.bin"
        source.write_text(FRAME + code + "\n")
        subprocess.run(["nasm", "-f", "bin", "-o", binary, source], check=True)
        image = bytearray(binary.read_bytes())
        image[VECTOR:VECTOR + 4] = machine.gdb.read_memory(4 * interrupt, 4)
        # The log between them is empty, and memory is zero.
        machine.gdb.write_memory(HOOK_SEGMENT * 16, image[:LOG])
        machine.gdb.write_memory(HOOK_SEGMENT * 16 + LOG_END, image[LOG_END:])
        machine.gdb.write_memory(4 * interrupt, struct.pack("<HH", 0, HOOK_SEGMENT))

    @property
    def hits(self) -> int:
        """How often the code did something strange."""
        return self._word(HITS)

    @property
    def calls(self) -> list[Call]:
        """The calls so far, the first RECORDS of them."""
        length = self._word(LOGGED) * RECORD.size
        if not length:
            return []
        data = self.machine.memory(HOOK_SEGMENT * 16 + LOG, length)
        return [Call(eax, ebx, ecx, edx, es, packet)
                for eax, ebx, ecx, edx, es, _, packet in RECORD.iter_unpack(data)]

    @property
    def reads(self) -> list[Read]:
        """Those of the calls that read a disk."""
        reads = []
        for call in self.calls:
            if call.ah == 0x42:
                count, offset, segment, lba = struct.unpack_from("<HHHQ", call.packet, 2)
                reads.append(Read(count, segment * 16 + offset, lba=lba))
            elif call.ah == 0x02:
                reads.append(Read(call.ax & 0xFF, call.es * 16 + (call.ebx & 0xFFFF),
                                  sector=call.ecx & 0x3F))
        return reads

    def count(self, ah: int) -> int:
        """How many calls of the function `ah`."""
        return sum(call.ah == ah for call in self.calls)

    def _word(self, offset: int) -> int:
        return int.from_bytes(self.machine.memory(HOOK_SEGMENT * 16 + offset, 2), "little")


def run_to(machine: Machine, address: int) -> None:
    """Let a stopped machine run until it is about to execute the code at `address`."""
    gdb = machine.gdb
    if gdb.read_register("rip") == address:
        gdb.step()
    gdb.set_breakpoint(address)
    gdb.run()
    gdb.remove_breakpoint(address)


def stop_at_boot_sector(machine: Machine) -> None:
    """Let a paused machine's BIOS run until it enters the boot sector."""
    run_to(machine, BOOT_SECTOR)


def run_hooked(machine: Machine, interrupt: int, code: str = "jmp pass_on",
               prepare: Callable[[Machine], object] = lambda machine: None) -> Hook:
    """Let a paused machine run up to the halt, with `code` in front of an interrupt.

    `prepare(machine)` changes more of what the BIOS left, before the boot sector runs.
    """
    stop_at_boot_sector(machine)
    hook = Hook(machine, interrupt, code)
    prepare(machine)
    machine.gdb.detach()
    machine.wait_until_halted()
    return hook


def sleeping_registers(machine: Machine) -> Registers:
    """Return the registers of a halted CPU, and not those of one of the moments, 18 in a
    second, in which the BIOS handles its timer. One that never sleeps is not halted."""
    for _ in range(100):
        registers = machine.registers()
        if registers.halted:
            break
    return registers


def address_of(words: str, part: str, label: str) -> int:
    """Return the address of a label, from the map of `part` ("stage2") of a chapter."""
    text = (BUILD / folder_of(words) / f"{part}.map").read_text()
    found = re.search(rf"^ *[0-9A-F]+ +([0-9A-F]+) +{re.escape(label)}$", text, re.MULTILINE)
    if not found:
        raise LookupError(f"{part}.map of chapter {words} has no label {label}.")
    return int(found[1], 16)
