"""Disks for the stages of chapter 11, with a file system that another tool has made.

    disk = FatDisk.make(folder / "disk.img", bits=16, per_cluster=8)
    disk.put(kernel, "kernel.elf")
    disk.fragment(backwards)
"""
from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import BUILD, ROOT, folder_of
from test_gpt_image import output_of, sbin
from unit.fat_volume import KERNEL, Volume

sys.path.append(str(ROOT / "common/make"))
gpt_image = importlib.import_module("gpt_image")

SECTOR, MIB = 512, 1 << 20
ESP = MIB // SECTOR                     # the first sector of the EFI system partition
# Clusters for each of the three kinds of FAT: the least for 16 and 32 bits, nearly the most
# for 12.
CLUSTERS = {12: 4000, 16: 4200, 32: 65600}


def backwards(clusters: list[int]) -> list[int]:
    return clusters[::-1]


def in_turns(clusters: list[int]) -> list[int]:
    """No two that follow each other in the file do so on the disk."""
    return clusters[::2] + clusters[1::2]


def in_two(clusters: list[int]) -> list[int]:
    """The second half comes first."""
    half = len(clusters) // 2
    return clusters[half:] + clusters[:half]


class FatDisk:
    """A disk image with chapter 11's stages for a BIOS, and any file system."""

    def __init__(self, path: Path, first: int = ESP) -> None:
        self.path, self.first = path, first
        self.place = f"{path}@@{first * SECTOR}"    # as mtools want it

    @classmethod
    def make(cls, path: Path, bits: int, per_cluster: int, sector: int = SECTOR,
             first: int = ESP) -> FatDisk:
        """An empty file system, made by mkfs.fat, with sectors of so many bytes, in a partition
        that begins at sector `first`."""
        build = BUILD / folder_of("disk-image")
        cluster = per_cluster * sector
        size = -(-(CLUSTERS[bits] + 1000) * cluster // MIB) * MIB
        esp = gpt_image.Partition(first, first + size // SECTOR - 1, "ef00", "ESP",
                                  gpt_image.ESP_GUID)
        stages, _ = gpt_image.bios_parts(argparse.Namespace(
            boot_sector=build / "first_stage.bin", second_stage=build / "loader_bios.bin",
            loader=build / "loader.bin"))
        gpt_image.write(path, esp, stages)
        blocks = (CLUSTERS[bits] * (cluster + 8) + 64 * sector) // 1024
        # It counts hidden sectors as the disk does, and the offset in its own.
        output_of(sbin("mkfs.fat"), "-F", bits, "-S", sector, "-s", per_cluster, "-a",
                  "-h", first, "--offset", first * SECTOR // sector, path, blocks)
        return cls(path, first)

    @property
    def volume(self) -> Volume:
        """Its file system, byte by byte."""
        return Volume(self.path, self.first)

    def put(self, *files: Path, to: str = "") -> None:
        """Copy files to the root directory, or one of them to a name there, with mcopy."""
        output_of("mcopy", "-o", "-i", self.place, *files, f"::{to}")

    def put_kernel(self, kernel: Path) -> None:
        self.put(kernel, to="kernel.elf")

    def kernel_clusters(self) -> list[int]:
        volume = self.volume
        return volume.chain(volume.entries()[KERNEL])

    def fragment(self, reordered: Callable[[list[int]], list[int]]) -> None:
        """Let the kernel's file lie in the same clusters, in another order."""
        self.volume.reorder(reordered(self.kernel_clusters()))
        output_of(sbin("fsck.fat"), "-n", self._partition())

    def _partition(self) -> Path:
        """The file system in a file of its own: fsck.fat takes no offset."""
        part = self.path.with_suffix(".esp")
        subprocess.run(["dd", f"if={self.path}", f"of={part}", "bs=1M",
                        f"skip={self.first * SECTOR // MIB}",
                        "conv=sparse", "status=none"], check=True)
        return part
