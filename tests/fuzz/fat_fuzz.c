/* sources: common/loader/fat.c */
/*
 * fat_fuzz.c -- any bytes at all as a file system
 *
 * The input says how large the partition is, and what is in it: a list of addresses and
 * bytes, on a disk of zeros. fat.c must refuse it, with a sentence, or describe something
 * that lies in the partition; and where it finds runs of a file, they must be those that
 * the plainest reader of the same chain finds. What fat.c gets to read has exactly its
 * size, so ASan sees a byte too far.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fat.h"
#include "fat_format.h"

#define NAME "KERNEL  ELF"
#define HEAD_SIZE 4  /* of the input: sectors, in 24 bits, and how many in a run */
#define PIECE_SIZE 5 /* in front of its bytes: sector, where in it, how many bytes */
#define FIRST 1000   /* sector of the partition */
#define COUNT_MASK 0x1ffff
#define RUNS_MOST 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fat_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

static struct {
    const uint8_t *pieces;
    size_t size;
    uint64_t count;   /* sectors of the partition */
    uint8_t *sectors; /* those of the last read */
} input;

static uint32_t number(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    while (count-- > 0) {
        value = value << 8 | bytes[count];
    }
    return value;
}

/* Copy bytes of the partition, from an offset on. */
static void copy(uint8_t *to, uint64_t offset, uint64_t size)
{
    memset(to, 0, size);
    for (size_t at = 0; input.size - at >= PIECE_SIZE;) {
        const uint8_t *piece = input.pieces + at;
        const uint64_t begin = (uint64_t)number(piece, 2) * DISK_SECTOR +
                               number(piece + 2, 2) % DISK_SECTOR;
        at += PIECE_SIZE;
        uint64_t length = piece[4];
        length = length < input.size - at ? length : input.size - at;
        for (uint64_t i = 0; i < length; i++) {
            if (begin + i >= offset && begin + i - offset < size) {
                to[begin + i - offset] = input.pieces[at + i];
            }
        }
        at += length;
    }
}

static const void *read_sectors(void *context, uint64_t lba, uint32_t sectors)
{
    const uint64_t size = (uint64_t)sectors * DISK_SECTOR;

    claim(context == &input, "the context is handed on");
    claim(sectors >= 1 && sectors <= DISK_READ_MOST, "a read is of 1 to 127 sectors");
    claim(lba >= FIRST && lba - FIRST < input.count &&
              sectors <= input.count - (lba - FIRST),
          "only the partition is read");
    free(input.sectors);
    input.sectors = malloc(size); /* at a multiple of 8 */
    copy(input.sectors, (lba - FIRST) * DISK_SECTOR, size);
    return input.sectors;
}

static void check_layout(const struct fat *fat)
{
    const uint64_t end = FIRST + input.count;
    const uint64_t clusters = (uint64_t)fat->cluster_count * fat->cluster_sectors;

    claim(fat->fat_lba > FIRST && fat->fat_lba + fat->fat_sectors <= fat->data_lba,
          "the FAT is between the boot sector and the clusters");
    claim(fat->data_lba < end && clusters <= end - fat->data_lba,
          "the clusters are in the partition");
    claim(fat->cluster_count > 0, "there are clusters");
    claim(fat->root_lba + fat->root_sectors <= fat->data_lba,
          "the root directory is before the clusters");
    claim((fat->entry_bits == 12 && fat->cluster_count < 4085) ||
              (fat->entry_bits == 16 && fat->cluster_count >= 4085 &&
               fat->cluster_count < 65525) ||
              (fat->entry_bits == 32 && fat->cluster_count >= 65525),
          "the number of clusters tells the type");
}

/* What follows a cluster, bit for bit. */
static uint32_t next_plainly(const struct fat *fat, uint32_t cluster)
{
    uint32_t next = 0;

    for (uint32_t bit = 0; bit < fat->entry_bits && bit < 28; bit++) {
        const uint64_t at = (uint64_t)cluster * fat->entry_bits + bit;
        uint8_t byte;
        copy(&byte, (fat->fat_lba - FIRST) * DISK_SECTOR + at / 8, 1);
        next |= (uint32_t)(byte >> at % 8 & 1) << bit;
    }
    return next;
}

static void check_runs(struct fat *fat, struct fat_file *file, uint64_t most)
{
    const uint64_t sectors = ((uint64_t)file->size + DISK_SECTOR - 1) / DISK_SECTOR;
    uint32_t cluster = file->first_cluster;
    uint64_t lba, count;
    int runs = 0;

    for (uint64_t at = 0; at < sectors && runs < RUNS_MOST; runs++) {
        const enum fat_status status = fat_find_run(fat, file, at, most, &lba, &count);
        if (status != FAT_OK) {
            claim(status >= FAT_CHAIN_ENDS && status < FAT_STATUS_COUNT,
                  "only the chain can be wrong now");
            return;
        }
        claim(count >= 1 && count <= most && count <= sectors - at,
              "a run is neither empty nor too long");
        for (; count > 0; count--, at++, lba++) {
            const uint64_t offset = at % fat->cluster_sectors;
            if (offset == 0 && at > 0) {
                cluster = next_plainly(fat, cluster);
            }
            claim(cluster >= 2 && cluster - 2 < fat->cluster_count, "a cluster exists");
            claim(lba == fat->data_lba + (uint64_t)(cluster - 2) * fat->cluster_sectors +
                             offset,
                  "a run is where its cluster is");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fat fat; /* what the input before left in it must not matter */
    const struct disk disk = {read_sectors, &input};
    struct fat_file file;

    if (size < HEAD_SIZE) {
        return 0;
    }
    input.count = 1 + (number(data, 3) & COUNT_MASK);
    input.pieces = data + HEAD_SIZE;
    input.size = size - HEAD_SIZE;

    enum fat_status status = fat_mount(&fat, &disk, FIRST, input.count);
    if (status == FAT_OK) {
        check_layout(&fat);
        status = fat_find(&fat, NAME, &file);
    }
    claim(status < FAT_STATUS_COUNT, "a status is one of those that fat.h names");
    claim(strlen(fat_sentence(status)) <= 200, "a sentence is short");
    if (status == FAT_OK) {
        check_runs(&fat, &file, 1 + data[3]);
    }
    free(input.sectors);
    input.sectors = NULL;
    return 0;
}
