"""The image with a GUID partition table: what tools that are not ours say of it."""
from __future__ import annotations

import importlib
import os
import shutil
import struct
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from conftest import ROOT, image_of
from test_doctor import path_without

MAKE = ROOT / "common/make"
GPT_IMAGE = MAKE / "gpt_image.py"
SECTOR, MIB = 512, 1 << 20
ESP = MIB                               # where the EFI System Partition begins
BIOS_BOOT = 34                          # LBA of the BIOS boot partition
STAGE = BIOS_BOOT + 2                   # LBA of the second stage in it
CODE, TABLE = 440, 446                  # where a boot sector's code ends; its table
FAT32_CLUSTERS = 65525                  # a file system with fewer is not FAT32
LOADER = "EFI/BOOT/BOOTX64.EFI"


def sbin(name: str) -> str:
    """A tool of the system administrator's, who alone may have it in PATH; skip without."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return path or pytest.skip(f"{name} is not here")


def output_of(*command: object, **options: object) -> str:
    done = subprocess.run(list(map(str, command)), text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_gpt_image(*arguments: object, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, GPT_IMAGE, *map(str, arguments)], text=True,
                          env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def bios_options() -> list[object]:
    """The stages of a chapter, as options."""
    build = image_of("elf-kernel").parent
    return ["--boot-sector", build / "first_stage.bin",
            "--second-stage", build / "loader_bios.bin", "--loader", build / "loader.bin"]


def make_parts(folder: Path) -> Path:
    """Fill a folder with a loader and a kernel, which are not made to run."""
    (folder / "loader.efi").write_bytes(b"MZ" + bytes(range(256)) * 100)
    (folder / "kernel").write_bytes(b"\x7fELF" + bytes(range(255)) * 300)
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_parts(tmp_path_factory.mktemp("parts"))


def image_in(folder: Path, parts: Path, *more: object, **variables: str) -> Path:
    done = run_gpt_image("--output", folder / "disk.img", "--efi", parts / "loader.efi",
                         "--file", f"kernel.elf={parts / 'kernel'}", *more, **variables)
    assert done.returncode == 0, done.stdout
    return folder / "disk.img"


@pytest.fixture(scope="module")
def uefi_image(parts, tmp_path_factory) -> Path:
    return image_in(tmp_path_factory.mktemp("uefi"), parts)


@pytest.fixture(scope="module")
def both_image(parts, tmp_path_factory) -> Path:
    """An image with stages for a BIOS."""
    return image_in(tmp_path_factory.mktemp("both"), parts, *bios_options())


@pytest.fixture(params=["uefi", "both"])
def image(request) -> Path:
    return request.getfixturevalue(f"{request.param}_image")


def sectors(image: Path, first: int, count: int = 1) -> bytes:
    with open(image, "rb") as file:
        file.seek(first * SECTOR)
        return file.read(count * SECTOR)


def partition(image: Path, folder: Path, size: int = 34 * MIB) -> Path:
    """The EFI System Partition as a file of its own."""
    file = folder / "partition.img"
    file.write_bytes(sectors(image, ESP // SECTOR, size // SECTOR))
    return file


def fat(image: Path) -> tuple[int, int]:
    """By the boot sector of the file system: bytes of a cluster, number of clusters."""
    boot = sectors(image, ESP // SECTOR)
    sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", boot, 11)
    total, fat_size = struct.unpack_from("<I", boot, 32)[0], struct.unpack_from("<I", boot, 36)[0]
    return sector * per_cluster, (total - reserved - fats * fat_size) // per_cluster


# -- the tables ----------------------------------------------------------------------------------


def test_sgdisk_finds_nothing_wrong(image):
    """Neither a problem nor a warning: both headers, all checksums, the protective MBR."""
    words = output_of(sbin("sgdisk"), "-v", image)
    assert "No problems found" in words
    assert not any(word in words.lower() for word in ("warning", "caution", "invalid"))


def test_fdisk_finds_nothing_wrong(image):
    """The other family of partitioning tools reads the same table without a complaint."""
    assert "No errors detected" in output_of(sbin("sfdisk"), "--verify", image)
    words = output_of(sbin("fdisk"), "-l", image)
    assert "Disklabel type: gpt" in words and "mismatch" not in words and "hybrid" not in words


def test_the_efi_system_partition_has_its_type_and_name(image):
    """By these a firmware and a person find it; it begins at 1 MiB."""
    words = output_of(sbin("sgdisk"), "-i", "1", image)
    assert "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" in words
    assert "'EFI System Partition'" in words
    assert "First sector: 2048 " in words and "(34.0 MiB)" in words


def test_the_same_parts_give_the_same_bytes(image, parts, tmp_path):
    """At another time, in another time zone, with files of another age."""
    for name in ("loader.efi", "kernel"):
        os.utime(parts / name, (1, 1))
    more = bios_options() if sectors(image, STAGE).startswith(b"FLS2") else []
    other = image_in(tmp_path, parts, *more, TZ="Asia/Kathmandu", SOURCE_DATE_EPOCH="1000000000")
    assert other.read_bytes() == image.read_bytes()


def test_the_image_takes_little_room(image):
    """What is empty is a hole in the file."""
    assert image.stat().st_blocks * 512 < 2 * MIB < image.stat().st_size


# -- the file system -----------------------------------------------------------------------------


def test_fsck_finds_nothing_wrong(image, tmp_path):
    """It has no more to say than the name of the tool and the number of files."""
    file = partition(image, tmp_path)
    _, clusters = fat(image)
    assert "32 bit entries" in output_of(sbin("fsck.fat"), "-n", "-v", file)
    _, counts = output_of(sbin("fsck.fat"), "-n", file).splitlines()
    assert counts.startswith(f"{file}: ") and counts.endswith(f"/{clusters} clusters")


def test_the_boot_sector_of_the_file_system_knows_its_place(image):
    """Hidden sectors are those in front of the partition; the medium is a fixed disk."""
    boot = sectors(image, ESP // SECTOR)
    assert struct.unpack_from("<I", boot, 28) == (ESP // SECTOR,)
    assert boot[21] == 0xF8
    assert boot[71:82] == b"FIRSTLIGHT "


def test_the_files_are_in_it(image, parts, tmp_path):
    """mtools gives back what went in, and the volume has its name."""
    for name, part in ((LOADER, "loader.efi"), ("kernel.elf", "kernel")):
        output_of("mcopy", "-i", f"{image}@@{ESP}", f"::{name}", tmp_path / part)
        assert (tmp_path / part).read_bytes() == (parts / part).read_bytes()
    assert "is FIRSTLIGHT" in output_of("mdir", "-i", f"{image}@@{ESP}", "::")


def test_the_kernel_has_a_short_name_alone(image):
    """A reader of directories that knows no long names finds KERNEL.ELF."""
    boot = sectors(image, ESP // SECTOR)
    reserved, fats = struct.unpack_from("<HB", boot, 14)
    root = ESP // SECTOR + reserved + fats * struct.unpack_from("<I", boot, 36)[0]
    names = [sectors(image, root)[at:at + 11] for at in range(0, SECTOR, 32)]
    assert names[:3] == [b"FIRSTLIGHT ", b"EFI        ", b"KERNEL  ELF"]


@pytest.mark.parametrize("mib", [0, 9, 48])
def test_a_kernel_of_any_size_makes_fat32_with_room_for_a_bigger_one(parts, tmp_path, mib):
    """Clusters are as big as FAT32 lets them be; a kernel of twice the size, and 8 MiB in any
    case, fit beside what is there."""
    kernel, big = tmp_path / "kernel", tmp_path / "big"
    for path, size in ((kernel, mib * MIB + 1), (big, max(8, 2 * mib) * MIB)):
        with open(path, "wb") as file:
            file.truncate(size)
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         "--file", f"kernel.elf={kernel}")
    assert done.returncode == 0, done.stdout
    size, clusters = fat(tmp_path / "disk.img")
    assert FAT32_CLUSTERS <= clusters < 2 * FAT32_CLUSTERS + 2000
    assert size == {0: 512, 9: 512, 48: 2048}[mib]
    output_of("mcopy", "-i", f"{tmp_path / 'disk.img'}@@{ESP}", big, "::kernel.new")
    assert "No problems found" in output_of(sbin("sgdisk"), "-v", tmp_path / "disk.img")


# -- the parts for a BIOS ------------------------------------------------------------------------


def test_the_boot_code_is_kept_to_its_last_byte(both_image):
    """And the six bytes behind it are zero, as the UEFI specification asks: disks of the older
    kind have a signature there, which Windows writes."""
    code = (image_of("elf-kernel").parent / "first_stage.bin").read_bytes()
    assert sectors(both_image, 0)[:TABLE] == code[:CODE] + bytes(TABLE - CODE)
    assert code[CODE - 1] != 0


def test_one_entry_is_active_and_it_is_not_the_protective_one(both_image):
    """The protective entry covers the disk, as the UEFI specification asks, the active one
    the boot sector alone."""
    table = sectors(both_image, 0)[TABLE:]
    entries = [struct.unpack_from("<B3xB3xII", table, 16 * index) for index in range(4)]
    last = both_image.stat().st_size // SECTOR - 1
    assert entries == [(0, 0xEE, 1, last), (0x80, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0)]
    assert table[-2:] == b"\x55\xaa"


def test_an_image_for_uefi_alone_has_no_active_entry(uefi_image):
    """And no code for a BIOS."""
    sector = sectors(uefi_image, 0)
    assert not any(sector[:TABLE]) and not any(sector[TABLE + 16:-2])


def test_the_stages_are_in_a_bios_boot_partition(both_image):
    """Partition 2 begins behind the tables and ends at 1 MiB; it holds the rest of the first
    stage, and the second stage with its size and a checksum of zero."""
    words = output_of(sbin("sgdisk"), "-i", "2", both_image)
    assert "21686148-6449-6E6F-744E-656564454649" in words
    assert "First sector: 34 " in words and "Last sector: 2047 " in words

    build = image_of("elf-kernel").parent
    assert sectors(both_image, BIOS_BOOT, 2) == (build / "first_stage.bin").read_bytes()[SECTOR:]
    magic, count, kernel = struct.unpack_from("<4sHH", sectors(both_image, STAGE))
    stage = sectors(both_image, STAGE, count)
    code = (build / "loader_bios.bin").read_bytes() + (build / "loader.bin").read_bytes()
    assert (magic, kernel) == (b"FLS2", 0)
    assert stage[8:len(code)] == code[8:]
    total = 0
    for (word,) in struct.iter_unpack("<I", stage):
        total = (total * 3 + word) % (1 << 32)
    assert total == 0


def test_a_file_of_4_gib_is_too_big(parts, tmp_path):
    """FAT's size of it would be 0."""
    big = tmp_path / "kernel"
    big.touch()
    os.truncate(big, 4 << 30)
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         "--file", f"kernel.elf={big}")
    assert done.returncode == 1
    assert (f"kernel.elf is too big: {4 << 30} bytes, and FAT knows no file of more than "
            f"{(4 << 30) - 1}") in done.stdout
    assert not (tmp_path / "disk.img").exists()


