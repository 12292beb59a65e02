"""`make chapter-N debug`: gdb, driven as a person drives it, tells the truth."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator

import pexpect
import pytest

from conftest import BUILD, ROOT, folder_of, number_of, run_make

GDBS = ("x86_64-elf-gdb", "x86_64-linux-gnu-gdb", "gdb-multiarch", "gdb")
PROMPT = r"\(gdb\) $"

pytestmark = pytest.mark.skipif(not any(map(shutil.which, GDBS)),
                                reason="no gdb here: the verb debug needs it")


class Session:
    """One `make chapter-N debug`, waiting at gdb's prompt."""

    def __init__(self, words: str, **variables: str) -> None:
        folder = folder_of(words)
        elfs = {"boot-sector": ["boot"], "uefi-loader": []}.get(
            words, ["first_stage", "stage2"])
        elfs += ["kernel"] if words in ("vga-hello", "uefi-loader") else []
        files = ["disk.img", *(f"{elf}.elf" for elf in elfs)]
        # By one make alone; for ours then nothing is left to build.
        built = run_make("-s", *(f"build/{folder}/{file}" for file in files))
        assert built.returncode == 0, built.stdout
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("DISPLAY", "WAYLAND_DISPLAY", "MAKEFLAGS", "MAKELEVEL")}
        self.serial = BUILD / folder / "serial.log"
        self.make = pexpect.spawn(
            "make", [f"chapter-{number_of(folder)}", "debug"], cwd=ROOT, encoding="utf-8",
            env={**environment, "TERM": "dumb", **variables}, echo=False, timeout=30,
            dimensions=(25, 200))
        self.make.delaybeforesend = None
        self.make.expect(PROMPT)
        self.greeting = self.make.before

    def __call__(self, command: str) -> str:
        """Type a command; what gdb answers."""
        self.make.sendline(command)
        self.make.expect(PROMPT)
        return self.make.before.replace("\r", "")

    def processes(self) -> list[int]:
        """All that make started, and what that started."""
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], text=True,
                               capture_output=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
        found = [self.make.pid]
        for parent in found:
            found += [pid for pid, ppid in pairs if ppid == parent]
        return found

    def is_over(self, processes: list[int]) -> bool:
        """Wait until none of these processes runs; was it so within 10 seconds?"""
        return subprocess.run(
            ["sh", "-c", "for i in $(seq 100); do ps -o stat= -p $1 | grep -qv Z || exit 0; "
             "sleep 0.1; done; exit 1", "sh", ",".join(map(str, processes))]).returncode == 0


@pytest.fixture
def debug() -> Iterator[Callable[..., Session]]:
    """`debug("long-mode")` starts a session, which ends with the test."""
    sessions: list[Session] = []

    def start(words: str, **variables: str) -> Session:
        sessions.append(Session(words, **variables))
        return sessions[-1]

    yield start
    for session in sessions:
        session.make.close(force=True)


def instruction(text: str) -> list[str]:
    """The instructions that x/i or `code` printed, blanks evened out."""
    return [" ".join(line.split(":\t")[1].split()) for line in text.splitlines() if ":\t" in line]


def test_gdb_stops_at_the_boot_sector_and_reads_it_as_16_bit_code(debug):
    """At 0x7c00, in real mode: source, symbols, and instructions of the right width."""
    gdb = debug("boot-sector")
    assert "common/bios/entry.asm:" in gdb.greeting
    assert "real mode: 0x7c00:" in gdb.greeting
    assert "0x7c00" in gdb("print $pc")
    assert instruction(gdb("x/2i $pc")) == ["jmp 0x7c5a <entry>", "nop"]
    assert instruction(gdb("x/i &entry")) == ["jmp 0x0:0x7c5f"]
    assert instruction(gdb("code entry"))[:2] == ["jmp 0x0:0x7c5f", "xor ax,ax"]
    assert re.search(r"0x0*7c5a <\+0>:\s+jmp\s+0x0:0x7c5f", gdb("disassemble entry"))
    assert "print in section" in gdb("info symbol print")


def test_next_steps_over_bios_calls_and_over_16_bit_calls(debug):
    """nexti over `int 0x10` and over `call` stops at the instruction behind it."""
    gdb = debug("boot-sector")
    gdb("break entry.canonical")
    gdb("continue")
    while not instruction(gdb("x/i $pc"))[0].startswith("int"):
        gdb("nexti")
    for expected in ("call", "pop"):
        assert "entry.canonical" in gdb("nexti")
        assert instruction(gdb("x/i $pc"))[0].startswith(expected)
    gdb("tbreak print")
    gdb("continue")
    assert "#1" in gdb("backtrace")
    assert "jmp halt" in gdb("finish")


def test_code_is_right_where_cs_has_a_base(debug):
    """In the BIOS, where $pc is an offset from the base of cs, x/i reads the right bytes."""
    gdb = debug("boot-sector")
    gdb("break entry.canonical")
    gdb("continue")
    while not instruction(gdb("x/i $pc"))[0].startswith("int"):
        gdb("nexti")
    gdb("stepi")
    offset, linear = instruction(gdb("x/3i $pc")), instruction(gdb("code"))
    assert offset == linear[:3]
    assert " at c000:" in gdb("mode") or " at f000:" in gdb("mode")


def test_chapter_4_shows_32_bit_code_and_the_gdt(debug):
    """Behind the far jump: 32-bit code, the descriptors in words, paging off."""
    gdb = debug("protected-mode")
    assert "PE      off" in gdb("control")
    gdb("break protected_mode")
    stop = gdb("continue")
    assert "stage2.asm" in stop and "32-bit protected mode: 0x" in stop
    assert instruction(gdb("x/2i $pc"))[1] == "mov edi,0xb8000"
    assert "PE      on" in gdb("control")
    table = gdb("gdt").splitlines()
    assert table[0].endswith("limit 0x17: 3 descriptors")
    assert table[1] == "  0x00  null"
    assert "limit 0xffffffff  32-bit code, readable, DPL 0, present  <- cs" in table[2]
    assert "32-bit data, writable, DPL 0, present  <- ds es fs gs ss" in table[3]
    assert "Paging is off" in gdb("walk 0xb8000")


