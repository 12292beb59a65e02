"""The screen in graphics mode: its pixels, and the text that a kernel drew with them.

A kernel draws glyphs of 8 x 16 pixels, each pixel enlarged to a square of `scale` pixels
each way, from the top left. So the text can be read back by comparing cells with the font.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Optional

from .screen import GLYPHS, TextScreen

WIDTH, HEIGHT = 8, 16                   # of a glyph
CURSOR_LINES = 2                        # at the bottom of a cell, an underline
MOST_COLUMNS, MOST_ROWS = 160, 100      # see scale_for()
NO_GLYPH = "\N{REPLACEMENT CHARACTER}"

# The colours of a text attribute, as common/kernel/framebuffer.c draws them.
VGA_COLORS = (0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500,
              0xAAAAAA, 0x555555, 0x5555FF, 0x55FF55, 0x55FFFF, 0xFF5555, 0xFF55FF,
              0xFFFF55, 0xFFFFFF)


class Picture(NamedTuple):
    """Pixels of 3 bytes (red, green, blue), row by row from the top."""

    width: int
    height: int
    data: bytes

    def at(self, x: int, y: int) -> int:
        """The colour of one pixel, 0xRRGGBB."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise IndexError(f"no pixel {x}, {y} in {self.width} x {self.height}")
        start = 3 * (y * self.width + x)
        return int.from_bytes(self.data[start:start + 3], "big")


class PixelCell(NamedTuple):
    """One character and its colours, 0xRRGGBB. A blank has twice the same colour."""

    character: str
    foreground: int
    background: int

    @property
    def attribute(self) -> Optional[int]:
        """As Cell.attribute, or None if these are not two of the 16 colours of VGA."""
        try:
            return (VGA_COLORS.index(self.background) << 4
                    | VGA_COLORS.index(self.foreground))
        except ValueError:
            return None


class Font:
    """Finds the character of a glyph. `glyphs`: 256 of 16 bytes, as code page 437 goes."""

    def __init__(self, glyphs: Sequence[bytes]) -> None:
        # Where several look the same, it is the ASCII one; the square that stands for a
        # missing glyph is a square.
        order = sorted(range(256), key=lambda i: (not 0x20 <= i < 0x7F, i != 0xFE, i))
        self.whole: dict[bytes, str] = {}
        self.above_cursor: dict[bytes, str] = {}
        for code in order:
            glyph = glyphs[code]
            self.whole.setdefault(glyph, GLYPHS[code])
            self.above_cursor.setdefault(glyph[:-CURSOR_LINES], GLYPHS[code])


