"""The console on a screen of pixels, with this computer's memory as the screen's.

What is expected is drawn here, in the plainest way, of glyphs that are made up: in each,
all lines and all columns of pixels differ from one another.
"""
from __future__ import annotations

import functools
import itertools
import platform
import random
import struct
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from conftest import ROOT
from console_model import LIGHT_GREY, ConsoleModel
from native import Program, run

sys.path.append(str(ROOT / "common/make"))  # its scripts belong to no package

import font  # noqa: E402

SOURCES = ["console.c", "utf8.c", "cp437.c", "serial.c", "framebuffer.c", "vga_text.c",
           "screen_init.c"]
NONE, RGB, VGA_TEXT = range(3)
FILL = b"\xee"
GLYPH_WIDTH, GLYPH_HEIGHT = 8, 16
CURSOR_LINES = range(14, 16)
BLANK = bytes((0x20, LIGHT_GREY))

# The default palette registers of an EGA. Bits 2, 1, 0: red, green, blue with two thirds of
# their intensity; bits 5, 4, 3: with one third.
PALETTE = [*range(6), 0x14, 7, *range(0x38, 0x40)]

_chance = random.Random("glyphs")
GLYPHS = [_chance.randbytes(GLYPH_HEIGHT) for _ in range(256)]
GLYPHS[0x20] = bytes(GLYPH_HEIGHT)


@dataclass(frozen=True)
class Format:
    """How a pixel is made up: its bits, and of each colour how many, how far left."""

    bits: int
    red: tuple[int, int]
    green: tuple[int, int]
    blue: tuple[int, int]

    @property
    def size(self) -> int:
        return (self.bits + 7) // 8

    @functools.lru_cache  # noqa: B019: there are a dozen of them
    def pixel(self, color: int) -> bytes:
        value = 0
        for bit, (size, shift) in enumerate((self.blue, self.green, self.red)):
            thirds = 2 * (PALETTE[color] >> bit & 1) + (PALETTE[color] >> bit + 3 & 1)
            value |= round(Fraction(thirds, 3) * ((1 << size) - 1)) << shift
        return value.to_bytes(self.size, "little")

    @functools.lru_cache  # noqa: B019
    def line(self, bits: int, colors: int, scale: int) -> bytes:
        """One line of a glyph."""
        return b"".join(self.pixel(colors & 0xF if bits >> 7 - i & 1 else colors >> 4) * scale
                        for i in range(GLYPH_WIDTH))


FORMATS = {
    "RGB, 32 bits": Format(32, (8, 16), (8, 8), (8, 0)),
    "BGR, 32 bits": Format(32, (8, 0), (8, 8), (8, 16)),
    "RGB, 32 bits, at the top": Format(32, (8, 24), (8, 16), (8, 8)),
    "RGB, 24 bits": Format(24, (8, 16), (8, 8), (8, 0)),
    "BGR, 24 bits": Format(24, (8, 0), (8, 8), (8, 16)),
    "5:6:5": Format(16, (5, 11), (6, 5), (5, 0)),
    "5:5:5": Format(15, (5, 10), (5, 5), (5, 0)),
    "10:10:10": Format(32, (10, 20), (10, 10), (10, 0)),
    "10:10:9 with holes": Format(32, (9, 0), (10, 11), (10, 22)),
    "11:11:10, all bits": Format(32, (11, 21), (11, 10), (10, 0)),
    "1:1:1, far apart": Format(16, (1, 15), (1, 7), (1, 0)),
    "2:14:7, in 24 bits": Format(24, (2, 22), (14, 8), (7, 1)),
    "1:30:1": Format(32, (1, 31), (30, 1), (1, 0)),
}
RGB32, RGB24, RGB16 = (FORMATS[name] for name in ("RGB, 32 bits", "RGB, 24 bits", "5:6:5"))


