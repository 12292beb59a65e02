"""Sources of the kernel as programs of this computer: each with a harness, sanitized."""
from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from conftest import ROOT
from host import INCLUDES, SANITIZERS, SECONDS, WARNINGS, compiler

UNIT = Path(__file__).parent
# fake/ first: an io.h that calls the harness stands there.
FLAGS = ("-std=c11", "-O0", "-g1", *WARNINGS, *SANITIZERS, f"-I{UNIT}/fake", *INCLUDES)


class Program:
    """A harness of this folder and the sources that it tests, by their names in common/kernel.

    What is compiled goes to `folder`; `options` are for the compiler. `path` is the program
    with the sources as they are.
    """

    def __init__(self, folder: Path, harness: str, sources: Iterable[str],
                 options: Sequence[str] = ()) -> None:
        self.folder, self.options = folder, options
        self.objects = {}
        for source in (UNIT / harness, *(ROOT / "common/kernel" / name for name in sources)):
            # A copy: beside the original, a quoted include would find the real io.h.
            copy = folder / source.name
            shutil.copy(source, copy)
            self.objects[source.name] = self._compile(copy)
        self.path = self._link("as-it-is", self.objects)

    def with_defect(self, source: str, right: str, wrong: str) -> Path:
        """The program with one thing wrong in one source; it stands there exactly once."""
        text = (self.folder / source).read_text()
        assert text.count(right) == 1, f"{source} has changed: adapt the defect"
        defect = self.folder / f"defect-{source}"
        defect.write_text(text.replace(right, wrong))
        # Only the harness is to find it: what compilers think of it does not count.
        made = self._compile(defect, "-w")
        return self._link("defect", {**self.objects, source: made})

    def _compile(self, source: Path, *options: str) -> Path:
        made = source.with_suffix(".o")
        subprocess.run([compiler(), *FLAGS, *self.options, *options, "-c", source, "-o", made],
                       check=True)
        return made

    def _link(self, name: str, objects: dict[str, Path]) -> Path:
        made = self.folder / name
        subprocess.run([compiler(), *SANITIZERS, *objects.values(), "-o", made], check=True)
        return made


def run(program: Path, *arguments: str | Path, stdin: bytes = b"",
        ) -> subprocess.CompletedProcess[bytes]:
    """Run a program; its `.stdout` has both its outputs."""
    # A process that is traced, as in some containers, cannot look for leaks. Of the host's
    # printf, ASan believes that %.3s reads a string to its end.
    return subprocess.run([program, *arguments], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:check_printf=0"})
