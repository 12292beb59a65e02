"""The screens of docs/screens as text: what the website shows is what the machine showed."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import pytest

from conftest import ROOT, image_of
from machine import Font, Picture, PixelScreen, Screen
from machine.pixels import VGA_COLORS
from machine.runs import runs_of, to_json

SCREENS = sorted(path.stem for path in ROOT.glob("docs/screens/*.png"))
NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|[0-9][0-9a-f]*)\b")
LIGHT_GREY, LIGHT_CYAN, ON_BLUE = 0x07, 0x0B, 0x17


@pytest.mark.parametrize("name", SCREENS)
def test_each_screen_is_that_of_a_run(name: str, tmp_path: Path) -> None:
    """Its rows are of the same kinds, but for their numbers: clocks differ between runs, and
    compilers and firmwares in their sizes."""
    chapter = name.removesuffix("-uefi") if not (ROOT / "chapters" / name).is_dir() else name
    done = screenshot(chapter, firmware_of(name, chapter), tmp_path / f"{name}.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / f"{name}.png").is_file()
    shown, run = (read(folder / f"{name}.json") for folder in (ROOT / "docs/screens", tmp_path))
    assert kinds(shown) == kinds(run), f"docs/screens/{name}.json: `make screenshots` makes it"


def screenshot(chapter: str, firmware: str, picture: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "machine", "screenshot", str(image_of(chapter[3:])),
         "--firmware", firmware, "--output", str(picture)],
        cwd=ROOT / "tests", text=True, capture_output=True, timeout=120)


def firmware_of(name: str, chapter: str) -> str:
    """The first of the chapter's firmwares, unless the screen's name has another one."""
    parts = (ROOT / "chapters" / chapter / "chapter.mk").read_text()
    found = re.search(r"^firmwares *:= *(\w+)", parts, re.MULTILINE)
    return "uefi" if name != chapter else found[1] if found else "bios"


def read(file: Path) -> Optional[dict[str, Any]]:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def kinds(screen: Optional[dict[str, Any]]) -> Optional[tuple[int, int, set[str]]]:
    """The size, and the rows with their colours; numbers and the blanks that align them are
    all the same."""
    if screen is None:
        return None
    rows = {" ".join(f"{attribute}:{' '.join(NUMBER.sub('N', text).split())}"
                     for attribute, text in line) for line in screen["lines"]}
    return screen["columns"], screen["rows"], rows


# -- from cells to runs ----------------------------------------------------------------------


def text_screen(cells: list[tuple[str, int]]) -> Screen:
    """A text screen that begins with these pieces of text, each in its attribute."""
    memory = b"".join(bytes([code, attribute])
                      for text, attribute in cells for code in text.encode("cp437"))
    return Screen(memory + bytes([ord(" "), LIGHT_GREY]) * (2000 - len(memory) // 2))


@pytest.mark.parametrize("cells, runs", [
    ([], []),
    ([("Hello", LIGHT_CYAN)], [(LIGHT_CYAN, "Hello")]),
    ([("Hello", LIGHT_CYAN), (" ", LIGHT_GREY), ("World", LIGHT_CYAN)],
     [(LIGHT_CYAN, "Hello World")]),
    ([("  ", LIGHT_GREY), ("x", LIGHT_CYAN)], [(LIGHT_CYAN, "  x")]),
    ([("a", LIGHT_GREY), ("b", LIGHT_CYAN)], [(LIGHT_GREY, "a"), (LIGHT_CYAN, "b")]),
    ([(" ", ON_BLUE), ("b", LIGHT_GREY)], [(ON_BLUE, " "), (LIGHT_GREY, "b")]),
    ([("a", LIGHT_GREY), ("  ", ON_BLUE)], [(LIGHT_GREY, "a"), (ON_BLUE, "  ")]),
    ([("█é", LIGHT_GREY)], [(LIGHT_GREY, "█é")]),
], ids=["nothing", "one", "blank-between", "blanks-before", "two", "paper-first",
        "paper-last", "no-ascii"])
def test_a_row_is_as_few_runs_as_look_the_same(cells, runs):
    """A blank belongs to what stands on the same background; black at the end is nothing."""
    assert runs_of(text_screen(cells), 0) == runs


def test_lines_end_with_the_last_row_in_use():
    """Rows between that are empty stay."""
    screen = text_screen([("one" + " " * 157 + "three", LIGHT_GREY)])
    assert json.loads(to_json(screen)) == {
        "columns": 80, "rows": 25, "lines": [[["07", "one"]], [], [["07", "three"]]]}
    assert json.loads(to_json(text_screen([])))["lines"] == []


@pytest.mark.parametrize("color, legible", [(VGA_COLORS[0x0B], True), (0x123456, False)])
def test_pixels_in_other_colors_than_those_of_vga_are_no_text(color, legible):
    """The website shows 16 colours; a screen with others remains a picture."""
    glyphs = [bytes(16)] * 256
    glyphs[ord("x")] = b"\xf0" * 16
    pixels = (color.to_bytes(3, "big") * 4 + bytes(3 * 12)) * 16
    screen = PixelScreen(Picture(16, 16, pixels), Font(glyphs))
    assert runs_of(screen, 0) == ([(LIGHT_CYAN, "x")] if legible else None)
    assert (to_json(screen) is not None) == legible