def test_chapter_5_shows_64_bit_code_and_walks_the_page_tables(debug):
    """In long mode: 64-bit code, the control registers in words, the walk of an address."""
    gdb = debug("long-mode")
    gdb("break long_mode")
    assert "64-bit long mode: 0x" in gdb("continue")
    assert instruction(gdb("x/2i $pc"))[1] == "mov edi,0xb8000"
    words = gdb("cr")
    for name in ("CR0.PE", "CR0.PG", "CR4.PAE", "EFER.LME", "EFER.LMA"):
        assert re.search(rf"{name} +on", words)
    walk = gdb("walk 0xb8000").splitlines()
    assert [line.split("[")[0].strip() for line in walk[:3]] == ["PML4", "PDPT", "PD"]
    assert walk[3] == "0xb8000 is at physical 0xb8000, in a page of 2 MiB"
    assert "is not mapped" in gdb("walk 0x40000000")
    assert "64-bit code, readable, DPL 0, present  <- cs" in gdb("gdt")
    assert "64-bit long mode at 0018:" in gdb("mode")


def test_chapter_6_shows_the_kernel_in_c_and_the_screen(debug):
    """kernel_main stops in its C source; Ctrl+C stops the halted machine at the end."""
    gdb = debug("vga-hello")
    gdb("break kernel_main")
    stop = gdb("continue")
    assert "kernel.c:" in stop and "64-bit long mode" in stop
    assert "#1" in gdb("backtrace") and "_start" in gdb("backtrace")
    gdb.make.sendline("continue")
    gdb.make.expect("Continuing")
    while "Hello World!" not in (gdb.serial.read_text() if gdb.serial.exists() else ""):
        assert gdb.make.expect([pexpect.TIMEOUT, PROMPT], timeout=0.1) == 0
    gdb.make.sendintr()
    gdb.make.expect(PROMPT)
    assert "SIGINT" in gdb.make.before
    assert "|Hello World!  " in gdb("screen")


def test_with_uefi_gdb_stops_at_the_kernel_and_reads_its_screen(debug):
    """kernel_main stops in its C source, behind the firmware; the screen is its pixels."""
    gdb = debug("uefi-loader", FIRMWARE="uefi")
    assert "kernel.c:" in gdb.greeting
    assert "64-bit long mode: 0xffffffff80" in gdb.greeting
    assert "no text of ours yet" in gdb("screen")
    gdb("break print_boot_info")
    assert "print_boot_info" in gdb("continue")
    gdb("finish")
    assert "|screen    pixels, " in gdb("screen")


def test_with_uefi_there_must_be_a_kernel_to_stop_at(make):
    """An application alone has no address that is known before: a sentence, no session."""
    done = make("-s", f"chapter-{number_of(folder_of('uefi-hello'))}", "debug")
    assert done.returncode == 2
    assert "With UEFI, debug stops at the first instruction of a kernel" in done.stdout


def test_a_triple_fault_is_reported_where_it_happened(debug):
    """An exception without a handler stops gdb, with a sentence and the registers."""
    gdb = debug("protected-mode")
    gdb("break protected_mode")
    gdb("continue")
    gdb("set *(unsigned short *)$pc = 0x0b0f")  # ud2: an invalid instruction
    stop = gdb("continue")
    assert "Triple fault at 0008:" in stop and "protected_mode" in stop


@pytest.mark.parametrize("end", ["quit", "Ctrl+D", "killed", "hung up"])
def test_no_qemu_is_left_behind(debug, end):
    """However gdb ends, QEMU ends."""
    gdb = debug("boot-sector")
    processes = gdb.processes()
    names = subprocess.run(["ps", "-o", "args=", "-p", ",".join(map(str, processes))],
                           text=True, capture_output=True).stdout
    assert "qemu" in names and len(processes) >= 4
    if end == "quit":
        gdb.make.sendline("quit")
        gdb.make.expect(pexpect.EOF)
    elif end == "Ctrl+D":
        gdb.make.sendeof()
        gdb.make.expect(pexpect.EOF)
    elif end == "killed":
        os.kill(processes[-1], signal.SIGKILL)  # the last one started: gdb
    gdb.make.close(force=True)
    assert gdb.is_over(processes)


def wrapper(path, script: str) -> str:
    """A gdb that lacks something, as a program."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_an_old_gdb_says_what_it_cannot_do(debug, tmp_path):
    """Without gdb.disassembler (gdb 12): one sentence, and `code` is still right."""
    old = wrapper(tmp_path / "gdb", 'exec gdb -iex '
                  '"python import sys; sys.modules[\'gdb.disassembler\'] = None" "$@"')
    gdb = debug("boot-sector", GDB=old)
    assert "older than 13" in gdb.greeting and "`code` shows it right" in gdb.greeting
    assert instruction(gdb("code entry"))[0] == "jmp 0x0:0x7c5f"


def test_a_gdb_without_python_still_attaches(debug, tmp_path):
    """Without Python: one sentence, and gdb with symbols at the boot sector."""
    poor = wrapper(tmp_path / "gdb", 'case "$*" in *import*) echo set to;; '
                   '*) exec gdb "$@";; esac')
    gdb = debug("boot-sector", GDB=poor)
    assert "has no Python" in gdb.greeting
    assert "0x7c00" in gdb("print $pc")
