"""The machinery of the tests, tested with boot sectors of a few instructions each."""
from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from machine import (BochsMachine, Font, Machine, MachineError, MissingProgram, NotMapped,
                     Picture, PixelScreen, Registers, Screen, build, ending, paging, uefi)
from machine.pixels import scale_for

# Every sector begins like this, and ends with the signature and the size of a floppy.
HEAD = """
bits 16
org 0x7c00
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    cld
"""
TAIL = """
    times 510 - ($ - $$) db 0
    dw 0xaa55
    times 2880 * 512 - ($ - $$) db 0
"""
HELLO = """
    mov ax, 3                           ; text mode, cleared
    int 0x10
    mov dx, 0x3fb
    mov al, 3                           ; COM1: 8 data bits
    out dx, al
    mov ax, 0xb800
    mov es, ax
    xor di, di
    mov si, text
.next:
    lodsb
    test al, al
    jz done
    mov ah, 0x0b
    stosw
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    mov al, [si - 1]
    mov dx, 0x3f8
    out dx, al
    jmp .next
text: db "{text}", 0
done:
"""
HALT = "stop: hlt\n    jmp stop\n"
TRIPLE_FAULT = "lidt [empty]\nfault: int3\nempty: dw 0, 0, 0\n"
LONG_MODE = """
    mov eax, cr4
    or eax, 1 << 5                      ; PAE
    mov cr4, eax
    mov di, 0x1000                      ; PML4, PDPT and PD, one behind the other
    xor eax, eax
    mov ecx, 3 * 1024
    rep stosd
    mov dword [0x1000], 0x2003
    mov dword [0x2000], 0x3003
    mov dword [0x3000], 0x83            ; the first 2 MiB, where we are
    mov dword [0x3008], 0x400083        ; the second 2 MiB show what is at 4 MiB
    mov eax, 0x1000
    mov cr3, eax
    mov ecx, 0xc0000080                 ; EFER
    rdmsr
    or eax, 1 << 8
    wrmsr
    mov eax, cr0
    or eax, 1 << 31 | 1
    mov cr0, eax
    lgdt [gdtr]
    jmp 8:code
bits 64
code:
    hlt
    jmp code
gdt: dq 0, 0x00209a0000000000
gdtr: dw 15
    dd gdt
"""

# A UEFI application is a PE32+ file: two headers, one section, no address in need of
# relocation. The code begins with the system table in rdx.
# Source: Microsoft, "PE Format"; UEFI specification, "UEFI Images".
EFI_HEAD = """
entry equ 4096
bits 64
default rel
org 0
    db "MZ"
    times 0x3c - ($ - $$) db 0
    dd pe
pe: db "PE", 0, 0
    dw 0x8664, 1                        ; x86-64, one section
    dd 0, 0, 0
    dw sections - optional, 0x0022      ; executable, and above 2 GiB as well
optional:
    dw 0x020b, 0                        ; PE32+
    dd size, 0, 0, entry, entry
    dq 0
    dd entry, entry                     ; alignment in memory, and in the file
    dw 0, 0, 0, 0, 0, 0
    dd 0, entry + size, entry, 0
    dw 10, 0                            ; an EFI application
    dq 0, 0, 0, 0
    dd 0, 0
sections:
    db ".text", 0, 0, 0
    dd size, entry, size, entry, 0, 0, 0, 0xe0000020
    times entry - ($ - $$) db 0
    sub rsp, 40                         ; room for the registers of a callee
"""
EFI_HELLO = """
    mov rcx, [rdx + 64]                 ; ConOut
    lea rdx, [text]
    call [rcx + 8]                      ; OutputString
    jmp done
text: dw __utf16__(`Hello\\r\\n`), 0
done:
"""
EFI_TAIL = """
    align 4096, db 0
size equ $ - $$ - entry
"""
EFI_HALT = "cli\n" + HALT

Assemble = Callable[[str], Path]
Start = Callable[..., Machine]


@pytest.fixture
def assemble(tmp_path: Path) -> Assemble:
    """Make a disk image of the instructions of a boot sector."""
    def run(code: str, head: str = HEAD) -> Path:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        source, image = folder / "boot.asm", folder / "disk.img"
        source.write_text(head + code + TAIL)
        subprocess.run(["nasm", "-f", "bin", "-o", image, source], check=True)
        return image
    return run


@pytest.fixture
def start(assemble: Assemble) -> Iterator[Start]:
    """Boot a sector of these instructions in QEMU."""
    with contextlib.ExitStack() as stack:
        yield lambda code, **options: stack.enter_context(
            Machine(assemble(code), **options))


@pytest.fixture
def start_bochs(assemble: Assemble) -> Iterator[Callable[[str], BochsMachine]]:
    """Boot a sector of these instructions in Bochs."""
    def run(code: str) -> BochsMachine:
        try:
            return stack.enter_context(BochsMachine(assemble(code)))
        except MissingProgram as missing:
            pytest.skip(missing.sentence)

    with contextlib.ExitStack() as stack:
        yield run


