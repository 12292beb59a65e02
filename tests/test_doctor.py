"""`make doctor` and the sentence about a missing tool: run with a PATH that lacks things."""
from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCTOR = ROOT / "common/make/doctor.py"
MANAGERS = ("apt-get", "dnf", "pacman", "zypper", "brew")


def load_doctor():
    """doctor.py as a module: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("doctor", DOCTOR)
    module = importlib.util.module_from_spec(spec)
    sys.modules["doctor"] = module
    spec.loader.exec_module(module)
    return module


doctor = load_doctor()


def path_without(folder: Path, *names: str) -> Path:
    """Fill a folder with links to every command in PATH but the named ones."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        if not os.path.isdir(place):
            continue
        for command in os.listdir(place):
            if command not in names and not os.path.lexists(folder / command):
                os.symlink(os.path.join(os.path.abspath(place), command), folder / command)
    return folder


def add_command(folder: Path, name: str, script: str) -> None:
    """Put a shell script into a folder as a command."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def run_doctor(path: Path | None, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": str(path)} if path else None
    return subprocess.run([sys.executable, DOCTOR, *arguments], env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)


def line_of(output: str, tool: str) -> str:
    """The table's line about a tool."""
    return next(line for line in output.splitlines() if line[10:].split()[:1] == [tool])


def test_the_table_has_a_line_for_every_tool_and_a_boot():
    """Where the tests can run, doctor finds all that is required and boots a sector."""
    done = run_doctor(None)
    assert done.returncode == 0, done.stdout
    for tool in doctor.TOOLS:
        assert line_of(done.stdout, tool.name)
    status, name, version, _, path = line_of(done.stdout, "nasm").split()
    assert (status, name) == ("ok", "nasm")
    assert version[0].isdigit() and path == shutil.which("nasm")
    assert "our 512 bytes booted and wrote to COM1" in done.stdout


def test_a_missing_nasm_is_a_failure_with_its_remedy(tmp_path):
    """Without nasm doctor exits 1 and ends with the command that installs it."""
    path = path_without(tmp_path / "bin", "nasm", *MANAGERS)
    add_command(path, "apt-get", "exit 1")
    done = run_doctor(path)
    assert done.returncode == 1
    assert line_of(done.stdout, "nasm").startswith("  MISSING nasm")
    assert done.stdout.endswith("apt-get install nasm\n")


def test_a_missing_optional_tool_is_only_noted(tmp_path):
    """Without bochs doctor still exits 0, and says what is not here."""
    done = run_doctor(path_without(tmp_path / "bin", "bochs"))
    assert done.returncode == 0, done.stdout
    assert line_of(done.stdout, "bochs").startswith("  -       bochs")
    assert "Not here, and not required: bochs" in done.stdout


@pytest.mark.skipif(not all(map(shutil.which, ("clang", "ld.lld", "llvm-objcopy"))),
                    reason="needs clang, lld and llvm")
def test_clang_stands_in_for_gcc(tmp_path):
    """With a complete second toolchain gcc and binutils are not required."""
    gnu = [name for tool in ("gcc", "ld", "objcopy") for name in (tool, *doctor.gnu(tool))]
    done = run_doctor(path_without(tmp_path / "bin", *gnu))
    assert done.returncode == 0, done.stdout
    assert line_of(done.stdout, "gcc").startswith("  -       gcc")


def test_the_make_of_macos_is_refused(tmp_path):
    """GNU make 3.81 is found, but it cannot read the Makefile."""
    path = path_without(tmp_path / "bin", "make", "gmake")
    add_command(path, "make", "echo GNU Make 3.81")
    done = run_doctor(path)
    assert done.returncode == 1
    assert line_of(done.stdout, "make").split()[:3] == ["OLD", "make", "3.81"]
    assert "Missing: make" in done.stdout


def test_a_qemu_that_does_not_start_fails_the_boot_check(tmp_path):
    """A QEMU that only has a version number is found out."""
    path = path_without(tmp_path / "bin", "qemu-system-x86_64")
    add_command(path, "qemu-system-x86_64",
                '[ "$1" = --version ] && echo version 8.2.0 && exit\necho no BIOS >&2; exit 1')
    done = run_doctor(path)
    assert done.returncode == 1
    assert "FAILED  boot check" in done.stdout and "no BIOS" in done.stdout


def test_files_that_are_missing_are_listed_with_every_place_tried(monkeypatch, capsys):
    """For firmware and libraries the reader sees where doctor looked."""
    tool = doctor.Tool("uefi", "ovmf", "it is firmware", "", "ovmf ovmf ovmf ovmf ovmf",
                       files=(("/nowhere/one.fd",), ("/nowhere/two.fd",)), required=False)
    monkeypatch.setattr(doctor, "TOOLS", (tool,))
    doctor.table()
    printed = capsys.readouterr().out
    assert "looked for /nowhere/one.fd" in printed and "looked for /nowhere/two.fd" in printed


@pytest.mark.parametrize(
    "manager, tool, command",
    [
        ("apt-get", "nasm", "apt-get install nasm"),
        ("dnf", "xdist", "dnf install python3-pytest-xdist"),
        ("pacman", "sgdisk", "pacman -S gptfdisk"),
        ("zypper", "ovmf", "zypper install qemu-ovmf-x86_64"),
        ("brew", "x86_64-elf-gcc", "brew install x86_64-elf-gcc"),
    ],
)
def test_the_missing_tool_sentence(tmp_path, manager, tool, command):
    """The Makefile's sentence names the tool, what needs it, and this machine's command."""
    add_command(tmp_path, manager, "exit 1")
    done = run_doctor(tmp_path, "--missing", tool, "the build needs it")
    sudo = "" if os.geteuid() == 0 or manager == "brew" else "sudo "
    assert done.returncode == 1
    sentence, *places = done.stdout.splitlines()
    assert sentence == (f"{tool} is missing: the build needs it. "
                        f"Install it: {sudo}{command} (or run ./setup.sh)")
    assert all(line.startswith("  looked for /") for line in places)


def test_without_a_package_manager_the_sentence_says_so(tmp_path):
    """Where no command can be given, the names of the known package managers are."""
    done = run_doctor(tmp_path, "--missing", "nasm")
    assert done.returncode == 1
    assert done.stdout.startswith("nasm is missing: it assembles the boot sector. ")
    assert "none of apt-get, dnf, pacman, zypper, brew is here" in done.stdout


def test_every_tool_has_a_package_for_each_package_manager():
    """A row that is one word short would hand out its neighbour's package."""
    for tool in doctor.TOOLS:
        assert len(tool.packages.split()) == len(MANAGERS), tool.name


def test_a_clang_without_its_fuzzer_library_is_noticed(tmp_path):
    """libfuzzer is found where clang says its libraries are, and nowhere else."""
    path = path_without(tmp_path / "bin", "clang")
    add_command(path, "clang", f"echo {tmp_path}/lib")
    (tmp_path / "lib").mkdir()
    assert line_of(run_doctor(path).stdout, "libfuzzer").startswith("  -       libfuzzer")
    (tmp_path / "lib/libclang_rt.fuzzer-x86_64.a").touch()
    assert line_of(run_doctor(path).stdout, "libfuzzer").startswith("  ok      libfuzzer")
