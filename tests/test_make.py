"""The Makefile: its grammar, its sentences about what is wrong, and what it rebuilds."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import posts
from conftest import ROOT, need_gnu_efi
from test_doctor import add_command, path_without

CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9][0-9]-*"))
NUMBERS = " ".join(str(int(name[:2])) for name in CHAPTERS)
# Names under which a tool may be found besides its own.
GCC = ("gcc", "cc", "c99", "c89", "clang", "x86_64-linux-gnu-gcc", "x86_64-elf-gcc")


@pytest.fixture
def copy(tmp_path) -> Path:
    """The repository without anything that was built, to do with as one likes."""
    posts.copy_repository(ROOT, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def make(copy) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`make("chapter-1", "files", PATH=...)` in a copy; `.stdout` has both outputs."""
    def run(*arguments: object, **variables: object) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BREAK", "TOOLCHAIN",
                                       "DISPLAY", "WAYLAND_DISPLAY", "PYTHON", "PYTHONPATH",
                                       "QEMU")}
        environment.update((name, str(value)) for name, value in variables.items())
        return subprocess.run(["make", *map(str, arguments)], cwd=copy, env=environment,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120)

    return run


def snapshot(folder: Path) -> dict[str, int]:
    """Every file below a folder with the time of its last change."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns
            for path in folder.rglob("*") if path.is_file()}


# -- the grammar ---------------------------------------------------------------------------------


def test_make_alone_prints_the_help(make):
    """It names every verb, and builds nothing."""
    done = make()
    assert done.returncode == 0
    for verb in ("run", "screen", "test", "debug", "files", "diff", "export", "clean", "BREAK=",
                 "TOOLCHAIN=", "doctor", "bench", "screenshots", "all"):
        assert verb in done.stdout
    assert done.stdout == make("help").stdout


@pytest.mark.parametrize("arguments, sentence", [
    (["chapter-99"], f"There is no chapter '99': the chapters are {NUMBERS}"),
    (["chapter-one", "run"], f"There is no chapter 'one': the chapters are {NUMBERS}"),
    (["chapter-1", "fly"], "There is no verb 'fly': the verbs are run screen test debug"),
    (["fly"], "without a chapter all bench doctor fuzz screenshots website "
      "website-serve test-website help"),
    (["FIRMWARE=coreboot", "all"], "Unknown FIRMWARE 'coreboot': these chapters know bios"),
    (["TOOLCHAIN=tcc", "all"], "Unknown TOOLCHAIN 'tcc': this repository builds with gcc and "
                               "with clang"),
    (["chapter-1", "BREAK=it"], "Chapter 01-boot-sector has no variant 'it': it has "),
    (["chapter-1", "BREAK=it", "run"], "no-cld"),
    (["chapter-1", "chapter-2", "files"], "One chapter at a time"),
    (["chapter-1", "export"], "make chapter-1 export DIR=folder"),
])
def test_what_is_unknown_gets_a_sentence_with_what_is_known(make, arguments, sentence):
    """One line, and exit status 2."""
    done = make(*arguments)
    assert done.returncode == 2
    assert sentence in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_chapter_may_be_written_with_or_without_the_zero(make):
    """chapter-3 and chapter-03 are the same."""
    make("-s", "chapter-3")
    assert make("chapter-3", "files").stdout == make("chapter-03", "files").stdout
    assert "nothing" not in make("chapter-03").stdout.lower()


def test_all_chapters_are_built_in_parallel_and_only_once(make, copy):
    """`make -j` builds every image; a second time it changes no file."""
    done = make("-j4", "all")
    assert done.returncode == 0, done.stdout
    before = snapshot(copy)
    assert make("-j4", "all").returncode == 0
    after = snapshot(copy)
    changed = {name for name in after if after[name] != before.get(name)}
    assert not [name for name in changed if not name.endswith((".new", "make.lock"))]
    for chapter in CHAPTERS:
        need_gnu_efi(chapter)
        assert f"build/{chapter}/disk.img: " in done.stdout
        assert f"build/{chapter}/disk.img" in before


def test_a_change_rebuilds_what_depends_on_it_and_nothing_else(make, copy):
    """memory_map.asm belongs to the loaders for a BIOS, io.h to kernels and to all loaders in C.
    Without gnu-efi, the chapters for UEFI are left out."""
    make("-j4", "all")
    for source, chapters in (("common/bios/memory_map.asm", ["03", "07", "08", "11"]),
                             ("common/x86/registers.inc",
                              ["04", "05", "06", "07", "08", "10", "11"]),
                             ("common/kernel/io.h", ["06", "07", "08", "10", "11"]),
                             ("common/kernel/panic.c", ["08", "10", "11"]),
                             ("chapters/06-vga-hello/kernel.ld", ["06"]),
                             ("chapters/01-boot-sector/boot.asm", ["01"])):
        before = snapshot(copy / "build")
        os.utime(copy / source)
        assert make("-j4", "all").returncode == 0
        after = snapshot(copy / "build")
        images = sorted(name[:2] for name in after
                        if name.endswith("disk.img") and after[name] != before[name])
        built = {name[:2] for name in before if name.endswith("disk.img")}
        assert images == [chapter for chapter in chapters if chapter in built], source


def test_both_toolchains_build_and_a_change_of_it_rebuilds_the_kernel(make, copy):
    """TOOLCHAIN=clang after gcc compiles again, and the other way round."""
    available = [name for name in ("gcc", "clang") if subprocess.run(
        ["sh", "-c", f"command -v {name}"], capture_output=True).returncode == 0]
    if len(available) < 2:
        pytest.skip("only one compiler here")
    for toolchain in ("gcc", "clang", "gcc"):
        done = make("chapter-6", f"TOOLCHAIN={toolchain}")
        assert done.returncode == 0, done.stdout
        assert "kernel.c" in done.stdout


def test_clean_removes_what_was_built_but_not_the_python_environment(make, copy):
    """With a chapter, that chapter's; without, all; build/venv belongs to setup.sh."""
    make("-s", "chapter-1")
    make("-s", "chapter-2")
    (copy / "build/venv").mkdir()
    assert make("chapter-1", "clean").returncode == 0
    assert not (copy / "build/01-boot-sector").exists()
    assert (copy / "build/02-second-stage/disk.img").exists()
    assert make("clean").returncode == 0
    assert [path.name for path in (copy / "build").iterdir()
            if not path.name.startswith(("flags", "nasm-flags"))] == ["venv"]


