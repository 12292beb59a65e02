#!/usr/bin/env python3
"""Look for every tool First Light uses, and start a machine to see that they work.

    doctor.py                       the table; exit 1 if something required is missing
    doctor.py --missing TOOL [WHY]  one sentence for the Makefile, exit 1
    doctor.py --where TOOL          its path; or the same sentence, exit 1
    doctor.py --packages [GROUP]    what setup.sh has to install, one "required PACKAGE" or
                                    "optional PACKAGE" a line; of GROUP, if it is asked for

Only the standard library is used: this runs before anything is installed.
"""
from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

# The order in which we look for them, here and in setup.sh.
MANAGERS = ("apt-get", "dnf", "pacman", "zypper", "brew")

GROUPS = {
    "build": "build: make, make chapter-N",
    "run": "run: make chapter-N run",
    "debug": "debug: make chapter-N debug",
    "test": "test: make test",
    "clang": "second toolchain: TOOLCHAIN=clang",
    "bench": "benchmark: make bench, each part without what is missing",
    "uefi": "UEFI and disk images: chapters 9 to 11",
    "website": "website: make website; ./setup.sh website installs it",
}

# Not installed unless they are asked for: who reads the chapters needs none of their tools.
ON_DEMAND = ("website",)


@dataclass(frozen=True)
class Tool:
    """One line of the table."""

    group: str
    name: str
    purpose: str  # goes on after "NAME is missing: "
    minimum: str  # the oldest version we mean to support; older ones are noted, not refused
    packages: str  # one word for each of MANAGERS; + joins two packages, - means none
    commands: tuple[str, ...] = ()  # names or paths to try; the first one found is taken
    module: str = ""  # a Python module instead of a command
    files: tuple[tuple[str, ...], ...] = ()  # or sets of files; the first complete set is taken
    required: bool = True  # in a group on demand: where that is asked for
    refuse_older: bool = False  # true where an older one cannot work at all


# Only an x86-64 Linux has a native compiler that makes x86-64 ELF files. Elsewhere, and on
# macOS, `gcc` is another machine's compiler, or clang in disguise.
NATIVE = platform.system() == "Linux" and platform.machine() in ("x86_64", "amd64")
CROSS_PREFIXES = ("x86_64-elf-", "x86_64-linux-gnu-")


def gnu(name: str) -> tuple[str, ...]:
    """The names under which a GNU tool for x86-64 may be installed, best first."""
    cross = tuple(prefix + name for prefix in CROSS_PREFIXES)
    return (name, *cross) if NATIVE else cross


def llvm(name: str) -> tuple[str, ...]:
    """The names of an LLVM tool; Homebrew keeps LLVM out of PATH."""
    return (name, f"/opt/homebrew/opt/llvm/bin/{name}", f"/usr/local/opt/llvm/bin/{name}")


GCC_PACKAGES = "gcc gcc gcc gcc x86_64-elf-gcc"
BINUTILS_PACKAGES = GCC_PACKAGES.replace("gcc", "binutils")
GDB_PACKAGES = "gdb gdb gdb gdb x86_64-elf-gdb"
if not NATIVE:
    GCC_PACKAGES = "gcc-x86-64-linux-gnu gcc-x86_64-linux-gnu - - x86_64-elf-gcc"
    BINUTILS_PACKAGES = GCC_PACKAGES.replace("gcc", "binutils")
    GDB_PACKAGES = "gdb-multiarch gdb gdb gdb x86_64-elf-gdb"

# Where the distributions put the UEFI firmware (code, then the template of its variables).
# Fedora's newer one is a qcow2 image, not a raw one.
OVMF = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),  # Debian, Ubuntu
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),  # Fedora
    ("/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2", "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),  # Arch
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),  # openSUSE
    ("/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"),
    ("/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"),
)

