"""The kernels of the conformance tests, and every loader that can start them.

    kernel = built("entered")           # tests/kernels/entered.asm; how: kernels.mk
    kernel = made([Part(READ, 0xffffffff80400000, b"constants")])
    image = LOADERS["bios"].image(kernel, folder)

A kernel does one thing and halts, or faults. It never says that all is well: that is seen
from outside.
"""
from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from alone import symbols
from conftest import BUILD, ROOT, folder_of, run_make
from machine import Machine

PAGE, MIB = 4096, 1 << 20
KERNEL_BASE = 0xFFFFFFFF80000000        # where a kernel goes that runs at any address
EXECUTE, WRITE, READ = 1, 2, 4

ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK = 1, 2, 3, 0x6474E551
DT_RELA, DT_RELASZ = 7, 8
RELATIVE, IRELATIVE = 8, 37             # types of relocations
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<qQ")
RELOCATION = struct.Struct("<QQq")
# Where a member is in its struct, and how it is written.
E_MACHINE, E_ENTRY = (18, "<H"), (24, "<Q")
P_TYPE, P_FLAGS, P_VADDR, P_MEMSZ = (0, "<I"), (4, "<I"), (16, "<Q"), (40, "<Q")
R_INFO = (8, "<Q")
STACK_DEFAULT = 64 << 10


def page_down(address: int) -> int:
    return address & -PAGE


