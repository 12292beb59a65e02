/*
 * page_table_test.c -- run common/loader/page_table.c on this computer
 *
 * The tables are built in an array that plays the part of physical memory. A walker reads
 * them as the CPU would: it knows the manual, but not page_table.c. After each call the
 * list of all pages that it found is compared with what is expected from the list before.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_table.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* -- physical memory for tables ------------------------------------------------------ */

#define ROOM 128                  /* pages */
#define MEMORY 0x00000043210f7000 /* their physical address */

static _Alignas(4096) uint64_t memory[ROOM][512];
static int taken, limit; /* pages handed out so far, and at most */
static bool refused;
static struct page_table table;
static char where[80]; /* which test this is, for the sentence */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        exit(1);
    }
}

/* Pages come in descending order: nobody may count on the next one. */
static uint64_t take_page(void *context)
{
    check(context == &taken, "allocate() got another context");
    if (taken == limit) {
        refused = true;
        return 0;
    }
    return MEMORY + (uint64_t)(ROOM - ++taken) * 4096;
}

static void begin(bool no_execute, bool gigabyte_pages, uint8_t physical_bits)
{
    memset(memory, 0xff, sizeof memory); /* memory is not zero when it is handed out */
    taken = 0;
    limit = ROOM;
    refused = false;
    table = (struct page_table){
        .allocate = take_page,
        .context = &taken,
        .offset = (uintptr_t)memory - (uintptr_t)MEMORY,
        .no_execute = no_execute,
        .gigabyte_pages = gigabyte_pages,
        .physical_bits = physical_bits,
    };
    check(page_table_begin(&table) == PAGE_OK, "page_table_begin failed");
}

/* -- the walker ---------------------------------------------------------------------- */

struct page {
    uint64_t from; /* virtual */
    uint64_t to;   /* physical */
    uint64_t size;
    unsigned flags;
};

struct pages {
    size_t count;
    struct page page[ROOM * 512];
};

static struct pages found, before, expected;
static int tables_seen, empty_tables;

static void walk_table(uint64_t address, int level, uint64_t from)
{
    check(address >= MEMORY && (address - MEMORY) / 4096 < ROOM &&
              (address - MEMORY) / 4096 >= (uint64_t)(ROOM - taken) &&
              address % 4096 == 0,
          "an entry points to a table that was not allocated");
    check(++tables_seen <= taken, "two entries point to one table");
    const uint64_t *entries = memory[(address - MEMORY) / 4096];
    bool empty = true;

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t entry = entries[i];
        uint64_t place = from | i << (12 + 9 * (level - 1));
        if (level == 4 && i >= 256) {
            place |= 0xffff000000000000;
        }
        if (entry == 0) {
            continue;
        }
        empty = false;
        check(entry & 1, "an entry is neither present nor 0");
        check((entry & 4) == 0, "user programs may use an entry (bit 2)");
        check((entry & 0x7ff0000000000f18) == 0,
              "an entry has bits that nobody asked for");
        if (level == 4 || (level > 1 && !(entry & 0x80))) {
            check((entry & 0x80) == 0,
                  "bit 7 is set in the top table: the CPU would fault");
            check((entry & 2) && !(entry >> 63), "a table forbids what its pages allow");
            check((entry & 0x40) == 0, "bit 6 is set for a table");
            walk_table(entry & 0x000ffffffffff000, level - 1, place);
            continue;
        }
        uint64_t size = 4096ull << 9 * (level - 1);
        uint64_t to = entry & 0x000ffffffffff000;
        check(level > 1 || !(entry & 0x80),
              "bit 7 is set for a page of 4 KiB: that is PAT");
        check(to % size == 0, "a large page has reserved bits: the CPU would fault");
        check(level < 3 || table.gigabyte_pages, "the CPU has no pages of 1 GiB");
        check(to >> (table.physical_bits < 52 ? table.physical_bits : 52) == 0,
              "the CPU does not know so high an address");
        check(table.no_execute || !(entry >> 63), "the CPU has no NX bit");
        unsigned flags = (entry & 2 ? PAGE_WRITE : 0) | (entry >> 63 ? 0 : PAGE_EXECUTE);
        found.page[found.count++] = (struct page){place, to, size, flags};
    }
    empty_tables += empty;
}

static void walk(void)
{
    found.count = 0;
    tables_seen = empty_tables = 0;
    walk_table(table.root, 4, 0);
    check(tables_seen == taken, "a table was allocated and not used");
}

