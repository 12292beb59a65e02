"""The console on a VGA text screen, with this computer's memory as the screen's."""
from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from console_model import CODES, LIGHT_GREY, REPLACEMENT, ConsoleModel
from machine.screen import GLYPHS
from native import Program, run

SOURCES = ["console.c", "utf8.c", "cp437.c", "vga_text.c", "serial.c"]
NONE, RGB, VGA_TEXT = range(3)
FILL = b"\xee"
CRTC_PORTS = (0x3D4, 0x3D5)
REGISTERS = 25
COMMANDS = 300                          # of the random scripts, each


@dataclass
class Shown:
    """What there is after a script."""

    cells: bytes
    gaps: bytes                         # between the ends of the rows and their pitch
    com1: bytes
    crtc: bytes
    attribute_mode: int
    ports: list[tuple[int, int]]        # written: how many bytes, and the first port
    columns: int

    @property
    def rows(self) -> list[str]:
        """The glyphs of each row without the blanks at its end."""
        text = "".join(GLYPHS[code] for code in self.cells[::2])
        return [text[start:start + self.columns].rstrip()
                for start in range(0, len(text), self.columns)]

    @property
    def colours(self) -> list[str]:
        """The attributes of each row, two digits each."""
        width = 2 * self.columns
        return [self.cells[start + 1:start + width:2].hex()
                for start in range(0, len(self.cells), width)]

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, by the registers 0x0e and 0x0f; rows have no gaps."""
        row, column = divmod(self.crtc[0x0E] << 8 | self.crtc[0x0F], self.columns)
        return column, row


class Script:
    """Commands for console_test.c, for one or more machines."""

    def __init__(self) -> None:
        self.commands = b""
        self.sizes: list[tuple[int, int, int]] = []

    def machine(self, columns: int, rows: int, pitch: int = 0, kind: int = VGA_TEXT) -> Script:
        self.size = columns, rows, pitch or 2 * columns
        return self._add("N", kind, *self.size)

    def text(self, text: str | bytes) -> Script:
        data = text.encode() if isinstance(text, str) else text
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

    def look(self) -> Script:
        self.sizes.append(self.size)
        return self._add("?")

    def run(self, program: Path) -> list[Shown]:
        """What there was at each look."""
        done = run(program, stdin=self.commands)
        assert done.returncode == 0, done.stdout.decode(errors="replace")
        answers, shown = memoryview(done.stdout), []

        def take(size: int) -> bytes:
            nonlocal answers
            taken, answers = answers[:size], answers[size:]
            assert len(taken) == size
            return bytes(taken)

        def part() -> bytes:
            return take(struct.unpack("<I", take(4))[0])

        for columns, rows, pitch in self.sizes:
            memory = take(pitch * (rows - 1) + 2 * columns) if rows else b""
            starts = range(0, len(memory), pitch)
            shown.append(Shown(
                b"".join(memory[start:start + 2 * columns] for start in starts),
                b"".join(memory[start + 2 * columns:start + pitch] for start in starts),
                part(), part(), part()[0],
                [(word >> 16, word & 0xFFFF) for (word,) in struct.iter_unpack("<I", part())],
                columns))
        assert not answers
        return shown

    def _add(self, letter: str, *numbers: int) -> Script:
        self.commands += letter.encode() + struct.pack(
            f"<{len(numbers)}I", *(number & 0xFFFFFFFF for number in numbers))
        return self


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Program:
    """The harness, and all between a text and a screen."""
    return Program(tmp_path_factory.mktemp("console"), "console_test.c", SOURCES)


@pytest.fixture
def program(harness) -> Path:
    """The harness with the sources as they are."""
    return harness.path


def shown(program: Path, text: str | bytes, columns: int = 10, rows: int = 4) -> Shown:
    """What a small screen shows after a text."""
    return Script().machine(columns, rows).text(text).look().run(program)[0]


# ---- screens, by hand: the text, the rows that it makes, the cursor -----------------------

SCREENS = {
    "nothing": ("", ["", "", "", ""], (0, 0)),
    "text": ("Hi!", ["Hi!", "", "", ""], (3, 0)),
    "newline": ("one\ntwo\n", ["one", "two", "", ""], (0, 2)),
    "empty lines": ("one\n\ntwo", ["one", "", "two", ""], (3, 2)),
    "return": ("one two\rsix", ["six two", "", "", ""], (3, 0)),
    "a line too long": ("0123456789ab", ["0123456789", "ab", "", ""], (2, 1)),
    "just a full row": ("0123456789", ["0123456789", "", "", ""], (9, 0)),
    "a full row and a newline": ("0123456789\nab", ["0123456789", "ab", "", ""], (2, 1)),
    "a full row and a return": ("0123456789\rab", ["ab23456789", "", "", ""], (2, 0)),
    "a full row and a step back": ("0123456789\bX", ["012345678X", "", "", ""], (9, 0)),
    "a full row and a tab": ("0123456789\t\tX", ["0123456789", "X", "", ""], (1, 1)),
    "tab": ("a\tb", ["a       b", "", "", ""], (9, 0)),
    "tab at a multiple of 8": ("\tb", ["        b", "", "", ""], (9, 0)),
    "tab over text": ("abcdefghi\r\tX", ["abcdefghX", "", "", ""], (9, 0)),
    "tab to the end of the row": ("\t\tX", ["", "X", "", ""], (1, 1)),
    "tab to the end, a step back": ("\t\t\bX", ["         X", "", "", ""], (9, 0)),
    "tab to the end, newline": ("\t\t\nX", ["", "X", "", ""], (1, 1)),
    "backspace": ("abc\b\bX", ["aXc", "", "", ""], (2, 0)),
    "backspace erases nothing": ("abc\b\b", ["abc", "", "", ""], (1, 0)),
    "backspace stays in its row": ("abc\n\b\bX", ["abc", "X", "", ""], (1, 1)),
    "to the last row": ("1\n2\n3\n4", ["1", "2", "3", "4"], (1, 3)),
    "one row up": ("1\n2\n3\n4\n", ["2", "3", "4", ""], (0, 3)),
    "many rows up": ("\n".join(map(str, range(100))), ["96", "97", "98", "99"], (2, 3)),
    "a long line at the bottom": ("1\n2\n3\n0123456789ab", ["2", "3", "0123456789", "ab"],
                                  (2, 3)),
    "the last cell": ("1\n2\n3\n0123456789", ["1", "2", "3", "0123456789"], (9, 3)),
    "a full row at the bottom": ("1\n2\n3\n0123456789\n", ["2", "3", "0123456789", ""], (0, 3)),
    "beyond ASCII": ("Zürich ½°", ["Zürich ½°", "", "", ""], (9, 0)),
    "not on this screen": ("日本 ¾", ["■■ ■", "", "", ""], (4, 0)),
    "control characters": ("\x00\x07\x1b\x7f\x85", ["■■■■■", "", "", ""], (5, 0)),
}


@pytest.mark.parametrize("case", SCREENS)
def test_a_text_makes_a_screen(program, case):
    """Ten columns, four rows: each as written down here, and the cursor."""
    text, rows, cursor = SCREENS[case]
    screen = shown(program, text)
    assert screen.rows == rows
    assert screen.cursor == cursor
    assert set(screen.colours) == {f"{LIGHT_GREY:02x}" * 10}


def test_text_has_colours_and_blanks_have_none(program):
    """Row by row, and after scrolling; a tab leaves what it goes over as it is."""
    script = Script().machine(10, 3).text("grey ").color(0xE, 1).text("yellow\nx\ty")
    script.color(0, 0xF).text("\n\n ").look()
    screen = script.run(program)[0]
    assert screen.rows == ["x       y", "", ""]
    assert screen.colours == ["1e" + "07" * 7 + "1e" + "07", "07" * 10, "f0" + "07" * 9]


def test_a_colour_that_does_not_exist_changes_no_other(program):
    """Of foreground and background, four bits each go into the cell."""
    script = Script().machine(10, 1)
    for foreground, background in [(0x1F, 0), (0, 0x12), (-1, -1)]:
        script.color(foreground, background).text("x")
    assert script.look().run(program)[0].colours == ["0f20ff" + "07" * 7]


# ---- characters -----------------------------------------------------------------------------


def test_every_glyph_of_code_page_437_can_be_shown(program):
    """Python's codec, and the pictures below 0x20, against our table, all 255."""
    assert len(CODES) == 255
    screen = shown(program, "".join(CODES), columns=255, rows=1)
    assert list(screen.cells[::2]) == list(CODES.values())


