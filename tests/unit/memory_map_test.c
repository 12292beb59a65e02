/*
 * memory_map_test.c -- run common/loader/memory_map.c on this computer
 *
 * By hand: maps as real firmware gave them, and maps that are full. At random: the same
 * calls go to a model that keeps no ranges, but one byte for each page. Addresses are
 * near 0, near 1 MiB or near 2^52; what lies between two of these counts as one page.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_map.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define END (1ull << 52)
#define PAGE ((uint64_t)MEMORY_PAGE)

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ROOM 700
#define WATCHED 4 /* ranges behind those that the map may use */

static struct memory_range ranges[ROOM + WATCHED];
static struct memory_map map;
static char where[80]; /* which test this is, for the sentence */

static void print_ranges(const char *title, const struct memory_range *list, size_t count)
{
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        printf("  0x%014llx to 0x%014llx type %u\n", (unsigned long long)list[i].base,
               (unsigned long long)(list[i].base + list[i].length), list[i].type);
    }
}

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        print_ranges("the map:", map.ranges, map.count <= map.capacity ? map.count : 0);
        exit(1);
    }
}

static void begin(uint32_t capacity)
{
    memset(ranges, 0xa5, (capacity + WATCHED) * sizeof ranges[0]);
    memory_map_begin(&map, ranges, capacity, END);
}

/* What holds after every call, whatever was added. */
static void check_order(void)
{
    check(map.ranges == ranges && map.count > 0, "the map is lost");
    check(map.count <= map.capacity, "there are more ranges than the array can hold");
    const unsigned char *behind = (const void *)&ranges[map.capacity];
    for (size_t i = 0; i < WATCHED * sizeof ranges[0]; i++) {
        check(behind[i] == 0xa5, "it wrote behind its array");
    }
    check(ranges[0].base == 0 && ranges[0].type == MEMORY_RESERVED,
          "page 0 is not reserved");
    uint64_t end = 0;
    for (uint32_t i = 0; i < map.count; i++) {
        const struct memory_range *range = &ranges[i];
        check(range->length > 0, "a range is empty");
        check((range->base | range->length) % PAGE == 0, "a range is not whole pages");
        check(range->base <= END && range->length <= END - range->base,
              "a range ends beyond 2^52");
        check(range->base >= end, "two ranges are out of order, or overlap");
        check(i == 0 || range->base > end || range->type != range[-1].type,
              "two neighbours of one type are not one range");
        check(range->type >= MEMORY_USABLE && range->type <= MEMORY_BAD,
              "a range is of no type");
        check(range->attributes == 0, "a range has attributes");
        end = range->base + range->length;
    }
}

static void check_equals(const struct memory_range *expected, size_t count)
{
    check_order();
    bool same = map.count == count;
    for (size_t i = 0; same && i < count; i++) {
        same = ranges[i].base == expected[i].base &&
               ranges[i].length == expected[i].length &&
               ranges[i].type == expected[i].type;
    }
    if (!same) {
        print_ranges("expected:", expected, count);
    }
    check(same, "the map is another one than expected");
}

/* -- by hand ------------------------------------------------------------------------- */

/* From, up to, of type: easier to compare by eye than lengths. */
#define RANGE(from, to, type) {from, (to) - (from), type, 0}
#define EXPECT(...)                                                                     \
    do {                                                                                \
        static const struct memory_range expected[] = {                                 \
            RANGE(0, PAGE, MEMORY_RESERVED), __VA_ARGS__};                              \
        check_equals(expected, COUNT(expected));                                        \
    } while (0)

static void add(uint64_t from, uint64_t to, uint32_t type)
{
    memory_map_add(&map, from, to - from, type);
    check_order();
}

static void firmware_says(const struct memory_range *list, size_t count)
{
    begin((uint32_t)(2 * count + 3));
    for (size_t i = 0; i < count; i++) {
        memory_map_add(&map, list[i].base, list[i].length, list[i].type);
        check_order();
    }
}

