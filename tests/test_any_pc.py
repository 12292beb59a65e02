"""The chapters on other PCs than the ordinary one: other firmware, disks, memory, CPUs.

What a chapter is about, it tests itself: disks are in chapter 2's file, memory of any size in
chapter 3's, CPUs that are too old in those of chapters 5 and 6.
"""
from __future__ import annotations

import pytest

from firmware_state import STRANGE_REGISTERS, close_a20
from hello import HELLOS, assert_hello
from page_tables import assert_clean_tables


ABOVE_1_MIB = [chapter for chapter in HELLOS if chapter != "boot-sector"]


@pytest.mark.parametrize("chapter", ABOVE_1_MIB)
def test_a20_is_switched_on_where_the_bios_left_it_off(boot, chapter):
    """With the gate closed at the boot sector's entry, it is open at the end."""
    machine = boot(chapter, paused=True)
    close_a20(machine)
    machine.gdb.detach()
    assert_hello(machine, chapter)
    assert machine.registers().a20


@pytest.mark.parametrize("chapter", ABOVE_1_MIB)
def test_nothing_that_the_bios_leaves_is_relied_on(boot, chapter):
    """Entered as 07c0:0000 with odd segments, DF set and garbage in every register."""
    machine = boot(chapter, paused=True)
    machine.start_at_boot_sector(registers=STRANGE_REGISTERS)
    assert_hello(machine, chapter)


@pytest.mark.parametrize("disk", ["ahci", "virtio", "usb", "floppy"])
@pytest.mark.parametrize("chapter", HELLOS)
def test_it_boots_from_every_kind_of_disk(boot, chapter, disk):
    """The same image on a hard disk of each kind, and as a floppy; IDE is what all other
    tests use."""
    assert_hello(boot(chapter, disk=disk), chapter)


@pytest.mark.parametrize("chapter, memory", [
    *[(chapter, memory) for chapter in ("boot-sector", "long-mode", "vga-hello")
      for memory in ("1M", "6G")],
    ("long-mode", "8M"),
    ("vga-hello", "8M"),
])
def test_it_boots_with_little_and_with_much_memory(boot, chapter, memory):
    """From the least that QEMU's BIOS starts with to more than 32 bits can count. All lies
    below 1 MiB, and the GiB that is mapped need not exist."""
    assert_hello(boot(chapter, memory=memory), chapter)


@pytest.mark.parametrize("chapter, cpu", [
    pytest.param(chapter, cpu, id=f"{chapter}-{words}")
    for chapter, cpu, words in [
        ("long-mode", "qemu64,-nx", "without-no-execute"),
        ("long-mode", "qemu64,-pdpe1gb", "without-pages-of-1-gib"),
        ("long-mode", "qemu64,+pdpe1gb", "with-pages-of-1-gib"),
        ("long-mode", "max", "with-all-that-qemu-has"),
        ("vga-hello", "qemu64,-nx", "without-no-execute"),
        ("vga-hello", "max", "with-all-that-qemu-has")]])
def test_every_64_bit_cpu_will_do(boot, chapter, cpu):
    """Nothing is used that not every 64-bit CPU has: the tables are the same on each."""
    machine = boot(chapter, cpu=cpu)
    assert_hello(machine, chapter)
    assert_clean_tables(machine)
