"""common/loader/page_table.c on this computer: its tables, as a CPU would walk them."""
from __future__ import annotations

from pathlib import Path

import pytest
from host import Harness, run

from conftest import ROOT


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """page_table_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("page_table_test.c"),
                   ROOT / "common/loader/page_table.c", tmp_path_factory.mktemp("page_table"))


@pytest.mark.parametrize("case", [
    "entries", "largest pages", "addresses that do not exist", "what is mapped already",
    "without memory", "at random"])
def test_the_walker_finds_the_pages_that_were_mapped(harness, case):
    """Each page: where, how large, with what permissions; and no bit besides."""
    done = run(harness.program, case)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("right, wrong", [
    pytest.param("&& table->no_execute", "", id="nx-on-a-cpu-without-it"),
    pytest.param("memset((void *)((uintptr_t)address + table->offset), 0, PAGE_SIZE);", "",
                 id="a-new-table-is-not-empty"),
    pytest.param(" &&\n           request->physical_address % span == 0", "",
                 id="physical-not-aligned"),
    pytest.param("page_agrees(*entry, request, level) ? PAGE_OK : PAGE_CONFLICT", "PAGE_OK",
                 id="no-conflict-ever"),
    pytest.param("return flags == request->flags &&\n          ", "return",
                 id="other-flags-are-no-conflict"),
    pytest.param(" | ENTRY_ACCESSED | ENTRY_DIRTY)", ")", id="a-used-page-is-a-conflict"),
    pytest.param("return size <= LOWER_HALF_END - address;", "return true;",
                 id="across-the-hole"),
    pytest.param("address <= end && size <= end - address", "address + size <= end",
                 id="a-sum-wraps"),
])
def test_the_harness_sees_a_defect(harness, right, wrong):
    """With one thing wrong in page_table.c, the test above fails."""
    assert run(harness.with_defect(right, wrong)).returncode != 0