static void test_an_ordinary_pc(void)
{
    /* QEMU's E820, 128 MiB; the end of the list first. */
    static const struct memory_range e820[] = {
        RANGE(0xfd00000000, TIB, MEMORY_RESERVED), /* HyperTransport, beside 1 TiB */
        RANGE(0xfffc0000, 4 * GIB, MEMORY_RESERVED),
        RANGE(0x7fe0000, 0x8000000, MEMORY_RESERVED),
        RANGE(MIB, 0x7fe0000, MEMORY_USABLE),
        RANGE(0xf0000, MIB, MEMORY_RESERVED),
        RANGE(0x9fc00, 0xa0000, MEMORY_RESERVED),
        RANGE(0, 0x9fc00, MEMORY_USABLE),
    };
    firmware_says(e820, COUNT(e820));
    EXPECT(RANGE(PAGE, 0x9f000, MEMORY_USABLE), RANGE(0x9f000, 0xa0000, MEMORY_RESERVED),
           RANGE(0xf0000, MIB, MEMORY_RESERVED), RANGE(MIB, 0x7fe0000, MEMORY_USABLE),
           RANGE(0x7fe0000, 0x8000000, MEMORY_RESERVED),
           RANGE(0xfffc0000, 4 * GIB, MEMORY_RESERVED),
           RANGE(0xfd00000000, TIB, MEMORY_RESERVED));
    check(memory_map_total(&map, 0, END, MEMORY_USABLE) == 0x9e000 + 0x7ee0000 &&
              memory_map_total(&map, 0, MIB, MEMORY_USABLE) == 0x9e000 &&
              memory_map_total(&map, 0x9f400, 0xf0001, MEMORY_RESERVED) == 0xc01 &&
              memory_map_total(&map, 2 * MIB, MIB, MEMORY_USABLE) == 0,
          "the totals are wrong");
}

/* The map says how much is usable however the firmware sorts what it says. */
static void test_any_order_gives_the_same_map(void)
{
    static struct memory_range list[] = {
        RANGE(0, 8 * MIB, MEMORY_USABLE),           /* around all the others */
        RANGE(2 * MIB, 6 * MIB, MEMORY_ACPI_NVS),   /* nested in it */
        RANGE(3 * MIB, 4 * MIB, MEMORY_RESERVED),   /* nested in that */
        RANGE(5 * MIB, 7 * MIB, MEMORY_KERNEL),     /* overlaps two */
        RANGE(3 * MIB, 4 * MIB, MEMORY_RESERVED),   /* repeated */
        RANGE(3 * MIB + 1, 3 * MIB + 2, MEMORY_BAD) /* one bad byte */
    };
    /* All 720 orders, by Heap's algorithm. */
    size_t turns[COUNT(list)] = {0};
    for (size_t i = 0; i < COUNT(list);) {
        firmware_says(list, COUNT(list));
        EXPECT(RANGE(PAGE, 2 * MIB, MEMORY_USABLE),
               RANGE(2 * MIB, 3 * MIB, MEMORY_ACPI_NVS),
               RANGE(3 * MIB, 3 * MIB + PAGE, MEMORY_BAD),
               RANGE(3 * MIB + PAGE, 4 * MIB, MEMORY_RESERVED),
               RANGE(4 * MIB, 6 * MIB, MEMORY_ACPI_NVS),
               RANGE(6 * MIB, 7 * MIB, MEMORY_KERNEL),
               RANGE(7 * MIB, 8 * MIB, MEMORY_USABLE));
        for (i = 1; i < COUNT(list) && turns[i] == i; i++) {
            turns[i] = 0;
        }
        if (i < COUNT(list)) {
            size_t other = i % 2 ? turns[i] : 0;
            struct memory_range kept = list[i];
            list[i] = list[other];
            list[other] = kept;
            turns[i]++;
        }
    }
}

