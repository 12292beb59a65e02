"""Chapters on their own: exported to a folder, perhaps changed, and built there."""
from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import BUILD, RUN, folder_of, need_gnu_efi, number_of, run_make

# What a shell needs; nothing that could point to the repository.
VARIABLES = ("PATH", "HOME", "TMPDIR", "QEMU", "LANG")
PREFIXES = ("", "x86_64-elf-", "x86_64-linux-gnu-", "llvm-")
TOOLCHAINS = ("gcc", "clang")


class Alone(NamedTuple):
    """An exported chapter: the folder it was written to, and its name in there."""

    folder: Path
    chapter: str

    @property
    def sources(self) -> Path:
        return self.folder / "chapters" / self.chapter

    @property
    def build(self) -> Path:
        return self.folder / "build" / self.chapter

    @property
    def image(self) -> Path:
        return self.build / "disk.img"

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make in the folder, with an environment that does not know the repository."""
        return subprocess.run(
            ["make", *arguments], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={name: os.environ[name] for name in VARIABLES if name in os.environ})

    def must_make(self, *arguments: str) -> str:
        """Run make, which must succeed; return what it printed."""
        done = self.make(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file of the chapter: `old` stands in it exactly once."""
        text = (self.sources / file).read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        (self.sources / file).write_text(text.replace(old, new))

    def add_to_kernel(self, name: str, source: str) -> None:
        """Write a C file into the chapter and link it into the kernel, as the last one."""
        (self.sources / name).write_text(source)
        self.replace("chapter.mk", "linker_script :=",
                     f"kernel += chapters/{self.chapter}/{name}\nlinker_script :=")


def export(words: str, folder: Path) -> Alone:
    """Export a chapter to an empty or new folder."""
    need_gnu_efi(folder_of(words))
    done = run_make("-s", f"chapter-{number_of(folder_of(words))}", "export", f"DIR={folder}")
    assert done.returncode == 0, done.stdout
    return Alone(folder, folder_of(words))


def built_once(words: str, name: str, change: Callable[[Alone], object],
               *arguments: str) -> Alone:
    """Export a chapter, change it and build it, once for all processes of a run."""
    alone = Alone(BUILD / "alone" / name, folder_of(words))
    alone.folder.parent.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "alone" / f"{name}.built", "a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        if mark.read() != RUN:
            mark.truncate(0)
            shutil.rmtree(alone.folder, ignore_errors=True)
            export(words, alone.folder)
            change(alone)
            alone.must_make(*arguments)
            mark.write(RUN)
    return alone


def need_toolchain(name: str) -> None:
    """Skip the test where a toolchain is not installed: one of them is enough."""
    if name == "gcc":
        found = any(shutil.which(prefix + "gcc") for prefix in PREFIXES)
    else:
        found = all(map(shutil.which, ("clang", "ld.lld")))
    if not found:
        pytest.skip(f"{name} is not installed; one toolchain is enough")


def binary_tool(name: str) -> str:
    """The path of "nm" or "objdump", for ELF files of x86-64."""
    found = next(filter(None, (shutil.which(prefix + name) for prefix in PREFIXES)), None)
    if found is None:
        raise FileNotFoundError(f"Cannot find {name}: install binutils or LLVM.")
    return found


def symbols(file: Path) -> dict[str, int]:
    """The addresses of all labels, functions and variables in an ELF file."""
    text = subprocess.run([binary_tool("nm"), file], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    lines = (line.split() for line in text.splitlines())
    return {words[2]: int(words[0], 16) for words in lines if len(words) == 3}


def undefined_symbols(file: Path) -> list[str]:
    """What an object file needs of other files."""
    text = subprocess.run([binary_tool("nm"), "-u", file], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return [line.split()[-1] for line in text.splitlines()]


class Instruction(NamedTuple):
    """One line of a disassembly, in the AT&T syntax of objdump: source, then target."""

    function: str
    address: int
    text: str


def disassembly(file: Path) -> list[Instruction]:
    """All instructions of an ELF file."""
    text = subprocess.run([binary_tool("objdump"), "-d", "--no-show-raw-insn", file],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    found, function = [], ""
    for line in text.splitlines():
        if label := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            function = label[1]
        elif code := re.match(r" *([0-9a-f]+):\s+(.+)$", line):
            found.append(Instruction(function, int(code[1], 16),
                                     " ".join(code[2].split("#")[0].split())))
    assert found, f"{file} holds no code"
    return found


_PUSH = re.compile(r"push\w* ")
_MOVE_RSP = re.compile(r"(sub|add)\w* \$(0x[0-9a-f]+|-?\d+),%rsp$")
_BELOW = re.compile(r"(?!lea)\S.*-(0x[0-9a-f]+|\d+)\(%(rsp|rbp)")


def below_the_stack(code: list[Instruction]) -> list[Instruction]:
    """The instructions that use memory below the stack pointer: the red zone.

    Seen from rsp, that is a negative offset; from rbp, one that goes beyond all that the
    function has pushed and reserved up to there.
    """
    found, function, depth, deepest, frame = [], "", 0, 0, None
    for instruction in code:
        if instruction.function != function:
            function, depth, deepest, frame = instruction.function, 0, 0, None
        text = instruction.text
        if _PUSH.match(text):
            depth += 8
        elif moved := _MOVE_RSP.match(text):
            size = int(moved[2], 0)
            size -= (size >> 63) << 64  # subtracting -128 is shorter than adding 128
            depth += size if moved[1] == "sub" else -size
        elif text == "mov %rsp,%rbp":
            frame = depth
        elif used := _BELOW.match(text):
            if used[2] == "rsp":
                found.append(instruction)
            elif frame is not None and frame + int(used[1], 0) > deepest:
                found.append(instruction)
        deepest = max(deepest, depth)
    return found