/* -- by hand ------------------------------------------------------------------------- */

static enum page_status map(uint64_t from, uint64_t to, uint64_t size, unsigned flags)
{
    enum page_status status = page_table_map(&table, from, to, size, flags);
    walk();
    return status;
}

static size_t pages_of(uint64_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < found.count; i++) {
        count += found.page[i].size == size;
    }
    return count;
}

/* Returns an entry of the table that another entry points to. */
static uint64_t entry_in(uint64_t entry, int index)
{
    return memory[((entry & 0x000ffffffffff000) - MEMORY) / 4096][index];
}

static void test_entries_as_the_manual_has_them(void)
{
    begin(true, true, 40);
    check(map(0xffffffff80201000, 0x5000, 4096, 0) == PAGE_OK &&
              map(0xffffffff80400000, 0x600000, 2 * MIB, PAGE_WRITE) == PAGE_OK &&
              map(0xffffffffc0000000, 7 * GIB, GIB, PAGE_EXECUTE) == PAGE_OK &&
              map(0xfffffffffffff000 - GIB, 0, 4096, PAGE_WRITE | PAGE_EXECUTE) ==
                  PAGE_OK,
          "a page could not be mapped");
    uint64_t top = entry_in(table.root, 511);
    uint64_t directory = entry_in(top, 510);
    uint64_t last = entry_in(directory, 511);
    check((top & 0xfff) == 3 && (directory & 0xfff) == 3 && (last & 0xfff) == 3,
          "a table's entry is not present and writable, and no more");
    check(entry_in(entry_in(directory, 1), 1) == 0x8000000000005001,
          "a page of 4 KiB has a wrong entry");
    check(entry_in(directory, 2) == 0x8000000000600083, "one of 2 MiB has a wrong entry");
    check(entry_in(top, 511) == 7 * GIB + 0x81, "one of 1 GiB has a wrong entry");
    check(entry_in(last, 511) == 3, "a page at address 0 has a wrong entry");
}

/* All memory but page 0, as the loader maps it. */
static void test_the_largest_pages_that_fit(void)
{
    const uint64_t base = 0xffff800000000000, size = 6 * GIB - 4096;
    begin(true, true, 36);
    check(map(base + 4096, 4096, size, PAGE_WRITE) == PAGE_OK, "6 GiB were not mapped");
    check(found.count == 511 + 511 + 5 && pages_of(4096) == 511 && pages_of(GIB) == 5,
          "not the largest pages were taken");
    begin(false, false, 36);
    check(map(base + 4096, 4096, size, PAGE_WRITE) == PAGE_OK, "6 GiB were not mapped");
    check(found.count == 511 + 3071 && pages_of(4096) == 511,
          "not the largest pages were taken");
    /* Each address by itself would allow a large page, the other one does not. */
    begin(true, true, 36);
    check(map(GIB, GIB + 2 * MIB, 4 * MIB, 0) == PAGE_OK && pages_of(2 * MIB) == 2 &&
              map(2 * GIB, GIB + 4096, 2 * MIB, 0) == PAGE_OK && pages_of(4096) == 512 &&
              map(3 * GIB + 4096, 2 * GIB, 2 * MIB, 0) == PAGE_OK &&
              map(4 * GIB, 4 * GIB, 2 * MIB - 4096, 0) == PAGE_OK &&
              pages_of(4096) == 1535,
          "not the largest pages were taken");
}

