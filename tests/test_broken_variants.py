"""The broken variants of all chapters: what each patch says of itself, and who tests it."""
from __future__ import annotations

import subprocess

import pytest

from conftest import ROOT

CHAPTERS = sorted(ROOT.glob("chapters/[0-9]*-*"))
PATCHES = sorted(ROOT.glob("chapters/*/break/*.patch"))
TESTS = "".join(path.read_text() for path in sorted(ROOT.glob("tests/test_*.py")))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.name for path in CHAPTERS])
def test_a_chapter_has_at_least_three(chapter):
    """An idea that can be removed without a symptom is none."""
    assert len(list(chapter.glob("break/*.patch"))) >= 3


@pytest.mark.parametrize("patch", PATCHES, ids=[
    f"{path.parts[-3]}-{path.stem}" for path in PATCHES])
class TestEach:
    def test_it_says_what_is_removed_and_what_is_seen(self, patch):
        """Two lines above the diff: a sentence, and `Symptom: ` with a sentence."""
        removed, symptom, diff = patch.read_text().split("\n", 2)
        assert removed.endswith(".") and not removed.startswith("Symptom")
        assert symptom.startswith("Symptom: ")
        assert diff.startswith("--- a/")

    def test_it_fits_the_sources(self, patch):
        """All lines around each change are as the patch has them."""
        done = subprocess.run(["patch", "-p1", "--dry-run", "--fuzz=0"], cwd=ROOT, text=True,
                              stdin=patch.open(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout

    def test_its_symptom_is_asserted(self, patch):
        """Some test boots it by its name."""
        assert f'"{patch.stem}"' in TESTS
