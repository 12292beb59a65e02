"""The parts `grub` and `load`: from the boot sector to a kernel's first instruction, four ways.

The first is chapter 7's loader, the second chapter 11's, which finds the kernel in a file
system, the third GRUB, the fourth a boot sector that reads as many sectors as the kernel file
has and does nothing else (bare.asm). All but that get the same kernel, byte for byte
(kernel.asm), whose first instruction reads the time stamp counter. In front of each stands the
same boot sector (stopwatch.asm), which reads the counter just before it starts the real one: so
what the firmware needs is known, and left out.

Instructions are counted with QEMU's -icount. With shift=N each of them advances the virtual
clock by 2^N ns, and the counter counts these nanoseconds: at shift=0 a loop of 2,000,000
instructions is 2,000,000; each repetition of a string instruction counts as one. But the clock
advances as well while the guest waits. If it sleeps (hlt), then up to the next timer interrupt,
whether QEMU waits so long (sleep=on) or sets the clock forward (sleep=off, which is quicker).
If it polls a clock, it executes as many instructions as fit: GRUB polls the PC's timer for 55 ms
to learn the rate of the counter, which makes 55 million. A wait is as long at each shift, while
the work takes twice as long at shift=1: so the difference of the two runs is the work
alone, and this is what we compare. (It holds for waits of a fixed length, not for one that ends
with the next tick of a clock; neither loader has such.) What is left in it are polls of the disk,
which answers in the host's time: they are below 1 in 100.

Times are the counter's as well, but without -icount: then it is the host's, counts on whatever
the guest does, and does not begin anew after 4.7 s, as the 24 bits of the ACPI timer do. Its rate
is measured by that timer. The ways take turns, so that what else the computer does disturbs
all alike, and of each the best time counts. QEMU takes the guest's memory from the host before it
starts (-mem-prealloc): on a PC the memory is simply there.
"""
from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT, grub, report
from machine import Machine

CHAPTER = "07-elf-kernel"
FAT_CHAPTER = "11-disk-image"
HERE = Path(__file__).parent
SECTOR = 512
MIB = 1 << 20
BOOT_CODE_SIZE = 446
FIRST_STAGE_SECTORS = 3

# The ACPI timer, where SeaBIOS puts it on both of QEMU's boards.
TIMER = 0x608
TIMER_HZ = 3579545
TICKS = 1 << 16

MEMORY = "256M"
SIZES = (16, 48)                        # of kernels, in MiB
TURNS = {"virtio": 24, "ide": 4}        # IDE takes seconds, and so is disturbed less
GRUB_TURNS = 4                          # GRUB is far from its target: every fourth is enough
COUNTING_RUNS = 3
SLOWEST = 300                           # seconds until we give up a run

KERNEL_AT = MIB                         # where it is linked
KERNEL_CODE = 4096                      # where its code begins in the file: a page for the headers
MULTIBOOT2_HEADER_SIZE = 24


@dataclass
class Reading:
    """What the debug registers and the counter said."""

    loading: int                        # from the boot sector to the kernel, in ticks
    firmware: int                       # from reset to the stopwatch, the low 32 bits
    rate: int                           # ticks in TICKS ticks of the ACPI timer

    @property
    def milliseconds(self) -> float:
        return self.loading / self.rate * TICKS / TIMER_HZ * 1000


# -- the parts ------------------------------------------------------------------------------------


def count(copy: Path) -> None:
    """Instructions to the first one of a small kernel: ours and GRUB's."""
    if grub.missing():
        print(f"grub: left out. {grub.missing()}")
        return
    kernel = elf_kernel(copy, 0)
    disks = {"GRUB": grub.disk(copy, kernel), "ours": our_disk(copy, kernel)}
    images = {name: with_stopwatch(copy, name, image) for name, image in disks.items()}
    for disk in ("ide", "virtio"):
        found = {name: instructions(image, disk) for name, image in images.items()}
        ours, theirs = found["ours"], found["GRUB"]
        report(f"{disk}: instructions, 1/20 of GRUB's", ours[0] / 1e6, theirs[0] / 20e6, "M")
        print(f"  from boot sector to kernel: ours {ours[0] / 1e6:.2f} million, "
              f"GRUB {theirs[0] / 1e6:.2f} million; the BIOS before: {ours[2] / 1e6:.2f} million")
        print(f"  with waiting, 1 ns as 1 instruction: ours {ours[1] / 1e6:.2f} million, "
              f"GRUB {theirs[1] / 1e6:.2f} million")


