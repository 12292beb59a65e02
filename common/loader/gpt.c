/*
 * gpt.c -- from the header of a partition table to one of its entries
 *
 * Source: UEFI specification, "GUID Partition Table (GPT) Disk Layout".
 */
#include "gpt.h"

#include <stdbool.h>

#include "gpt_format.h"
#include "memory.h"

/* Entries are read in pieces that hold whole ones, whatever their size is. */
#define PIECE_SECTORS 64
#define PIECE (PIECE_SECTORS * DISK_SECTOR)

_Static_assert(PIECE % GPT_ENTRY_MOST == 0 && PIECE_SECTORS <= DISK_READ_MOST,
               "gpt: a piece must hold whole entries, and be read in one call");

#define CRC32_POLYNOMIAL 0xedb88320 /* as in Ethernet and zip, its lowest bit first */

static enum gpt_status read_header(const struct disk *disk, struct gpt_header *header);
static bool find_entry(const struct disk *disk, const struct gpt_header *header,
                       uint64_t *first, uint64_t *last, uint32_t *crc);

enum gpt_status gpt_find_system_partition(const struct disk *disk, uint64_t *first,
                                          uint64_t *count)
{
    struct gpt_header header;
    uint64_t last;
    uint32_t crc;

    enum gpt_status status = read_header(disk, &header);
    if (status != GPT_OK) {
        return status;
    }
    const bool found = find_entry(disk, &header, first, &last, &crc);
    if (crc != header.partition_entry_array_crc32) {
        return GPT_BAD_ENTRIES;
    }
    if (!found) {
        return GPT_NO_PARTITION;
    }
    if (*first > last || *first < header.first_usable_lba ||
        last > header.last_usable_lba) {
        return GPT_BAD_PARTITION;
    }
    *count = last - *first + 1;
    return GPT_OK;
}

/* Returns `crc`, that of all bytes before, with some more; that of no bytes is 0. */
static uint32_t crc32(uint32_t crc, const void *bytes, uint32_t size)
{
    const uint8_t *byte = bytes;

    crc = ~crc;
    for (; size > 0; size--) {
        crc ^= *byte++;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
        }
    }
    return ~crc;
}

static bool has_good_checksum(const struct gpt_header *header)
{
    static const uint32_t zeros; /* in the place of header_crc32 */
    const uint32_t before = offsetof(struct gpt_header, header_crc32);
    const uint32_t behind = before + sizeof zeros;

    uint32_t crc = crc32(0, header, before);
    crc = crc32(crc, &zeros, sizeof zeros);
    crc = crc32(crc, (const uint8_t *)header + behind, header->header_size - behind);
    return crc == header->header_crc32;
}

static uint32_t sectors_of(uint64_t bytes)
{
    return (uint32_t)((bytes + DISK_SECTOR - 1) / DISK_SECTOR);
}

/* Does a table of this revision look so, with entries that we can read? */
static bool is_known(const struct gpt_header *header)
{
    const uint32_t size = header->size_of_partition_entry;
    const uint64_t bytes = (uint64_t)header->number_of_partition_entries * size;

    return header->revision == GPT_REVISION && header->my_lba == GPT_HEADER_LBA &&
           size >= GPT_ENTRY_SIZE && size <= GPT_ENTRY_MOST && (size & (size - 1)) == 0 &&
           bytes <= GPT_ENTRIES_MOST && header->partition_entry_lba > GPT_HEADER_LBA &&
           header->partition_entry_lba <= header->first_usable_lba &&
           sectors_of(bytes) <= header->first_usable_lba - header->partition_entry_lba;
}

static enum gpt_status read_header(const struct disk *disk, struct gpt_header *header)
{
    const struct gpt_header *there = disk_read(disk, GPT_HEADER_LBA, 1);

    if (there->signature != GPT_SIGNATURE) {
        return GPT_NO_TABLE;
    }
    if (there->header_size < GPT_HEADER_SIZE || there->header_size > DISK_SECTOR ||
        !has_good_checksum(there)) {
        return GPT_BAD_HEADER;
    }
    *header = *there;
    return is_known(header) ? GPT_OK : GPT_UNKNOWN;
}

/* Look at all entries, though the first one counts: *crc becomes their checksum. */
static bool find_entry(const struct disk *disk, const struct gpt_header *header,
                       uint64_t *first, uint64_t *last, uint32_t *crc)
{
    static const uint8_t type[16] = EFI_PART_TYPE_EFI_SYSTEM_PART_GUID;
    const uint32_t size = header->size_of_partition_entry;
    uint32_t left = header->number_of_partition_entries * size;
    uint64_t lba = header->partition_entry_lba;
    bool is_found = false;

    *first = *last = 0;
    *crc = 0;
    while (left > 0) {
        const uint32_t bytes = left < PIECE ? left : PIECE;
        const uint8_t *piece = disk_read(disk, lba, sectors_of(bytes));
        *crc = crc32(*crc, piece, bytes);
        for (uint32_t at = 0; at < bytes && !is_found; at += size) {
            const struct gpt_entry *entry = (const void *)(piece + at);
            if (memcmp(entry->partition_type_guid, type, sizeof type) == 0) {
                *first = entry->starting_lba;
                *last = entry->ending_lba;
                is_found = true;
            }
        }
        lba += PIECE_SECTORS;
        left -= bytes;
    }
    return is_found;
}

const char *gpt_sentence(enum gpt_status status)
{
    /* No default: so the compiler warns of a status that has no sentence. */
    switch (status) {
    case GPT_NO_TABLE:
        return "The boot disk has no partition table (GPT): write the image again.";
    case GPT_BAD_HEADER:
        return "The boot disk's partition table (GPT) is damaged, the checksum of its "
               "header is wrong: write the image again.";
    case GPT_UNKNOWN:
        return "The boot disk's partition table (GPT) is of a kind that is unknown here: "
               "write the image again.";
    case GPT_BAD_ENTRIES:
        return "The boot disk's partition table (GPT) is damaged, the checksum of its "
               "entries is wrong: write the image again.";
    case GPT_NO_PARTITION:
        return "The boot disk has no EFI system partition, where the kernel should be: "
               "write the image again.";
    case GPT_BAD_PARTITION:
        return "The boot disk's EFI system partition lies outside of what its partition "
               "table (GPT) calls usable: write the image again.";
    case GPT_OK:
    case GPT_STATUS_COUNT:
        break;
    }
    return "The boot disk's partition table has nothing wrong with it.";
}
