"""What `make chapter-N debug` adds to gdb; debug.py has gdb read it.

In reading order: cpu.py (what the machine says about itself), disassembly.py (code as
the CPU's mode reads it), stepping.py (next over a call), report.py (what is said at
each stop), and a file for each command: mode, control, gdt, walk, screen.

The environment holds SYMBOLS, the ELF files, MACHINE, the folder of the machine, and
FIRMWARE, which is bios or uefi.
"""
import os
import shlex
import sys
from pathlib import Path

import gdb

sys.path.insert(0, str(Path(__file__).resolve().parent))

gdb.execute("set disassembly-flavor intel")  # destination first, as NASM has it
gdb.execute("set demangle-style none")       # a label is no mangled name of C++

# Before gdb attaches: from then on it has only one architecture.
import disassembly  # noqa: E402
import report  # noqa: E402
import stepping  # noqa: E402

import control, gdt, mode, screen, walk  # noqa: E401, E402, F401

for file in shlex.split(os.environ["SYMBOLS"]):
    gdb.execute(f"add-symbol-file {shlex.quote(file)}", to_string=True)
gdb.execute(f"target remote {os.environ['MACHINE']}/stub", to_string=True)

disassembly.install()
stepping.install()
report.install()
print("Our commands: mode, code, control, gdt, walk, screen. `help gdt` tells about one.")
