"""Chapter 11: one disk for both firmwares; its stages find the kernel's file in a FAT file
system.

What a loader promises to any kernel is tested in test_boot_protocol.py, and what other tools
say of the image in test_gpt_image.py.
"""
from __future__ import annotations

import random
import re
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from big_stage import CUT_SHORT, DAMAGED, MISSING, READ_ERROR, UNREADABLE
from boot_contract import Seen, assert_in_memory
from conftest import BUILD, broken_image, folder_of, image_of
from fat_disk import ESP, MIB, SECTOR, FatDisk, backwards, gpt_image, in_turns, in_two
from firmware_state import STRANGE_REGISTERS, close_a20
from kernels import KERNEL_BASE, READ, Kernel, Part, made
from machine import Machine
from strange_bios import run_hooked
from test_damaged_disks import unreadable
from test_gpt_image import output_of
from test_hostile_firmware import DESTROYS_REGISTERS, NO_EDD
from unit.fat_volume import DIRECTORY, KERNEL, Volume

CHAPTER = "disk-image"
BIOS_BOOT = 34                          # LBA of the BIOS boot partition
SECOND_STAGE = 36
WRITABLE = 2                            # of a program header's flags
NO_LOADER = "No loader in the BIOS boot partition: error 0x{:02x}"
NO_FILE = ("There is no file kernel.elf in the root directory of the EFI system partition: "
           "copy it there.")
END = r"loader    First Light, {}, \d+ ticks of the time stamp counter\r\n{}\r\n\Z"
HELLO = "Hello World!"
LIGHT_CYAN = 0x0B


def chapter_kernel() -> Kernel:
    return Kernel(BUILD / folder_of(CHAPTER) / "kernel.file")


def lines_of(machine: Machine) -> list[str]:
    """What the kernel has printed on COM1, where firmware may have printed before it."""
    lines = machine.plain_serial.split("\n")
    return lines[next(i for i, line in enumerate(lines) if line.startswith("memory ")):]


def assert_reports(machine: Machine, firmware: str = "BIOS", hello: str = HELLO) -> None:
    """The kernel has printed all of its report, and has said hello."""
    machine.wait_until_halted()
    assert re.search(END.format(firmware, hello), machine.serial), machine.report()


def assert_says(machine: Machine, sentence: str) -> None:
    """The sentence alone, on the screen and on COM1; then a halt."""
    machine.wait_until_halted()
    lines = machine.serial.split("\r\n")
    assert " ".join(lines).rstrip() == sentence
    assert not machine.screen().differs_from(
        [line[start:start + 80] for line in lines for start in range(0, len(line), 80)])


# ---- one kernel, both firmwares --------------------------------------------------------------


@pytest.fixture(scope="module")
def on_bios() -> Iterator[Machine]:
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture(scope="module")
def on_uefi() -> Iterator[Machine]:
    with Machine(image_of(CHAPTER), firmware="uefi", disk="usb") as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture(params=["bios", "uefi"])
def started(request) -> Machine:
    """The same image, started by either firmware."""
    return request.getfixturevalue(f"on_{request.param}")


def test_the_kernel_runs_to_its_end(started):
    """In 64-bit code of its own, with interrupts off, and its report is complete."""
    registers = started.registers()
    assert registers.halted and not registers.interrupts
    assert registers.mode == "64-bit long mode" and registers.rip >= KERNEL_BASE
    assert_reports(started, started.firmware.upper())


def test_the_kernel_in_memory_is_the_file_on_the_disk(started, tmp_path):
    """Byte by byte, its code and its constants; the file is the one that mtools takes out of
    the image."""
    output_of("mcopy", "-i", f"{image_of(CHAPTER)}@@{MIB}", "::kernel.elf", tmp_path)
    kernel = Kernel(tmp_path / "kernel.elf")
    assert kernel.file == chapter_kernel().file
    constant = [part for part in kernel.segments if not part.flags & WRITABLE]
    assert len(constant) == 2
    for part in constant:
        at = started.translate(part.address).physical
        data = kernel.file[part.offset:part.offset + part.file_size]
        assert started.memory(at, len(data)) == data


def test_both_report_alike(on_bios, on_uefi):
    """Line by line the same things, and the same numbers where the machine has no say."""
    reports = [[line for line in lines_of(machine) if not line.startswith("  0x")]
               for machine in (on_bios, on_uefi)]
    words = [[line.split()[:1] for line in report] for report in reports]
    assert words[0] == words[1]
    same = [line for line in reports[0] if line in reports[1]]
    assert {line.split()[0] for line in same if line} >= {"Hello", "kernel", "stack"}


