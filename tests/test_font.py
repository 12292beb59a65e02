"""common/make/font.py: fonts of the Linux console as C, and what is said of those that do
not do. The fonts are made up here, but for one that is installed."""
from __future__ import annotations

import gzip
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT
from machine.screen import GLYPHS

sys.path.append(str(ROOT / "common/make"))  # its scripts belong to no package

import doctor  # noqa: E402
import font  # noqa: E402

NOTHING = bytes(16)
# All of code page 437, each character with another glyph; a space has none of its pixels.
FULL = {character: bytes((code, code ^ 0xFF) * 8)
        for code, character in enumerate(font.CODE_PAGE) if code > 0} | {" ": NOTHING}


def psf1(shown: dict[str, bytes], count: int = 256, mode: int = 2,
         sequences: bool = False) -> bytes:
    """A PSF1 file of 256 or 512 glyphs, the first of which show nothing; `sequences`: each
    entry ends with one of them."""
    glyphs = [*shown.values()][:count]
    tail = (0xFFFE, ord("a"), ord("z"), 0xFFFF) if sequences else (0xFFFF,)
    table = b"".join(struct.pack(f"<{len(words)}H", *words)
                     for words in ((*map(ord, characters), *tail) for characters in shown))
    unused = count - len(glyphs)
    return (struct.pack("<2sBB", b"\x36\x04", mode | (count == 512), 16) + bytes(16 * unused)
            + b"".join(glyphs) + struct.pack("<H", 0xFFFF) * unused + table)


def psf2(shown: dict[str, bytes], flags: int = 1, head: int = 32, width: int = 8,
         height: int = 16, sequences: bool = False) -> bytes:
    """A PSF2 file, whose header may be longer than the one that we know."""
    size = height * ((width + 7) // 8)
    tail = b"\xfea\xcc\x88\xff" if sequences else b"\xff"
    table = b"".join(characters.encode() + tail for characters in shown)
    return (struct.pack("<4s7I", b"\x72\xb5\x4a\x86", 0, head, flags, len(shown), size, height,
                        width).ljust(head, b"\0")
            + b"".join(glyph.ljust(size, b"\0") for glyph in shown.values()) + table)


@pytest.fixture
def make_font(tmp_path) -> Callable[[bytes], subprocess.CompletedProcess[str]]:
    """`make_font(file)` runs font.py with a file of these bytes; `.c` is what it wrote."""
    def run_it(data: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "given.psf").write_bytes(data)
        return run(tmp_path / "font.c", "--font", tmp_path / "given.psf")
    return run_it


def run(output: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, ROOT / "common/make/font.py", "--output", output,
                           *arguments], text=True, capture_output=True, timeout=30)
    done.c = output.read_text(encoding="utf-8") if output.exists() else ""
    return done


def glyphs_of(text: str) -> list[bytes]:
    """The glyphs of a font.c, read as a person would."""
    return [bytes(int(line, 16) for line in re.findall("0x([0-9a-f]{2})", row))
            for row in re.findall(r"^    \{(.*)\},$", text, re.MULTILINE)]


FULL_GLYPHS = [NOTHING, *(FULL[character] for character in font.CODE_PAGE[1:])]


@pytest.mark.parametrize("data", [
    psf1({character: FULL[character] for character in [*FULL][::-1]}),
    psf1(FULL, 512), psf1(FULL, 512, sequences=True), psf2(FULL), psf2(FULL, head=48),
    psf2(FULL, sequences=True), gzip.compress(psf1(FULL)), gzip.compress(psf2(FULL)),
], ids=["psf1", "512-glyphs", "psf1-sequences", "psf2", "longer-header", "psf2-sequences",
        "psf1-gz", "psf2-gz"])
def test_each_format_gives_the_same_glyphs(make_font, data):
    """In the order of code page 437, whatever the order of the file."""
    done = make_font(data)
    assert (done.returncode, done.stderr) == (0, "")
    assert glyphs_of(done.c) == FULL_GLYPHS
    assert done.stdout.rstrip().endswith("given.psf") and ": 255 glyphs of " in done.stdout


