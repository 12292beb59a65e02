#!/usr/bin/env python3
"""Measure what we promise to be quick, and print it as a ratio: measured / target.

    bench.py [PART...]      all of them if none:

    build, test, suite      the time that building and testing take
    size                    of boot sectors, and of the loaders
    boot                    the time to the first words of a kernel
    grub, load              loaders for a BIOS beside GRUB and beside the mere reading
    efi                     chapter 10's loader beside GRUB for UEFI
    uefi                    the time of tests with UEFI, beside that of the firmware in them
    fuzz                    how often a second each fuzzer calls what it tests
    website                 the time to build it, the weight of a post, Lighthouse's scores

A ratio of 1 or less keeps the promise. Everything but the website is built in a copy, so nothing of
yours is touched; times are the best of several runs, because nothing makes a computer faster
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import doctor
from bench import ROOT, best, efi, loading, make, report
from bench.website import website
from machine import Machine
from machine.command import find_qemu

CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9][0-9]-*"))
KERNEL = "06-vga-hello"
EFI_HELLO = "09-uefi-hello"
STAGES = ("first_stage.bin", "loader_bios.bin", "loader.bin")
SIZES_MOST = {                          # of the loaders in a chapter's folder, in bytes
    loading.CHAPTER: (STAGES, 16 << 10),
    loading.FAT_CHAPTER: (STAGES, 24 << 10),
    efi.CHAPTER: (("BOOTX64.EFI",), 48 << 10)}
PYTEST = [sys.executable, "-m", "pytest", "-c", str(ROOT / "tests/pytest.ini"), "-q", "-n", "auto"]
FUZZ_TIME = 10                          # seconds for each fuzzer
UEFI_TESTS = ("test_uefi_*.py", "test_boot_protocol.py")
UEFI_MORE = 1.3                         # times the bare boots in them
CORES = os.cpu_count() or 1


def main(names: list[str]) -> int:
    parts: dict[str, Callable[[Path], None]] = {
        "build": build, "size": size, "boot": boot, "grub": loading.count, "load": loading.load,
        "efi": efi.load, "fuzz": fuzz, "test": test, "uefi": uefi, "suite": suite,
        "website": website}
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

    for compiler in ("gcc", "clang"):
        tools = [tool for tool in doctor.TOOLS
                 if tool.name == compiler or tool.group == compiler]
        if not all(doctor.find(tool, with_version=False).usable for tool in tools):
            print(f"size: {compiler} is not here")
            continue
        make(copy, f"TOOLCHAIN={compiler}", "all")
        for chapter, (parts, most) in SIZES_MOST.items():
            files = [copy / "build" / chapter / part for part in parts]
            if all(file.exists() for file in files):  # not without gnu-efi
                report(f"{chapter}: loader, {compiler}",
                       sum(file.stat().st_size for file in files), most, "B")
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
    seconds, boots, uefi_boots = count_boots(copy, str(ROOT / "tests"))
    bare, bare_uefi = bare_boot(copy), bare_uefi_boot(copy) if uefi_boots else 0.0
    report("the whole suite, 120 s and UEFI's boots", seconds,
           120 + UEFI_MORE * uefi_boots * bare_uefi / CORES)
    print(f"  with {boots} boots, of {bare:.2f} s for QEMU and BIOS alone, and {uefi_boots}, of "
          f"{bare_uefi:.2f} s for QEMU and UEFI: {boots * bare + uefi_boots * bare_uefi:.0f} s of "
          f"work for {CORES} cores")


def uefi(copy: Path) -> None:
    """The tests that boot with UEFI; and what of it is QEMU and the firmware."""
    missing = efi.missing_for_uefi()
    if missing:
        print(f"uefi: left out. {missing}")
        return
    files = [str(file) for pattern in UEFI_TESTS for file in (ROOT / "tests").glob(pattern)]
    seconds, _, boots = count_boots(copy, *files, "-k", "efi", "-m", "not variant")
    bare = bare_uefi_boot(copy)
    report(f"tests with UEFI, {UEFI_MORE} of the bare boots", seconds,
           UEFI_MORE * boots * bare / CORES)
    print(f"  without variants; {boots} boots, of {bare:.2f} s for QEMU and UEFI alone, for "
          f"{CORES} cores")


# -- machines -------------------------------------------------------------------------------------


def count_boots(copy: Path, *arguments: str) -> tuple[float, int, int]:
    """Run tests. Returns the seconds, and how often QEMU booted from a BIOS and with UEFI."""
    log, counter = copy / "boots", copy / "qemu"
    log.write_text("")
    counter.write_text('#!/bin/sh\ncase "$*" in '
                       f"*if=pflash*) echo uefi;; *-drive*) echo bios;; esac >>{log}\n"
                       f"exec {shlex.quote(find_qemu())} \"$@\"\n")
    counter.chmod(0o755)
    seconds = best(lambda: pytest(*arguments, QEMU=str(counter)), runs=1)
    boots = log.read_text().split()
    return seconds, boots.count("bios"), boots.count("uefi")


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


def bare_uefi_boot(copy: Path) -> float:
    """Seconds from the start of QEMU to a program for UEFI. As many boot at a time as there
    are cores: so the tests do."""
    image = copy / f"build/{EFI_HELLO}/disk.img"

    def boot(_: int) -> None:
        with Machine(image, firmware="uefi") as machine:
            machine.com1.expect("BdsDxe: starting", timeout=loading.SLOWEST)

    with ThreadPoolExecutor(CORES) as pool:
        return best(lambda: list(pool.map(boot, range(CORES))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
