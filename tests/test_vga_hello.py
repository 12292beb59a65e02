"""Chapter 6: a kernel in C, loaded and started by the two stages, says hello."""
from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator

import pytest

from alone import disassembly, symbols
from conftest import BUILD, ROOT, broken_image, folder_of, image_of
from hello import HELLOS, assert_hello
from machine import Machine
from machine.registers import RFLAGS_DF
from machine.screen import COLUMNS, ROWS
from strange_bios import run_to, stop_at_boot_sector

CHAPTER = "vga-hello"
HELLO = HELLOS[CHAPTER].text
SECTOR = 512
FIRST_STAGE = 3                         # sectors; the second stage follows, then the kernel
KERNEL = range(0x10000, 0x80000)        # its place in memory

DAMAGED = "The kernel is damaged: its checksum is wrong. Write the image again."
MISSING = "There is no kernel on the boot disk: write the image again."
NO_LONG_MODE = ("This CPU has no long mode (CPUID 0x80000001, EDX bit 29): it cannot run a\n"
                "64-bit kernel.")

# mov edi, 0xb8000; mov ecx, 2000; mov eax, 0x1f58; rep stosw; mov eax, 0x10000; jmp rax
SCRIBBLE = bytes.fromhex("bf00800b00 b9d0070000 b8581f0000 66f3ab b800000100 ffe0")
SCRIBBLED = b"X\x1f" * (ROWS * COLUMNS)
FREE = 0x600                            # memory for these few bytes

GENERAL_REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                     *(f"r{number}" for number in range(8, 16)))


@pytest.fixture(scope="module")
def halted() -> Iterator[Machine]:
    """The chapter on an ordinary PC, at its end; for tests that only look."""
    with Machine(image_of(CHAPTER)) as machine:
        machine.wait_until_halted()
        yield machine


@pytest.fixture(scope="module")
def labels() -> dict[str, int]:
    """The addresses of the kernel's labels."""
    return symbols(BUILD / folder_of(CHAPTER) / "kernel.elf")


def assert_refused(machine: Machine, sentence: str) -> None:
    """The sentence on the screen and on COM1, and a halt in real mode."""
    machine.wait_until_halted()
    assert not machine.screen().differs_from(sentence)
    assert machine.serial == sentence.replace("\n", "\r\n") + "\r\n"
    assert not machine.registers().protected_mode


def wrapped(text: str) -> list[str]:
    """The rows that a text fills on the screen, which breaks lines at its right edge."""
    return [line[start:start + COLUMNS] for line in text.split("\r\n")
            for start in range(0, max(1, len(line)), COLUMNS)]


def second_stage(data: bytes) -> slice:
    """Where the second stage lies in an image."""
    start = FIRST_STAGE * SECTOR
    return slice(start, start + int.from_bytes(data[start + 4:start + 6], "little") * SECTOR)