def test_code_page_437_is_that_of_the_tests():
    """The same characters as the tests read from a text screen; they show the two that are
    nothing as blanks."""
    assert font.CODE_PAGE.replace("\0", " ").replace("\xa0", " ") == GLYPHS


def test_a_glyph_may_show_several_characters(make_font):
    """The table names all of them; of two glyphs for one character, the first one counts."""
    shown = {"AΑА": FULL["A"], **{c: glyph for c, glyph in FULL.items() if c not in "Aµ"},
             "μµ": FULL["µ"], "BµA": FULL["█"]}
    assert glyphs_of(make_font(psf2(shown)).c) == FULL_GLYPHS


def test_what_a_font_lacks_is_a_black_square(make_font):
    """The font's own; and the build's line says how many there are."""
    done = make_font(psf1({character: glyph for character, glyph in FULL.items()
                           if character not in "☺é█"}))
    expected = [FULL["■"] if character in "☺é█" else glyph
                for character, glyph in zip(font.CODE_PAGE, FULL_GLYPHS)]
    assert glyphs_of(done.c) == expected
    assert ": 252 glyphs of " in done.stdout
    assert done.stdout.endswith("; black squares for 3 that it lacks\n")


def test_a_black_square_is_drawn_if_that_lacks_too(make_font):
    """Symmetric, and not to be taken for nothing."""
    done = make_font(psf1({character: glyph for character, glyph in FULL.items()
                           if character not in "☺■"}))
    glyphs = glyphs_of(done.c)
    assert glyphs[0x01] == glyphs[0xFE] == font.SQUARE != NOTHING
    assert font.SQUARE == font.SQUARE[::-1]


WITHOUT_A = {character: glyph for character, glyph in FULL.items() if character not in "A~"}

