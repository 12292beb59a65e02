"""What a chapter that only says hello shows when all is well; chapters 2 and 3 say more."""
from __future__ import annotations

from typing import NamedTuple

from machine import Machine
from machine.screen import COLUMNS, ROWS

LIGHT_GREY = 0x07                       # on black, as the BIOS clears the screen
YELLOW, LIGHT_GREEN, LIGHT_CYAN = 0x0E, 0x0A, 0x0B


class Hello(NamedTuple):
    """A sentence at the top left, its attribute, and the mode of the CPU at the end."""

    text: str
    attribute: int
    mode: str = ""                      # "": the BIOS handles interrupts, in modes of its own


HELLOS = {
    "boot-sector": Hello("Hello from 16-bit real mode!", LIGHT_GREY),
    "protected-mode": Hello("Hello from 32-bit protected mode!", YELLOW,
                            "32-bit protected mode"),
    "long-mode": Hello("Hello from 64-bit long mode!", LIGHT_GREEN, "64-bit long mode"),
    "vga-hello": Hello("Hello World!", LIGHT_CYAN, "64-bit long mode"),
}


def assert_hello_on_screen(machine: Machine, chapter: str) -> None:
    """The machine halts, and every one of the screen's 2000 cells is as it must be."""
    hello = HELLOS[chapter]
    machine.wait_until_halted()
    screen = machine.screen()
    assert not screen.differs_from(hello.text)
    text = b"".join(bytes([ord(letter), hello.attribute]) for letter in hello.text)
    blanks = bytes([ord(" "), LIGHT_GREY]) * (ROWS * COLUMNS - len(hello.text))
    assert screen.memory == text + blanks


def assert_hello(machine: Machine, chapter: str) -> None:
    """The same, with the text on COM1, too, and the CPU in the chapter's mode."""
    assert_hello_on_screen(machine, chapter)
    assert machine.serial == HELLOS[chapter].text + "\r\n"
    assert machine.registers().mode.endswith(HELLOS[chapter].mode)
