"""One PC, played by Bochs, which is stricter than QEMU.

Bochs checks segment limits in real mode, tells when a UART is written to too early, and
has another BIOS. We steer it through its built-in debugger, whose prompt pexpect reads;
COM1 is a terminal of its own.
"""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import tty
from pathlib import Path
from typing import Any, Optional, Union

import pexpect
import pexpect.fdpexpect

from . import ending
from .ending import End
from .errors import EmulatorDied, MachineError, MissingProgram
from .pc import HALTED_FOR_GOOD, HALTED_UNTIL_INTERRUPT, Pc
from .registers import Registers

INSTALL = "install bochs, bochsbios and vgabios (apt)"
ROM_FOLDERS = ("/usr/share/bochs", "/usr/local/share/bochs", "/usr/share/vgabios",
               "/opt/homebrew/share/bochs")
BIOS = "BIOS-bochs-latest"
VGA_BIOS = ("VGABIOS-lgpl-latest", "VGABIOS-lgpl-latest.bin", "vgabios.bin")
PROMPT = r"<bochs:\d+> "
HLT = "\t0xf4"                          # as the debugger shows that byte

# Each line says what a default would do differently.
CONFIGURATION = """\
# No window: the display is a VNC server that waits for nobody (see without_network).
display_library: rfb, options="timeout=0"
config_interface: textconfig
# A triple fault returns to the debugger's prompt, with memory as it was.
cpu: model={cpu}, count=1, ips=4000000, reset_on_triple_fault=1
memory: guest={memory}, host={memory}
romimage: file={bios}
vgaromimage: file={vga_bios}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
# The guest may write, but into a temporary file beside nothing of ours.
ata0-master: type=disk, path="{image}", mode=volatile, journal="{folder}/journal"
boot: disk
com1: enabled=1, mode=term, dev={com1}
# Debian's Bochs 2.7 ends with a buffer overflow where ALSA finds no sound card.
sound: driver=dummy
speaker: enabled=0
log: {folder}/log
panic: action=fatal
error: action=report
# Without a device's name, the line of Bochs' SIGINT handler: it would wait for ever for
# the lock of the log where the signal arrives while Bochs logs. These we read, or show.
info: action=ignore, cpu0=report, biosdev=report, serial=report
"""


