"""What all our machines have in common: COM1, the text screen, and waiting for an end.

A machine is judged from outside. Nothing here waits by sleeping: each wait ends with
text on COM1, with the end of the machine, or with its limit.
"""
from __future__ import annotations

import atexit
import io
import os
import re
import select
import shutil
import signal
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional, TypeVar, Union

import pexpect

from . import ending
from .ending import End
from .errors import EmulatorDied, MachineError
from .pixels import PixelScreen
from .registers import Registers
from .screen import ADDRESS as SCREEN_ADDRESS
from .screen import SIZE as SCREEN_SIZE
from .screen import Screen

# Sentences that no machine of ours prints when all is well.
BAD_PATTERNS = ("panic", "Cannot ", " error")
UNEXPECTED = "The screen is not as expected."
POLL = 0.01                             # seconds between two looks at a CPU
# A CPU counts as halted if it is found halted for so many seconds: with interrupts off,
# long enough to see the last of COM1; with interrupts on, through two ticks of the timer
# (18.2 a second), because what the first interrupt wakes may be a crash.
HALTED_FOR_GOOD = 0.03
HALTED_UNTIL_INTERRUPT = 0.12

Self = TypeVar("Self", bound="Pc")


class Pc:
    """An emulator in a process group of its own; it ends when the machine is closed."""

    name = "QEMU"
    patience = 10.0                     # seconds that a wait lasts if nobody says another
    poll = POLL                         # between two looks at a CPU that is awake

    def __init__(self) -> None:
        # In /tmp, because the path of a socket must fit into 104 bytes on macOS.
        self.folder = Path(tempfile.mkdtemp(prefix="pc-", dir="/tmp"))
        self.process: Optional[pexpect.spawn] = None
        self.com1: Any = None           # what pexpect reads as COM1
        self.ended: Optional[End] = None
        self._transcript = io.StringIO()
        _alive.add(self)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the emulator and everything it started; remove our temporary files."""
        _alive.discard(self)
        if self.process:
            if self.alive:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.process.ptyproc.delayafterclose = 0
            self.process.close()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Does the emulator still run (if only to show its last screen)?"""
        return self.process is not None and self.process.isalive()

    # -- what each emulator does in its own way ----------------------------------------

    def memory(self, address: int, length: int) -> bytes:
        """Read `length` bytes of physical memory, video memory included."""
        raise NotImplementedError

    def registers(self) -> Registers:
        """The CPU's registers. A running CPU is stopped for a moment."""
        raise NotImplementedError

    def complaint(self) -> str:
        """What the emulator wrote to stderr."""
        raise NotImplementedError

    def _end_seen(self) -> Optional[End]:
        """How the machine ended, if it did; EmulatorDied if its process is gone."""
        raise NotImplementedError

    def _asleep(self, or_waiting: bool) -> Optional[float]:
        """One of the times above if the CPU is halted outside the BIOS, else None.

        `or_waiting`: also if an interrupt can wake it.
        """
        raise NotImplementedError

    def _ours(self) -> bool:
        """Can the screen be ours, or does firmware still use it? A guess without cost."""
        return True

    def _gave_up(self) -> bool:
        """Does the BIOS say that it found nothing to boot? Only where a look is cheap."""
        return False

    def _sources(self) -> list[Any]:
        """What select() can wait for: news from the emulator."""
        return [self.com1]

    # -- COM1 --------------------------------------------------------------------------

    @property
    def serial(self) -> str:
        """Everything that came out of COM1 so far."""
        self._read_com1()
        return self._transcript.getvalue()

    @property
    def plain_serial(self) -> str:
        """The same for people to read."""
        return self.serial.replace("\r\n", "\n").rstrip()

    def send(self, text: str) -> None:
        """Type `text` into COM1."""
        self.com1.send(text)

    def expect(self, pattern: str, timeout: Optional[float] = None,
               bad: Sequence[str] = BAD_PATTERNS) -> re.Match[str]:
        r"""Wait until COM1 says `pattern` (a regular expression) and return the match.

        Ends early, with an error, when COM1 says something `bad` (unless `pattern` itself
        contains it), and when no more can come: a triple fault, a reset, a CPU halted for
        good. Text arrives in pieces: to match a whole line, end the pattern with `\r\n`.
        """
        bad = [phrase for phrase in bad if not re.search(phrase, pattern)]
        wanted = f"COM1 did not say {pattern!r}"
        found: Optional[re.Match[str]] = None

        def arrived() -> bool:
            nonlocal found
            index = self._read_com1([pattern, *bad])
            if index is not None and index > 0:
                # Let the line come to its end.
                self._wait(lambda: self._read_com1(["\n"]) is not None, 1)
                line = self.serial.rstrip().splitlines()[-1]
                raise self.error(f"{wanted}, but {line!r}.")
            found = self.com1.match if index == 0 else None
            return found is not None

        end = self._wait(arrived, timeout)
        if found is None:
            raise self.error(f"{wanted}. {end or self._silence(timeout)}")
        return found

    # -- the screen --------------------------------------------------------------------

    def screen(self) -> Union[Screen, PixelScreen]:
        """The screen as it is now: a Screen, or a PixelScreen in graphics mode."""
        return Screen(self.memory(SCREEN_ADDRESS, SCREEN_SIZE))

    def wait_for_screen(self, condition: Callable[[Any], bool],
                        timeout: Optional[float] = None) -> Union[Screen, PixelScreen]:
        """Wait until the screen fulfils `condition` and return that screen."""
        end = self._wait(lambda: self._ours() and condition(self.screen()), timeout)
        screen = self.screen()
        if not condition(screen):
            raise self.error(f"{UNEXPECTED} {end or self._silence(timeout)}")
        return screen

    def expect_screen(self, expected: Union[str, Sequence[str]],
                      timeout: Optional[float] = None) -> Union[Screen, PixelScreen]:
        """Wait until the screen shows these rows from the top and nothing below them.

        An error shows both screens side by side.
        """
        end = self._wait(
            lambda: self._ours() and not self.screen().differs_from(expected), timeout,
            or_waiting=True)
        screen = self.screen()
        difference = screen.differs_from(expected)
        if difference:
            raise MachineError(
                f"{UNEXPECTED} {end or self._silence(timeout)}",
                f"{difference}\n{self.report(with_screen=False)}")
        return screen

    # -- waiting -----------------------------------------------------------------------

    def wait_until_halted(self, timeout: Optional[float] = None) -> None:
        """Wait until the CPU executed HLT outside the BIOS; anything else is an error."""
        end = self.wait_for_end(timeout)
        if end.kind != ending.HALTED:
            raise self.error(f"The CPU did not halt. {end}")

    def wait_for_end(self, timeout: Optional[float] = None) -> End:
        """Wait until the machine does nothing more, and say how that came about.

        A machine that does not end within `timeout` seconds is reported as a hang.
        """
        end = self._wait(self._gave_up, timeout, or_waiting=True)
        return end or self._silence(timeout)

    def look(self, timeout: float) -> Optional[End]:
        """Give the machine at most `timeout` seconds; how it ended, or None."""
        return self._wait(lambda: False, timeout)

    def _wait(self, condition: Callable[[], bool], timeout: Optional[float],
              or_waiting: bool = False) -> Optional[End]:
        """Look until `condition` holds or the machine ended, at most `timeout` seconds.

        A CPU halted for good is an end; with `or_waiting`, one that waits for an
        interrupt, too. Returns how it ended, or None if it did not.
        """
        limit = time.monotonic() + (self.patience if timeout is None else timeout)
        asleep: Optional[float] = None  # since when
        while True:
            end, patience = self._look(or_waiting)
            if patience is None:
                asleep = None
            elif asleep is None:
                asleep = time.monotonic()
            elif time.monotonic() - asleep > patience:
                end = ending.of_halt(self.registers())
            # Only now: what came out before the end still counts.
            if condition() or end:
                return end
            left = limit - time.monotonic()
            if left <= 0:
                return None
            pause = POLL if asleep else self.poll
            select.select(self._sources(), [], [], min(pause, left))
            self._read_com1()

    def _look(self, or_waiting: bool) -> tuple[Optional[End], Optional[float]]:
        try:
            end = self._end_seen()
            return end, None if end else self._asleep(or_waiting)
        except EmulatorDied:
            return self._death(), None

    # -- reports -----------------------------------------------------------------------

    def error(self, sentence: str) -> MachineError:
        """An error with that sentence and all that can be seen of the machine."""
        return MachineError(sentence, self.report())

    def report(self, with_screen: bool = True) -> str:
        """Screen, COM1, the emulator's complaints and the registers, as text."""
        parts = []
        if with_screen:
            try:
                parts += ["screen:", self.screen().framed()]
            except MachineError as error:
                parts += [f"screen: {error.sentence}"]
        parts += ["COM1:", self.plain_serial or "(nothing)"]
        complaint = self.complaint()
        if complaint:
            parts += ["the emulator says:", complaint]
        with suppress(MachineError):     # an emulator that died said so above
            parts += ["CPU:", self.registers().describe()]
        return "\n".join(parts)

    def _silence(self, seconds: Optional[float]) -> End:
        return ending.of_silence(self.patience if seconds is None else seconds,
                                 self.registers(), self.screen())

    def _death(self) -> End:
        if self.ended is None:
            assert self.process
            self._read_com1(timeout=5)   # all that is still on its way
            self.process.wait()
            self.ended = ending.of_death(
                self.name, self.process.exitstatus, self.process.signalstatus,
                self.complaint())
        return self.ended

    def _listen(self, com1: Any) -> None:
        """Make `com1`, something that pexpect reads, the machine's COM1."""
        com1.logfile_read = self._transcript
        com1.delaybeforesend = com1.delayafterread = None
        self.com1 = com1

    def _read_com1(self, patterns: Sequence[str] = (),
                   timeout: float = 0) -> Optional[int]:
        """Take in what COM1 sent. Return the index of the pattern found, or None."""
        if self.process is None:
            return None                 # closed: what came is in the transcript
        unmatched = self.com1.buffer
        index = self.com1.expect([*patterns, pexpect.EOF, pexpect.TIMEOUT],
                                 timeout=timeout)
        if self.com1.match is pexpect.EOF:
            # At the end of file pexpect drops the text in which it found nothing.
            self.com1.buffer = self.com1.before or unmatched
        return index if index < len(patterns) else None


_alive: weakref.WeakSet[Pc] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for machine in list(_alive):
        machine.close()
