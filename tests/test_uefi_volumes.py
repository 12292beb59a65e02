"""The UEFI loader on each kind of FAT that firmware reads."""
from __future__ import annotations

import pytest

from boot_contract import Seen, assert_in_memory
from conftest import BUILD, folder_of
from fat_disk import FatDisk, in_turns
from kernels import LOADERS, built
from test_gpt_image import output_of

LOADER = LOADERS["efi"]


@pytest.mark.parametrize("bits, per_cluster", [(12, 8), (16, 1), (16, 64), (32, 1), (32, 8)])
def test_a_kernel_comes_from_each_kind_of_fat(boot_image, tmp_path, bits, per_cluster):
    """With small clusters and large, and in pieces that do not follow each other."""
    kernel = built("segments")
    disk = FatDisk.make(tmp_path / "disk.img", bits=bits, per_cluster=per_cluster)
    output_of("mmd", "-i", disk.place, "::EFI", "::EFI/BOOT")
    disk.put(BUILD / folder_of("uefi-loader") / "BOOTX64.EFI", to="EFI/BOOT/BOOTX64.EFI")
    disk.put_kernel(kernel.path)
    disk.fragment(in_turns)
    machine = boot_image(disk.path, **LOADER.machine)
    machine.wait_until_halted()
    assert LOADER.said(machine) == []
    assert_in_memory(Seen(machine), kernel)
