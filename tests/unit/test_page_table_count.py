"""common/loader/page_table_count.c on this computer: against the tables that are taken."""
from __future__ import annotations

from pathlib import Path

import pytest
from host import Harness, run

from conftest import ROOT

LOADER = ROOT / "common/loader"


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """page_table_count_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("page_table_count_test.c"),
                   LOADER / "page_table_count.c", tmp_path_factory.mktemp("page_table_count"),
                   [LOADER / name for name in ("page_table.c", "address_space.c", "memory_map.c")])


@pytest.mark.parametrize("case", [
    "the ends of tables", "one call", "a kernel and its memory", "an ordinary PC"])
def test_as_many_tables_are_counted_as_can_be_needed(harness, case):
    """And but for CPUs with pages of 1 GiB, at most seven more for each range of memory."""
    done = run(harness.program, case)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("right, wrong", [
    pytest.param("size / PAGE_SIZE_512G + 2 +", "size / PAGE_SIZE_512G + 1 +", id="level-3-end"),
    pytest.param("size / PAGE_SIZE_1G + 2 + 2", "size / PAGE_SIZE_1G + 1 + 2", id="level-2-end"),
    pytest.param("size / PAGE_SIZE_1G + 2 + 2", "size / PAGE_SIZE_1G + 2 + 1", id="level-1-end"),
    pytest.param("size / PAGE_SIZE_1G +", "", id="no-level-2"),
    pytest.param("count += size / PAGE_SIZE_2M;", "", id="small-pages-forgotten"),
    pytest.param("if ((virtual_address - physical_address) % PAGE_SIZE_2M != 0) {", "{",
                 id="always-small-pages"),
    pytest.param("% PAGE_SIZE_2M != 0", "% PAGE_SIZE_1G == 1", id="always-large-pages"),
    pytest.param("i < elf->segment_count", "i < 1", id="one-segment"),
    pytest.param("kernel->virtual_base, kernel->physical,", "0, 0,", id="kernel-aligned"),
    pytest.param("BOOT_STACK_BASE + PAGE_SIZE, kernel->stack_physical,", "0, 0,",
                 id="stack-aligned"),
    pytest.param("i < map->count", "i + 1 < map->count", id="last-range-forgotten"),
])
def test_the_harness_sees_a_defect(harness, right, wrong):
    """With one thing wrong in page_table_count.c, the test above fails."""
    assert run(harness.with_defect(right, wrong)).returncode != 0