def test_no_other_character_gets_a_glyph(program):
    """All of Unicode's first 16 bits but the surrogates, and some above."""
    others = [code for code in (*range(0x20, 0xD800), *range(0xE000, 0x10000),
                                *range(0x10000, 0x110000, 0x101)) if chr(code) not in CODES]
    # All glyphs were seen above: what is shown here is the replacement, or a mistake.
    screen = shown(program, "".join(map(chr, others)), columns=len(others), rows=1)
    assert set(screen.cells[::2]) == {REPLACEMENT}


MALFORMED = [
    b"\x80", b"\xbf\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98",
    b"\xc3\xc3\xbc", b"\xe2\x82\xc3\xbc", b"\xf0\x9f\x98\xe2\x82\xac", b"\xe2\x28\xa1",
]


def test_what_is_not_utf8_becomes_as_many_squares_as_in_python(program):
    """One for each part that could have begun a character, as Unicode recommends; and the
    character behind is there again."""
    script = Script()
    for data in MALFORMED:
        script.machine(10, 1).text(data + b"\r\n" + data + b"!").look()
    for data, screen in zip(MALFORMED, script.run(program)):
        text = data.decode(errors="replace") + "!"
        expected = bytes(CODES.get(character, REPLACEMENT) for character in text)
        assert screen.cells[:2 * len(text):2] == expected, data
        assert screen.rows[0].endswith("!")