def test_the_build_says_what_it_made(parts, tmp_path):
    """One line with the size of each part."""
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         "--file", f"kernel.elf={parts / 'kernel'}", *bios_options())
    line, = done.stdout.splitlines()
    assert line.startswith(f"{tmp_path / 'disk.img'}: boot sector: ")
    for words in (" of 440 bytes", "second stage: ", "EFI system partition: 34 MiB, FAT32",
                  f"{LOADER}: {(parts / 'loader.efi').stat().st_size} bytes",
                  f"kernel.elf: {(parts / 'kernel').stat().st_size} bytes"):
        assert words in line


# -- what does not fit or is missing -------------------------------------------------------------


def test_a_second_stage_that_is_too_big_is_refused(parts, tmp_path):
    """The limit is the memory that it goes to."""
    stage = tmp_path / "stage2.bin"
    stage.write_bytes(b"FLS2".ljust(0x80000 - 0x8200 - 3, b"\0"))
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         *bios_options()[:2], "--second-stage", stage)
    assert done.returncode == 1
    assert "gpt_image.py: the second stage is too big" in done.stdout


def test_a_first_stage_of_another_size_is_refused(parts, tmp_path):
    """One sector would leave nothing to load the second stage with."""
    (tmp_path / "boot.bin").write_bytes(bytes(SECTOR))
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         "--boot-sector", tmp_path / "boot.bin", *bios_options()[2:])
    assert (done.returncode, done.stdout) == (
        1, f"gpt_image.py: {tmp_path / 'boot.bin'} must have 3 sectors: it has 512 bytes\n")