@pytest.fixture
def efi_image(tmp_path: Path) -> Assemble:
    """Make a FAT disk with an application of these instructions, or with none."""
    def run(code: str) -> Path:
        for tool in ("mformat", "mmd", "mcopy"):
            if not shutil.which(tool):
                pytest.skip(f"needs {tool} of mtools")
        image, source, efi = (tmp_path / name for name in ("disk.img", "app.asm", "app.efi"))
        subprocess.run(["mformat", "-C", "-i", image, "-f", "2880", "::"], check=True)
        if code:
            source.write_text(EFI_HEAD + code + EFI_TAIL)
            subprocess.run(["nasm", "-f", "bin", "-o", efi, source], check=True)
            subprocess.run(["mmd", "-i", image, "::/EFI", "::/EFI/BOOT"], check=True)
            subprocess.run(["mcopy", "-i", image, efi, "::/EFI/BOOT/BOOTX64.EFI"], check=True)
        return image
    return run


@pytest.fixture
def start_uefi(efi_image: Assemble) -> Iterator[Start]:
    """Boot a UEFI application of these instructions in QEMU; skip where there is no OVMF."""
    def run(code: str, **options: Any) -> Machine:
        try:
            return stack.enter_context(Machine(efi_image(code), firmware="uefi", **options))
        except MissingProgram as missing:
            pytest.skip(missing.sentence)

    with contextlib.ExitStack() as stack:
        yield run


def fails(pattern: str) -> Any:
    """Expect a MachineError whose text holds this."""
    return pytest.raises(MachineError, match=pattern)


def hello(text: str = "Hello") -> str:
    return HELLO.format(text=text)