# -- the files of a chapter ---------------------------------------------------------------------


def test_files_lists_what_a_chapter_is_made_of_in_reading_order(make, copy):
    """The chapter's own source first; each file exists and is named once."""
    make("-s", "chapter-1")
    files = make("chapter-1", "files").stdout.split()
    assert files[:2] == ["chapters/01-boot-sector/chapter.mk", "chapters/01-boot-sector/boot.asm"]
    assert "common/bios/print.asm" in files and "common/bios/disk.asm" not in files
    assert len(files) == len(set(files))
    assert all((copy / file).is_file() for file in files)


def test_export_refuses_a_folder_that_holds_something(make, tmp_path):
    """It overwrites nothing."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("the only copy")
    done = make("-s", "chapter-1", "export", f"DIR={tmp_path}/full")
    assert done.returncode == 2
    assert "is not an empty folder: name a new one with DIR=" in done.stdout
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_diff_shows_the_step_between_two_chapters(make):
    """Whole files that are new, hunks of those that changed; chapter 1 has none before it."""
    done = make("-s", "chapter-2", "diff")
    assert done.returncode == 0
    assert '+hello:      db "Hello from the second stage!", CR, LF, 0' in done.stdout
    assert '-hello: db "Hello from 16-bit real mode!", CR, LF, 0' in done.stdout
    assert not re.search(r"^[+]{3} .*/serial_init.asm", done.stdout, re.M)  # the same in both
    first = make("-s", "chapter-1", "diff")
    assert "01-boot-sector is the first chapter: nothing comes before it" in first.stdout


def test_breaks_lists_the_variants_with_what_they_remove(make):
    """Each variant's name and what its patch says of itself."""
    done = make("chapter-1", "breaks")
    assert done.returncode == 0
    for patch in (ROOT / "chapters/01-boot-sector/break").glob("*.patch"):
        assert re.search(rf"^{patch.stem}\n    .*\n(    .*\n)*    Symptom: ", done.stdout, re.M)


# -- what is missing ------------------------------------------------------------------------------


@pytest.mark.parametrize("lacking, verbs, sentence", [
    (("nasm",), ["chapter-1"], "nasm is missing: it assembles chapters/01-boot-sector/boot.asm"),
    (GCC, ["chapter-6"], "gcc is missing: it compiles chapters/06-vga-hello/kernel.c"),
    (("ld",), ["chapter-6"], "ld is missing: it links the kernel"),
    (("objcopy",), ["chapter-6"], "objcopy is missing: it makes the flat kernel"),
    (("patch",), ["chapter-1", "BREAK=no-cld"], "patch is missing: it makes the broken variants"),
    (("gdb", "gdb-multiarch", "x86_64-elf-gdb", "x86_64-linux-gnu-gdb"), ["chapter-1", "debug"],
     "gdb is missing: it is the debugger"),
])
def test_a_missing_tool_is_named_with_what_needs_it_and_its_remedy(
        make, tmp_path, lacking, verbs, sentence):
    """Without the tool in PATH: one sentence, a command to type, a failure."""
    path = path_without(tmp_path / "bin", *lacking)
    done = make(*verbs, PATH=path, PYTHON=sys.executable)
    assert done.returncode != 0
    assert sentence in done.stdout
    assert re.search(r"Install it: (sudo )?\S+ (install|-S) \S+", done.stdout)
    assert "not found" not in done.stdout and "Traceback" not in done.stdout


