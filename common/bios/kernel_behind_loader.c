/* kernel_behind_loader.c -- the kernel's file, where the build has laid it: behind us */
#include "kernel_file.h"

#include "loading.h"

#define SIZE_MOST (4ull << 30)

/* What the build writes into the sector before the file (common/make/image.py). */
struct kernel_head {
    uint64_t magic;
    uint64_t size;     /* of the file, in bytes */
    uint64_t checksum; /* as kernel_file.h says */
};
#define KERNEL_HEAD_MAGIC 0x454c49464c454b46 /* "FKELFILE", read little-endian */

static const struct bios *bios;
static struct kernel_head head;

uint64_t kernel_file_find(const struct bios *services)
{
    bios = services;
    bios->read(bios->kernel_lba, 1);
    head = *(const struct kernel_head *)DISK_BUFFER;
    if (head.magic != KERNEL_HEAD_MAGIC || head.size > SIZE_MOST) {
        fail("There is no kernel on the boot disk: write the image again.");
    }
    return head.size;
}

uint64_t kernel_file_read(uint64_t first, uint64_t most)
{
    bios->read(bios->kernel_lba + 1 + first, most);
    return most;
}

bool kernel_file_is_intact(uint64_t sum)
{
    return sum == head.checksum;
}
