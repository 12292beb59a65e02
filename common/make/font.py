#!/usr/bin/env python3
"""Write a font of the Linux console as C, for a kernel that draws its letters itself.

    font.py --output build/font.c [--font FILE]

The font is a PSF file, compressed with gzip or not, of 8 x 16 pixels and with a table that
tells which characters its glyphs show. Without --font, the first one is taken that is where
distributions put theirs: doctor.FONT is the list. The output has the 256 glyphs of code
page 437, as common/kernel/font.h declares them.

Exits with 1 and a sentence on standard error where a font does not do.

Only the standard library is used. Source: kbd documentation, "PSF fonts".
"""
from __future__ import annotations

import argparse
import gzip
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import doctor

WIDTH, HEIGHT = 8, 16  # pixels of a glyph, as in common/kernel/font.h

# Code page 437. Where ASCII has control characters, a screen shows pictures; Python's codec
# has all the others. The first glyph shows nothing, and no character asks for it.
CODE_PAGE = ("\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
             + bytes(range(0x20, 0x100)).decode("cp437").replace("\x7f", "⌂"))
ASCII = CODE_PAGE[0x20:0x7F]
NOTHING = bytes(HEIGHT)
# What stands for a character that the font has not, as common/kernel/console.h says.
SQUARE = bytes(5) + bytes([0b01111110] * 6) + bytes(5)

GZIP_MAGIC = b"\x1f\x8b"

PSF1_HEADER = struct.Struct("<2sBB")  # magic, mode, bytes of a glyph; all are 8 pixels wide
PSF1_MAGIC = b"\x36\x04"
PSF1_MODE512 = 1 << 0                 # 512 glyphs, not 256
PSF1_MODEHASTAB = 1 << 1
PSF1_SEPARATOR = 0xFFFF               # ends what is said of a glyph
PSF1_STARTSEQ = 0xFFFE                # goes before several characters that make one glyph

PSF2_HEADER = struct.Struct("<4s7I")  # magic, version, size of the header, flags, glyphs,
PSF2_MAGIC = b"\x72\xb5\x4a\x86"      # bytes of a glyph, its height, its width
PSF2_HAS_UNICODE_TABLE = 1 << 0
PSF2_SEPARATOR = b"\xff"              # as above; between them is UTF-8
PSF2_STARTSEQ = b"\xfe"

# What a licence asks to be kept with the font, by the name of its file.
NOTICES = {"spleen-8x16": "Spleen, copyright (c) 2018-2020 Frederic Cambus, BSD-2-Clause"}
NOTICE = "Its licence is that of the package which it came with."


class FontError(Exception):
    """Why there are no glyphs, as one sentence."""


@dataclass(frozen=True)
class Psf:
    """A font file, taken apart."""

    glyphs: list[bytes]
    characters: list[str]  # that each glyph shows; sequences are left out


