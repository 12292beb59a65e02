"""common/kernel/memory.c on this computer: against the host's functions, sanitized."""
from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

SOURCE = ROOT / "common/kernel/memory.c"
HARNESS = Path(__file__).with_name("memory_test.c")
FUNCTIONS = ("memcpy", "memmove", "memset", "memcmp")
ROUNDS = 20_000
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason="memory.c holds x86-64 instructions: only such a computer can run it")


def compiler() -> str:
    """A compiler for programs of this computer, with its sanitizers' libraries."""
    for name in ("gcc", "cc", "clang"):
        if path := shutil.which(name):
            probe = subprocess.run([path, *SANITIZERS, "-x", "c", "-", "-o", os.devnull],
                                   input="int main(void) { return 0; }", text=True,
                                   capture_output=True)
            if probe.returncode == 0:
                return path
    raise FileNotFoundError("No compiler here has ASan and UBSan: ./setup.sh installs one.")


def build(source: Path, program: Path) -> Path:
    """Compile the harness, and a memory.c with its functions renamed, into a program."""
    renamed = [f"-D{name}=first_light_{name}" for name in FUNCTIONS]
    common = [compiler(), "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *SANITIZERS]
    made = program.with_suffix(".o")
    subprocess.run([*common, *renamed, "-fno-builtin", f"-I{SOURCE.parent}", "-c",
                    source, "-o", made], check=True)
    # Without builtins the host's functions are called, and ASan watches them, too.
    subprocess.run([*common, "-fno-builtin", HARNESS, made, "-o", program], check=True)
    return program


def run(program: Path, function: str, rounds: int = ROUNDS) -> subprocess.CompletedProcess:
    # A process that is traced, as in some containers, cannot look for leaks.
    return subprocess.run([program, function, str(rounds)], text=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The harness with our memory.c."""
    return build(SOURCE, tmp_path_factory.mktemp("memory") / "memory_test")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_does_what_the_hosts_function_does(program, function):
    """Over 20,000 sizes from 0 up, offsets and overlaps, beside pages without access."""
    done = run(program, function)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("function, right, wrong", [
    pytest.param("memcpy", 'rep movsb" : "+D"(to), "+S"(from)',
                 'movsb; rep movsb" : "+D"(to), "+S"(from)', id="memcpy-a-byte-too-many"),
    pytest.param("memcpy", "bytes = size % 8", "bytes = size % 4", id="memcpy-loses-the-rest"),
    pytest.param("memmove", ">= size)", ">= size || size > 0)", id="memmove-always-forward"),
    pytest.param("memmove", ">= size)", ">= size && size == 0)", id="memmove-always-backward"),
    pytest.param("memmove", "std; rep movsb; cld", "std; rep movsb",
                 id="memmove-leaves-df-set"),
    pytest.param("memset", "    return target;\n}\n\nint", "    return to;\n}\n\nint",
                 id="memset-returns-its-end"),
    pytest.param("memcmp", "const unsigned char *a", "const signed char *a",
                 id="memcmp-compares-as-signed"),
    pytest.param("memcmp", "size > 0; size--", "size > 1; size--",
                 id="memcmp-forgets-the-last-byte"),
    pytest.param("memcmp", "for (; size > 0;", "for (; size + 1 > 0;",
                 id="memcmp-reads-a-byte-too-far"),
])
def test_the_harness_sees_a_defect(tmp_path, function, right, wrong):
    """With one thing wrong in memory.c, the test above fails."""
    text = SOURCE.read_text()
    assert text.count(right) == 1
    (tmp_path / "memory.c").write_text(text.replace(right, wrong))
    done = run(build(tmp_path / "memory.c", tmp_path / "memory_test"), function)
    assert done.returncode != 0
