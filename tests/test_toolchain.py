"""The tools: each flag with its reason, what both compilers make of it, and what make knows
of the files that each target is made of."""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import posts
from alone import (TOOLCHAINS, Alone, built_once, disassembly, need_toolchain, symbols,
                   undefined_symbols)
from conftest import BUILD, ROOT

CHAPTERS = sorted(path.name for path in ROOT.glob("chapters/[0-9]*-*"))
KERNELS = [name for name in CHAPTERS
           if "kernel " in (ROOT / "chapters" / name / "chapter.mk").read_text()]
TOOLCHAIN_MK = ROOT / "common/make/toolchain.mk"
ASSIGNMENT = re.compile(r"\s*(CFLAGS|LDFLAGS|NASMFLAGS) *[:+]?= *(.*)$")

# What needs a canary, an unwinding table, and an address: a C library's compiler adds them.
ORDINARY = """
int external(char *text);
int ordinary(int n);
static int table[4] = {1, 2, 3, 4};
int ordinary(int n)
{
    char text[64];
    text[n & 63] = 1;
    return external(text) + table[n & 3];
}
int external(char *text) { return text[7]; }
"""


# ---- the flags -----------------------------------------------------------------------


def assignments() -> list[tuple[str, list[str], str]]:
    """Each assignment of toolchain.mk: the variable, its flags, the comment above it.

    An assignment that is alone in an ifeq is explained above the ifeq, or above the
    paragraph that it ends.
    """
    found = []
    lines = TOOLCHAIN_MK.read_text().splitlines()
    for number, line in enumerate(lines):
        if assigned := ASSIGNMENT.match(line):
            above = lines[:number]
            if above[-1].startswith("if"):
                above = above[:-1]
                while above[-1] and not above[-1].startswith("#"):
                    above.pop()
            comment = above[-1] if above[-1].startswith("#") else ""
            flags = re.sub(r"(?<=-[zI]) +", "", assigned[2]).split()
            found.append((assigned[1], flags, comment))
    assert len(found) > 10
    return found


@pytest.mark.parametrize("variable, flags, comment", [
    pytest.param(*assignment, id=" ".join(assignment[1]))
    for assignment in assignments()])
def test_a_flag_has_its_reason_above_it(variable, flags, comment):
    """Whoever wonders why a flag is there finds the answer beside it."""
    assert comment, f"{variable}: no comment above {' '.join(flags)}"


@pytest.mark.parametrize("variable", ["CFLAGS", "LDFLAGS", "NASMFLAGS"])
def test_each_flag_stands_once(variable):
    """No flag is given twice to the same tool."""
    flags = [flag for name, flags, _ in assignments() if name == variable for flag in flags]
    assert len(flags) == len(set(flags))


def test_no_other_makefile_has_flags_of_the_compiler():
    """A flag outside of toolchain.mk would have no reason beside it."""
    files = [ROOT / "Makefile", *ROOT.glob("common/make/*.mk"), *ROOT.glob("chapters/*/*.mk")]
    flag = re.compile(r"\s-(?:f(?!bin|elf)[a-z-]+|m[a-z-]+|W[a-z-]+|O[0-3s]|std=\S+)\b")
    found = [(file.name, line) for file in files if file != TOOLCHAIN_MK
             for line in file.read_text().splitlines()
             if not line.startswith("#") and flag.search(line.replace(" -m machine", ""))
             and re.search(r"\$\(CC\)|CFLAGS|LDFLAGS", line)]
    assert found == []


# ---- what the compilers make of them -------------------------------------------------


@pytest.fixture(params=TOOLCHAINS)
def ordinary(request) -> Alone:
    """An export of the kernel, by one compiler, with an ordinary C function added."""
    need_toolchain(request.param)
    return built_once(KERNELS[-1].split("-", 1)[1], f"ordinary-{request.param}",
                      lambda alone: alone.add_to_kernel("ordinary.c", ORDINARY),
                      f"TOOLCHAIN={request.param}")