static void test_broken_entries(void)
{
    static const struct memory_range odd[] = {
        {4 * MIB, 0, MEMORY_RESERVED, 0},                 /* no length */
        {4 * MIB + 5, 0, MEMORY_BAD, 0},                  /* none, within a page */
        {4 * MIB + 5, PAGE, MEMORY_USABLE, 0},            /* no whole page */
        {5 * MIB + 5, 0x2000, MEMORY_USABLE, 0},          /* one whole page */
        {6 * MIB + 5, 0xffd, MEMORY_ACPI_NVS, 0},         /* two bytes of a second page */
        {7 * MIB, PAGE, 0, 0},                            /* type 0 */
        {8 * MIB, PAGE, 0xffffffff, 0},                   /* type -1 */
        {9 * MIB, PAGE, MEMORY_BAD + 1, 0},               /* no type of ours */
        {END - PAGE, UINT64_MAX, MEMORY_RESERVED, 0},     /* wraps */
        {END, PAGE, MEMORY_USABLE, 0},                    /* what no entry can point to */
        {UINT64_MAX, 1, MEMORY_USABLE, 0},                /* the last byte */
        {UINT64_MAX - 4, UINT64_MAX, MEMORY_RESERVED, 0}, /* wraps, from beyond */
        {0, 5, MEMORY_BAD, 0},                            /* the page of no pointer */
        {5 * MIB, 0, 0, 7},                               /* attributes, no length */
    };
    firmware_says(odd, COUNT(odd));
    EXPECT(RANGE(5 * MIB + PAGE, 5 * MIB + 2 * PAGE, MEMORY_USABLE),
           RANGE(6 * MIB, 6 * MIB + 2 * PAGE, MEMORY_ACPI_NVS),
           RANGE(7 * MIB, 7 * MIB + PAGE, MEMORY_RESERVED),
           RANGE(8 * MIB, 8 * MIB + PAGE, MEMORY_RESERVED),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_RESERVED),
           RANGE(END - PAGE, END, MEMORY_RESERVED));

    /* All memory that there can be, said so by one entry. */
    begin(5);
    memory_map_add(&map, 0, UINT64_MAX, MEMORY_USABLE);
    EXPECT(RANGE(PAGE, END, MEMORY_USABLE));
    memory_map_add(&map, 5, UINT64_MAX, MEMORY_BAD);
    EXPECT(RANGE(PAGE, END, MEMORY_BAD));

    /* A BIOS that never ends its list. */
    begin(8);
    for (int i = 0; i < 1000; i++) {
        memory_map_add(&map, MIB, MIB, MEMORY_USABLE);
        memory_map_add(&map, 3 * MIB / 2, MIB, MEMORY_RESERVED);
    }
    EXPECT(RANGE(MIB, 3 * MIB / 2, MEMORY_USABLE),
           RANGE(3 * MIB / 2, 5 * MIB / 2, MEMORY_RESERVED));
}

/* UEFI: more than 256 descriptors, out of order, most of them of one kind of memory. */
static void test_many_descriptors(void)
{
    enum { DESCRIPTORS = 312 };
    static struct memory_range list[DESCRIPTORS];
    for (uint64_t i = 0; i < DESCRIPTORS; i++) {
        uint64_t place = i * 113 % DESCRIPTORS; /* 113 has no factor of 312 */
        uint32_t type = place % 100 == 50 ? MEMORY_EFI_RUNTIME : MEMORY_USABLE;
        list[i] = (struct memory_range){MIB + place * 64 * KIB, 64 * KIB, type, 0};
    }
    firmware_says(list, DESCRIPTORS);
#define AT(place) (MIB + (place) * 64 * KIB)
    EXPECT(RANGE(AT(0), AT(50), MEMORY_USABLE), RANGE(AT(50), AT(51), MEMORY_EFI_RUNTIME),
           RANGE(AT(51), AT(150), MEMORY_USABLE),
           RANGE(AT(150), AT(151), MEMORY_EFI_RUNTIME),
           RANGE(AT(151), AT(250), MEMORY_USABLE),
           RANGE(AT(250), AT(251), MEMORY_EFI_RUNTIME),
           RANGE(AT(251), AT(312), MEMORY_USABLE));
#undef AT
}

