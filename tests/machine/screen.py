"""Screens of text, and the VGA text screen: 80 x 25 cells, a character and its colours."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Union

ADDRESS = 0xB8000
COLUMNS, ROWS = 80, 25
SIZE = COLUMNS * ROWS * 2

# The glyphs of an IBM PC's character generator (code page 437). Python's codec knows the
# upper half; below 0x20 and at 0x7f it has control codes where the screen shows pictures.
_LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
_HIGH = bytes(range(0x20, 0x100)).decode("cp437")
GLYPHS = (_LOW + _HIGH).replace("\x7f", "⌂").replace("\xa0", " ")


class Cell(NamedTuple):
    """One character and its attribute: background in bits 4-7, foreground in 0-3."""

    character: str
    attribute: int


class TextScreen:
    """Rows of text, whatever the screen is made of: all are `columns` wide."""

    def __init__(self, rows: list[str], columns: int) -> None:
        self.rows = rows
        self.columns = columns

    def __contains__(self, text: str) -> bool:
        """`"Hello" in screen`: does any row hold this text?"""
        return any(text in row for row in self.rows)

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The rows without trailing blanks, and without the empty rows at the end."""
        return "\n".join(row.rstrip() for row in self.rows).rstrip("\n")

    def row(self, number: int) -> str:
        """That row, 0 at the top, without trailing blanks."""
        return self.rows[number].rstrip()

    def framed(self) -> str:
        """The whole screen in a box, so that blanks and the right edge can be seen."""
        return self._boxed(self.rows, self.columns)

    def differs_from(self, expected: Union[str, Sequence[str]]) -> str:
        """Return "" if the rows from the top are as expected, else side_by_side()."""
        wanted = _lines(expected)
        actual = [self.row(i) for i in range(len(self.rows))]
        padded = [*wanted, *[""] * (len(self.rows) - len(wanted))]
        return "" if padded == actual else self.side_by_side(expected)

    def side_by_side(self, expected: Union[str, Sequence[str]]) -> str:
        """Expected and actual rows beside each other; `!` marks rows that differ.

        Columns and rows that are blank in both are left out.
        """
        wanted = _lines(expected)
        actual = self.text.split("\n")
        height = max(len(wanted), len(actual))
        wanted += [""] * (height - len(wanted))
        actual += [""] * (height - len(actual))
        width = max(20, *map(len, wanted), *map(len, actual))
        edge = f"  +{'-' * width}+   +{'-' * width}+"
        lines = [f"   {'expected':{width}}     actual", edge]
        for want, got in zip(wanted, actual):
            mark = " " if want == got else "!"
            lines.append(f"{mark} |{want:{width}}|   |{got:{width}}|")
        return "\n".join([*lines, edge])

    @staticmethod
    def _boxed(rows: list[str], width: int) -> str:
        edge = "+" + "-" * width + "+"
        return "\n".join([edge, *(f"|{row}|" for row in rows), edge])


class Screen(TextScreen):
    """A picture of the text screen, taken from its 4000 bytes of video memory."""

    def __init__(self, memory: bytes) -> None:
        if len(memory) != SIZE:
            raise ValueError(f"a text screen has {SIZE} bytes, not {len(memory)}")
        self.memory = memory
        glyphs = "".join(GLYPHS[byte] for byte in memory[0::2])
        super().__init__([glyphs[i:i + COLUMNS] for i in range(0, len(glyphs), COLUMNS)],
                         COLUMNS)

    def at(self, row: int, column: int) -> Cell:
        """The cell at row 0-24, column 0-79."""
        if not (0 <= row < ROWS and 0 <= column < COLUMNS):
            raise IndexError(f"no row {row}, column {column} on a screen of 25 x 80")
        position = row * COLUMNS + column
        return Cell(GLYPHS[self.memory[2 * position]], self.memory[2 * position + 1])

    def attributes(self, row: int) -> bytes:
        """The 80 attributes of a row."""
        start = row * COLUMNS * 2
        return self.memory[start + 1:start + COLUMNS * 2:2]


def _lines(expected: Union[str, Sequence[str]]) -> list[str]:
    rows = expected.split("\n") if isinstance(expected, str) else list(expected)
    lines = [row.rstrip() for row in rows]
    while lines and not lines[-1]:
        lines.pop()
    return lines
