"""common/loader/memory_map.c on this computer: maps by hand, and against a model."""
from __future__ import annotations

from pathlib import Path

import pytest
from host import Harness, run

from conftest import ROOT


@pytest.fixture(scope="module")
def harness(tmp_path_factory) -> Harness:
    """memory_map_test.c, compiled when it is needed."""
    return Harness(Path(__file__).with_name("memory_map_test.c"),
                   ROOT / "common/loader/memory_map.c", tmp_path_factory.mktemp("memory_map"))


@pytest.mark.parametrize("case", [
    "an ordinary PC", "any order", "broken entries", "many descriptors", "a full map",
    "allocations", "enough room", "little room"])
def test_the_map_is_what_it_should_be(harness, case):
    """After each call: in order, in its array, and equal to what is known or modelled."""
    done = run(harness.program, case)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("right, wrong", [
    pytest.param("length < map->end - base ?", "base + length < map->end ?",
                 id="a-sum-wraps"),
    pytest.param("inward ? page_up(base) : ", "", id="usable-begins-too-early"),
    pytest.param("begin = greater(begin, MEMORY_PAGE);", "", id="page-0-can-change"),
    pytest.param("type <= range->type", "range->type == MEMORY_RESERVED", id="the-last-one-wins"),
    pytest.param("#define SPARE 2", "#define SPARE 1", id="no-place-to-work-in"),
    pytest.param("length < map->ranges[smallest].length", "length > map->ranges[smallest].length",
                 id="the-greatest-is-given-up"),
    pytest.param("range->length = end_of(&range[1]) - range->base;", "",
                 id="a-reservation-is-forgotten"),
    pytest.param("greater(range->base, LOW_MEMORY_END)", "greater(range->base, MEMORY_PAGE)",
                 id="low-memory-is-taken"),
    pytest.param("end_of(range), below);\n        begin",
                 "end_of(range), map->end);\n        begin", id="below-is-forgotten"),
    pytest.param("begin < end && end - begin >= size", "begin + size <= end + MEMORY_PAGE",
                 id="a-page-too-many-is-taken"),
])
def test_the_harness_sees_a_defect(harness, right, wrong):
    """With one thing wrong in memory_map.c, the test above fails."""
    assert run(harness.with_defect(right, wrong)).returncode != 0
