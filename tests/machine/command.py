"""QEMU's command line, the same for tests, for `run` and for `screen`."""
from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Optional

from .errors import MachineError, MissingProgram

# How the image is attached. `{drive}` is the id of the drive that holds it.
DISKS = {
    "ide": ["-device", "ide-hd,drive={drive},bus=ide.0,bootindex=0"],
    "ahci": ["-device", "ide-hd,drive={drive},bus=ide.0,bootindex=0"],
    "virtio": ["-device", "virtio-blk-pci,drive={drive},bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive={drive},bootindex=0"],
    "floppy": ["-device", "floppy,drive={drive}", "-boot", "a"],
}


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
                 memory: str = "64M", cpu: Optional[str] = None,
                 board: Optional[str] = None) -> list[str]:
    """Return QEMU's arguments for a PC that boots `image`, without display and consoles.

    disk: a key of DISKS. memory: with unit, "64M". cpu: a QEMU model, or None for its
    default. board: "pc" (1996, IDE) or "q35" (2009, AHCI); None takes what `disk` needs.
    """
    if disk not in DISKS:
        raise MachineError(f"Unknown disk {disk!r}: choose one of {', '.join(DISKS)}.")
    board = board or ("q35" if disk == "ahci" else "pc")
    if (disk == "ahci" and board != "q35") or (disk == "ide" and board == "q35"):
        raise MachineError(f"The board {board} has no {disk} disk: an IDE disk needs "
                           "the board pc, an AHCI disk the board q35.")
    if not Path(image).is_file():
        raise MachineError(f"Cannot find the disk image {image}: build it with make.")
    # A comma separates options; doubled, it is part of the file's name.
    file = str(image).replace(",", ",,")
    return [
        find_qemu(),
        "-machine", board,
        # Not KVM: it ignores the A20 gate, and readers' CI has none.
        "-accel", "tcg",
        "-m", memory,
        *(["-cpu", cpu] if cpu else []),
        # Nothing that we did not ask for: no network to boot from, no CD, no floppy.
        "-nodefaults", "-no-user-config",
        "-vga", "std",
        # The guest may write, but into a temporary file. So the image stays as it was
        # built, and any number of machines can boot it at the same time.
        "-drive", f"id=image,if=none,format=raw,snapshot=on,file={file}",
        *(argument.format(drive="image") for argument in DISKS[disk]),
        # Stop with screen and registers still readable, instead of starting again.
        "-action", "reboot=shutdown,shutdown=pause",
    ]