static void test_a_full_map(void)
{
    /* Room for four ranges, page 0 and three more. */
    begin(6);
    add(2 * MIB, 3 * MIB, MEMORY_KERNEL);
    add(4 * MIB, 5 * MIB, MEMORY_USABLE);
    add(6 * MIB, 7 * MIB - PAGE, MEMORY_USABLE);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL), RANGE(4 * MIB, 5 * MIB, MEMORY_USABLE),
           RANGE(6 * MIB, 7 * MIB - PAGE, MEMORY_USABLE));

    /* The smallest usable range makes room: first another one, then the new one. */
    add(8 * MIB, 10 * MIB, MEMORY_USABLE);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL), RANGE(4 * MIB, 5 * MIB, MEMORY_USABLE),
           RANGE(8 * MIB, 10 * MIB, MEMORY_USABLE));
    add(12 * MIB, 12 * MIB + PAGE, MEMORY_USABLE);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL), RANGE(4 * MIB, 5 * MIB, MEMORY_USABLE),
           RANGE(8 * MIB, 10 * MIB, MEMORY_USABLE));

    /* A hole in the middle of one needs two ranges: the smaller half goes, too. */
    add(9 * MIB, 9 * MIB + 1, MEMORY_ACPI_NVS);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL), RANGE(8 * MIB, 9 * MIB, MEMORY_USABLE),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_ACPI_NVS));
    add(30 * MIB, 31 * MIB, MEMORY_FRAMEBUFFER);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_ACPI_NVS),
           RANGE(30 * MIB, 31 * MIB, MEMORY_FRAMEBUFFER));

    /* Nothing is usable any more: the last two become one, and more than they were. */
    add(20 * MIB, 21 * MIB, MEMORY_MODULE);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_ACPI_NVS),
           RANGE(20 * MIB, 31 * MIB, MEMORY_RESERVED));
    add(END - PAGE, END, MEMORY_BAD);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_ACPI_NVS),
           RANGE(20 * MIB, END, MEMORY_RESERVED));
    add(40 * MIB, 41 * MIB, MEMORY_USABLE);
    add(40 * MIB, 41 * MIB, MEMORY_KERNEL);
    EXPECT(RANGE(2 * MIB, 3 * MIB, MEMORY_KERNEL),
           RANGE(9 * MIB, 9 * MIB + PAGE, MEMORY_ACPI_NVS),
           RANGE(20 * MIB, END, MEMORY_RESERVED));

    /* The least room there may be. */
    begin(4);
    add(2 * MIB, 3 * MIB, MEMORY_USABLE);
    add(4 * MIB, 5 * MIB, MEMORY_ACPI_NVS);
    EXPECT(RANGE(4 * MIB, 5 * MIB, MEMORY_ACPI_NVS));
    add(PAGE, 2 * PAGE, MEMORY_RESERVED); /* grows page 0 */
    add(6 * MIB, 7 * MIB, MEMORY_ACPI_NVS);
    static const struct memory_range two[] = {RANGE(0, 2 * PAGE, MEMORY_RESERVED),
                                              RANGE(4 * MIB, 7 * MIB, MEMORY_RESERVED)};
    check_equals(two, COUNT(two));
    add(2 * MIB, 3 * MIB, MEMORY_BAD);
    static const struct memory_range both[] = {RANGE(0, 2 * PAGE, MEMORY_RESERVED),
                                               RANGE(2 * MIB, 7 * MIB, MEMORY_RESERVED)};
    check_equals(both, COUNT(both));
}

static void allocate(uint64_t size, uint64_t alignment, uint64_t below, uint64_t expected)
{
    uint64_t address = memory_map_allocate(&map, size, alignment, below, MEMORY_KERNEL);
    check_order();
    if (address != expected) {
        printf("%llu bytes, aligned to 0x%llx, below 0x%llx: 0x%llx instead of 0x%llx\n",
               (unsigned long long)size, (unsigned long long)alignment,
               (unsigned long long)below, (unsigned long long)address,
               (unsigned long long)expected);
    }
    check(address == expected, "another address than expected was allocated");
}

