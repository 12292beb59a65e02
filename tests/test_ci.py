""".ci/run: what it runs, in which order, and what its exit status says.

setup.sh, the Makefile and npm are played by stand-ins that fail on demand.
"""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from test_doctor import ROOT, add_command

MAKEFILE = """
build/website-packages test-website test:
\t@echo make $@
\t@case " $$FAILS " in *" $@ "*) exit 3 ;; esac
.PHONY: build/website-packages test-website test
"""
SETUP = """#!/bin/sh
echo setup $*
case " $FAILS " in *" setup${1:+-$1} "*) exit 1 ;; esac
"""
ALL = ["setup", "setup website", "make build/website-packages", "make test-website", "make test"]


@pytest.fixture
def run(tmp_path):
    """A function that runs CI with what it is told fails; it gives the status and the output."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    add_command(tmp_path, "setup.sh", SETUP)
    add_command(tmp_path / "bin", "npm", 'case " $FAILS " in *" npm "*) exit 1 ;; esac')

    def run_with(fails: str = "") -> tuple[int, list[str]]:
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("MAKE")}
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run([tmp_path / ".ci/run"], cwd="/", text=True, timeout=60,
                              env={**inherited, "PATH": path, "FAILS": fails},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        return done.returncode, [line.rstrip() for line in done.stdout.splitlines()]

    return run_with


def test_the_last_thing_it_does_are_the_tests(run):
    """A reader of the log finds the closing line of pytest at its end."""
    assert run() == (0, ALL)


def test_a_website_that_fails_keeps_no_other_test_back(run):
    """The other tests run and close the log, which says what happened; the status is not 0."""
    status, lines = run("test-website")
    assert status == 1
    assert lines == [*ALL[:4], ".ci/run: the website failed, see above; now the other tests",
                     "make test"]


@pytest.mark.parametrize("first", ["setup-website", "build/website-packages"])
def test_where_no_registry_can_be_reached_the_website_is_left_out(run, first):
    """One sentence, and CI goes on."""
    status, lines = run(f"{first} npm")
    assert status == 0
    assert lines[-2:] == [".ci/run: npm's registry cannot be reached: the website is not tested",
                          "make test"]
    assert "make test-website" not in lines


@pytest.mark.parametrize("first", ["setup-website", "build/website-packages"])
def test_where_a_registry_can_be_reached_packages_that_fail_are_a_failure(run, first):
    """A lock file that npm refuses is our mistake."""
    status, lines = run(first)
    assert status == 1
    assert "the website failed" in lines[-2]
    assert lines[-1] == "make test"


def test_the_status_is_that_of_the_tests(run):
    """As `make` gives it; and nothing runs without what setup.sh could not install."""
    assert run("test") == (2, ALL)
    assert run("setup") == (1, ["setup"])
