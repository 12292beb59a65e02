"""Kernels in C other than chapter 6's own: big ones, and such as tempt the compiler.

Each is chapter 6's export with a C file added, built by gcc or by clang.
"""
from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

import pytest

from alone import (TOOLCHAINS, Alone, below_the_stack, built_once, disassembly, export,
                   need_toolchain, symbols, undefined_symbols)
from machine import Machine
from strange_bios import stop_at_boot_sector

CHAPTER = "vga-hello"
HELLO = "Hello World!"
KERNEL = range(0x10000, 0x80000)        # its place in memory
BIG = 300 * 1024
TOO_BIG = "the kernel is too big for its place: its .bss must end at or below KERNEL_LIMIT"

# What a compiler likes to do with SSE, with the red zone, and with memcpy and memset.
TEMPTING = """
struct parcel { unsigned char bytes[64]; };
struct parcel copy_parcel(const struct parcel *parcel);
struct parcel copy_parcel(const struct parcel *parcel) { return *parcel; }

int sum_of(int n);
int sum_of(int n)
{
    volatile int numbers[16];
    for (int i = 0; i < 16; i++) {
        numbers[i] = n;
    }
    return numbers[n & 15];
}

void add_up(int *restrict to, const int *restrict from);
void add_up(int *restrict to, const int *restrict from)
{
    for (int i = 0; i < 1024; i++) {
        to[i] += from[i];
    }
}

unsigned char never_set[5001];
"""
# Register names that only MMX, SSE, AVX and the x87 have; and the x87's mnemonics.
SIMD = re.compile(r"%(?:[xyz]?mm\d|st\b|k[0-7]\b)|^(?:f\w+|emms|ldmxcsr|stmxcsr)\b")
# A call of, or a jump to, the beginning of one of the four.
MEMORY_CALL = re.compile(r"^(?:call|j)\w*\s.*\bmem(?:cpy|move|set|cmp)\b(?!\+)")


@pytest.fixture(params=TOOLCHAINS)
def tempting(request) -> Alone:
    """An export built by one compiler, with C code added that tempts it."""
    need_toolchain(request.param)
    return built_once(CHAPTER, f"tempting-{request.param}",
                      lambda alone: alone.add_to_kernel("tempting.c", TEMPTING),
                      f"TOOLCHAIN={request.param}")


@pytest.fixture
def big() -> Alone:
    """An export whose kernel holds 300 KiB of numbers at its end."""
    def add_numbers(alone: Alone) -> None:
        numbers = random.Random("First Light").randbytes(BIG - 1) + b"\x5a"
        (alone.sources / "numbers").write_bytes(numbers)
        words = ",".join(f"{word:#x}" for (word,) in struct.iter_unpack("<Q", numbers))
        alone.add_to_kernel("numbers.c", f"unsigned long numbers[] = {{{words}}};\n")

    return built_once(CHAPTER, "big", add_numbers)


@pytest.fixture
def boot_alone(machines) -> Callable[..., Machine]:
    """Boot an export's image."""
    return lambda alone, **options: machines.enter_context(
        Machine(alone.image, **options))


def assert_hello(machine: Machine, alone: Alone) -> None:
    """The sentence is on the screen and on COM1; the kernel lies in memory as in its file."""
    machine.wait_until_halted()
    assert not machine.screen().differs_from(HELLO)
    assert machine.serial == HELLO + "\r\n"
    kernel = (alone.build / "kernel.bin").read_bytes()
    assert machine.memory(KERNEL.start, len(kernel)) == kernel


# ---- what the compilers make of the flags --------------------------------------------


def test_the_kernel_boots_whichever_compiler_built_it(boot_alone, tempting):
    """The same screen from gcc and from clang, with code added that nobody calls."""
    assert_hello(boot_alone(tempting), tempting)


def test_a_variable_without_a_value_is_zero_in_dirty_memory(boot_alone, tempting):
    """Where all RAM was 0xaa before, an array in .bss holds zeros."""
    labels = symbols(tempting.build / "kernel.elf")
    array = range(labels["never_set"], labels["never_set"] + 5001)
    assert array.start >= labels["bss_start"] and array.stop <= labels["bss_end"]
    machine = boot_alone(tempting, paused=True)
    stop_at_boot_sector(machine)
    machine.gdb.write_memory(KERNEL.start, b"\xaa" * len(KERNEL))
    machine.gdb.detach()
    assert_hello(machine, tempting)
    assert machine.memory(array.start, len(array)) == bytes(len(array))


def test_the_kernel_has_no_simd_and_no_x87(tempting):
    """No instruction touches an mmx, xmm, ymm or x87 register, however tempting."""
    assert [code for code in disassembly(tempting.build / "kernel.elf")
            if SIMD.search(code.text)] == []


def test_the_kernel_leaves_memory_below_the_stack_alone(tempting):
    """No instruction reads or writes below rsp: no red zone."""
    assert below_the_stack(disassembly(tempting.build / "kernel.elf")) == []


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_without_the_flags_both_would_be_there(tmp_path, toolchain):
    """The two tests above see what they look for, in the same source compiled plainly."""
    need_toolchain(toolchain)
    alone = export(CHAPTER, tmp_path)
    alone.add_to_kernel("tempting.c", TEMPTING)
    alone.must_make("CFLAGS=-ffreestanding -O3 -fno-pic -fno-stack-protector",
                    f"TOOLCHAIN={toolchain}", f"build/{alone.chapter}/tempting.o")
    code = disassembly(alone.build / "tempting.o")
    assert any(SIMD.search(line.text) for line in code)
    assert below_the_stack(code)


def test_memory_c_calls_nothing(tempting):
    """None of the four calls one of them, and memory.o needs no symbol of another file."""
    memory = tempting.build / "memory.o"
    assert {"memcpy", "memmove", "memset", "memcmp"} <= set(symbols(memory))
    assert not any(MEMORY_CALL.search(code.text) for code in disassembly(memory))
    assert undefined_symbols(memory) == []


# ---- big, and too big ----------------------------------------------------------------


@pytest.mark.parametrize("disk", ["ide", "ahci", "virtio", "usb", "floppy"])
def test_a_kernel_of_300_kib_boots(boot_alone, big, disk):
    """It arrives from every kind of disk, up to its last byte."""
    assert_hello(boot_alone(big, disk=disk), big)
    kernel = (big.build / "kernel.bin").read_bytes()
    assert kernel.endswith((big.sources / "numbers").read_bytes()) and len(kernel) > BIG


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_a_kernel_that_is_too_big_fails_the_build(tmp_path, toolchain):
    """The linker says why, make fails, and there is no image to boot."""
    need_toolchain(toolchain)
    alone = export(CHAPTER, tmp_path)
    alone.add_to_kernel("huge.c", "char huge[512 << 10];\n")
    done = alone.make(f"TOOLCHAIN={toolchain}")
    assert done.returncode != 0 and TOO_BIG in done.stdout
    assert not alone.image.exists()


def test_a_kernel_that_just_fits_boots(boot_alone, tmp_path):
    """Its .bss ends in the last 64 bytes of its place, and the PC has 1 MiB in all."""
    alone = export(CHAPTER, tmp_path)
    alone.must_make()
    room = KERNEL.stop - symbols(alone.build / "kernel.elf")["bss_end"]
    alone.add_to_kernel("fits.c", f"char fits[{room - 64}];\n")
    alone.must_make()
    assert KERNEL.stop - symbols(alone.build / "kernel.elf")["bss_end"] in range(0, 65)
    assert_hello(boot_alone(alone, memory="1M"), alone)
