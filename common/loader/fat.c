/*
 * fat.c -- from the boot sector of a FAT file system to the sectors of a file
 *
 * Source: "Microsoft Extensible Firmware Initiative FAT32 File System Specification"
 * (fatgen103), "Boot Sector and BPB", "FAT Type Determination", "FAT Data Structure",
 * "FAT Directory Structure".
 */
#include "fat.h"

#include <stdbool.h>
#include <stddef.h>

#include "fat_format.h"
#include "memory.h"

#define BITS_PER_SECTOR (8 * DISK_SECTOR)
#define ENTRIES_PER_SECTOR (DISK_SECTOR / sizeof(struct fat_directory_entry))
#define DIRECTORY_PIECE 8 /* sectors in one read: most directories need no more */
#define DIRECTORY_MOST (65536 / ENTRIES_PER_SECTOR) /* sectors that one may have */

_Static_assert((FAT16_CLUSTERS_LEAST - 1 + FAT_FIRST_CLUSTER) * 12 <= 8 * FAT_WINDOW &&
                   FAT_WINDOW_SECTORS <= DISK_READ_MOST,
               "fat: a window must hold all of FAT12, and be read in one call");

static bool is_possible(const struct fat_boot_sector *boot);
static enum fat_status lay_out(struct fat *fat, const struct fat_boot_sector *boot,
                               uint64_t first, uint64_t count);
static void set_type(struct fat *fat);
static enum fat_status check_cluster(const struct fat *fat, uint32_t cluster);
static enum fat_status follow(struct fat *fat, uint32_t *cluster);

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static uint64_t lba_of(const struct fat *fat, uint32_t cluster)
{
    return fat->data_lba + (uint64_t)(cluster - FAT_FIRST_CLUSTER) * fat->cluster_sectors;
}

/* ---- the file system -------------------------------------------------------------- */

enum fat_status fat_mount(struct fat *fat, const struct disk *disk, uint64_t first,
                          uint64_t count)
{
    const struct fat_boot_sector *boot = disk_read(disk, first, 1);

    if (boot->signature != FAT_SIGNATURE) {
        return FAT_NO_SIGNATURE;
    }
    if (!is_possible(boot)) {
        return FAT_BAD_BOOT_SECTOR;
    }
    fat->disk = disk;
    fat->window_lba = 0;
    enum fat_status status = lay_out(fat, boot, first, count);
    if (status != FAT_OK) {
        return status;
    }
    set_type(fat);
    const bool is_fat32 = boot->fat_sectors_16 == 0;
    if (is_fat32 != (fat->entry_bits == 32)) {
        return FAT_WRONG_TYPE;
    }
    /* The last cluster's entry must be in the FAT, too. */
    if ((fat->cluster_count + (uint64_t)FAT_FIRST_CLUSTER) * fat->entry_bits >
        fat->fat_sectors * BITS_PER_SECTOR) {
        return FAT_BAD_LAYOUT;
    }
    fat->root_cluster = is_fat32 ? boot->root_cluster : 0;
    if (is_fat32 && check_cluster(fat, fat->root_cluster) != FAT_OK) {
        return FAT_BAD_BOOT_SECTOR;
    }
    return FAT_OK;
}

/*
 * Check what each number of a boot sector must be, whatever the others are. As UEFI's
 * driver does, we refuse a FAT32 whose copies of the FAT are not kept alike.
 */
static bool is_possible(const struct fat_boot_sector *boot)
{
    if (boot->fat_sectors_16 == 0 &&
        (boot->version != 0 || boot->root_entries != 0 ||
         (boot->flags & FAT_NOT_MIRRORED) != 0)) {
        return false;
    }
    return is_power_of_two(boot->bytes_per_sector) &&
           boot->bytes_per_sector >= FAT_SECTOR_LEAST &&
           boot->bytes_per_sector <= FAT_SECTOR_MOST &&
           is_power_of_two(boot->sectors_per_cluster) && boot->reserved_sectors != 0 &&
           boot->fat_count != 0;
}

/*
 * Compute where everything lies. The numbers of a boot sector have at most 32 bits: no
 * sum or product of theirs can wrap here.
 */
static enum fat_status lay_out(struct fat *fat, const struct fat_boot_sector *boot,
                               uint64_t first, uint64_t count)
{
    const uint64_t scale = boot->bytes_per_sector / DISK_SECTOR;
    const uint64_t total = scale * (boot->total_sectors_16 != 0 ? boot->total_sectors_16
                                                                : boot->total_sectors_32);
    const uint64_t reserved = scale * boot->reserved_sectors;
    const uint64_t root =
        (boot->root_entries + ENTRIES_PER_SECTOR - 1) / ENTRIES_PER_SECTOR;

    fat->fat_sectors = scale * (boot->fat_sectors_16 != 0 ? boot->fat_sectors_16
                                                          : boot->fat_sectors_32);
    const uint64_t root_offset = reserved + boot->fat_count * fat->fat_sectors;
    /* It takes whole sectors, of the file system's size. */
    const uint64_t data_offset = root_offset + (root + scale - 1) / scale * scale;

    if (total > count) {
        return FAT_BEYOND_PARTITION;
    }
    fat->cluster_sectors = (uint32_t)scale * boot->sectors_per_cluster;
    if (data_offset > total || total - data_offset < fat->cluster_sectors) {
        return FAT_BAD_LAYOUT;
    }
    const uint64_t clusters = (total - data_offset) / fat->cluster_sectors;
    if (clusters > FAT32_CLUSTERS_MOST) {
        return FAT_BAD_LAYOUT;
    }
    fat->fat_lba = first + reserved;
    fat->root_lba = first + root_offset;
    fat->root_sectors = root;
    fat->data_lba = first + data_offset;
    fat->cluster_count = (uint32_t)clusters;
    return FAT_OK;
}

