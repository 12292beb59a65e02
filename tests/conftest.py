"""What the tests of all chapters share: machines that boot a chapter's image.

A test file makes its machine in a fixture of its own, so that a QEMU that does not start
is an error of the test and not a failure of the chapter:

    @pytest.fixture
    def machine(boot):
        return boot("boot-sector")
"""
from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import util

from machine import BochsMachine, Machine, MissingProgram

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
# The same in all processes of one run of pytest-xdist, another one in the next run.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex

# On a CI machine (CI=true) pytest compares two long values line by line, and needs minutes
# where they are pictures or memory. The tests of planted defects make such values differ.
util.running_on_ci = lambda: False

# Their asserts show values, as those of the test files do; the plugin has fixtures.
pytest.register_assert_rewrite("boot_contract", "firmware_state", "hello", "memory_table",
                               "page_tables")
pytest_plugins = ["big_stage"]


def folder_of(words: str) -> str:
    """Return the folder of a chapter: of "boot-sector", it is "01-boot-sector"."""
    found = sorted(path.name for path in ROOT.glob(f"chapters/[0-9]*-{words}")
                   if path.name.split("-", 1)[1] == words)
    if len(found) != 1:
        raise LookupError(f"No chapter is called {words!r}.")
    return found[0]


def number_of(folder: str) -> int:
    """Return the number by which `make` knows a chapter's folder."""
    return int(folder.split("-")[0])


def image_of(words: str) -> Path:
    """Return the disk image of a chapter, which `make` has built before."""
    folder = folder_of(words)
    need_gnu_efi(folder)
    image = BUILD / folder / "disk.img"
    if not image.is_file():
        raise FileNotFoundError(f"Cannot find {image.relative_to(ROOT)}: build it with "
                                f"`make chapter-{number_of(folder)}` first.")
    return image


def need_gnu_efi(folder: str) -> None:
    """Skip the test where a chapter for UEFI cannot be built: not every system has gnu-efi."""
    import doctor                       # common/make/, where `machine` looks, too

    parts = (ROOT / "chapters" / folder / "chapter.mk").read_text()
    tool = next(tool for tool in doctor.TOOLS if tool.name == "gnu-efi")
    if re.search(r"^efi\b", parts, re.MULTILINE) and not doctor.find(tool).usable:
        pytest.skip("gnu-efi is not installed: chapters for UEFI are left out")


def run_make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository, one at a time: the tests run in parallel, make's
    rules would write the same files twice."""
    BUILD.mkdir(exist_ok=True)
    # A make above us left its options here; they are not meant for this one.
    variables = {name: value for name, value in os.environ.items()
                 if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BREAK")}
    with open(BUILD / "make.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(["make", *arguments], cwd=ROOT, env=variables, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def broken_image(words: str, variant: str) -> Path:
    """Return the image of a chapter with one idea removed; built once in each run."""
    folder = folder_of(words)
    need_gnu_efi(folder)
    image = BUILD / "broken" / folder / variant / "build" / folder / "disk.img"
    built = BUILD / "broken" / f"{folder}.{variant}.built"
    built.parent.mkdir(parents=True, exist_ok=True)
    with open(built, "a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        if mark.read() != RUN:
            done = run_make("-s", f"chapter-{number_of(folder)}", f"BREAK={variant}")
            if done.returncode or not image.is_file():
                raise RuntimeError(f"Cannot build {folder} with BREAK={variant}:\n"
                                   f"{done.stdout}")
            mark.truncate(0)
            mark.write(RUN)
    return image


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of broken variants: `-m "not variant"` leaves them out."""
    for item in items:
        if "boot_broken" in getattr(item, "fixturenames", ()):
            item.add_marker("variant")


@pytest.fixture
def machines() -> Iterator[contextlib.ExitStack]:
    """Closes every machine that a test started, whatever happens to the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def boot(machines: contextlib.ExitStack) -> Callable[..., Machine]:
    """`boot("boot-sector", disk="usb")` boots a chapter in QEMU; options as Machine's."""
    return lambda words, **options: machines.enter_context(
        Machine(image_of(words), **options))


@pytest.fixture
def boot_image(machines: contextlib.ExitStack) -> Callable[..., Machine]:
    """`boot_image(path)` boots any image in QEMU; options as Machine's."""
    return lambda image, **options: machines.enter_context(Machine(image, **options))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """`changed(image, function)` lets it change the bytes of a copy, and returns that."""
    def changed(image: Path, change: Callable[[bytearray], object]) -> Path:
        data = bytearray(image.read_bytes())
        change(data)
        assert data != image.read_bytes()
        (tmp_path / "changed.img").write_bytes(data)
        return tmp_path / "changed.img"
    return changed


@pytest.fixture
def boot_broken(machines: contextlib.ExitStack) -> Callable[..., Machine]:
    """`boot_broken("boot-sector", "no-cld")` boots a broken variant in QEMU."""
    return lambda words, variant, **options: machines.enter_context(
        Machine(broken_image(words, variant), **options))


@pytest.fixture
def boot_bochs(machines: contextlib.ExitStack) -> Callable[..., BochsMachine]:
    """`boot_bochs("boot-sector")` boots a chapter in Bochs; skips where there is none.

    With `variant="..."`, a broken variant of it.
    """
    def start(words: str, variant: str = "", **options: Any) -> BochsMachine:
        image = broken_image(words, variant) if variant else image_of(words)
        try:
            return machines.enter_context(BochsMachine(image, **options))
        except MissingProgram as missing:
            pytest.skip(missing.sentence)

    return start


@pytest.fixture
def make() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`make("chapter-1", "files")` runs make; `.stdout` has both its outputs."""
    return run_make
