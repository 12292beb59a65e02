/*
 * fat_test.c -- what common/loader/fat.c makes of file systems
 *
 * usage: fat_test                                 print the sentence of each status
 *        fat_test BYTES {IMAGE FIRST COUNT}...    read KERNEL.ELF, of partitions
 *
 * Prints a line for each partition: the status of fat_mount(), of fat_find() and of
 * fat_find_run(); what was found; how many reads of the disk each of the three took. The
 * bytes of a good file are written to BYTES, one file after the other, and its runs are
 * asked for again, in another order.
 *
 * What the disk's read() returns has exactly its size, and is freed at the next call:
 * with ASan, a byte too far or too late ends the program. So does a run that is too short
 * or wrong, and a read outside of the partition, with a sentence.
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fat.h"

#define NAME "KERNEL  ELF"
#define MOST 889               /* sectors in a run, as many as the BIOS loader asks for */
#define OTHER_QUESTIONS 300    /* at random, for each file */
#define SMALL_MOST (16u << 20) /* bytes; of a larger file only the statuses are tested */

struct partition {
    int image;
    uint64_t first;
    uint64_t count;
    void *sectors; /* those of the last read */
    unsigned reads;
};

static const char *where; /* which image this is, for the sentence */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        exit(1);
    }
}

static const void *read_sectors(void *context, uint64_t lba, uint32_t sectors)
{
    struct partition *partition = context;
    const size_t size = (size_t)sectors * DISK_SECTOR;

    check(sectors >= 1 && sectors <= DISK_READ_MOST, "a read of no sectors, or too many");
    check(lba >= partition->first && lba - partition->first < partition->count &&
              sectors <= partition->count - (lba - partition->first),
          "a read outside of the partition");
    free(partition->sectors);
    partition->sectors = malloc(size);
    check(partition->sectors != NULL &&
              pread(partition->image, partition->sectors, size,
                    (off_t)(lba * DISK_SECTOR)) == (ssize_t)size,
          "the image cannot be read");
    partition->reads++;
    return partition->sectors;
}

/* Where each sector of the file is; NULL if that cannot be found out. */
static uint64_t *find_sectors(struct fat *fat, struct fat_file *file, uint64_t sectors,
                              enum fat_status *status)
{
    uint64_t *lbas = calloc(sectors > 0 ? sectors : 1, sizeof *lbas);
    uint64_t lba, count;

    *status = FAT_OK;
    for (uint64_t at = 0; at < sectors; at += count) {
        *status = fat_find_run(fat, file, at, MOST, &lba, &count);
        if (*status != FAT_OK) {
            /* It must stay so, and be seen from the other end, too. */
            check(fat_find_run(fat, file, at, MOST, &lba, &count) == *status &&
                      fat_find(fat, NAME, file) == FAT_OK &&
                      fat_find_run(fat, file, sectors - 1, 1, &lba, &count) == *status,
                  "the second time the status is another one");
            free(lbas);
            return NULL;
        }
        check(count >= 1 && count <= MOST && count <= sectors - at,
              "a run is empty, or too long");
        for (uint64_t i = 0; i < count; i++) {
            lbas[at + i] = lba + i;
        }
    }
    return lbas;
}

/* Ask for runs in any order, with any limit: they must be those that are known. */
static void ask_again(struct fat *fat, struct fat_file *file, const uint64_t *lbas,
                      uint64_t sectors)
{
    uint32_t random = 1;
    uint64_t lba, count;

    for (int i = 0; i < OTHER_QUESTIONS && sectors > 0; i++) {
        random = random * 1664525 + 1013904223;
        const uint64_t at = (random >> 8) % sectors;
        const uint64_t most = 1 + (random >> 4) % (i % 2 == 0 ? 300 : 3);
        check(fat_find_run(fat, file, at, most, &lba, &count) == FAT_OK,
              "a run is not found again");
        uint64_t expected = 1;
        while (expected < most && at + expected < sectors &&
               lbas[at + expected] == lbas[at] + expected) {
            expected++;
        }
        check(lba == lbas[at] && count == expected, "a run is another one now");
    }
}

static void write_file(const struct disk *disk, const uint64_t *lbas, size_t size,
                       FILE *bytes)
{
    for (; size > 0; lbas++) {
        const size_t here = size < DISK_SECTOR ? size : DISK_SECTOR;
        check(fwrite(disk_read(disk, *lbas, 1), 1, here, bytes) == here,
              "the bytes are not written");
        size -= here;
    }
}

static void read_file(struct fat *fat, struct fat_file *file, FILE *bytes)
{
    const uint64_t sectors = ((uint64_t)file->size + DISK_SECTOR - 1) / DISK_SECTOR;
    struct partition *partition = fat->disk->context;
    enum fat_status status;

    partition->reads = 0;
    uint64_t *lbas = find_sectors(fat, file, sectors, &status);
    printf(" run=%d run_reads=%u", (int)status, partition->reads);
    if (status != FAT_OK) {
        return;
    }
    if (file->size <= SMALL_MOST) {
        ask_again(fat, file, lbas, sectors);
        write_file(fat->disk, lbas, file->size, bytes);
    }
    free(lbas);
}

static void test(const char *image, const char *first, const char *count, FILE *bytes)
{
    struct partition partition = {
        .image = open(image, O_RDONLY),
        .first = strtoull(first, NULL, 10),
        .count = strtoull(count, NULL, 10),
    };
    const struct disk disk = {read_sectors, &partition};
    /* They keep what the test before left in them: fat.c must set all that it needs. */
    static struct fat fat;
    static struct fat_file file;

    where = image;
    enum fat_status status = fat_mount(&fat, &disk, partition.first, partition.count);
    printf("mount=%d mount_reads=%u", (int)status, partition.reads);
    if (status == FAT_OK) {
        printf(" bits=%" PRIu32 " clusters=%" PRIu32, fat.entry_bits, fat.cluster_count);
        partition.reads = 0;
        status = fat_find(&fat, NAME, &file);
        printf(" find=%d find_reads=%u", (int)status, partition.reads);
        if (status == FAT_OK) {
            printf(" size=%" PRIu32, file.size);
            read_file(&fat, &file, bytes);
        }
    }
    putchar('\n');
    free(partition.sectors);
    close(partition.image);
}

int main(int count, char **arguments)
{
    if (count == 1) {
        for (int status = 0; status < FAT_STATUS_COUNT; status++) {
            puts(fat_sentence((enum fat_status)status));
        }
        return 0;
    }
    FILE *bytes = fopen(arguments[1], "wb");
    if (bytes == NULL) {
        perror(arguments[1]);
        return 2;
    }
    for (int i = 2; i + 2 < count; i += 3) {
        test(arguments[i], arguments[i + 1], arguments[i + 2], bytes);
    }
    return fclose(bytes) == 0 ? 0 : 2;
}