def test_each_screen_shows_the_end_of_the_report(started):
    """The text screen its last rows, the screen of pixels all of it; hello is light cyan."""
    screen, lines = started.screen(), lines_of(started)
    rows = screen.text.split("\n")
    assert rows == lines[-len(rows):]
    assert len(rows) == min(len(lines), len(screen.rows) - 1)
    assert {screen.at(len(rows) - 1, column).attribute for column in range(5)} == {LIGHT_CYAN}


# ---- machines --------------------------------------------------------------------------------


@pytest.mark.parametrize("disk, board", [
    ("ide", "pc"), ("virtio", "pc"), ("usb", "pc"), ("nvme", "pc"),
    ("ahci", "q35"), ("virtio", "q35"), ("usb", "q35"), ("nvme", "q35")])
def test_a_bios_starts_it_from_every_kind_of_disk(boot, disk, board):
    """On the boards of 1996 and of 2009."""
    machine = boot(CHAPTER, disk=disk, board=board)
    assert_reports(machine)
    assert "firmware  BIOS, drive 0x80," in machine.serial


@pytest.mark.parametrize("memory", ["16M", "6G"])
def test_a_bios_starts_it_with_little_and_with_much_memory(boot, memory):
    """The firmware has no say in how much it needs."""
    assert_reports(boot(CHAPTER, memory=memory))


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_without_a_screen_it_reports_on_com1(boot, firmware):
    """A BIOS without a VGA still answers its interrupt 0x10; UEFI names no screen."""
    assert_reports(boot(CHAPTER, firmware=firmware, vga="none"), firmware.upper())


def test_nothing_that_the_bios_leaves_is_relied_on(boot):
    """Entered as 07c0:0000 with odd segments, DF set and garbage in every register."""
    machine = boot(CHAPTER, paused=True)
    machine.start_at_boot_sector(registers=STRANGE_REGISTERS)
    assert_reports(machine)


def test_a20_is_switched_on_where_the_bios_left_it_off(boot):
    """As in the chapters before."""
    machine = boot(CHAPTER, paused=True)
    close_a20(machine)
    machine.gdb.detach()
    assert_reports(machine)
    assert machine.registers().a20


# ---- how the boot sector reads ---------------------------------------------------------------


def geometry(cylinders: int, heads: int, sectors: int, translation: str = "none") -> list[str]:
    """QEMU's arguments for an IDE disk that has this geometry."""
    return [argument for key, value in (("cyls", cylinders), ("heads", heads),
                                        ("secs", sectors), ("bios-chs-trans", translation))
            for argument in ("-global", f"ide-hd.{key}={value}")]


# The last three: the two sectors are on two tracks.
@pytest.mark.parametrize("disk, sectors", [
    pytest.param(geometry(73, 16, 63), [35, 36], id="16-heads-63-sectors"),
    pytest.param(geometry(73, 16, 63, "lba"), [35, 36], id="255-heads-63-sectors"),
    pytest.param(geometry(2048, 2, 18), [17, 18], id="2-heads-18-sectors"),
    pytest.param(geometry(131, 16, 35), [35, 1], id="16-heads-35-sectors"),
    pytest.param(geometry(2633, 4, 7), [7, 1], id="4-heads-7-sectors"),
    pytest.param(geometry(7372, 2, 5), [5, 1], id="2-heads-5-sectors")])
def test_without_edd_the_disk_is_read_by_its_geometry(boot, disk, sectors):
    """The BIOS knows no call by numbers, and says nothing to it."""
    machine = boot(CHAPTER, paused=True, extra=disk)
    hook = run_hooked(machine, 0x13, NO_EDD)
    assert_reports(machine)
    by_chs = [read for read in hook.reads if read.sector]
    assert [read.sector for read in by_chs[:2]] == sectors
    assert all(read.count == 1 for read in by_chs[:2])
    assert len(hook.reads) == len(by_chs) + 1


def test_a_geometry_of_one_head_and_one_sector_is_divided_rightly(boot):
    """The loader comes from cylinder 34 and up, the rest is beyond the last cylinder."""
    machine = boot(CHAPTER, paused=True, extra=geometry(16383, 1, 1))
    run_hooked(machine, 0x13, NO_EDD)
    machine.wait_until_halted()
    assert machine.serial.startswith(UNREADABLE.format(ESP, 0x04).rstrip())


