"""Chapter 10: a loader for UEFI, and a kernel that draws its letters.

What a loader promises to any kernel is tested in test_boot_protocol.py, the arithmetic of
pixels in tests/unit/.
"""
from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alone import disassembly, symbols
from boot_contract import BOOT_INFO, DIRECT_MAP
from conftest import BUILD, broken_image, folder_of, image_of
from kernels import LOADERS, PAGE, READ, WRITE, Kernel, Part, made
from machine import Machine, Picture, PixelScreen, ending
from machine.build import read_glyphs
from machine.pixels import Font

CHAPTER = "uefi-loader"
HELLO = "Hello World!"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
RAM = 128 * MIB                         # of the machine, if nothing is said of it
VOLUME = MIB                            # where the FAT file system begins in the image

LIGHT_GREY, LIGHT_GREEN, LIGHT_CYAN, YELLOW = 0x07, 0x0A, 0x0B, 0x0E
GREY_PIXEL = 0xAAAAAA
COLORS = {"usable": LIGHT_GREEN, "kernel": LIGHT_CYAN, "the loader's, reclaimable": YELLOW,
          "reserved": 0x08, "screen": 0x09, "EFI runtime services": 0x06}
RANGE = re.compile(r"  0x([0-9a-f]{12}) - 0x([0-9a-f]{12}) +(\d+) KiB  (.+)")

SCREEN_WIDTH = 136 + 8                  # offset of screen.width in struct boot_info
BOOT_SERVICES = 96                      # offsets in EFI_SYSTEM_TABLE and EFI_BOOT_SERVICES
EXIT_BOOT_SERVICES = 232
IMAGE_BASE = 24 + 24                    # offset of that member in a PE32+ file's headers
CR4_LA57 = 1 << 12
UEFI_START = 90                         # seconds, on a busy computer

MISSING = ("There is no kernel.elf on the volume that this loader came from: copy the kernel "
           "into its top folder under that name.")
FOLDER = "kernel.elf is a folder: copy the kernel there as a file of that name."
STAYS = ("The firmware does not let go of the machine (ExitBootServices failed twice). "
         "Unplug what is not needed, and try again.")
FIVE_LEVELS = ("The firmware has switched on page tables of five levels, which kernels of "
               "First Light do not know: switch them off in the firmware's settings.")
SECURE = ("Secure Boot is on, but this loader cannot tell whether somebody has signed the "
          "kernel: switch Secure Boot off in the firmware's settings.")
TOO_LITTLE = (r"There is too little memory for the kernel: it needs (\d+) KiB in one piece, "
              r"and (\d+) KiB are free between 1 MiB and 4 GiB\.")


def said(machine: Machine) -> list[str]:
    """The lines of loader and kernel on COM1; the firmware's own stand above them."""
    return LOADERS["efi"].said(machine)


def assert_says(machine: Machine, sentence: str) -> None:
    """That sentence, once from us and once from the firmware's console; then a halt."""
    machine.wait_until_halted()
    assert not machine.registers().interrupts
    LOADERS["efi"].assert_said(machine, sentence)


def video_memory(machine: Machine) -> int:
    """Where the graphics card has its pixels, by its PCI registers."""
    found = re.search(r"VGA controller.*?BAR0: 32 bit prefetchable memory at (0x[0-9a-f]+)",
                      machine.qmp.hmp("info pci"), re.DOTALL)
    assert found
    return int(found[1], 16)


def chapter_kernel() -> Kernel:
    return Kernel(BUILD / folder_of(CHAPTER) / "kernel.elf")


@pytest.fixture(scope="module")
def printed() -> Iterator[Machine]:
    """The chapter at its end, on an ordinary machine; for tests that only look."""
    with Machine(image_of(CHAPTER), firmware="uefi") as machine:
        machine.wait_until_halted()
        yield machine


# ---- what is seen ----------------------------------------------------------------------------


def test_the_screen_and_com1_show_the_same(printed):
    """Hello World! and the boot information, in pixels of our font; nothing else is lit."""
    lines = said(printed)
    assert lines[0].startswith("memory ") and lines[-1] == HELLO
    screen = printed.screen()
    assert isinstance(screen, PixelScreen)
    assert not screen.differs_from(lines)


