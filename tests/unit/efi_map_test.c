/*
 * efi_map_test.c -- run common/efi/efi_map.c on this computer
 *
 * The firmware's descriptors are made here, and memory_map.c takes what becomes of them.
 * Maps at random are compared with a model that asks for each page what each descriptor
 * says of it.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efi_map.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PAGE 4096ull
#define MIB (1ull << 20)
#define END (1ull << 52)

/* As the UEFI specification has it, "EFI_BOOT_SERVICES.GetMemoryMap()". */
struct descriptor {
    uint32_t type;
    uint64_t physical;
    uint64_t virtual;
    uint64_t pages;
    uint64_t attributes;
};

#define WB 0x8ull        /* can be cached as usual */
#define SP 0x40000ull    /* set aside for a purpose */
#define OTHERS 0xf0c7ull /* bits that mean nothing to a loader */

#define LARGE (1ull << 22) /* pages: 16 GiB */
#define MOST 40            /* descriptors of a map */

static struct memory_range ranges[2 * MOST + 3];
static struct memory_map map;
static char where[80]; /* which test this is, for the sentence */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        for (uint32_t i = 0; i < map.count; i++) {
            printf("  0x%014llx, 0x%014llx bytes, type %u\n",
                   (unsigned long long)ranges[i].base,
                   (unsigned long long)ranges[i].length, ranges[i].type);
        }
        exit(1);
    }
}

/*
 * Make the map of so many descriptors, `step` bytes one from the other, with `tail` bytes
 * behind the last. They lie in memory of exactly their size: the sanitizer watches what
 * is behind them.
 */
static void make(const struct descriptor *list, size_t count, size_t step, size_t tail)
{
    const size_t size = count * step + tail;
    unsigned char *const bytes = malloc(size > 0 ? size : 1);

    memset(bytes, 0xa5, size);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * step, &list[i], step < sizeof *list ? step : sizeof *list);
    }
    memory_map_begin(&map, ranges, COUNT(ranges), END);
    efi_map_add(&map, bytes, size, step);
    free(bytes);
}

static void check_range(uint32_t index, uint64_t base, uint64_t end, uint32_t type)
{
    check(index < map.count && ranges[index].base == base &&
              ranges[index].length == end - base && ranges[index].type == type,
          "a range is another one than expected");
}

/* ---- by hand ----------------------------------------------------------------------- */

static const struct {
    uint32_t efi;
    enum memory_type ours;
} types[] = {
    {0, MEMORY_RESERVED},         {1, MEMORY_USABLE}, /* the loader's code and data */
    {2, MEMORY_USABLE},           {3, MEMORY_USABLE}, /* the boot services' */
    {4, MEMORY_USABLE},           {5, MEMORY_EFI_RUNTIME},
    {6, MEMORY_EFI_RUNTIME},      {7, MEMORY_USABLE}, /* conventional */
    {8, MEMORY_BAD},              {9, MEMORY_ACPI_RECLAIMABLE},
    {10, MEMORY_ACPI_NVS},        {11, MEMORY_RESERVED}, /* devices */
    {12, MEMORY_RESERVED},        {13, MEMORY_RESERVED},
    {14, MEMORY_RESERVED}, /* persistent */
    {15, MEMORY_RESERVED}, /* to be accepted first */
    {16, MEMORY_RESERVED},        {17, MEMORY_RESERVED}, {18, MEMORY_RESERVED},
    {19, MEMORY_RESERVED},        {20, MEMORY_RESERVED},
    {0x70000000, MEMORY_RESERVED}, /* a manufacturer's */
    {0x7fffffff, MEMORY_RESERVED}, {0x80000000, MEMORY_RESERVED}, /* a system's */
    {0xffffffff, MEMORY_RESERVED},
};