static void test_allocations(void)
{
    begin(20);
    add(0, 640 * KIB, MEMORY_USABLE);
    allocate(1, PAGE, END, 0); /* below 1 MiB nothing is taken */
    add(MIB - 2 * PAGE, MIB + 5 * PAGE, MEMORY_USABLE);
    add(5 * MIB, GIB, MEMORY_USABLE);
    add(2 * GIB, END, MEMORY_USABLE);
    uint32_t count = map.count;

    /* What nobody can have changes nothing. */
    allocate(0, PAGE, END, 0);
    allocate(6 * PAGE, PAGE, 5 * MIB, 0);
    allocate(PAGE, PAGE, MIB, 0);
    allocate(PAGE, PAGE, MIB + PAGE - 1, 0);
    allocate(PAGE, PAGE, 0, 0);
    allocate(END, PAGE, UINT64_MAX, 0);
    allocate(UINT64_MAX, PAGE, UINT64_MAX, 0);
    allocate(UINT64_MAX - PAGE + 2, PAGE, UINT64_MAX, 0);
    allocate(PAGE, 1ull << 63, UINT64_MAX, 0);
    check(map.count == count, "a failed allocation changed the map");

    allocate(1, PAGE, MIB + PAGE, MIB);
    allocate(PAGE + 1, PAGE, END, MIB + PAGE);      /* beside it, two pages */
    allocate(4 * PAGE, PAGE, END, 5 * MIB);         /* only two are left at 1 MiB */
    allocate(PAGE, 2 * MIB, END, 6 * MIB);          /* with a gap before it */
    allocate(PAGE, PAGE, END, MIB + 3 * PAGE);      /* still the lowest */
    allocate(2 * GIB, GIB, UINT64_MAX, 2 * GIB);
    EXPECT(RANGE(PAGE, 640 * KIB, MEMORY_USABLE),
           RANGE(MIB - 2 * PAGE, MIB, MEMORY_USABLE),
           RANGE(MIB, MIB + 4 * PAGE, MEMORY_KERNEL),
           RANGE(MIB + 4 * PAGE, MIB + 5 * PAGE, MEMORY_USABLE),
           RANGE(5 * MIB, 5 * MIB + 4 * PAGE, MEMORY_KERNEL),
           RANGE(5 * MIB + 4 * PAGE, 6 * MIB, MEMORY_USABLE),
           RANGE(6 * MIB, 6 * MIB + PAGE, MEMORY_KERNEL),
           RANGE(6 * MIB + PAGE, GIB, MEMORY_USABLE),
           RANGE(2 * GIB, 4 * GIB, MEMORY_KERNEL), RANGE(4 * GIB, END, MEMORY_USABLE));
    allocate(END - 4 * GIB, PAGE, END, 4 * GIB); /* a range as a whole */

    /* In a full map, too, it is there afterwards; what lay around it made room. */
    begin(4);
    add(MIB, 64 * MIB, MEMORY_USABLE);
    allocate(PAGE, 2 * MIB, END, 2 * MIB);
    EXPECT(RANGE(2 * MIB, 2 * MIB + PAGE, MEMORY_KERNEL));
    begin(5);
    add(MIB, 64 * MIB, MEMORY_USABLE);
    allocate(PAGE, 2 * MIB, END, 2 * MIB);
    allocate(PAGE, PAGE, END, 2 * MIB + PAGE);
    EXPECT(RANGE(2 * MIB, 2 * MIB + 2 * PAGE, MEMORY_KERNEL),
           RANGE(2 * MIB + 2 * PAGE, 64 * MIB, MEMORY_USABLE));
}

/* -- at random, against the model ---------------------------------------------------- */

/*
 * A cell is a page: one of the first, of those around 1 MiB, or of the last before 2^52.
 * Two cells are all that lies between; the calls must not cut them.
 */
#define PAGES 16 /* in each of the three places */
#define FIRST_BETWEEN PAGES
#define SECOND_BETWEEN (2 * PAGES + 1)
#define CELLS (3 * PAGES + 2)

static unsigned char said[CELLS];  /* the greatest type that was said of each page */
static unsigned char model[CELLS]; /* what the map should hold; 0: nothing */

static uint64_t state = 0x4649525354ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t cell_begin(int cell)
{
    int place = cell <= FIRST_BETWEEN ? 0 : cell <= SECOND_BETWEEN ? 1 : 2;
    const uint64_t starts[] = {0, MIB - PAGES / 2 * PAGE, END - PAGES * PAGE};
    return starts[place] + (uint64_t)(cell - place * (PAGES + 1)) * PAGE;
}

/* Does [base, base + length) hold some of the cell, or all of it? No sum wraps here. */
static bool touches(int cell, uint64_t base, uint64_t length, bool all)
{
    unsigned __int128 end = (unsigned __int128)base + length;
    uint64_t from = cell_begin(cell), to = cell_begin(cell + 1);
    return all ? base <= from && end >= to : length > 0 && base < to && end > from;
}