def test_letters_have_the_colours_of_the_console(printed):
    """Each cell of the greeting and of the types of memory, on black."""
    screen, lines = printed.screen(), said(printed)
    hello = len(lines) - 1
    assert {screen.at(hello, x).attribute for x in range(len(HELLO))} == {LIGHT_CYAN, 0}
    seen = set()
    for y, line in enumerate(lines):
        found = RANGE.fullmatch(line)
        if found and found[4] in COLORS:
            seen.add(found[4])
            assert screen.at(y, found.start(4)).attribute == COLORS[found[4]]
            assert screen.at(y, found.start(1)).attribute == LIGHT_GREY
    assert seen == set(COLORS)


def test_the_cursor_waits_below_the_last_line(printed):
    """Two lines of pixels, as wide as a cell, and nowhere else in that row."""
    picture, top = printed.pixels(), 16 * len(said(printed))
    lit = [(x, y) for y in range(top, top + 16) for x in range(picture.width)
           if picture.at(x, y)]
    assert lit == [(x, top + y) for y in (14, 15) for x in range(8)]
    assert picture.at(0, top + 15) == GREY_PIXEL


def test_the_map_names_the_memory_that_the_machine_has(printed):
    """Usable memory is RAM, in ascending order, and nearly all of it; the sum is right."""
    ranges = [(int(found[1], 16), int(found[2], 16) + 1, int(found[3]), found[4])
              for found in map(RANGE.fullmatch, said(printed)) if found]
    for (_, end, _, _), (begin, _, _, _) in zip(ranges, ranges[1:]):
        assert end <= begin
    assert all(end - begin == KIB * size for begin, end, size, _ in ranges)
    usable = [(begin, end) for begin, end, _, kind in ranges if kind == "usable"]
    assert all(end <= 0xA0000 or MIB <= begin and end <= RAM for begin, end in usable)
    total = sum(end - begin for begin, end in usable)
    assert 0.9 * RAM < total < RAM
    assert f"usable    {total // KIB} KiB" in said(printed)
    assert f"memory    {len(ranges)} ranges of physical addresses" in said(printed)


def test_the_screen_is_the_one_of_the_graphics_card(printed):
    """Size and address, compared with the picture and with the card's PCI registers."""
    picture = printed.pixels()
    assert (f"screen    pixels, {picture.width} x {picture.height} at physical "
            f"{video_memory(printed):#x}, a row has {4 * picture.width} bytes") in said(printed)


def test_the_kernel_halts_for_good(printed):
    """In 64-bit code of its own, with interrupts off."""
    registers = printed.registers()
    assert registers.halted and not registers.interrupts
    assert registers.mode == "64-bit long mode"
    assert registers.rip > chapter_kernel().symbols["kernel_main"]


def test_rows_longer_than_they_are_wide_are_drawn_straight(boot):
    """No mode of QEMU's has such rows: so the kernel is told of a narrower screen."""
    machine = boot(CHAPTER, firmware="uefi", paused=True)
    stop_at(machine, chapter_kernel().entry)
    info = machine.gdb.read_register("rdi")
    (width,) = struct.unpack("<I", machine.gdb.read_memory(info + SCREEN_WIDTH, 4))
    machine.gdb.write_memory(info + SCREEN_WIDTH, struct.pack("<I", width - 16))
    machine.gdb.detach()
    machine.wait_until_halted()
    lines = said(machine)
    assert any(f"pixels, {width - 16} x " in line for line in lines)
    assert not machine.screen().differs_from(lines)


# ---- kernels that cannot be loaded -----------------------------------------------------------