static void test_addresses_that_do_not_exist(void)
{
    static const struct {
        uint64_t from, to, size;
        uint8_t bits;
        enum page_status status;
    } calls[] = {
        {1, 0, 4096, 40, PAGE_MISALIGNED},
        {0, 0x800, 4096, 40, PAGE_MISALIGNED},
        {0, 0, 4095, 40, PAGE_MISALIGNED},
        {0x0000800000000000, 0, 4096, 40, PAGE_NOT_CANONICAL},
        {0xffff7ffffffff000, 0, 4096, 40, PAGE_NOT_CANONICAL},
        {0xffff7ffffffff000, 0, 8192, 40, PAGE_NOT_CANONICAL},
        {0x00007ffffffff000, 0, 8192, 40, PAGE_NOT_CANONICAL},
        {0xfffffffffffff000, 0, 8192, 40, PAGE_NOT_CANONICAL}, /* wraps */
        {0x00007ffffffff000, 0, 0xffff800000002000, 52, PAGE_NOT_CANONICAL},
        {4096, 0, 0xfffffffffffff000, 52, PAGE_NOT_CANONICAL},
        {0x00007ffffffff000, 0, 4096, 40, PAGE_OK},
        {0xffff800000000000, 0, 4096, 40, PAGE_OK},
        {0xfffffffffffff000, 0, 4096, 40, PAGE_OK},
        {0, 0, 0, 40, PAGE_OK},
        /* HyperTransport's reserved range, beside 1 TiB. */
        {0, 0xfd00000000, 12 * GIB, 40, PAGE_OK},
        {0, 0xfd00000000, 12 * GIB, 36, PAGE_BEYOND_CPU},
        {0, 0xfd00000000, 12 * GIB + 4096, 40, PAGE_BEYOND_CPU},
        {0, 1ull << 40, 4096, 40, PAGE_BEYOND_CPU},
        {0, 0xffffffffff000, 4096, 52, PAGE_OK},
        {0, 0xffffffffff000, 8192, 52, PAGE_BEYOND_CPU},
        {0, 0xfffffffffffff000, 8192, 52, PAGE_BEYOND_CPU}, /* wraps */
        /* No entry can hold a 53rd bit, whatever a CPU says. */
        {0, 1ull << 52, 4096, 53, PAGE_BEYOND_CPU},
    };
    for (size_t i = 0; i < COUNT(calls); i++) {
        snprintf(where, sizeof where, "addresses that do not exist, call %zu", i);
        begin(true, true, calls[i].bits);
        enum page_status status =
            map(calls[i].from, calls[i].to, calls[i].size, PAGE_WRITE);
        check(status == calls[i].status, "another status than expected");
        check((found.count > 0) == (status == PAGE_OK && calls[i].size > 0),
              "pages were mapped, or none");
        check(status == PAGE_OK || taken == 1, "what cannot be mapped cost memory");
    }
}

static void test_what_is_mapped_already(void)
{
    begin(true, true, 40);
    check(map(4 * MIB, 8 * MIB, 2 * MIB, PAGE_EXECUTE) == PAGE_OK &&
              map(GIB, 2 * GIB, GIB, PAGE_WRITE) == PAGE_OK &&
              map(8 * MIB + 4096, 12 * MIB + 4096, 4096, 0) == PAGE_OK,
          "a page could not be mapped");
    int tables = taken;
    check(map(4 * MIB, 8 * MIB, 2 * MIB, PAGE_EXECUTE) == PAGE_OK &&
              map(4 * MIB + 4096, 8 * MIB + 4096, 4096, PAGE_EXECUTE) == PAGE_OK &&
              map(GIB + 2 * MIB, 2 * GIB + 2 * MIB, 2 * MIB, PAGE_WRITE) == PAGE_OK &&
              map(2 * GIB - 4096, 3 * GIB - 4096, 4096, PAGE_WRITE) == PAGE_OK,
          "what is mapped just so was refused");
    check(found.count == 3 && taken == tables, "what was mapped already is mapped anew");

    check(map(4 * MIB, 8 * MIB, 2 * MIB, 0) == PAGE_CONFLICT &&
              map(4 * MIB, 8 * MIB, 4096, PAGE_EXECUTE | PAGE_WRITE) == PAGE_CONFLICT &&
              map(4 * MIB, 10 * MIB, 2 * MIB, PAGE_EXECUTE) == PAGE_CONFLICT &&
              map(4 * MIB + 4096, 8 * MIB, 4096, PAGE_EXECUTE) == PAGE_CONFLICT &&
              map(GIB, 3 * GIB, GIB, PAGE_WRITE) == PAGE_CONFLICT &&
              map(2 * GIB - 4096, 3 * GIB, 4096, PAGE_WRITE) == PAGE_CONFLICT &&
              map(8 * MIB + 4096, 12 * MIB, 4096, 0) == PAGE_CONFLICT,
          "one address was mapped twice");
    check(found.count == 3 && taken == tables, "a conflict changed something");

    /* A large page, where a table for small ones stands: they all are small, then. */
    check(map(8 * MIB, 12 * MIB, 2 * MIB, 0) == PAGE_OK,
          "a page of the same was refused");
    check(found.count == 2 + 512 && pages_of(4096) == 512, "a table was replaced");
}

