/*
 * disk.h -- how those who read a disk's structures get at its sectors
 *
 * They call no firmware themselves: the same source is in the BIOS loader and in the
 * tests of the host.
 */
#pragma once

#include <stdint.h>

#define DISK_SECTOR 512    /* bytes; all sectors here are of this size */
#define DISK_READ_MOST 127 /* sectors in one call, as in one of the BIOS */

struct disk {
    /*
     * Read `sectors`, 1 to DISK_READ_MOST, from `lba` on, or halt with a sentence: a call
     * that returns was good. Returns their bytes, at a multiple of 8. They stay until the
     * next call.
     */
    const void *(*read)(void *context, uint64_t lba, uint32_t sectors);
    void *context;
};

static inline const void *disk_read(const struct disk *disk, uint64_t lba,
                                    uint32_t sectors)
{
    return disk->read(disk->context, lba, sectors);
}
