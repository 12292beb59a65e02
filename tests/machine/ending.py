"""How a machine ended, in one sentence that says what, where and what to do."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .registers import Registers
from .screen import TextScreen

TRIPLE_FAULT = "triple fault"
RESET = "reset"
POWERED_OFF = "powered off"
HALTED = "halted"
HANG = "hang"
EXCEPTION = "exception"                 # caught and told of by the UEFI firmware
NOT_STARTED = "not started"             # the UEFI firmware found or accepted nothing
RETURNED = "returned"                   # to the UEFI firmware
DIED = "emulator died"


@dataclass(frozen=True)
class End:
    """`kind` is one of the words above. `sentence` is for people."""

    kind: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence

    @property
    def badly(self) -> bool:
        """Did it end in a way in which no program wants to end?"""
        return self.kind in (TRIPLE_FAULT, RESET, DIED, EXCEPTION, NOT_STARTED)


def of_shutdown(reason: str, log: str, registers: Registers) -> End:
    """Explain QEMU's SHUTDOWN event by its reason, QEMU's log and the last registers."""
    if reason == "guest-shutdown":
        return End(POWERED_OFF, f"The machine was powered off at {registers.where}.")
    if reason != "guest-reset":
        return End(DIED, f"QEMU was told to stop from outside ({reason}).")
    if "Triple fault" in log:
        return End(TRIPLE_FAULT, (
            f"Triple fault at {registers.where} in {registers.mode}: an exception, and "
            "no handler for it in the IDT; look at the instruction there and at what it "
            "needs (segments, stack, page tables)."))
    return End(RESET, (
        f"The machine was reset at {registers.where} in {registers.mode}: code asked for "
        "it (keyboard controller, port 0x92 or 0xcf9, or a jump into the BIOS), so it "
        "would start over and over; look at what runs there."))


def nothing_to_boot(screen: TextScreen) -> bool:
    """Does the BIOS (SeaBIOS, and the one of Bochs) say that it has given up?"""
    return "No bootable device" in screen


def of_silence(seconds: float, registers: Registers,
               screen: Optional[TextScreen] = None) -> End:
    """Explain a machine that still runs, but of which nothing came for `seconds`.

    screen: what a BIOS shows, where it is a BIOS.
    """
    nothing = f"Nothing came for {seconds:g} s"
    if screen and nothing_to_boot(screen):
        return End(HANG, (
            "The BIOS found nothing to boot; look at the disk, and at the signature "
            "0x55 0xaa at the end of its first sector."))
    if registers.in_firmware:
        return End(HANG, (
            f"{nothing}: the CPU is in the BIOS at {registers.where}; look at the last "
            "BIOS call and what was passed to it."))
    if registers.halted:
        return End(HANG, f"{nothing}: {of_halt(registers).sentence}")
    return End(HANG, (
        f"{nothing}: the CPU is spinning at {registers.where} in {registers.mode}; "
        "look for the loop there that does not end."))


def of_halt(registers: Registers) -> End:
    """Explain a CPU that executed HLT."""
    interrupts = "on, so only one wakes it" if registers.interrupts else "off, for good"
    return End(HALTED, f"The CPU is halted at {registers.where} in {registers.mode}, "
                       f"interrupts {interrupts}.")


def of_death(emulator: str, status: Optional[int], signal: Optional[int],
             complaint: str) -> End:
    """Explain an emulator's exit: its status or signal, and what it wrote to stderr."""
    if '"write" lock' in complaint:
        return End(DIED, (
            "QEMU cannot open the disk image, because another QEMU has it open for "
            "writing: close that one (its window, or Ctrl+C in its terminal) first."))
    how = f"was killed by signal {signal}" if signal else f"ended with status {status}"
    said = complaint.rstrip(".").replace("\n", "; ") or "it said nothing"
    return End(DIED, f"{emulator} {how}: {said}.")
