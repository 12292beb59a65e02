"""make website, where what it needs is missing: a sentence, and nothing is built.

What the site is like, website/tests asks Chromium: make test-website.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from test_doctor import ROOT, add_command, path_without

NODE_WORDS = "Node.js 20.3 or newer is needed for the website, and here is "


def make(verb: str, path: Path) -> subprocess.CompletedProcess:
    """Run make without the Node.js that setup.sh may have fetched: it would stand in."""
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith("MAKE") and name != "CHROMIUM"}
    return subprocess.run(["make", verb, "own_node="], cwd=ROOT, text=True, timeout=120,
                          env={**inherited, "PATH": str(path), "PYTHON": sys.executable},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def assert_only_a_sentence(done: subprocess.CompletedProcess, sentence: str) -> None:
    """The failure, in one sentence; besides it, make's own line."""
    assert done.returncode != 0
    said = [line for line in done.stdout.splitlines() if not line.startswith("make")]
    assert len(said) == 1 and said[0].startswith(sentence), done.stdout


@pytest.mark.parametrize("verb", ["website", "website-serve"])
def test_without_node_there_is_a_sentence(tmp_path, verb):
    """It says what is needed and how to get it."""
    done = make(verb, path_without(tmp_path / "bin", "node"))
    assert_only_a_sentence(done, f"{NODE_WORDS}none: ./setup.sh website installs it.")


def test_a_node_that_is_too_old_is_told_its_version(tmp_path):
    """Node.js 18, as Debian 12 has it."""
    path = path_without(tmp_path / "bin", "node")
    add_command(path, "node", '[ "$1" = --version ] && echo v18.19.0 || exit 1')
    assert_only_a_sentence(make("website", path), f"{NODE_WORDS}v18.19.0: ./setup.sh website")


def test_without_chromium_the_tests_of_the_website_do_not_begin(tmp_path):
    """Nothing is built for tests that cannot run."""
    path = path_without(tmp_path / "bin", "chromium", "chromium-browser", "google-chrome")
    assert_only_a_sentence(make("test-website", path),
                           "chromium is missing: it shows the website to its tests. Install it: ")
