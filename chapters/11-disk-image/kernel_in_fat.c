/* kernel_in_fat.c -- the kernel's file, in the file system of the EFI system partition */
#include "kernel_file.h"

#include "fat.h"
#include "gpt.h"
#include "loading.h"

#define NAME "KERNEL  ELF" /* kernel.elf, as a directory of FAT has it */

static const struct bios *bios;
static struct fat fat;
static struct fat_file file;

static const void *read(void *context, uint64_t lba, uint32_t sectors)
{
    (void)context; /* there is one boot disk */
    bios->read(lba, sectors);
    return DISK_BUFFER;
}

static const struct disk disk = {.read = read};

static void must_be_found(enum fat_status status)
{
    if (status != FAT_OK) {
        fail(fat_sentence(status));
    }
}

uint64_t kernel_file_find(const struct bios *services)
{
    uint64_t first, count;

    bios = services;
    const enum gpt_status status = gpt_find_system_partition(&disk, &first, &count);
    if (status != GPT_OK) {
        fail(gpt_sentence(status));
    }
    must_be_found(fat_mount(&fat, &disk, first, count));
    must_be_found(fat_find(&fat, NAME, &file));
    return file.size;
}

uint64_t kernel_file_read(uint64_t first, uint64_t most)
{
    uint64_t lba, sectors;

    /* As far as the file's clusters follow each other on the disk. */
    must_be_found(fat_find_run(&fat, &file, first, most, &lba, &sectors));
    bios->read(lba, sectors);
    return sectors;
}

bool kernel_file_is_intact(uint64_t sum)
{
    (void)sum; /* a file system knows no checksum: anybody may put another kernel here */
    return true;
}
