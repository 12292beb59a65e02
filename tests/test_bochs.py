"""Bochs boots every chapter, too: another BIOS, and a PC that is stricter than QEMU's.

It checks segment limits, also in real mode, and tells when a UART is written to before it
is ready.
"""
from __future__ import annotations

import re

import pytest

from conftest import ROOT

# Of those that start from a BIOS.
CHAPTERS = sorted(path.name.split("-", 1)[1] for path in ROOT.glob("chapters/[0-9]*-*")
                  if not re.search(r"^firmwares +:= uefi$", (path / "chapter.mk").read_text(),
                                   re.MULTILINE))
# What ends each chapter's output.
LAST_LINES = {
    "boot-sector": "Hello from 16-bit real mode!",
    "second-stage": "Sectors of the second stage: 1",
    "memory-map": "A20 is on: the firmware left it on",
    "protected-mode": "Hello from 32-bit protected mode!",
    "long-mode": "Hello from 64-bit long mode!",
    "vga-hello": "Hello World!",
    "elf-kernel": "256 KiB  reserved",  # the BIOS's own ROM ends the memory map
    "console": "Hello World!",
    "disk-image": "Hello World!",
}


@pytest.mark.parametrize("words", CHAPTERS)
def test_bochs_boots_the_chapter_without_a_complaint(boot_bochs, words):
    """The text is on COM1 and on the screen, the CPU halts, and Bochs found nothing wrong:
    no error of the CPU, no panic, no byte sent too early."""
    machine = boot_bochs(words)
    machine.expect(LAST_LINES[words] + "\r\n")
    machine.wait_until_halted()
    assert LAST_LINES[words] in machine.screen()
    assert machine.complaints() == []


def test_broken_uart_not_polled(boot_bochs):
    """Without a look at the line status bytes are lost, and Bochs complains."""
    machine = boot_bochs("boot-sector", variant="uart-not-polled")
    machine.wait_until_halted()
    assert LAST_LINES["boot-sector"] in machine.screen()
    assert any("com1: transmit FIFO overflow" in line for line in machine.complaints())