@pytest.fixture
def volume(tmp_path) -> Callable[..., Path]:
    """`volume(["mdel", "::kernel.elf"])`: the chapter's image with its files changed."""
    def changed(*commands: list[object]) -> Path:
        image = shutil.copy(image_of(CHAPTER), tmp_path / "changed.img")
        for tool, *arguments in commands:
            subprocess.run([tool, "-i", f"{image}@@{VOLUME}", *map(str, arguments)],
                           check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
        return image
    return changed


def with_kernel(volume: Callable[..., Path], folder: Path, data: bytes) -> Path:
    """The chapter's image with these bytes as kernel.elf."""
    (folder / "kernel").write_bytes(data)
    return volume(["mcopy", "-o", folder / "kernel", "::kernel.elf"])


def test_a_missing_kernel_gets_a_sentence(boot_image, volume):
    """There is no file of that name."""
    assert_says(boot_image(volume(["mdel", "::kernel.elf"]), firmware="uefi"), MISSING)


def test_a_folder_in_its_place_gets_a_sentence(boot_image, volume):
    """It can be opened, but it is no file."""
    image = volume(["mdel", "::kernel.elf"], ["mmd", "::kernel.elf"])
    assert_says(boot_image(image, firmware="uefi"), FOLDER)


@pytest.mark.parametrize("change, sentence", [
    pytest.param(lambda file: b"", "The kernel's file ends before its ELF header does: build "
                 "it and write the image again.", id="empty"),
    pytest.param(lambda file: file[:len(file) // 4], "The kernel's file ends before one of "
                 "its segments does: build it and write the image again.", id="cut-short"),
    pytest.param(lambda file: b"\x7fEXE" + file[4:], "The kernel is not an ELF file: build "
                 "it and write the image again.", id="no-elf-file")])
def test_a_damaged_kernel_gets_a_sentence(boot_image, volume, tmp_path, change, sentence):
    """The checks of chapter 7, with the words of chapter 7."""
    file = (BUILD / folder_of(CHAPTER) / "kernel.file").read_bytes()
    image = with_kernel(volume, tmp_path, change(file))
    assert_says(boot_image(image, firmware="uefi"), sentence)


def test_a_file_shorter_than_its_volume_says_gets_a_sentence(boot_image, changed):
    """The chain of its clusters ends after the first."""
    def cut_chain(image: bytearray) -> None:
        reserved, fats = struct.unpack_from("<HB", image, VOLUME + 14)
        (fat_sectors,) = struct.unpack_from("<I", image, VOLUME + 36)
        entry = image.index(b"KERNEL  ELF")
        high, low = (struct.unpack_from("<H", image, entry + at)[0] for at in (20, 26))
        for fat in range(fats):
            at = VOLUME + 512 * (reserved + fat * fat_sectors) + 4 * (high << 16 | low)
            struct.pack_into("<I", image, at, 0x0FFFFFFF)

    machine = boot_image(changed(image_of(CHAPTER), cut_chain), firmware="uefi")
    machine.wait_until_halted()
    assert re.match(r"kernel\.elf is shorter than its volume says: |The firmware cannot read "
                    r"kernel\.elf \(EFI error \d+\)\. Try ", " ".join(said(machine)))


def test_a_kernel_larger_than_memory_gets_a_sentence(boot_image, tmp_path):
    """It needs 1 GiB, most of it .bss, and the sentence says how much there is."""
    kernel = made(tmp_path / "huge.elf",
                  [Part(READ | WRITE, 0xFFFFFFFF80400000, b"data", memory_size=GIB)])
    machine = boot_image(LOADERS["efi"].image(kernel.path, tmp_path), firmware="uefi")
    machine.wait_until_halted()
    sentence = " ".join(said(machine))
    found = re.fullmatch(f"({TOO_LITTLE}) \\1", sentence)
    assert found and int(found[2]) * KIB >= GIB and 32 * MIB < int(found[3]) * KIB < RAM


# ---- firmware that is in the way -------------------------------------------------------------


def stop_at(machine: Machine, address: int) -> None:
    """Let a stopped machine run to an instruction."""
    machine.gdb.set_breakpoint(address)
    machine.gdb.run(UEFI_START)
    machine.gdb.remove_breakpoint(address)


@pytest.fixture(scope="module")
def loaded_at(printed) -> int:
    """Where the firmware has put the loader: it does so again at each boot.

    It has written the address into the file's headers, which lie in front of the program.
    """
    header = (BUILD / folder_of(CHAPTER) / "BOOTX64.EFI").read_bytes()[:PAGE // 2]
    member = struct.unpack_from("<I", header, 60)[0] + IMAGE_BASE
    memory = printed.memory(0, RAM)
    at = -1
    while (at := memory.index(header[:member], at + 1)) % PAGE or \
            struct.unpack_from("<Q", memory, member + at)[0] != at:
        pass
    return at


@pytest.fixture
def started(boot, loaded_at) -> Machine:
    """A machine that stands at the first instruction of efi_main."""
    machine = boot(CHAPTER, firmware="uefi", paused=True)
    stop_at(machine, loaded_at + symbols(BUILD / folder_of(CHAPTER) / "efi.so")["efi_main"])
    return machine


def spoil_map_key(machine: Machine, times: int) -> None:
    """Let the firmware see another key than the loader gives, as if the map had changed."""
    def pointer_at(address: int) -> int:
        return int.from_bytes(machine.gdb.read_memory(address, 8), "little")

    # efi_main follows the rules of System V: its second argument is the system table.
    services = pointer_at(machine.gdb.read_register("rsi") + BOOT_SERVICES)
    machine.gdb.set_breakpoint(exit_boot := pointer_at(services + EXIT_BOOT_SERVICES))
    for _ in range(times):
        machine.gdb.run(UEFI_START)
        key = machine.gdb.read_register("rdx")
        machine.gdb.write_register("rdx", key ^ 1)
        machine.gdb.step()
    machine.gdb.remove_breakpoint(exit_boot)
    machine.gdb.detach()


def test_a_map_key_that_is_old_is_asked_for_again(started):
    """The firmware refuses the first try; the second one succeeds."""
    spoil_map_key(started, 1)
    started.wait_until_halted()
    assert said(started)[-1] == HELLO


def test_firmware_that_does_not_leave_gets_a_sentence(started):
    """It refuses both tries, and is still able to show the sentence."""
    spoil_map_key(started, 2)
    assert_says(started, STAYS)


def test_page_tables_of_five_levels_get_a_sentence(started, loaded_at):
    """CR4 is read with LA57 set."""
    code = disassembly(BUILD / folder_of(CHAPTER) / "efi.so")
    ((register, behind),) = [(found[1], after.address) for read, after in zip(code, code[1:])
                             if (found := re.fullmatch(r"mov %cr4,%(\w+)", read.text))]
    stop_at(started, loaded_at + behind)
    started.gdb.write_register(register, started.gdb.read_register(register) | CR4_LA57)
    started.gdb.detach()
    assert_says(started, FIVE_LEVELS)


# ---- Secure Boot -----------------------------------------------------------------------------


def test_secure_boot_refuses_a_loader_that_nobody_signed(boot):
    """The firmware says so, and the loader does not run."""
    machine = boot(CHAPTER, firmware="uefi", disk="ahci", secure_boot=True)
    assert machine.wait_for_end().kind == ending.NOT_STARTED
    assert HELLO not in machine.serial


KEYS = Path("/usr/share/ovmf")          # of Debian's package, for everybody to sign with
SNAKEOIL = ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
            "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd")


def test_a_signed_loader_refuses_to_start_any_kernel(boot_image, volume, tmp_path, monkeypatch):
    """The firmware starts it, and it says why it goes no further."""
    needed = [*map(Path, SNAKEOIL), KEYS / "PkKek-1-snakeoil.key"]
    if not shutil.which("sbsign") or not all(path.exists() for path in needed):
        pytest.skip("sbsign (sbsigntool), or Debian's OVMF with the key PkKek-1-snakeoil, is "
                    "not here")
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "rsa", "-in", KEYS / "PkKek-1-snakeoil.key", "-out", key,
                    "-passin", "pass:snakeoil"], check=True, stderr=subprocess.DEVNULL)
    signed = tmp_path / "signed.efi"
    subprocess.run(["sbsign", "--key", key, "--cert", KEYS / "PkKek-1-snakeoil.pem",
                    "--output", signed, BUILD / folder_of(CHAPTER) / "BOOTX64.EFI"],
                   check=True, stderr=subprocess.DEVNULL)
    monkeypatch.setattr("machine.command.find_ovmf", lambda secure_boot: SNAKEOIL)
    image = volume(["mcopy", "-o", signed, "::EFI/BOOT/BOOTX64.EFI"])
    assert_says(boot_image(image, firmware="uefi", disk="ahci", secure_boot=True), SECURE)