static void test_without_memory(void)
{
    begin(true, true, 40);
    taken = 0;
    limit = 0;
    check(page_table_begin(&table) == PAGE_NO_MEMORY, "a top table out of nothing");
    for (int tables = 1; tables <= 4; tables++) {
        begin(true, true, 40);
        limit = tables;
        check(map(4096, 4096, 4096, 0) == (tables < 4 ? PAGE_NO_MEMORY : PAGE_OK),
              "another status than expected");
        limit = ROOM;
        check(map(4096, 4096, 4096, 0) == PAGE_OK && found.count == 1 && taken == 4,
              "it did not go on where memory had run out");
    }
}

/* -- at random ----------------------------------------------------------------------- */

static uint64_t state = 0x4649525354ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static bool same(const struct page *a, const struct page *b)
{
    return a->from == b->from && a->to == b->to && a->size == b->size &&
           a->flags == b->flags;
}

static void copy(struct pages *to, const struct pages *from)
{
    memcpy(to->page, from->page, from->count * sizeof from->page[0]);
    to->count = from->count;
}

/* Is each page of one list, in ascending order, in the other? */
static bool contains(const struct pages *all, const struct pages *some)
{
    size_t i = 0;
    for (size_t j = 0; j < some->count; j++) {
        while (i < all->count && all->page[i].from < some->page[j].from) {
            i++;
        }
        if (i == all->count || !same(&all->page[i], &some->page[j])) {
            return false;
        }
    }
    return true;
}

/* Can a page of this size be at the beginning of the call, if `next` is the next page? */
static bool page_is_right(const struct page *call, uint64_t size, const struct page *next)
{
    return call->from % size == 0 && call->to % size == 0 && call->size >= size &&
           (next == NULL || next->from - call->from >= size) &&
           (size < GIB || table.gigabyte_pages);
}

/*
 * Put into `expected` the pages of `before` and those that a call adds. A large page is
 * right where there was nothing before; its place begins where the page does, so looking
 * at the next page is enough.
 */
static enum page_status expect(struct page call)
{
    unsigned __int128 end = (unsigned __int128)call.from + call.size;
    unsigned __int128 physical_end = (unsigned __int128)call.to + call.size;
    bool lower = call.from >> 47 == 0, upper = call.from >> 47 == 0x1ffff;

    copy(&expected, &before);
    if ((call.from | call.to | call.size) & 4095) {
        return PAGE_MISALIGNED;
    }
    if (!(lower && end <= (unsigned __int128)1 << 47) &&
        !(upper && end <= (unsigned __int128)1 << 64)) {
        return PAGE_NOT_CANONICAL;
    }
    if (physical_end > (unsigned __int128)1 << table.physical_bits) {
        return PAGE_BEYOND_CPU;
    }

    expected.count = 0;
    enum page_status status = PAGE_OK;
    for (size_t i = 0; i < before.count || (call.size > 0 && status == PAGE_OK);) {
        const struct page *next = i < before.count ? &before.page[i] : NULL;
        bool done = call.size == 0 || status != PAGE_OK;
        if (done || (next != NULL && next->from + (next->size - 1) < call.from)) {
            expected.page[expected.count++] = before.page[i++];
        } else if (next != NULL && next->from <= call.from) {
            uint64_t inside = call.from - next->from;
            if (call.to != next->to + inside || call.flags != next->flags) {
                status = PAGE_CONFLICT;
                continue;
            }
            uint64_t step =
                next->size - inside < call.size ? next->size - inside : call.size;
            call.from += step;
            call.to += step;
            call.size -= step;
        } else {
            uint64_t size = page_is_right(&call, GIB, next)       ? GIB
                            : page_is_right(&call, 2 * MIB, next) ? 2 * MIB
                                                                  : 4096;
            expected.page[expected.count++] =
                (struct page){call.from, call.to, size, call.flags};
            call.from += size;
            call.to += size;
            call.size -= size;
        }
    }
    return status;
}