def sections(file: Path) -> set[str]:
    """The names of the sections of an ELF file, by the strings that name them."""
    data = file.read_bytes()
    headers = int.from_bytes(data[0x28:0x30], "little")
    size, count, names = (int.from_bytes(data[at:at + 2], "little")
                          for at in (0x3A, 0x3C, 0x3E))

    def field(section: int, offset: int, width: int) -> int:
        at = headers + section * size + offset
        return int.from_bytes(data[at:at + width], "little")

    strings = field(names, 0x18, 8)
    starts = (strings + field(section, 0, 4) for section in range(count))
    return {data[start:data.index(b"\0", start)].decode() for start in starts}


def test_objects_need_nothing_of_a_c_library(ordinary):
    """What one object of the kernel lacks, another one or the linker script has: above
    all no __stack_chk_fail, and no table of addresses."""
    objects = list(ordinary.build.glob("*.o"))
    assert ordinary.build / "ordinary.o" in objects
    defined = set().union(*map(symbols, objects))
    assert set().union(*map(undefined_symbols, objects)) <= defined


def test_objects_have_no_unwinding_tables_and_no_notes(ordinary):
    """No .eh_frame, and no .note.gnu.property that would lie in front of _start."""
    found = sections(ordinary.build / "ordinary.o")
    assert ".text" in found
    assert not [name for name in found
                if name.startswith((".eh_frame", ".rela.eh_frame", ".note.gnu.property"))]


def test_code_has_no_landing_pads(ordinary):
    """No endbr64 at the beginning of a function."""
    assert not [code for code in disassembly(ordinary.build / "kernel.elf")
                if code.text.startswith("endbr")]


def test_code_is_for_the_address_it_was_linked_for(ordinary):
    """Variables are reached directly: no relocation goes through a table of addresses."""
    assert not [name for name in sections(ordinary.build / "kernel.elf")
                if name.startswith((".got", ".plt", ".dynamic", ".rela", ".interp"))]


# ---- what make knows of the sources --------------------------------------------------


def variables(file: Path, known: dict[str, str]) -> dict[str, str]:
    """The variables that a makefile sets, with those that it uses in their place."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"^(\w+) *:= *(.*)$", file.read_text().replace("\\\n", " "),
                                  re.MULTILINE):
        found[name] = re.sub(r"\$\((\w+)\)", lambda use: {**known, **found}.get(use[1], ""), value)
    return found


def chapter_variables(chapter: str) -> dict[str, list[str]]:
    """What a chapter.mk says: boot_sector, second_stage, kernel, linker_script and so on."""
    parts = variables(ROOT / "common/make/parts.mk", {})
    return {name: value.split() for name, value in
            variables(ROOT / "chapters" / chapter / "chapter.mk", parts).items()}


def included(source: str, chapter: str) -> set[str]:
    """A source and all that it includes, found by reading the files."""
    places = ([Path(source).parent, *(Path("common", name) for name in
                                      ("kernel", "loader", "bios", "efi"))]
              if source.endswith((".c", ".h")) else [Path("chapters", chapter), Path("common")])
    found = {source}
    for name in re.findall(r'^\s*[%#]include "(.+)"', (ROOT / source).read_text(), re.M):
        file = next(place / name for place in places if (ROOT / place / name).is_file())
        found |= included(str(file), chapter)
    return found


def sources_of(chapter: str) -> list[tuple[str, str]]:
    """Each target that a chapter's source is made to, with that source."""
    parts = chapter_variables(chapter)
    return [*((f"{Path(source).stem}.bin", source) for part in ("boot_sector", "second_stage")
              for source in parts.get(part, [])),
            *((f"{part}/{Path(source).stem}.o", source) for part in ("loader", "efi")
              for source in parts.get(part, [])),
            *((f"{Path(source).stem}.o", source) for source in parts.get("kernel", []))]


def programs_of(chapter: str) -> dict[str, tuple[str, set[str]]]:
    """What is linked in a chapter: by the linker script, the folder of the objects and the
    files that come of it. The script for UEFI is not ours."""
    parts = chapter_variables(chapter)
    kernel = "kernel.file" if "loader" in parts or "efi" in parts else "kernel.bin"
    found = {script: (folder, files) for folder, files, part in (
                 ("loader", {"loader.elf", "loader.bin"}, "loader_script"),
                 ("", {"kernel.elf", kernel}, "linker_script"))
             for script in parts.get(part, [])}
    if "efi" in parts:
        found["gnu-efi"] = ("efi", {"efi.so", "BOOTX64.EFI"})
    return found


