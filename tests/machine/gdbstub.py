"""A small client of QEMU's GDB stub: to set registers and memory before code runs.

The protocol is text: `$command#checksum`, answered by `+` and a packet of the same form.
Source: GDB manual, "GDB Remote Serial Protocol".
"""
from __future__ import annotations

import select
import socket
import time
from typing import Optional

from .errors import MachineError

# The order of QEMU's x86-64 target, whatever mode the CPU is in.
_GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
            *(f"r{number}" for number in range(8, 16)), "rip"]
_SHORT = ["rflags", "cs", "ss", "ds", "es", "fs", "gs"]
# Name: number, offset in the `g` packet, and size in bytes.
REGISTERS: dict[str, tuple[int, int, int]] = {
    **{name: (i, 8 * i, 8) for i, name in enumerate(_GENERAL)},
    **{name: (17 + i, 136 + 4 * i, 4) for i, name in enumerate(_SHORT)},
}
HARDWARE_BREAKPOINT = 1
MOST_BYTES = 1024                       # to write at a time: a packet of QEMU has 4 KiB


class GdbStub:
    """One connection to the stub. Connecting stops the CPU."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""
        # QEMU lets only a client that knows their names write single registers.
        self.command("qXfer:features:read:target.xml:0,1000")

    def close(self) -> None:
        self.connection.close()

    def read_register(self, name: str) -> int:
        """Read a register: 'rax' to 'r15', 'rip', 'rflags', 'cs' to 'gs'."""
        _, offset, size = _register(name)
        packet = bytes.fromhex(self.command("g").replace("x", "0"))
        return int.from_bytes(packet[offset:offset + size], "little")

    def write_register(self, name: str, value: int) -> None:
        """Write a register. A segment register loads its base, too, as the CPU would."""
        number, _, size = _register(name)
        data = value.to_bytes(size, "little").hex()
        self._must_succeed(f"P{number:x}={data}", f"set {name} to {value:#x}")

    def read_memory(self, address: int, length: int) -> bytes:
        """Read memory at a virtual address."""
        answer = self.command(f"m{address:x},{length:x}")
        if answer.startswith("E"):
            raise MachineError(
                f"QEMU's GDB stub cannot read {length} bytes at {address:#x}.")
        return bytes.fromhex(answer)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory at a virtual address, any number of bytes."""
        for at in range(0, len(data), MOST_BYTES):
            part = data[at:at + MOST_BYTES]
            self._must_succeed(f"M{address + at:x},{len(part):x}:{part.hex()}",
                               f"write {len(part)} bytes at {address + at:#x}")

    def set_breakpoint(self, address: int) -> None:
        """Stop before the instruction at a linear address.

        In hardware: no byte in memory changes, so it survives that the BIOS loads the
        sector over it.
        """
        self._must_succeed(f"Z{HARDWARE_BREAKPOINT},{address:x},1",
                           f"set a breakpoint at {address:#x}")

    def remove_breakpoint(self, address: int) -> None:
        self._must_succeed(f"z{HARDWARE_BREAKPOINT},{address:x},1",
                           f"remove the breakpoint at {address:#x}")

    def run(self, timeout: float = 10) -> None:
        """Let the CPU run until it stops again, at most `timeout` seconds."""
        self._send("c")
        answer = self._receive(timeout)
        if answer is None:
            raise MachineError(
                f"The CPU did not reach the breakpoint within {timeout:g} s.")
        if not answer.startswith("T05"):
            raise MachineError(f"The CPU stopped, but not at a breakpoint: {answer}.")

    def step(self) -> None:
        """Execute one instruction."""
        self.command("s")

    def detach(self) -> None:
        """Let the CPU run and forget the stub."""
        self._must_succeed("D", "detach")

    def command(self, packet: str, timeout: float = 10) -> str:
        """Send one packet and return the answer to it."""
        self._send(packet)
        answer = self._receive(timeout)
        if answer is None:
            raise MachineError(f"QEMU's GDB stub did not answer {packet!r}.")
        return answer

    def _must_succeed(self, packet: str, what: str) -> None:
        answer = self.command(packet)
        if answer != "OK":
            raise MachineError(
                f"QEMU's GDB stub refused to {what}: {answer or 'unknown command'}.")

    def _send(self, packet: str) -> None:
        data = packet.encode()
        self.connection.sendall(b"$%s#%02x" % (data, sum(data) % 256))

    def _receive(self, timeout: float) -> Optional[str]:
        """Return the next packet without its frame, or None after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            start, stop = self.received.find(b"$"), self.received.find(b"#")
            if 0 <= start < stop <= len(self.received) - 3:
                packet = self.received[start + 1:stop]
                self.received = self.received[stop + 3:]
                self.connection.sendall(b"+")
                return packet.decode()
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                return None
            data = self.connection.recv(65536)
            if not data:
                raise MachineError("QEMU closed the connection to its GDB stub.")
            self.received += data


def _register(name: str) -> tuple[int, int, int]:
    """Find a register by any of its names: 'ax', 'eax' and 'rax' are the same one."""
    name = name.lower()
    for candidate in (name, "r" + name, "r" + name[1:]):
        if candidate in REGISTERS:
            return REGISTERS[candidate]
    raise MachineError(f"Unknown register {name!r}.")