/* Somewhere near where large pages, tables or the halves of memory meet. */
static struct page any_call(void)
{
    static const uint64_t places[] = {0, 2 * GIB, 512 * GIB, 0x0000800000000000,
                                      0xffff800000000000, 0xffffff0000000000,
                                      0xffffffff80000000};
    static const uint64_t units[] = {4096, 4096, 4096, 2 * MIB, 2 * MIB, GIB};
    uint64_t unit = units[any() % COUNT(units)], other = units[any() % COUNT(units)];
    struct page call = {
        .from = places[any() % COUNT(places)] + any() % 5 * unit - any() % 3 * other,
        .size = any() % 4 * unit + any() % 3 * other + any() % 3 * 4096,
        .flags = (unsigned)(any() % 4),
    };
    /* Physical addresses that allow large pages, or not; those take many tables. */
    uint64_t step = any() % 2 ? GIB : any() % 4 ? 2 * MIB : 4096;
    call.to = any() % 8 * step + call.from % step;
    if (any() % 8 == 0) {
        call.to = (1ull << table.physical_bits) - any() % 8 * step + call.from % step;
    }
    if (step < GIB && call.size > 1024 * step) {
        call.size %= 1024 * step;
    }
    if (any() % 64 == 0) {
        *(any() % 2 ? &call.from : &call.to) += 1 << any() % 12;
    }
    return call;
}

/* Something about a page that is there: the same again, a part, more, or a conflict. */
static struct page call_about(struct page page)
{
    uint64_t offset = any() % 3 * 4096;
    if (any() % 2 && page.size > offset) {
        page.from += offset;
        page.to += offset;
        page.size -= offset;
    }
    page.size += any() % 3 * 4096;
    if (any() % 4 == 0 && page.from % GIB != 0 && page.to % GIB != 0) {
        page.from -= 4096;
        page.to -= 4096;
    }
    page.to += any() % 8 == 0 ? 4096 : 0;
    page.flags ^= any() % 8 == 0 ? (unsigned)(any() % 4) : 0;
    return page;
}

/* The CPU notes in an entry that it used it, or wrote to the page. */
static void use_some_pages(uint64_t address, int level)
{
    uint64_t *entries = memory[(address - MEMORY) / 4096];
    for (int i = 0; i < 512; i++) {
        if ((entries[i] & 1) && any() % 2) {
            bool page = level == 1 || (entries[i] & 0x80);
            entries[i] |= page && any() % 2 ? 0x60 : 0x20;
            if (!page) {
                use_some_pages(entries[i] & 0x000ffffffffff000, level - 1);
            }
        }
    }
}

static void one_call(void)
{
    struct page call = any_call();
    if (before.count > 0 && any() % 3 == 0) {
        call = call_about(before.page[any() % before.count]);
    }
    enum page_status status = page_table_map(&table, call.from, call.to, call.size,
                                             call.flags);
    walk();
    check(refused == (status == PAGE_NO_MEMORY),
          "another error hides that memory ran out");
    if (!table.no_execute) {
        call.flags |= PAGE_EXECUTE;
    }
    enum page_status right = expect(call);
    check(contains(&found, &before), "a page that was mapped before has changed");
    check(contains(&expected, &found),
          "a page is mapped that should not be, or otherwise");
    if (status == PAGE_NO_MEMORY) {
        return;
    }
    check(status == right, "another status than expected");
    check(status != PAGE_OK || contains(&found, &expected), "a page is not mapped");
    check(empty_tables <= (found.count == 0), "a table is empty");
}

static void test_at_random(void)
{
    static const uint8_t bits[] = {36, 39, 40, 46, 52};
    for (int sequence = 0; sequence < 250; sequence++) {
        begin(any() % 4 > 0, any() % 2, bits[any() % COUNT(bits)]);
        limit = any() % 4 ? ROOM : 1 + (int)(any() % 12);
        before.count = 0;
        for (int step = 0; step < 12 && !refused; step++) {
            snprintf(where, sizeof where, "at random, sequence %d, step %d", sequence,
                     step);
            one_call();
            copy(&before, &found);
            use_some_pages(table.root, 4);
        }
    }
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"entries", test_entries_as_the_manual_has_them},
        {"largest pages", test_the_largest_pages_that_fit},
        {"addresses that do not exist", test_addresses_that_do_not_exist},
        {"what is mapped already", test_what_is_mapped_already},
        {"without memory", test_without_memory},
        {"at random", test_at_random},
    };
    /* All of them, or the one that is named. */
    bool known = false;
    for (size_t i = 0; i < COUNT(tests); i++) {
        if (count < 2 || strcmp(arguments[1], tests[i].name) == 0) {
            snprintf(where, sizeof where, "%s", tests[i].name);
            tests[i].run();
            known = true;
        }
    }
    if (!known) {
        fprintf(stderr, "page_table_test: no test %s\n", arguments[1]);
        return 2;
    }
    return 0;
}