def read_psf1(data: bytes) -> Psf:
    _, mode, size = PSF1_HEADER.unpack_from(data)
    must_be_of_our_size(WIDTH, size, size)
    count = 512 if mode & PSF1_MODE512 else 256
    glyphs = cut(data, PSF1_HEADER.size, count)
    characters = [""]
    if mode & PSF1_MODEHASTAB:
        table = data[PSF1_HEADER.size + count * HEIGHT:]
        in_sequence = False
        for (word,) in struct.iter_unpack("<H", table[:len(table) // 2 * 2]):
            if word == PSF1_SEPARATOR:
                characters.append("")
            elif not in_sequence and word != PSF1_STARTSEQ:
                characters[-1] += chr(word)
            in_sequence = word != PSF1_SEPARATOR and (in_sequence or word == PSF1_STARTSEQ)
    return Psf(glyphs, characters)


def read_psf2(data: bytes) -> Psf:
    _, _, start, flags, count, size, height, width = PSF2_HEADER.unpack_from(data)
    must_be_of_our_size(width, height, size)
    glyphs = cut(data, start, count)
    characters = []
    if flags & PSF2_HAS_UNICODE_TABLE:
        entries = data[start + count * HEIGHT:].split(PSF2_SEPARATOR)
        characters = [entry.split(PSF2_STARTSEQ)[0].decode(errors="replace")
                      for entry in entries]
    return Psf(glyphs, characters)


def must_be_of_our_size(width: int, height: int, size: int) -> None:
    if (width, height, size) != (WIDTH, HEIGHT, HEIGHT):
        raise FontError(f"has glyphs of {width} x {height} pixels in {size} bytes, not of "
                        f"{WIDTH} x {HEIGHT} in {HEIGHT}")


def cut(data: bytes, start: int, count: int) -> list[bytes]:
    """As many glyphs, from byte `start` on."""
    if len(data) < start + count * HEIGHT:
        raise FontError(f"ends before its {count} glyphs do")
    return [data[start + i * HEIGHT:start + (i + 1) * HEIGHT] for i in range(count)]


def parse(data: bytes) -> dict[str, bytes]:
    """The glyphs of a PSF file by the character that they show: 16 bytes, a line each."""
    if data.startswith(GZIP_MAGIC):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise FontError("is damaged: gzip cannot read it") from error
    if data.startswith(PSF1_MAGIC) and len(data) >= PSF1_HEADER.size:
        psf = read_psf1(data)
    elif data.startswith(PSF2_MAGIC) and len(data) >= PSF2_HEADER.size:
        psf = read_psf2(data)
    else:
        raise FontError("is no PSF font")
    if not any(psf.characters):
        raise FontError("does not tell which characters its glyphs show")
    shown: dict[str, bytes] = {}
    for glyph, characters in zip(psf.glyphs, psf.characters):
        for character in characters:
            shown.setdefault(character, glyph)
    return shown


def code_page(shown: dict[str, bytes]) -> tuple[list[bytes], str]:
    """The 256 glyphs of code page 437, and the characters for which there is a square."""
    missing = "".join(character for character in CODE_PAGE[1:] if character not in shown)
    if lost := [character for character in ASCII if character in missing]:
        raise FontError(f"lacks a glyph for {' '.join(lost)}")
    if shown[" "] != NOTHING:
        raise FontError("draws something for a space")
    square = shown.get("■", SQUARE)
    return [NOTHING, *(shown.get(character, square) for character in CODE_PAGE[1:])], missing


def find(chosen: str | None = None) -> Path:
    """The font file: the one that was chosen, or the first of those that we look for."""
    places = [chosen] if chosen else [place for (place,) in doctor.FONT]
    for place in places:
        if Path(place).is_file():
            return Path(place)
    if chosen:
        raise FontError(f"There is no font {chosen}.")
    raise FontError(doctor.missing_sentence("font", "") + "\n  Or choose one of 8 x 16 pixels "
                    "with FONT=file. We looked for " + ", ".join(places) + ".")


def load(chosen: str | None = None) -> tuple[Path, list[bytes], str]:
    """What find() finds, its glyphs in code page 437, and the characters that it lacks."""
    path = find(chosen)
    try:
        return path, *code_page(parse(path.read_bytes()))
    except OSError as error:
        raise FontError(f"The font {path} cannot be read: {error.strerror}.") from error
    except FontError as error:
        raise FontError(f"The font {path} {error}.") from error


def as_c(path: Path, glyphs: list[bytes]) -> str:
    """The glyphs as the text of build/font.c."""
    def glyph(code: int) -> str:
        name = CODE_PAGE[code] if CODE_PAGE[code] not in "\0\xa0" else "nothing"
        lines = ", ".join(f"0x{line:02x}" for line in glyphs[code])
        return f"    /* {code:02x}  {name} */\n    {{{lines}}},\n"

    notice = NOTICES.get(path.name.split(".")[0], NOTICE)
    return (f"/*\n * font.c -- the glyphs of code page 437, made by common/make/font.py of\n"
            f" * {path.name}\n *\n * {notice}\n */\n#include \"font.h\"\n\n"
            "const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {\n"
            + "".join(map(glyph, range(len(glyphs)))) + "};\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--font", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        path, glyphs, missing = load(options.font)
    except FontError as error:
        print(f"font.py: {error}", file=sys.stderr)
        return 1
    options.output.write_text(as_c(path, glyphs), encoding="utf-8")
    squares = f"; black squares for {len(missing)} that it lacks" if missing else ""
    print(f"{options.output}: {len(glyphs) - 1 - len(missing)} glyphs of {path}{squares}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
