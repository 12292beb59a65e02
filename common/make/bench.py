#!/usr/bin/env python3
"""Measure what we promise to be quick, and print it as a ratio: measured / target.

    bench.py [PART...]      parts: build, size, boot, read, test, suite; all of them if none

A ratio of 1 or less keeps the promise. Everything is built in a copy, so nothing of yours
is touched; times are the best of several runs, because nothing makes a computer faster
than it is, and much makes it slower.
"""
from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from machine import Machine  # noqa: E402
from machine.command import find_qemu  # noqa: E402

RUNS = 5
CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9][0-9]-*"))
KERNEL = "06-vga-hello"
PYTEST = [sys.executable, "-m", "pytest", "-c", str(ROOT / "tests/pytest.ini"), "-q", "-n", "auto"]
SECTOR = 512

# The ACPI timer, where SeaBIOS puts it on both of QEMU's boards. (The CPU's own counter
# would count the ticks of the host's CPU, whatever these are.)
TIMER = 0x608
TIMER_HZ = 3579545

# Grows the kernel to nearly what fits between KERNEL_BASE and KERNEL_LIMIT.
BALLAST = "\nconst char ballast[430000] = {1};\n"

# What the loader does, with a look at the clock before and after.
READ = "    call disk_read\n    jc disk_read_failed\n"
TIMED_READ = f"""\
    mov dx, {TIMER}
    in eax, dx
    mov [SCRATCH], eax
    call disk_read
    jc disk_read_failed
    mov dx, {TIMER}
    in eax, dx
    sub eax, [SCRATCH]
    and eax, 0xffffff
    mov cx, 4
.show_ticks:
    rol eax, 8
    push eax
    call print_hex
    pop eax
    loop .show_ticks
    mov si, .end_of_line
    call print
    jmp .timed
.end_of_line: db CR, LF, 0
.timed:
"""


def main(names: list[str]) -> int:
    parts: dict[str, Callable[[Path], None]] = {
        "build": build, "size": size, "boot": boot, "read": read, "test": test, "suite": suite}
    unknown = [name for name in names if name not in parts]
    if unknown:
        print(f"bench: there is no part {unknown[0]!r}: the parts are {', '.join(parts)}",
              file=sys.stderr)
        return 2
    print(f"{'':46} measured     target    ratio")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("Makefile", "chapters", "common", "tests"):
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, copy / name)
        make(copy, "-j2", "all")
        for name in names or parts:
            parts[name](copy)
    return 0


def report(what: str, measured: float, target: float | None, unit: str = "s") -> None:
    """One line; without a target, only what was measured."""
    line = f"{what:46} {measured:7.2f} {unit:2}"
    if target:
        line += f"{target:7.2f} {unit:2} {measured / target:6.2f}"
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


# -- the parts ------------------------------------------------------------------------------------


def build(copy: Path) -> None:
    report("clean build of all chapters, make -j2",
           best(lambda: make(copy, "-j2", "all"), lambda: make(copy, "clean")), 2)
    report("build with nothing to do", best(lambda: make(copy, "all")), 0.2)


def size(copy: Path) -> None:
    make(copy, "clean")
    for line in make(copy, "all").splitlines():
        found = re.match(r"build/(.+)/disk.img: boot sector: (\d+) of (\d+) bytes(?:; (.*))?", line)
        if found:
            report(f"{found[1]}: boot sector", int(found[2]), int(found[3]), "B")
            print(f"  {found[4] or 'no second stage'}")


def boot(copy: Path) -> None:
    report("QEMU and its BIOS alone, to a boot sector", bare_boot(copy), None)
    report("boot of chapter 6 to Hello World!",
           best(lambda: first_words(copy / f"build/{KERNEL}/disk.img", "Hello World!")), None)


