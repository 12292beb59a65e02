"""The one exception of this package: a sentence, and what was seen when it happened."""
from __future__ import annotations


class MachineError(Exception):
    """A machine that cannot be started, or that did not do what was expected of it.

    `sentence` says what, where and what to do, in one sentence. `report` holds what
    was seen at that moment (screen, COM1, registers), or is empty.
    """

    def __init__(self, sentence: str, report: str = "") -> None:
        super().__init__(f"{sentence}\n\n{report}" if report else sentence)
        self.sentence = sentence
        self.report = report


class MissingProgram(MachineError):
    """An emulator is not installed."""


class EmulatorDied(MachineError):
    """The emulator's process is gone, or goes."""