def image_maker():
    """common/make/image.py as a module."""
    spec = importlib.util.spec_from_file_location("image", ROOT / "common/make/image.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- what is seen --------------------------------------------------------------------


def test_hello_world_is_light_cyan_on_a_cleared_screen(halted):
    """Row 0 column 0, attribute 0x0b; the other 1,988 cells are blank with 0x07."""
    assert_hello(halted, CHAPTER)


def test_the_kernel_itself_clears_the_screen(boot):
    """What was on the screen when the kernel was entered is gone, colours included."""
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    run_to(machine, KERNEL.start)
    # The stub cannot write video memory, so the CPU does.
    machine.gdb.write_memory(FREE, SCRIBBLE)
    machine.gdb.write_register("rip", FREE)
    run_to(machine, KERNEL.start)
    assert machine.screen().memory == SCRIBBLED
    machine.gdb.detach()
    assert_hello(machine, CHAPTER)


# ---- the state of the machine --------------------------------------------------------


def test_a_kernel_that_returns_is_halted_for_good(halted, labels):
    """Behind kernel_main, _start halts in 64-bit code with interrupts off."""
    registers = halted.registers()
    assert registers.halted and not registers.interrupts
    assert registers.mode == "64-bit long mode"
    assert labels["_start"] <= registers.pc < labels["kernel_main"]
    assert registers["RSP"] == labels["kernel_stack_top"]


def test_the_kernel_begins_with_its_entry(labels):
    """The first byte of the flat binary is the first instruction of _start."""
    assert labels["_start"] == KERNEL.start


def test_the_kernel_is_in_memory_as_in_its_file(halted):
    """From 0x10000 on, byte for byte."""
    kernel = (BUILD / folder_of(CHAPTER) / "kernel.bin").read_bytes()
    assert halted.memory(KERNEL.start, len(kernel)) == kernel


def test_kernel_main_finds_what_a_c_compiler_expects(boot, labels):
    """The stack is in .bss and aligned, rbp ends the chain of frames, DF is clear."""
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    run_to(machine, labels["kernel_main"])
    registers = machine.registers()
    rsp = registers["RSP"]
    assert (rsp + 8) % 16 == 0
    assert labels["bss_start"] <= labels["kernel_stack"] < rsp < labels["kernel_stack_top"]
    assert labels["kernel_stack_top"] <= labels["bss_end"]
    assert registers["RBP"] == 0
    assert not registers.rflags & RFLAGS_DF and not registers.interrupts
    back = int.from_bytes(machine.memory(rsp, 8), "little")
    assert labels["_start"] < back < labels["kernel_main"]


def test_the_kernel_needs_no_stack_and_no_register_at_its_entry(boot):
    """_start is entered with garbage in every register, rsp included, and with DF set."""
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    run_to(machine, KERNEL.start)
    for number, name in enumerate(GENERAL_REGISTERS):
        machine.gdb.write_register(name, 0xDEAD0000_00000001 * (number + 1) & (1 << 64) - 1)
    machine.gdb.write_register("rflags", RFLAGS_DF | 1 << 1)
    machine.gdb.detach()
    assert_hello(machine, CHAPTER)


def test_bss_is_zero_in_dirty_memory(boot, labels):
    """Where all RAM was 0xaa before, .bss is zero when kernel_main is called; and the
    memory behind it is as it was."""
    bss = range(labels["bss_start"], labels["bss_end"])
    machine = boot(CHAPTER, paused=True)
    stop_at_boot_sector(machine)
    machine.gdb.write_memory(KERNEL.start, b"\xaa" * len(KERNEL))
    run_to(machine, labels["kernel_main"])
    memory = bytearray(machine.memory(bss.start, len(bss)))
    back = machine.registers()["RSP"] - bss.start
    memory[back:back + 8] = bytes(8)    # the return address
    assert not any(memory)
    behind = KERNEL.stop - bss.stop
    assert machine.memory(bss.stop, behind) == b"\xaa" * behind
    machine.gdb.detach()
    assert_hello(machine, CHAPTER)


# ---- damaged and missing kernels -----------------------------------------------------


def test_a_damaged_kernel_gets_a_sentence(boot_image, changed):
    """One bit of the kernel is wrong on the disk."""
    def flip_a_bit(data: bytearray) -> None:
        data[second_stage(data).stop + 100] ^= 0x10

    assert_refused(boot_image(changed(image_of(CHAPTER), flip_a_bit)), DAMAGED)


def test_a_missing_kernel_gets_a_sentence(boot_image, changed):
    """The second stage's head says that there are no sectors of a kernel."""
    def forget_the_kernel(data: bytearray) -> None:
        place = second_stage(data)
        stage = data[place]
        stage[6:8] = bytes(2)
        data[place] = image_maker().sealed(bytes(stage[:-4]))

    assert_refused(boot_image(changed(image_of(CHAPTER), forget_the_kernel)), MISSING)


def test_an_image_cut_short_gets_a_sentence(boot_image, changed):
    """The disk ends where the kernel should begin: that sector is named."""
    def cut(data: bytearray) -> None:
        del data[second_stage(data).stop:]

    first = second_stage(image_of(CHAPTER).read_bytes()).stop // SECTOR
    machine = boot_image(changed(image_of(CHAPTER), cut))
    machine.wait_until_halted()
    assert machine.serial.startswith(
        f"Cannot read sector 0x{first:08x} of the boot disk: BIOS error 0x")
    assert "the image is cut short" in machine.serial.replace("\r\n", " ")
    assert not machine.screen().differs_from(wrapped(machine.serial))


# ---- entry states and CPUs -----------------------------------------------------------


def test_a_cpu_without_long_mode_gets_a_sentence(boot):
    """Nothing of the kernel runs on it."""
    assert_refused(boot(CHAPTER, cpu="pentium3"), NO_LONG_MODE)




# ---- broken variants -----------------------------------------------------------------


def variant_labels(variant: str) -> dict[str, int]:
    """The addresses of a broken variant's labels, which has been built."""
    return symbols(broken_image(CHAPTER, variant).with_name("kernel.elf"))


def test_where_bss_is_not_cleared_a_variable_starts_anywhere(boot_broken):
    """bss-not-cleared: the text is written far from the screen, COM1 says it all."""
    machine = boot_broken(CHAPTER, "bss-not-cleared")
    machine.wait_until_halted()
    assert not machine.screen().differs_from("")
    assert machine.serial == HELLO + "\r\n"
    cursor = machine.memory(variant_labels("bss-not-cleared")["cursor"], 2)
    assert int.from_bytes(cursor, "little") == 0xAAAA + len(HELLO)


def test_a_kernel_with_sse_faults_at_its_first_xmm_register(boot_broken):
    """kernel-with-sse: CR4.OSFXSR was never set."""
    machine = boot_broken(CHAPTER, "kernel-with-sse")
    assert machine.wait_for_end().kind == "triple fault"
    code = disassembly(broken_image(CHAPTER, "kernel-with-sse").with_name("kernel.elf"))
    fault = next(line for line in code if line.address == machine.registers().pc)
    assert fault.function == "kernel_main" and "%xmm" in fault.text
    assert machine.serial == "" and not machine.screen().differs_from("")


def test_where_the_entry_is_not_first_kernel_main_returns_to_nowhere(boot_broken):
    """entry-not-first: kernel_main runs on the loader's stack, and returns to what lies
    above it: the first bytes of the boot sector."""
    machine = boot_broken(CHAPTER, "entry-not-first")
    assert machine.wait_for_end().kind == "triple fault"
    assert variant_labels("entry-not-first")["kernel_main"] == KERNEL.start
    assert machine.serial == HELLO + "\r\n"
    assert machine.registers().pc == int.from_bytes(machine.memory(0x7C00, 8), "little")


def test_without_volatile_the_compiler_leaves_the_writes_out(boot_broken):
    """no-volatile: the screen stays as it was, COM1 says it all."""
    machine = boot_broken(CHAPTER, "no-volatile")
    machine.wait_until_halted()
    assert not machine.screen().differs_from("")
    assert machine.serial == HELLO + "\r\n"


@pytest.mark.skipif(os.environ.get("TOOLCHAIN", "gcc") != "gcc" or not shutil.which("gcc"),
                    reason="only gcc makes a call of memset out of this loop")
def test_a_memset_that_calls_itself_fills_all_memory_below_its_stack(boot_broken):
    """memset-calls-itself: rsp is below the kernel's stack, and nothing was printed."""
    machine = boot_broken(CHAPTER, "memset-calls-itself")
    assert machine.wait_for_end(timeout=3).kind == "triple fault"
    stack = variant_labels("memset-calls-itself")["kernel_stack"]
    assert machine.registers()["RSP"] < stack
    assert machine.serial == ""