# The same, with keys enrolled: it starts only what one of them has signed.
OVMF_SECURE_BOOT = (
    ("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),  # Debian, Ubuntu
    ("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2",
     "/usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2"),  # Fedora
    ("/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin",
     "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin"),  # openSUSE
)

# The two ROMs of Bochs: its BIOS, and that of its screen. Debian has packages for them.
BOCHS_ROM = (
    ("/usr/share/bochs/BIOS-bochs-latest", "/usr/share/vgabios/vgabios.bin"),
    *((f"{prefix}/share/bochs/BIOS-bochs-latest", f"{prefix}/share/bochs/VGABIOS-lgpl-latest")
      for prefix in ("/usr", "/usr/local", "/opt/homebrew")),
)

# A font of 8 x 16 pixels for the Linux console: Spleen, or the one that comes with kbd.
FONT = (
    ("/usr/share/consolefonts/spleen-8x16.psfu.gz",),  # Debian, Ubuntu
    ("/usr/share/kbd/consolefonts/spleen-8x16.psfu.gz",),
    ("/usr/lib/kbd/consolefonts/default8x16.psfu.gz",),  # Fedora
    ("/usr/share/kbd/consolefonts/default8x16.psfu.gz",),  # Arch, openSUSE
)

# GRUB's modules for BIOSes and for UEFI, and the command that makes an image of them.
GRUB = (
    ("/usr/lib/grub/i386-pc/multiboot2.mod", "/usr/bin/grub-mkimage"),  # Debian, Ubuntu, Arch
    ("/usr/lib/grub/i386-pc/multiboot2.mod", "/usr/bin/grub2-mkimage"),  # Fedora
    ("/usr/share/grub2/i386-pc/multiboot2.mod", "/usr/bin/grub2-mkimage"),  # openSUSE
)
GRUB_EFI = tuple((modules.replace("i386-pc", "x86_64-efi"), mkimage) for modules, mkimage in GRUB)

# gnu-efi's start-up code, its linker script and the library that the two need: the build
# reads this list, too.
GNU_EFI = tuple(
    (crt0, script, f"{library}/libgnuefi.a")
    for crt0, script, library in (
        line.split() for line in Path(__file__).with_name("gnu-efi.places").read_text().splitlines()
        if not line.startswith("#")))

# Where setup.sh puts a Node.js if the system's is too old.
OWN_NODE = Path(__file__).parents[2] / "build/node/node_modules/.bin/node"

# The minimums are those of Ubuntu 22.04, the oldest system in the project's workflow.
TOOLS = (
    Tool("build", "nasm", "it assembles the boot sector", "2.15",
         "nasm nasm nasm nasm nasm", ("nasm",)),
    Tool("build", "gcc", "it compiles the kernel", "11", GCC_PACKAGES, gnu("gcc")),
    Tool("build", "ld", "it links the kernel", "2.38", BINUTILS_PACKAGES, gnu("ld")),
    Tool("build", "objcopy", "it turns the linked kernel into a flat file", "2.38",
         BINUTILS_PACKAGES, gnu("objcopy")),
    Tool("build", "make", "it runs the build", "4.0",
         "make make make make make", ("gmake", "make"), refuse_older=True),
    Tool("build", "python", "it writes the disk image", "3.9",
         "python3 python3 python python3 python", (sys.executable,), refuse_older=True),
    Tool("build", "patch", "it makes the broken variants", "",
         "patch patch patch patch gpatch", ("patch",)),
    Tool("build", "diff", "it compares two chapters", "",
         "diffutils diffutils diffutils diffutils diffutils", ("diff",)),
    Tool("run", "qemu", "it is the machine that boots our images", "6.2",
         "qemu-system-x86 qemu-system-x86 qemu-system-x86+qemu-ui-gtk+qemu-ui-curses "
         "qemu-x86+qemu-ui-gtk+qemu-ui-curses qemu", ("qemu-system-x86_64",)),
    Tool("debug", "gdb", "it steps through the boot code", "12",
         GDB_PACKAGES, (*gnu("gdb"), "gdb-multiarch", "gdb"), required=False),
    Tool("test", "pytest", "it runs the tests", "6.2",
         "python3-pytest python3-pytest python-pytest python3-pytest -", module="pytest"),
    Tool("test", "pexpect", "the tests read the machine's serial port through it", "4.8",
         "python3-pexpect python3-pexpect python-pexpect python3-pexpect -", module="pexpect"),
    Tool("test", "xdist", "it runs the tests in parallel", "2.5",
         "python3-pytest-xdist python3-pytest-xdist python-pytest-xdist python3-pytest-xdist -",
         module="xdist"),
    Tool("test", "sanitizers", "with them the kernel's C is tested on this machine", "",
         "gcc+libc6-dev gcc+libasan+libubsan gcc gcc -"),
    Tool("test", "libfuzzer", "make fuzz links its fuzzers with it", "",
         "libclang-rt-dev compiler-rt compiler-rt clang llvm", required=False),
    Tool("test", "bochs", "the tests use it as a second, stricter machine", "2.7",
         "bochs bochs bochs bochs bochs", ("bochs",), required=False),
    Tool("test", "bochs-rom", "it is the BIOS of that machine", "",
         "bochsbios+vgabios bochs bochs bochs bochs", files=BOCHS_ROM, required=False),
    Tool("test", "mkfs.fat", "the tests make file systems of all kinds with it", "4.1",
         "dosfstools dosfstools dosfstools dosfstools dosfstools",
         ("mkfs.fat", "/usr/sbin/mkfs.fat", "/opt/homebrew/sbin/mkfs.fat"), required=False),
    Tool("test", "sfdisk", "the tests ask it what it sees on our disk images", "",
         "fdisk util-linux util-linux util-linux -", ("sfdisk", "/usr/sbin/sfdisk"),
         required=False),
    Tool("clang", "clang", "it is our second compiler", "14",
         "clang clang clang clang llvm", llvm("clang"), required=False),
    Tool("clang", "ld.lld", "it links what clang compiles", "14",
         "lld lld lld lld lld", llvm("ld.lld"), required=False),
    Tool("clang", "llvm-objcopy", "it is the second toolchain's objcopy", "14",
         "llvm llvm llvm llvm llvm", llvm("llvm-objcopy"), required=False),
    Tool("bench", "grub", "our loader is measured beside it", "",
         "grub-pc-bin grub2-pc-modules+grub2-tools-minimal grub grub2+grub2-i386-pc -",
         files=GRUB, required=False),
    Tool("bench", "grub-efi", "our loader for UEFI is measured beside it", "",
         "grub-efi-amd64-bin grub2-efi-x64-modules+grub2-tools-minimal grub "
         "grub2+grub2-x86_64-efi -", files=GRUB_EFI, required=False),
    Tool("uefi", "gnu-efi", "the UEFI loader is built with it", "",
         "gnu-efi gnu-efi-devel gnu-efi gnu-efi -", files=GNU_EFI),
    Tool("uefi", "ovmf", "it is the UEFI firmware for QEMU", "",
         "ovmf edk2-ovmf edk2-ovmf qemu-ovmf-x86_64 qemu", files=OVMF),
    Tool("uefi", "font", "its glyphs are what a kernel draws on a screen of pixels", "",
         "fonts-spleen kbd-misc kbd kbd -", files=FONT),
    Tool("uefi", "mtools", "it fills the EFI system partition", "4.0",
         "mtools mtools mtools mtools mtools", ("mtools",)),
    Tool("uefi", "sgdisk", "it writes the partition table", "1.0",
         "gdisk gdisk gptfdisk gptfdisk gptfdisk", ("sgdisk", "/usr/sbin/sgdisk")),
    Tool("website", "node", "it builds the website", "20.3",
         "nodejs nodejs nodejs nodejs-default node", (str(OWN_NODE), "node"),
         refuse_older=True),
    Tool("website", "npm", "it installs what the website is built with", "9",
         "npm nodejs-npm npm npm-default node", ("npm",)),
    Tool("website", "chromium", "it shows the website to its tests", "",
         "chromium chromium chromium chromium google-chrome",
         ("chromium", "chromium-browser", "google-chrome",
          "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")),
    Tool("website", "pandoc", "it makes the posts a book, an EPUB", "2.17",
         "pandoc pandoc pandoc-cli pandoc-cli pandoc", ("pandoc",), required=False,
         refuse_older=True),
)


@dataclass
class Finding:
    """What the search for one tool gave."""

    tool: Tool
    version: str = ""
    where: str = ""  # empty: not found

    @property
    def usable(self) -> bool:
        return bool(self.where) and not (self.old and self.tool.refuse_older)

    @property
    def old(self) -> bool:
        return bool(self.version) and as_numbers(self.version) < as_numbers(self.tool.minimum)


def as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def output_of(*command: str) -> str:
    """What a command prints on either stream; empty if it cannot run."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=10, text=True, errors="replace",
                              env={**os.environ, "LC_ALL": "C"})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def version_of(path: str) -> str:
    """The first dotted number outside parentheses, which hold the distribution's numbers."""
    option = "--help" if Path(path).name == "bochs" else "--version"
    text = re.sub(r"\([^)]*\)", "", output_of(path, option))
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else ""


def find(tool: Tool, with_version: bool = True) -> Finding:
    if tool.module:
        if find_spec(tool.module) is None:
            return Finding(tool)
        distribution = "pytest-xdist" if tool.module == "xdist" else tool.module
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            version = ""
        return Finding(tool, version, f"in {sys.executable}")

    if tool.files:
        for group in tool.files:
            if all(os.path.exists(path) for path in group):
                return Finding(tool, "", group[0])
        return Finding(tool)

    if tool.name in ("sanitizers", "libfuzzer"):
        return Finding(tool, "", {"sanitizers": find_sanitizers,
                                  "libfuzzer": find_libfuzzer}[tool.name]())

    paths = [path for path in map(shutil.which, tool.commands) if path]
    if not paths:
        return Finding(tool)
    if not with_version and not tool.refuse_older:
        return Finding(tool, "", paths[0])
    candidates = [Finding(tool, version_of(path), path) for path in dict.fromkeys(paths)]
    return next((finding for finding in candidates if finding.usable), candidates[0])


def find_sanitizers() -> str:
    """The host compiler's AddressSanitizer, if it and the C library's headers are here."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        return ""
    if platform.system() == "Darwin":
        return compiler  # Apple's clang always brings its own
    library = output_of(compiler, "-print-file-name=libasan.so").strip()
    if "clang" not in output_of(compiler, "--version") and not os.path.isabs(library):
        return ""
    headers = subprocess.run([compiler, "-E", "-include", "stdio.h", "-x", "c", os.devnull],
                             stdin=subprocess.DEVNULL, capture_output=True)
    return compiler if headers.returncode == 0 else ""


def find_libfuzzer() -> str:
    """The clang that has its libFuzzer: a package of its own where we know it."""
    for clang in filter(None, map(shutil.which, llvm("clang"))):
        folder = Path(output_of(clang, "--print-runtime-dir").strip())
        if folder.is_absolute() and any(folder.glob("libclang_rt.fuzzer*")):
            return clang
    return ""


# ---- what to type to get a tool --------------------------------------------------------------


def package_manager() -> str:
    return next((manager for manager in MANAGERS if shutil.which(manager)), "")


def packages_of(tool: Tool, manager: str) -> list[str]:
    """The packages that hold a tool; its own name where we do not know the package manager."""
    if not manager:
        return [tool.name]
    word = tool.packages.split()[MANAGERS.index(manager)]
    return [] if word == "-" else word.split("+")


def remedy(tools: list[Tool]) -> str:
    """The command that installs tools on this machine, as a person would type it."""
    manager = package_manager()
    packages = list(dict.fromkeys(name for tool in tools for name in packages_of(tool, manager)))
    if not manager:
        return "none of " + ", ".join(MANAGERS) + " is here: install by hand " + ", ".join(packages)
    if not packages:
        return "./setup.sh"
    sudo = "" if manager == "brew" or os.geteuid() == 0 else "sudo "
    verb = "-S" if manager == "pacman" else "install"
    return f"{sudo}{manager} {verb} {' '.join(packages)}"


def places_of(name: str) -> tuple[tuple[str, ...], ...]:
    """Where doctor looks for what is no command but files."""
    return next((tool.files for tool in TOOLS if tool.name == name), ())


def missing_sentence(name: str, why: str) -> str:
    """What the Makefile says when it cannot go on without a tool."""
    plain = re.sub("^(" + "|".join(CROSS_PREFIXES) + ")", "", name)
    tool = next((tool for tool in TOOLS if plain == tool.name or plain in tool.commands), None)
    if tool is None:
        return f"{name} is missing: {why or 'the build calls it'}. Install it by hand."
    command = remedy([tool])
    or_setup = "" if "setup.sh" in command else " (or run ./setup.sh)"
    return f"{name} is missing: {why or tool.purpose}. Install it: {command}{or_setup}"


# ---- the boot check --------------------------------------------------------------------------

# It says '!' on COM1 and then ends QEMU through its debug-exit device, so that nothing is left
# running even if this program is killed. The device turns the value 1 into the status 3.
BOOT_CHECK = """
        bits 16
        org 0x7c00
        mov dx, 0x3f8
        mov al, '!'
        out dx, al
        mov al, 1
        out 0xf4, al
.halt:  hlt
        jmp .halt
        times 510 - ($ - $$) db 0
        dw 0xaa55
"""


def boot_check(nasm: str, qemu: str) -> tuple[bool, str]:
    """Assemble a boot sector, start it, and say in words what came of it."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        source, image = Path(folder, "check.asm"), Path(folder, "check.img")
        source.write_text(BOOT_CHECK)
        complaint = output_of(nasm, "-f", "bin", "-o", str(image), str(source)).strip()
        if not image.exists():
            return False, f"{nasm} did not assemble 512 bytes: {complaint or 'it does not run'}"
        try:
            done = subprocess.run(
                [qemu, "-accel", "tcg", "-m", "16M", "-display", "none", "-nic", "none",
                 "-drive", f"file={image},format=raw", "-serial", "stdio", "-monitor", "none",
                 "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        except subprocess.TimeoutExpired:
            return False, "QEMU started, but our boot sector did not run within 20 seconds"
        except OSError as error:
            return False, f"{qemu} does not start: {error}"
    if done.stdout == b"!" and done.returncode == 3:
        return True, f"our 512 bytes booted and wrote to COM1, {time.monotonic() - start:.1f} s"
    last_words = done.stderr.decode(errors="replace").strip()
    return False, f"QEMU ended with status {done.returncode} and COM1 {done.stdout!r}: {last_words}"


# ---- the table -------------------------------------------------------------------------------


def is_required(tool: Tool, usable: set[str], asked_for: str = "") -> bool:
    """A complete second toolchain can stand in for the first. And where there is no package
    of what UEFI needs, it cannot be asked for: there, those chapters are left out. A group
    on demand requires nothing of those who have not asked for it."""
    if tool.group in ON_DEMAND and tool.group != asked_for:
        return False
    if tool.group == "uefi" and package_manager() and not packages_of(tool, package_manager()):
        return False
    if tool.name in ("gcc", "ld", "objcopy") and {"clang", "ld.lld", "llvm-objcopy"} <= usable:
        return False
    return tool.required


def table() -> int:
    # Most of the time goes into waiting for other programs, so ask them all at once.
    with ThreadPoolExecutor(max_workers=4) as pool:
        nasm, qemu = shutil.which("nasm"), shutil.which("qemu-system-x86_64")
        booting = pool.submit(boot_check, nasm, qemu) if nasm and qemu else None
        findings = list(pool.map(find, TOOLS))
        booted, boot_words = booting.result() if booting else (False, "needs nasm and qemu")

    usable = {finding.tool.name for finding in findings if finding.usable}
    required, optional = [], []
    group = ""
    for finding in findings:
        tool = finding.tool
        if tool.group != group:
            if group == "run":
                status = "ok" if booted else "FAILED" if booting else "-"
                print(f"  {status:<8}{'boot check':<13}{boot_words}")
            group = tool.group
            print(GROUPS[group])
        needed = is_required(tool, usable)
        if not finding.usable:
            (required if needed else optional).append(tool)
        status = "ok" if finding.usable else "MISSING" if needed else "-"
        if finding.old:
            status = "OLD" if tool.refuse_older else "old"
        where = finding.where or f"{tool.purpose}; {remedy([tool])}"
        if tool.files and not finding.where:
            where += "\n" + "\n".join(f"{'':41}looked for {paths[0]}" for paths in tool.files)
        minimum = f"({tool.minimum}+)" if tool.minimum else ""
        print(f"  {status:<8}{tool.name:<13}{finding.version or '-':<9}{minimum:<9}{where}")

    print()
    if optional:
        print("Not here, and not required:", ", ".join(t.name for t in optional))
    if required:
        print("Missing:", ", ".join(tool.name for tool in required))
        print(f"Install: {remedy(required)}")
        return 1
    if not booted:
        print(f"The boot check failed: {boot_words}")
        return 1
    print("All that is required is here: try make chapter-1 run")
    return 0


def packages(group: str = "") -> None:
    """Tell setup.sh what to install; only looks whether things exist, so that it is quick."""
    tools = [tool for tool in TOOLS
             if (tool.group == group if group else tool.group not in ON_DEMAND)]
    findings = [find(tool, with_version=False) for tool in tools]
    usable = {finding.tool.name for finding in findings if finding.usable}
    lines = [
        f"{'required' if is_required(finding.tool, usable, group) else 'optional'} {package}"
        for finding in findings if not finding.usable
        for package in packages_of(finding.tool, package_manager())
    ]
    print("\n".join(dict.fromkeys(lines)))


def where(name: str) -> int:
    """Print the path of a tool; without one, the Makefile's sentence."""
    finding = find(next(tool for tool in TOOLS if tool.name == name), with_version=False)
    if not finding.usable:
        print(missing_sentence(name, ""), file=sys.stderr)
        return 1
    print(finding.where)
    return 0


def main(arguments: list[str]) -> int:
    if not arguments:
        return table()
    if arguments[0] == "--packages" and len(arguments) <= 2 and set(arguments[1:]) <= set(GROUPS):
        packages(*arguments[1:])
        return 0
    if arguments[0] == "--missing" and len(arguments) in (2, 3):
        print(missing_sentence(arguments[1], "".join(arguments[2:])), file=sys.stderr)
        for files in places_of(arguments[1]):
            print(f"  looked for {files[0]}", file=sys.stderr)
        return 1
    if arguments[0] == "--where" and arguments[1:] in ([tool.name] for tool in TOOLS):
        return where(arguments[1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
