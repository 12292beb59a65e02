"""Code as the CPU reads it: in 16, 32 or 64 bits, by the mode it is in.

The same bytes mean different instructions in each mode. QEMU tells gdb that the CPU is a
64-bit one, always, and gdb holds to that: `set architecture i8086` is refused while
QEMU is attached. But before that it is not, and the architectures that we got hold of
then can still be asked to disassemble.
"""
import gdb

from cpu import Command, address_of, registers

try:
    from gdb.disassembler import Disassembler, DisassemblerResult, register_disassembler
except ImportError:
    Disassembler = None                 # gdb 12 and older


def architecture(name):
    gdb.execute(f"set architecture {name}", to_string=True)
    return gdb.selected_inferior().architecture()


ARCHITECTURES = {16: architecture("i8086"), 32: architecture("i386"),
                 64: architecture("i386:x86-64")}
gdb.execute("set architecture auto", to_string=True)


def instructions(address, count, bits):
    """The next `count` instructions: dicts with "addr", "asm" and "length"."""
    return ARCHITECTURES[bits].disassemble(address, count=count)


if Disassembler:
    class ByMode(Disassembler):
        """Answers gdb's own x/i, disassemble and layout asm."""

        def __call__(self, info):
            if info.architecture.name() != ARCHITECTURES[64].name():
                return None             # it is us who ask
            now = registers()
            if now.cs.bits == 64:
                return None
            # Where cs has a base, in the BIOS, $pc is only the distance from there.
            offset = now.cs.base if 0 <= info.address - now.rip < 0x100 else 0
            found = instructions(info.address + offset, 1, now.cs.bits)[0]
            return DisassemblerResult(found["length"], found["asm"])


class Code(Command):
    """Show code as the CPU would read it: code [ADDRESS [16|32|64]]

Without an address, the next instructions to run. The code is decoded for the mode that
the CPU is in, or for the width that is given: `code protected_mode 32` shows code that
the CPU will reach only after a switch of modes."""

    def run(self, address=None, bits=None):
        now = registers()
        start = address_of(address) if address else now.pc
        for line in lines(start, 8, int(bits or now.cs.bits)):
            print(("=> " if line.startswith(f"{now.pc:#x}") else "   ") + line)


def lines(address, count, bits):
    """Instructions as text, in gdb's manner: address, label, instruction."""
    for found in instructions(address, count, bits):
        where = f"{found['addr']:#x} <{label(found['addr'])}>".replace(" <>", "")
        yield f"{where}:\t{found['asm']}"


def label(address):
    """The label at a linear address, or the one before it and the distance, or nothing."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return "" if text.startswith("No ") else text.split(" in section")[0].replace(" ", "")


def install():
    Code("code")
    if Disassembler:
        register_disassembler(ByMode("by-mode"))
    else:
        print(f"gdb {gdb.VERSION} is older than 13: x/i and disassemble show 16- and 32-bit "
              "code as if it were 64-bit. Our command `code` shows it right.")
