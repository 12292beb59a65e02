"""QEMU's command line, the same for tests, for `run` and for `screen`."""
from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Optional

from .build import find_ovmf
from .errors import MachineError, MissingProgram

# How the image is attached. `{drive}` is the id of the drive that holds it.
DISKS = {
    "ide": ["-device", "ide-hd,drive={drive},bus=ide.0,bootindex=0"],
    "ahci": ["-device", "ide-hd,drive={drive},bus=ide.0,bootindex=0"],
    "virtio": ["-device", "virtio-blk-pci,drive={drive},bootindex=0"],
    "nvme": ["-device", "nvme,serial=1,drive={drive},bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive={drive},bootindex=0"],
    "floppy": ["-device", "floppy,drive={drive}", "-boot", "a"],
}
# OVMF needs more memory than a BIOS to unpack itself.
MEMORY = {"bios": "64M", "uefi": "128M"}
# OVMF that checks signatures lets only code in system management mode write variables.
SMM = ["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"]


def find_qemu() -> str:
    """Return the path of QEMU: $QEMU if set, else qemu-system-x86_64 in PATH."""
    name = os.environ.get("QEMU") or "qemu-system-x86_64"
    path = shutil.which(name)
    if path is None:
        raise MissingProgram(
            f"Cannot find {name}, which plays the PC: install qemu-system-x86 (apt, dnf, "
            "pacman), qemu-x86 (zypper) or qemu (brew), or set QEMU to its path.")
    return path


def qemu_command(image: os.PathLike[str] | str, *, disk: str = "ide",
                 memory: Optional[str] = None, cpu: Optional[str] = None,
                 board: Optional[str] = None, firmware: str = "bios", vga: str = "std",
                 secure_boot: bool = False) -> list[str]:
    """Return QEMU's arguments for a PC that boots `image`, without display and consoles.

    disk: a key of DISKS. memory: with unit, "64M"; None takes MEMORY's. cpu: a QEMU model,
    or None for its default. board: "pc" (1996, IDE) or "q35" (2009, AHCI); None takes what
    `disk` needs. firmware: a key of MEMORY; with UEFI, secure_boot: start only what is
    signed (not on the board pc). vga: a graphics card of QEMU: std, virtio, qxl, none.
    """
    if firmware not in MEMORY:
        raise MachineError(f"Unknown firmware {firmware!r}: choose one of "
                           f"{', '.join(MEMORY)}.")
    if disk not in DISKS:
        raise MachineError(f"Unknown disk {disk!r}: choose one of {', '.join(DISKS)}.")
    board = board or ("q35" if disk == "ahci" else "pc")
    if (disk == "ahci" and board != "q35") or (disk == "ide" and board == "q35"):
        raise MachineError(f"The board {board} has no {disk} disk: an IDE disk needs "
                           "the board pc, an AHCI disk the board q35.")
    if secure_boot and (firmware != "uefi" or board == "pc"):
        raise MachineError("Secure Boot needs UEFI and the board q35, with another disk "
                           "than IDE.")
    # A stick is a file, too, for who may read it.
    if not (Path(image).is_file() or Path(image).is_block_device()):
        raise MachineError(f"Cannot find the disk image {image}: build it with make.")
    return [
        find_qemu(),
        "-machine", board,
        # Not KVM: it ignores the A20 gate, and readers' CI has none.
        "-accel", "tcg",
        "-m", memory or MEMORY[firmware],
        *(["-cpu", cpu] if cpu else []),
        # Nothing that we did not ask for: no network to boot from, no CD, no floppy.
        "-nodefaults", "-no-user-config",
        "-vga", vga,
        *(flash(*find_ovmf(secure_boot)) if firmware == "uefi" else []),
        *(SMM if secure_boot else []),
        # The guest may write, but into a temporary file. So the image stays as it was
        # built, and any number of machines can boot it at the same time.
        "-drive", f"id=image,if=none,format=raw,snapshot=on,file={quoted(image)}",
        *(argument.format(drive="image") for argument in DISKS[disk]),
        # Stop with screen and registers still readable, instead of starting again.
        "-action", "reboot=shutdown,shutdown=pause",
    ]


def flash(code: str, variables: str) -> list[str]:
    """Return the arguments for a flash memory with OVMF's two files.

    The firmware may write to its variables, but as with the image: each machine begins
    with those of the template, and what it changes is gone with it.
    """
    return [
        "-drive", f"if=pflash,unit=0,format={format_of(code)},readonly=on,file={quoted(code)}",
        "-drive", f"if=pflash,unit=1,format={format_of(variables)},snapshot=on,"
                  f"file={quoted(variables)}",
    ]


def format_of(file: str) -> str:
    return "qcow2" if file.endswith(".qcow2") else "raw"


def quoted(file: os.PathLike[str] | str) -> str:
    """A comma separates options; doubled, it is part of the file's name."""
    return str(file).replace(",", ",,")