def linked_in(chapter: str) -> set[str]:
    """All files that are linked in a chapter."""
    return {file for _, files in programs_of(chapter).values() for file in files}


@pytest.mark.parametrize("chapter, target, source", [
    pytest.param(chapter, target, source, id=f"{chapter}-{target}")
    for chapter in CHAPTERS for target, source in sources_of(chapter)])
def test_make_knows_what_a_target_is_made_of(chapter, target, source):
    """The dependency file lists exactly what the source includes, to any depth."""
    rules = (BUILD / chapter / target).with_suffix(".d").read_text().replace("\\\n", " ")
    known = next(line.split(":", 1)[1].split() for line in rules.splitlines()
                 if line.startswith(f"build/{chapter}/{target}"))
    assert {name for name in known if not name.startswith("/")} == included(source, chapter)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository in another place, with everything built."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    posts.copy_repository(ROOT, folder)
    run(folder, "-s", "-j2", "all")
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=folder, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def made(folder: Path) -> dict[str, int]:
    """Every file that goes into an image, with the time when it was made."""
    files = {f"{chapter}/{target}" for chapter in CHAPTERS
             for target in [target for target, _ in sources_of(chapter)] +
             [*linked_in(chapter), "disk.img"]}
    return {file: path.stat().st_mtime_ns for file in files
            if (path := folder / "build" / file).exists()}


def made_from(name: str) -> set[str]:
    """What must be made again when that file has changed."""
    again = set()
    for chapter in CHAPTERS:
        own = name == f"chapters/{chapter}/chapter.mk"      # it holds flags, too
        targets = {target for target, source in sources_of(chapter)
                   if name in included(source, chapter) or own and target.endswith(".o")}
        for script, (folder, files) in programs_of(chapter).items():
            objects = {target for target in targets
                       if target.endswith(".o") and target.rpartition("/")[0] == folder}
            by_layout = script != "gnu-efi" and name == "common/x86/layout.inc"
            if objects or own or name == script or by_layout:
                targets |= files
        if targets or own or name in ("common/make/image.py", "common/x86/layout.inc"):
            targets.add("disk.img")
        again |= {f"{chapter}/{target}" for target in targets}
    return again


@pytest.mark.parametrize("name", [
    "common/x86/layout.inc", "common/bios/entry.asm", "common/bios/a20.asm",
    "common/x86/vga_print.asm", "common/kernel/io.h", "common/kernel/memory.c",
    "common/loader/boot_info.h", "common/bios/loader.ld", "common/loader/enter_kernel.asm",
    "common/make/image.py", "chapters/04-protected-mode/gdt.asm",
    "chapters/06-vga-hello/kernel.ld", "chapters/07-elf-kernel/chapter.mk"])
def test_a_change_makes_again_what_depends_on_it(copy, name):
    """Exactly the binaries, objects and images that are made from that file."""
    before = made(copy)
    file = copy / name
    comment = "/**/" if name.endswith((".c", ".h", ".ld")) else \
        "#" if name.endswith((".mk", ".py")) else ";"
    file.write_text(file.read_text() + f"{comment}\n")
    run(copy, "-s", "-j2", "all")
    after = made(copy)
    assert {name for name in after if after[name] != before.get(name)} == made_from(name)


def test_nothing_is_made_twice(copy):
    """With nothing changed, a second make changes no file and calls no tool."""
    before = made(copy)
    assert "Nothing to be done" in run(copy, "-j2", "all")
    assert made(copy) == before


def test_a_clean_copy_builds_and_boots_in_parallel(copy):
    """`make -j2 chapter-3 screen` needs no build before it."""
    run(copy, "clean")
    assert not list((copy / "build").glob("*/disk.img"))
    shown = run(copy, "-j2", "chapter-3", "screen")
    assert "|A20 is on" in shown
    assert [path.parent.name for path in (copy / "build").glob("*/disk.img")] == CHAPTERS[2:3]