@dataclass(frozen=True)
class Display:
    """A screen as boot_info describes it. `gap`: bytes between the rows of pixels."""

    width: int
    height: int
    format: Format = RGB32
    gap: int = 0
    base: int = 0xFD000000
    pitch: int = 0                      # 0: by the width
    kind: int = RGB
    direct_map_size: int | None = None  # None: to the end of the screen

    @property
    def row_size(self) -> int:
        return self.pitch or self.width * self.format.size + self.gap

    @property
    def memory(self) -> int:
        """From the first byte of the first pixel to the last one of the last."""
        return self.row_size * (self.height - 1) + self.width * self.format.size

    @property
    def scale(self) -> int:
        return next(scale for scale in itertools.count(1)
                    if self.width // (GLYPH_WIDTH * scale) <= 160
                    and self.height // (GLYPH_HEIGHT * scale) <= 100)

    @property
    def columns(self) -> int:
        return self.width // (GLYPH_WIDTH * self.scale)

    @property
    def rows(self) -> int:
        return self.height // (GLYPH_HEIGHT * self.scale)

    def boot_screen(self) -> bytes:
        """A struct boot_screen without its base."""
        f = self.format
        return struct.pack("<IIIHB6B3x", self.width, self.height, self.row_size, f.bits,
                           self.kind, *f.red, *f.green, *f.blue)

    def blank(self) -> bytearray:
        """Memory in which all pixels are black, and nothing else was written."""
        memory = bytearray(FILL * self.memory)
        for y in range(self.height):
            start = y * self.row_size
            size = self.width * self.format.size
            memory[start:start + size] = bytes(size)
        return memory

    def draw(self, memory: bytearray, cells: bytes, cursor: tuple[int, int] | None = None,
             only: Collection[tuple[int, int]] | None = None,
             lines: range = range(GLYPH_HEIGHT)) -> bytearray:
        """Draw cells of two bytes; of `only` these, column and row, and only some lines."""
        scale, width = self.scale, self.format.size * GLYPH_WIDTH * self.scale
        for row, column in itertools.product(range(self.rows), range(self.columns)):
            if only is not None and (column, row) not in only:
                continue
            glyph, colors = cells[2 * (row * self.columns + column):][:2]
            for line in lines:
                bits = GLYPHS[glyph][line]
                if (column, row) == cursor and line in CURSOR_LINES:
                    bits = 0xFF
                for y in range((row * GLYPH_HEIGHT + line) * scale,
                               (row * GLYPH_HEIGHT + line + 1) * scale):
                    start = y * self.row_size + column * width
                    memory[start:start + width] = self.format.line(bits, colors, scale)
        return memory

    def shows(self, cells: bytes, cursor: tuple[int, int] | None = None) -> bytes:
        """All of its memory when it shows these cells."""
        return bytes(self.draw(self.blank(), cells, cursor))


class Script:
    """Commands for framebuffer_test.c, for one or more machines."""

    def __init__(self) -> None:
        self.commands = b""
        self.answers: list[int] = []    # the bytes of each

    def machine(self, display: Display, memory: int | None = None,
                console: bool = True) -> Script:
        """A machine; looked at first is how many columns and rows it has."""
        self.size = display.memory if memory is None else memory
        end = display.base + display.row_size * display.height
        mapped = end if display.direct_map_size is None else display.direct_map_size
        self._add("N", self.size)
        self.commands += struct.pack("<QQ", display.base, mapped) + display.boot_screen()
        self.answers.append(8)
        return self.console() if console else self

    def console(self) -> Script:
        return self._add("K")

    def text(self, text: str) -> Script:
        data = text.encode()
        self._add("T", len(data))
        self.commands += data
        return self

    def color(self, foreground: int, background: int) -> Script:
        return self._add("C", foreground, background)

    def put(self, column: int, row: int, glyph: int, colors: int) -> Script:
        return self._add("P", column, row, glyph, colors)

    def cursor(self, column: int, row: int) -> Script:
        return self._add("M", column, row)

    def scroll(self) -> Script:
        return self._add("S")

    def overwrite(self, memory: bytes) -> Script:
        assert len(memory) == self.size
        self._add("F")
        self.commands += memory
        return self

    def look(self) -> Script:
        self.answers.append(self.size)
        return self._add("?")

    def run(self, program: Path, *arguments: str) -> list[bytes]:
        """The answers, in their order."""
        done = run(program, *arguments, stdin=self.commands)
        assert done.returncode == 0, (done.returncode,
                                      done.stdout[-2000:].decode(errors="replace"))
        ends = list(itertools.accumulate(self.answers, initial=0))
        assert len(done.stdout) == ends[-1]
        return [done.stdout[start:end] for start, end in zip(ends, ends[1:])]

    def _add(self, letter: str, *numbers: int) -> Script:
        self.commands += letter.encode() + struct.pack(
            f"<{len(numbers)}I", *(number & 0xFFFFFFFF for number in numbers))
        return self


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Program:
    """The harness, all between a text and a screen, and our glyphs."""
    folder = tmp_path_factory.mktemp("framebuffer")
    glyphs = tmp_path_factory.mktemp("glyphs") / "font.c"
    glyphs.write_text(font.as_c(glyphs, GLYPHS), encoding="utf-8")
    return Program(folder, "framebuffer_test.c", [*SOURCES, str(glyphs)])


@pytest.fixture
def program(harness) -> Path:
    """The harness with the sources as they are."""
    return harness.path


def size_of(answer: bytes) -> tuple[int, int]:
    """Columns and rows of a new machine."""
    columns, rows = struct.unpack("<II", answer)
    return columns, rows


def random_cells(display: Display, seed: str) -> bytes:
    """Two bytes for each cell of a display."""
    return random.Random(seed).randbytes(2 * display.columns * display.rows)


def put_all(script: Script, display: Display, cells: bytes) -> Script:
    """Put each of the cells."""
    for row, column in itertools.product(range(display.rows), range(display.columns)):
        script.put(column, row, *cells[2 * (row * display.columns + column):][:2])
    return script


# ---- pixels -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_glyph_is_drawn_in_every_colour(program, name):
    """256 cells, each another glyph, all pairs of colours: each byte of the screen, with
    rows that are longer than they are wide, and whose gaps nobody writes."""
    pixels = FORMATS[name]
    display = Display(16 * 8, 16 * 16, pixels, gap=3 * pixels.size)
    cells = bytes(itertools.chain.from_iterable(
        (code, code * 7 + 3 & 0xFF) for code in range(256)))
    drawn = put_all(Script().machine(display), display, cells).look().run(program)
    assert size_of(drawn[0]) == (16, 16)
    assert drawn[1] == display.shows(cells, cursor=(0, 0))


SIZES = {  # in pixels: columns, rows
    (8, 16): (1, 1), (15, 31): (1, 1), (16, 32): (2, 2), (640, 480): (80, 30),
    (1024, 768): (128, 48), (1280, 1024): (160, 64), (1287, 400): (160, 25),
    (1288, 400): (80, 12), (1366, 768): (85, 24), (1920, 1080): (120, 33),
    (640, 1615): (80, 100), (640, 1616): (40, 50), (2575, 100): (160, 3),
    (2576, 100): (107, 2), (3840, 2160): (160, 45), (5120, 2880): (160, 45),
    (100, 100_000): (0, 0), (7, 16): (0, 0), (8, 15): (0, 0), (16, 1616): (1, 50),
    (15, 1616): (0, 0), (0, 16): (0, 0), (8, 0): (0, 0),
}


def test_no_screen_has_more_than_160_columns_or_100_rows(program):
    """Beyond, glyphs grow by whole numbers; and what is smaller than a cell is none."""
    script = Script()
    for width, height in SIZES:
        display = Display(width, height, RGB16)
        script.machine(display, memory=max(display.memory, 0))
    assert [size_of(answer) for answer in script.run(program)] == [*SIZES.values()]


@pytest.mark.parametrize("display", [
    Display(83, 50), Display(1288 + 15, 70, RGB24, gap=1), Display(2576 + 5, 48 + 47, RGB16, gap=6),
], ids=["once", "twice", "three-times"])
def test_enlarged_glyphs_are_as_they_were(program, display):
    """Each pixel of the font is a square then; what is left at the right and at the bottom
    is black."""
    cells = random_cells(display, "enlarged")
    script = put_all(Script().machine(display), display, cells)
    script.cursor(display.columns - 1, display.rows - 1).look()
    assert script.run(program)[1] == display.shows(cells, (display.columns - 1,
                                                          display.rows - 1))


def test_a_new_screen_is_black(program):
    """All of it, in whichever state the firmware left it; the cursor is at its beginning."""
    display = Display(100, 60, RGB24, gap=5)
    script = Script().machine(display).look()
    assert script.run(program)[1] == display.shows(
        BLANK * display.columns * display.rows, cursor=(0, 0))


# ---- texts --------------------------------------------------------------------------------

ALPHABET = "ab \n\n\r\t\t\b\b☺é日\x1b"
DISPLAYS = [
    Display(8, 16), Display(8, 5 * 16, RGB16, gap=2), Display(7 * 8 + 7, 16 + 15, RGB24, gap=1),
    Display(17 * 8 + 3, 6 * 16 + 1, FORMATS["5:5:5"], gap=64), Display(24 * 8, 4 * 16, RGB24),
    Display(40 * 8 + 1, 5 * 16, FORMATS["10:10:10"], gap=4), Display(1300, 70, RGB16, gap=20),
]


def test_random_texts_are_shown_as_the_model_shows_them(program):
    """On seven screens, each looked at twenty times: each pixel, the cursor, and nothing else
    touched."""
    chance, script, expected = random.Random("console"), Script(), []
    for display in DISPLAYS:
        script.machine(display)
        expected.append(struct.pack("<II", display.columns, display.rows))
        model = ConsoleModel(display.columns, display.rows)
        for _ in range(20):
            for _ in range(8):
                text = "".join(chance.choices(ALPHABET, k=chance.randrange(12)))
                attribute = chance.randrange(256)
                script.color(attribute & 0xF, attribute >> 4).text(text)
                model.write(text, attribute)
            script.look()
            expected.append(display.shows(model.memory, model.cursor))
    assert script.run(program) == expected


def test_scrolling_leaves_the_last_row_and_the_cursor(program):
    """The first row is lost, the last is there twice; the cursor stays where it was."""
    display = Display(5 * 8, 4 * 16, RGB24, gap=2)
    cells = random_cells(display, "scrolled")
    script = put_all(Script().machine(display), display, cells).cursor(2, 1).scroll().look()
    row = 2 * display.columns
    assert script.run(program)[1] == display.shows(cells[row:] + cells[-row:], (2, 1))


def test_the_cursor_is_two_lines_in_the_colour_of_the_glyph(program):
    """Of the cell's last ones, in front of what the cell shows, also if that changes; and
    where it was, all is as before."""
    display = Display(4 * 8, 2 * 16)
    cells = random_cells(display, "cursor")
    script = put_all(Script().machine(display), display, cells)
    script.cursor(3, 1).look().put(3, 1, 0x41, 0x5E).look().cursor(0, 1).look()
    changed = cells[:-2] + b"\x41\x5e"
    assert script.run(program)[1:] == [display.shows(cells, (3, 1)),
                                       display.shows(changed, (3, 1)),
                                       display.shows(changed, (0, 1))]


def test_a_second_screen_has_nothing_of_the_first(program):
    """What the first showed, and where its cursor was, is not believed of the second."""
    display = Display(5 * 8, 4 * 16, RGB16, gap=2)
    cells = random_cells(display, "twice")
    script = put_all(Script().machine(display), display, cells)
    script.machine(display, console=False).look()
    put_all(script, display, cells).look()
    _, _, black, drawn = script.run(program)
    assert black == bytes(display.blank())
    assert drawn == display.shows(cells)


# ---- what is not written, and what is not read ----------------------------------------------


def test_cells_that_do_not_exist_are_not_written(program):
    """Behind the row's end, below the last row, and where a product would wrap."""
    display = Display(10 * 8 + 7, 4 * 16 + 9, RGB32, gap=32)
    script = Script().machine(display).look()
    for place in [10, 11, 160, 1 << 15, 1 << 16, 1 << 27, 1 << 28, 1 << 31, (1 << 31) - 5, -1, -2]:
        for other in [0, 3, -1, place]:
            script.put(place, other, 0x58, 0x4F).put(other, max(place, 4) if place > 0 else place,
                                                     0x58, 0x4F)
            script.cursor(place, other).cursor(other, place)
    script.put(0, 4, 0x58, 0x4F).cursor(0, 4).look()
    _, before, after = script.run(program)
    assert before == after


def test_only_what_changes_is_drawn(program):
    """Whatever the screen's memory holds: a cell that changes is drawn in full, by what was
    put there; of all others no byte is written, and so none was copied or read."""
    display = Display(20 * 8 + 3, 5 * 16 + 7, RGB24, gap=5)
    chance, script, expected = random.Random("garbage"), Script().machine(display), []
    # A few kinds of cells, so that many are like those below them.
    kinds = [chance.randbytes(2) for _ in range(3)]
    row = 2 * display.columns
    cells = b"".join(chance.choices(kinds, k=display.columns * display.rows))
    put_all(script, display, cells).cursor(7, 2)

    for _ in range(20):
        new = cells[row:] + cells[-row:]
        garbage = bytearray(chance.randbytes(display.memory))
        script.overwrite(bytes(garbage)).scroll().look()
        expected.append(display.draw(garbage, new, (7, 2), only=different(display, cells, new)))

        cells = new[:-row] + b"".join(chance.choices(kinds, k=display.columns))
        garbage = bytearray(chance.randbytes(display.memory))
        put_all(script.overwrite(bytes(garbage)), display, cells).look()
        expected.append(display.draw(garbage, cells, (7, 2), only=different(display, cells, new)))
    assert script.run(program)[1:] == expected


def different(display: Display, left: bytes, right: bytes) -> set[tuple[int, int]]:
    """The cells, as column and row, in which two screens differ."""
    places = (divmod(i, display.columns) for i in range(display.columns * display.rows)
              if left[2 * i:2 * i + 2] != right[2 * i:2 * i + 2])
    return {(column, row) for row, column in places}


def test_to_move_the_cursor_only_its_lines_are_drawn(program):
    """Those of the old cell and of the new one; none if it stays."""
    display = Display(4 * 8, 2 * 16, RGB16)
    cells = random_cells(display, "lines")
    garbage = random.Random("garbage").randbytes(display.memory)
    script = put_all(Script().machine(display), display, cells).cursor(1, 0)
    script.overwrite(garbage).cursor(2, 1).look().overwrite(garbage).cursor(2, 1).look()
    moved = display.draw(bytearray(garbage), cells, (2, 1), {(1, 0), (2, 1)}, CURSOR_LINES)
    assert script.run(program)[1:] == [moved, garbage]


def test_a_console_on_a_new_screen_draws_its_cursor_alone(program):
    """A black screen is one of blanks: to draw them all again would take twice as long."""
    display = Display(6 * 8, 3 * 16, RGB24, gap=1)
    blanks = BLANK * display.columns * display.rows
    garbage = random.Random("garbage").randbytes(display.memory)
    script = Script().machine(display, console=False).overwrite(garbage).console().look()
    assert script.run(program)[1] == display.draw(bytearray(garbage), blanks, (0, 0), {(0, 0)},
                                                  CURSOR_LINES)


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"),
                    reason="only an x86-64 Linux tells us reads from writes")