static void set_type(struct fat *fat)
{
    if (fat->cluster_count < FAT16_CLUSTERS_LEAST) {
        fat->entry_bits = 12;
        fat->entry_mask = 0xfff;
    } else if (fat->cluster_count < FAT32_CLUSTERS_LEAST) {
        fat->entry_bits = 16;
        fat->entry_mask = 0xffff;
    } else {
        fat->entry_bits = 32;
        fat->entry_mask = 0x0fffffff;
    }
}

/* ---- chains ----------------------------------------------------------------------- */

/* Returns what the FAT says of a cluster that exists. */
static uint32_t entry_of(struct fat *fat, uint32_t cluster)
{
    const uint64_t bit = (uint64_t)cluster * fat->entry_bits;
    const uint64_t window = bit / 8 / FAT_WINDOW * FAT_WINDOW_SECTORS;
    const uint64_t lba = fat->fat_lba + window;
    uint32_t entry;

    if (fat->window_lba != lba) {
        const uint64_t sectors = smaller(fat->fat_sectors - window, FAT_WINDOW_SECTORS);
        memcpy(fat->window, disk_read(fat->disk, lba, (uint32_t)sectors),
               sectors * DISK_SECTOR);
        fat->window_lba = lba;
    }
    /* Built in: one instruction. An entry may begin at any byte, or within one. */
    __builtin_memcpy(&entry, fat->window + bit / 8 % FAT_WINDOW, sizeof entry);
    return entry >> bit % 8 & fat->entry_mask;
}

/* What is a cluster's number, or would be one if it were not a mark? */
static enum fat_status check_cluster(const struct fat *fat, uint32_t cluster)
{
    if (cluster >= FAT_END(fat->entry_mask)) {
        return FAT_CHAIN_ENDS;
    }
    if (cluster == FAT_BAD(fat->entry_mask)) {
        return FAT_CHAIN_BAD;
    }
    if (cluster == FAT_FREE) {
        return FAT_CHAIN_FREE;
    }
    if (cluster < FAT_FIRST_CLUSTER ||
        cluster - FAT_FIRST_CLUSTER >= fat->cluster_count) {
        return FAT_CHAIN_OUTSIDE;
    }
    return FAT_OK;
}

/* Go to the next cluster of a chain. */
static enum fat_status follow(struct fat *fat, uint32_t *cluster)
{
    *cluster = entry_of(fat, *cluster);
    return check_cluster(fat, *cluster);
}

/* ---- the root directory ----------------------------------------------------------- */

static enum fat_status open_file(const struct fat *fat,
                                 const struct fat_directory_entry *entry,
                                 struct fat_file *file)
{
    const uint32_t cluster = (uint32_t)entry->cluster_high << 16 | entry->cluster_low;

    file->size = entry->size;
    file->first_cluster = file->cluster = cluster & fat->entry_mask;
    file->index = 0;
    if (file->size == 0) {
        return FAT_OK;
    }
    /* A chain has each cluster once at most, so it would end. */
    const uint64_t cluster_size = (uint64_t)fat->cluster_sectors * DISK_SECTOR;
    if (file->size > fat->cluster_count * cluster_size) {
        return FAT_CHAIN_ENDS;
    }
    return check_cluster(fat, file->first_cluster);
}

/*
 * Look for a file in some sectors of the directory. *is_done becomes true if it is there,
 * and its status is returned, or if the directory ends.
 */
static enum fat_status search(const struct fat *fat, uint64_t lba, uint64_t sectors,
                              const char *name, struct fat_file *file, bool *is_done)
{
    while (sectors > 0) {
        const uint64_t piece = smaller(sectors, DIRECTORY_PIECE);
        const struct fat_directory_entry *entry =
            disk_read(fat->disk, lba, (uint32_t)piece);
        for (uint64_t left = piece * ENTRIES_PER_SECTOR; left > 0; left--, entry++) {
            *is_done = entry->name[0] == FAT_NO_MORE_ENTRIES;
            if (*is_done) {
                return FAT_NO_FILE;
            }
            *is_done = (entry->attributes & (FAT_VOLUME_ID | FAT_DIRECTORY)) == 0 &&
                       memcmp(entry->name, name, sizeof entry->name) == 0;
            if (*is_done) {
                return open_file(fat, entry, file);
            }
        }
        lba += piece;
        sectors -= piece;
    }
    return FAT_NO_FILE;
}

