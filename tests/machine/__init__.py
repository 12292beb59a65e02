"""Drives a PC from outside: QEMU or Bochs boots an image, and a test looks at it.

    with Machine("build/01-boot-sector/disk.img") as machine:
        machine.expect("Hello")
        machine.wait_until_halted()
        assert machine.screen().row(0) == "Hello"
"""
from .bochs import BochsMachine
from .ending import End
from .errors import MachineError, MissingProgram
from .machine import Machine
from .paging import NotMapped, Translation
from .pc import BAD_PATTERNS
from .pixels import Font, Picture, PixelScreen
from .registers import Registers
from .screen import Screen

__all__ = ["BAD_PATTERNS", "BochsMachine", "End", "Font", "Machine", "MachineError",
           "MissingProgram", "NotMapped", "Picture", "PixelScreen", "Registers", "Screen",
           "Translation"]
