"""A screen as runs of equal colours, for what shows it as text: the website.

In JSON it is an object: `columns` and `rows` of the whole screen, and `lines`, the rows in
use from the top. A line is a list of runs; a run is a list of the VGA attribute in two
hexadecimal digits (background, foreground) and the text. Black to the right of the last run
and below the last line is left out.
"""
from __future__ import annotations

import json
from typing import Optional, Union

from .pixels import PixelScreen
from .screen import Screen

Run = tuple[int, str]                   # attribute, text


def to_json(screen: Union[Screen, PixelScreen]) -> Optional[str]:
    """Return the screen in JSON, one line of text for one of the screen.

    None if it shows other colours than the 16 of VGA.
    """
    lines = []
    for row in range(len(screen.rows)):
        runs = runs_of(screen, row)
        if runs is None:
            return None
        lines.append([[f"{attribute:02x}", text] for attribute, text in runs])
    while lines and not lines[-1]:
        lines.pop()
    shown = ",\n".join(f"    {json.dumps(line, ensure_ascii=False)}" for line in lines)
    return (f'{{\n  "columns": {screen.columns},\n  "rows": {len(screen.rows)},\n'
            f'  "lines": [\n{shown}\n  ]\n}}\n')


def runs_of(screen: Union[Screen, PixelScreen], row: int) -> Optional[list[Run]]:
    """Return the runs of a row, as few as look the same; None as for to_json()."""
    runs: list[Run] = []
    for column in range(screen.columns):
        character, attribute = screen.at(row, column).character, screen.at(row, column).attribute
        if attribute is None:
            return None
        before, text = runs[-1] if runs else (attribute, "")
        # Nobody sees the foreground of a blank.
        if background(before) != background(attribute):
            runs.append((attribute, character))
        elif character == " " or attribute == before or not text.strip():
            runs[-1:] = [(before if character == " " else attribute, text + character)]
        else:
            runs.append((attribute, character))
    if runs and background(runs[-1][0]) == 0:
        attribute, text = runs.pop()
        runs += [(attribute, text.rstrip())] if text.strip() else []
    return runs


def background(attribute: int) -> int:
    return attribute >> 4