# A read that fails may tell in the packet how many sectors it has brought: none.
NOT_READY = """
    cmp word [cs:hits], {reads}
    jae pass_on
    cmp ah, 0x42
    je  .edd
    cmp ah, 0x02
    jne pass_on
    jmp .fail
.edd:
    mov word [si + 2], 0
.fail:
    inc word [cs:hits]
    mov ah, 0x80
    jmp refuse
"""


def test_where_edd_fails_the_geometry_helps_at_once(boot):
    """One read by number fails, and the next by geometry succeeds."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x13, NOT_READY.format(reads=1))
    assert_reports(machine)
    assert hook.hits == 1 and hook.count(0x00) == 0


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_disk_that_is_not_ready_is_tried_four_times(boot, tries):
    """Both ways fail; then, after a reset, the same call comes again, for as many sectors."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x13, NOT_READY.format(reads=2 * tries))
    assert_reports(machine)
    edd = [read for read in hook.reads if not read.sector]
    assert edd[tries] == edd[0] and edd[0].count == 2
    assert hook.count(0x00) == tries


def test_the_status_is_that_of_the_read(boot):
    """And not that of the reset behind it, which succeeds."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x13, NOT_READY.format(reads=0xFFFF))
    assert_says(machine, NO_LOADER.format(0x80))
    assert hook.hits == 8 and hook.count(0x00) == 3


@pytest.mark.parametrize("edd", [
    pytest.param("", id="by-number"),
    pytest.param("cmp ah, 0x41\n jb .known\n mov ah, 1\n jmp refuse\n.known:\n",
                 id="by-geometry")])
def test_a_bios_may_destroy_every_register(boot, edd):
    """Also between the two reads of one sector each."""
    machine = boot(CHAPTER, paused=True)
    hook = run_hooked(machine, 0x13, edd + DESTROYS_REGISTERS)
    assert_reports(machine)
    assert hook.hits >= 10


def test_what_an_earlier_start_has_loaded_is_no_loader(boot_image, changed):
    """The partition has been overwritten, and its sectors are still in memory."""
    data = image_of(CHAPTER).read_bytes()
    image = changed(image_of(CHAPTER), fill(BIOS_BOOT, 2))
    machine = boot_image(image, paused=True)
    machine.start_at_boot_sector(
        memory={0x7E00: data[BIOS_BOOT * SECTOR:SECOND_STAGE * SECTOR]})
    assert_says(machine, NO_LOADER.format(0))


# ---- damaged disks ---------------------------------------------------------------------------


def fill(lba: int, count: int = 1) -> Callable[[bytearray], None]:
    """A change of an image: these sectors become empty."""
    def change(data: bytearray) -> None:
        data[lba * SECTOR:(lba + count) * SECTOR] = bytes(count * SECTOR)
    return change


@pytest.mark.parametrize("sector", [BIOS_BOOT, BIOS_BOOT + 1])
def test_an_unreadable_boot_partition_has_its_own_sentence(boot, sector):
    """With the status of the BIOS."""
    assert_says(boot(CHAPTER, extra=unreadable(sector)), NO_LOADER.format(0x0C))


@pytest.mark.parametrize("change, sentence", [
    pytest.param(fill(BIOS_BOOT + 1), NO_LOADER.format(0), id="second-sector"),
    pytest.param(fill(SECOND_STAGE), MISSING, id="second-stage"),
    pytest.param(fill(SECOND_STAGE + 3), DAMAGED, id="a-sector-of-the-second-stage")])
def test_an_overwritten_boot_partition_has_its_own_sentence(boot_image, changed, change,
                                                            sentence):
    """Whichever part of it is gone."""
    assert_says(boot_image(changed(image_of(CHAPTER), change)), sentence)


def kernel_sector(number: int) -> int:
    """Where a sector of the kernel's file lies on the disk."""
    volume = Volume(image_of(CHAPTER), ESP)
    return ESP + volume.at(volume.chain(volume.entries()[KERNEL])[number]) // SECTOR


@pytest.mark.parametrize("sector", [
    pytest.param(lambda: SECOND_STAGE, id="of-the-second-stage"),
    pytest.param(lambda: 1, id="the-partition-table"),
    pytest.param(lambda: ESP, id="the-file-system"),
    pytest.param(lambda: kernel_sector(20), id="the-kernel")])
def test_an_unreadable_sector_is_named(boot, sector):
    """Each read goes through the same code, which says what it could not read."""
    assert_says(boot(CHAPTER, extra=unreadable(sector())),
                UNREADABLE.format(sector(), 0x0C) + READ_ERROR)


