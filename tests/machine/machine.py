"""One PC, played by QEMU: COM1 through pexpect, all the rest through QMP."""
from __future__ import annotations

import os
import select
import socket
import termios
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional, Union

import pexpect

from . import ending, paging, uefi
from .build import read_glyphs
from .command import qemu_command
from .ending import End
from .errors import EmulatorDied, MachineError
from .gdbstub import GdbStub
from .pc import HALTED_FOR_GOOD, HALTED_UNTIL_INTERRUPT, POLL, Pc
from .pixels import Font, Picture, PixelScreen
from .png import read_ppm, write_png
from .qmp import Qmp, QmpError
from .registers import Registers
from .screen import Screen

BOOT_SECTOR = 0x7C00
TEXT_MODE = (720, 400)                  # pixels of 80 x 25 characters, 9 x 16 each


class Machine(Pc):
    """A PC that boots `image`; a context manager that leaves no process behind.

    disk, memory, cpu, board, firmware, vga, secure_boot: see command.qemu_command.
    paused: wait at the reset vector for resume(). display: a QEMU display. log: a file
    that gets COM1's text at the end. extra: more QEMU arguments. Raises MachineError if
    QEMU cannot be started.
    """

    def __init__(self, image: Union[str, os.PathLike[str]], *, disk: str = "ide",
                 memory: Optional[str] = None, cpu: Optional[str] = None,
                 board: Optional[str] = None, firmware: str = "bios", vga: str = "std",
                 secure_boot: bool = False, paused: bool = False,
                 display: str = "none", log: Union[str, os.PathLike[str], None] = None,
                 extra: Iterable[str] = ()) -> None:
        command = qemu_command(image, disk=disk, memory=memory, cpu=cpu, board=board,
                               firmware=firmware, vga=vga, secure_boot=secure_boot)
        super().__init__()
        self.firmware = firmware
        if firmware == "uefi":
            # It needs seconds to come to our application, and each look costs it some time.
            self.patience, self.poll = 60.0, 0.05
        self._font: Optional[Font] = None
        self._last_screen: Optional[PixelScreen] = None
        self._qmp: Optional[Qmp] = None
        self._gdb: Optional[GdbStub] = None
        self._log = Path(log) if log else None
        command += [
            "-display", display,
            "-serial", "stdio",
            "-qmp", f"unix:{self.folder}/qmp",
            # Only this log tells a triple fault from an ordinary reset.
            "-d", "cpu_reset,guest_errors", "-D", f"{self.folder}/log",
            *(["-S"] if paused else []),
            *extra,
        ]
        try:
            self._start(command)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._log:
            self._log.write_text(self.serial)
        for connection in (self._gdb, self._qmp):
            if connection:
                connection.close()
        super().close()

    # -- what it shows and holds -------------------------------------------------------

    def memory(self, address: int, length: int) -> bytes:
        file = self.folder / "memory"
        self.qmp.execute("pmemsave", val=address, size=length, filename=str(file))
        return file.read_bytes()

    def registers(self) -> Registers:
        # While the CPU runs, QEMU's program counter lags behind.
        running = self.qmp.execute("query-status")["running"]
        if running:
            self.qmp.execute("stop")
        registers = self._registers_now()
        if running:
            self.resume()
        return registers

    def pixels(self) -> Picture:
        """What the display shows, text or graphics."""
        file = self.folder / "screen.ppm"
        try:
            self.qmp.execute("screendump", filename=str(file))
        except QmpError as error:
            if "no console" not in error.sentence:
                raise
            raise MachineError("This machine has no graphics card.") from error
        return Picture(*read_ppm(file.read_bytes()))

    def screen(self) -> Union[Screen, PixelScreen]:
        # No BIOS and no program of ours that a BIOS starts leaves the text mode.
        if self.firmware == "bios":
            return super().screen()
        picture = self.pixels()
        if (picture.width, picture.height) == TEXT_MODE:
            return super().screen()
        if self._last_screen is None or self._last_screen.picture != picture:
            self._font = self._font or Font(read_glyphs())
            self._last_screen = PixelScreen(picture, self._font)
        return self._last_screen

    def screenshot(self, path: Union[str, os.PathLike[str]]) -> None:
        """Write what the display shows, text or graphics, to a PNG file."""
        write_png(Path(path), *self.pixels())

    @property
    def plain_serial(self) -> str:
        return uefi.plain(self.serial) if self.firmware == "uefi" else super().plain_serial

    def translate(self, virtual: int) -> paging.Translation:
        """Walk the four levels of page tables that CR3 points to.

        Raises NotMapped, or MachineError if the CPU does not use such tables.
        """
        registers = self.registers()
        if not (registers.paging and registers.long_mode):
            paging_is = "on" if registers.paging else "off"
            raise MachineError(f"No 4-level page tables to walk: the CPU is in "
                               f"{registers.mode}, paging is {paging_is}.")
        return paging.walk(self.memory, registers.cr3, virtual)

    def complaint(self) -> str:
        file = self.folder / "stderr"
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        # Debian's QEMU looks for a module for the display "none" and misses it.
        return "\n".join(line for line in lines if "module ui-ui-none" not in line)

    def qemu_log(self) -> str:
        """QEMU's own log: CPU resets, and accesses that the devices found wrong."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    # -- steering ----------------------------------------------------------------------

    @property
    def qmp(self) -> Qmp:
        """QEMU's control connection, for all that has no method here."""
        if self._qmp is None or self.process is None:
            raise EmulatorDied("The machine is closed.")
        return self._qmp

    def resume(self) -> None:
        """Let a stopped CPU run. A machine that has ended stays ended."""
        try:
            self.qmp.execute("cont")
        except QmpError as error:
            if "reset" not in error.sentence.lower():
                raise

    @property
    def gdb(self) -> GdbStub:
        """QEMU's debugger interface; the first use stops the CPU."""
        if self._gdb is None:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(f"{self.folder}/gdb")
                listener.listen(1)
                self.qmp.hmp(f"gdbserver unix:{self.folder}/gdb")
                self._gdb = GdbStub(self._accept(listener))
        return self._gdb

    def start_at_boot_sector(self, registers: Optional[Mapping[str, int]] = None,
                             memory: Optional[Mapping[int, bytes]] = None) -> None:
        """Let the BIOS run until it enters the boot sector, change what it left, go on.

        The machine must be created with paused=True. `registers` by any of their names
        ("ax", "ds", "eflags"; a new cs and ip too), `memory` by linear address.
        """
        self.gdb.set_breakpoint(BOOT_SECTOR)
        self.gdb.run()
        self.gdb.remove_breakpoint(BOOT_SECTOR)
        for address, data in (memory or {}).items():
            self.gdb.write_memory(address, data)
        for name, value in (registers or {}).items():
            self.gdb.write_register(name, value)
        self.gdb.detach()

    # -- inside ------------------------------------------------------------------------

    def _start(self, command: list[str]) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            # We listen and QEMU connects. So there is no moment at which we would have
            # to wait for its socket to appear.
            listener.bind(f"{self.folder}/qmp")
            listener.listen(1)
            # pexpect gives QEMU a terminal and a session of its own. When we die, however
            # we die, the terminal goes, and the kernel's SIGHUP ends QEMU.
            self.process = pexpect.spawn(
                command[0], command[1:], echo=False, encoding="utf-8",
                codec_errors="backslashreplace", preexec_fn=self._prepare_qemu)
            self._listen(self.process)
            try:
                self._qmp = Qmp(self._accept(listener))
            except EmulatorDied:
                raise MachineError(self._death().sentence) from None

    def _prepare_qemu(self) -> None:
        """Runs in the child, before it becomes QEMU: stderr apart, COM1's bytes as is."""
        os.dup2(os.open(self.folder / "stderr", os.O_WRONLY | os.O_CREAT, 0o600), 2)
        attributes = termios.tcgetattr(1)
        attributes[1] &= ~termios.ONLCR
        termios.tcsetattr(1, termios.TCSANOW, attributes)

    def _accept(self, listener: socket.socket, timeout: float = 10) -> socket.socket:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([listener, self.process], [], [], POLL)[0] == [listener]:
                return listener.accept()[0]
            self._read_com1()
            if not self.process or not self.process.isalive():
                raise MachineError(self._death().sentence)
        raise MachineError(f"QEMU did not answer within {timeout:g} s of its start.")

    def _registers_now(self) -> Registers:
        return Registers(self.qmp.hmp("info registers"))

    def _ours(self) -> bool:
        return self.firmware == "bios" or uefi.started(self.serial)

    def _gave_up(self) -> bool:
        return self.firmware == "bios" and ending.nothing_to_boot(self.screen())

    def _silence(self, seconds: Optional[float]) -> End:
        if self.firmware == "bios":
            return super()._silence(seconds)
        seconds = self.patience if seconds is None else seconds
        if uefi.started(self.serial):
            return ending.of_silence(seconds, self.registers())
        return End(ending.HANG, (
            f"The UEFI firmware has not started our application within {seconds:g} s; on a "
            "slow or busy computer it needs more."))

    def _sources(self) -> list[Any]:
        return [self.com1, self.qmp] if not self.ended else []

    def _asleep(self, or_waiting: bool) -> Optional[float]:
        registers = self._registers_now()
        if not registers.halted or registers.in_firmware:
            return None
        if registers.interrupts:
            # UEFI firmware, too, sleeps so where it waits: that is no end of ours.
            return HALTED_UNTIL_INTERRUPT if or_waiting and self._ours() else None
        return HALTED_FOR_GOOD

    def _end_seen(self) -> Optional[End]:
        if self.ended is None:
            self.qmp.poll()
            event = self.qmp.event("SHUTDOWN")
            if event:
                reason = event["data"].get("reason", "unknown")
                self.ended = ending.of_shutdown(reason, self.qemu_log(),
                                                self._registers_now())
            elif self.firmware == "uefi":
                self.ended = uefi.end_of(self.serial)
        return self.ended
