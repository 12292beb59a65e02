#!/usr/bin/env python3
"""Start a machine that waits at its boot sector, and gdb attached to it.

    debug.py [--firmware ...] [--disk ...] [--memory ...] [--cpu ...] IMAGE ELF...

The ELF files hold the symbols of what the image loads, at its true addresses. With UEFI
the machine waits at the first instruction of the one that is called kernel.elf: the
address of an application is the firmware's choice. What the gdb session can do beyond gdb
itself is in the folder gdb/ beside this file. When gdb ends, however it ends, QEMU ends.

Exit status: 1 and a sentence on standard error if there is no gdb or no QEMU, else gdb's.
"""
from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BOOT_SECTOR = 0x7C00
ELF_ENTRY = 24                          # offset of e_entry in an ELF64 header

HERE = Path(__file__).resolve().parent
START = HERE / "gdb/start.py"
sys.path.insert(0, str(HERE.parents[1] / "tests"))

try:
    from machine import Machine, MachineError
    from machine.__main__ import add_choices, chosen, displays
except ModuleNotFoundError as error:
    sys.exit(subprocess.call([sys.executable, HERE / "doctor.py", "--missing", error.name]))

# A gdb that was built for another CPU does not know x86-64: the native one comes last.
DEBUGGERS = ("x86_64-elf-gdb", "x86_64-linux-gnu-gdb", "gdb-multiarch", "gdb")


def find_gdb() -> tuple[str, bool]:
    """A gdb that can debug x86-64, and whether it has Python: $GDB, else the usual names."""
    for name in filter(None, (os.environ.get("GDB"), *DEBUGGERS)):
        path = shutil.which(name)
        if path:
            answer = subprocess.run(
                [path, "-nx", "--batch", "-ex", "set architecture i386:x86-64",
                 "-ex", "python import gdb.unwinder; print('has Python')"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
            if "set to" in answer:
                return path, "has Python" in answer
    sys.exit(subprocess.call([sys.executable, HERE / "doctor.py", "--missing", "gdb",
                              "it is the debugger"]))


def entry_of(symbols: list[Path]) -> int:
    """The address where the kernel begins. Source: ELF-64 Object File Format, "File Header"."""
    for file in symbols:
        if file.name == "kernel.elf":
            return struct.unpack_from("<Q", file.read_bytes(), ELF_ENTRY)[0]
    sys.exit("With UEFI, debug stops at the first instruction of a kernel, and this chapter "
             "has none.")


def gdb_command(gdb: str, has_python: bool, stop: int) -> list[str]:
    """gdb's arguments: attach, then let the firmware run up to that address."""
    commands = [f"source {START}", f"thbreak *{stop:#x}", "continue"]
    if not has_python:
        print("This gdb has no Python: it shows 16- and 32-bit code as if it were 64-bit, "
              "and our commands are missing.", flush=True)
        symbols = [f"add-symbol-file {file}" for file in shlex.split(os.environ["SYMBOLS"])]
        commands[:1] = [*symbols, f"target remote {os.environ['MACHINE']}/stub"]
    # -nx: what a personal .gdbinit changes would not be what docs/debugging.md describes.
    return [gdb, "-nx", "-q", "-iex", "set confirm off", "-iex", "set pagination off",
            *(word for command in commands for word in ("-ex", command))]


def run_in_foreground(command: list[str]) -> subprocess.Popen:
    """Start gdb so that Ctrl+C reaches gdb alone: not us, nor the make that started us."""
    if not sys.stdin.isatty():
        return subprocess.Popen(command)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    def take_terminal() -> None:
        os.setpgrp()
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)

    return subprocess.Popen(command, preexec_fn=take_terminal)


def attend(machine: Machine, gdb: subprocess.Popen, log: Path) -> int:
    """Write what comes out of COM1 to `log` until gdb ends; return its exit status."""
    with open(log, "w", encoding="utf-8", newline="") as file:
        written = 0
        while True:
            ended, status = os.waitpid(gdb.pid, os.WNOHANG | os.WUNTRACED)
            text = machine.serial
            file.write(text[written:])
            file.flush()
            written = len(text)
            if ended and not os.WIFSTOPPED(status):
                return os.waitstatus_to_exitcode(status)
            if ended:
                # Ctrl+Z. No shell knows of this gdb, so nobody else would wake it again.
                os.kill(gdb.pid, signal.SIGCONT)
            time.sleep(0.05)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Debug a disk image with gdb.")
    parser.add_argument("image", type=Path)
    parser.add_argument("symbols", type=Path, nargs="*")
    add_choices(parser)
    options = parser.parse_args(arguments)
    image = options.image.resolve()
    symbols = [file.resolve() for file in options.symbols]
    stop = entry_of(symbols) if options.firmware == "uefi" else BOOT_SECTOR
    log = image.parent / "serial.log"
    gdb = find_gdb()
    for hang_up in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(hang_up, lambda number, frame: sys.exit(128 + number))

    try:
        with start_machine(image=image, paused=True, **chosen(options)) as machine:
            return session(machine, gdb, stop, symbols, log)
    except MachineError as error:
        print(error.sentence, file=sys.stderr)
        return 1


def start_machine(**machine: Any) -> Machine:
    """A machine at its reset vector, in a window if there can be one."""
    for way in displays():
        if way != "curses":             # gdb has the terminal
            try:
                return Machine(display=way, **machine)
            except MachineError:
                pass                    # this QEMU cannot show itself so
    return Machine(**machine)


def session(machine: Machine, gdb: tuple[str, bool], stop: int, symbols: list[Path],
            log: Path) -> int:
    """Run gdb, as find_gdb() found it, on a machine that waits at its reset vector."""
    machine.qmp.hmp(f"gdbserver unix:{machine.folder}/stub,server=on,wait=off")
    print(f"COM1 goes to {os.path.relpath(log)}. Ctrl+C stops the machine, quit ends it.",
          flush=True)
    # A broken variant is a tree of its own, and gdb must show the sources of that tree.
    os.chdir(log.parents[2])
    terminal = os.tcgetpgrp(0) if sys.stdin.isatty() else None
    os.environ["SYMBOLS"] = shlex.join(map(str, symbols))
    os.environ["MACHINE"] = str(machine.folder)
    os.environ["FIRMWARE"] = machine.firmware
    process = run_in_foreground(gdb_command(*gdb, stop))
    try:
        return attend(machine, process, log)
    finally:
        if process.poll() is None:
            process.terminate()         # it is we who were told to end
        if terminal:
            os.tcsetpgrp(0, terminal)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
