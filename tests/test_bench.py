"""make bench: that it measures what it says; how much it finds is its own business."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "common/make"))

from bench import efi, grub, loading  # noqa: E402


@pytest.fixture
def folder(tmp_path) -> Path:
    """What bench.py makes its copy for: a folder to write to that has the sources and builds."""
    for name in ("build", "common"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def test_an_unknown_part_gets_a_sentence_with_the_known_ones():
    """Exit status 2, before anything is built."""
    done = subprocess.run([sys.executable, ROOT / "common/make/bench.py", "speed"], text=True,
                          capture_output=True)
    assert done.returncode == 2
    assert done.stderr == ("bench: there is no part 'speed': the parts are build, size, boot, "
                           "grub, load, efi, fuzz, test, uefi, suite, website\n")


@pytest.mark.parametrize("part, sentence", [
    (loading.count, "grub: left out. grub is missing: our loader is measured beside it."),
    (efi.load, "efi: left out. grub-efi is missing: our loader for UEFI is measured beside it.")])
def test_without_grub_its_part_is_one_sentence(folder, monkeypatch, capsys, part, sentence):
    """The sentence says how to install it; nothing is measured."""
    monkeypatch.setattr(grub, "find", lambda name: grub.doctor.Finding(None))
    part(folder)
    printed = capsys.readouterr().out
    assert printed.startswith(sentence)
    assert printed.count("\n") == 1


def test_instructions_are_counted_without_waiting(folder):
    """A loop of 2,000,000 instructions counts as these, and 56 ms of polling a clock as nothing."""
    (folder / "loop.asm").write_text("""
        bits 16
        org 0x7c00
        %include "report.inc"
        jmp 0:start
start:  mov dx, TIMER
        in eax, dx
        mov ebx, eax
.wait:  in eax, dx
        sub eax, ebx
        and eax, 0xffffff
        cmp eax, 200000
        jb .wait
        mov ecx, 1000000
.again: dec ecx
        jnz .again
        report
        times 510 - ($ - $$) db 0
        dw 0xaa55
        """)
    code = loading.assemble(folder, folder / "loop.asm", TIMER=loading.TIMER)
    image = loading.with_stopwatch(folder, "loop", code.ljust(1 << 20, b"\0"))
    count, with_waiting, _ = loading.instructions(image, "ide")
    assert 2_000_000 < count < 2_001_000    # some for the way there
    assert with_waiting > 50_000_000


def needs(missing: str) -> pytest.MarkDecorator:
    """Skip where a sentence says that something is missing."""
    return pytest.mark.skipif(bool(missing), reason=missing)


@pytest.mark.parametrize("way", [
    "ours", "bare", pytest.param("FAT", marks=needs(efi.missing_for_uefi())),
    pytest.param("GRUB", marks=needs(grub.missing()))])
def test_each_way_comes_to_its_end(folder, way):
    """The kernel starts, of 1 MiB, or all of it has been read; and later than the boot sector."""
    kernel = loading.elf_kernel(folder, 1)
    disk = {"GRUB": grub.disk, "FAT": loading.fat_disk}.get(way, loading.our_disk)(folder, kernel)
    if way == "bare":
        disk = loading.bare_disk(folder, disk, kernel)
    reading = loading.read(loading.with_stopwatch(folder, way, disk), "virtio")
    assert 0 < reading.milliseconds < 60_000


@needs(efi.missing_for_uefi())
@pytest.mark.parametrize("disk", [
    efi.our_disk, pytest.param(efi.grub_disk, marks=needs(grub.missing("grub-efi")))])
def test_each_way_with_uefi_comes_to_its_end(folder, disk):
    """The kernel starts, of 1 MiB, and later than the firmware has started the loader."""
    reading = loading.read(disk(folder, loading.elf_kernel(folder, 1)), "virtio", firmware="uefi")
    assert 0 < reading.milliseconds < 60_000