@pytest.mark.parametrize("pixels", [RGB16, RGB24, RGB32], ids=["16", "24", "32"])
def test_no_instruction_reads_the_screen(program, pixels):
    """Its pages can be neither read nor written, and each fault says what was tried: there
    are only writes, from the first to the last."""
    display = Display(6 * 8 + 1, 3 * 16 + 1, pixels, gap=pixels.size)
    script = Script().machine(display).text("one\ntwo\n\tthree four").color(1, 14)
    script.text("\rfive\n\b\x07").look()
    model = ConsoleModel(display.columns, display.rows)
    model.write("one\ntwo\n\tthree four")
    model.write("\rfive\n\b\x07", 0xE1)
    assert script.run(program, "watch")[1] == display.shows(model.memory, model.cursor)


# ---- screens that are none ------------------------------------------------------------------

GOOD = Display(5 * 8, 3 * 16, gap=8)
END = GOOD.base + GOOD.row_size * GOOD.height


def good(**changes: object) -> Display:
    return replace(GOOD, **changes)


def colors(bits: int = 32, red=(8, 16), green=(8, 8), blue=(8, 0)) -> Display:
    """The good screen with other pixels, and memory enough for each of them."""
    return good(format=Format(bits, red, green, blue), pitch=GOOD.row_size)


