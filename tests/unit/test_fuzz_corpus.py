"""What the fuzzers found, run again without libFuzzer; and what `make fuzz` says."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import gnu_efi
import pytest
from host import SANITIZERS, build, run

from conftest import ROOT

sys.path.append(str(ROOT / "common/make"))  # its scripts belong to no package

import doctor  # noqa: E402
import fuzz  # noqa: E402

FUZZERS = ROOT / "tests/fuzz"
RUN_FILES = FUZZERS / "run_files.c"


@pytest.mark.parametrize("name", fuzz.targets())
def test_every_input_that_was_kept_passes(tmp_path, name):
    """Those which reach all of the code, and those on which it once crashed."""
    corpus = sorted((FUZZERS / "corpus" / name).glob("*"))
    crashes = sorted((FUZZERS / "crashes" / name).glob("*"))
    assert corpus, f"tests/fuzz/corpus/{name} is empty"
    target = fuzz.targets()[name]
    efi = gnu_efi.options() if fuzz.needs_gnu_efi(target) else ()
    program = build(tmp_path / name, "-O0", *SANITIZERS, *efi, RUN_FILES, target,
                    *(ROOT / source for source in fuzz.sources_of(target)))
    done = run(program, *corpus, *crashes)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == list(map(str, [*corpus, *crashes]))


TARGET = """/* sources: common/tested.c */
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '!') {
        __builtin_trap();
    }
    return 0;
}
"""


@pytest.fixture
def planted(tmp_path, monkeypatch) -> Path:
    """A repository with one fuzzer, `planted`, which crashes on '!'; and a PATH of its own."""
    for folder in ("common", "tests/fuzz", "path"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "common/tested.c").write_text("")
    (tmp_path / "tests/fuzz/planted_fuzz.c").write_text(TARGET)
    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    monkeypatch.setattr(fuzz, "FUZZERS", tmp_path / "tests/fuzz")
    monkeypatch.setattr(fuzz, "BUILD", tmp_path / "build/fuzz")
    return tmp_path


@pytest.fixture
def make_fuzz(planted, monkeypatch, capfd) -> Callable[..., tuple[int, list[str]]]:
    """`make_fuzz("--time", "1", clang=script)` runs fuzz.py there, with a shell script for
    clang, or with none; its status, and the lines that it printed."""
    def run_it(*arguments: str, clang: str = "") -> tuple[int, list[str]]:
        if clang:
            program = planted / "path/clang"
            program.write_text(f"#!/bin/sh\nPATH={os.environ['PATH']}\n{clang}\n")
            program.chmod(0o755)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(planted / "path"))
            status = fuzz.main(list(arguments))
        return status, "".join(capfd.readouterr()).splitlines()
    return run_it


def clang_that_makes(script: str) -> str:
    """A clang whose programs do, instead of what they should, this."""
    return ('while [ "$1" != -o ]; do shift; done\n'
            f"printf '#!/bin/sh\\n%s\\n' '{script}' >\"$2\"\nchmod +x \"$2\"")


def test_an_input_that_crashes_is_named(planted):
    """It is the last line but for the sanitizer's, and the program fails."""
    good, bad, after = (planted / name for name in ("good", "bad", "after"))
    good.write_text("?")
    bad.write_text("!")
    after.write_text("")
    program = build(planted / "program", RUN_FILES, planted / "tests/fuzz/planted_fuzz.c")
    done = run(program, good, bad, after)
    assert done.returncode != 0
    assert done.stdout.splitlines() == [str(good), str(bad)]


def test_the_last_line_says_how_fast_it_was(make_fuzz):
    """A fuzzer without a crash: its time and its speed, and success."""
    status, lines = make_fuzz("--time", "7", clang=clang_that_makes(
        'case "$*" in *max_total_time=7*) echo "stat::average_exec_per_sec:     12345"; esac'))
    assert (status, lines[-1]) == (
        0, "fuzz planted: 7 s, 12,345 executions per second, no crash")


def test_a_crash_is_said_and_fails(planted, make_fuzz, monkeypatch):
    """With the real libFuzzer: where the input is, and where it belongs."""
    try:
        clang = fuzz.find_clang()
    except fuzz.FuzzError as error:
        pytest.skip(str(error))
    (planted / "tests/fuzz/crashes/planted").mkdir(parents=True)
    (planted / "tests/fuzz/crashes/planted/old").write_text("!")
    monkeypatch.setattr(fuzz, "find_clang", lambda: str(planted / "path/clang"))
    status, lines = make_fuzz("--time", "5", clang=f'exec {clang} "$@"')
    assert status == 1
    assert lines[-1].startswith("fuzz planted: CRASH, by build/fuzz/planted-crash-")
    assert "Copy it to tests/fuzz/crashes/planted/" in lines[-1]
    crash = lines[-1].split("CRASH, by ")[1].split(";")[0]
    assert (planted / crash).read_text() == "!"


@pytest.mark.skipif(any(map(os.path.exists, doctor.llvm("clang")[1:])),
                    reason="a clang is found here without PATH")
def test_a_missing_clang_is_said(make_fuzz):
    """What is missing, what for, how to get it."""
    status, lines = make_fuzz()
    assert status == 1
    assert lines[-1].startswith("fuzz: clang is missing: it makes the fuzzers. Install it")


def test_a_missing_libfuzzer_is_said(make_fuzz):
    """Clang is there, and cannot link a fuzzer: the package's name has its version."""
    status, lines = make_fuzz(clang='[ "$1" != --version ] || { echo "clang version 14.0.6"; '
                                    "exit 0; }\nexit 1")
    assert status == 1
    assert "is here, but not its libFuzzer" in lines[-1]
    assert "libclang-rt-14-dev" in lines[-1]


@pytest.mark.parametrize("arguments, first_line, sentence", [
    (["--fuzzer", "nothing"], None,
     "fuzz: there is no fuzzer 'nothing': the fuzzers are planted"),
    (["--time", "0"], None, "fuzz: TIME is a number of seconds, at least 1"),
    (["--time", "1m"], None, "fuzz: TIME is a number of seconds, at least 1"),
    ([], "/* a fuzzer */",
     "fuzz: planted_fuzz.c: the first line must be /* sources: FILE... */"),
    ([], "/* sources: common/gone.c */",
     "fuzz: planted_fuzz.c: its first line names common/gone.c, which is not there"),
], ids=["no-such-fuzzer", "no-time", "no-number", "no-sources", "a-source-that-is-gone"])
def test_a_mistake_gets_a_sentence(planted, make_fuzz, arguments, first_line, sentence):
    """What is wrong, and what would be right; nothing is run."""
    if first_line:
        (planted / "tests/fuzz/planted_fuzz.c").write_text(f"{first_line}\n{TARGET}")
    status, lines = make_fuzz(*arguments, clang=clang_that_makes("exit 0"))
    assert (status, lines[-1]) == (1, sentence)