@pytest.mark.parametrize("arguments, sentence", [
    ([], "--output and --efi are needed"),
    (["--output=a", "--efi=b", "--boot-sector=c"], "--boot-sector and --second-stage go together"),
    (["--output=a", "--efi=b", "--file=kernel.elf"], "'kernel.elf' is not NAME=PATH"),
])
def test_a_command_line_that_lacks_something_is_refused(arguments, sentence):
    """Exit status 2, and what it lacks."""
    done = run_gpt_image(*arguments)
    assert done.returncode == 2 and sentence in done.stdout


def test_a_missing_mtools_is_a_sentence(parts, tmp_path):
    """It says what the tool is for and how to get it."""
    path = path_without(tmp_path / "bin", "mformat")
    done = run_gpt_image("--output", tmp_path / "disk.img", "--efi", parts / "loader.efi",
                         PATH=str(path))
    assert done.returncode == 1
    assert done.stdout.startswith("mtools is missing: it fills the EFI system partition. Install")


def test_a_missing_sgdisk_is_a_sentence(monkeypatch):
    """Also where the system administrator's folders have none."""
    monkeypatch.syspath_prepend(MAKE)
    gpt_image = importlib.import_module("gpt_image")
    monkeypatch.setattr(gpt_image.shutil, "which", lambda *name, path=None: None)
    with pytest.raises(SystemExit, match="sgdisk is missing: it writes the partition table"):
        gpt_image.program("sgdisk", "sgdisk")


