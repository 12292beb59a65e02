"""`make usb`: what it refuses, what it asks, and what is on the stick then.

The stick is a loop device, or a file where only the writing is looked at. lsblk calls no
loop device a stick: a command of that name, in front in PATH, does.
"""
from __future__ import annotations

import importlib
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from conftest import ROOT
from test_doctor import add_command
from test_gpt_image import MIB, SECTOR, bios_options, image_in, make_parts, output_of, sbin

MAKE = ROOT / "common/make"
USB = MAKE / "usb.py"
SIZE = 36 * MIB                         # of the image
STICK = 64 * MIB
OLD = b"what was on the stick before. "
QUESTION = "type the name of the disk again"

sys.path.insert(0, str(MAKE))
usb = importlib.import_module("usb")


def node(name: str, **columns: Any) -> dict[str, Any]:
    """A device as lsblk tells it: a stick, if `columns` do not say otherwise."""
    return {"name": name, "pkname": None, "type": "disk", "rm": True, "tran": "usb", "ro": False,
            "size": STICK, "log-sec": SECTOR, "model": "Ultra  ", "vendor": "SanDisk ",
            "serial": "4C530001234567", "label": None, "fstype": None, "mountpoints": [None],
            **columns}


def part(name: str = "/dev/sdb1", **columns: Any) -> dict[str, Any]:
    return node(name, type="part", pkname="/dev/sdb", size=8 * MIB, model=None, vendor=None,
                serial=None, tran=None, **columns)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("usb")
    return image_in(folder, make_parts(folder), *bios_options())


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[str]:
    """A loop device, full of old data."""
    file = tmp_path / "stick"
    file.write_bytes((OLD * (STICK // len(OLD) + 1))[:STICK])
    done = subprocess.run([sbin("losetup"), "--find", "--show", file], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        pytest.skip(f"there are no loop devices here: {done.stdout.strip()}")
    yield done.stdout.strip()
    subprocess.run([sbin("losetup"), "--detach", done.stdout.strip()], check=True)


def world(folder: Path, device: dict[str, Any]) -> dict[str, str]:
    """An environment in which lsblk tells of one device."""
    folder = folder / "bin"
    folder.mkdir()
    answer = json.dumps({"blockdevices": [device]})
    add_command(folder, "lsblk", f"cat <<'END'\n{answer}\nEND")
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def run_usb(*arguments: object, **options: Any) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, USB, *map(str, arguments)], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


@pytest.fixture
def terminal(image, stick, tmp_path) -> Iterator[pexpect.spawn]:
    """usb.py in a terminal, at its question about the stick."""
    device = node(stick, children=[part(f"{stick}p1", fstype="vfat", label="HOLIDAYS")])
    with pexpect.spawn(sys.executable, [str(USB), str(image), stick], encoding="utf-8",
                       env=world(tmp_path, device), timeout=60, dimensions=(24, 200)) as spawned:
        spawned.expect_exact(QUESTION)
        yield spawned


def rest_of(terminal: pexpect.spawn) -> tuple[int, str]:
    """The exit status, and what it still says."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, terminal.before


# -- what it refuses -----------------------------------------------------------------------------

SDB = "/dev/sdb"
REFUSED = {
    "a partition": (part(), "/dev/sdb1 is a partition: name the whole disk, /dev/sdb."),
    "no disk": (node("/dev/sr0", type="rom"), "/dev/sr0 is not a disk: lsblk calls it rom."),
    "the system's": (node(SDB, children=[part(), part("/dev/sdb2", children=[
        node("/dev/mapper/vg-root", type="lvm", mountpoints=["/"])])]),
        "/dev/sdb is the disk that this system runs from."),
    "built in": (node(SDB, rm=False, tran="sata"),
                 "/dev/sdb is neither removable nor on USB: SanDisk Ultra, serial number ends in "
                 "4567, 67 MB."),
    "soldered": (node("/dev/mmcblk0", rm=False, tran="mmc", hotplug=True, serial=None),
                 "/dev/mmcblk0 is neither removable nor on USB: SanDisk Ultra, 67 MB."),
    "empty reader": (node(SDB, size=0), "There is no medium in /dev/sdb."),
    "read-only": (node(SDB, ro=True), "/dev/sdb is read-only: look for a switch at its side."),
    "mounted": (node(SDB, children=[part(mountpoints=[None, "/media/holidays"])]),
                "/dev/sdb is in use: /dev/sdb1 is mounted at /media/holidays: "
                "sudo umount /dev/sdb1"),
    "mounted whole": (node(SDB, mountpoints=["/mnt"]),
                      "/dev/sdb is in use: /dev/sdb is mounted at /mnt: sudo umount /dev/sdb"),
    "swap": (node(SDB, children=[part(mountpoints=["[SWAP]"])]),
             "/dev/sdb is in use: /dev/sdb1 is used as swap: sudo swapoff /dev/sdb1"),
    "a member": (node(SDB, children=[part(children=[
        node("/dev/md0", type="raid1", mountpoints=[None])])]),
        "/dev/sdb is in use: /dev/md0 (raid1) is built on it: stop that first"),
    "encrypted": (node(SDB, children=[node("/dev/mapper/secret", type="crypt")]),
                  "/dev/sdb is in use: /dev/mapper/secret (crypt) is built on it: stop that first"),
    "other sectors": (node(SDB, **{"log-sec": 4096}),
                      "/dev/sdb has sectors of 4096 bytes: the image is made for 512."),
    "small": (node(SDB, size=SIZE - SECTOR),
              f"/dev/sdb is too small: it has {SIZE - SECTOR} bytes, the image {SIZE}."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_unused_stick_is_refused(case):
    """Each reason has its own sentence; root gets it, too."""
    disk, sentence = REFUSED[case]
    assert usb.refusal(disk, SIZE, 0) == sentence


@pytest.mark.parametrize("columns", [{}, {"rm": False}, {"tran": None}, {"size": SIZE}])
def test_an_unused_stick_is_not_refused(columns):
    """One that says it is removable, or one on USB; with partitions; just big enough."""
    assert usb.refusal(node(SDB, children=[part()], **columns), SIZE, 0) == ""


def test_a_user_is_told_to_become_root():
    """With the command to type; other reasons come first."""
    assert usb.refusal(node(SDB), SIZE, 1000) == (
        "Only root may write to /dev/sdb: sudo make usb DEVICE=/dev/sdb")
    assert "partition" in usb.refusal(part(), SIZE, 1000)


def test_no_device_gets_the_list_of_sticks(image, tmp_path):
    """With what their owner knows them by."""
    done = run_usb(image, "", env=world(tmp_path, node(SDB)))
    assert done.returncode == 1
    assert done.stdout == ("Which disk? make usb DEVICE=/dev/sdX takes the path of a whole stick. "
                           "Here are: /dev/sdb (SanDisk Ultra, serial number ends in 4567, "
                           "67 MB)\n")


def test_the_true_lsblk_is_understood(image):
    """The columns that we ask it for are known to it."""
    sbin("lsblk")
    done = run_usb(image)
    assert done.returncode == 1 and done.stdout.startswith("Which disk? ")


@pytest.mark.parametrize("device, sentence", [
    ("/dev/no-such-disk", "There is no /dev/no-such-disk."),
    (os.devnull, f"{os.devnull} is not a disk: it is not even a block device."),
    (str(USB), f"{USB} is not a disk: it is not even a block device."),
])
def test_what_is_no_block_device_is_refused(image, device, sentence):
    """A path with a mistake in it must not become a file."""
    done = run_usb(image, device)
    assert (done.returncode, done.stdout) == (1, sentence + "\n")


def test_a_missing_image_is_a_sentence(tmp_path):
    """Before any disk is looked at."""
    done = run_usb(tmp_path / "disk.img", SDB)
    assert (done.returncode, done.stdout) == (
        1, f"There is no {tmp_path / 'disk.img'}: build it first.\n")


def test_a_missing_lsblk_is_a_sentence(monkeypatch):
    """Without it nothing is known, so nothing is written."""
    monkeypatch.setattr(usb.shutil, "which", lambda name: None)
    with pytest.raises(usb.Refusal, match="lsblk is missing: it tells what is on a disk"):
        usb.look()


def test_other_systems_are_sent_to_the_guide(monkeypatch, image):
    """macOS has other commands for the same."""
    monkeypatch.setattr(usb.platform, "system", lambda: "Darwin")
    with pytest.raises(usb.Refusal, match="docs/real-hardware.md"):
        usb.main(image, SDB)


# -- the question --------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_written(image, stick, tmp_path):
    """Nobody could answer."""
    before = Path(stick).read_bytes()
    done = run_usb(image, stick, env=world(tmp_path, node(stick)))
    assert (done.returncode, done.stdout) == (
        1, "Nobody can answer the question here: run make usb in a terminal.\n")
    assert Path(stick).read_bytes() == before


def test_the_question_shows_what_will_be_lost(terminal, image):
    """Model, end of the serial number, size; partitions with file system and label."""
    for words in ("SanDisk Ultra, serial number ends in 4567, 67 MB", "8 MB  vfat  \"HOLIDAYS\"",
                  f"All of it will be lost to {image}, 36 MiB."):
        assert words in terminal.before


@pytest.mark.parametrize("answer", ["", "yes", "/dev/sdb", "loop"])
def test_a_wrong_name_writes_nothing(terminal, stick, answer):
    """Only the disk's own name is an answer."""
    before = Path(stick).read_bytes()
    terminal.sendline(answer)
    status, words = rest_of(terminal)
    assert (status, words.splitlines()[-1]) == (1, "Nothing was written.")
    assert Path(stick).read_bytes() == before


@pytest.mark.parametrize("key", ["c", "d"])
def test_ctrl_c_and_ctrl_d_write_nothing(terminal, stick, key):
    """No traceback either."""
    before = Path(stick).read_bytes()
    terminal.sendcontrol(key)
    status, words = rest_of(terminal)
    assert (status, words.splitlines()[-1]) == (1, "Nothing was written.")
    assert "Traceback" not in words and Path(stick).read_bytes() == before


def test_a_disk_that_another_program_holds_is_refused(image, stick, tmp_path):
    """The kernel knows it, also where lsblk does not."""
    held = os.open(stick, os.O_RDONLY | os.O_EXCL)
    try:
        words, status = pexpect.run(f"{sys.executable} {USB} {image} {stick}", withexitstatus=True,
                                    env=world(tmp_path, node(stick)), encoding="utf-8")
    finally:
        os.close(held)
    assert (status, words.strip()) == (1, f"Cannot open {stick}: in use.")


def test_a_disk_of_another_size_than_lsblk_saw_is_refused(image, stick, tmp_path):
    """It was changed in between."""
    words, status = pexpect.run(f"{sys.executable} {USB} {image} {stick}", withexitstatus=True,
                                env=world(tmp_path, node(stick, size=2 * STICK)), encoding="utf-8")
    assert (status, words.strip()) == (1, f"{stick} has changed: try again.")


# -- the writing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("short", [False, True])
def test_the_right_name_writes_the_image(terminal, image, stick, short):
    """All of it but the ends of the table, which fit the bigger disk; sgdisk finds nothing
    wrong; what comes next is said."""
    terminal.sendline(os.path.basename(stick) if short else stick)
    status, words = rest_of(terminal)
    assert status == 0, words
    assert "Writing 36 of 36 MiB" in words and "Comparing 36 of 36 MiB" in words
    assert f"{stick} is ready" in words and "docs/real-hardware.md" in words

    written, made = Path(stick).read_bytes(), image.read_bytes()
    assert written[2 * SECTOR:SIZE - 33 * SECTOR] == made[2 * SECTOR:-33 * SECTOR]
    assert written[SIZE:-33 * SECTOR] == (OLD * (STICK // len(OLD) + 1))[SIZE:STICK - 33 * SECTOR]
    checked = output_of(sbin("sgdisk"), "-v", stick)
    assert "No problems found" in checked and "aution" not in checked


def test_the_boot_code_and_the_active_entry_survive(image, tmp_path):
    """The boot sector changes in one thing: the protective entry covers the bigger disk."""
    disk = written(image, tmp_path, STICK)
    before, after = image.read_bytes()[:SECTOR], disk[:SECTOR]
    assert after[:446] == before[:446] and after[462:] == before[462:]
    assert struct.unpack_from("<B3xB3xII", after, 446) == (0, 0xEE, 1, STICK // SECTOR - 1)


def written(image: Path, folder: Path, size: int) -> bytes:
    """A disk of `size` bytes, a file in this case, after an image has been written to it."""
    file = folder / "disk"
    with open(file, "wb+") as disk:
        disk.truncate(size)
        usb.write(disk.fileno(), image, size)
    return file.read_bytes()


def test_a_disk_as_big_as_the_image_gets_the_image(image, tmp_path):
    """Byte for byte."""
    assert written(image, tmp_path, SIZE) == image.read_bytes()


def test_an_image_without_gpt_is_written_as_it_is(tmp_path):
    """That of an earlier chapter, for a BIOS alone."""
    (tmp_path / "floppy.img").write_bytes(bytes(range(256)) * 5760)
    disk = written(tmp_path / "floppy.img", tmp_path, STICK)
    assert disk == (bytes(range(256)) * 5760).ljust(STICK, b"\0")


def test_a_disk_of_two_tebibytes_has_its_backup_at_its_end(image):
    """The protective entry counts in 32 bits: there it says all it can."""
    size = 3 << 40
    head, tail = usb.ends(image, size)
    assert struct.unpack_from("<I", head, 446 + 12) == (0xFFFFFFFF,)
    assert struct.unpack_from("<Q", head, SECTOR + 32) == (size // SECTOR - 1,)
    assert tail[-SECTOR:].startswith(b"EFI PART")


def test_a_disk_that_gives_back_something_else_is_told(monkeypatch, image, tmp_path):
    """Sticks that are smaller than they say take all and keep a part."""
    pread = os.pread
    monkeypatch.setattr(usb.os, "pread", lambda disk, count, place: (
        pread(disk, count, place) if place < 8 * MIB else bytes(count)))
    (tmp_path / "full.img").write_bytes(b"\xa5" * SIZE)
    with pytest.raises(usb.Refusal, match=f"does not give back what was written at byte {8 * MIB}"):
        written(tmp_path / "full.img", tmp_path, STICK)


def test_a_disk_that_fails_ends_in_a_sentence(monkeypatch, image, tmp_path):
    """And says that what is on it is of no use."""
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")
    shutil.copy(image, tmp_path / "disk")
    monkeypatch.setattr(usb, "find_disk", lambda *_: node(str(tmp_path / "disk"), size=SIZE))
    monkeypatch.setattr(usb, "ask", lambda *_: None)
    monkeypatch.setattr(usb.os, "fsync", fail)
    with pytest.raises(usb.Refusal, match="Writing failed: Input/output error. .* incomplete now"):
        usb.main(image, "")
