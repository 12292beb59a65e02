"""next, nexti and finish over calls and BIOS calls, in 16- and 32-bit code.

To step over a call, gdb looks on the stack for the address to come back to, and takes
it for 64 bits wide. Here it learns how wide it is. That much is certain only at the first
instruction of a routine or of a BIOS handler: what else is on the stack of assembly
code, nothing tells. So backtrace shows one caller there, and none elsewhere.
"""
import gdb
import gdb.unwinder

from cpu import read_linear, registers
from disassembly import label

CALL = 0xE8                             # call with a distance, as wide as the code
INT = 0xCD                              # int with the number of the interrupt
INTERRUPT_SIZE = 6                      # int pushes the flags, cs and ip


class FrameId:
    """The same throughout a routine: gdb knows by it that it is back where it was."""

    def __init__(self, pc, stack):
        routine = label(int(pc)).split("+")[0].split(".")[0]
        number = int.from_bytes(routine.encode()[-7:], "big") or int(pc)
        self.sp = gdb.Value(0).cast(stack.type)
        self.pc = gdb.Value(number).cast(pc.type)


class ReturnAddress(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("return-address")

    def __call__(self, frame):
        now = registers()
        if now.cs.bits == 64:
            return None
        pc, stack = frame.read_register("rip"), frame.read_register("rsp")
        # Without a caller, the frame names itself as its caller: there gdb stops.
        back, size = caller(now, int(pc), int(stack)) or (int(pc), 0)
        unwound = frame.create_unwind_info(FrameId(pc, stack))
        unwound.add_saved_register("rip", gdb.Value(back).cast(pc.type))
        unwound.add_saved_register("rsp", gdb.Value(int(stack) + size).cast(stack.type))
        return unwound


def caller(now, pc, stack):
    """Where the call to the instruction at `pc` came from, and how much it pushed."""
    width = now.cs.bits // 8
    try:
        top = read_linear(now.ss.base + stack, INTERRUPT_SIZE)
        back = int.from_bytes(top[:width], "little")
        before = read_linear(back - width - 1, width + 1)
        if not now.protected_mode and before[-2] == INT:
            handler = int.from_bytes(read_linear(4 * before[-1], 4), "little")
            if handler == now.cs.selector << 16 | pc:
                return back, INTERRUPT_SIZE
    except (gdb.error, OverflowError):      # or at no address at all
        return None
    distance = int.from_bytes(before[1:], "little")
    if before[0] == CALL and (back + distance - pc) % (1 << now.cs.bits) == 0:
        return back, width
    return None


def install():
    gdb.unwinder.register_unwinder(None, ReturnAddress())
