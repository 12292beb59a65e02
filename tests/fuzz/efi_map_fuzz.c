/* sources: common/efi/efi_map.c common/loader/memory_map.c */
/*
 * efi_map_fuzz.c -- whatever the firmware's map says, ours gives away no more
 *
 * The input is one byte for the size of a descriptor, then the firmware's map, byte by
 * byte. Our map is asked about each page where a descriptor begins or ends, and compared
 * with what all the descriptors say of it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efi_map.h"

#define MOST 128 /* descriptors of an input */
#define SMALLEST 40
#define END (1ull << 52)
#define PAGE ((uint64_t)MEMORY_PAGE)
#define WB 0x8ull
#define SP 0x40000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the UEFI specification has it, "EFI_BOOT_SERVICES.GetMemoryMap()". */
struct descriptor {
    uint32_t type;
    uint64_t physical, virtual, pages, attributes;
};

static struct memory_range ranges[2 * MOST + 3];
static struct memory_map map;
static struct descriptor said[MOST];
static size_t count;

static void check(bool right, const char *sentence)
{
    if (!right) {
        fprintf(stderr, "efi_map: %s\n", sentence);
        __builtin_trap();
    }
}

/* The type that a descriptor gives to each page that it touches. */
static enum memory_type type_of(const struct descriptor *one)
{
    switch (one->type) {
    case 1: case 2: case 3: case 4: case 7:
        return (one->attributes & (WB | SP)) == WB ? MEMORY_USABLE : MEMORY_RESERVED;
    case 5: case 6:
        return MEMORY_EFI_RUNTIME;
    case 8:
        return MEMORY_BAD;
    case 9:
        return MEMORY_ACPI_RECLAIMABLE;
    case 10:
        return MEMORY_ACPI_NVS;
    }
    return MEMORY_RESERVED;
}

/* The last byte of a descriptor with pages, without a sum that may wrap. */
static uint64_t last_of(const struct descriptor *one)
{
    const uint64_t most = (UINT64_MAX - one->physical) / PAGE;
    return one->pages <= most ? one->physical + one->pages * PAGE - 1 : UINT64_MAX;
}

static uint32_t type_said(uint64_t page)
{
    uint32_t type = page == 0 ? MEMORY_RESERVED : 0;

    for (size_t i = 0; i < count && page != 0; i++) {
        if (said[i].pages == 0) {
            continue;
        }
        const uint64_t first = said[i].physical, last = last_of(&said[i]);
        const bool all = first <= page && last >= page + (PAGE - 1);
        const bool some = first <= page + (PAGE - 1) && last >= page;
        const uint32_t its = type_of(&said[i]);
        if (its > type && (its == MEMORY_USABLE ? all : some)) {
            type = its;
        }
    }
    return type;
}

static uint32_t type_in_map(uint64_t page)
{
    for (uint32_t i = 0; i < map.count; i++) {
        if (page >= ranges[i].base && page - ranges[i].base < ranges[i].length) {
            return ranges[i].type;
        }
    }
    return 0;
}

static void check_near(uint64_t address)
{
    for (uint64_t near = 0; near < 3; near++) {
        const uint64_t page = (address + near * PAGE - PAGE) / PAGE * PAGE;
        check(page >= END || type_in_map(page) == type_said(page),
              "a page is of another type than the descriptors say");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* Multiples of 8, some of them too small. */
    const size_t step = data[0] % 9 * 8;
    data++;
    size--;
    count = 0;
    for (size_t at = 0; step >= SMALLEST && size - at >= step; at += step) {
        if (count == MOST) {
            return 0;
        }
        memcpy(&said[count++], data + at, sizeof said[0]);
    }

    /* Exactly as large: the sanitizer watches what is behind. */
    void *const bytes = malloc(size > 0 ? size : 1);
    memcpy(bytes, data, size);
    memory_map_begin(&map, ranges, (uint32_t)(2 * count + 3) + (count == 0), END);
    efi_map_add(&map, bytes, size, step);
    free(bytes);

    check(count > 0 || map.count == 1, "a map without descriptors says something");
    for (size_t i = 0; i < count; i++) {
        check_near(said[i].physical);
        check_near(said[i].pages > 0 ? last_of(&said[i]) : said[i].physical);
    }
    return 0;
}
