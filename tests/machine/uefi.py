"""What OVMF, QEMU's UEFI firmware, tells on COM1 of what became of our application.

Its console is there as well as on the screen. Of each boot option it says that it loads
and starts it, or why not; and an exception that nobody handles is shown with all registers.
Source: EDK II, the module BdsDxe and the library CpuExceptionHandlerLib.
"""
from __future__ import annotations

import re
from typing import Optional

from . import ending
from .ending import End

BOOT_OPTION = re.compile(
    r'BdsDxe: (loading|starting|failed to load|failed to start) Boot[0-9A-F]{4} '
    r'".*?" from (.*?)(?:: ([A-Z][A-Za-z ]*))?\r?\n')
NOTHING_LEFT = "BdsDxe: No bootable option or device was found."
OF_FIRMWARE = "Fv("                     # a path in the flash: its menu, or its shell
REFUSALS = ("Access Denied", "Security Violation")

EXCEPTION = re.compile(
    r"!!!! X64 Exception Type - ([0-9A-F]+)\((.*?)\).*?"
    r"\bRIP +- ([0-9A-F]+).*?\bCR2 - ([0-9A-F]+).*?"
    r"!!!! (?:Find image based on .*?ImageBase=([0-9A-F]+)|Can't find image)", re.DOTALL)
PAGE_FAULT = 14

# How a terminal is told to do something: "Control Sequence Introducer" of ECMA-48. The
# last alternative is one that has only begun.
SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*([@-~])|\x1b(?:\[[0-?]*[ -/]*)?\Z")
MOVES = "HfJ"                           # to another place, or clears the screen


def started(com1: str) -> bool:
    """Has the firmware started an application from a disk?"""
    return any(verb == "starting" and not path.startswith(OF_FIRMWARE)
               for verb, path, _ in BOOT_OPTION.findall(com1))


def end_of(com1: str) -> Optional[End]:
    """How it ended, as far as the firmware tells it; else None."""
    return _exception(com1) or _boot_options(com1)


def plain(com1: str) -> str:
    """Return the text that a terminal would show, without its colours and moves.

    A move begins a line; empty lines follow each other no more. What this returns of
    some text is the beginning of what it returns when more has come.
    """
    text = SEQUENCE.sub(lambda found: "\n" if (found[1] or " ") in MOVES else "", com1)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _exception(com1: str) -> Optional[End]:
    found = EXCEPTION.search(com1)
    if not found:
        return None
    number, name, *numbers = found.groups()
    rip, cr2, base = (int(digits or "0", 16) for digits in numbers)
    where = (f"byte {rip - base:#x} of the application loaded at {base:#x}" if base
             else "in none of the applications that the firmware loaded")
    address = f", which used the address {cr2:#x}" if int(number, 16) == PAGE_FAULT else ""
    return End(ending.EXCEPTION, (
        f"CPU exception {number} ({name}) at {rip:#x}{address}: the firmware caught it, "
        f"{where}; all registers are on COM1."))


def _boot_options(com1: str) -> Optional[End]:
    running, problem = False, ""
    for verb, path, status in BOOT_OPTION.findall(com1):
        if running:
            return End(ending.RETURNED, (
                f"The application returned to the firmware with the status "
                f"{status if verb == 'failed to start' else 'Success'!r}."))
        if path.startswith(OF_FIRMWARE):
            return _not_started(problem)
        running = verb == "starting"
        problem = status or problem
        if problem in REFUSALS:
            return _not_started(problem)
    return _not_started(problem) if NOTHING_LEFT in com1 else None


def _not_started(problem: str) -> End:
    if problem in REFUSALS:
        return End(ending.NOT_STARTED, (
            f"The UEFI firmware refused to start the application ({problem}): Secure Boot "
            "is on, and no key that it knows has signed EFI/BOOT/BOOTX64.EFI."))
    said = f" ({problem})" if problem else ""
    return End(ending.NOT_STARTED, (
        f"The UEFI firmware found nothing to boot{said}; look at the disk's FAT partition, "
        "at EFI/BOOT/BOOTX64.EFI on it, and at that file's format: PE32+ with .reloc."))