def test_random_bytes_become_what_python_decodes(program):
    """Ten thousand bytes, most of them such as begin or continue a character."""
    chance = random.Random("UTF-8")
    # No control characters: they would move the cursor.
    likely = [*range(0x20, 0x7F), *range(0x80, 0x100), *[0x80, 0x9F, 0xA0, 0xBF] * 60]
    data = bytes(chance.choices(likely, k=10_000)) + b"!"
    text = data.decode(errors="replace")
    screen = shown(program, data, columns=len(text), rows=1)
    assert bytes(CODES.get(character, REPLACEMENT) for character in text) == screen.cells[::2]


# ---- scripts made up --------------------------------------------------------------------------


def pieces(chance: random.Random) -> Iterable[tuple[str, int]]:
    """Texts with colours, in which there is much that moves the cursor."""
    alphabet = "ab \n\n\r\t\t\b\b☺é日\x1b"
    for _ in range(COMMANDS):
        yield "".join(chance.choices(alphabet, k=chance.randrange(12))), chance.randrange(256)


def test_random_texts_are_shown_as_the_model_shows_them(program):
    """On screens from 1 x 1 to 80 x 25: each cell, the cursor, and nothing else touched."""
    chance, script, models = random.Random("console"), Script(), []
    for columns, rows, gap in [(1, 1, 0), (1, 5, 2), (7, 1, 0), (8, 2, 0), (9, 3, 22),
                               (10, 4, 0), (17, 6, 2), (80, 25, 0), (80, 25, 96)]:
        script.machine(columns, rows, 2 * columns + gap)
        model = ConsoleModel(columns, rows)
        for text, attribute in pieces(chance):
            script.color(attribute & 0xF, attribute >> 4).text(text)
            model.write(text, attribute)
        script.look()
        models.append((model, gap))
    for (model, gap), screen in zip(models, script.run(program)):
        size = f"{model.columns} x {model.rows}"
        assert screen.cells == model.memory, size
        assert screen.gaps == FILL * gap * (model.rows - 1), size
        column, row = model.cursor
        position = screen.crtc[0x0E] << 8 | screen.crtc[0x0F]
        assert position == row * (model.columns + gap // 2) + column, size


# ---- COM1 -------------------------------------------------------------------------------------

TEXT = b"Z\xc3\xbcrich\n\ttab\b\b \x1b[1m \xff\xfe \r\x00 \xe6\x97\xa5\n"


@pytest.mark.parametrize("kind", [VGA_TEXT, NONE, RGB])
def test_com1_gets_the_bytes_as_they_are(program, kind):
    """A carriage return in front of each newline is all that is added; also where there is
    no screen, and where it is none of ours."""
    script = Script().machine(80, 25, kind=kind).color(2, 4).text(TEXT).look()
    screen = script.run(program)[0]
    assert screen.com1 == TEXT.replace(b"\n", b"\r\n")
    assert (screen.cells == FILL * 4000) == (kind != VGA_TEXT)


@pytest.mark.parametrize("columns, rows", [(0, 25), (80, 0), (0, 0)])
def test_a_screen_without_cells_is_none(program, columns, rows):
    """Nothing is written to it, and the text is on COM1."""
    script = Script().machine(columns, rows, 160).text("x\ny").look()
    screen = script.run(program)[0]
    assert screen.com1 == b"x\r\ny"
    assert not set(screen.cells + screen.gaps) - set(FILL)


# ---- the screen itself --------------------------------------------------------------------------


def test_cells_that_do_not_exist_are_not_written(program):
    """Behind the row's end, below the last row, and where the address would wrap."""
    script = Script().machine(10, 4, 32).look()
    for place in [10, 11, 16, 1 << 15, 1 << 16, 1 << 27, 1 << 31, (1 << 31) - 5, -1, -2, -11]:
        for other in [0, 3, -1, place]:
            script.put(place, other, 0x58, 0x4F).put(other, place, 0x58, 0x4F)
            script.cursor(place, other).cursor(other, place)
    script.put(0, 4, 0x58, 0x4F).cursor(0, 4).look()
    before, after = script.run(program)
    assert (before.cells, before.gaps, before.crtc) == (after.cells, after.gaps, after.crtc)


def test_scrolling_copies_rows_and_no_gaps(program):
    """The first row is lost, the last is there twice, what is between rows stays."""
    script = Script().machine(3, 3, 10)
    for row in range(3):
        for column in range(3):
            script.put(column, row, 0x41 + 3 * row + column, row)
    screen = script.scroll().look().run(program)[0]
    assert screen.rows == ["DEF", "GHI", "GHI"]
    assert screen.colours == ["01" * 3, "02" * 3, "02" * 3]
    assert screen.gaps == FILL * 8


def test_the_cursor_is_made_visible(program):
    """It was off: now it is the last two lines of a cell of 16."""
    crtc = shown(program, "").crtc
    assert (crtc[0x0A], crtc[0x0B]) == (14, 15)


def test_only_cursor_registers_are_written(program):
    """All others of the CRT controller keep what the BIOS wrote: a wrong one can make a
    monitor lose its picture."""
    crtc = bytearray(shown(program, "some text\n" * 5).crtc)
    for register in (0x0A, 0x0B, 0x0E, 0x0F):
        crtc[register] = 0
    power_on = bytearray(REGISTERS)
    power_on[0x09] = 0x4F
    assert crtc == power_on


def test_an_index_and_its_value_are_written_by_one_instruction(program):
    """An interrupt between them could change the index. Only before a read there is none
    of a value: of the cell's height, once, when the screen is taken over."""
    ports = shown(program, "text\n").ports
    crtc = [(size, port) for size, port in ports if port in CRTC_PORTS]
    assert crtc.pop(0) == (1, 0x3D4)
    assert set(crtc) == {(2, 0x3D4)}


def test_the_brightest_background_does_not_blink(program):
    """Bit 3 of the attribute mode is cleared, and no other; though the controller expected
    a value when we came, and not an index."""
    assert shown(program, "").attribute_mode == 0x04


# ---- defects ------------------------------------------------------------------------------------


def screen_of(case: str):
    """The test of one of the screens above."""
    return lambda program: test_a_text_makes_a_screen(program, case)


@pytest.mark.parametrize("seen_by, source, right, wrong", [
    pytest.param(screen_of("just a full row"), "console.c",
                 "    screen->put(column, row, glyph, colors);\n    column++;",
                 "    screen->put(column++, row, glyph, colors);\n"
                 "    if (column == screen->columns) {\n        next_row();\n    }",
                 id="wraps-at-once"),
    pytest.param(screen_of("tab to the end, a step back"), "console.c",
                 "least((column / TAB + 1) * TAB, screen->columns)", "(column / TAB + 1) * TAB",
                 id="tab-leaves-the-row"),
    pytest.param(screen_of("backspace stays in its row"), "console.c", "if (column > 0)",
                 "if (column + 1 > 0)", id="backspace-leaves-the-row"),
    pytest.param(test_text_has_colours_and_blanks_have_none, "console.c",
                 "' ', colors_of(COLOR_LIGHT_GREY, COLOR_BLACK)", "' ', colors",
                 id="blanks-have-colours"),
    pytest.param(screen_of("many rows up"), "vga_text.c",
                 "*cell(column, row - 1) = *cell(column, row)",
                 "*cell(column, row) = *cell(column, row + 1)", id="scroll-reads-too-far"),
    pytest.param(test_cells_that_do_not_exist_are_not_written, "vga_text.c",
                 "        *cell(column, row) = (uint16_t)(colors << 8 | glyph);\n    }",
                 "    }\n    *cell(column, row) = (uint16_t)(colors << 8 | glyph);",
                 id="no-bounds-check"),
    pytest.param(test_random_texts_are_shown_as_the_model_shows_them, "vga_text.c",
                 "row * (pitch / sizeof(uint16_t)) + column", "row * screen.columns + column",
                 id="cursor-by-width"),
    pytest.param(test_an_index_and_its_value_are_written_by_one_instruction, "vga_text.c",
                 "outw(CRTC_INDEX, (uint16_t)(value << 8 | index));",
                 "outb(CRTC_INDEX, index);\n    outb(CRTC_DATA, value);",
                 id="index-and-value-apart"),
    pytest.param(test_the_brightest_background_does_not_blink, "vga_text.c",
                 "    inb(INPUT_STATUS_1);\n", "", id="flip-flop-not-reset"),
    pytest.param(test_what_is_not_utf8_becomes_as_many_squares_as_in_python, "utf8.c",
                 "byte == 0xed ? 0x9f : FOLLOWING_HIGHEST", "FOLLOWING_HIGHEST",
                 id="surrogates-let-in"),
    pytest.param(test_every_glyph_of_code_page_437_can_be_shown, "cp437.c", "0x25b2, 0x25bc",
                 "0x25b2, 0x25bd", id="one-glyph-wrong"),
])
def test_a_defect_is_seen(harness, seen_by, source, right, wrong):
    """With one thing wrong in one source, the test that is named here fails."""
    defect = harness.with_defect(source, right, wrong)
    with pytest.raises(AssertionError):
        seen_by(defect)