/* The model as ranges: what the map should hold. */
static size_t model_ranges(struct memory_range *list)
{
    size_t count = 0;
    for (int cell = 0; cell < CELLS; cell++) {
        if (model[cell] != 0 && (cell == 0 || model[cell] != model[cell - 1])) {
            list[count++] = (struct memory_range){cell_begin(cell), 0, model[cell], 0};
        }
        if (model[cell] != 0) {
            list[count - 1].length = cell_begin(cell + 1) - list[count - 1].base;
        }
    }
    return count;
}

static void model_fill(uint64_t base, uint64_t end, unsigned char type)
{
    for (int cell = 0; cell < CELLS; cell++) {
        if (cell_begin(cell) >= base && cell_begin(cell) < end) {
            model[cell] = type;
        }
    }
}

/* Give up what the header says, until the model is at most `most` ranges. */
static void model_shrink(size_t most)
{
    struct memory_range list[CELLS];
    for (size_t count; (count = model_ranges(list)) > most;) {
        struct memory_range *smallest = NULL;
        for (size_t i = 0; i < count; i++) {
            if (list[i].type == MEMORY_USABLE &&
                (smallest == NULL || list[i].length < smallest->length)) {
                smallest = &list[i];
            }
        }
        struct memory_range *last = &list[count - 1];
        if (smallest != NULL) {
            model_fill(smallest->base, smallest->base + smallest->length, 0);
        } else {
            model_fill(last[-1].base, last->base + last->length, MEMORY_RESERVED);
        }
    }
}

static void model_add(uint64_t base, uint64_t length, uint32_t type)
{
    unsigned char kind = type >= 1 && type <= 10 ? (unsigned char)type : MEMORY_RESERVED;
    bool all = kind == MEMORY_USABLE;
    for (int cell = 1; cell < CELLS;) {
        if (!touches(cell, base, length, all)) {
            cell++;
            continue;
        }
        /* One piece: pages that the map says the same of, or says nothing of. */
        for (unsigned char before = model[cell];
             cell < CELLS && model[cell] == before && touches(cell, base, length, all);
             cell++) {
            said[cell] = kind > said[cell] ? kind : said[cell];
            model[cell] = kind > before ? kind : before;
        }
        model_shrink(map.capacity - 2);
    }
}

/* Is all of [base, base + size) usable? */
static bool model_is_free(uint64_t base, uint64_t size)
{
    if (base >= END || size > END - base) {
        return false;
    }
    for (int cell = 0; cell < CELLS; cell++) {
        if (touches(cell, base, size, false) && model[cell] != MEMORY_USABLE) {
            return false;
        }
    }
    return true;
}

static uint64_t model_allocate(uint64_t size, uint64_t alignment, uint64_t below)
{
    for (int cell = 0; size > 0 && size <= END && cell < CELLS; cell++) {
        uint64_t pages = (size + PAGE - 1) / PAGE * PAGE;
        uint64_t base = (cell_begin(cell) + alignment - 1) / alignment * alignment;
        if (base >= MIB && base < cell_begin(cell + 1) && base < below &&
            pages <= below - base && model_is_free(base, pages)) {
            return base;
        }
    }
    return 0;
}

/* An address in a cell of one page, or behind 2^52; most are multiples of 4 KiB. */
static uint64_t any_address(void)
{
    static const uint64_t offsets[] = {0, 0, 0, 0, 0, 1, 0x800, 0xfff};
    uint64_t offset = offsets[any() % COUNT(offsets)];
    if (any() % 8 == 0) {
        return any() % 8 == 0 ? any() | END : END + any() % 4 * PAGE;
    }
    int cell = (int)(any() % CELLS);
    if (cell == FIRST_BETWEEN || cell == SECOND_BETWEEN) {
        return cell_begin(cell);
    }
    return cell_begin(cell) + offset;
}

/* A length that ends in such a cell, or anywhere behind 2^52. */
static uint64_t any_length(uint64_t base)
{
    uint64_t length;
    switch (any() % 8) {
    case 0:
        length = any() % 2 ? 0 : UINT64_MAX - any() % 3;
        break;
    case 1:
    case 2:
    case 3:
        length = any() % (3 * PAGE);
        break;
    default:
        length = any_address() - base; /* it may wrap */
    }
    for (int cell = FIRST_BETWEEN; cell <= SECOND_BETWEEN; cell += PAGES + 1) {
        uint64_t from = cell_begin(cell), to = cell_begin(cell + 1);
        if (base <= from && length > from - base && length < to - base) {
            length = from - base;
        }
    }
    return length;
}

