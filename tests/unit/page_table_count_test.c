/*
 * page_table_count_test.c -- run common/loader/page_table_count.c on this computer
 *
 * What it counts is compared with what page_table.c and address_space.c really take, of
 * tables that lie in an array here: never more, and not too many less.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_table_count.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define CPU_BITS 46

/* ---- tables ------------------------------------------------------------------------ */

#define ROOM 8192             /* tables */
#define MEMORY 0x100000000000 /* their physical address, if anybody asks */

static _Alignas(4096) unsigned char memory[ROOM][PAGE_SIZE];
static uint64_t taken;
static char where[80]; /* which test this is, for the sentence */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        exit(1);
    }
}

static uint64_t take_page(void *context)
{
    (void)context;
    check(taken < ROOM, "the test itself has too little room");
    return MEMORY + taken++ * PAGE_SIZE;
}

static struct page_table begin(bool gigabyte_pages)
{
    struct page_table table = {
        .allocate = take_page,
        .offset = (uintptr_t)memory - (uintptr_t)MEMORY,
        .no_execute = true,
        .gigabyte_pages = gigabyte_pages,
        .physical_bits = CPU_BITS,
    };

    taken = 0;
    check(page_table_begin(&table) == PAGE_OK && taken == 1, "there is no top table");
    return table;
}

/* ---- chance ------------------------------------------------------------------------ */

static uint64_t state = 0x5441424c4553ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Whole pages, at least one, less than 2^bits bytes: small ones as often as large ones.
 */
static uint64_t any_size(unsigned bits)
{
    const uint64_t size = any() % (1ull << (13 + any() % (bits - 12)));
    return (size & ~(PAGE_SIZE - 1)) + (size < PAGE_SIZE ? PAGE_SIZE : 0);
}

/* An address below 2^bits; every other one is near a place where a table ends. */
static uint64_t any_address(unsigned bits)
{
    static const uint64_t spans[] = {PAGE_SIZE_2M, PAGE_SIZE_1G, 512 * GIB};
    uint64_t address = any() % (1ull << bits) & ~(PAGE_SIZE - 1);

    if (any() % 2) {
        address &= ~(spans[any() % COUNT(spans)] - 1);
        address += any() % 5 * PAGE_SIZE;
        address -= address > 2 * PAGE_SIZE ? 2 * PAGE_SIZE : 0;
    }
    return address;
}

/* ---- one call of page_table_map() -------------------------------------------------- */

static uint64_t tables_for(uint64_t from, uint64_t to, uint64_t size, bool gigabyte_pages)
{
    struct page_table table = begin(gigabyte_pages);

    check(page_table_map(&table, from, to, size, 0) == PAGE_OK, "it cannot be mapped");
    return taken - 1;
}

/* The two bytes around each end of tables, and so all that can be the most. */
static void test_the_ends_of_tables(void)
{
    static const uint64_t sizes[] = {2 * PAGE_SIZE,
                                     PAGE_SIZE_2M,
                                     PAGE_SIZE_2M + PAGE_SIZE,
                                     PAGE_SIZE_2M + 2 * PAGE_SIZE,
                                     PAGE_SIZE_1G,
                                     PAGE_SIZE_1G + 2 * PAGE_SIZE,
                                     3 * PAGE_SIZE_1G};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (uint64_t apart = 0; apart < 2; apart++) {
            const uint64_t from = 512 * GIB - PAGE_SIZE, to = from - apart * PAGE_SIZE;
            const uint64_t there = tables_for(from, to, sizes[i], false);
            const uint64_t counted = page_table_count_for(from, to, sizes[i]);
            snprintf(where, sizeof where, "the ends of tables, 0x%llx bytes, %s",
                     (unsigned long long)sizes[i], apart ? "small pages" : "large pages");
            check(counted >= there, "more tables are needed");
        }
    }
    /* Here each level has one more at either end, and none can be spared. */
    snprintf(where, sizeof where, "the ends of tables, two pages");
    const uint64_t from = 512 * GIB - PAGE_SIZE;
    check(page_table_count_for(from, from, 2 * PAGE_SIZE) == 6 &&
              tables_for(from, from, 2 * PAGE_SIZE, false) == 6,
          "they need six tables, and so many are counted");
}

static void test_one_call(void)
{
    for (int round = 0; round < 3000; round++) {
        const bool gigabyte_pages = any() % 2;
        const uint64_t size = any_size(35), from = any_address(45);
        uint64_t to = any_address(45);

        if (any() % 2) {
            to = (to & ~(PAGE_SIZE_2M - 1)) + from % PAGE_SIZE_2M;
        } else if (size > GIB / 4) {
            continue; /* a table for each 2 MiB would be too many for us */
        }
        snprintf(where, sizeof where, "one call, round %d", round);
        const uint64_t there = tables_for(from, to, size, gigabyte_pages);
        const uint64_t counted = page_table_count_for(from, to, size);
        check(counted >= there, "more tables are needed");
        check(gigabyte_pages || counted <= there + 6, "more than six are to spare");
    }
}

