import os
from pathlib import Path

from cpu import Command, monitor, read_physical
from machine import screen
from machine.build import read_glyphs
from machine.errors import MachineError
from machine.pixels import Font, Picture, PixelScreen
from machine.png import read_ppm


class Screen(Command):
    """Show the text screen: 80 x 25 characters from physical address 0xb8000.

    With UEFI, the text that a kernel drew in pixels.
    """

    def run(self):
        if os.environ["FIRMWARE"] == "bios":
            print(screen.Screen(read_physical(screen.ADDRESS, screen.SIZE)).framed())
        else:
            print(drawn())


def drawn():
    """The text that is drawn on the screen, framed, or why there is none."""
    file = Path(os.environ["MACHINE"], "screen.ppm")
    complaint = monitor(f"screendump {file}")
    if complaint:
        return complaint.rstrip()
    try:
        shown = PixelScreen(Picture(*read_ppm(file.read_bytes())), Font(read_glyphs()))
    except MachineError as error:
        return error.sentence
    return shown.framed() if shown.legible else "The screen shows no text of ours yet."


Screen("screen")
