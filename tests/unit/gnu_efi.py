"""gnu-efi's headers, for the sources of common/efi as programs of this computer."""
from __future__ import annotations

import platform
from pathlib import Path

import pytest

from conftest import ROOT

HEADERS = Path("/usr/include/efi")  # where common/make/toolchain.mk has them, too

# As the loader is compiled: L"" has characters of 16 bits, and the firmware's functions are
# called by the rules of Windows, which this computer's compilers know, too.
OPTIONS = ("-fshort-wchar", "-DGNU_EFI_USE_MS_ABI", f"-I{ROOT}/common/efi", f"-isystem{HEADERS}",
           f"-isystem{HEADERS}/x86_64")


def options() -> tuple[str, ...]:
    """What a compiler must be told; skips the test where it would be in vain."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("functions of UEFI are called by the rules of x86-64 alone")
    if not (HEADERS / "efi.h").is_file():
        pytest.skip(f"gnu-efi's headers are not in {HEADERS}")
    return OPTIONS