class BochsMachine(Pc):
    """A PC that boots `image` in Bochs; used like Machine, with fewer abilities.

    Bochs' UART passes on as many bits as its line control register says: five, until
    the program sets eight.

    memory in MiB; cpu: one of `bochs --help cpu`, with long mode by default. Raises
    MissingProgram if Bochs or its BIOS is not installed.
    """

    name = "Bochs"

    def __init__(self, image: Union[str, os.PathLike[str]], *, memory: int = 64,
                 cpu: str = "corei7_haswell_4770") -> None:
        bochs = find_bochs()
        roms = {"bios": find_rom([BIOS]), "vga_bios": find_rom(VGA_BIOS)}
        if not Path(image).is_file():
            raise MachineError(f"Cannot find the disk image {image}: build it with make.")
        super().__init__()
        self._stopped = True            # is the debugger's prompt waiting?
        self._log, self._log_read = "", 0
        self._waiting, self._next_look = False, time.monotonic() + 0.2
        try:
            self._controller, terminal = os.openpty()
            tty.setraw(terminal)
            (self.folder / "bochsrc").write_text(CONFIGURATION.format(
                image=Path(image).resolve(), com1=os.ttyname(terminal), cpu=cpu,
                memory=memory, folder=self.folder, **roms))
            self._listen(pexpect.fdpexpect.fdspawn(
                self._controller, encoding="utf-8", codec_errors="backslashreplace"))
            program, *arguments = [*without_network(), bochs, "-q", "-f",
                                   str(self.folder / "bochsrc")]
            self.process = pexpect.spawn(
                program, arguments, echo=False,
                encoding="utf-8", codec_errors="backslashreplace", dimensions=(24, 200),
                # A dumb terminal: the debugger's line editor sends no escape sequences.
                env={**os.environ, "TERM": "dumb"})
            self.process.delaybeforesend = self.process.delayafterread = None
            if self.process.expect([PROMPT, pexpect.EOF, pexpect.TIMEOUT], timeout=10):
                raise MachineError(f"Bochs did not start: {self._last_words()}")
            os.close(terminal)          # Bochs alone has it now: its end is COM1's end
            self.resume()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        super().close()
        if self.com1:
            self.com1.close()

    # -- what it shows and holds -------------------------------------------------------

    def memory(self, address: int, length: int) -> bytes:
        text = self.debugger(f"xp /{length}bx {address:#x}")
        data = bytes(int(byte, 16) for byte in re.findall(r"\t0x([0-9a-f]{2})\b", text))
        if len(data) != length:
            raise MachineError(f"Bochs showed {len(data)} of {length} bytes "
                               f"at {address:#x}: {text[:200]!r}")
        return data

    def registers(self) -> Registers:
        text = _as_qemu_writes(self.debugger("r", "sreg", "creg"))
        pc = Registers(text).pc
        # Bochs does not tell a halted CPU. It stands behind its HLT instruction.
        before = self.debugger(f"x /1bx {pc - 1:#x}") if pc else ""
        return Registers(text + f"\nHLT={int(HLT in before)}")

    def log(self) -> str:
        """What Bochs logged: one line each, `time`, level (i, e, p), `[device]`.

        Errors (e) and panics (p) of all devices; i of the CPU, the BIOS and the UART.
        """
        file = self.folder / "log"
        if file.exists():
            with open(file, errors="replace") as new:
                new.seek(self._log_read)
                self._log += new.read()
                self._log_read = new.tell()
        return self._log

    def complaints(self) -> list[str]:
        """What Bochs found wrong since the boot sector was entered, and every panic.

        Errors and panics (a segment limit passed, an exception without a handler), and
        the UART written to before it was ready.
        """
        before, _, after = self.log().partition("Booting from 0000:7c00")
        panics = [line for line in before.splitlines() if re.match(r"\d+p\[", line)]
        return panics + [line for line in after.splitlines()
                         if re.match(r"\d+[ep]\[", line) or "tx hold register" in line]

    def complaint(self) -> str:
        return "\n".join(self.complaints()[:10])     # a loop repeats its errors for ever

    # -- steering ----------------------------------------------------------------------

    def debugger(self, *commands: str) -> str:
        """Run commands of Bochs' debugger, and return what it answers.

        A running machine is stopped for them, and runs on when we next wait for it.
        """
        if not self._stopped:
            self._interrupt()
        answers = []
        for command in commands:
            self._debug.sendline(command)
            self._debug.expect(PROMPT, timeout=10)
            answers.append(self._debug.before)
        return "".join(answers)

    def resume(self) -> None:
        """Let the machine run, unless it has ended or its CPU is halted for good."""
        if self._stopped and not self.ended and not self._halted_for_good():
            self._debug.sendline("c")
            self._stopped = False

    # -- inside ------------------------------------------------------------------------

    @property
    def _debug(self) -> pexpect.spawn:
        if self.process is None or self.process.flag_eof:
            raise EmulatorDied("Bochs has ended.")
        return self.process

    def _sources(self) -> list[Any]:
        # Not sooner: a signal that follows `c` at once is lost (see _interrupt).
        self.resume()
        return super()._sources()

    def _interrupt(self) -> None:
        """Get the debugger's prompt."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            # Not by typing Ctrl+C: the terminal would drop a command not yet read.
            self._debug.kill(signal.SIGINT)
            # Bochs forgets a signal that arrives when it is just about to run.
            index = self._debug.expect([PROMPT, pexpect.TIMEOUT, pexpect.EOF],
                                       timeout=0.5)
            if index == 0:
                self._stopped = True
                return
            if index == 2:
                raise EmulatorDied("Bochs ended.")
        raise MachineError("Bochs' debugger did not answer within 10 s.")

    def _end_seen(self) -> Optional[End]:
        if self.ended is None and not self._stopped:
            index = self._debug.expect([PROMPT, pexpect.TIMEOUT, pexpect.EOF], timeout=0)
            if index == 2:
                raise EmulatorDied("Bochs ended.")
            if index == 0:
                self._stopped = True
                self.ended = self._how_it_ended()
        return self.ended

    def _how_it_ended(self) -> End:
        log = self.log()
        fault = re.search(r"3rd \(\d+\) exception", log)
        if fault:
            where = re.findall(r"\b[ER]IP=([0-9a-f_]+)", log)
            reasons = dict.fromkeys(line.split("] ", 1)[-1] for line in self.complaints())
            return End(ending.TRIPLE_FAULT, (
                f"Triple fault at {where[-1] if where else '?'}: an exception, and no "
                f"handler for it in the IDT; Bochs says why: {'; '.join(reasons)}."))
        return End(ending.RESET, "Bochs stopped: " + self._last_words())

    def _asleep(self, or_waiting: bool) -> Optional[float]:
        if self._halted_for_good():
            return HALTED_FOR_GOOD
        # Each such look stops the machine, so they must not follow each other at once.
        if or_waiting and time.monotonic() > self._next_look:
            registers = self.registers()
            self._waiting = registers.halted and not registers.in_firmware
            self._next_look = time.monotonic() + 0.2
        return HALTED_UNTIL_INTERRUPT if or_waiting and self._waiting else None

    def _halted_for_good(self) -> bool:
        return "HLT instruction with IF=0" in self.log()

    def _last_words(self) -> str:
        panic = re.findall(r">>PANIC<< (.*)", self.log() + self._debug_text())
        said = self._debug_text().strip().splitlines()[-3:]
        return panic[-1] if panic else "; ".join(line.strip() for line in said)

    def _debug_text(self) -> str:
        before = self.process.before if self.process else ""
        return before if isinstance(before, str) else ""


def find_bochs() -> str:
    """Return the path of Bochs: $BOCHS if set, else bochs in PATH."""
    path = shutil.which(os.environ.get("BOCHS") or "bochs")
    if path is None:
        raise MissingProgram(f"Cannot find bochs, the second PC of the tests: {INSTALL}.")
    return path


def without_network() -> list[str]:
    """Return the start of a command that takes the network away; [] where none may.

    Bochs' VNC server listens on all addresses, on the first free port from 5900 on, and
    has no option for another. So nobody can connect, and two that start at the same
    moment do not dispute a port.
    """
    command = ["unshare", "--net"]      # of Linux alone; the user's own namespace, too,
    if os.geteuid() != 0:               # lets others than root do it
        command.append("--map-root-user")
    if not shutil.which("unshare") or subprocess.run([*command, "true"],
                                                     capture_output=True).returncode:
        return []
    return command


def find_rom(names: Union[list[str], tuple[str, ...]]) -> Path:
    """Return the first file of these names in the places where distributions put them."""
    for folder in ROM_FOLDERS:
        for name in names:
            if Path(folder, name).is_file():
                return Path(folder, name)
    raise MissingProgram(f"Cannot find {' or '.join(names)} for Bochs in any of "
                         f"{', '.join(ROM_FOLDERS)}: {INSTALL}.")


def _as_qemu_writes(text: str) -> str:
    """Rewrite the debugger's `r`, `sreg` and `creg` as QEMU's `info registers`."""
    lines = []
    for name, value in re.findall(r"^(r\w+) *: ([0-9a-f_]+)", text, re.MULTILINE):
        lines.append(f"{name.upper()}={value.replace('_', '')}")
    for name, value in re.findall(r"^(CR[0234]|EFER)=(?:[^\n]*?)0x([0-9a-f]+)", text,
                                  re.MULTILINE):
        lines.append(f"{name}={value}")
    for value in re.findall(r"^eflags 0x([0-9a-f]+)", text, re.MULTILINE):
        lines.append(f"RFL={value}")
    for name, selector, flags, hidden in re.findall(
            r"^([c-gs]s):0x([0-9a-f]+), dh=0x([0-9a-f]+), (.*?)(?=^\w+:|^\w+r:)", text,
            re.MULTILINE | re.DOTALL):
        base = re.search(r"base=0x([0-9a-f]+)", hidden)
        limit = re.search(r"limit=0x([0-9a-f]+)", hidden)
        lines.append(f"{name.upper()} ={selector} {base[1] if base else '0'} "
                     f"{limit[1] if limit else '0'} {flags}")
    for name, base, limit in re.findall(
            r"^([gi]dt)r:base=0x([0-9a-f]+), limit=0x([0-9a-f]+)", text, re.MULTILINE):
        lines.append(f"{name.upper()}= {base} {limit}")
    return "\n".join(lines)