def test_an_image_cut_short_gets_a_sentence(boot_image, changed):
    """It ends within the kernel's file."""
    def cut(data: bytearray) -> None:
        del data[kernel_sector(20) * SECTOR:]

    machine = boot_image(changed(image_of(CHAPTER), cut))
    machine.wait_until_halted()
    assert " ".join(machine.serial.split("\r\n")).rstrip().endswith(CUT_SHORT)


HEADER, ENTRIES = SECTOR, 2 * SECTOR    # where they are in an image
# Offsets in the header: its checksum, revision, where entries are, checksum of these.
CHECKSUM, REVISION, FIRST_USABLE, ENTRIES_CHECKSUM, HEADER_SIZE = 16, 8, 40, 88, 92
ENTRY_FIRST = 32                        # in an entry


def seal(data: bytearray) -> None:
    """Make both checksums of a table right."""
    count, size = struct.unpack_from("<II", data, HEADER + 80)
    struct.pack_into("<I", data, HEADER + ENTRIES_CHECKSUM,
                     zlib.crc32(data[ENTRIES:ENTRIES + count * size]))
    struct.pack_into("<I", data, HEADER + CHECKSUM, 0)
    struct.pack_into("<I", data, HEADER + CHECKSUM,
                     zlib.crc32(data[HEADER:HEADER + HEADER_SIZE]))


def put(at: int, code: str, value: int, sealed: bool = True) -> Callable[[bytearray], None]:
    """A change of an image: a number, and checksums that are right nevertheless."""
    def change(data: bytearray) -> None:
        struct.pack_into(code, data, at, value)
        if sealed:
            seal(data)
    return change


TABLE = "The boot disk's partition table (GPT) is "


@pytest.mark.parametrize("change, sentence", [
    pytest.param(fill(1), "The boot disk has no partition table (GPT): write the image again.",
                 id="no-table"),
    pytest.param(put(HEADER + FIRST_USABLE, "<Q", 35, sealed=False),
                 TABLE + "damaged, the checksum of its header is wrong: write the image again.",
                 id="header-damaged"),
    pytest.param(put(ENTRIES + ENTRY_FIRST, "<Q", ESP + 64, sealed=False),
                 TABLE + "damaged, the checksum of its entries is wrong: write the image again.",
                 id="entries-damaged"),
    pytest.param(put(HEADER + REVISION, "<I", 0x20000),
                 TABLE + "of a kind that is unknown here: write the image again.",
                 id="another-revision"),
    pytest.param(put(ENTRIES, "<I", 0xC12A7329),
                 "The boot disk has no EFI system partition, where the kernel should be: write "
                 "the image again.", id="another-type"),
    pytest.param(put(ENTRIES + ENTRY_FIRST, "<Q", 33),
                 "The boot disk's EFI system partition lies outside of what its partition table "
                 "(GPT) calls usable: write the image again.", id="partition-on-the-table")])
def test_a_partition_table_that_is_no_good_gets_a_sentence(boot_image, changed, change,
                                                           sentence):
    """Each of its faults another one, seen live; the host tests have many more."""
    assert_says(boot_image(changed(image_of(CHAPTER), change)), sentence)


def changed_volume(folder: Path, change: Callable[[Volume], object]) -> Path:
    """A copy of the chapter's image whose file system was changed."""
    image = Path(shutil.copy(image_of(CHAPTER), folder / "changed.img"))
    change(Volume(image, ESP))
    return image


def link(number: int, value: Callable[[Volume, list[int]], int]) -> Callable[[Volume], None]:
    """A change of a file system: what stands behind one cluster of the kernel's chain."""
    def change(volume: Volume) -> None:
        chain = volume.chain(volume.entries()[KERNEL])
        volume.set_entry(chain[number], value(volume, chain))
    return change


def remove_kernel(volume: Volume) -> None:
    at = next(at for at in volume.slots() if volume.read(at, len(KERNEL)) == KERNEL)
    volume.write(at, b"\xe5")


def make_it_a_folder(volume: Volume) -> None:
    at = next(at for at in volume.slots() if volume.read(at, len(KERNEL)) == KERNEL)
    volume.write(at + len(KERNEL), bytes([DIRECTORY]))


PARTITION = "The EFI system partition "
CHAIN = PARTITION + "is damaged, a chain of clusters {}: write the image again."