# ---- broken variants -------------------------------------------------------------------------


def assert_only_on_com1(machine: Machine) -> PixelScreen:
    """The kernel has printed all, and none of it can be read on the screen."""
    machine.wait_until_halted()
    assert said(machine)[-1] == HELLO
    screen = machine.screen()
    assert isinstance(screen, PixelScreen)
    assert HELLO not in screen and "memory" not in screen
    return screen


def test_text_at_b8000_is_seen_by_nobody(boot_broken):
    """text-at-b8000: the firmware's lines stay on the screen."""
    assert not assert_only_on_com1(
        boot_broken(CHAPTER, "text-at-b8000", firmware="uefi")).legible


def test_a_framebuffer_that_is_not_mapped_is_declined_or_faults(boot_broken):
    """framebuffer-not-mapped: beyond the direct map it is declined. With more memory, it is
    in a hole of the direct map, and the first pixel faults."""
    machine = boot_broken(CHAPTER, "framebuffer-not-mapped", firmware="uefi")
    assert not assert_only_on_com1(machine).legible
    machine = boot_broken(CHAPTER, "framebuffer-not-mapped", firmware="uefi", memory="6G")
    assert machine.wait_for_end().kind == ending.TRIPLE_FAULT
    assert machine.registers().cr2 == DIRECT_MAP + video_memory(machine)


