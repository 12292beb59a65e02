"""The contract between loaders and kernels, one claim each, on every loader that exists.

The kernels are those of tests/kernels/, and some that are made here. All memory holds
garbage before the firmware starts, wherever that is easy.
"""
from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from boot_contract import (BIOS, DIRECT_MAP, GIB, GUARD_PAGE, KIB, MIB, UEFI, Kind, Seen,
                           assert_contract, assert_entry_state, assert_in_memory)
from conftest import ROOT
from kernels import (E_ENTRY, E_MACHINE, EXECUTE, IRELATIVE, KERNEL_BASE, LOADERS, P_FLAGS,
                     P_MEMSZ, P_TYPE, P_VADDR, PAGE, PT_INTERP, R_INFO, READ, RELATIVE,
                     RELOCATION, WRITE, Kernel, Loader, Part, built, made)
from machine import BochsMachine, Machine, MissingProgram
from machine.paging import PRESENT, WRITABLE
from strange_bios import run_to

DIRT = b"\xa5"                          # as a page table entry: present, and nonsense
OVERWRITTEN = b"\x3c"                   # what overwrite_usable.c writes
FETCH = 1 << 4                          # of a page fault's error code; the rest as in an entry
ACCESSED, DIRTY = 1 << 5, 1 << 6        # the CPU writes them down in the page tables


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Loader], dict[str, Any]]:
    """`dirty(loader)`: options for its usual machine, whose memory holds garbage when it is
    switched on."""
    @cache
    def dirty(loader: Loader) -> dict[str, Any]:
        file = tmp_path_factory.mktemp("dirty") / "memory"
        file.write_bytes(DIRT * size_of(loader.memory))
        return {**loader.machine, "extra": [
            "-object", f"memory-backend-file,id=pc.ram,size={loader.memory},mem-path={file},"
                       "share=off",
            "-machine", "memory-backend=pc.ram",
            # The log shows each exception, with its error code.
            "-d", "cpu_reset,guest_errors,int"]}
    return dirty


def size_of(memory: str) -> int:
    """How many bytes QEMU takes "64M" or "6G" for."""
    return int(memory[:-1]) * {"M": MIB, "G": GIB}[memory[-1]]


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest) -> Loader:
    """Each of the loaders, or the one that a test names."""
    return LOADERS[request.param]


@pytest.fixture
def start(loader: Loader, boot_image: Callable[..., Machine], tmp_path: Path,
          dirty: Callable[[Loader], dict[str, Any]]) -> Callable[..., Machine]:
    """`start(kernel)` boots a kernel, a built one by its name, in dirty memory or with other
    options of Machine's."""
    def start(kernel: str | Kernel | Path, **options) -> Machine:
        kernel = built(kernel) if isinstance(kernel, str) else kernel
        file = kernel.path if isinstance(kernel, Kernel) else kernel
        if options.keys() <= {"paused"}:
            options |= dirty(loader)
        return boot_image(loader.image(file, tmp_path), **{**loader.machine, **options})
    return start


@pytest.fixture
def see(start, loader) -> Callable[..., Seen]:
    """`see(kernel)` boots a kernel, up to its halt, and looks at what it was given."""
    def see(kernel: str | Kernel, **options) -> Seen:
        machine = start(kernel, **options)
        machine.wait_until_halted()
        assert loader.said(machine) == []   # else it refuses the kernel
        return Seen(machine)
    return see


def on_each_loader(name: str, values: Callable[[Loader], Iterable[Any] | dict[str, Any]]) -> Any:
    """Run a test on each loader with each of its own values of an argument; of a dict, the
    keys are the names of the cases."""
    cases = []
    for word, loader in LOADERS.items():
        found = values(loader)
        named = found if isinstance(found, dict) else {str(value): value for value in found}
        cases += [pytest.param(word, named[case], id=f"{word}-{case}") for case in named]
    return pytest.mark.parametrize(f"loader, {name}", cases, indirect=["loader"])


# ---- the kernel's first instruction ----------------------------------------------------------


@pytest.fixture(scope="module", params=LOADERS)
def entered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
            dirty: Callable[[Loader], dict[str, Any]]) -> Iterator[Seen]:
    """A kernel that has changed nothing, on an ordinary PC; for tests that only look."""
    loader = LOADERS[request.param]
    image = loader.image(built("entered").path, tmp_path_factory.mktemp("entered"))
    with Machine(image, **dirty(loader)) as machine:
        machine.wait_until_halted()
        yield Seen(machine)