DAMAGED = {
    "nothing": (b"", "is no PSF font."),
    "text": (b"BDF 2.1\nSTARTFONT", "is no PSF font."),
    "a PSF1 header cut short": (b"\x36\x04\x02", "is no PSF font."),
    "a PSF2 header cut short": (psf2(FULL)[:31], "is no PSF font."),
    "PSF1 glyphs cut short": (psf1(FULL)[:4 + 256 * 16 - 1], "ends before its 256 glyphs do."),
    "PSF2 glyphs cut short": (psf2(FULL)[:32 + 255 * 16 - 1], "ends before its 255 glyphs do."),
    "4 thousand million glyphs": (psf2(FULL)[:16] + b"\xff" * 4 + psf2(FULL)[20:],
                                  "ends before its 4294967295 glyphs do."),
    "a table cut short": (psf2(FULL)[:-500], "lacks a glyph for "),
    "no table in PSF1": (psf1(FULL, mode=0), "does not tell which characters its glyphs show."),
    "no table in PSF2": (psf2(FULL, flags=0), "does not tell which characters its glyphs show."),
    "no A and no tilde": (psf1(WITHOUT_A), "lacks a glyph for A ~."),
    "a space with pixels": (psf1({**FULL, " ": FULL["x"]}), "draws something for a space."),
    "12 x 24 pixels": (psf2(FULL, width=12, height=24),
                       "has glyphs of 12 x 24 pixels in 48 bytes, not of 8 x 16 in 16."),
    "8 x 14 pixels": (psf2({c: g[:14] for c, g in FULL.items()}, height=14),
                      "has glyphs of 8 x 14 pixels in 14 bytes, not of 8 x 16 in 16."),
    "glyphs of no size": (psf2(FULL)[:20] + bytes(4) + b"\x10\0\0\0\x08\0\0\0",
                          "has glyphs of 8 x 16 pixels in 0 bytes, not of 8 x 16 in 16."),
    "gzip cut short": (gzip.compress(psf1(FULL))[:-9], "is damaged: gzip cannot read it."),
    "gzip changed": (gzip.compress(psf1(FULL))[:-8] + bytes(8),
                     "is damaged: gzip cannot read it."),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_font_that_does_not_do_gets_a_sentence(make_font, case, tmp_path):
    """Which font, and what is wrong with it; and no file that a build could take."""
    data, sentence = DAMAGED[case]
    done = make_font(data)
    assert (done.returncode, done.stdout, done.c) == (1, "", "")
    assert done.stderr.startswith(f"font.py: The font {tmp_path / 'given.psf'} ")
    assert sentence in done.stderr and done.stderr.count("\n") == 1


def test_a_chosen_font_that_is_not_there_is_said(tmp_path):
    """No other one is taken instead."""
    done = run(tmp_path / "font.c", "--font", tmp_path / "gone.psf")
    assert (done.returncode, done.c) == (1, "")
    assert done.stderr == f"font.py: There is no font {tmp_path / 'gone.psf'}.\n"


def test_without_a_font_the_places_are_listed(monkeypatch, capsys, tmp_path):
    """What is missing, what for, how to get it, where we looked, and the way around it."""
    monkeypatch.setattr(doctor, "FONT", (("/nowhere/a.psf",), ("/nowhere/b.psf.gz",)))
    assert font.main(["--output", str(tmp_path / "font.c")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("font.py: font is missing: its glyphs are what a kernel draws")
    assert "Install it: " in error and "FONT=file" in error
    assert error.endswith("We looked for /nowhere/a.psf, /nowhere/b.psf.gz.\n")


def test_the_first_font_that_is_there_is_taken(monkeypatch, capsys, tmp_path):
    """In the order of the list."""
    (tmp_path / "second.psf").write_bytes(psf1(FULL))
    (tmp_path / "third.psf").write_bytes(psf2(FULL))
    monkeypatch.setattr(doctor, "FONT", tuple(
        (str(tmp_path / name),) for name in ("first.psf", "second.psf", "third.psf")))
    assert font.main(["--output", str(tmp_path / "font.c")]) == 0
    assert "second.psf" in capsys.readouterr().out


@pytest.fixture
def spleen() -> Path:
    """Debian's Spleen, the font of our pictures."""
    path = Path(doctor.FONT[0][0])
    if not path.is_file():
        pytest.skip(f"{path} is not here: Debian's package fonts-spleen has it")
    return path


def test_spleen_has_all_that_our_chapters_print(spleen, tmp_path):
    """ASCII, the frames and the German letters; and its makers are named."""
    _, glyphs, missing = font.load(str(spleen))
    assert not set("äöüÄÖÜß°½²│─┌┐└┘█▓▒░") & set(missing)
    assert all(any(glyph) for glyph in glyphs[0x21:0x7F])
    assert len(set(glyphs[0x21:0x7F])) == len(glyphs[0x21:0x7F])
    done = run(tmp_path / "font.c", "--font", spleen)
    assert "Spleen, copyright (c)" in done.c and "BSD-2-Clause" in done.c


def test_make_takes_another_font_when_it_is_told(tmp_path):
    """FONT=file makes build/font.c anew, and so does the way back; but not the same again."""
    for name in ("Makefile", "common", "chapters", "tests"):
        os.symlink(ROOT / name, tmp_path / name)
    (tmp_path / "one.psf").write_bytes(psf1(FULL))
    (tmp_path / "two.psf").write_bytes(psf2(FULL))

    def make(name: str) -> str:
        return subprocess.run(["make", "-s", "build/font.c", f"FONT={tmp_path / name}",
                               f"PYTHON={sys.executable}"], cwd=tmp_path, text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    assert make("one.psf") == f"build/font.c: 255 glyphs of {tmp_path / 'one.psf'}\n"
    assert make("one.psf") == ""
    assert make("two.psf") == f"build/font.c: 255 glyphs of {tmp_path / 'two.psf'}\n"
    assert make("one.psf") == f"build/font.c: 255 glyphs of {tmp_path / 'one.psf'}\n"
