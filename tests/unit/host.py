"""Programs of this computer, made of our sources and a harness in C, for tests of both."""
from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from conftest import ROOT

INCLUDES = (f"-I{ROOT}/common/kernel", f"-I{ROOT}/common/loader")
WARNINGS = ("-Wall", "-Wextra", "-Wmissing-prototypes", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SECONDS = 20  # of a processor: no harness needs one; a defect may never end


@functools.cache
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


def build(program: Path, *parts: Path | str) -> Path:
    """Compile and link a program: of sources, objects, and options of the compiler."""
    subprocess.run([compiler(), "-std=c11", "-g1", *WARNINGS, *INCLUDES, *parts, "-o", program],
                   check=True)
    return program


def run(program: Path, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """Run a program; what it says on either stream is in .stdout."""
    # A process that is traced, as in some containers, cannot look for leaks.
    return subprocess.run([program, *arguments], text=True, errors="replace", timeout=SECONDS,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Harness:
    """A harness in C, and the one source that it tests, as it is or with a defect.

    `others` are sources that it needs besides; `options` are for the compiler.
    """

    def __init__(self, harness: Path, source: Path, folder: Path, others: Sequence[Path] = (),
                 options: Sequence[str] = ()) -> None:
        self.source, self.folder = source, folder
        self.harness, self.others, self.options = harness, others, options

    @functools.cached_property
    def program(self) -> Path:
        """The source as it is, sanitized."""
        return build(self.folder / "program", "-O0", *SANITIZERS, *self.options, self.harness,
                     self.source, *self.others)

    @functools.cached_property
    def objects(self) -> list[Path]:
        """All but the source, not sanitized: compiled once for all defects."""
        return [build(self.folder / f"{source.stem}.o", "-O1", *self.options, "-c", source)
                for source in (self.harness, *self.others)]

    def with_defect(self, right: str, wrong: str) -> Path:
        """The source with one thing wrong, which stands in it exactly once."""
        text = self.source.read_text()
        assert text.count(right) == 1, f"{self.source.name} has changed: adapt the defect"
        defect = self.folder / "defect.c"
        defect.write_text(text.replace(right, wrong))
        # Only the harness is to find it: what compilers think of it does not count.
        return build(self.folder / "defect", "-O0", "-w", *self.options, *self.objects, defect)
