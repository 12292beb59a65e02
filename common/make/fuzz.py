#!/usr/bin/env python3
"""Run the fuzzers: programs that look for input which breaks our sources.

    fuzz.py [--time SECONDS] [--fuzzer NAME]    all fuzzers, 60 s each; or one of them

A fuzzer is tests/fuzz/NAME_fuzz.c, with a function LLVMFuzzerTestOneInput. Its first line
names what it tests: /* sources: common/loader/NAME.c */. Clang's libFuzzer calls that
function with what is in tests/fuzz/corpus/NAME/ and with what it makes of it. Input that
reaches new code goes to build/fuzz/corpus/NAME/, input that ends in a crash to build/fuzz/.

Only the standard library is used. Source: LLVM documentation, "libFuzzer".
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import doctor

ROOT = Path(__file__).resolve().parents[2]
FUZZERS = ROOT / "tests/fuzz"
BUILD = ROOT / "build/fuzz"
INCLUDES = ("-Icommon/kernel", "-Icommon/loader")
FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wmissing-prototypes", *INCLUDES)
# For sources of common/efi, as in toolchain.mk.
EFI_HEADERS = Path("/usr/include/efi")
EFI = ("-fshort-wchar", "-DGNU_EFI_USE_MS_ABI", "-Icommon/efi", f"-isystem{EFI_HEADERS}",
       f"-isystem{EFI_HEADERS}/x86_64")
SANITIZERS = ("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all")
EMPTY = ("#include <stddef.h>\n"
         "int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);\n"
         "int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)\n"
         "{ (void)data; (void)size; return 0; }\n")

LONGEST = 4096  # bytes of an input: firmware and file headers fit
SLOW = 10       # seconds; an input that takes longer counts as a crash
MEMORY = 1024   # MiB; likewise for more memory


class FuzzError(Exception):
    """Why no fuzzer can run, as one sentence."""


def targets() -> dict[str, Path]:
    """The sources of all fuzzers, by their names."""
    return {path.name[:-len("_fuzz.c")]: path for path in sorted(FUZZERS.glob("*_fuzz.c"))}


def sources_of(target: Path) -> list[str]:
    """The sources that a fuzzer tests, from its first line; paths from the root."""
    first = target.read_text().split("\n", 1)[0]
    found = re.fullmatch(r"/\* sources: (.+) \*/", first)
    if not found:
        raise FuzzError(f"{target.name}: the first line must be /* sources: FILE... */")
    sources = found[1].split()
    for source in sources:
        if not (ROOT / source).is_file():
            raise FuzzError(f"{target.name}: its first line names {source}, which is not there")
    return sources


def needs_gnu_efi(target: Path) -> bool:
    """Does a fuzzer test a source that includes <efi.h>?"""
    return any(source.startswith("common/efi/") for source in sources_of(target))


def find_clang() -> str:
    """A clang that can link a fuzzer."""
    clangs = [path for path in map(shutil.which, doctor.llvm("clang")) if path]
    if not clangs:
        raise FuzzError(doctor.missing_sentence("clang", "it makes the fuzzers"))
    with tempfile.TemporaryDirectory() as folder:
        for clang in clangs:
            done = subprocess.run([clang, *SANITIZERS, "-x", "c", "-", "-o", f"{folder}/empty"],
                                  input=EMPTY, text=True, capture_output=True)
            if done.returncode == 0:
                return clang
    version = re.search(r"version (\d+)", doctor.output_of(clangs[0], "--version"))
    package = f"libclang-rt-{version[1]}-dev" if version else "libclang-rt-dev"
    raise FuzzError(f"{clangs[0]} is here, but not its libFuzzer, with which the fuzzers are "
                    f"linked. Install the package {package} (Debian, Ubuntu), compiler-rt "
                    "(Fedora, Arch) or llvm (Homebrew).")


def build(clang: str, name: str, target: Path) -> Path:
    """Compile a fuzzer and its sources into build/fuzz/NAME."""
    program = BUILD / name
    efi = EFI if needs_gnu_efi(target) else ()
    if efi and not EFI_HEADERS.is_dir():
        raise FuzzError(doctor.missing_sentence("gnu-efi", f"{target.name} needs its headers"))
    print(f"  {'clang':<8} {target.relative_to(ROOT)}", flush=True)
    done = subprocess.run([clang, *FLAGS, *efi, *SANITIZERS, target, *sources_of(target),
                           "-o", program], cwd=ROOT)
    if done.returncode:
        raise FuzzError(f"{target.name} cannot be compiled: see above")
    return program


def fuzz(name: str, program: Path, seconds: int) -> bool:
    """Run a fuzzer, print one line about what came of it; False if it found a crash."""
    finds = BUILD / "corpus" / name
    finds.mkdir(parents=True, exist_ok=True)
    # The first folder is the one that libFuzzer writes to.
    folders = [finds, *(folder for folder in (FUZZERS / "corpus" / name, FUZZERS / "crashes" / name)
                        if folder.is_dir())]
    log = BUILD / f"{name}.log"
    with open(log, "w") as output:
        done = subprocess.run(
            [program, *folders, f"-max_total_time={seconds}", f"-max_len={LONGEST}",
             f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", "-detect_leaks=0",
             f"-artifact_prefix={BUILD}/{name}-", "-print_final_stats=1"],
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    text = log.read_text(errors="replace")

    if done.returncode:
        found = re.search(r"Test unit written to (\S+)", text)
        if not found:
            raise FuzzError(f"the fuzzer {name} did not run: see {log.relative_to(ROOT)}")
        crash = Path(found[1]).relative_to(ROOT)
        print(f"fuzz {name}: CRASH, by {crash}; how is in {log.relative_to(ROOT)}. "
              f"Copy it to tests/fuzz/crashes/{name}/, where `make test` runs it, "
              "and mend the source.", flush=True)
        return False
    speed = re.search(r"stat::average_exec_per_sec: +(\d+)", text)
    print(f"fuzz {name}: {seconds} s, {int(speed[1]) if speed else 0:,} executions per second, "
          "no crash", flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--time", default="60", metavar="SECONDS")
    parser.add_argument("--fuzzer", metavar="NAME")
    options = parser.parse_args(arguments)
    try:
        all_targets = targets()
        if not options.time.isdecimal() or int(options.time) < 1:
            raise FuzzError("TIME is a number of seconds, at least 1")
        if options.fuzzer and options.fuzzer not in all_targets:
            raise FuzzError(f"there is no fuzzer '{options.fuzzer}': the fuzzers are "
                            f"{', '.join(all_targets)}")
        names = [options.fuzzer] if options.fuzzer else list(all_targets)
        clang = find_clang()
        BUILD.mkdir(parents=True, exist_ok=True)
        programs = {name: build(clang, name, all_targets[name]) for name in names}
        passed = [fuzz(name, program, int(options.time))
                  for name, program in programs.items()]
    except FuzzError as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fuzz: stopped", file=sys.stderr)
        return 130
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
