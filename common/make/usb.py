#!/usr/bin/env python3
"""Write a disk image to a whole USB stick or memory card, after a look and a question.

    usb.py IMAGE DEVICE         make usb DEVICE=/dev/sdX

It writes to a removable or USB disk alone, of which nothing is mounted or in other use. It
shows what is on the disk and has its name typed again. Then it writes, reads back and
compares. The backup of a GPT goes to the end of the disk, where firmware looks for it.

Exits with 1 and a sentence on standard error where it refuses or fails. Linux alone:
docs/real-hardware.md has the commands for other systems.

Sources: lsblk(8), open(2) for O_EXCL on a disk, linux/fs.h for the two ioctls; UEFI
specification, "GUID Partition Table (GPT) Disk Layout".
"""
from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import doctor
from disk_layout import GPT_SIGNATURE, MBR_ENTRY
from gpt_image import TABLE_SECTORS, tables
from image import MIB, PARTITION_TABLE, SECTOR

COLUMNS = "NAME,PKNAME,TYPE,RM,TRAN,RO,SIZE,LOG-SEC,MODEL,VENDOR,SERIAL,LABEL,FSTYPE,MOUNTPOINTS"
GUIDE = "docs/real-hardware.md"
CHUNK = 4 * MIB
TABLES_SIZE = (1 + TABLE_SECTORS) * SECTOR  # of a GPT header and its entries

BLKRRPART = 0x125F      # read the partition table again
BLKFLSBUF = 0x1261      # forget what was read

Node = dict[str, Any]   # a device as lsblk tells it: the columns, and children


class Refusal(Exception):
    """Why nothing was written, or why it went wrong: a sentence."""


# ---- what is there -----------------------------------------------------------------------------


def look(*device: str) -> list[Node]:
    """A device with all that is in it or built on it; without one, all devices."""
    if not shutil.which("lsblk"):
        raise Refusal(doctor.missing_sentence("lsblk", "it tells what is on a disk"))
    done = subprocess.run(["lsblk", "--json", "--bytes", "--paths", "--output", COLUMNS, *device],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"lsblk tells nothing of {''.join(device)}: "
                      f"{done.stderr.strip() or 'perhaps there is no medium in it'}.")
    return json.loads(done.stdout)["blockdevices"]


def walk(node: Node) -> Iterator[Node]:
    """A device, its partitions, and what is built on them."""
    yield node
    for child in node.get("children", ()):
        yield from walk(child)


def mounts(node: Node) -> list[str]:
    return [place for place in node["mountpoints"] if place]


def words(node: Node) -> str:
    """A disk as its owner knows it."""
    parts = [" ".join(filter(None, ((node[key] or "").strip() for key in ("vendor", "model")))),
             node["serial"] and f"serial number ends in {node['serial'].strip()[-4:]}",
             printed(node["size"])]
    return ", ".join(filter(None, parts))


def printed(size: int) -> str:
    """A size as it is printed on a stick: in powers of ten."""
    return f"{size / 10**9:.1f} GB" if size >= 10**9 else f"{size / 10**6:.0f} MB"


def contents(disk: Node) -> str:
    """Model and size of a disk; and a line for each partition, or for what else is on it."""
    nodes = [node for node in walk(disk) if node is not disk or node["fstype"]]
    return "\n".join([f"{disk['name']}: {words(disk)}", *(
        f"  {node['name']}  {printed(node['size'])}  {node['fstype'] or 'no file system known'}"
        + (f"  \"{node['label']}\"" if node["label"] else "") for node in nodes)])


# ---- what speaks against it --------------------------------------------------------------------


def is_stick(disk: Node) -> bool:
    """lsblk's HOTPLUG is no help: it is true of soldered eMMC, too."""
    return disk["type"] == "disk" and (disk["rm"] or disk["tran"] == "usb")