/* ---- a kernel and its memory ------------------------------------------------------- */

#define RANGES 24

static struct memory_range ranges[2 * RANGES + 3];

static struct memory_map any_map(bool gigabyte_pages)
{
    struct memory_map map;
    const size_t count = 1 + any() % RANGES;

    memory_map_begin(&map, ranges, COUNT(ranges), 1ull << CPU_BITS);
    for (size_t i = 0; i < count; i++) {
        const unsigned bits = any() % 2 ? 30 : gigabyte_pages ? 45 : 36;
        memory_map_add(&map, any_address(bits), any_size(bits),
                       MEMORY_USABLE + (uint32_t)(any() % 10));
    }
    return map;
}

static struct elf64 any_elf(void)
{
    struct elf64 elf = {
        .base = any_address(30) + MIB,
        .alignment = PAGE_SIZE,
        .stack_size = any_size(24),
        .segment_count = 1 + (uint32_t)(any() % (any() % 4 ? 4 : ELF64_SEGMENTS_MOST)),
    };
    uint64_t at = elf.base;

    for (uint32_t i = 0; i < elf.segment_count; i++) {
        const uint64_t begin = at + any() % PAGE_SIZE;
        const uint64_t size =
            any_size(elf.segment_count > 4 ? 20 : 26) - any() % PAGE_SIZE;
        elf.segments[i] = (struct elf64_segment){
            .virtual_address = begin, .memory_size = size, .flags = ELF64_READ};
        elf.size = ((begin + size - elf.base) | (PAGE_SIZE - 1)) + 1;
        at = elf.base + elf.size + any() % 3 * PAGE_SIZE;
    }
    return elf;
}

/* Returns how many calls of page_table_map() there are, each with its ends. */
static uint64_t calls_for(const struct memory_map *map, const struct elf64 *elf)
{
    uint64_t calls = 2 + elf->segment_count; /* the first MiB, the stack */

    for (uint32_t i = 0; i < map->count; i++) {
        calls += memory_type_is_mapped(map->ranges[i].type);
    }
    return calls;
}

static void test_a_kernel_and_its_memory(void)
{
    for (int round = 0; round < 500; round++) {
        const bool gigabyte_pages = any() % 2;
        const struct memory_map map = any_map(gigabyte_pages);
        const struct elf64 elf = any_elf();
        const struct placed_kernel kernel = {
            .elf = &elf,
            .physical = any_address(32),
            .virtual_base = any() % 2 ? elf.base : BOOT_KERNEL_BASE + elf.base % MIB,
            .stack_physical = any_address(32),
        };
        uint64_t size;

        snprintf(where, sizeof where, "a kernel and its memory, round %d", round);
        struct page_table table = begin(gigabyte_pages);
        check(address_space_map_kernel(&table, &kernel) == PAGE_OK &&
                  address_space_map_memory(&table, &map, &size) == PAGE_OK,
              "it cannot be mapped");
        const uint64_t counted = page_table_count(&map, &kernel);
        check(counted >= taken, "more tables are needed");
        check(gigabyte_pages || counted <= taken + 7 * calls_for(&map, &elf),
              "more than seven are to spare for each range");
    }
}

/* The numbers that a loader really meets: a kernel of 48 MiB, and 6 GiB of memory. */
static void test_an_ordinary_pc(void)
{
    static const struct elf64 elf = {
        .base = BOOT_KERNEL_BASE, .size = 48 * MIB, .stack_size = 16 * MIB,
        .segment_count = 1,
        .segments = {{.virtual_address = BOOT_KERNEL_BASE, .memory_size = 48 * MIB}}};
    struct placed_kernel kernel = {&elf, 4 * MIB, BOOT_KERNEL_BASE, 0xa01000};
    struct memory_map map;

    memory_map_begin(&map, ranges, COUNT(ranges), 1ull << CPU_BITS);
    memory_map_add(&map, 0, 640 << 10, MEMORY_USABLE);
    memory_map_add(&map, MIB, 2 * GIB - MIB, MEMORY_USABLE);
    memory_map_add(&map, 4 * GIB, 4 * GIB, MEMORY_USABLE);
    const uint64_t counted = page_table_count(&map, &kernel);
    check(counted <= 64, "more than 256 KiB would be taken");
    kernel.stack_physical += PAGE_SIZE;
    check(page_table_count(&map, &kernel) == counted + elf.stack_size / PAGE_SIZE_2M,
          "a stack in small pages needs as many tables as one in large pages");
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"the ends of tables", test_the_ends_of_tables},
        {"one call", test_one_call},
        {"a kernel and its memory", test_a_kernel_and_its_memory},
        {"an ordinary PC", test_an_ordinary_pc},
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
        fprintf(stderr, "page_table_count_test: no test %s\n", arguments[1]);
        return 2;
    }
    return 0;
}
