"""A client of QMP, the JSON protocol through which QEMU is asked and steered.

Each message is one line of JSON. QEMU greets, we answer with qmp_capabilities; then each
command gets one answer, and events arrive at any time between them.
Source: QEMU documentation, "QEMU Machine Protocol Specification".
"""
from __future__ import annotations

import json
import select
import socket
import time
from typing import Any, Optional

from .errors import EmulatorDied, MachineError


class QmpError(MachineError):
    """QEMU refused a command."""


class Qmp:
    """One connection. `events` holds every event so far, oldest first."""

    def __init__(self, connection: socket.socket, timeout: float = 10) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.received = b""
        connection.setblocking(False)
        self._wait_for_answer("the greeting", timeout)
        self.execute("qmp_capabilities", timeout=timeout)

    def fileno(self) -> int:
        """Let select() wait for this connection."""
        return self.connection.fileno()

    def execute(self, command: str, *, timeout: float = 10, **arguments: Any) -> Any:
        """Run one command and return what QEMU answers (`timeout` in seconds)."""
        request = {"execute": command, "arguments": arguments}
        try:
            self.connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise EmulatorDied(f"QEMU is gone: cannot send it {command}.") from error
        answer = self._wait_for_answer(command, timeout)
        if "error" in answer:
            raise QmpError(f"QEMU refused {command}: {answer['error']['desc']}")
        return answer["return"]

    def hmp(self, line: str) -> str:
        """Run a command of the human monitor, such as `info registers`; its output."""
        arguments: dict[str, Any] = {"command-line": line}
        return self.execute("human-monitor-command", **arguments)

    def poll(self, timeout: float = 0) -> None:
        """Take in what QEMU sent; wait at most `timeout` seconds for the first byte."""
        while select.select([self.connection], [], [], timeout)[0]:
            try:
                data = self.connection.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise EmulatorDied("QEMU closed its QMP connection.")
            *lines, self.received = (self.received + data).split(b"\n")
            for line in filter(bytes.strip, lines):
                message = json.loads(line)
                (self.events if "event" in message else self.answers).append(message)
            timeout = 0

    def event(self, name: str) -> Optional[dict[str, Any]]:
        """Return the first event of that name that has arrived, or None."""
        return next((e for e in self.events if e["event"] == name), None)

    def wait_for_event(self, name: str, timeout: float) -> Optional[dict[str, Any]]:
        """Return the first event of that name, or None after `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.event(name) is None and time.monotonic() < end:
            self.poll(max(0, end - time.monotonic()))
        return self.event(name)

    def close(self) -> None:
        self.connection.close()

    def _wait_for_answer(self, what: str, timeout: float) -> dict[str, Any]:
        end = time.monotonic() + timeout
        while not self.answers:
            left = end - time.monotonic()
            if left <= 0:
                raise QmpError(f"QEMU did not answer {what} within {timeout:g} s.")
            self.poll(left)
        return self.answers.pop(0)