def test_sgdisk_is_found_outside_path(parts, tmp_path):
    """Debian keeps it out of the PATH of users."""
    if not any(os.path.exists(f"{folder}/sgdisk") for folder in ("/usr/sbin", "/sbin")):
        pytest.skip("sgdisk is not in /usr/sbin")
    image_in(tmp_path, parts, PATH=str(path_without(tmp_path / "bin", "sgdisk")))


# -- the description -----------------------------------------------------------------------------


def describe(image: Path) -> str:
    done = run_gpt_image("--describe", image)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_description_tells_every_part(both_image, parts):
    """Every partition, table, stage and file, with sectors and sizes."""
    words = describe(both_image)
    _, clusters = fat(both_image)
    stage = struct.unpack_from("<4xH", sectors(both_image, STAGE))[0]
    for line in ("36 MiB, 73728 sectors", " of 440 bytes", "entry 1: type 0xee, LBA 1 - 73727",
                 "entry 2: active, type 0x00, LBA 0", "GPT: header, checksums right",
                 "GPT: 2 of 128 entries used", "first stage, its sectors 1 and 2",
                 f"36 - {35 + stage} ", f"second stage: {stage} of 2012 sectors",
                 f"EFI System Partition: FAT32, {clusters} clusters of 512 bytes",
                 f"{LOADER}: {(parts / 'loader.efi').stat().st_size} bytes",
                 f"kernel.elf: {(parts / 'kernel').stat().st_size} bytes",
                 "backup of the GPT: header, checksums right"):
        assert line in words
    starts = [int(line.split()[0]) for line in words.splitlines()[3:] if line[0].isdigit()]
    assert starts == sorted(starts)


def test_the_description_is_read_from_the_image(uefi_image, tmp_path):
    """Another file, another file system, another partition: it follows."""
    copy = Path(shutil.copy(uefi_image, tmp_path))
    place = f"{copy}@@{ESP}"
    output_of("mmd", "-i", place, "::sub")
    output_of("mcopy", "-i", place, GPT_IMAGE, "::sub/NOTES.TXT")
    assert f"sub/NOTES.TXT: {GPT_IMAGE.stat().st_size} bytes" in describe(copy)
    output_of("mdel", "-i", place, "::kernel.elf")
    assert "kernel.elf" not in describe(copy)
    output_of("mformat", "-i", place, "-T", "69632", "-c", "4", "::")
    assert ": FAT16, " in describe(copy)
    output_of(sbin("sgdisk"), "--delete=1", "--new=1:4096:8191", copy)
    words = describe(copy)
    assert "4096 - 8191 " in words and "System Partition:" not in words


def test_the_description_says_what_is_damaged(both_image, changed):
    """A wrong byte in the entries of either table, a lost backup, no file system."""
    def damage(disk: bytearray) -> None:
        disk[2 * SECTOR + 60] ^= 1
        disk[-SECTOR:] = bytes(SECTOR)
        disk[ESP:ESP + SECTOR] = bytes(SECTOR)
    words = describe(changed(both_image, damage))
    assert "GPT: header, checksums WRONG" in words and "no backup of the GPT" in words
    assert ": no FAT file system" in words


def test_a_folder_that_holds_itself_ends_the_description(uefi_image, changed):
    """A damaged image is described, not followed for ever."""
    def damage(disk: bytearray) -> None:
        at = disk.index(b"BOOT       \x10", ESP)
        disk[at + 26:at + 28] = bytes([3, 0])
    words = describe(changed(uefi_image, damage))
    assert "kernel.elf: " in words and LOADER not in words


@pytest.mark.parametrize("size, sentence", [(512, "it has no GUID partition table"),
                                            (2 * 512, "it ends before its tables do")])
def test_an_image_without_its_tables_is_refused(both_image, tmp_path, size, sentence):
    """One sentence, exit status 1."""
    cut = tmp_path / "cut.img"
    cut.write_bytes(sectors(both_image, 0, size // SECTOR))
    done = run_gpt_image("--describe", cut)
    assert (done.returncode, done.stdout) == (1, f"gpt_image.py: {cut}: {sentence}\n")


def test_the_guids_are_of_the_kind_made_by_chance():
    """Version 4: that they are fixed does not make them anybody else's."""
    names = [line.split('"')[1] for line in GPT_IMAGE.read_text().splitlines()
             if "_GUID = " in line]
    assert len(set(names)) == 3 and all(uuid.UUID(name).version == 4 for name in names)
