"""The part `efi`: from UEFI's start of a loader to a kernel's first instruction, two ways.

It is measured as loading.py explains it for a BIOS. The loaders are chapter 10's and GRUB;
both find the same kernel, byte for byte, on the same file system. In front of each stands
the same program (efi_stopwatch.c): it has the firmware load the real one, and reads the
counter just before it starts that. So a loader's size does not count, which is to GRUB's
advantage, with all its modules inside.

What counts is the firmware's work as well: its memory, its driver of the disk and, for ours
alone, its file system; GRUB has its own.

The firmware takes some thousand million instructions before it starts a program, and waits a
lot: a run with -icount takes a minute at shift=0, a third of it at shift=4.
"""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench import ROOT, grub, loading, make, report

CHAPTER = "10-uefi-loader"
SOURCE = "common/make/bench/efi_stopwatch.c"
SIZES = (0, 48)                         # of kernels, in MiB
TURNS = {"virtio": 8, "ide": 2}         # IDE takes seconds, GRUB there half a minute
COUNTED = "virtio"                      # a disk that is not polled for long
SHIFT, RUNS = 3, 2                      # of -icount


def load(copy: Path) -> None:
    """Instructions and time to the first instruction of kernels: ours and GRUB's."""
    missing = grub.missing("grub-efi") or missing_for_uefi()
    if missing:
        print(f"efi: left out. {missing}")
        return
    for mib in SIZES:
        kernel = loading.elf_kernel(copy, mib)
        images = {"ours": our_disk(copy, kernel), "GRUB": grub_disk(copy, kernel)}
        if not mib:
            count(images)
        for disk, turns in TURNS.items():
            times = loading.best_times(images, disk, turns, "uefi", grub_turns=1)
            report(f"UEFI, {disk}: {mib or '1/1000'} MiB, 1/2 of GRUB's", times["ours"],
                   times["GRUB"] / 2, "ms")


def count(images: dict[str, Path]) -> None:
    """Instructions to the first one of a small kernel."""
    ours, theirs = (loading.instructions(images[name], COUNTED, "uefi", SHIFT, RUNS)[0]
                    for name in ("ours", "GRUB"))
    report(f"UEFI, {COUNTED}: instructions, 1/2 of GRUB's", ours / 1e6, theirs / 2e6, "M")


def missing_for_uefi() -> str:
    """What cannot be built or booted here, in a sentence; empty if all can."""
    for name in ("gnu-efi", "ovmf", "sgdisk"):
        if not grub.find(name).usable:
            return grub.doctor.missing_sentence(name, "")
    return ""


def our_disk(copy: Path, kernel: bytes) -> Path:
    """An image with the stopwatch, chapter 10's loader and this kernel."""
    return disk(copy, "ours", copy / "build" / CHAPTER / "BOOTX64.EFI", kernel)


def grub_disk(copy: Path, kernel: bytes) -> Path:
    """The same with GRUB as the loader."""
    return disk(copy, "GRUB", grub.efi_program(copy), kernel)


def disk(copy: Path, name: str, loader: Path, kernel: bytes) -> Path:
    image, file = copy / f"{name}-efi.img", copy / "kernel"
    file.write_bytes(kernel)
    subprocess.run([sys.executable, copy / "common/make/gpt_image.py", "--output", image,
                    "--efi", stopwatch(copy), "--file", f"real.efi={loader}",
                    "--file", f"kernel.elf={file}"], check=True, stdout=subprocess.DEVNULL)
    return image


def stopwatch(copy: Path) -> Path:
    """Build efi_stopwatch.c: as a chapter is built, but in a folder of its own."""
    folder, chapter = copy / "stopwatch", "01-stopwatch"
    if not folder.exists():
        (folder / "chapters" / chapter).mkdir(parents=True)
        for name in ("Makefile", "common"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "chapters" / chapter / "chapter.mk").write_text(
            f"firmwares := uefi\nefi := {SOURCE}\n")
    program = f"build/{chapter}/BOOTX64.EFI"
    make(folder, program)
    return folder / program
