"""Boot a disk image: in a window, in the terminal, or headless.

    python3 -m machine run IMAGE           where there is a display, or a terminal, there
    python3 -m machine screen IMAGE        headless: print the screen's text and COM1
    python3 -m machine screenshot IMAGE --output PICTURE.png
                                           and PICTURE.json, where its text can be read

Arguments after -- go to QEMU. QEMU=path takes another qemu-system-x86_64.
"""
from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

from . import ending, runs
from .command import qemu_command
from .ending import End
from .errors import MachineError, MissingProgram
from .machine import Machine
from .pixels import PixelScreen
from .screen import Screen

REFUSAL = re.compile(r"gtk|sdl|cocoa|curses|display|terminal", re.IGNORECASE)


class Refused(Exception):
    """QEMU cannot show its screen in this way; the text is its own sentence."""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    extra: list[str] = []
    if "--" in arguments:
        position = arguments.index("--")
        arguments, extra = arguments[:position], arguments[position + 1:]
    options = parse(arguments)
    machine = {"image": options.image, "extra": extra, **chosen(options)}
    try:
        if options.command == "screenshot":
            return screenshot(machine, options.output, options.limit)
        if options.command == "run":
            return run(machine, options.limit)
        return screen(machine, options.limit)
    except MachineError as error:
        return complain(error.sentence)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:             # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="machine", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "screen", "screenshot"])
    parser.add_argument("image", help="the disk image to boot")
    add_choices(parser)
    parser.add_argument("--output", type=Path, help="where the screenshot goes, a .png file")
    parser.add_argument("--limit", type=float,
                        help="seconds to wait for the machine to settle")
    options = parser.parse_args(arguments)
    if (options.command == "screenshot") != (options.output is not None):
        parser.error("screenshot needs --output PICTURE.png, and nothing else takes it")
    return options


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Let the command line choose another machine than usual."""
    parser.add_argument("--firmware", default="bios", help="bios or uefi")
    parser.add_argument("--disk", default="ide",
                        help="ide, ahci, virtio, nvme, usb or floppy")
    parser.add_argument("--memory", help="such as 64M or 6G")
    parser.add_argument("--cpu", help="a CPU model of QEMU")
    parser.add_argument("--board", help="pc (IDE) or q35 (AHCI)")
    parser.add_argument("--vga", default="std", help="std, virtio, qxl or none")


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """What add_choices() let the command line choose, as arguments of Machine."""
    return {name: getattr(options, name)
            for name in ("firmware", "disk", "memory", "cpu", "board", "vga")}


def run(machine: dict[str, Any], limit: Optional[float]) -> int:
    """Show the machine in the best way there is here."""
    why = "No display and no terminal here"
    for display in displays():
        if display == "curses" and machine["firmware"] == "uefi":
            why = "No display here, and a terminal cannot show the pixels of UEFI"
            continue
        show = in_terminal if display == "curses" else in_window
        try:
            return show(machine, display)
        except Refused as refused:
            print(f"QEMU cannot use {display} ({refused}), so the next way is taken.",
                  file=sys.stderr)
    print(f"{why}, so the machine runs unseen until it settles; Ctrl+C quits.", flush=True)
    return screen(machine, limit)


def displays() -> list[str]:
    """The ways to show a screen that can work here, the best first."""
    ways = []
    if sys.platform == "darwin":
        ways.append("cocoa")
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        ways += ["gtk", "sdl"]
    smart = os.environ.get("TERM", "dumb") != "dumb"
    if smart and sys.stdin.isatty() and sys.stdout.isatty():
        ways.append("curses")
    return ways


def in_window(machine: dict[str, Any], display: str) -> int:
    """Show the machine in a window, and its COM1 here."""
    try:
        machine = {**machine, "extra": ["-monitor", "vc", *machine["extra"]]}
        pc = Machine(display=display, **machine)
    except MachineError as error:
        if REFUSAL.search(error.sentence):
            raise Refused(last_words(error.sentence)) from error
        raise
    with pc:
        print("To quit, close the window or press Ctrl+C here. COM1:", flush=True)
        shown, end = 0, None
        while pc.alive:
            select.select([pc.com1], [], [], 0.1)
            text = pc.plain_serial
            print(text[shown:], end="", flush=True)
            shown = len(text)
            if end is None:
                end = pc.look(0)
                if end and end.kind != ending.DIED:
                    print(f"\n{end}\nThe window keeps its last screen.", file=sys.stderr)
        print()
        return 1 if end and end.badly and end.kind != ending.DIED else 0


def in_terminal(machine: dict[str, Any], display: str) -> int:
    """Show the machine in this terminal; its COM1 when that is over."""
    machine = dict(machine)
    extra = machine.pop("extra")
    print("To quit, press Alt+2 (or Esc, then 2), then type quit and Enter.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        com1, log, stderr = (Path(folder, name) for name in ("com1", "log", "stderr"))
        command = [*qemu_command(**machine), "-display", display, "-monitor", "vc",
                   "-serial", f"file:{com1}", "-d", "cpu_reset", "-D", str(log), *extra]
        # QEMU complains of each glyph that the terminal lacks: not onto its screen.
        with open(stderr, "wb") as complaints:
            status = subprocess.run(command, stderr=complaints).returncode
        complaint = stderr.read_text(errors="replace").strip()
        if status and REFUSAL.search(complaint):
            raise Refused(last_words(complaint))
        if status:
            return complain(ending.of_death("QEMU", status, None, complaint).sentence)
        print_com1(com1.read_text(errors="replace").replace("\r\n", "\n").rstrip())
        if "Triple fault" in log.read_text(errors="replace"):
            return complain("It ended in a triple fault: an exception, and no handler "
                            "for it in the IDT; the verb screen shows where.")
    return 0


def screen(machine: dict[str, Any], limit: Optional[float]) -> int:
    """Boot headless; print the screen and COM1 when the machine has settled."""
    with Machine(**machine) as pc:
        end = pc.wait_for_end(limit)
        if end.kind != ending.DIED:
            print(picture_of(pc))
        print_com1(pc.plain_serial)
        return judge(end)


def picture_of(pc: Machine) -> str:
    """The screen as text, or a sentence where it has none."""
    try:
        shown = legible_screen(pc)
        if shown:
            return shown.framed()
    except MachineError as error:
        return error.sentence
    width, height, _ = pc.pixels()
    return (f"The screen has {width} x {height} pixels, drawn by the firmware's console. "
            "The same text is on COM1.")


def legible_screen(pc: Machine) -> Union[Screen, PixelScreen, None]:
    """The screen, or None where it has pixels that are no text of ours."""
    try:
        shown = pc.screen()
    except MissingProgram:
        return None                     # no font: then no kernel of ours drew with it
    return shown if not isinstance(shown, PixelScreen) or shown.legible else None


def screenshot(machine: dict[str, Any], output: Path, limit: Optional[float]) -> int:
    """Boot headless; write a picture of the screen when the machine has settled.

    Beside it its text, in the form of runs.to_json(), where that can be read.
    """
    with Machine(**machine) as pc:
        end = pc.wait_for_end(limit)
        if end.kind != ending.DIED:
            pc.screenshot(output)
            shown = legible_screen(pc)
            text = runs.to_json(shown) if shown else None
            if text:
                output.with_suffix(".json").write_text(text, encoding="utf-8")
        return judge(end)


def judge(end: End) -> int:
    """Return the exit status for that end; say it, unless all is well."""
    if end.badly:
        return complain(end.sentence)
    if end.kind != ending.HALTED:
        print(end, file=sys.stderr)
    return 0


def print_com1(text: str) -> None:
    # What a terminal would obey instead of showing it.
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)
    print(f"COM1:\n{text}".rstrip(), flush=True)


def complain(sentence: str) -> int:
    sys.stdout.flush()
    print(sentence, file=sys.stderr)
    return 1


def last_words(text: str) -> str:
    """What QEMU said last, without who said it."""
    return text.rstrip(".").splitlines()[-1].rpartition(": ")[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
