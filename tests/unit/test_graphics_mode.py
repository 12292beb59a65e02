"""common/efi/graphics_mode.c on this computer: modes that no virtual machine has."""
from __future__ import annotations

from pathlib import Path

import gnu_efi
import pytest
from host import Harness, run

from conftest import ROOT


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """graphics_mode_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("graphics_mode_test.c"),
                   ROOT / "common/efi/graphics_mode.c", tmp_path_factory.mktemp("graphics_mode"),
                   options=gnu_efi.options())


@pytest.mark.parametrize("case", ["screens", "what is no screen", "at random"])
def test_a_mode_becomes_the_screen_that_it_is(harness, case):
    """Its rows as long as they are in memory, its colours where they are; or no screen."""
    done = run(harness.program, case)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("right, wrong", [
    pytest.param("(uint64_t)mode->PixelsPerScanLine * bytes",
                 "(uint64_t)mode->HorizontalResolution * bytes", id="width-instead-of-stride"),
    pytest.param("(uint64_t)mode->PixelsPerScanLine * bytes",
                 "mode->PixelsPerScanLine * bytes", id="product-wraps"),
    pytest.param("{byte0, byte1, byte2, byte3};", "{byte2, byte1, byte0, byte3};",
                 id="rgb-is-bgr"),
    pytest.param("{byte2, byte1, byte0, byte3};", "{byte0, byte1, byte2, byte3};",
                 id="bgr-is-rgb"),
    pytest.param("return mode->PixelInformation;\n    default:",
                 "default: return mode->PixelInformation;", id="blt-only-has-pixels"),
    pytest.param("    if (mask == 0) {\n        return false;\n    }\n    for (; !(mask & 1)",
                 "    for (; mask != 0 && !(mask & 1)", id="no-colour-is-one"),
    pytest.param("return mask == 0;", "return true;", id="hole-in-a-colour"),
    pytest.param("masks->BlueMask | masks->ReservedMask;", "masks->BlueMask;",
                 id="reserved-bits-take-no-place"),
    pytest.param("!(masks->RedMask & masks->GreenMask) &&\n           ", "", id="red-in-green"),
    pytest.param(" &&\n           !(masks->GreenMask & masks->BlueMask)", "", id="green-in-blue"),
    pytest.param(" &&\n           !(masks->BlueMask & masks->RedMask)", "", id="blue-in-red"),
    pytest.param("base != 0 && ", "", id="screen-at-0"),
    pytest.param("screen->width > 0 &&\n", "\n", id="no-width"),
    pytest.param("screen->height > 0 &&\n", "\n", id="no-height"),
    pytest.param("mode->PixelsPerScanLine >= screen->width && ", "", id="short-rows"),
    pytest.param("pitch <= UINT32_MAX &&\n", "\n", id="pitch-cut-off"),
    pytest.param("pitch * screen->height <= size && ", "", id="behind-its-memory"),
    pytest.param("<= size && size <= UINT64_MAX - base", "<= size", id="behind-all-addresses"),
    pytest.param("bytes * 8)", "bytes * 8 - 1)", id="bits-of-a-pixel"),
])
def test_the_harness_sees_a_defect(harness, right, wrong):
    """With one thing wrong in graphics_mode.c, the test above fails."""
    assert run(harness.with_defect(right, wrong)).returncode != 0