@pytest.mark.parametrize("change, sentence", [
    pytest.param(lambda volume: volume.set_fields(Signature=0),
                 PARTITION + "has no file system: write the image again.", id="no-signature"),
    pytest.param(lambda volume: volume.set_fields(SecPerClus=3),
                 "The EFI system partition's file system is not FAT12, FAT16 or FAT32, or its "
                 "boot sector is damaged: write the image again.", id="odd-clusters"),
    pytest.param(lambda volume: volume.set_fields(TotSec32=volume.sectors + 1),
                 PARTITION + "is smaller than the file system in it: write the image again.",
                 id="too-large"),
    pytest.param(lambda volume: volume.set_fields(FATSz32=8),
                 "The EFI system partition's boot sector is damaged, its numbers do not fit each "
                 "other: write the image again.", id="a-fat-too-small"),
    pytest.param(lambda volume: volume.set_fields(TotSec32=volume.sectors - 4000),
                 PARTITION + "has too few clusters for FAT32, or too many for FAT16: format it "
                 "again, with FAT32 from 34 MiB on.", id="too-few-clusters"),
    pytest.param(remove_kernel, NO_FILE, id="no-kernel"),
    pytest.param(make_it_a_folder, NO_FILE, id="a-folder-of-that-name"),
    pytest.param(link(9, lambda volume, chain: volume.mask),
                 "The file kernel.elf is shorter than its directory says: delete it, and copy it "
                 "to the EFI system partition again.", id="chain-ends"),
    pytest.param(link(-1, lambda volume, chain: chain[3]), CHAIN.format("has no end"),
                 id="chain-loops"),
    pytest.param(link(9, lambda volume, chain: 0), CHAIN.format("leads to a free one"),
                 id="chain-free"),
    pytest.param(link(9, lambda volume, chain: volume.mask - 8),
                 CHAIN.format("leads to one that is marked bad"), id="chain-bad"),
    pytest.param(link(9, lambda volume, chain: volume.clusters + 2),
                 CHAIN.format("leads out of it"), id="chain-outside")])
def test_a_file_system_that_is_no_good_gets_a_sentence(boot_image, tmp_path, change, sentence):
    """Each of its faults another one, seen live; the host tests have many more."""
    assert_says(boot_image(changed_volume(tmp_path, change)), sentence)


# ---- file systems of all kinds ---------------------------------------------------------------


def kernel_of(path: Path, size: int) -> Kernel:
    """A kernel that holds so many random bytes, and halts."""
    data = random.Random("First Light").randbytes(size)
    return made(path, [Part(READ, KERNEL_BASE + 2 * MIB, data)])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory) -> Kernel:
    return kernel_of(tmp_path_factory.mktemp("kernel") / "kernel.elf", MIB)


def assert_loaded(machine: Machine, kernel: Kernel) -> None:
    """The kernel runs, and all of it is in memory as it is in its file."""
    machine.wait_until_halted()
    assert machine.serial == "" and machine.registers().long_mode, machine.report()
    assert_in_memory(Seen(machine), kernel)


@pytest.mark.parametrize("bits, per_cluster, order", [
    (12, 1, backwards), (12, 8, in_turns), (12, 64, in_two),
    (16, 1, in_turns), (16, 8, in_two), (16, 64, backwards),
    (32, 1, in_two), (32, 8, backwards), (32, 64, in_turns)])
def test_a_fragmented_kernel_is_loaded(boot_image, tmp_path, kernel, bits, per_cluster, order):
    """With each kind of FAT, with clusters of every size; in few pieces and in many."""
    disk = FatDisk.make(tmp_path / "disk.img", bits, per_cluster)
    disk.put_kernel(kernel.path)
    disk.fragment(order)
    assert disk.volume.bits == bits
    assert_loaded(boot_image(disk.path), kernel)


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_a_kernel_behind_many_files_is_found(boot_image, tmp_path, kernel, bits):
    """In a root directory of many sectors, between entries of long names."""
    files = [tmp_path / f"a file with quite a long name, number {number}" for number in range(90)]
    for file in files:
        file.touch()
    disk = FatDisk.make(tmp_path / "disk.img", bits, 1)
    disk.put(*files)
    disk.put_kernel(kernel.path)
    disk.put(files[0], to="behind it")
    assert disk.volume.slots().index(next(
        at for at in disk.volume.slots() if disk.volume.read(at, len(KERNEL)) == KERNEL)) > 300
    assert_loaded(boot_image(disk.path), kernel)