def load(copy: Path) -> None:
    """Time to the first instruction of big kernels: ours, from a file system as well, GRUB's,
    and the mere reading."""
    if grub.missing():
        print(f"load: without GRUB. {grub.missing()}")
    small: dict[str, dict[str, float]] = {}
    for mib in (0, *SIZES):
        kernel = elf_kernel(copy, mib)
        ours = our_disk(copy, kernel)
        disks = {"ours": ours, "bare": bare_disk(copy, ours, kernel)}
        if grub.find("gnu-efi").usable:  # the image has a loader for UEFI, too
            disks["FAT"] = fat_disk(copy, kernel)
        if not grub.missing():
            disks["GRUB"] = grub.disk(copy, kernel)
        images = {name: with_stopwatch(copy, name, image) for name, image in disks.items()}
        for disk, turns in TURNS.items():
            times = best_times(images, disk, turns)
            small.setdefault(disk, times)
            if "GRUB" in times:
                report(f"{disk}: kernel of {mib or '1/1000'} MiB, GRUB's time", times["ours"],
                       times["GRUB"], "ms")
            if mib:
                report(f"{disk}: kernel of {mib} MiB, 10 % above bare", times["ours"],
                       1.1 * times["bare"], "ms")
                if "FAT" in times:
                    report(f"{disk}: {mib} MiB from FAT, 5 % above raw", times["FAT"],
                           1.05 * times["ours"], "ms")
                more = times["ours"] - small[disk]["ours"]
                less = times["bare"] - small[disk]["bare"]
                print("  MiB/s: " + ", ".join(f"{name} {mib * 1000 / found:.1f}"
                                              for name, found in times.items())
                      + f"; {100 * (more / less - 1):.0f} % above bare without what a small"
                        " kernel takes")


def best_times(images: dict[str, Path], disk: str, turns: int, firmware: str = "bios",
               grub_turns: int = GRUB_TURNS) -> dict[str, float]:
    """The shortest time of each image, in milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in images}
    for turn in range(turns):
        for name, image in images.items():
            if name != "GRUB" or turn % grub_turns == 0:
                times[name].append(read(image, disk, firmware=firmware).milliseconds)
    return {name: min(found) for name, found in times.items()}


# -- disks ----------------------------------------------------------------------------------------


def assemble(folder: Path, source: str | Path, **constants: int) -> bytes:
    code = folder / f"{Path(source).stem}.bin"
    subprocess.run(["nasm", "-f", "bin", "-w+all", "-I", f"{ROOT}/common/", "-I", f"{HERE}/",
                    *(f"-D{name}={value}" for name, value in constants.items()),
                    "-o", code, HERE / source], check=True)
    return code.read_bytes()


def elf_kernel(folder: Path, mib: int) -> bytes:
    """kernel.asm as an ELF file of one segment, with so many MiB behind it in the segment."""
    segment = assemble(folder, "kernel.asm") + os.urandom(mib * MIB)
    entry = KERNEL_AT + MULTIBOOT2_HEADER_SIZE
    header = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1, entry, 64,
                         0, 0, 64, 56, 1, 64, 0, 0)
    program_header = struct.pack("<IIQQQQQQ", 1, 5, KERNEL_CODE, KERNEL_AT, KERNEL_AT,
                                 len(segment), len(segment), KERNEL_CODE)
    return (header + program_header).ljust(KERNEL_CODE, b"\0") + segment


def our_disk(copy: Path, kernel: bytes) -> bytes:
    """The image of a disk with chapter 7's loader and this kernel."""
    parts, image = copy / "build" / CHAPTER, copy / "ours.img"
    (copy / "kernel").write_bytes(kernel)
    subprocess.run([sys.executable, copy / "common/make/image.py",
                    "--output", image, "--boot-sector", parts / "first_stage.bin",
                    "--second-stage", parts / "loader_bios.bin", "--loader", parts / "loader.bin",
                    "--kernel-file", copy / "kernel"], check=True, stdout=subprocess.DEVNULL)
    return image.read_bytes()