def page_up(address: int) -> int:
    return -(-address // PAGE) * PAGE


class ProgramHeader(NamedTuple):
    """An entry of an ELF file's program headers."""

    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    alignment: int


class Kernel:
    """An ELF file that is known to be good, as a list of what belongs where."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.read_bytes()
        fields = HEADER.unpack_from(self.file)
        self.position_independent = fields[1] == ET_DYN
        self.entry, self.headers_at, count = fields[4], fields[5], fields[10]
        self.headers = [
            ProgramHeader(*PROGRAM_HEADER.unpack_from(
                self.file, self.headers_at + i * PROGRAM_HEADER.size)) for i in range(count)]
        self.segments = [header for header in self.headers
                         if header.kind == PT_LOAD and header.memory_size]
        self.base = page_down(self.segments[0].address)
        self.size = page_up(max(s.address + s.memory_size for s in self.segments)) - self.base
        asked = sum(header.memory_size for header in self.headers
                    if header.kind == PT_GNU_STACK)
        self.stack_size = page_up(asked) or STACK_DEFAULT

    @property
    def symbols(self) -> dict[str, int]:
        """Name and address of each symbol, as `nm` reads them."""
        return symbols(self.path)

    @property
    def slide(self) -> int:
        """How far a loader moves it."""
        return KERNEL_BASE - self.base if self.position_independent else 0

    def image(self) -> bytes:
        """What must be in memory from its lowest page to its highest."""
        image = bytearray(self.size)
        for segment in self.segments:
            at = segment.address - self.base
            image[at:at + segment.file_size] = self.file[
                segment.offset:segment.offset + segment.file_size]
        for address, addend in self.relocations(image):
            value = addend + self.slide & (1 << 64) - 1
            struct.pack_into("<Q", image, address - self.base, value)
        return bytes(image)

    def relocations(self, image: bytes) -> list[tuple[int, int]]:
        """Address and addend of each; all are of one type, RELATIVE."""
        found: list[tuple[int, int, int]] = []
        for header in self.headers:
            if header.kind == PT_DYNAMIC:
                at = header.address - self.base
                tags = dict(DYNAMIC.iter_unpack(image[at:at + header.memory_size]))
                table = tags[DT_RELA] - self.base
                found += RELOCATION.iter_unpack(image[table:table + tags[DT_RELASZ]])
        return [(address, addend) for address, _, addend in found]

    def changed(self, folder: Path, *changes: tuple[int, tuple[int, str], int]) -> Path:
        """A copy in which members have other values: (offset of the struct, member, value)."""
        file = bytearray(self.file)
        for at, (offset, code), value in changes:
            struct.pack_into(code, file, at + offset, value)
        assert file != self.file
        (folder / "changed.elf").write_bytes(file)
        return folder / "changed.elf"

    def header_at(self, number: int) -> int:
        """The offset in the file of a program header: what changed() wants."""
        return self.headers_at + number * PROGRAM_HEADER.size

    def segment_at(self, flags: int) -> int:
        """The same, of the first segment with these permissions."""
        return next(self.header_at(i) for i, header in enumerate(self.headers)
                    if header in self.segments and header.flags == flags)


def built(name: str) -> Kernel:
    """Return a kernel of tests/kernels/."""
    build()
    return Kernel(BUILD / "kernels" / f"{name}.elf")


@cache
def build() -> None:
    """Build all of them: make knows which are old."""
    done = run_make("-s", "-f", "tests/kernels/kernels.mk")
    if done.returncode:
        raise RuntimeError(f"Cannot build the kernels of the tests:\n{done.stdout}")


class Part(NamedTuple):
    """A segment of a kernel that is made here: its file begins where `data` says."""

    flags: int
    address: int
    data: bytes
    memory_size: int = 0                # 0: as many bytes as there are in the file
    alignment: int = PAGE


HALT = bytes.fromhex("f4 eb fd")        # hlt; jmp back to it


def made(path: Path, parts: Sequence[Part] = (), *, base: int = KERNEL_BASE,
         stack_size: int = 0) -> Kernel:
    """Write a kernel that halts at once, at `base`, and has these segments besides.

    Segments with the same bytes share them in the file.
    """
    parts = [Part(READ | EXECUTE, base, HALT), *parts]
    places: dict[bytes, int] = {}
    file = bytearray(page_up(HEADER.size + (len(parts) + 1) * PROGRAM_HEADER.size))
    headers = [PROGRAM_HEADER.pack(PT_GNU_STACK, READ | WRITE, 0, 0, 0, 0, stack_size, 16)]
    for part in parts:
        if part.data not in places:
            file += bytes(-len(file) % PAGE)
            places[part.data] = len(file)
            file += part.data
        headers.append(PROGRAM_HEADER.pack(
            PT_LOAD, part.flags, places[part.data], part.address, part.address,
            len(part.data), part.memory_size or len(part.data), part.alignment))
    header = HEADER.pack(b"\x7fELF\x02\x01\x01", ET_EXEC, 62, 1, base, HEADER.size, 0, 0,
                         HEADER.size, PROGRAM_HEADER.size, len(headers), 0, 0, 0)
    file[:HEADER.size] = header
    file[HEADER.size:HEADER.size + len(headers) * PROGRAM_HEADER.size] = b"".join(headers)
    path.write_bytes(file)
    return Kernel(path)


class Loader:
    """What a loader needs to start a kernel, and what is promised of it alone."""

    name: str                           # as boot_info has it
    firmware: int                       # likewise
    machine: dict[str, Any] = {}        # options of Machine that it needs
    memory = "64M"                      # of a machine if nothing is said of it
    little: tuple[str, int] = ("16M", 14 * MIB)   # a small machine; .bss that it has room for
    taken = MIB // 4                    # of memory above 1 MiB, by the firmware and by us
    scarce: tuple[str, ...] = ("the kernel", "the kernel's stack")  # what may not fit
    disks: tuple[str, ...]
    edges: tuple[int, ...]              # sizes of files between which it does something else

    def image(self, kernel: Path, folder: Path) -> Path:
        """Write a disk image with this kernel file to `folder`."""
        raise NotImplementedError

    def said(self, machine: Machine) -> list[str]:
        """The lines that it has printed on COM1."""
        return machine.serial.split("\r\n")[:-1]

    def assert_said(self, machine: Machine, sentence: str) -> None:
        """A sentence and nothing else, in whole words, on the screen and on COM1."""
        lines = self.said(machine)
        assert " ".join(lines) == sentence
        assert all(len(line) < 80 for line in lines)
        assert not machine.screen().differs_from(lines)


class BiosLoader(Loader):
    """Chapter 7's loader, from a raw disk."""

    name = "First Light, BIOS"
    firmware = 1
    disks = ("ide", "ahci", "virtio", "usb", "floppy")
    # It reads so much at once, and copies so much at once.
    window, buffer = 127 * 512, 7 * 127 * 512
    edges = (window - 512, window - 511, window, window + 1,
             buffer - 1, buffer, buffer + 1, buffer + window + 512)

    def image(self, kernel: Path, folder: Path) -> Path:
        parts, image = BUILD / folder_of("elf-kernel"), folder / "bios.img"
        run_tool("image.py", "--output", image, "--boot-sector", parts / "first_stage.bin",
                 "--second-stage", parts / "loader_bios.bin", "--loader", parts / "loader.bin",
                 "--kernel-file", kernel)
        return image


class FatLoader(BiosLoader):
    """Chapter 11's stages, which find the file in a file system."""

    disks = ("ide", "ahci", "virtio", "usb", "nvme")

    def image(self, kernel: Path, folder: Path) -> Path:
        parts, image = BUILD / folder_of("disk-image"), folder / "fat.img"
        run_tool("gpt_image.py", "--output", image, "--efi", parts / "BOOTX64.EFI",
                 "--boot-sector", parts / "first_stage.bin",
                 "--second-stage", parts / "loader_bios.bin", "--loader", parts / "loader.bin",
                 "--file", f"kernel.elf={kernel}")
        return image


class EfiLoader(Loader):
    """Chapter 10's loader. What it prints, the firmware's console has on COM1 as well."""

    name = "First Light, UEFI"
    firmware = 2
    machine = {"firmware": "uefi"}
    memory = "128M"
    little = ("128M", 32 * MIB)         # OVMF leaves two pieces of less than 40 MiB
    taken = 60 * MIB
    scarce = ("the kernel",)
    disks = ("ide", "ahci", "virtio", "usb", "nvme")
    edges = (2 * PAGE + 1, MIB - 1, MIB, 2 * MIB + 1)   # it reads a MiB at once

    def image(self, kernel: Path, folder: Path) -> Path:
        image = folder / "efi.img"
        run_tool("gpt_image.py", "--output", image, "--file", f"kernel.elf={kernel}",
                 "--efi", BUILD / folder_of("uefi-loader") / "BOOTX64.EFI")
        return image

    def said(self, machine: Machine) -> list[str]:
        return machine.plain_serial.rpartition("BdsDxe: starting")[2].split("\n")[1:]

    def assert_said(self, machine: Machine, sentence: str) -> None:
        lines = self.said(machine)
        assert " ".join(lines) == f"{sentence} {sentence}"
        assert all(len(line) < 80 for line in lines)


def run_tool(tool: str, *arguments: object) -> None:
    """Run a program of common/make."""
    subprocess.run([sys.executable, ROOT / "common/make" / tool, *map(str, arguments)],
                   check=True, stdout=subprocess.DEVNULL)


LOADERS: dict[str, Loader] = {"bios": BiosLoader(), "fat": FatLoader(), "efi": EfiLoader()}