/* What is usable is so only if it can be cached, and is not set aside. */
static void test_every_type(void)
{
    static const uint64_t attributes[] = {
        WB, WB | OTHERS, 0, OTHERS, SP, WB | SP, WB | SP | OTHERS, UINT64_MAX, ~WB, ~SP};

    for (size_t i = 0; i < COUNT(types); i++) {
        for (size_t j = 0; j < COUNT(attributes); j++) {
            const struct descriptor one = {types[i].efi, MIB, 0, 3, attributes[j]};
            const bool good = (attributes[j] & WB) != 0 && (attributes[j] & SP) == 0;
            uint32_t type = types[i].ours;
            if (type == MEMORY_USABLE && !good) {
                type = MEMORY_RESERVED;
            }
            snprintf(where, sizeof where, "every type, type 0x%x, attributes 0x%llx",
                     types[i].efi, (unsigned long long)attributes[j]);
            make(&one, 1, 48, 0);
            check(map.count == 2, "there is more than page 0 and one range");
            check_range(1, MIB, MIB + 3 * PAGE, type);
        }
    }
}

/* The last one shows whether all before it were stepped over. */
static void test_descriptor_sizes(void)
{
    static const struct descriptor list[] = {
        {7, 4 * MIB, 0, LARGE, WB}, {10, 2 * MIB, 0, 2, WB}, {6, 3 * MIB, 0, 2, WB}};

    for (size_t step = 40; step <= 64; step += 8) {
        for (size_t tail = 0; tail < step; tail++) {
            make(list, COUNT(list), step, tail);
            check(map.count == 1 + COUNT(list), "too few ranges, or too many");
            check_range(1, 2 * MIB, 2 * MIB + 2 * PAGE, MEMORY_ACPI_NVS);
            check_range(2, 3 * MIB, 3 * MIB + 2 * PAGE, MEMORY_EFI_RUNTIME);
            check_range(3, 4 * MIB, 4 * MIB + LARGE * PAGE, MEMORY_USABLE);
        }
    }
    for (size_t step = 0; step < 40; step += 4) {
        make(list, COUNT(list), step, 200);
        check(map.count == 1, "descriptors that are too short were read");
    }
    make(list, 0, 48, 0);
    check(map.count == 1, "no descriptors are something");
}

static void test_broken_descriptors(void)
{
    static const struct descriptor list[] = {
        {7, 9 * MIB, 0, 0, WB},                     /* nothing */
        {0, 9 * MIB, 0, 0, WB},
        {7, 2 * MIB, 0, 512, WB},                   /* two that overlap, */
        {5, 3 * MIB, 0, 512, WB},
        {7, 2 * MIB, 0, 512, WB},                   /* and one that is there twice */
        {8, 3 * MIB + 5, 0, 1, WB},                 /* not at a page: it takes two */
        {11, 5 * MIB, 0, 1ull << 52, WB},           /* 2^64 bytes */
        {7, 0, 0, 256, WB},                         /* page 0 */
        {7, 6 * MIB, 0, (1ull << 52) + 1, WB},      /* one page, if a product may wrap */
        {10, 0xfffffffffffff000, 0, 2, WB},         /* wraps round to page 0 */
        {10, 4 * MIB + MIB / 2, 0, 1, WB},
    };

    make(list, COUNT(list), 48, 0);
    check(map.count == 8, "too few ranges, or too many");
    check_range(0, 0, PAGE, MEMORY_RESERVED);
    check_range(1, PAGE, MIB, MEMORY_USABLE);
    check_range(2, 2 * MIB, 3 * MIB, MEMORY_USABLE);
    check_range(3, 3 * MIB, 3 * MIB + 2 * PAGE, MEMORY_BAD);
    check_range(4, 3 * MIB + 2 * PAGE, 4 * MIB + MIB / 2, MEMORY_EFI_RUNTIME);
    check_range(5, 4 * MIB + MIB / 2, 4 * MIB + MIB / 2 + PAGE, MEMORY_ACPI_NVS);
    check_range(6, 4 * MIB + MIB / 2 + PAGE, 5 * MIB, MEMORY_EFI_RUNTIME);
    check_range(7, 5 * MIB, END, MEMORY_RESERVED);

    /* Free memory without an end is memory up to the end of all addresses. */
    make(&list[8], 1, 48, 0);
    check(map.count == 2, "too few ranges, or too many");
    check_range(1, 6 * MIB, END, MEMORY_USABLE);
}