enum fat_status fat_find(struct fat *fat, const char *name, struct fat_file *file)
{
    bool is_done = false;

    if (fat->root_cluster == 0) {
        return search(fat, fat->root_lba, fat->root_sectors, name, file, &is_done);
    }
    uint32_t cluster = fat->root_cluster;
    for (uint32_t done = 0; done < DIRECTORY_MOST; done += fat->cluster_sectors) {
        enum fat_status status = search(fat, lba_of(fat, cluster), fat->cluster_sectors,
                                        name, file, &is_done);
        if (is_done) {
            return status;
        }
        status = follow(fat, &cluster);
        if (status != FAT_OK) {
            return status == FAT_CHAIN_ENDS ? FAT_NO_FILE : status;
        }
    }
    return FAT_CHAIN_LOOPS;
}

/* ---- files ------------------------------------------------------------------------ */

/* Does the chain end, at the cluster where the file does, or later? */
static enum fat_status check_end(struct fat *fat, const struct fat_file *file)
{
    uint32_t cluster = file->cluster;

    for (uint32_t index = file->index; index < fat->cluster_count; index++) {
        const enum fat_status status = follow(fat, &cluster);
        if (status != FAT_OK) {
            return status == FAT_CHAIN_ENDS ? FAT_OK : status;
        }
    }
    return FAT_CHAIN_LOOPS;
}

/* Move the cursor to the cluster that `index` others lie before. */
static enum fat_status seek(struct fat *fat, struct fat_file *file, uint64_t index)
{
    if (index < file->index) {
        file->cluster = file->first_cluster;
        file->index = 0;
    }
    while (file->index < index) {
        uint32_t next = file->cluster;
        const enum fat_status status = follow(fat, &next);
        if (status != FAT_OK) {
            return status;
        }
        file->cluster = next;
        file->index++;
    }
    return FAT_OK;
}

enum fat_status fat_find_run(struct fat *fat, struct fat_file *file, uint64_t sector,
                             uint64_t most, uint64_t *lba, uint64_t *count)
{
    const uint64_t sectors = ((uint64_t)file->size + DISK_SECTOR - 1) / DISK_SECTOR;
    const uint64_t left = sectors - sector;
    const uint64_t wanted = smaller(left, most);
    const uint64_t offset = sector % fat->cluster_sectors;

    enum fat_status status = seek(fat, file, sector / fat->cluster_sectors);
    if (status != FAT_OK) {
        return status;
    }
    *lba = lba_of(fat, file->cluster) + offset;
    uint64_t found = fat->cluster_sectors - offset;
    while (found < wanted) {
        uint32_t next = file->cluster;
        status = follow(fat, &next);
        if (status != FAT_OK) {
            return status;
        }
        if (next != file->cluster + 1) {
            break;
        }
        file->cluster = next;
        file->index++;
        found += fat->cluster_sectors;
    }
    *count = smaller(found, wanted);
    return *count == left ? check_end(fat, file) : FAT_OK;
}

const char *fat_sentence(enum fat_status status)
{
    /* No default: so the compiler warns of a status that has no sentence. */
    switch (status) {
    case FAT_NO_SIGNATURE:
        return "The EFI system partition has no file system: write the image again.";
    case FAT_BAD_BOOT_SECTOR:
        return "The EFI system partition's file system is not FAT12, FAT16 or FAT32, or "
               "its boot sector is damaged: write the image again.";
    case FAT_BEYOND_PARTITION:
        return "The EFI system partition is smaller than the file system in it: write "
               "the image again.";
    case FAT_BAD_LAYOUT:
        return "The EFI system partition's boot sector is damaged, its numbers do not "
               "fit each other: write the image again.";
    case FAT_WRONG_TYPE:
        return "The EFI system partition has too few clusters for FAT32, or too many for "
               "FAT16: format it again, with FAT32 from 34 MiB on.";
    case FAT_NO_FILE:
        return "There is no file kernel.elf in the root directory of the EFI system "
               "partition: copy it there.";
    case FAT_CHAIN_ENDS:
        return "The file kernel.elf is shorter than its directory says: delete it, and "
               "copy it to the EFI system partition again.";
    case FAT_CHAIN_LOOPS:
        return "The EFI system partition is damaged, a chain of clusters has no end: "
               "write the image again.";
    case FAT_CHAIN_FREE:
        return "The EFI system partition is damaged, a chain of clusters leads to a free "
               "one: write the image again.";
    case FAT_CHAIN_BAD:
        return "The EFI system partition is damaged, a chain of clusters leads to one "
               "that is marked bad: write the image again.";
    case FAT_CHAIN_OUTSIDE:
        return "The EFI system partition is damaged, a chain of clusters leads out of "
               "it: write the image again.";
    case FAT_OK:
    case FAT_STATUS_COUNT:
        break;
    }
    return "The EFI system partition has nothing wrong with it.";
}
