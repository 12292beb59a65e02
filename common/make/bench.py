#!/usr/bin/env python3
"""Measure what we promise to be quick, and print it as a ratio: measured / target.

    bench.py [PART...]      all of them if none:

    build, test, suite      the time that building and testing take
    size                    of boot sectors, and of chapter 7's loader
    boot                    the time to the first words of a kernel
    grub, load              chapter 7's loader beside GRUB and beside the mere reading
    fuzz                    how often a second each fuzzer calls what it tests

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

import doctor
from bench import ROOT, best, loading, make, report
from machine import Machine
from machine.command import find_qemu

CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9][0-9]-*"))
KERNEL = "06-vga-hello"
LOADER_MOST = 16 << 10                  # bytes: first and second stage from chapter 7 on
PYTEST = [sys.executable, "-m", "pytest", "-c", str(ROOT / "tests/pytest.ini"), "-q", "-n", "auto"]
FUZZ_TIME = 10                          # seconds for each fuzzer


def main(names: list[str]) -> int:
    parts: dict[str, Callable[[Path], None]] = {
        "build": build, "size": size, "boot": boot, "grub": loading.count, "load": loading.load,
        "fuzz": fuzz, "test": test, "suite": suite}
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


# -- the parts ------------------------------------------------------------------------------------


def build(copy: Path) -> None:
    report("clean build of all chapters, make -j2",
           best(lambda: make(copy, "-j2", "all"), lambda: make(copy, "clean")), 2.0)
    report("build with nothing to do", best(lambda: make(copy, "all")), 0.2)


def size(copy: Path) -> None:
    make(copy, "clean")
    for line in make(copy, "all").splitlines():
        found = re.match(r"build/(.+)/disk.img: boot sector: (\d+) of (\d+) bytes(?:; (.*))?", line)
        if found:
            report(f"{found[1]}: boot sector", int(found[2]), int(found[3]), "B")
            print(f"  {found[4] or 'no second stage'}")

    image = f"build/{loading.CHAPTER}/disk.img"
    for compiler in ("gcc", "clang"):
        tools = [tool for tool in doctor.TOOLS
                 if tool.name == compiler or tool.group == compiler]
        if not all(doctor.find(tool, with_version=False).usable for tool in tools):
            print(f"size: {compiler} is not here")
            continue
        make(copy, f"TOOLCHAIN={compiler}", image)
        report(f"{loading.CHAPTER}: loader, {compiler}",
               loading.loader_size((copy / image).read_bytes()), LOADER_MOST, "B")
    make(copy, "all")                   # as it was


def boot(copy: Path) -> None:
    report("QEMU and its BIOS alone, to a boot sector", bare_boot(copy), None)
    report("boot of chapter 6 to Hello World!",
           best(lambda: first_words(copy / f"build/{KERNEL}/disk.img", "Hello World!")), None)


def fuzz(copy: Path) -> None:
    done = subprocess.run([sys.executable, copy / "common/make/fuzz.py", "--time", str(FUZZ_TIME)],
                          cwd=copy, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for name, speed in re.findall(r"^fuzz (\w+): .*?([\d,]+) executions per second", done.stdout,
                                  re.MULTILINE):
        report(f"fuzzer {name}: thousand runs a second",
               int(speed.replace(",", "")) / 1000, None, "k")
    if done.returncode:
        print((done.stderr or done.stdout).splitlines()[-1])


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


def first_words(image: Path, words: str) -> None:
    """Boot and wait for a pattern on COM1."""
    with Machine(image) as machine:
        machine.expect(words)


def bare_boot(copy: Path) -> float:
    """Seconds from the start of QEMU to the first word of a boot sector."""
    image = copy / "bare.img"
    code = loading.assemble(copy, "bare.asm", FIRST=0, SECTORS=1)
    image.write_bytes(code + (copy / "build/01-boot-sector/disk.img").read_bytes()[len(code):])
    return best(lambda: first_words(image, "[0-9a-f]{32}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