/* ---- at random --------------------------------------------------------------------- */

#define PAGES 64 /* of the memory that most of the descriptors are about */

static uint64_t state = 0x45464921ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct descriptor any_descriptor(void)
{
    struct descriptor made = {
        .type = types[any() % COUNT(types)].efi,
        .physical = any() % PAGES * PAGE,
        .virtual = any(),
        .pages = any() % 12,
        .attributes = any() % 8 ? WB : any(),
    };

    if (any() % 8 == 0) {
        made.physical += any() % PAGE;
    }
    if (any() % 16 == 0) {
        made.pages = any();
    } else if (any() % 16 == 0) {
        made.pages |= 1ull << (52 + any() % 12);
    } else if (any() % 16 == 0) {
        made.physical |= any() << 52;
    }
    return made;
}

/* What one descriptor says of a page, 0: nothing. */
static uint32_t said(const struct descriptor *one, uint64_t page)
{
    typedef unsigned __int128 wide; /* no sum of these wraps */
    const wide begin = one->physical, end = begin + (wide)one->pages * PAGE;
    const bool all = begin <= page && end >= (wide)page + PAGE;
    const bool some = begin < (wide)page + PAGE && end > page && one->pages > 0;

    for (size_t i = 0; i < COUNT(types); i++) {
        if (types[i].efi == one->type && types[i].ours == MEMORY_USABLE &&
            (one->attributes & (WB | SP)) == WB) {
            return all ? MEMORY_USABLE : 0;
        }
        if (types[i].efi == one->type) {
            const bool usable = types[i].ours == MEMORY_USABLE;
            return !some ? 0 : usable ? MEMORY_RESERVED : types[i].ours;
        }
    }
    return some ? MEMORY_RESERVED : 0;
}

static uint32_t in_map(uint64_t page)
{
    for (uint32_t i = 0; i < map.count; i++) {
        if (page >= ranges[i].base && page - ranges[i].base < ranges[i].length) {
            return ranges[i].type;
        }
    }
    return 0;
}

static void test_at_random(void)
{
    for (int round = 0; round < 1000; round++) {
        struct descriptor list[MOST];
        const size_t count = any() % (MOST + 1), step = 40 + any() % 4 * 8;

        snprintf(where, sizeof where, "at random, round %d", round);
        for (size_t i = 0; i < count; i++) {
            list[i] = any_descriptor();
        }
        make(list, count, step, any() % step);
        for (uint64_t page = 0; page < 2 * PAGES * PAGE; page += PAGE) {
            uint32_t greatest = page == 0 ? MEMORY_RESERVED : 0;
            for (size_t i = 0; page != 0 && i < count; i++) {
                const uint32_t type = said(&list[i], page);
                greatest = type > greatest ? type : greatest;
            }
            check(in_map(page) == greatest, "a page is of another type than expected");
        }
    }
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"every type", test_every_type},
        {"descriptor sizes", test_descriptor_sizes},
        {"broken descriptors", test_broken_descriptors},
        {"at random", test_at_random},
    };
    /* All of them, or the one that is named. */
    bool found = false;
    for (size_t i = 0; i < COUNT(tests); i++) {
        if (count < 2 || strcmp(arguments[1], tests[i].name) == 0) {
            snprintf(where, sizeof where, "%s", tests[i].name);
            tests[i].run();
            found = true;
        }
    }
    if (!found) {
        fprintf(stderr, "efi_map_test: no test %s\n", arguments[1]);
        return 2;
    }
    return 0;
}