class PixelScreen(TextScreen):
    """The text in a picture. A cell that is no glyph in two colours is U+FFFD.

    scale: see above; None takes the one that the kernel chooses for this size. A cursor,
    an underline in one colour, hides what is below it and is not seen itself.
    """

    def __init__(self, picture: Picture, font: Font, scale: Optional[int] = None) -> None:
        self.picture = picture
        self.scale = scale or scale_for(picture.width, picture.height)
        self._font = font
        self._known: dict[bytes, PixelCell] = {}
        self._paper = _most_frequent(picture)
        columns = picture.width // (WIDTH * self.scale)
        rows = picture.height // (HEIGHT * self.scale)
        self.cells = [self._read_row(row, columns) for row in range(rows)]
        super().__init__(["".join(cell.character for cell in row) for row in self.cells],
                         columns)

    @property
    def legible(self) -> bool:
        """Can most of what is not blank be read with our font?"""
        text = "".join(self.rows).replace(" ", "")
        return 2 * text.count(NO_GLYPH) <= len(text)

    def at(self, row: int, column: int) -> PixelCell:
        """The cell at that row from the top, that column from the left; both from 0."""
        if not (0 <= row < len(self.cells) and 0 <= column < self.columns):
            raise IndexError(f"no row {row}, column {column} on a screen of "
                             f"{len(self.cells)} x {self.columns}")
        return self.cells[row][column]

    def framed(self) -> str:
        """What is written, in a box: the rows and columns in use, but at least 80 columns."""
        used = self.text.split("\n") if self.text else []
        width = min(self.columns, max(80, *map(len, used), 0))
        return self._boxed([f"{row:{width}}" for row in used], width)

    # -- from pixels to a character ----------------------------------------------------

    def _read_row(self, row: int, columns: int) -> list[PixelCell]:
        stride = 3 * self.picture.width
        first = row * HEIGHT * self.scale
        lines = [self.picture.data[y * stride:(y + 1) * stride]
                 for y in range(first, first + HEIGHT * self.scale)]
        size = 3 * WIDTH * self.scale
        return [self._read_cell(b"".join([line[start:start + size] for line in lines]))
                for start in range(0, columns * size, size)]

    def _read_cell(self, pixels: bytes) -> PixelCell:
        if pixels not in self._known:
            self._known[pixels] = self._recognize(pixels)
        return self._known[pixels]

    def _recognize(self, pixels: bytes) -> PixelCell:
        cell = _shrink(pixels, self.scale)
        if cell is None:
            return PixelCell(NO_GLYPH, self._paper, self._paper)
        found = self._match(cell, self._font.whole)
        underline = cell[-CURSOR_LINES * WIDTH:]
        if found is None and len(set(underline)) == 1:
            found = self._match(cell[:-CURSOR_LINES * WIDTH], self._font.above_cursor)
        return found or PixelCell(NO_GLYPH, cell[0], cell[0])

    def _match(self, cell: list[int], glyphs: dict[bytes, str]) -> Optional[PixelCell]:
        """The character of these pixels, if they have two colours and the shape of one."""
        colors = sorted(set(cell), key=lambda color: color != self._paper)
        if len(colors) == 1:
            return PixelCell(" ", colors[0], colors[0])
        if len(colors) > 2:
            return None
        # Some glyphs are the inverse of others: ink is what the screen is not full of, or
        # else what the top left corner is not.
        if self._paper not in colors:
            colors.sort(key=lambda color: color != cell[0])
        for background, foreground in (colors, colors[::-1]):
            glyph = _bits(cell, foreground)
            if glyph in glyphs:
                return PixelCell(glyphs[glyph], foreground, background)
        return None


def scale_for(width: int, height: int) -> int:
    """Return how many pixels wide the kernel draws one pixel of its font."""
    scale = 1
    while (width // (WIDTH * scale) > MOST_COLUMNS
           or height // (HEIGHT * scale) > MOST_ROWS):
        scale += 1
    return scale


def _most_frequent(picture: Picture) -> int:
    """The colour of most pixels; one in 97 is looked at, all columns in turn."""
    data = picture.data
    step = 3 * 97
    pixels = Counter(zip(data[0::step], data[1::step], data[2::step]))
    red, green, blue = pixels.most_common(1)[0][0]
    return red << 16 | green << 8 | blue


def _shrink(pixels: bytes, scale: int) -> Optional[list[int]]:
    """The colours of the 8 x 16 squares of a cell, or None if one has several."""
    width = WIDTH * scale
    colors = [int.from_bytes(pixels[i:i + 3], "big") for i in range(0, len(pixels), 3)]
    cell = [colors[y * scale * width + x * scale]
            for y in range(HEIGHT) for x in range(WIDTH)]
    enlarged = [cell[y // scale * WIDTH + x // scale]
                for y in range(HEIGHT * scale) for x in range(width)]
    return cell if enlarged == colors else None


def _bits(cell: list[int], foreground: int) -> bytes:
    """One byte a line, the leftmost pixel in the highest bit: as fonts have it."""
    lines = [cell[i:i + WIDTH] for i in range(0, len(cell), WIDTH)]
    return bytes(sum((color == foreground) << (WIDTH - 1 - x)
                     for x, color in enumerate(line)) for line in lines)
