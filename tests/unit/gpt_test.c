/*
 * gpt_test.c -- what common/loader/gpt.c makes of partition tables
 *
 * usage: gpt_test             print the sentence of each status, one a line
 *        gpt_test IMAGE...    find the EFI system partition of disks
 *
 * Prints a line for each disk: the status, how many reads it took and, of a good table,
 * the first sector of the partition and how many it has.
 *
 * What the disk's read() returns has exactly its size, and is freed at the next call:
 * with ASan, a byte too far or too late ends the program. So does a read beyond the disk.
 */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpt.h"

struct image {
    int file;
    void *sectors; /* those of the last read */
    unsigned reads;
};

static const void *read_sectors(void *context, uint64_t lba, uint32_t sectors)
{
    struct image *image = context;
    const size_t size = (size_t)sectors * DISK_SECTOR;

    free(image->sectors);
    image->sectors = malloc(size);
    image->reads++;
    if (sectors < 1 || sectors > DISK_READ_MOST || image->sectors == NULL ||
        lba > INT64_MAX / DISK_SECTOR ||
        pread(image->file, image->sectors, size, (off_t)(lba * DISK_SECTOR)) !=
            (ssize_t)size) {
        printf("no read of %" PRIu32 " sectors from %" PRIu64 " on\n", sectors, lba);
        exit(1);
    }
    return image->sectors;
}

static void test(const char *name)
{
    struct image image = {.file = open(name, O_RDONLY)};
    const struct disk disk = {read_sectors, &image};
    uint64_t first, count;

    const enum gpt_status status = gpt_find_system_partition(&disk, &first, &count);
    printf("status=%d reads=%u", (int)status, image.reads);
    if (status == GPT_OK) {
        printf(" first=%" PRIu64 " count=%" PRIu64, first, count);
    }
    putchar('\n');
    free(image.sectors);
    close(image.file);
}

int main(int count, char **arguments)
{
    if (count == 1) {
        for (int status = 0; status < GPT_STATUS_COUNT; status++) {
            puts(gpt_sentence((enum gpt_status)status));
        }
        return 0;
    }
    for (int i = 1; i < count; i++) {
        test(arguments[i]);
    }
    return 0;
}
