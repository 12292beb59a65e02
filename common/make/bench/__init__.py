"""What the parts of bench.py share: how they build, time, and print."""
from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # for `machine`

RUNS = 5


def report(what: str, measured: float, target: float | None, unit: str = "s") -> None:
    """One line; without a target, only what was measured. Whole numbers stay whole."""
    form = "8.2f" if isinstance(measured, float) else "8d"
    line = f"{what:45} {measured:{form}} {unit:2}"
    if target:
        line += f"{target:{form}} {unit:2} {measured / target:6.2f}"
    print(line, flush=True)


def make(folder: Path, *arguments: str) -> str:
    """Run make in a copy of the repository and return what it printed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, check=True,
                          text=True, stdout=subprocess.PIPE).stdout


def best(action: Callable[[], object], prepare: Callable[[], object] = lambda: None,
         runs: int = RUNS) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(runs):
        prepare()
        start = time.monotonic()
        action()
        times.append(time.monotonic() - start)
    return min(times)