def use_of(node: Node) -> str:
    """What a part of a disk is in use for; empty if for nothing."""
    name = node["name"]
    if "[SWAP]" in mounts(node):
        return f"{name} is used as swap: sudo swapoff {name}"
    if mounts(node):
        return f"{name} is mounted at {mounts(node)[0]}: sudo umount {name}"
    if node["type"] not in ("disk", "part"):
        return f"{name} ({node['type']}) is built on it: stop that first"
    return ""


def refusal(disk: Node, size: int, user: int) -> str:
    """Why a user, known by number, may not write `size` bytes to a device; empty if nothing
    speaks against it."""
    name, below = disk["name"], list(walk(disk))
    if disk["type"] == "part":
        return f"{name} is a partition: name the whole disk, {disk['pkname']}."
    if disk["type"] != "disk":
        return f"{name} is not a disk: lsblk calls it {disk['type']}."
    if any("/" in mounts(node) for node in below):
        return f"{name} is the disk that this system runs from."
    if not is_stick(disk):
        return f"{name} is neither removable nor on USB: {words(disk)}."
    if not disk["size"]:
        return f"There is no medium in {name}."
    if disk["ro"]:
        return f"{name} is read-only: look for a switch at its side."
    used = next(filter(None, map(use_of, below)), "")
    if used:
        return f"{name} is in use: {used}"
    if disk["log-sec"] != SECTOR:
        return f"{name} has sectors of {disk['log-sec']} bytes: the image is made for {SECTOR}."
    if disk["size"] < size:
        return f"{name} is too small: it has {disk['size']} bytes, the image {size}."
    if user:
        return f"Only root may write to {name}: sudo make usb DEVICE={name}"
    return ""


def find_disk(device: str, size: int) -> Node:
    """The disk that may be written, or a Refusal."""
    if not device:
        sticks = [f"{disk['name']} ({words(disk)})" for disk in look() if is_stick(disk)]
        raise Refusal("Which disk? make usb DEVICE=/dev/sdX takes the path of a whole stick. Here "
                      "are: " + (", ".join(sticks) or "none."))
    path = os.path.realpath(device)
    if not os.path.exists(path):
        raise Refusal(f"There is no {device}.")
    if not stat.S_ISBLK(os.stat(path).st_mode):
        raise Refusal(f"{device} is not a disk: it is not even a block device.")
    disk = look(path)[0]
    why_not = refusal(disk, size, os.geteuid())
    if why_not:
        raise Refusal(why_not)
    return disk


