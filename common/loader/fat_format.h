/*
 * fat_format.h -- what a FAT file system looks like, byte by byte
 *
 * A volume begins with its boot sector, in which the BIOS parameter block (BPB) says how
 * large everything is. Behind the reserved sectors come the copies of the file allocation
 * table (FAT), then the root directory (FAT12 and FAT16 only), then the clusters, which
 * hold the files, and on FAT32 the root directory. The first cluster is number 2.
 *
 * The FAT has an entry for each cluster: the number of the next one in the same file, or
 * one of the marks below. The name of a member in the specification stands behind it.
 * Numbers are little-endian, as the CPU's own.
 *
 * Source: "Microsoft Extensible Firmware Initiative FAT32 File System Specification"
 * (fatgen103), "Boot Sector and BPB", "FAT Data Structure", "FAT Directory Structure".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The boot sector. Its members lie where they lie, aligned or not. */
struct fat_boot_sector {
    uint8_t jump[3];             /* BS_jmpBoot */
    uint8_t oem_name[8];         /* BS_OEMName */
    uint16_t bytes_per_sector;   /* BPB_BytsPerSec */
    uint8_t sectors_per_cluster; /* BPB_SecPerClus: a power of two */
    uint16_t reserved_sectors;   /* BPB_RsvdSecCnt: this sector is the first of them */
    uint8_t fat_count;           /* BPB_NumFATs: copies, of which we read the first */
    uint16_t root_entries;       /* BPB_RootEntCnt; 0 on FAT32 */
    uint16_t total_sectors_16;   /* BPB_TotSec16; 0: the number is in total_sectors_32 */
    uint8_t media;               /* BPB_Media */
    uint16_t fat_sectors_16;     /* BPB_FATSz16: of one FAT; 0 on FAT32 */
    uint16_t sectors_per_track;  /* BPB_SecPerTrk */
    uint16_t heads;              /* BPB_NumHeads */
    uint32_t hidden_sectors;     /* BPB_HiddSec */
    uint32_t total_sectors_32;   /* BPB_TotSec32 */

    /* From here on, on FAT32 only. */
    uint32_t fat_sectors_32;     /* BPB_FATSz32 */
    uint16_t flags;              /* BPB_ExtFlags */
    uint16_t version;            /* BPB_FSVer: 0 */
    uint32_t root_cluster;       /* BPB_RootClus: where the root directory begins */
    uint8_t rest[462];
    uint16_t signature;
} __attribute__((packed));

#define FAT_SIGNATURE 0xaa55
#define FAT_SECTOR_LEAST 512 /* bytes_per_sector: a power of two from here */
#define FAT_SECTOR_MOST 4096 /* up to here */
#define FAT_NOT_MIRRORED (1u << 7) /* in flags: only one copy of the FAT is kept */

/* Which of the three it is, the number of clusters alone tells. */
#define FAT16_CLUSTERS_LEAST 4085 /* with fewer it is FAT12 */
#define FAT32_CLUSTERS_LEAST 65525
#define FAT32_CLUSTERS_MOST 0x0ffffff5 /* more would have the numbers of marks */

#define FAT_FIRST_CLUSTER 2

/*
 * An entry of the FAT has 12, 16 or 32 bits, of which FAT32 uses 28. With all these bits
 * set, `mask` is the last of eight marks for the end of a chain; the number before these
 * marks a cluster whose sectors cannot be used, and 0 one that is free.
 */
#define FAT_FREE 0
#define FAT_BAD(mask) ((mask)-8)
#define FAT_END(mask) ((mask)-7)

/* An entry of a directory. A deleted one begins with 0xe5. */
struct fat_directory_entry {
    uint8_t name[11];      /* DIR_Name: "KERNEL  ELF", without the dot */
    uint8_t attributes;    /* DIR_Attr */
    uint8_t other[8];
    uint16_t cluster_high; /* DIR_FstClusHI; means nothing on FAT12 and FAT16 */
    uint8_t written[4];
    uint16_t cluster_low;  /* DIR_FstClusLO: the first one; 0: the file is empty */
    uint32_t size;         /* DIR_FileSize, in bytes */
};

#define FAT_NO_MORE_ENTRIES 0 /* the first byte of a name, in the entry behind the last */

/* Bits of attributes. A part of a long name has FAT_VOLUME_ID, too. */
#define FAT_VOLUME_ID (1u << 3) /* ATTR_VOLUME_ID: the name is the volume's */
#define FAT_DIRECTORY (1u << 4) /* ATTR_DIRECTORY */

#define FAT_OFFSET(type, member, offset)                                                 \
    _Static_assert(offsetof(struct type, member) == (offset),                            \
                   #type ": " #member " has moved")

FAT_OFFSET(fat_boot_sector, bytes_per_sector, 11);
FAT_OFFSET(fat_boot_sector, total_sectors_32, 32);
FAT_OFFSET(fat_boot_sector, root_cluster, 44);
FAT_OFFSET(fat_boot_sector, signature, 510);
_Static_assert(sizeof(struct fat_boot_sector) == 512,
               "fat_boot_sector: its size has changed");

FAT_OFFSET(fat_directory_entry, cluster_high, 20);
FAT_OFFSET(fat_directory_entry, cluster_low, 26);
_Static_assert(sizeof(struct fat_directory_entry) == 32,
               "fat_directory_entry: its size has changed");