def test_sectors_of_4096_bytes_are_read_in_eights(boot_image, tmp_path, kernel):
    """The file system has larger sectors than the disk."""
    disk = FatDisk.make(tmp_path / "disk.img", 16, 1, 4096)
    disk.put_kernel(kernel.path)
    assert disk.volume.sector_size == 4096
    assert_loaded(boot_image(disk.path), kernel)


def our_image(folder: Path, kernel: Path) -> Path:
    """The chapter's image with another kernel, as the build makes it."""
    build, image = BUILD / folder_of(CHAPTER), folder / "disk.img"
    output_of("python3", gpt_image.__file__, "--output", image, "--efi", build / "BOOTX64.EFI",
              "--file", f"kernel.elf={kernel}", "--boot-sector", build / "first_stage.bin",
              "--second-stage", build / "loader_bios.bin", "--loader", build / "loader.bin")
    return image


def test_a_kernel_in_one_piece_is_read_in_large_ones(boot_image, tmp_path):
    """Of 16 MiB: nearly every call of the BIOS brings 127 sectors, and hardly any is made for
    the file system's own sake."""
    kernel = kernel_of(tmp_path / "kernel.elf", 16 * MIB)
    machine = boot_image(our_image(tmp_path, kernel.path), paused=True)
    hook = run_hooked(machine, 0x13)
    assert_loaded(machine, kernel)
    least = -(-len(kernel.file) // SECTOR // 127)
    assert least <= len(hook.reads) < least + 60
    assert sum(read.count == 127 for read in hook.reads) >= least - 40
    assert not any(read.crosses_64k for read in hook.reads)


def test_another_kernel_is_a_copy_away(boot_image, tmp_path):
    """mcopy replaces the file, and either firmware starts the new one."""
    image = Path(shutil.copy(image_of(CHAPTER), tmp_path / "stick.img"))
    (tmp_path / "kernel").write_bytes(
        chapter_kernel().file.replace(HELLO.encode(), b"Hello again!"))
    output_of("mcopy", "-o", "-i", f"{image}@@{MIB}", tmp_path / "kernel", "::kernel.elf")
    for firmware in ("bios", "uefi"):
        assert_reports(boot_image(image, firmware=firmware), firmware.upper(), "Hello again!")


# ---- broken variants -------------------------------------------------------------------------


def test_on_the_partition_table_the_stages_last_until_uefi_repairs_it(boot_broken, boot_image,
                                                                      tmp_path):
    """rest-at-sector-1: a BIOS finds no table. UEFI takes the copy at the end of the disk,
    starts the kernel, and has written the table over the first stage."""
    machine = boot_broken(CHAPTER, "rest-at-sector-1")
    assert_says(machine, "The boot disk has no partition table (GPT): write the image again.")

    image = Path(shutil.copy(broken_image(CHAPTER, "rest-at-sector-1"), tmp_path))
    machine = boot_image(image, firmware="uefi", extra=["-set", "drive.image.snapshot=off"])
    assert_reports(machine, "UEFI")
    machine.close()
    with open(image, "rb") as disk:
        assert disk.read(SECTOR + 8)[SECTOR:] == b"EFI PART"
    assert_says(boot_image(image), NO_LOADER.format(0))


def test_by_the_geometry_of_a_floppy_the_loader_is_elsewhere(boot_broken):
    """geometry-assumed: sectors 17 and 18 of head 1 are others on a hard disk."""
    assert_says(boot_broken(CHAPTER, "geometry-assumed"), NO_LOADER.format(0))


def test_a_damaged_table_that_is_believed_leads_astray(boot_broken):
    """table-believed: the sentence blames the file system."""
    assert_says(boot_broken(CHAPTER, "table-believed"),
                "The EFI system partition has no file system: write the image again.")


def test_counted_from_0_each_cluster_is_two_too_far(boot_broken):
    """clusters-from-zero: the root directory is read from where a folder below it lies."""
    assert_says(boot_broken(CHAPTER, "clusters-from-zero"), NO_FILE)


def test_a_kernel_in_two_pieces_is_not_read_in_one(boot_broken):
    """contiguous-assumed: its first 4 KiB are there, its code is zeros."""
    machine = boot_broken(CHAPTER, "contiguous-assumed")
    assert machine.wait_for_end().kind == "triple fault"
    kernel = Kernel(broken_image(CHAPTER, "contiguous-assumed").with_name("kernel.file"))
    assert machine.registers().rip == kernel.entry
    assert machine.memory(machine.translate(kernel.entry).physical, 64) == bytes(64)
    assert machine.serial == ""