REFUSED = {
    "none": good(kind=NONE),
    "an unknown kind": good(kind=3),
    "too narrow": good(width=7),
    "too low": good(height=15),
    **{f"{bits} bits": colors(bits) for bits in (0, 1, 8, 14, 17, 23, 25, 31, 33, 64, 0x8020)},
    "rows that overlap": good(pitch=5 * 8 * 4 - 4),
    "rows of 24 bits that overlap": good(format=RGB24, pitch=5 * 8 * 3 - 1),
    "a row of more than 32 bits of bytes": good(
        width=2**30 + 8, height=2**25, pitch=2**32 - 4, direct_map_size=2**63),
    "rows between pixels": good(pitch=GOOD.row_size + 2),
    "rows between pixels of 16 bits": good(format=RGB16, pitch=GOOD.row_size + 1),
    "a base between pixels": good(base=GOOD.base + 2),
    "a base between pixels of 16 bits": good(format=RGB16, base=GOOD.base + 1),
    "no red": colors(red=(0, 16)),
    "no green": colors(green=(0, 8)),
    "no blue": colors(blue=(0, 0)),
    "red beyond the pixel": colors(red=(8, 25)),
    "red far beyond the pixel": colors(red=(8, 250)),
    "red of more bits than a pixel": colors(red=(33, 0)),
    "red of 255 bits": colors(red=(255, 1)),
    "red beyond 15 bits": colors(15, (5, 11), (5, 5), (5, 0)),
    "red beyond 24 bits": colors(24, (8, 17), (8, 8), (8, 0)),
    "red over green": colors(red=(8, 15)),
    "green over blue": colors(green=(8, 7)),
    "blue over red": colors(blue=(1, 20)),
    "all the same": colors(red=(8, 0), green=(8, 0), blue=(8, 0)),
    "a byte beyond the direct map": good(direct_map_size=END - 1),
    "all of it beyond the direct map": good(direct_map_size=GOOD.base),
    "far beyond the direct map": good(direct_map_size=1 << 20),
    "across the end of all addresses": good(base=2**64 - 4096, direct_map_size=2**64 - 1),
    "more than 32 bits of bytes": good(
        width=41 * 8, height=2**16, pitch=2**16, direct_map_size=END),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_screen_that_cannot_be_drawn_on_is_none(program, case):
    """No byte is written, and text goes to COM1 alone."""
    script = Script().machine(REFUSED[case], GOOD.memory).text("text\n").look()
    size, memory = script.run(program)
    assert size_of(size) == (0, 0)
    assert memory == FILL * len(memory)


ACCEPTED = {
    "the one that the others differ from": GOOD,
    "rows without gaps": good(gap=0),
    "24 bits anywhere": good(format=RGB24, base=GOOD.base + 1, gap=7),
    "16 bits at an even address": good(format=RGB16, base=GOOD.base + 2, gap=2),
    "up to the end of the direct map": good(direct_map_size=END),
    "at the beginning of the direct map": good(base=0),
    "up to the end of all addresses": good(
        base=2**64 - 4 - GOOD.row_size * GOOD.height, direct_map_size=2**64 - 1),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_screen_at_the_limit_is_one(program, case):
    """As near as may be to what is refused, and drawn on as any other."""
    display = ACCEPTED[case]
    cells = random_cells(display, "limit")
    script = put_all(Script().machine(display), display, cells).look()
    assert script.run(program)[1] == display.shows(cells, (0, 0))


def test_the_vga_has_its_text_screen(program):
    """Where boot_info says so, cells are written, and no pixels."""
    display = Display(10, 2, RGB16, kind=VGA_TEXT)
    size, memory = Script().machine(display).text("Hi").look().run(program)
    assert size_of(size) == (10, 2)
    assert memory == b"H\x07i\x07" + BLANK * 18


# ---- defects ------------------------------------------------------------------------------------


def with_(test: Callable[..., None], *arguments: object) -> Callable[[Path], None]:
    """A test with arguments."""
    return lambda program: test(program, *arguments)


EVERY_GLYPH, RANDOM = test_every_glyph_is_drawn_in_every_colour, (
    test_random_texts_are_shown_as_the_model_shows_them)
TWICE = with_(test_enlarged_glyphs_are_as_they_were, Display(1288 + 15, 70, RGB24, gap=1))


def refused(case: str) -> Callable[[Path], None]:
    return with_(test_a_screen_that_cannot_be_drawn_on_is_none, case)


@pytest.mark.parametrize("seen_by, right, wrong", [
    pytest.param(RANDOM, "pitch = found->pitch;", "pitch = found->width * size_of_pixel(found);",
                 id="width-for-pitch"),
    pytest.param(with_(EVERY_GLYPH, "BGR, 32 bits"), "found->red_size, found->red_shift) |",
                 "found->red_size, 16) |", id="always-rgb"),
    pytest.param(with_(EVERY_GLYPH, "10:10:10"), "(value * most + UINT8_MAX / 2) / UINT8_MAX",
                 "(size > 8 ? value << (size - 8) : value >> (8 - size))", id="shifted-not-scaled"),
    pytest.param(with_(EVERY_GLYPH, "1:1:1, far apart"), "value * most + UINT8_MAX / 2",
                 "value * most", id="not-rounded"),
    pytest.param(with_(EVERY_GLYPH, "RGB, 24 bits"), "for (unsigned i = 0; i < 3; i++)",
                 "for (unsigned i = 0; i < 4; i++)", id="24-bits-written-as-32"),
    pytest.param(with_(EVERY_GLYPH, "RGB, 32 bits"), "1 << (FONT_WIDTH - 1); bit != 0; bit >>= 1",
                 "1; bit != 0; bit <<= 1", id="glyphs-mirrored"),
    pytest.param(with_(EVERY_GLYPH, "RGB, 32 bits"), "[COLOR_BROWN] = 0xaa5500",
                 "[COLOR_BROWN] = 0xaaaa00", id="brown-is-dark-yellow"),
    pytest.param(TWICE, "* scale + i;", "* scale;", id="enlarged-in-width-only"),
    pytest.param(test_scrolling_leaves_the_last_row_and_the_cursor,
                 "show(column, row - 1, cells[row][column])",
                 "show(column, row, cells[row - 1][column])", id="scrolls-down"),
    pytest.param(test_scrolling_leaves_the_last_row_and_the_cursor, "row < screen.rows; row++",
                 "row < screen.rows - 1; row++", id="scrolls-one-row-too-few"),
    pytest.param(test_only_what_changes_is_drawn, "if (cells[row][column] != cell) {", "{",
                 id="draws-everything"),
    pytest.param(test_the_cursor_is_two_lines_in_the_colour_of_the_glyph,
                 "        draw(old_column, old_row, CURSOR_LINE);\n", "", id="cursor-left-behind"),
    pytest.param(test_the_cursor_is_two_lines_in_the_colour_of_the_glyph,
                 "column == cursor_column && row == cursor_row;", "first_line == CURSOR_LINE;",
                 id="cursor-lost-by-drawing"),
    pytest.param(test_cells_that_do_not_exist_are_not_written,
                 "column < screen.columns && row < screen.rows;", "column < screen.columns;",
                 id="rows-without-end"),
    pytest.param(test_a_console_on_a_new_screen_draws_its_cursor_alone,
                 "COLOR_LIGHT_GREY << 8 | ' '", "COLOR_WHITE << 8 | ' '", id="other-blanks"),
    pytest.param(test_a_second_screen_has_nothing_of_the_first,
                 "            cells[row][column] = BLANK;\n", "", id="cells-of-the-last-screen"),
    pytest.param(test_a_second_screen_has_nothing_of_the_first,
                 "cursor_column = columns; /* nowhere yet */\n    cursor_row = rows;\n", "",
                 id="cursor-of-the-last-screen"),
    pytest.param(test_a_new_screen_is_black, "x < width; x++",
                 "x < screen.columns * FONT_WIDTH * scale; x++", id="right-margin-not-cleared"),
    pytest.param(refused("more than 32 bits of bytes"), "(uint64_t)found->height * found->pitch",
                 "(uint64_t)(found->height * found->pitch)", id="size-wraps"),
    pytest.param(refused("across the end of all addresses"),
                 "size <= info->direct_map_size - found->base",
                 "found->base + size <= info->direct_map_size", id="end-wraps"),
    pytest.param(refused("a row of more than 32 bits of bytes"),
                 "found->pitch / size < found->width",
                 "found->pitch < found->width * size", id="row-wraps"),
    pytest.param(refused("red far beyond the pixel"), "shift > bits - size",
                 "(uint8_t)(shift + size) > bits", id="colour-wraps"),
    pytest.param(refused("blue over red"), "((red | green) & blue) == 0", "(green & blue) == 0",
                 id="overlap-not-seen"),
])
def test_a_defect_is_seen(harness, seen_by, right, wrong):
    """With one thing wrong in framebuffer.c, the test that is named here fails."""
    defect = harness.with_defect("framebuffer.c", right, wrong)
    with pytest.raises(AssertionError):
        seen_by(defect)


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"),
                    reason="only an x86-64 Linux tells us reads from writes")
def test_a_read_is_seen(harness):
    """Of a value that is not even used."""
    defect = harness.with_defect("framebuffer.c", "    switch (pixel_size) {",
                                 "    (void)*(volatile uint8_t *)address;\n"
                                 "    switch (pixel_size) {")
    with pytest.raises(AssertionError):
        test_no_instruction_reads_the_screen(defect, RGB32)
