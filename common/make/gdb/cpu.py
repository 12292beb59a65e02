"""The machine as QEMU's monitor shows it: what gdb's own registers leave out.

gdb knows neither the hidden parts of the segment registers nor where the GDT is, and
reads memory through the page tables only. The parsers are those of the tests.
"""
import re
import sys
import types
from pathlib import Path

import gdb

# The package's own __init__ starts machines and needs pexpect, which gdb's Python may
# lack. The modules that we use need nothing.
package = types.ModuleType("machine")
package.__path__ = [str(Path(__file__).resolve().parents[3] / "tests/machine")]
sys.modules["machine"] = package

from machine.registers import Registers  # noqa: E402


def monitor(line):
    """The output of a command of QEMU's monitor."""
    return gdb.execute(f"monitor {line}", to_string=True)


known = []                              # the registers, until the CPU moves on


def registers():
    """All registers, hidden parts included."""
    if not known:
        known.append(Registers(monitor("info registers")))
    return known[0]


for change in (gdb.events.cont, gdb.events.stop, gdb.events.register_changed):
    change.connect(lambda event: known.clear())


def read_physical(address, length):
    """Bytes of physical memory. Raises gdb.MemoryError where there is none."""
    words = -(-length // 8)
    text = re.sub(r"^[0-9a-f]+:", "", monitor(f"xp /{words}xg {address:#x}"), flags=re.M)
    values = [int(word, 16) for word in re.findall(r"0x[0-9a-f]{16}", text)]
    if len(values) != words:
        raise gdb.MemoryError(f"Cannot read physical memory at {address:#x}")
    return b"".join(value.to_bytes(8, "little") for value in values)[:length]


def read_linear(address, length):
    """Bytes of memory at a linear address: through the page tables if paging is on."""
    return bytes(gdb.selected_inferior().read_memory(address, length))


class Command(gdb.Command):
    """A command of ours; its docstring is what `help` prints."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        try:
            self.run(*gdb.string_to_argv(argument))
        except TypeError:
            raise gdb.GdbError(self.__doc__) from None


def address_of(expression):
    """The value of an expression of gdb's, such as 0xb8000, hello or $esp, as an address."""
    value = gdb.parse_and_eval(expression)
    try:
        number = int(value)
    except gdb.error:
        number = int(value.address)     # a function, or a label without a type
    return number & 0xFFFFFFFFFFFFFFFF
