"""What the build knows and nobody should say twice: where firmware lies, and the font.

Both are lists of places in common/make/doctor.py. An export has that folder, too.
"""
from __future__ import annotations

import os
import sys
from pathlib import Path

from .errors import MissingProgram

sys.path.append(str(Path(__file__).resolve().parents[2] / "common/make"))


def find_ovmf(secure_boot: bool = False) -> tuple[str, str]:
    """Return the paths of OVMF's code and of the template of its variables.

    secure_boot: those that start only what is signed. Raises MissingProgram.
    """
    import doctor

    places = doctor.OVMF_SECURE_BOOT if secure_boot else doctor.OVMF
    for files in places:
        if all(map(os.path.exists, files)):
            return files
    kind = " with keys for Secure Boot" if secure_boot else ""
    looked_for = ", ".join(code for code, _ in places)
    raise MissingProgram(f"{doctor.missing_sentence('ovmf', '')}. "
                         f"We looked for one{kind}: {looked_for}.")


def read_glyphs() -> list[bytes]:
    """Return the kernel's font: 256 glyphs of code page 437, 16 bytes each.

    $FONT is another font's file, as for the build. Raises MissingProgram.
    """
    import font

    try:
        return font.load(os.environ.get("FONT"))[1]
    except font.FontError as error:
        raise MissingProgram(str(error)) from error