def open_alone(disk: Node) -> int:
    """Open a disk so that nobody can mount it meanwhile, and so that it stays this disk: one
    that is pulled out gives errors, also when another one gets its name."""
    name = disk["name"]
    try:
        opened = os.open(name, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
    except OSError as error:
        why = "in use" if error.errno == errno.EBUSY else os.strerror(error.errno)
        raise Refusal(f"Cannot open {name}: {why}.") from error
    if os.lseek(opened, 0, os.SEEK_END) != disk["size"]:
        os.close(opened)
        raise Refusal(f"{name} has changed: try again.")
    return opened


def ask(disk: Node, image: Path) -> None:
    """Show what will be lost, and have the disk's name typed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("Nobody can answer the question here: run make usb in a terminal.")
    print(contents(disk))
    print(f"All of it will be lost to {image}, {image.stat().st_size // MIB} MiB.")
    name = disk["name"]
    try:
        answer = input(f"To write it, type the name of the disk again ({name}): ").strip()
    except (EOFError, KeyboardInterrupt):
        print()
        answer = ""
    if answer not in (name, os.path.basename(name)):
        raise Refusal("Nothing was written.")


# ---- writing -----------------------------------------------------------------------------------


def ends(image: Path, size: int) -> tuple[bytes, bytes]:
    """What of a GPT is another on a disk of `size` bytes: its first and its last sectors.

    sgdisk moves the backup to the end, in a file that has the ends of the image and the size
    of the disk. It would write an MBR of its own, without our code and our active entry: take
    only the entry that covers the disk. Both are empty for an image without GPT.
    """
    with open(image, "rb") as source, tempfile.NamedTemporaryFile() as disk:
        first = source.read(TABLES_SIZE + SECTOR)
        if first[SECTOR:SECTOR + len(GPT_SIGNATURE)] != GPT_SIGNATURE:
            return b"", b""
        source.seek(-TABLES_SIZE, os.SEEK_END)
        disk.write(first)
        disk.seek(source.tell())
        disk.write(source.read())
        disk.truncate(size)
        head, tail = tables(Path(disk.name), "--move-second-header")
    entry = slice(PARTITION_TABLE, PARTITION_TABLE + MBR_ENTRY.size)
    return first[:entry.start] + head[entry] + first[entry.stop:SECTOR] + head[SECTOR:], tail


def pieces(image: Path, size: int, head: bytes, tail: bytes) -> Iterator[tuple[int, bytes]]:
    """What a disk of `size` bytes shall hold: where, and what."""
    end = image.stat().st_size - len(tail)
    if head:
        yield 0, head
    with open(image, "rb") as file:
        for place in range(len(head), end, CHUNK):
            file.seek(place)
            yield place, file.read(min(CHUNK, end - place))
    if tail:
        yield size - len(tail), tail


def progress(word: str, done: int, total: int) -> None:
    print(f"\r{word} {done // MIB} of {total // MIB} MiB ", end="", flush=True)


def write(disk: int, image: Path, size: int) -> None:
    """Write an image to an open disk of `size` bytes, read it back and compare."""
    head, tail = ends(image, size)
    total, done = image.stat().st_size, 0
    for place, data in pieces(image, size, head, tail):
        if os.pwrite(disk, data, place) != len(data):
            raise Refusal(f"The disk took only a part of what was written at byte {place}.")
        os.fsync(disk)  # else the progress would be that of a copy in memory
        done += len(data)
        progress("Writing", done, total)
    print()

    # What is read must come from the disk.
    os.posix_fadvise(disk, 0, 0, os.POSIX_FADV_DONTNEED)
    with contextlib.suppress(OSError):
        fcntl.ioctl(disk, BLKFLSBUF)
    done = 0
    for place, data in pieces(image, size, head, tail):
        if os.pread(disk, len(data), place) != data:
            raise Refusal(f"\nThe disk does not give back what was written at byte {place}: it is "
                          "broken, or smaller than it says.")
        done += len(data)
        progress("Comparing", done, total)
    print()


def finish(disk: int, name: str) -> None:
    """Have the kernel see the new partitions, and say what comes next."""
    try:
        fcntl.ioctl(disk, BLKRRPART)
    except OSError:
        print(f"The kernel still has the old partitions of {name}: take it out and put it in.")
    print(f"{name} is ready. Put it into the machine, choose it in the boot menu of the firmware;\n"
          f"which key opens that menu, and what may stand in the way: {GUIDE}")


def main(image: Path, device: str) -> None:
    if platform.system() != "Linux":
        raise Refusal("make usb knows the disks of Linux alone. How to write "
                      f"{image} to a stick here: {GUIDE}")
    if not image.is_file():
        raise Refusal(f"There is no {image}: build it first.")
    disk = find_disk(device, image.stat().st_size)
    opened = open_alone(disk)
    try:
        ask(disk, image)
        write(opened, image, disk["size"])
        finish(opened, disk["name"])
    except OSError as error:
        raise Refusal(f"\nWriting failed: {error.strerror}. What is on {disk['name']} is "
                      "incomplete now.") from error
    except KeyboardInterrupt:
        raise Refusal(f"\nStopped. What is on {disk['name']} is incomplete now.") from None
    finally:
        os.close(opened)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), "".join(sys.argv[2:]))
    except Refusal as sentence:
        sys.exit(str(sentence))
