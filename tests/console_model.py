"""What a screen shows after a text, by the rules of common/kernel/console.h.

The model never scrolls: it keeps all rows that there ever were, and shows the last ones.
"""
from __future__ import annotations

from machine.screen import GLYPHS

LIGHT_GREY = 0x07                       # on black: of blanks, and of text at first
REPLACEMENT = 0xFE
# GLYPHS has three blanks: a space is 0x20, a no-break space 0xff, and 0x00 has no character.
CODES = {GLYPHS[code]: code for code in range(1, 0xFF)} | {" ": 0x20, "\xa0": 0xFF}


class ConsoleModel:
    """A console of `columns` by `rows`; write() to it, then look at memory and cursor."""

    def __init__(self, columns: int = 80, rows: int = 25) -> None:
        self.columns, self.rows = columns, rows
        self.history: list[dict[int, bytes]] = [{}]     # of each row, the cells written
        self.column = 0

    def write(self, text: str, attribute: int = LIGHT_GREY) -> None:
        for character in text:
            if character == "\n":
                self._next_row()
            elif character == "\r":
                self.column = 0
            elif character == "\t":
                self.column = min(self.column - self.column % 8 + 8, self.columns)
            elif character == "\b":
                self.column = max(self.column - 1, 0)
            else:
                if self.column == self.columns:
                    self._next_row()
                code = CODES.get(character, REPLACEMENT)
                self.history[-1][self.column] = bytes((code, attribute))
                self.column += 1

    @property
    def memory(self) -> bytes:
        """The cells, two bytes each, row by row."""
        shown = self.history[-self.rows:]
        shown += [{}] * (self.rows - len(shown))
        blank = bytes((0x20, LIGHT_GREY))
        return b"".join(row.get(column, blank) for row in shown for column in range(self.columns))

    @property
    def cursor(self) -> tuple[int, int]:
        """Its column and its row. Behind a full row, it stays on the last column."""
        return min(self.column, self.columns - 1), min(len(self.history), self.rows) - 1

    def _next_row(self) -> None:
        self.history.append({})
        self.column = 0