def read(copy: Path) -> None:
    source = copy / f"chapters/{KERNEL}/stage2.asm"
    kernel = copy / f"chapters/{KERNEL}/kernel.c"
    originals = source.read_text(), kernel.read_text()
    source.write_text(originals[0].replace(READ, TIMED_READ, 1))
    kernel.write_text(originals[1] + BALLAST)
    make(copy, f"build/{KERNEL}/disk.img")
    source.write_text(originals[0])
    kernel.write_text(originals[1])

    image = copy / f"build/{KERNEL}/disk.img"
    stage, sectors = (int.from_bytes(image.read_bytes()[3 * SECTOR + at:][:2], "little")
                      for at in (4, 6))     # struct second_stage
    bare = bare_reader(copy, image, first=3 + stage, sectors=sectors)
    for disk in ("ide", "virtio", "ahci"):
        # In turns, so that what else the computer does disturbs both alike.
        times = [(read_time(image, disk), read_time(bare, disk)) for _ in range(2 * RUNS)]
        ours, fastest = map(min, zip(*times))
        # The promise is about IDE, the disk of `run` and `screen`.
        report(f"{disk}: {sectors} sectors, 10 % above the best",
               1000 * ours, 1100 * fastest, "ms")
        print(f"  {sectors / 2048 / ours:.1f} MiB/s; 127 sectors a call: "
              f"{sectors / 2048 / fastest:.1f} MiB/s")


def test(copy: Path) -> None:
    for chapter in CHAPTERS:
        file = ROOT / f"tests/test_{chapter[3:].replace('-', '_')}.py"
        if file.exists():
            report(f"tests of {chapter}, without its variants",
                   best(lambda file=file: pytest(str(file), "-m", "not variant"), runs=2), 3)


def suite(copy: Path) -> None:
    """The whole suite; and what of it is QEMU and the BIOS, which we cannot make faster."""
    log = copy / "boots"
    counter = copy / "qemu"
    counter.write_text(f'#!/bin/sh\ncase "$*" in *-drive*) echo >>{log};; esac\n'
                       f"exec {shlex.quote(find_qemu())} \"$@\"\n")
    counter.chmod(0o755)
    seconds = best(lambda: pytest(str(ROOT / "tests"), QEMU=str(counter)), runs=1)
    boots, bare = len(log.read_text()), bare_boot(copy)
    report("the whole suite", seconds, 120)
    print(f"  with {boots} boots, of {bare:.2f} s for QEMU and BIOS alone: {boots * bare:.0f} s "
          f"of work for {os.cpu_count()} cores")


# -- machines -------------------------------------------------------------------------------------


def pytest(*arguments: str, **variables: str) -> None:
    """Run tests. Their failures are not our subject, so they are only mentioned."""
    done = subprocess.run([*PYTEST, *arguments], cwd=ROOT, env={**os.environ, **variables},
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        print(f"  pytest: {done.stdout.splitlines()[-1]}")


def first_words(image: Path, words: str, disk: str = "ide") -> str:
    """Boot and wait for a pattern on COM1; what matched it."""
    with Machine(image, disk=disk) as machine:
        return machine.expect(words)[0]


def read_time(image: Path, disk: str) -> float:
    """Seconds, from an image that measures itself and says so in eight hexadecimal digits."""
    return int(first_words(image, "[0-9a-f]{8}", disk), 16) / TIMER_HZ


def bare_reader(copy: Path, image: Path, first: int, sectors: int) -> Path:
    """The image with another boot sector, which reads these sectors and does nothing else."""
    target, code = copy / "bare.img", copy / "bare.bin"
    subprocess.run(["nasm", "-f", "bin", "-I", f"{ROOT}/common/", f"-DFIRST={first}",
                    f"-DSECTORS={sectors}", f"-DTIMER={TIMER}", "-o", code,
                    ROOT / "common/make/bench.asm"], check=True)
    target.write_bytes(code.read_bytes() + image.read_bytes()[code.stat().st_size:])
    return target


def bare_boot(copy: Path) -> float:
    """Seconds from the start of QEMU to the first word of a boot sector."""
    image = bare_reader(copy, copy / "build/01-boot-sector/disk.img", first=0, sectors=1)
    return best(lambda: first_words(image, "[0-9a-f]{8}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
