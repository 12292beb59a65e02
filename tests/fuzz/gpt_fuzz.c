/* sources: common/loader/gpt.c */
/*
 * gpt_fuzz.c -- any bytes at all as a partition table
 *
 * The input is a byte, a header, and then what is on the disk where the header says that
 * the entries are; all else is zeros. No fuzzer guesses a checksum: bits of the first
 * byte say which of the two are made right. What is found must be what the plainest loop
 * finds. What gpt.c gets to read has exactly its size, so ASan sees a byte too far.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpt.h"
#include "gpt_format.h"

#define HEADER_CHECKSUM (1 << 0)
#define ENTRIES_CHECKSUM (1 << 1)
#define SIZE_MOST (34u << 10) /* bytes of entries, a piece and a bit: more takes time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "gpt_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

static struct {
    uint8_t header[DISK_SECTOR];
    uint64_t entries_lba;
    const uint8_t *entries;
    size_t entries_size;
    uint8_t *sectors; /* those of the last read */
} input;

/* Returns a byte behind the header, where the entries begin with byte 0. */
static uint8_t entry_byte(uint64_t at)
{
    return at < input.entries_size ? input.entries[at] : 0;
}

static const void *read_sectors(void *context, uint64_t lba, uint32_t sectors)
{
    claim(context == &input, "the context is handed on");
    claim(sectors >= 1 && sectors <= DISK_READ_MOST, "a read is of 1 to 127 sectors");
    free(input.sectors);
    input.sectors = malloc((size_t)sectors * DISK_SECTOR); /* at a multiple of 8 */
    if (lba == GPT_HEADER_LBA) {
        claim(sectors == 1, "the header has a sector");
        return memcpy(input.sectors, input.header, DISK_SECTOR);
    }
    claim(lba >= input.entries_lba, "only the header and the entries are read");
    for (uint32_t i = 0; i < sectors * DISK_SECTOR; i++) {
        input.sectors[i] = entry_byte((lba - input.entries_lba) * DISK_SECTOR + i);
    }
    return input.sectors;
}

static uint32_t add_to_crc(uint32_t crc, uint8_t byte)
{
    for (int bit = 0; bit < 8; bit++, byte >>= 1) {
        const bool carry = (crc ^ byte) & 1;
        crc >>= 1;
        if (carry) {
            crc ^= 0xedb88320;
        }
    }
    return crc;
}

static uint64_t entries_size(const struct gpt_header *header)
{
    return (uint64_t)header->number_of_partition_entries *
           header->size_of_partition_entry;
}

static void set_checksums(unsigned which, struct gpt_header *header)
{
    uint32_t crc = UINT32_MAX;

    if (which & ENTRIES_CHECKSUM && entries_size(header) <= SIZE_MOST) {
        for (uint64_t i = 0; i < entries_size(header); i++) {
            crc = add_to_crc(crc, entry_byte(i));
        }
        header->partition_entry_array_crc32 = ~crc;
        memcpy(input.header, header, GPT_HEADER_SIZE);
    }
    if (which & HEADER_CHECKSUM && header->header_size <= DISK_SECTOR) {
        crc = UINT32_MAX;
        memset(input.header + 16, 0, 4);
        for (uint32_t i = 0; i < header->header_size; i++) {
            crc = add_to_crc(crc, input.header[i]);
        }
        header->header_crc32 = ~crc;
        memcpy(input.header, header, GPT_HEADER_SIZE);
    }
}

/* The first entry of the right type, by the plainest loop. */
static bool find_plainly(const struct gpt_header *header, struct gpt_entry *entry)
{
    static const uint8_t type[16] = EFI_PART_TYPE_EFI_SYSTEM_PART_GUID;

    for (uint32_t i = 0; i < header->number_of_partition_entries; i++) {
        for (uint32_t byte = 0; byte < sizeof *entry; byte++) {
            ((uint8_t *)entry)[byte] =
                entry_byte((uint64_t)i * header->size_of_partition_entry + byte);
        }
        if (memcmp(entry->partition_type_guid, type, sizeof type) == 0) {
            return true;
        }
    }
    return false;
}

static void check(const struct gpt_header *header, enum gpt_status status, uint64_t first,
                  uint64_t count)
{
    struct gpt_entry entry;
    const bool found = find_plainly(header, &entry);

    claim(found == (status != GPT_NO_PARTITION), "the partition is there, or not");
    if (status == GPT_OK) {
        claim(first == entry.starting_lba, "the partition begins where it should");
        claim(count - 1 == entry.ending_lba - first, "it has its sectors");
        claim(first >= header->first_usable_lba && first <= entry.ending_lba &&
                  entry.ending_lba <= header->last_usable_lba,
              "the partition is usable");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct disk disk = {read_sectors, &input};
    struct gpt_header header;
    uint64_t first, count;

    if (size < 1 + GPT_HEADER_SIZE) {
        return 0;
    }
    memset(input.header, 0, sizeof input.header);
    memcpy(input.header, data + 1, GPT_HEADER_SIZE);
    input.entries = data + 1 + GPT_HEADER_SIZE;
    input.entries_size = size - 1 - GPT_HEADER_SIZE;
    memcpy(&header, input.header, sizeof header);
    input.entries_lba = header.partition_entry_lba;
    if (entries_size(&header) > SIZE_MOST && entries_size(&header) <= GPT_ENTRIES_MOST) {
        return 0;
    }
    set_checksums(data[0], &header);

    const enum gpt_status status = gpt_find_system_partition(&disk, &first, &count);
    claim(status < GPT_STATUS_COUNT, "a status is one of those that gpt.h names");
    claim(strlen(gpt_sentence(status)) <= 200, "a sentence is short");
    if (status == GPT_OK || status == GPT_NO_PARTITION || status == GPT_BAD_PARTITION) {
        check(&header, status, first, count);
    }
    free(input.sectors);
    input.sectors = NULL;
    return 0;
}