@pytest.fixture
def no_gnu_efi(copy) -> list[str]:
    """A copy that looks for gnu-efi where nothing is: the places, as its list has them."""
    places = copy / "common/make/gnu-efi.places"
    places.write_text(re.sub("^/", "/nowhere/", places.read_text(), flags=re.MULTILINE))
    return re.findall(r"^/\S+", places.read_text(), re.MULTILINE)


def test_without_gnu_efi_the_sentence_lists_every_place_looked_at(make, no_gnu_efi):
    """Distributions put it anywhere: so the reader sees where it was not."""
    done = make("chapter-9")
    assert done.returncode != 0
    assert "gnu-efi is missing: " in done.stdout
    assert re.findall(r"  looked for (.*)", done.stdout) == no_gnu_efi
    assert "fatal error" not in done.stdout


def test_without_gnu_efi_all_other_chapters_are_built(make, no_gnu_efi):
    """One line names those that are left out."""
    done = make("-n", "all")
    assert done.returncode == 0, done.stdout
    left_out = re.search(r"Left out because gnu-efi is missing: ([^']*)", done.stdout)[1]
    assert left_out.split() == [name for name in CHAPTERS if re.search(
        r"^efi\b", (ROOT / f"chapters/{name}/chapter.mk").read_text(), re.MULTILINE)]
    assert "chapters/08-console/kernel.c" in done.stdout
    assert not re.search(r"build/(09|1\d)-", done.stdout)


@pytest.mark.parametrize("verb", ["run", "screen", "debug"])
def test_a_missing_qemu_gets_a_sentence(make, tmp_path, verb):
    """Every verb that starts a machine says what it looked for and what to install."""
    path = path_without(tmp_path / "bin", "qemu-system-x86_64")
    done = make("-s", "chapter-1", verb, PATH=path, PYTHON=sys.executable)
    assert done.returncode != 0
    assert "qemu-system-x86_64" in done.stdout and "install" in done.stdout.lower()
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("verb", ["run", "screen", "debug", "test"])
def test_a_python_without_pexpect_gets_a_sentence(make, tmp_path, verb):
    """It builds the images, but what starts machines names the package to install."""
    poor = tmp_path / "python"
    add_command(tmp_path, poor.name, f'''exec {sys.executable} -c '
import runpy, sys
from collections.abc import Callable
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pexpect", "pytest", "xdist"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hide())
for name in [name for name in sys.modules if name.split(".")[0] == "pexpect"]:
    del sys.modules[name]
arguments = sys.argv[1:]
if arguments[0] == "-c":
    sys.argv = ["-c", *arguments[2:]]
    exec(arguments[1])
elif arguments[0] == "-m":
    sys.argv = arguments[1:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
else:
    sys.argv = arguments
    sys.path.insert(0, arguments[0].rpartition("/")[0])
    runpy.run_path(arguments[0], run_name="__main__")
' "$@"''')
    assert make("-s", "chapter-1", PYTHON=poor).returncode == 0
    done = make("-s", "chapter-1", verb, PYTHON=poor)
    assert done.returncode != 0
    assert re.search(r"(pexpect|pytest) is missing: .* Install it: ", done.stdout)
    assert "Traceback" not in done.stdout


def test_a_missing_python_gets_a_sentence(make, copy, tmp_path):
    """The build needs Python to lay out the image."""
    search = copy / "common/make/find-python.sh"
    search.write_text(re.sub(r"(/\w+)+/bin/python3", "", search.read_text()))
    path = path_without(tmp_path / "bin", *(
        name for place in os.environ["PATH"].split(os.pathsep) if os.path.isdir(place)
        for name in os.listdir(place) if name.startswith("python")))
    done = make("chapter-1", PATH=path)
    assert done.returncode == 2
    assert "Python 3.9 or newer is missing" in done.stdout


# -- what is too big ------------------------------------------------------------------------------


def test_a_boot_sector_with_too_much_code_fails_the_build_with_a_sentence(make, copy):
    """More than 440 bytes of code would lie where Windows writes a number of its own."""
    source = copy / "chapters/01-boot-sector/boot.asm"
    source.write_text(source.read_text().replace("hello: db", "times 400 nop\nhello: db"))
    done = make("chapter-1")
    assert done.returncode != 0
    assert re.search(r"error: .*440 fit", done.stdout)
    assert "TIMES value" not in done.stdout
    assert not (copy / "build/01-boot-sector/disk.img").exists()