static void check_against_the_model(void)
{
    struct memory_range expected[CELLS];
    check_equals(expected, model_ranges(expected));

    /* And whatever was given up: nothing that was ever taken is free now. */
    for (int cell = 0; cell < CELLS; cell++) {
        check(said[cell] <= MEMORY_USABLE || model[cell] == said[cell] ||
                  model[cell] >= MEMORY_RESERVED,
              "a reservation was lost");
        check(model[cell] != MEMORY_USABLE || said[cell] == MEMORY_USABLE,
              "what is not usable became usable");
    }

    uint64_t from = any_address(), below = any_address(), right = 0;
    uint32_t type = 1 + (uint32_t)(any() % 10);
    for (int cell = 0; cell < CELLS; cell++) {
        uint64_t a = cell_begin(cell), b = cell_begin(cell + 1);
        a = a > from ? a : from;
        b = b < below ? b : below;
        right += model[cell] == type && a < b ? b - a : 0;
    }
    check(memory_map_total(&map, from, below, type) == right, "a total is wrong");
}

static void one_add(void)
{
    static const uint32_t types[] = {1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 0,
                                     11, 0xffffffff};
    uint64_t base = any_address(), length = any_length(base);
    uint32_t type = types[any() % COUNT(types)];
    memory_map_add(&map, base, length, type);
    model_add(base, length, type);
}

static void one_allocation(void)
{
    static const uint64_t alignments[] = {PAGE, PAGE, PAGE, 2 * PAGE, 4 * PAGE, 2 * MIB,
                                          1ull << 51, 1ull << 63};
    uint64_t size = any() % 8 == 0 ? any_address() : any() % (4 * PAGE);
    uint64_t alignment = alignments[any() % COUNT(alignments)];
    uint64_t below = any_address();
    if (model[SECOND_BETWEEN] == MEMORY_USABLE && below > cell_begin(SECOND_BETWEEN)) {
        below = cell_begin(SECOND_BETWEEN);
    }
    uint32_t type = 2 + (uint32_t)(any() % 9);
    uint64_t expected = model_allocate(size, alignment, below);
    uint64_t address = memory_map_allocate(&map, size, alignment, below, type);
    check(address == expected, "another address than expected was allocated");
    if (expected != 0) {
        model_add(expected, size, type);
        check(model_is_free(expected, size) == false, "what was allocated is free");
    }
}

static void test_at_random(bool full, int sequences)
{
    for (int sequence = 0; sequence < sequences; sequence++) {
        uint32_t steps = 1 + (uint32_t)(any() % 24);
        memset(model, 0, sizeof model);
        memset(said, 0, sizeof said);
        model[0] = said[0] = MEMORY_RESERVED;
        begin(full ? 4 + (uint32_t)(any() % 8) : 2 * steps + 3);
        for (uint32_t step = 0; step < steps; step++) {
            snprintf(where, sizeof where, "%s, sequence %d, step %u",
                     full ? "little room" : "enough room", sequence, step);
            if (any() % 4 == 0) {
                one_allocation();
            } else {
                one_add();
            }
            check_against_the_model();
        }
        check(full || memcmp(model, said, sizeof model) == 0,
              "something was given up, though there was room");
    }
}

static void test_with_enough_room(void)
{
    test_at_random(false, 2000);
}

static void test_with_little_room(void)
{
    test_at_random(true, 2000);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"an ordinary PC", test_an_ordinary_pc},
        {"any order", test_any_order_gives_the_same_map},
        {"broken entries", test_broken_entries},
        {"many descriptors", test_many_descriptors},
        {"a full map", test_a_full_map},
        {"allocations", test_allocations},
        {"enough room", test_with_enough_room},
        {"little room", test_with_little_room},
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
        fprintf(stderr, "memory_map_test: no test %s\n", arguments[1]);
        return 2;
    }
    return 0;
}
