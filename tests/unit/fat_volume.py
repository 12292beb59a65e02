"""FAT file systems, made and changed byte by byte: for what no tool of today makes."""
from __future__ import annotations

import struct
from pathlib import Path

SECTOR = 512
ENTRY = struct.Struct("<11sB8xH4xHI")  # of a directory: name, attributes, cluster (2), size
LABEL, DIRECTORY, ARCHIVE, LONG_NAME = 0x08, 0x10, 0x20, 0x0F
KERNEL = b"KERNEL  ELF"
DELETED = b"\xe5ERNEL  ELF"

# Where the boot sector has what, and how many bytes of it. The specification's names.
FIELDS = {
    "BytsPerSec": (11, 2), "SecPerClus": (13, 1), "RsvdSecCnt": (14, 2), "NumFATs": (16, 1),
    "RootEntCnt": (17, 2), "TotSec16": (19, 2), "Media": (21, 1), "FATSz16": (22, 2),
    "TotSec32": (32, 4), "FATSz32": (36, 4), "ExtFlags": (40, 2), "FSVer": (42, 2),
    "RootClus": (44, 4), "FilSysType": (82, 8), "Signature": (510, 2),
}


class Volume:
    """A FAT file system in a file, behind `first` sectors that are not its own."""

    def __init__(self, path: Path, first: int = 0) -> None:
        self.path, self.first = path, first
        self.sector_size = self.field("BytsPerSec")
        self.cluster_size = self.field("SecPerClus") * self.sector_size
        fat_size = self.field("FATSz16") or self.field("FATSz32")
        self.fats = [(self.field("RsvdSecCnt") + i * fat_size) * self.sector_size
                     for i in range(self.field("NumFATs"))]
        self.root = self.fats[-1] + fat_size * self.sector_size
        self.root_size = self.field("RootEntCnt") * ENTRY.size
        self.data = self.root + -(-self.root_size // self.sector_size) * self.sector_size
        self.sectors = ((self.field("TotSec16") or self.field("TotSec32"))
                        * self.sector_size // SECTOR)
        self.clusters = (self.sectors * SECTOR - self.data) // self.cluster_size
        self.count = self.sectors  # those of its partition
        self.bits = 12 if self.clusters < 4085 else 16 if self.clusters < 65525 else 32

    @classmethod
    def make(cls, path: Path, bits: int, clusters: int, *, first: int = 3, per_cluster: int = 1,
             sector_size: int = SECTOR, reserved: int = 2, root_entries: int = 32,
             fat_sectors: int = 0, fats: int = 2) -> Volume:
        """An empty file system of so many clusters, in a sparse file. On both sides of it,
        and in the reserved sectors, are bytes that lead astray whoever reads them."""
        root_entries = 0 if bits == 32 else root_entries
        fat_sectors = fat_sectors or -(-(clusters + 2) * bits // (8 * sector_size))
        total = (reserved + fats * fat_sectors + -(-root_entries * ENTRY.size // sector_size)
                 + clusters * per_cluster)
        boot = bytearray(b"\xcd" * SECTOR)
        for name, value in {
                "BytsPerSec": sector_size, "SecPerClus": per_cluster, "RsvdSecCnt": reserved,
                "NumFATs": fats, "RootEntCnt": root_entries,
                "TotSec16": total if total < 1 << 16 else 0,
                "TotSec32": total if total >= 1 << 16 else 0, "Media": 0xF8,
                "FATSz16": 0 if bits == 32 else fat_sectors, "Signature": 0xAA55,
                **({"FATSz32": fat_sectors, "ExtFlags": 0, "FSVer": 0, "RootClus": 2}
                   if bits == 32 else {})}.items():
            offset, size = FIELDS[name]
            boot[offset:offset + size] = value.to_bytes(size, "little")
        with open(path, "wb") as file:
            file.seek(max(0, first - 8) * SECTOR)
            file.write(b"\xab" * SECTOR * min(8, first) + boot)
            file.write(b"\xab" * (reserved * sector_size - SECTOR))
            file.truncate((first + total * sector_size // SECTOR) * SECTOR)
            file.seek(0, 2)
            file.write(b"\xab" * SECTOR)
        volume = cls(path, first)
        volume.set_entry(0, volume.mask - 7)
        volume.set_entry(1, volume.mask)
        if bits == 32:
            volume.set_entry(2, volume.mask)
        return volume

    @property
    def mask(self) -> int:
        """The bits of a FAT's entry; as a number, the end of a chain."""
        return (1 << min(self.bits, 28)) - 1

    def read(self, offset: int, size: int) -> bytes:
        """Bytes from an offset in the volume on."""
        with open(self.path, "rb") as file:
            file.seek(self.first * SECTOR + offset)
            return file.read(size)

    def write(self, offset: int, data: bytes) -> None:
        """Change bytes from an offset in the volume on."""
        with open(self.path, "r+b") as file:
            file.seek(self.first * SECTOR + offset)
            file.write(data)

    def field(self, name: str) -> int:
        """A number of the boot sector."""
        return int.from_bytes(self.read(*FIELDS[name]), "little")

    def set_fields(self, **values: int) -> None:
        """Change numbers of the boot sector."""
        for name, value in values.items():
            offset, size = FIELDS[name]
            self.write(offset, value.to_bytes(size, "little"))

    def set_entries(self, values: dict[int, int], copies: slice = slice(None)) -> None:
        """Change entries in all FATs, or in some. The bits around them stay."""
        size = 2 if self.bits < 32 else 4
        for fat in self.fats[copies]:
            table = bytearray(self.read(fat, (max(values) + 1) * self.bits // 8 + size))
            for cluster, value in values.items():
                at, odd = divmod(cluster * self.bits, 8)
                word = int.from_bytes(table[at:at + size], "little")
                word = word & ~(self.mask << odd) | value << odd
                table[at:at + size] = word.to_bytes(size, "little")
            self.write(fat, bytes(table))

    def set_entry(self, cluster: int, value: int, copies: slice = slice(None)) -> None:
        """Change the entry of one cluster."""
        self.set_entries({cluster: value}, copies)

    def set_chain(self, clusters: list[int]) -> None:
        """Make a chain of these, with an end."""
        self.set_entries(dict(zip(clusters, [*clusters[1:], self.mask])))

    def chain(self, cluster: int) -> list[int]:
        """The clusters of a chain that is good, by the first FAT."""
        table = self.read(self.fats[0], (self.clusters + 2) * self.bits // 8 + 4)
        found = []
        while cluster < self.mask - 8:
            found.append(cluster)
            at, odd = divmod(cluster * self.bits, 8)
            cluster = int.from_bytes(table[at:at + 4], "little") >> odd & self.mask
        return found

    def at(self, cluster: int) -> int:
        """Where in the volume a cluster is."""
        return self.data + (cluster - 2) * self.cluster_size

    def slots(self) -> list[int]:
        """Where in the volume the entries of the root directory are."""
        parts = ([(self.at(cluster), self.cluster_size) for cluster in
                  self.chain(self.field("RootClus"))] if self.bits == 32
                 else [(self.root, self.root_size)])
        return [at for start, size in parts for at in range(start, start + size, ENTRY.size)]

    def add(self, name: bytes, cluster: int = 0, size: int = 0, attributes: int = ARCHIVE,
            slot: int | None = None) -> None:
        """Write an entry of the root directory, into the first slot that is free."""
        slots = self.slots()
        if slot is None:
            slot = next(i for i, at in enumerate(slots) if self.read(at, 1) == b"\0")
        self.write(slots[slot], ENTRY.pack(name, attributes, cluster >> 16, cluster & 0xFFFF, size))

    def entries(self) -> dict[bytes, int]:
        """The first cluster of what is in the root directory, by names."""
        entries = (ENTRY.unpack(self.read(at, ENTRY.size)) for at in self.slots())
        return {name: high << 16 | low for name, attributes, high, low, _ in entries
                if not attributes & (LABEL | DIRECTORY)}

    def add_file(self, clusters: list[int], size: int, slot: int | None = None) -> bytes:
        """Write a file into these clusters; returns its bytes, which name where they are."""
        data = b"".join(b"%07d\n" % (cluster * 1000000 % 9999991 + i // 8) for cluster in clusters
                        for i in range(0, self.cluster_size, 8))[:size]
        for i, cluster in enumerate(clusters):
            self.write(self.at(cluster), data[i * self.cluster_size:(i + 1) * self.cluster_size])
        self.set_chain(clusters)
        self.add(KERNEL, clusters[0], size, slot=slot)
        return data

    def reorder(self, order: list[int]) -> None:
        """Move the kernel: `order` is its clusters in another order."""
        slot = next(at for at in self.slots() if self.read(at, len(KERNEL)) == KERNEL)
        old = self.chain(self.entries()[KERNEL])
        contents = [self.read(self.at(cluster), self.cluster_size) for cluster in old]
        with open(self.path, "r+b") as file:
            for cluster, content in zip(order, contents):
                file.seek(self.first * SECTOR + self.at(cluster))
                file.write(content)
        self.set_chain(order)
        self.write(slot + 20, struct.pack("<H4xH", order[0] >> 16, order[0] & 0xFFFF))
