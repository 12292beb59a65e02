/* firmware_tables.c -- tables that a BIOS leaves in the first MiB, to be searched for */
#include "firmware_tables.h"

#include <stdbool.h>

#include "memory.h"

/* Where they may be. Each begins at a multiple of 16, with a word of its own. */
#define EBDA_SEGMENT 0x40e /* the BIOS data area says where the extended one begins */
#define EBDA_SIZE 0x400    /* of its beginning, where ACPI looks */
#define LOW_MEMORY_KIB 0x413   /* and how much memory the BIOS leaves below it */
#define LOW_MEMORY_LEAST 0x20000 /* less than that is no number that a BIOS means */
#define LOW_MEMORY_END 0xa0000
#define ROM_E0000 0xe0000
#define ROM_F0000 0xf0000
#define ROM_END 0x100000
#define PARAGRAPH 16

/* How large a table is at least, and which byte of it says how large it is. */
#define RSDP_WORD "RSD PTR "
#define RSDP_SIZE 20 /* of version 1, which each later one begins with */
#define SMBIOS2_SIZE 0x1e
#define SMBIOS2_LENGTH 5
#define SMBIOS3_SIZE 0x18
#define SMBIOS3_LENGTH 6

/*
 * A pointer to physical memory. By way of a volatile variable, because a compiler may
 * take an address that it knows, and that no variable of ours has, for a mistake.
 */
static const unsigned char *physical(uint64_t address)
{
    volatile uint64_t hidden = address;
    return (const unsigned char *)hidden;
}

static bool sum_is_zero(const unsigned char *bytes, unsigned size)
{
    unsigned char sum = 0;
    while (size > 0) {
        sum += bytes[--size];
    }
    return sum == 0;
}

/* Search [begin, end). length_at: which byte of a table says how long it is; 0: none. */
static uint64_t find(uint64_t begin, uint64_t end, const char *word, unsigned word_size,
                     unsigned size, unsigned length_at)
{
    const unsigned char *const memory = physical(0);

    for (uint64_t at = begin; at + size <= end; at += PARAGRAPH) {
        const unsigned char *table = memory + at;
        /* Nearly everywhere, the first letter already says no, without a call. */
        if (table[0] != word[0] || memcmp(table, word, word_size) != 0) {
            continue;
        }
        const unsigned length = length_at ? table[length_at] : size;
        if (length >= size && length <= end - at && sum_is_zero(table, length)) {
            return at;
        }
    }
    return 0;
}

/*
 * Returns an address below 640 KiB, out of a word of the BIOS data area that counts in
 * `unit` bytes. What cannot be meant gives 640 KiB: a BIOS may have left anything there.
 */
static uint64_t low_address(uint64_t word_at, uint64_t unit)
{
    const unsigned char *word = physical(word_at);
    const uint64_t address = (uint64_t)(word[0] | word[1] << 8) * unit;

    return address >= LOW_MEMORY_LEAST && address < LOW_MEMORY_END ? address
                                                                   : LOW_MEMORY_END;
}

uint64_t find_bios_data(void)
{
    const uint64_t ebda = low_address(EBDA_SEGMENT, PARAGRAPH);
    const uint64_t end = low_address(LOW_MEMORY_KIB, 1024);

    return ebda < end ? ebda : end;
}

uint64_t find_rsdp(void)
{
    const uint64_t ebda = low_address(EBDA_SEGMENT, PARAGRAPH);
    uint64_t rsdp = find(ebda, ebda + EBDA_SIZE, RSDP_WORD, 8, RSDP_SIZE, 0);

    return rsdp != 0 ? rsdp : find(ROM_E0000, ROM_END, RSDP_WORD, 8, RSDP_SIZE, 0);
}

uint64_t find_smbios(void)
{
    uint64_t version3 = find(ROM_F0000, ROM_END, "_SM3_", 5, SMBIOS3_SIZE,
                                   SMBIOS3_LENGTH);
    if (version3 != 0) {
        return version3;
    }
    return find(ROM_F0000, ROM_END, "_SM_", 4, SMBIOS2_SIZE, SMBIOS2_LENGTH);
}