def fat_disk(copy: Path, kernel: bytes) -> bytes:
    """The image of a disk with chapter 11's loaders and this kernel."""
    parts, image = copy / "build" / FAT_CHAPTER, copy / "fat.img"
    (copy / "kernel").write_bytes(kernel)
    subprocess.run([sys.executable, copy / "common/make/gpt_image.py",
                    "--output", image, "--boot-sector", parts / "first_stage.bin",
                    "--second-stage", parts / "loader_bios.bin", "--loader", parts / "loader.bin",
                    "--efi", parts / "BOOTX64.EFI", "--file", f"kernel.elf={copy / 'kernel'}"],
                   check=True, stdout=subprocess.DEVNULL)
    return image.read_bytes()


def loader_size(disk: bytes) -> int:
    """How many bytes the first and the second stage have on a disk of ours."""
    head = disk[FIRST_STAGE_SECTORS * SECTOR:]  # struct second_stage; at 4, its sectors
    return (FIRST_STAGE_SECTORS + int.from_bytes(head[4:6], "little")) * SECTOR


def bare_disk(copy: Path, ours: bytes, kernel: bytes) -> bytes:
    """Our disk with another boot sector, which only reads the sectors of the kernel file."""
    code = assemble(copy, "bare.asm", FIRST=loader_size(ours) // SECTOR + 1,
                    SECTORS=-(-len(kernel) // SECTOR))
    return code + ours[len(code):]


def with_stopwatch(copy: Path, name: str, disk: bytes) -> Path:
    """Write a disk to a file, its boot sector behind it, and the stopwatch in its place."""
    stopwatch = assemble(copy, "stopwatch.asm", REAL=len(disk) // SECTOR, TIMER=TIMER, TICKS=TICKS)
    image = copy / f"{name}-timed.img"
    image.write_bytes(stopwatch + disk[BOOT_CODE_SIZE:] + disk[:SECTOR])
    return image


# -- machines -------------------------------------------------------------------------------------


def read(image: Path, disk: str, *extra: str, firmware: str = "bios") -> Reading:
    """Boot, wait for the 32 digits of report.inc, and take them apart."""
    with Machine(image, disk=disk, memory=MEMORY, firmware=firmware,
                 extra=["-mem-prealloc", *extra]) as machine:
        # Not machine.expect(), which looks at the CPU a hundred times a second, and for that
        # QEMU stops it.
        machine.com1.expect("[0-9a-f]{32}", timeout=SLOWEST)
        digits = machine.com1.match[0]
    return Reading(int(digits[:16], 16), int(digits[16:24], 16), int(digits[24:], 16))


def instructions(image: Path, disk: str, firmware: str = "bios", shift: int = 0,
                 runs: int = COUNTING_RUNS) -> tuple[int, int, int]:
    """Instructions from boot sector to kernel; these and waiting; those of the firmware.

    The two shifts are this one and the next. All is divided by what an instruction takes.
    """
    once, twice = ([read(image, disk, "-icount", f"shift={each},sleep=off", firmware=firmware)
                    for _ in range(runs)] for each in (shift, shift + 1))
    found = (min(run.loading for run in twice) - min(run.loading for run in once),
             min(run.loading for run in once),
             min(run.firmware for run in twice) - min(run.firmware for run in once))
    return tuple(nanoseconds >> shift for nanoseconds in found)
