"""Exports: a chapter in a folder of its own, which builds and boots without the repository."""
from __future__ import annotations

import functools
import os
import re
import shutil
from pathlib import Path

import pytest

from alone import Alone, built_once, export
from conftest import ROOT, folder_of, image_of, need_gnu_efi, number_of, run_make
from machine import Machine

CHAPTERS = sorted(path.name.split("-", 1)[1] for path in ROOT.glob("chapters/[0-9]*-*"))
# Folders with the code of a chapter; the rest of an export builds and runs it.
CODE = ("chapters", "common/bios", "common/efi", "common/x86", "common/loader", "common/kernel")
LAYOUT = "common/x86/layout.inc"        # the build reads it, for chapters without assembly, too


@pytest.fixture(params=CHAPTERS)
def words(request) -> str:
    """Each chapter in turn."""
    return request.param


def exported(words: str) -> Alone:
    """The chapter's export, built alone, once in each run."""
    return built_once(words, words, lambda alone: None)


@functools.cache
def files_of(words: str) -> list[str]:
    """What `make chapter-N files` lists."""
    need_gnu_efi(folder_of(words))
    done = run_make("-s", f"chapter-{number_of(folder_of(words))}", "files")
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def below(folder: Path, *parts: str) -> set[str]:
    """All files below some of a folder's subfolders, by their paths in it."""
    return {str(path.relative_to(folder)) for part in parts
            for path in (folder / part).rglob("*") if path.is_file()}


def refused(words: str, directory: str) -> str:
    """What export says about a folder that it refuses."""
    done = run_make("-s", f"chapter-{number_of(folder_of(words))}", "export",
                    *([f"DIR={directory}"] if directory else []))
    assert done.returncode != 0
    return done.stdout


def firmware_of(words: str) -> str:
    """The firmware from which a chapter starts, if nothing is said of it."""
    chosen = re.search(r"^firmwares +:= (\w+)",
                       (ROOT / "chapters" / folder_of(words) / "chapter.mk").read_text(),
                       re.MULTILINE)
    return chosen[1] if chosen else "bios"


def timeless(text: str) -> str:
    """The same, whichever time it took."""
    return re.sub(r"\d+ ticks", "N ticks", text)


# ---- it builds and boots -------------------------------------------------------------


def test_an_export_boots_with_its_own_make(words):
    """`make screen` in the folder ends well, and COM1 says what the chapter says."""
    shown = exported(words).must_make("-s", "screen")
    with Machine(image_of(words), firmware=firmware_of(words)) as machine:
        machine.wait_for_end()
        said = machine.plain_serial
    assert timeless(shown).rstrip().endswith(f"COM1:\n{timeless(said)}")


def test_an_export_is_the_chapter_and_what_builds_it(words):
    """Nothing else is in it: no other chapter, no test, no broken variant."""
    alone = exported(words)
    assert {path.name for path in alone.folder.iterdir()} == {
        "Makefile", "chapters", "common", "tests", "build"}
    assert [path.name for path in (alone.folder / "chapters").iterdir()] == [alone.chapter]
    assert [path.name for path in (alone.folder / "tests").iterdir()] == ["machine"]
    assert not list(alone.folder.rglob("*.patch"))


def test_an_export_does_not_know_the_repository(words):
    """Neither its sources nor what is built from them hold a path of the repository."""
    alone = exported(words)
    path = re.compile(re.escape(str(ROOT)).encode() + rb"(?!/build/alone)")
    assert [name for name in below(alone.folder, ".")
            if path.search((alone.folder / name).read_bytes())] == []


def test_files_lists_exactly_the_code_of_the_export(words):
    """Every file with code in the export is listed, once, and nothing else is."""
    listed = files_of(words)
    assert len(listed) == len(set(listed))
    assert {name for name in listed if name.startswith(CODE)} == set(listed)
    assert below(exported(words).folder, *CODE) == {*listed, LAYOUT}


def test_every_file_of_an_export_is_needed(tmp_path, words):
    """Without any one of the files, the export does not build.

    A file that a later chapter lists, too, is tried there.
    """
    later = CHAPTERS[CHAPTERS.index(words) + 1:]
    names = set(files_of(words)).difference(*map(files_of, later))
    alone = Alone(tmp_path / "copy", folder_of(words))
    shutil.copytree(exported(words).folder, alone.folder)
    for name in sorted(names):
        file, away = alone.folder / name, tmp_path / "away"
        os.rename(file, away)
        if alone.make().returncode == 0:
            # The compiler has found one of the same name, such as the host's memory.h.
            alone.must_make("clean")
            file.write_text("This is no code.\n")
            assert alone.make().returncode != 0, f"{name} is not needed"
        os.rename(away, file)


# ---- where to ------------------------------------------------------------------------


def test_without_a_folder_export_asks_for_one():
    """The sentence shows how to name it."""
    assert "Where to? make chapter-1 export DIR=folder" in refused(CHAPTERS[0], "")


def test_a_file_is_no_folder_to_export_to(tmp_path):
    """It stays as it is."""
    (tmp_path / "file").write_text("mine")
    said = refused(CHAPTERS[0], str(tmp_path / "file"))
    assert "is not an empty folder: name a new one with DIR=" in said
    assert (tmp_path / "file").read_text() == "mine"


def test_a_hidden_file_keeps_export_away(tmp_path):
    """A folder that only looks empty is refused, too, and nothing is written to it."""
    (tmp_path / ".git").mkdir()
    assert "is not an empty folder" in refused(CHAPTERS[0], str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_a_new_folder_may_be_deep_and_have_blanks_in_its_name(tmp_path):
    """It is made with all that leads to it, and the export builds in there."""
    alone = export(CHAPTERS[0], tmp_path / "my class" / "chapter one")
    alone.must_make()
    assert alone.image.is_file()
