"""What is said at each stop: the CPU's mode and the next instruction; and how it ended."""
import os
from pathlib import Path

import gdb

from cpu import registers
from disassembly import lines
from machine import ending


def at_stop(event):
    now = registers()
    print(f"{now.mode}: {next(lines(now.pc, 1, now.cs.bits))}")
    # QEMU reports with this signal that the machine stopped by itself.
    if getattr(event, "stop_signal", "") == "SIGQUIT":
        log = Path(os.environ["MACHINE"], "log").read_text(errors="replace")
        print(ending.of_shutdown("guest-reset", log, now))
        print("This machine has ended: quit, and start again.")


def install():
    gdb.events.stop.connect(at_stop)
