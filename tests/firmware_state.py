"""What firmware may leave behind: odd registers, a closed A20 gate.

    machine = boot("long-mode", paused=True)
    close_a20(machine)
    machine.gdb.detach()
"""
from __future__ import annotations

from machine import Machine
from strange_bios import BOOT_SECTOR, run_to, stop_at_boot_sector

# in al, 0x92; and al, 0xfd; out 0x92, al; jmp 0x0000:0x7c00
A20_OFF = bytes.fromhex("e492 24fd e692 ea007c0000")
FREE = 0x600                            # memory for these few bytes

# For start_at_boot_sector(): entered as 07c0:0000 with odd segments, an odd stack, the
# direction flag set, interrupts off, and garbage in every register; dl is the drive.
STRANGE_REGISTERS = {
    "cs": 0x07C0, "eip": 0, "ds": 0x0040, "es": 0xB800, "ss": 0x8001,
    "esp": 0xDEAD0FFD, "eflags": 0x402, "eax": 0xDEAD1111, "ebx": 0xDEAD2222,
    "ecx": 0xDEAD3333, "edx": 0xDEADBE80, "esi": 0xDEAD4444, "edi": 0xDEAD5555,
    "ebp": 0xDEAD6666}


def close_a20(machine: Machine) -> None:
    """Stop a paused machine at the boot sector's entry, with the A20 gate closed."""
    stop_at_boot_sector(machine)
    machine.gdb.write_memory(FREE, A20_OFF)
    machine.gdb.write_register("rip", FREE)
    run_to(machine, BOOT_SECTOR)
    assert not machine.registers().a20