def test_with_the_width_for_a_pitch_the_text_leans(boot_broken):
    """width-for-pitch: what is unreadable becomes straight text, if the picture's pixels are
    laid into rows that are 16 shorter."""
    machine = boot_broken(CHAPTER, "width-for-pitch", firmware="uefi")
    picture = assert_only_on_com1(machine).picture
    width = picture.width - 16
    straight = Picture(width, picture.height, picture.data[:3 * width * picture.height])
    assert not PixelScreen(straight, Font(read_glyphs())).differs_from(said(machine))


def test_with_red_for_blue_light_cyan_is_yellow(boot_broken):
    """red-for-blue: the greeting has another colour; green has the same."""
    machine = boot_broken(CHAPTER, "red-for-blue", firmware="uefi")
    machine.wait_until_halted()
    screen, lines = machine.screen(), said(machine)
    assert not screen.differs_from(lines)
    assert screen.at(len(lines) - 1, 0).attribute == YELLOW
    row, found = next((row, found) for row, found in enumerate(map(RANGE.fullmatch, lines))
                      if found and found[4] == "usable")
    assert screen.at(row, found.start(4)).attribute == LIGHT_GREEN


def test_with_a_stale_map_key_the_firmware_stays(boot_broken):
    """stale-map-key: a page is allocated between the map and the end."""
    assert_says(boot_broken(CHAPTER, "stale-map-key", firmware="uefi"), STAYS)


def test_a_fixed_address_is_taken_though_memory_is_free(boot_broken):
    """fixed-address: a thousand times as much is free, and that page is not."""
    machine = boot_broken(CHAPTER, "fixed-address", firmware="uefi")
    machine.wait_until_halted()
    found = re.fullmatch(f"({TOO_LITTLE}) \\1", " ".join(said(machine)))
    assert found and int(found[3]) > 1000 * int(found[2])


def test_descriptors_are_longer_than_the_struct(boot_broken):
    """sizeof-for-descriptor-size: the direct map lacks the page of boot_info, which the
    kernel's first instructions read."""
    machine = boot_broken(CHAPTER, "sizeof-for-descriptor-size", firmware="uefi")
    assert machine.wait_for_end().kind == ending.TRIPLE_FAULT
    registers = machine.registers()
    variant = broken_image(CHAPTER, "sizeof-for-descriptor-size").with_name("kernel.elf")
    assert 0 <= registers.rip - Kernel(variant).symbols["kernel_main"] < 0x100
    assert 0 <= registers.cr2 - registers["RDI"] < BOOT_INFO.size
    assert DIRECT_MAP <= registers.cr2 < DIRECT_MAP + RAM
    assert "".join(said(machine)) == ""


def test_the_page_tables_of_the_firmware_are_read_only(boot_broken):
    """firmware-tables-edited: a page fault at a write to the table that CR3 points to."""
    machine = boot_broken(CHAPTER, "firmware-tables-edited", firmware="uefi")
    assert machine.wait_for_end().kind == ending.EXCEPTION
    shown = machine.plain_serial
    assert re.search(r"0E\(#PF - Page-Fault\).* W:1 P:1 ", shown, re.DOTALL)
    cr2, cr3 = (int(re.search(rf"{name} +- ([0-9A-F]+)", shown)[1], 16)
                for name in ("CR2", "CR3"))
    assert cr2 // PAGE == cr3 // PAGE


def test_behind_the_end_there_is_no_console(boot_broken):
    """console-after-exit: neither the good-bye nor the kernel is seen. The CPU has called a
    null pointer, and is where no program was."""
    machine = boot_broken(CHAPTER, "console-after-exit", firmware="uefi")
    end = machine.wait_for_end()
    assert end.kind in (ending.TRIPLE_FAULT, ending.EXCEPTION, ending.HANG)
    assert "Good-bye" not in machine.serial and HELLO not in machine.serial
    if end.kind != ending.EXCEPTION:
        assert machine.registers().rip < MIB