def test_the_state_at_entry_is_as_written(entered):
    """Control registers, flags, segments, GDT and IDT, the stack, zeros in all registers."""
    assert_entry_state(entered, built("entered"))


def test_interrupt_controllers_are_masked(entered):
    """Both 8259s let nothing through."""
    assert re.findall(r"pic(\d): .* imr=(\w+)", entered.machine.qmp.hmp("info pic")) == [
        ("1", "ff"), ("0", "ff")]


def test_code_stack_and_boot_information_are_in_the_higher_half(entered):
    """Each at the place that was promised, below which there is no kernel's address."""
    registers = entered.registers
    assert registers.rip >= KERNEL_BASE
    assert GUARD_PAGE < registers["RSP"] < KERNEL_BASE
    assert DIRECT_MAP < registers["RDI"] < GUARD_PAGE


# ---- segments and their permissions ----------------------------------------------------------


@pytest.mark.parametrize("name", ["entered", "segments", "default_script", "smallest",
                                  "lower_half", "topmost_gib", "relocated", "pages_of_2_mib"])
def test_a_kernel_lies_where_and_as_its_file_says(see, loader, name):
    """Its bytes, zeros between and behind them, its permissions, and all the contract: linked
    by a script or without one, in each half, as small as can be, and as a PIE, whose segments
    may be far from each other."""
    assert_contract(see(name), built(name), loader)


