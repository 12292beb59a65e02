/*
 * fat.h -- find a file in a FAT file system, and where on the disk its bytes lie
 *
 * FAT12, FAT16 and FAT32, with any size of sectors and clusters. Only files in the root
 * directory are found. All of it comes from a disk: no number is believed before it has
 * been compared with what there is. Numbers of sectors are those of the disk, of
 * DISK_SECTOR bytes, whatever a sector is to the file system.
 *
 * Source: "Microsoft Extensible Firmware Initiative FAT32 File System Specification"
 * (fatgen103). fat_format.h describes the file system.
 */
#pragma once

#include <stdint.h>

#include "disk.h"

/* Why a file system, or a file, is refused; fat_sentence() says it to a person. */
enum fat_status {
    FAT_OK,
    FAT_NO_SIGNATURE,     /* the first sector is no boot sector */
    FAT_BAD_BOOT_SECTOR,  /* a number in it can be in none */
    FAT_BEYOND_PARTITION, /* it says to be larger than the partition */
    FAT_BAD_LAYOUT,       /* no room for clusters, or a FAT too small for them */
    FAT_WRONG_TYPE,       /* FAT32 with too few clusters, or the others with too many */
    FAT_NO_FILE,
    FAT_CHAIN_ENDS,       /* before the file does */
    FAT_CHAIN_LOOPS,      /* it never ends */
    FAT_CHAIN_FREE,       /* it leads to a cluster that is marked free, */
    FAT_CHAIN_BAD,        /* or bad, */
    FAT_CHAIN_OUTSIDE,    /* or that does not exist */
    FAT_STATUS_COUNT,
};

/*
 * Returns a sentence of at most 200 characters that says what is wrong, and what to do.
 * The file is called kernel.elf there, the only one that our loaders look for.
 */
const char *fat_sentence(enum fat_status status);

/*
 * How much of the FAT is kept in memory: 2048 clusters of a FAT32 are followed for each
 * read. The FAT of a FAT12 is in it as a whole; so no entry, of 12 bits or of 16 or 32,
 * lies across the border of two such windows.
 */
#define FAT_WINDOW_SECTORS 16
#define FAT_WINDOW (FAT_WINDOW_SECTORS * DISK_SECTOR)

/* A file system that is good. */
struct fat {
    const struct disk *disk;
    uint64_t fat_lba;         /* of the first FAT */
    uint64_t fat_sectors;
    uint64_t root_lba;        /* of the root directory on FAT12 and FAT16 */
    uint64_t root_sectors;
    uint64_t data_lba;        /* of cluster 2 */
    uint32_t cluster_sectors; /* a power of two, 1 to 1024 */
    uint32_t cluster_count;
    uint32_t root_cluster;    /* of the root directory on FAT32; else 0 */
    uint32_t entry_bits;      /* of an entry of the FAT: 12, 16 or 32 */
    uint32_t entry_mask;      /* those that are used */
    uint64_t window_lba;      /* which sectors of the FAT are in window; 0: none */
    uint8_t window[FAT_WINDOW + sizeof(uint32_t)]; /* of any entry, 32 bits are read */
};

/*
 * Check the file system in the `count` sectors, at least 1, of a partition that begins at
 * sector `first`. On FAT_OK, *fat describes it, and keeps `disk`; else it is undefined.
 */
enum fat_status fat_mount(struct fat *fat, const struct disk *disk, uint64_t first,
                          uint64_t count);

/* A file, and a cursor in the chain of its clusters. */
struct fat_file {
    uint32_t size; /* bytes */
    uint32_t first_cluster;
    uint32_t cluster; /* the cursor: the number of a cluster, */
    uint32_t index;   /* and how many of the chain lie before it */
};

/*
 * Find a file in the root directory by its short name: 11 capital letters and spaces, as
 * in "KERNEL  ELF", without the dot. Returns FAT_NO_FILE if there is none of that name;
 * a directory does not count. A file of 0 bytes has no clusters.
 */
enum fat_status fat_find(struct fat *fat, const char *name, struct fat_file *file);

/*
 * Find the longest run of sectors that hold the file from its sector `sector` on, which
 * must exist, but no more than `most`, at least 1. On FAT_OK they are *count, at least 1,
 * and begin at *lba. The run ends with the file at the latest.
 *
 * To go on behind a run costs little, to go back means to follow the chain from its
 * beginning. That a chain loops is seen when the file's last sector is in the run.
 */
enum fat_status fat_find_run(struct fat *fat, struct fat_file *file, uint64_t sector,
                             uint64_t most, uint64_t *lba, uint64_t *count);
