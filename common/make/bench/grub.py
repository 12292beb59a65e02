"""GRUB as a BIOS boots it, and as UEFI does; made as quick for GRUB as we know how.

No menu, no timeout and no grub.cfg: GRUB obeys a configuration inside its core image, which
names the kernel.

For a BIOS it names a module, too. The modules lie beside the kernel on a FAT partition; the
core image has only what reads that. (multiboot2 needs linux, and so normal, with all that
belongs to them: with everything in the core image GRUB takes three times as many instructions,
most of them to unpack it.) The size of the clusters makes no difference that could be measured
for big kernels; for a small one 4 KiB is the best.

For UEFI the core image is a program with all modules in it: the firmware loads it, which we do
not count, and nothing is to be unpacked. Here, too, the size of the clusters does not matter.

Source: GRUB manual, "Images" and "BIOS installation".
"""
from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import doctor

SECTOR = 512
BOOT_CODE_SIZE = 446
FIRST = 2048                            # the partition's first sector; before it is GRUB's core
FAT32_LBA = 0x0C
BEYOND_CHS = b"\xfe\xff\xff"
CLUSTER = 8                             # in sectors
MIB = 1 << 20
ROOM = 34 * MIB                         # beside the kernel: GRUB's modules, FAT's tables

READS_FAT = ("biosdisk", "part_msdos", "fat")
CONFIGURATION = "insmod multiboot2\nmultiboot2 (hd0,msdos1)/kernel\nboot\n"

FOR_UEFI = ("part_gpt", "fat", "multiboot2")
CONFIGURATION_FOR_UEFI = "multiboot2 (hd0,gpt1)/kernel.elf\nboot\n"


def missing(tool: str = "grub") -> str:
    """Why there is no GRUB to compare with, in a sentence; empty if there is."""
    for name, why in ((tool, ""), ("mtools", "it makes GRUB's disk")):
        if not find(name).usable:
            return doctor.missing_sentence(name, why)
    return ""


def disk(folder: Path, kernel: bytes) -> bytes:
    """The image of a disk with GRUB and this kernel."""
    modules = Path(find("grub").where).parent
    core = core_image(folder, modules, "(hd0,msdos1)/", CONFIGURATION, READS_FAT).read_bytes()
    (folder / "kernel").write_bytes(kernel)

    # boot.img looks for the core image in sector 1, and the core image for the rest of
    # itself in sector 2: what grub-bios-setup would write there is there already.
    size = (len(kernel) + ROOM) // MIB * MIB
    image = bytearray(size)
    image[:BOOT_CODE_SIZE] = (modules / "boot.img").read_bytes()[:BOOT_CODE_SIZE]
    image[SECTOR:SECTOR + len(core)] = core
    sectors = size // SECTOR - FIRST
    struct.pack_into("<B3sB3sII", image, BOOT_CODE_SIZE, 0x80, BEYOND_CHS, FAT32_LBA,
                     BEYOND_CHS, FIRST, sectors)
    image[SECTOR - 2:SECTOR] = b"\x55\xaa"

    file = folder / "grub.img"
    file.write_bytes(image)
    partition = ("-i", f"{file}@@{FIRST * SECTOR}")
    run("mformat", *partition, "-T", sectors, "-h", 16, "-s", 63, "-H", FIRST, "-c", CLUSTER, "::")
    run("mmd", *partition, "::i386-pc")
    run("mcopy", *partition, *needed_by(modules, "multiboot2"), "::i386-pc")
    run("mcopy", *partition, folder / "kernel", "::kernel")
    return file.read_bytes()


def efi_program(folder: Path) -> Path:
    """GRUB as a program for UEFI, which loads kernel.elf from the first partition of a disk."""
    modules = Path(find("grub-efi").where).parent
    return core_image(folder, modules, "(hd0,gpt1)/", CONFIGURATION_FOR_UEFI, FOR_UEFI)


def core_image(folder: Path, modules: Path, prefix: str, configuration: str,
               inside: tuple[str, ...]) -> Path:
    """GRUB's core image with these modules inside, for the machine for which they are."""
    mkimage = shutil.which("grub-mkimage") or shutil.which("grub2-mkimage")
    (folder / "grub.cfg").write_text(configuration)
    run(mkimage, "-d", modules, "-O", modules.name, "-p", prefix,
        "-c", folder / "grub.cfg", "-o", folder / "core.img", *inside)
    return folder / "core.img"


def find(name: str) -> doctor.Finding:
    tool = next(tool for tool in doctor.TOOLS if tool.name == name)
    return doctor.find(tool, with_version=False)


def needed_by(modules: Path, module: str) -> list[Path]:
    """The files of a module of GRUB and of all that it depends on."""
    lines = (modules / "moddep.lst").read_text().splitlines()
    needs = {line.split(":")[0]: line.split(":")[1].split() for line in lines}
    found = [module]
    for name in found:
        found += [other for other in needs[name] if other not in found]
    return [modules / f"{name}.mod" for name in found]


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