def test_bss_is_zero_in_dirty_memory(see, loader):
    """And so is what is left over of the last page."""
    seen, kernel = see("segments"), built("segments")
    assert seen.machine.memory(size_of(loader.memory) // 2, 4) == DIRT * 4
    end = kernel.base + kernel.size
    size = end - kernel.symbols["nothing_yet"]
    assert size > 3 * PAGE
    assert seen.read(kernel.symbols["nothing_yet"], size) == bytes(size)


def test_a_pie_runs_at_the_kernels_base(see):
    """It follows a pointer in a variable to one in a constant to a function, and halts there."""
    seen, kernel = see("relocated"), built("relocated")
    assert seen.info.kernel_virtual == KERNEL_BASE and seen.info.kernel_slide == KERNEL_BASE
    table = kernel.symbols["steps"] + KERNEL_BASE
    arrive = kernel.symbols["arrive"] + KERNEL_BASE
    assert seen.read(table, 24) == arrive.to_bytes(8, "little") * 3
    last = kernel.symbols["last"] + KERNEL_BASE
    assert seen.read(last, 8) == (table + 16).to_bytes(8, "little")
    assert arrive < seen.registers.rip < kernel.entry + KERNEL_BASE


def fault_of(machine: Machine) -> tuple[int, int, int]:
    """The exception that the CPU found no handler for: vector, error code, and CR2."""
    assert machine.wait_for_end().kind == "triple fault"
    first, second = re.findall(r" v=(\w\w) e=(\w{4}) ", machine.qemu_log())[-2:]
    assert second == ("08", "0000")     # no handler for the first: a double fault
    return int(first[0], 16), int(first[1], 16), machine.registers().cr2


PAGE_FAULT = 14
FAULTS: dict[str, tuple[int, Callable[[Kernel, Machine], int]]] = {
    "write_to_code": (PRESENT | WRITABLE, lambda kernel, _: kernel.symbols["kernel_main"]),
    "write_to_constant": (PRESENT | WRITABLE, lambda kernel, _: kernel.symbols["target"]),
    "jump_to_constant": (PRESENT | FETCH, lambda kernel, _: kernel.symbols["target"]),
    "jump_to_data": (PRESENT | FETCH, lambda kernel, _: kernel.symbols["target"]),
    "jump_to_stack": (PRESENT | FETCH, lambda _, machine: GUARD_PAGE + PAGE),
    "jump_to_direct_map": (
        PRESENT | FETCH,
        lambda kernel, machine: DIRECT_MAP + machine.translate(kernel.entry).physical),
    "read_guard_page": (0, lambda _, machine: GUARD_PAGE + PAGE - 1),
    "read_page_0": (0, lambda _, machine: 0),
    "read_behind_kernel": (0, lambda kernel, _: kernel.base + kernel.size),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_kernel_may_not_do_faults(start, name):
    """There and nowhere else, with the error code that says why."""
    machine, kernel = start(name), built(name)
    code, address = FAULTS[name]
    assert fault_of(machine) == (PAGE_FAULT, code, address(kernel, machine))
    if code & FETCH:
        assert machine.registers().rip == machine.registers().cr2
    else:
        assert kernel.base <= machine.registers().rip < kernel.base + PAGE


@pytest.mark.parametrize("name", ["write_to_code", "read_guard_page"])
def test_without_nx_the_other_permissions_hold(start, name):
    """On a CPU whose page tables know no NX bit."""
    machine = start(name, cpu="qemu64,-nx", extra=["-d", "cpu_reset,int"])
    code, address = FAULTS[name]
    assert fault_of(machine) == (PAGE_FAULT, code, address(built(name), machine))


def test_a_stack_of_4_kib_is_just_so_large(start):
    """The push that finds it full faults at the page below, and it is full."""
    machine = start("four_kib_stack")
    assert built("four_kib_stack").stack_size == PAGE
    bottom = GUARD_PAGE + PAGE
    assert fault_of(machine) == (PAGE_FAULT, WRITABLE, bottom - 8)
    registers = machine.registers()
    assert registers["RSP"] == bottom
    pushed = registers["RDI"].to_bytes(8, "little") * (PAGE // 8 - 1)
    assert machine.memory(machine.translate(bottom).physical, PAGE) == pushed + bytes(8)


@pytest.mark.parametrize("asked", [1, PAGE + 1, 16 * MIB])
def test_a_stack_is_as_large_as_the_kernel_asks(see, loader, tmp_path, asked):
    """In whole pages, up to 16 MiB."""
    kernel = made(tmp_path / "kernel.elf", stack_size=asked)
    seen = see(kernel)
    assert_entry_state(seen, kernel)
    assert_contract(seen, kernel, loader)


def test_symbols_are_handed_over_as_nm_reads_them(see):
    """All of them, with their names; a kernel without any gets none."""
    seen, kernel = see("segments"), built("segments")
    assert {"kernel_main", "constants", "variables", "nothing_yet"} <= kernel.symbols.keys()
    assert seen.symbols() == kernel.symbols
    assert seen.info.symbols % 8 == 0


def test_a_kernel_without_symbols_gets_none(see):
    """As `strip` leaves it."""
    info = see("smallest").info
    assert (info.symbols, info.symbols_size, info.strings, info.strings_size) == (0, 0, 0, 0)


# ---- layouts and sizes -----------------------------------------------------------------------


def test_a_kernel_may_have_32_segments(see, loader, tmp_path):
    """Of all permissions, some with the same bytes in the file, some without any, and with
    pages between them that are nobody's."""
    shared = b"the same bytes for two"
    parts = [Part(READ | (EXECUTE, WRITE, 0)[i % 3], KERNEL_BASE + (2 * i + 2) * PAGE,
                  shared if i in (5, 20) else bytes([i]) * (i * 130), PAGE + i)
             for i in range(31)]
    kernel = made(tmp_path / "kernel.elf", parts)
    assert len(kernel.segments) == 32
    seen = see(kernel)
    assert_contract(seen, kernel, loader)


def ballast(path: Path, size: int) -> Kernel:
    """A kernel file of just that size: random constants fill it up."""
    fill = random.Random(size).randbytes(size - 2 * PAGE)
    kernel = made(path, [Part(READ, KERNEL_BASE + 2 * MIB, fill)])
    assert len(kernel.file) == size
    return kernel


@on_each_loader("size", lambda loader: loader.edges)
def test_a_kernel_may_be_of_any_size(see, tmp_path, size):
    """Also where a piece that the loader reads or copies ends: nothing is lost there."""
    kernel = ballast(tmp_path / "kernel.elf", size)
    assert_in_memory(see(kernel), kernel)


@on_each_loader("disk", lambda loader: loader.disks)
def test_a_kernel_of_1_mib_comes_from_every_disk(see, loader, tmp_path, disk):
    """Byte for byte."""
    kernel = ballast(tmp_path / "kernel.elf", MIB)
    seen = see(kernel, disk=disk)
    assert_in_memory(seen, kernel)
    assert seen.info.boot_drive == (0x80 if loader.firmware == BIOS and disk != "floppy" else 0)


def test_a_kernel_of_64_mib_is_loaded(boot_image, loader, tmp_path):
    """Byte for byte, from two disks that are fast; and it is mapped in pages of 2 MiB."""
    kernel = ballast(tmp_path / "kernel.elf", 64 * MIB)
    image = loader.image(kernel.path, tmp_path)
    for disk in ("ahci", "virtio"):
        machine = boot_image(image, disk=disk, memory="256M", **loader.machine)
        machine.wait_until_halted(timeout=60)
        seen = Seen(machine)
        assert_contract(seen, kernel, loader)
        large = [leaf for leaf in seen.leaves
                 if leaf.virtual >= KERNEL_BASE and leaf.size == 2 * MIB]
        assert len(large) == 31


def test_a_kernel_may_need_nearly_all_memory(see, loader, tmp_path):
    """On 16 MiB, 14 MiB of .bss; under UEFI, which needs much itself, 32 of 128."""
    memory, size = loader.little
    kernel = made(tmp_path / "kernel.elf", [
        Part(READ | WRITE, KERNEL_BASE + PAGE, b"data", size)])
    seen = see(kernel, memory=memory)
    assert_contract(seen, kernel, loader)


# ---- the memory map --------------------------------------------------------------------------


def forget_what_the_cpu_writes(memory: bytearray, seen: Seen) -> None:
    """Clear the stack, and the bits of page tables that say which pages were used."""
    stack = seen.physical(seen.info.stack_bottom)
    memory[stack:stack + seen.info.stack_size] = bytes(seen.info.stack_size)
    for table in seen.tables:
        for entry in range(table, table + PAGE, 8):
            memory[entry] &= ~(ACCESSED | DIRTY)


@on_each_loader("memory", lambda loader: dict.fromkeys([loader.little[0], loader.memory]))
def test_all_that_is_usable_can_be_overwritten(start, loader, memory):
    """The kernel overwrites each usable byte; nothing else in memory changes but its stack."""
    kernel = built("overwrite_usable")
    usual = memory == loader.memory
    machine = start(kernel, paused=True, **({} if usual else {"memory": memory}))
    run_to(machine, kernel.entry)
    seen = Seen(machine)
    size = max(item.end for item in seen.ranges if item.kind == Kind.USABLE)
    before = bytearray(machine.memory(0, size))
    assert before.count(OVERWRITTEN) < size // 2
    machine.gdb.detach()
    machine.wait_until_halted()
    after = bytearray(machine.memory(0, size))

    assert seen.total({Kind.USABLE}) >= 0.9 * size
    for item in seen.ranges:
        if item.kind == Kind.USABLE:
            assert after.count(OVERWRITTEN, item.base, item.end) == item.length
    for data in (before, after):
        forget_what_the_cpu_writes(data, seen)
    for item in seen.ranges:
        if item.kind != Kind.USABLE:
            part = slice(item.base, min(item.end, size))
            assert before[part] == after[part], f"{item} has changed"
    assert_contract(Seen(machine), kernel, loader)


MACHINES: dict[str, dict[str, Any]] = {
    "16-mib": {"memory": "16M"},
    "128-mib": {"memory": "128M"},
    "3-gib": {"memory": "3G"},
    "6-gib": {"memory": "6G"},
    "q35": {"board": "q35", "disk": "virtio"},
    "q35-16-mib": {"disk": "ahci", "memory": "16M"},
    "q35-3-gib": {"disk": "ahci", "memory": "3G"},
    "q35-6-gib": {"disk": "ahci", "memory": "6G"},
    "usb": {"disk": "usb"},
    "nvme": {"disk": "nvme"},
    "floppy": {"disk": "floppy"},
    "without-nx": {"cpu": "qemu64,-nx"},
    "without-nx-6-gib": {"cpu": "qemu64,-nx", "memory": "6G"},
    "without-pages-of-1-gib": {"cpu": "qemu64,-pdpe1gb", "memory": "6G"},
    "with-pages-of-1-gib": {"cpu": "qemu64,+pdpe1gb", "memory": "6G"},
    "all-that-qemu-has": {"cpu": "max", "memory": "3G"},
    "without-a-screen": {"vga": "none"},
    "virtio-screen": {"vga": "virtio"},
    "qxl-screen": {"vga": "qxl"},
}


def machines_of(loader: Loader) -> dict[str, dict[str, Any]]:
    """Those of MACHINES on which it can be at all."""
    small = size_of(loader.little[0])
    return {name: options for name, options in MACHINES.items()
            if options.get("disk", "ide") in loader.disks
            and size_of(options.get("memory", loader.memory)) >= small
            # A BIOS shows text on all cards, and needs one.
            and ("vga" not in options or loader.firmware == UEFI)}


@on_each_loader("options", machines_of)
def test_the_contract_holds_on_each_machine(start, loader, options):
    """Little memory and much, old boards and newer ones, all disks and screens, CPUs that have
    less."""
    machine = start("entered", **options)
    machine.wait_until_halted()
    cpu = options.get("cpu", "")
    seen = Seen(machine, no_execute="-nx" not in cpu,
                gigabyte_pages="+pdpe1gb" in cpu or cpu == "max")
    assert_entry_state(seen, built("entered"))
    assert_contract(seen, built("entered"), loader,
                    drive=0 if options.get("disk") == "floppy" else 0x80)
    assert any(leaf.size == GIB for leaf in seen.leaves) == seen.gigabyte_pages


# ---- Bochs -----------------------------------------------------------------------------------


on_each_bios_loader = pytest.mark.parametrize(
    "loader", [word for word, loader in LOADERS.items() if loader.firmware == BIOS],
    indirect=True)


@pytest.fixture
def start_in_bochs(loader, machines, tmp_path) -> Callable[[Kernel], BochsMachine]:
    """`start_in_bochs(kernel)`; skips where there is no Bochs."""
    def start(kernel: Kernel) -> BochsMachine:
        try:
            return machines.enter_context(BochsMachine(loader.image(kernel.path, tmp_path)))
        except MissingProgram as missing:
            pytest.skip(missing.sentence)
    return start


@on_each_bios_loader
def test_the_contract_holds_in_bochs(start_in_bochs, loader):
    """With another BIOS, and a CPU that checks more than QEMU's."""
    kernel = built("entered")
    machine = start_in_bochs(kernel)
    machine.wait_until_halted()
    seen = Seen(machine, gigabyte_pages=True)
    assert_entry_state(seen, kernel)
    assert_contract(seen, kernel, loader, ram=[range(0xA0000), range(MIB, 64 * MIB)])
    assert machine.complaints() == []


@on_each_bios_loader
@pytest.mark.parametrize("name", ["write_to_constant", "jump_to_data", "read_guard_page"])
def test_what_a_kernel_may_not_do_faults_in_bochs(start_in_bochs, name):
    """At the same address."""
    machine, kernel = start_in_bochs(built(name)), built(name)
    assert machine.wait_for_end().kind == "triple fault"
    # The registers are those after a reset, already.
    cr2 = re.findall(r"CR2=0x(\w+)", machine.log())[-1]
    assert int(cr2, 16) == FAULTS[name][1](kernel, machine)


# ---- kernels that are refused ----------------------------------------------------------------


def elf64_sentence(status: str) -> str:
    """What elf64.c says of a file, by the name of its status."""
    source = (ROOT / "common/loader/elf64.c").read_text()
    found = re.search(rf'case ELF64_{status}:\s+return ((?:"[^"]*"\s*)+);', source)
    assert found, f"elf64.c has no sentence for {status}"
    return "".join(re.findall(r'"([^"]*)"', found[1]))


def assert_refused(machine: Machine, loader: Loader, sentence: str) -> None:
    """The sentence and nothing else, in whole words on the screen and on COM1; then a halt."""
    machine.wait_until_halted()
    assert machine.serial.endswith("\r\n")
    loader.assert_said(machine, sentence)


CODE, CONSTANTS, DATA = READ | EXECUTE, READ, READ | WRITE
REFUSED = {
    "NOT_ELF": lambda kernel: (0, (0, "<B"), 0x7E),
    "NOT_64_BIT": lambda kernel: (0, (4, "<B"), 1),
    "WRONG_MACHINE": lambda kernel: (0, E_MACHINE, 183),
    "INTERPRETER": lambda kernel: (kernel.segment_at(DATA), P_TYPE, PT_INTERP),
    "WRITE_AND_EXECUTE": lambda kernel: (kernel.segment_at(CODE), P_FLAGS, CODE | WRITE),
    "SEGMENT_SIZES": lambda kernel: (kernel.segment_at(DATA), P_MEMSZ, 1),
    "SEGMENT_ALIGNMENT": lambda kernel: (kernel.segment_at(DATA), P_VADDR, kernel.base + 1),
    "SEGMENT_ORDER": lambda kernel: (kernel.segment_at(DATA), P_VADDR, kernel.base - PAGE),
    "SEGMENTS_OVERLAP": lambda kernel: (kernel.segment_at(CODE), P_MEMSZ, PAGE + 1),
    "SEGMENT_WRAPS": lambda kernel: (kernel.segment_at(DATA), P_MEMSZ, 2 * GIB),
    "BAD_ENTRY": lambda kernel: (0, E_ENTRY, kernel.symbols["constants"]),
}


@pytest.mark.parametrize("status", REFUSED)
def test_a_kernel_that_cannot_be_loaded_gets_a_sentence(start, loader, tmp_path, status):
    """One member of a good file is wrong; the sentence says which."""
    kernel = built("segments")
    machine = start(kernel.changed(tmp_path, REFUSED[status](kernel)))
    assert_refused(machine, loader, elf64_sentence(status))


def test_a_kernel_cut_short_gets_a_sentence(start, loader, tmp_path):
    """As a download leaves it that was not finished."""
    cut = tmp_path / "cut.elf"
    cut.write_bytes(built("segments").file[:2 * PAGE + 100])
    assert_refused(start(cut), loader, elf64_sentence("SEGMENT_TRUNCATED"))


def test_an_empty_kernel_gets_a_sentence(start, loader, tmp_path):
    """In a file system it has no place on the disk at all."""
    empty = tmp_path / "empty.elf"
    empty.touch()
    assert_refused(start(empty), loader, elf64_sentence("TRUNCATED_HEADER"))


def test_segments_that_share_a_page_get_a_sentence(start, loader, tmp_path):
    """Where they would need two permissions of one page."""
    kernel = made(tmp_path / "kernel.elf", [
        Part(CONSTANTS, KERNEL_BASE + 16, b"constants", alignment=1)])
    assert_refused(start(kernel), loader, elf64_sentence("SEGMENTS_SHARE_PAGE"))


def test_a_stack_of_more_than_16_mib_gets_a_sentence(start, loader, tmp_path):
    """One byte more."""
    kernel = made(tmp_path / "kernel.elf", stack_size=16 * MIB + 1)
    assert_refused(start(kernel), loader, elf64_sentence("BAD_STACK"))


def test_an_unknown_relocation_gets_a_sentence(start, loader, tmp_path):
    """A loader knows one type; this is seen when all is loaded."""
    kernel = built("relocated")
    image = kernel.image()
    (address, addend), *_ = kernel.relocations(image)
    at = kernel.file.index(RELOCATION.pack(address, RELATIVE, addend))
    machine = start(kernel.changed(tmp_path, (at, R_INFO, IRELATIVE)))
    assert_refused(machine, loader, elf64_sentence("BAD_RELOCATION"))


@pytest.mark.parametrize("address", [
    pytest.param(0x80000, id="below-1-mib"),
    pytest.param((1 << 47) - PAGE, id="across-the-end-of-the-lower-half"),
    pytest.param(DIRECT_MAP + GIB, id="direct-map"),
    pytest.param(GUARD_PAGE, id="stack"),
    pytest.param((1 << 64) - (512 << 30) - 2 * PAGE, id="across-the-topmost-512-gib")])
def test_addresses_that_the_loader_gives_out_get_a_sentence(start, loader, tmp_path, address):
    """A kernel that was linked to where it cannot be."""
    kernel = made(tmp_path / "kernel.elf", [Part(DATA, address + PAGE, b"", 2 * PAGE)],
                  base=address)
    assert_refused(start(kernel), loader, (
        "The kernel's addresses are not free: link it at 1 MiB or above in the lower half, "
        "or into the topmost 512 GiB."))


@on_each_loader("what", lambda loader: loader.scarce)
def test_too_little_memory_gets_a_sentence(start, loader, tmp_path, what):
    """It says how much is needed, and how much is there."""
    memory = size_of(loader.memory)
    size, stack_size = (memory, 0) if what == "the kernel" else (
        loader.little[1] + memory - size_of(loader.little[0]), 16 * MIB)
    kernel = made(tmp_path / "kernel.elf", [Part(DATA, KERNEL_BASE + PAGE, b"", size)],
                  stack_size=stack_size)
    machine = start(kernel)
    machine.wait_until_halted()
    said = " ".join(loader.said(machine))
    found = re.match(rf"There is too little memory for {what}: it needs (\d+) KiB in one "
                     r"piece, and (\d+) KiB are free between 1 MiB and 4 GiB\.", said)
    assert found, said
    assert_refused(machine, loader, found[0])
    assert int(found[1]) == (stack_size or kernel.size) // KIB
    most = memory - MIB - (kernel.size if stack_size else 0)
    assert most - loader.taken < int(found[2]) * KIB < most