def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m machine` without a display, a terminal and a keyboard."""
    return subprocess.run([sys.executable, "-m", "machine", *arguments], text=True,
                          env=environment(**variables), stdin=subprocess.DEVNULL,
                          capture_output=True)


def environment(**variables: str) -> dict[str, str]:
    """The environment for `python -m machine` where there is no display."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    here = {name: value for name, value in os.environ.items()
            if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**here, "PYTHONPATH": path, **variables}


# -- what is seen ----------------------------------------------------------------------


def test_com1_and_the_screen_are_read(start: Start) -> None:
    """What a boot sector writes to COM1 and to the screen arrives, with its colours."""
    machine = start(hello() + HALT)
    assert machine.expect("Hel(lo)").group(1) == "lo"
    screen = machine.expect_screen("Hello")
    assert screen.at(0, 0) == ("H", 0x0B)
    assert screen.at(0, 5) == (" ", 0x07)
    assert machine.serial == "Hello"


def test_com1_is_read_byte_for_byte(start: Start) -> None:
    """No terminal between the machine and us translates line ends."""
    machine = start(HELLO.replace('"{text}"', "'a', 10, 'b', 13, 10, 'c'") + HALT)
    machine.expect("c")
    assert machine.serial == "a\nb\r\nc"


def test_a_screenshot_is_a_png_picture(start: Start, tmp_path: Path) -> None:
    """The text screen is 720 x 400 pixels, and a picture of it is not empty."""
    machine = start(hello() + HALT)
    machine.wait_until_halted()
    machine.screenshot(tmp_path / "screen.png")
    data = (tmp_path / "screen.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (720, 400)
    blank = start(HELLO.format(text=" ") + HALT)
    blank.wait_until_halted()
    blank.screenshot(tmp_path / "blank.png")
    assert (tmp_path / "blank.png").read_bytes() != data


def test_the_registers_tell_real_mode(start: Start) -> None:
    """A boot sector runs in 16-bit code, without protection."""
    machine = start("mov eax, 0x12345678\nmov bx, 0x1357\nmov ds, bx\n" + HALT)
    machine.wait_until_halted()
    registers = machine.registers()
    assert registers["RAX"] == registers["eax"] == 0x12345678
    assert (registers.ds.selector, registers.ds.base) == (0x1357, 0x13570)
    assert registers.mode == "real mode"
    assert registers.halted and registers.a20 and not registers.interrupts
    assert 0x7C00 < registers.pc < 0x7E00


def test_the_registers_tell_long_mode(start: Start) -> None:
    """64-bit code is told from its segment and from EFER."""
    machine = start(LONG_MODE)
    machine.wait_until_halted()
    registers = machine.registers()
    assert registers.mode == "64-bit long mode"
    assert registers.cs.bits == 64
    assert (registers.cr3, registers.gdt.limit) == (0x1000, 15)


def test_the_page_tables_are_walked(start: Start) -> None:
    """A virtual address is translated with the tables in the machine's memory."""
    machine = start(LONG_MODE)
    machine.wait_until_halted()
    translation = machine.translate(0x212345)
    assert translation.physical == 0x412345
    assert translation.page_size == 2 << 20
    assert [level.index for level in translation.levels] == [0, 0, 1]
    with pytest.raises(NotMapped, match=r"0x400000 is not mapped: PD\[2\]"):
        machine.translate(0x400000)


def test_real_mode_has_no_page_tables(start: Start) -> None:
    """A page walk without paging is refused in words."""
    machine = start(HALT)
    machine.wait_until_halted()
    with fails("the CPU is in real mode, paging is off"):
        machine.translate(0x7C00)


def test_a_closed_a20_gate_is_seen(start: Start) -> None:
    """Port 0x92 closes the A20 gate, and the registers show it."""
    machine = start("in al, 0x92\nand al, 0xfc\nout 0x92, al\n" + HALT)
    machine.wait_until_halted()
    assert not machine.registers().a20


@pytest.mark.parametrize("disk", ["ide", "ahci", "virtio", "nvme", "usb", "floppy"])
def test_each_kind_of_disk_boots(start: Start, disk: str) -> None:
    """The BIOS starts the image from every disk that we can attach."""
    start(hello() + HALT, disk=disk).expect("Hello")


# -- how it ends -----------------------------------------------------------------------


def test_a_triple_fault_is_reported_at_once(start: Start) -> None:
    """A wait does not go on after a triple fault, and says where it happened."""
    machine = start(hello("almost") + TRIPLE_FAULT)
    begin = time.monotonic()
    with fails(r"Triple fault at 0000:7c[0-9a-f]{2} in real") as e:
        machine.expect("never", timeout=60)
    assert time.monotonic() - begin < 30
    assert "|almost " in e.value.report, "the last screen can still be read"
    assert machine.wait_for_end().kind == ending.TRIPLE_FAULT


@pytest.mark.parametrize("code", ["mov al, 0xfe\nout 0x64, al\n",
                                  "mov al, 6\nmov dx, 0xcf9\nout dx, al\n"],
                         ids=["keyboard controller", "port 0xcf9"])
def test_a_reset_is_no_triple_fault(start: Start, code: str) -> None:
    """A machine that restarts itself is told from one that crashed."""
    end = start(code + HALT).wait_for_end()
    assert end.kind == ending.RESET
    assert "start over and over" in end.sentence


def test_a_machine_that_powers_off_is_no_crash(start: Start) -> None:
    """Switching off by ACPI is an end of its own."""
    end = start("mov dx, 0x604\nmov ax, 0x2000\nout dx, ax\n" + HALT).wait_for_end()
    assert end.kind == ending.POWERED_OFF


def test_a_spinning_cpu_is_a_hang_at_an_address(start: Start) -> None:
    """A hang says where the CPU is and that it spins."""
    machine = start("spin: jmp spin\n")
    machine.wait_for_screen(lambda screen: "Booting" in screen)
    end = machine.wait_for_end(0.5)
    assert end.kind == ending.HANG
    assert "spinning at 0000:7c0d" in end.sentence


def test_a_cpu_halted_for_good_ends_the_wait(start: Start) -> None:
    """Nobody waits for text from a CPU that is halted with interrupts off."""
    machine = start(HALT)
    with fails("halted at 0000:7c0e .*, interrupts off, for good"):
        machine.expect("never", timeout=60)


def test_a_halt_with_interrupts_is_a_halt(start: Start) -> None:
    """A CPU that is woken by the timer and halts again has settled, too."""
    end = start("sti\n" + HALT).wait_for_end()
    assert end.kind == ending.HALTED
    assert "only one wakes it" in end.sentence


def test_a_crash_at_the_next_tick_is_no_halt(start: Start) -> None:
    """A CPU that the timer's first interrupt will crash does not count as halted."""
    machine = start("mov word [4 * 8], crash\nmov word [4 * 8 + 2], 0\nsti\n" + HALT
                    + "crash: " + TRIPLE_FAULT)
    assert machine.wait_for_end().kind == ending.TRIPLE_FAULT


def test_an_empty_disk_is_explained(tmp_path: Path) -> None:
    """A disk without a boot sector hangs in the BIOS, which is said in words."""
    (tmp_path / "disk.img").write_bytes(bytes(2880 * 512))
    with Machine(tmp_path / "disk.img") as machine:
        machine.wait_for_screen(lambda screen: "No bootable device" in screen)
        assert "found nothing to boot" in machine.wait_for_end(0.1).sentence


def test_a_bad_sentence_ends_the_wait(start: Start) -> None:
    """An error message on COM1 is reported at once, whole, instead of a time-out."""
    machine = start(HELLO.replace('"{text}"', '"Cannot read the disk", 10') + "jmp $\n")
    with fails("did not say 'never', but 'Cannot read the disk'"):
        machine.expect("never", timeout=60)


def test_an_expected_error_is_not_bad(start: Start) -> None:
    """A test may wait for an error message."""
    start(hello("Cannot read") + HALT).expect("Cannot read")


def test_a_wrong_screen_is_shown_beside_the_right_one(start: Start) -> None:
    """The error has the expected and the actual screen, the end and the registers."""
    machine = start(hello("Hallo") + HALT)
    with fails("The screen is not as expected. The CPU is halted") as error:
        machine.expect_screen("Hello")
    assert "! |Hello               |   |Hallo               |" in error.value.report
    assert "real mode at 0000:7c" in error.value.report


# -- QEMU itself -----------------------------------------------------------------------


def test_a_missing_qemu_names_its_package(assemble: Assemble,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """Without QEMU, the sentence says what to install."""
    monkeypatch.setenv("QEMU", "no-such-qemu")
    with pytest.raises(MissingProgram, match="Cannot find no-such-qemu.*qemu-system-x86"):
        Machine(assemble(HALT))


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    """Without an image, the sentence says which, and what makes it."""
    with fails("Cannot find the disk image .*nothing.img.*make"):
        Machine(tmp_path / "nothing.img")


def test_qemu_that_refuses_to_start_is_quoted(start: Start) -> None:
    """What QEMU says about its arguments is in the error."""
    with fails("QEMU ended with status 1: .*unable to find CPU"):
        start(HALT, cpu="no-such-cpu")


def test_qemu_that_dies_is_no_silence(start: Start) -> None:
    """A killed QEMU is told at once, and what COM1 said before is kept."""
    machine = start(hello() + HALT)
    machine.wait_until_halted()
    assert machine.process
    os.kill(machine.process.pid, signal.SIGKILL)
    with fails("QEMU was killed by signal 9") as error:
        machine.expect("never", timeout=60)
    assert "COM1:\nHello" in error.value.report


def test_two_machines_boot_the_same_image(assemble: Assemble) -> None:
    """An image is only read: tests in parallel and a reader's window do not collide."""
    image = assemble(hello() + HALT)
    before = image.read_bytes()
    with Machine(image) as first, Machine(image) as second:
        first.expect("Hello")
        second.expect("Hello")
    assert image.read_bytes() == before


def test_an_image_that_another_qemu_writes_to_is_explained(assemble: Assemble) -> None:
    """Only a QEMU started elsewhere, with the image writable, is in the way."""
    image = assemble(HALT)
    writer = pexpect.spawn("qemu-system-x86_64", [
        "-display", "none", "-S", "-nodefaults", "-monitor", "stdio",
        "-drive", f"if=ide,format=raw,file={image}"])
    try:
        writer.expect("(qemu)")
        with fails("another QEMU has it open for writing"):
            Machine(image)
    finally:
        writer.close(force=True)


def test_nothing_is_left_after_an_exception(assemble: Assemble) -> None:
    """A test that fails takes its QEMU and its temporary files with it."""
    with pytest.raises(ZeroDivisionError):
        with Machine(assemble(HALT)) as machine:
            assert machine.process
            process, folder = machine.process.pid, machine.folder
            raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert not folder.exists()


def test_nothing_is_left_when_python_is_killed(assemble: Assemble) -> None:
    """Even a killed test takes its QEMU with it: its terminal hangs up."""
    code = ("import sys; from machine import Machine; "
            "m = Machine(sys.argv[1], extra=['-qmp', 'unix:' + sys.argv[2]]); "
            "print(m.folder, flush=True); input()")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, \
            socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/qmp")
        listener.listen()
        listener.settimeout(10)
        arguments = [sys.executable, "-c", code, str(assemble(HALT)), f"{folder}/qmp"]
        with subprocess.Popen(arguments, text=True, cwd=Path(__file__).parent,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as python:
            assert python.stdout
            left_behind = python.stdout.readline().strip()
            python.kill()
        qemu = listener.accept()[0]
        qemu.settimeout(10)
        with qemu:
            while qemu.recv(4096):
                pass                    # the connection ends when QEMU does
    shutil.rmtree(left_behind)


# -- a strange BIOS --------------------------------------------------------------------


def test_the_state_at_the_boot_sector_can_be_chosen(start: Start) -> None:
    """Registers, segment bases, flags and memory arrive as they were set."""
    machine = start(HALT, paused=True)
    machine.start_at_boot_sector(
        {"cs": 0x7C0, "ip": 0, "ds": 0x1357, "es": 0x2468, "ss": 0x3579, "sp": 0xFFF0,
         "eflags": 0x402, "eax": 0xDEADBEEF, "dx": 0x80, "esi": 0x99999999},
        {0x500: b"strange", 0x7C00: b"\xf4"})     # the first instruction becomes HLT
    machine.wait_until_halted()
    registers = machine.registers()
    assert (registers.cs.selector, registers.cs.base, registers.rip) == (0x7C0, 0x7C00, 1)
    assert (registers.ds.selector, registers.ds.base) == (0x1357, 0x13570)
    assert (registers.ss.selector, registers.ss.base) == (0x3579, 0x35790)
    assert registers.es.base == 0x24680
    assert registers.rflags == 0x402, "DF is 1, IF is 0"
    assert (registers["RAX"], registers["RSI"]) == (0xDEADBEEF, 0x99999999)
    assert machine.memory(0x500, 7) == b"strange"


def test_single_registers_are_read_as_written(start: Start) -> None:
    """The debugger's register numbers are those of QEMU's monitor."""
    machine = start(HALT, paused=True)
    machine.gdb.set_breakpoint(0x7C00)
    machine.gdb.run()
    for value, name in enumerate("rax rbx rcx rsi rdi rbp rsp".split(), 0x1111):
        machine.gdb.write_register(name, value)
        assert machine.gdb.read_register(name) == machine.registers()[name] == value
    assert machine.gdb.read_register("rip") == 0x7C00
    assert machine.gdb.read_memory(0x7DFE, 2) == b"\x55\xaa"


def test_an_unknown_register_is_refused(start: Start) -> None:
    """A typing error in a register's name is not ignored."""
    with fails("Unknown register 'qx'"):
        start(HALT, paused=True).gdb.write_register("qx", 0)


# -- UEFI ------------------------------------------------------------------------------


def test_a_uefi_application_is_seen_on_com1(start_uefi: Start) -> None:
    """The firmware's console is on COM1, and a halt of the application ends the wait."""
    machine = start_uefi(EFI_HELLO + EFI_HALT)
    machine.expect("Hello\r\n")
    machine.wait_until_halted()
    assert machine.registers().mode == "64-bit long mode"
    assert machine.plain_serial.splitlines()[-1] == "Hello"
    assert "\x1b" in machine.serial and "\x1b" not in machine.report()


def test_a_wait_for_a_key_is_a_halt(start_uefi: Start) -> None:
    """An application that sleeps in the firmware has settled; the firmware before it has not."""
    machine = start_uefi(EFI_HELLO + "sti\n" + HALT)
    assert machine.wait_for_end().kind == ending.HALTED
    assert "Hello" in machine.serial


def test_an_exception_that_uefi_catches_is_told(start_uefi: Start) -> None:
    """The sentence has the exception, its place in the application and the address used."""
    machine = start_uefi("mov rax, 0x123456789abc\nmov [rax], rax\n" + EFI_HALT)
    with fails(r"CPU exception 0E \(#PF.*which used the address 0x123456789abc: .*"
               r"byte 0x100e of the application"):
        machine.expect("never")
    assert machine.wait_for_end().badly


def test_a_triple_fault_under_uefi_is_told(start_uefi: Start) -> None:
    """Without the firmware's IDT an exception ends as it does under a BIOS."""
    machine = start_uefi("lidt [empty]\nint3\nempty: dw 0\ndq 0\n")
    assert machine.wait_for_end().kind == ending.TRIPLE_FAULT


def test_an_application_that_returns_is_told(start_uefi: Start) -> None:
    """The firmware's word for the status is in the sentence."""
    machine = start_uefi("mov rax, 1 << 63 | 1\nadd rsp, 40\nret\n")
    end = machine.wait_for_end()
    assert end.kind == ending.RETURNED
    assert "'Load Error'" in end.sentence


def test_uefi_without_an_application_is_explained(start_uefi: Start) -> None:
    """A disk without EFI/BOOT/BOOTX64.EFI ends the wait with a sentence of its own."""
    machine = start_uefi("")
    with fails("UEFI firmware found nothing to boot.*EFI/BOOT/BOOTX64.EFI"):
        machine.expect("never")


def test_secure_boot_refuses_what_nobody_signed(start_uefi: Start) -> None:
    """With Secure Boot on, our application is not started, and the sentence says why."""
    machine = start_uefi(EFI_HELLO + EFI_HALT, secure_boot=True, disk="ahci")
    end = machine.wait_for_end()
    assert end.kind == ending.NOT_STARTED
    assert "Secure Boot is on" in end.sentence


def test_uefi_before_our_application_is_no_hang_of_ours(start_uefi: Start) -> None:
    """A wait that was too short for the firmware says so."""
    machine = start_uefi(EFI_HALT)
    assert "has not started our application within 0.1 s" in machine.wait_for_end(0.1).sentence


def test_without_a_graphics_card_there_is_no_screen(start_uefi: Start) -> None:
    """A machine that shows nothing says why, and is reported all the same."""
    machine = start_uefi(EFI_HALT, vga="none")
    with fails("no graphics card"):
        machine.screen()
    assert "screen: This machine has no graphics card." in machine.report()


def test_no_two_machines_share_the_variables_of_uefi(start_uefi: Start) -> None:
    """The firmware writes into a copy of the template that goes with the machine."""
    machine = start_uefi(EFI_HALT)
    code, variables = build.find_ovmf()
    flash = {drive["inserted"]["drv"]: drive["inserted"]
             for drive in machine.qmp.execute("query-block") if "pflash" in drive["device"]}
    assert flash["raw"]["file"] == code and flash["raw"]["ro"]
    assert flash["qcow2"]["backing_file"] == variables and not flash["qcow2"]["ro"]


@pytest.mark.parametrize("secure_boot", [False, True])
def test_a_missing_ovmf_is_a_sentence(assemble: Assemble, monkeypatch: pytest.MonkeyPatch,
                                      secure_boot: bool) -> None:
    """Without OVMF, the sentence says what to install and where we looked."""
    import doctor                       # found by way of machine.build
    for name in ("OVMF", "OVMF_SECURE_BOOT"):
        monkeypatch.setattr(doctor, name, (("/nowhere/CODE.fd", "/nowhere/VARS.fd"),
                                           ("/elsewhere/CODE.fd", "/elsewhere/VARS.fd")))
    with pytest.raises(MissingProgram, match=r"ovmf is missing: .*Install it: .*"
                                             r"/nowhere/CODE.fd, /elsewhere/CODE.fd\."):
        Machine(assemble(HALT), firmware="uefi", disk="ahci", secure_boot=secure_boot)


def test_secure_boot_needs_what_it_needs(assemble: Assemble) -> None:
    """An IDE disk, a BIOS, or a firmware that is none are refused in words."""
    with fails("Secure Boot needs UEFI and the board q35"):
        Machine(assemble(HALT), firmware="uefi", secure_boot=True)
    with fails("Secure Boot needs UEFI and the board q35"):
        Machine(assemble(HALT), disk="ahci", secure_boot=True)
    with fails("Unknown firmware 'coreboot': choose one of bios, uefi"):
        Machine(assemble(HALT), firmware="coreboot")


# -- Bochs -----------------------------------------------------------------------------


def test_bochs_boots_the_same_sector(start_bochs: Callable[[str], BochsMachine]) -> None:
    """COM1, the screen and the registers are read from Bochs as from QEMU."""
    machine = start_bochs(hello() + HALT)
    machine.expect("Hello")
    machine.wait_until_halted()
    assert machine.expect_screen("Hello").at(0, 0) == ("H", 0x0B)
    assert machine.registers().mode == "real mode"
    assert machine.complaints() == []


def test_bochs_shows_long_mode(start_bochs: Callable[[str], BochsMachine]) -> None:
    """Bochs' registers are understood in 64-bit code."""
    machine = start_bochs(LONG_MODE)
    machine.wait_until_halted()
    registers = machine.registers()
    assert (registers.mode, registers.cr3) == ("64-bit long mode", 0x1000)
    assert registers.gdt.limit == 15


def test_bochs_tells_a_triple_fault(start_bochs: Callable[[str], BochsMachine]) -> None:
    """A triple fault in Bochs ends the wait, with Bochs' reason."""
    with fails("Triple fault at .*7c.*vector > idtr.limit"):
        start_bochs(TRIPLE_FAULT).expect("never", timeout=60)


def test_bochs_without_a_boot_sector_says_why(tmp_path: Path) -> None:
    """What Bochs' BIOS finds wrong with the disk is quoted."""
    (tmp_path / "disk.img").write_bytes(bytes(2880 * 512))
    try:
        machine = BochsMachine(tmp_path / "disk.img")
    except MissingProgram as missing:
        pytest.skip(missing.sentence)
    with machine, fails("Bochs ended with status 1: .*PANIC.*No bootable device"):
        machine.expect("never", timeout=60)


def test_bochs_tells_a_segment_limit(start_bochs: Callable[[str], BochsMachine]) -> None:
    """A write above 64 KiB from real mode, which QEMU lets pass, is an error in Bochs."""
    machine = start_bochs("mov word [4 * 13], stop\nmov word [4 * 13 + 2], 0\n"
                          "mov eax, 0x100000\nmov byte [eax], 1\n" + HALT)
    machine.wait_until_halted()
    assert any("limit" in line for line in machine.complaints())


def test_bochs_tells_a_uart_that_is_not_ready(
        start_bochs: Callable[[str], BochsMachine]) -> None:
    """A program that writes to COM1 without looking at its state is found out."""
    machine = start_bochs("mov dx, 0x3f8\nmov cx, 9\n"
                          "next: out dx, al\nloop next\n" + HALT)
    machine.wait_until_halted()
    assert any("tx hold register" in line for line in machine.complaints())


# -- the command line ------------------------------------------------------------------


def test_screen_prints_the_screen_and_com1(assemble: Assemble) -> None:
    """`screen` prints the framed 80 x 25 screen and COM1, and nothing else."""
    done = program("screen", str(assemble(hello() + HALT)))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0] == lines[26] == "+" + "-" * 80 + "+"
    assert lines[1] == "|Hello" + " " * 75 + "|"
    assert lines[27:] == ["COM1:", "Hello"]


def test_run_without_a_display_is_screen(assemble: Assemble) -> None:
    """`run` works everywhere, and says first how to quit."""
    done = program("run", str(assemble(hello() + HALT)))
    assert done.returncode == 0
    assert "Ctrl+C quits" in done.stdout.splitlines()[0]
    assert "|Hello " in done.stdout


def test_screen_prints_what_uefi_wrote(efi_image: Assemble) -> None:
    """`screen` prints COM1 as a terminal shows it, and says that the screen has pixels."""
    done = program("screen", str(efi_image(EFI_HELLO + EFI_HALT)), "--firmware", "uefi")
    if "ovmf is missing" in done.stderr:
        pytest.skip(done.stderr)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "pixels, drawn by the firmware's console" in lines[0]
    assert (lines[1], lines[-1]) == ("COM1:", "Hello")
    assert "\\x1b" not in done.stdout and "\n\n\n" not in done.stdout


def test_run_falls_back_from_a_broken_display(assemble: Assemble) -> None:
    """A display that QEMU cannot open costs one sentence each, not the run."""
    done = program("run", str(assemble(hello() + HALT)), DISPLAY=":4711")
    assert done.returncode == 0
    assert "QEMU cannot use gtk" in done.stderr
    assert "|Hello " in done.stdout


def test_run_in_a_terminal_quits_as_it_says(assemble: Assemble) -> None:
    """In a terminal, `run` shows the screen there; Alt+2 and quit end it."""
    image = assemble(hello() + HALT)
    run = pexpect.spawn(sys.executable, ["-m", "machine", "run", str(image)],
                        env=environment(TERM="xterm"), encoding="utf-8",
                        dimensions=(30, 100))
    try:
        run.expect("To quit, press Alt.2")
        if run.expect(["Hello", "cannot use curses"]) == 1:
            pytest.skip("this QEMU has no curses")
        run.send("\x1b2")
        run.expect(r"\(qemu\)")
        run.send("quit\r")
        run.expect("COM1:\r\nHello")
        run.expect(pexpect.EOF)
        run.close()
        assert run.exitstatus == 0
    finally:
        run.close(force=True)


def test_a_triple_fault_is_a_failure_of_the_command(assemble: Assemble) -> None:
    """The screen is printed all the same; one sentence on stderr, and status 1."""
    done = program("screen", str(assemble(hello() + TRIPLE_FAULT)))
    assert done.returncode == 1
    assert "|Hello " in done.stdout
    assert done.stderr.startswith("Triple fault at 0000:7c")
    assert done.stderr.count("\n") == 1


def test_a_machine_that_goes_on_is_shown(assemble: Assemble) -> None:
    """A machine that never halts is no error: it is shown as it is."""
    done = program("screen", str(assemble(hello() + "jmp $\n")), "--limit", "0.7")
    assert done.returncode == 0
    assert "|Hello " in done.stdout
    assert "Nothing came for 0.7 s: the CPU is spinning" in done.stderr


def test_a_reader_may_stop_reading(assemble: Assemble) -> None:
    """`screen | head -1` ends without a traceback."""
    command = f"{sys.executable} -m machine screen {assemble(hello() + HALT)} | head -1"
    done = subprocess.run(command, shell=True, text=True, env=environment(),
                          capture_output=True)
    assert (done.stdout, done.stderr) == ("+" + "-" * 80 + "+\n", "")


def test_the_command_writes_a_screenshot(assemble: Assemble, tmp_path: Path) -> None:
    """`screenshot` waits until the machine has settled and writes the picture."""
    picture = tmp_path / "x.png"
    done = program("screenshot", str(assemble(hello() + HALT)), "--output", str(picture))
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(b"\x89PNG")


# -- parts without a machine -----------------------------------------------------------


def test_the_screen_shows_code_page_437() -> None:
    """Bytes are the glyphs that a PC shows, not control codes."""
    six = bytes([0x01, 7, 0xC9, 7, 0x7F, 7, 0x00, 7, 0xFF, 7, 0x41, 0x1E])
    screen = Screen(six + b" \x07" * 1994)
    assert screen.row(0) == "☺╔⌂  A"
    assert screen.at(0, 5).attribute == 0x1E
    assert screen.attributes(0)[5] == 0x1E


def test_a_blank_screen_equals_no_text() -> None:
    """Trailing blanks do not count; text below what is expected does."""
    blank = Screen(b" \x07" * 2000)
    assert blank.differs_from("") == "" and blank.text == ""
    below = Screen(b" \x07" * 1999 + b"x\x07")
    assert "!" in below.differs_from("")


BLACK, GREY, BLUE, YELLOW = 0x000000, 0xAAAAAA, 0x0000AA, 0xFFFF55
# Glyphs that are all different, but for the three blanks; 0xdc and 0xdf are two halves.
GLYPHS = [bytes(16) if code in (0x00, 0x20, 0xFF) else hashlib.sha256(bytes([code])).digest()[:16]
          for code in range(256)]
GLYPHS[0xDC], GLYPHS[0xDF] = bytes(8) + b"\xff" * 8, b"\xff" * 8 + bytes(8)
FONT = Font(GLYPHS)


def draw(rows: list[list[tuple[int, int, int]]], scale: int = 1, size: tuple[int, int] = (100, 56),
         cursor: tuple[int, int] | None = None) -> Picture:
    """A picture of cells (code, foreground, background), and black where there are none.

    size: in pixels of the font. cursor: row and column.
    """
    width, height = size

    def color(x: int, y: int) -> int:
        row, column = y // 16, x // 8
        if row >= len(rows) or column >= len(rows[row]):
            return GREY if (row, column) == cursor and y % 16 >= 14 else BLACK
        code, foreground, background = rows[row][column]
        underlined = (row, column) == cursor and y % 16 >= 14
        return foreground if underlined or GLYPHS[code][y % 16] << x % 8 & 0x80 else background

    lines = (b"".join(color(x, y).to_bytes(3, "big") * scale for x in range(width)) * scale
             for y in range(height))
    return Picture(width * scale, height * scale, b"".join(lines))


def cells(text: str, foreground: int = GREY, background: int = BLACK) -> list[tuple[int, int, int]]:
    return [(code, foreground, background) for code in text.encode("cp437")]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_text_in_pixels_is_read_back(scale: int) -> None:
    """Glyphs are found again, whatever their colours and their scale; edges do not count."""
    rows = [cells("Hello") + cells("World", YELLOW, BLUE), cells("▄▀ é"), []]
    screen = PixelScreen(draw(rows, scale), FONT, scale)
    assert screen.differs_from(["HelloWorld", "▄▀ é"]) == ""
    assert (len(screen.rows), screen.columns) == (3, 12)
    assert screen.at(0, 0) == ("H", GREY, BLACK) and screen.at(0, 0).attribute == 0x07
    assert screen.at(0, 5) == ("W", YELLOW, BLUE) and screen.at(0, 5).attribute == 0x1E
    assert screen.at(2, 11) == (" ", BLACK, BLACK)
    assert screen.legible and "World" in screen
    assert screen.framed().splitlines()[1] == "|HelloWorld  |"


@pytest.mark.parametrize("column", [1, 3, 4])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_cursor_hides_no_text(scale: int, column: int) -> None:
    """A cell that is underlined, or a blank that is, counts as if it were not."""
    screen = PixelScreen(draw([cells("Helô")], scale, cursor=(0, column)), FONT, scale)
    assert screen.text == "Helô"


def test_what_is_no_glyph_is_told() -> None:
    """One wrong pixel, a third colour or a torn square make a cell that cannot be read."""
    good = draw([cells("abc")], scale=2)
    for x, y, color in ((2, 2, 0xFF0000), (17, 3, BLACK), (17, 3, GREY)):
        data = bytearray(good.data)
        start = 3 * (y * good.width + x)
        data[start:start + 3] = color.to_bytes(3, "big")
        damaged = PixelScreen(good._replace(data=bytes(data)), FONT, 2)
        if bytes(data) != good.data:
            assert damaged.text == "abc"[:x // 16] + "\ufffd" + "abc"[x // 16 + 1:]
    other_font = PixelScreen(draw([cells("Hello")]), Font([bytes(16)] * 256))
    assert not other_font.legible


@pytest.mark.parametrize("width, height, scale", [
    (8, 16, 1), (1280, 800, 1), (1287, 1615, 1), (1288, 800, 2), (800, 1616, 2),
    (2560, 1600, 2), (3840, 2160, 3)])
def test_the_scale_follows_from_the_size(width: int, height: int, scale: int) -> None:
    """Glyphs are as small as they can be with at most 160 columns and 100 rows."""
    assert scale_for(width, height) == scale


BDS = ('BdsDxe: {} Boot0001 "UEFI QEMU HARDDISK " from PciRoot(0x0)/Pci(0x1,0x1){}\r\n')
SHELL = 'BdsDxe: {} Boot0002 "EFI Internal Shell" from Fv(1)/FvFile(2)\r\n'


@pytest.mark.parametrize("com1, kind", [
    ("", None),
    (BDS.format("loading", "") + BDS.format("starting", ""), None),
    (BDS.format("starting", "") + SHELL.format("loading"), ending.RETURNED),
    (BDS.format("starting", "") + BDS.format("failed to start", ": Aborted"), ending.RETURNED),
    (BDS.format("failed to load", ": Not Found"), None),
    (BDS.format("failed to load", ": Not Found") + BDS.format("starting", ""), None),
    (BDS.format("failed to load", ": Not Found") + SHELL.format("loading"), ending.NOT_STARTED),
    (BDS.format("failed to load", ": Access Denied"), ending.NOT_STARTED),
    (SHELL.format("starting"), ending.NOT_STARTED),
    ("BdsDxe: No bootable option or device was found.\r\n", ending.NOT_STARTED)])
def test_what_the_firmware_says_is_understood(com1: str, kind: str | None) -> None:
    """Each way to go on that the firmware tells of is the end that it means, or none."""
    end = uefi.end_of(com1)
    assert (end and end.kind) == kind


def test_an_exception_outside_all_applications_is_told() -> None:
    """A kernel that runs with the firmware's IDT has no image; half a message is no end."""
    text = ("!!!! X64 Exception Type - 0D(#GP - General Protection)  CPU Apic ID - 0 !!!!\r\n"
            "RIP  - FFFFFFFF80000010, CS  - 38\r\nCR0  - 1, CR2 - 0000, CR3 - 1000\r\n"
            "!!!! Can't find image information. !!!!\r\n")
    end = uefi.end_of(text)
    assert end and end.kind == ending.EXCEPTION
    assert "(#GP - General Protection) at 0xffffffff80000010: " in end.sentence
    assert "in none of the applications" in end.sentence
    assert uefi.end_of(text[:120]) is None


def test_com1_of_uefi_is_made_plain() -> None:
    """Colours vanish, moves begin a line, and what is shown grows only at its end."""
    com1 = ("\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2JBoot\r\n\r\n\r\n\x1b[1m\x1b[33mShell>\x1b[0m x  \r\n"
            "\x1b[07;01Ha \x1b[08;01Hb\r\n")
    assert uefi.plain(com1) == "Boot\n\nShell> x\n\na\nb"
    for end in range(len(com1)):
        assert uefi.plain(com1).startswith(uefi.plain(com1[:end]))


def read_from(tables: dict[int, int]) -> Callable[[int, int], bytes]:
    return lambda address, length: tables.get(address, 0).to_bytes(length, "little")


def test_pages_of_every_size_are_translated() -> None:
    """4 KiB, 2 MiB and 1 GiB pages keep 12, 21 and 30 bits of the address."""
    nx = 1 << 63
    read = read_from({0x1000: 0x2007, 0x1FF8: 0x2003, 0x2000: 0x3007, 0x2008: 0x4000_0083,
                      0x3000: 0x4007, 0x3008: 0x60_0083, 0x4028: nx | 0x9_9003,
                      0x2FF0: 0x8000_0081})
    small = paging.walk(read, 0x1000, 0x5123)
    assert (small.physical, small.page_size) == (0x99123, 4096)
    assert small.writable and not small.user and not small.executable
    assert paging.walk(read, 0x1000, 0x212345).physical == 0x612345
    huge = paging.walk(read, 0x1000, 0x4123_4567)
    assert (huge.physical, huge.page_size) == (0x4123_4567, 1 << 30)
    assert huge.executable
    top = paging.walk(read, 0x1000, 0xFFFF_FFFF_8000_0042)
    assert (top.physical, top.writable) == (0x8000_0042, False)


def test_an_address_that_is_not_canonical_is_refused() -> None:
    """An address whose upper bits differ cannot be in any page table."""
    with fails("not canonical"):
        paging.walk(read_from({}), 0x1000, 0x8000_0000_0000)


def test_32_bit_code_is_told_by_its_segment() -> None:
    """A segment without the L flag has 32-bit code, in long mode as outside it."""
    text = ("EIP=00100000 EFL=00000002 HLT=0 A20=1\n"
            + "".join(f"{name} =0008 00000000 ffffffff 00cf9a00\n"
                      for name in ("ES", "CS", "SS", "DS", "FS", "GS"))
            + "GDT=     00001000 00000017\nIDT=     00000000 000003ff\n"
            "CR0=00000011 CR2=00000000 CR3=00000000 CR4=00000000\nEFER={efer}\n")
    protected = Registers(text.format(efer="0000000000000000"))
    assert (protected.cs.bits, protected.mode) == (32, "32-bit protected mode")
    assert protected.cs.present and protected.cs.privilege == 0
    compatible = Registers(text.format(efer="0000000000000500"))
    assert compatible.mode == "32-bit compatibility mode"


def test_sockets_have_short_paths(start: Start, monkeypatch: pytest.MonkeyPatch,
                                  tmp_path: Path) -> None:
    """A socket's path has room for 104 bytes only, however deep TMPDIR is."""
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    start(hello() + HALT).expect("Hello")
