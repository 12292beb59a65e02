"""common/kernel/format.c, which kprintf prints with, against the host's printf."""
from __future__ import annotations

import pytest

from native import Program, run

ROUNDS = "20000"


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Program:
    """The harness with our format.c."""
    return Program(tmp_path_factory.mktemp("format"), "format_test.c", ["format.c"])


def test_it_prints_what_the_hosts_printf_prints(program):
    """20,000 formats, all that kprintf knows; and what differs on purpose, does."""
    done = run(program.path, ROUNDS)
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.mark.parametrize("right, wrong", [
    pytest.param("-(uint64_t)value", "(uint64_t)-value", id="least-number-negated-as-signed"),
    pytest.param("DIGITS_MOST 20", "DIGITS_MOST 19", id="no-room-for-the-greatest-number"),
    pytest.param("length < most && text[length] != '\\0'",
                 "text[length] != '\\0' && length < most", id="string-read-too-far"),
    pytest.param("c->zero && !c->left && c->width", "c->zero && c->width",
                 id="zeros-on-the-right"),
    pytest.param("int wanted = 1;", "int wanted = 0;", id="zero-has-no-digit"),
    pytest.param("c->width - (prefix[0] != '\\0')", "c->width", id="sign-not-counted"),
    pytest.param("wanted = bounded(c->precision)", "wanted = c->precision",
                 id="precision-not-bounded"),
    pytest.param("c->width = bounded(c->width)", "c->width = c->width + 0",
                 id="width-not-bounded"),
    pytest.param("if (number < INT32_MAX / 10)", "if (number >= 0)", id="number-overflows"),
    pytest.param("            put_text(&out, format, length_of(format, SIZE_MAX));\n"
                 "            break;",
                 "            put(context, *format++);\n            continue;",
                 id="goes-on-behind-the-unknown"),
])
def test_the_harness_sees_a_defect(program, right, wrong):
    """With one thing wrong in format.c, the test above fails."""
    assert run(program.with_defect("format.c", right, wrong), ROUNDS).returncode != 0
