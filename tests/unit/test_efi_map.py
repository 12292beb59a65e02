"""common/efi/efi_map.c on this computer: descriptors by hand, and against a model."""
from __future__ import annotations

from pathlib import Path

import gnu_efi
import pytest
from host import Harness, run

from conftest import ROOT


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """efi_map_test.c, compiled when it is needed; the map itself is the loaders'."""
    return Harness(Path(__file__).with_name("efi_map_test.c"), ROOT / "common/efi/efi_map.c",
                   tmp_path_factory.mktemp("efi_map"), [ROOT / "common/loader/memory_map.c"],
                   gnu_efi.options())


@pytest.mark.parametrize("case", [
    "every type", "descriptor sizes", "broken descriptors", "at random"])
def test_the_map_says_what_the_firmware_said(harness, case):
    """Type by type, whatever the descriptors' size, and nothing of what is behind them."""
    done = run(harness.program, case)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("right, wrong", [
    pytest.param("    case EfiBootServicesData:\n", "", id="boot-services-kept"),
    pytest.param("    case EfiLoaderCode:\n", "", id="loader-kept"),
    pytest.param("    case EfiRuntimeServicesCode:\n", "", id="runtime-code-lost"),
    pytest.param("return MEMORY_BAD;", "return MEMORY_RESERVED;", id="bad-memory-forgotten"),
    pytest.param("return MEMORY_ACPI_NVS;", "return MEMORY_ACPI_RECLAIMABLE;", id="nvs-given-away"),
    pytest.param("default: /* devices, and types that were invented later */\n"
                 "        return MEMORY_RESERVED;",
                 "default:\n        return MEMORY_USABLE;", id="unknown-types-usable"),
    pytest.param("!(range->Attribute & EFI_MEMORY_WB) || ", "", id="uncached-memory-usable"),
    pytest.param(" || range->Attribute & MEMORY_SP", "", id="set-aside-memory-usable"),
    pytest.param("0x40000", "0x80000", id="another-attribute"),
    pytest.param("size -= descriptor_size, at += descriptor_size",
                 "size -= descriptor_size, at += sizeof(EFI_MEMORY_DESCRIPTOR)",
                 id="sizeof-instead-of-descriptor-size"),
    pytest.param("size >= descriptor_size;", "size > 0;", id="tail-read"),
    pytest.param("size >= descriptor_size;", "size > descriptor_size;", id="last-one-lost"),
    pytest.param("if (descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR)) {\n        return;\n    }",
                 "if (descriptor_size == 0) {\n        return;\n    }", id="short-ones-read"),
    pytest.param("if (range->NumberOfPages <= UINT64_MAX / EFI_PAGE) {", "{",
                 id="product-wraps"),
    pytest.param("<= UINT64_MAX / EFI_PAGE", "< 1000", id="large-ranges-endless"),
])
def test_the_harness_sees_a_defect(harness, right, wrong):
    """With one thing wrong in efi_map.c, the test above fails."""
    assert run(harness.with_defect(right, wrong)).returncode != 0
