"""QEMU's screendumps as PNG files: QEMU 6.2 writes only PPM, which few programs show."""
from __future__ import annotations

import struct
import zlib
from pathlib import Path


def write_png(path: Path, width: int, height: int, pixels: bytes) -> None:
    """Write `pixels`, rows of 3 bytes (red, green, blue) from the top, as a PNG file.

    Source: PNG Specification, "Chunk layout" and "Image header".
    """
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    stride = width * 3
    no_filter = b"\0"
    rows = b"".join(no_filter + pixels[start:start + stride]
                    for start in range(0, height * stride, stride))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                     + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def read_ppm(data: bytes) -> tuple[int, int, bytes]:
    """Return width, height and pixels of a binary PPM picture as QEMU writes it."""
    kind, width, height, maximum, pixels = data.split(maxsplit=4) if (
        data[:2] == b"P6") else (b"",) * 5
    expected = 3 * int(width or 0) * int(height or 0)
    if maximum != b"255" or not expected:
        raise ValueError(f"not a PPM picture of 8 bits a colour: {data[:20]!r}")
    return int(width), int(height), data[-expected:]
