/*
 * page_table.c -- build four levels of page tables
 *
 * The CPU looks an address up in four tables, one after the other. Each of them has 512
 * entries, and 9 bits of the address say which one counts: bits 39 to 47 in the top
 * table, level 4; bits 12 to 20 in the last, level 1. An entry holds the address of the
 * next table, or, from level 3 down, that of a page: 1 GiB, 2 MiB, or 4 KiB of memory.
 *
 * Source: Intel SDM volume 3, "4-Level Paging and 5-Level Paging".
 */
#include "page_table.h"

#include "memory.h"

#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_WRITE (1ull << 1)
#define ENTRY_ACCESSED (1ull << 5) /* the CPU sets these two when it uses an entry */
#define ENTRY_DIRTY (1ull << 6)
#define ENTRY_PAGE (1ull << 7) /* above level 1: a page, not another table */
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ull /* bits 12 to 51 */

#define TOP_LEVEL 4
#define ENTRIES 512
#define PHYSICAL_BITS_MOST 52
#define LOWER_HALF_END (1ull << 47)
#define UPPER_HALF (-LOWER_HALF_END)

/* One step of page_table_map: what is still to be mapped, and how. */
struct request {
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t size;
    uint64_t flags; /* ENTRY_..., but for ENTRY_PAGE */
};

/* Returns how many bytes one entry of a table is about. */
static uint64_t span_of(int level)
{
    return PAGE_SIZE << 9 * (level - 1);
}

/* Returns the entry for an address in the table at a physical address. */
static uint64_t *entry_of(const struct page_table *table, uint64_t physical_address,
                          int level, uint64_t virtual_address)
{
    uint64_t *entries = (uint64_t *)((uintptr_t)physical_address + table->offset);
    return &entries[virtual_address / span_of(level) % ENTRIES];
}

/* Returns the physical address of an empty table, or 0 when there is no memory. */
static uint64_t new_table(const struct page_table *table)
{
    uint64_t address = table->allocate(table->context);
    if (address != 0) {
        memset((void *)((uintptr_t)address + table->offset), 0, PAGE_SIZE);
    }
    return address;
}

static bool is_page(uint64_t entry, int level)
{
    return level == 1 || (entry & ENTRY_PAGE);
}

/* Can one entry of this level map the beginning of what was asked for? */
static bool page_fits(const struct page_table *table, const struct request *request,
                      int level)
{
    uint64_t span = span_of(level);
    bool known = level <= 2 || (level == 3 && table->gigabyte_pages);
    return known && request->size >= span && request->virtual_address % span == 0 &&
           request->physical_address % span == 0;
}

/* Does this entry map the beginning of what was asked for, and just so? */
static bool page_agrees(uint64_t entry, const struct request *request, int level)
{
    uint64_t inside = request->virtual_address % span_of(level);
    uint64_t flags = entry & ~(ENTRY_ADDRESS | ENTRY_ACCESSED | ENTRY_DIRTY);
    if (level > 1) {
        flags &= ~ENTRY_PAGE;
    }
    return flags == request->flags &&
           (entry & ENTRY_ADDRESS) + inside == request->physical_address;
}

/*
 * Map the beginning of what was asked for, with one entry. On PAGE_OK, *mapped is how
 * many bytes that were.
 */
static enum page_status map_one(const struct page_table *table,
                                const struct request *request, uint64_t *mapped)
{
    uint64_t address = table->root;
    for (int level = TOP_LEVEL;; level--) {
        uint64_t *entry = entry_of(table, address, level, request->virtual_address);

        if (!(*entry & ENTRY_PRESENT) && page_fits(table, request, level)) {
            *entry = request->physical_address | request->flags;
            if (level > 1) {
                *entry |= ENTRY_PAGE;
            }
        } else if (!(*entry & ENTRY_PRESENT)) {
            uint64_t next = new_table(table);
            if (next == 0) {
                return PAGE_NO_MEMORY;
            }
            /* Where tables and page disagree, the CPU takes the stricter: so a table
             * allows all, and the entry of each page decides. */
            *entry = next | ENTRY_PRESENT | ENTRY_WRITE;
        }

        /* Whether it stood here before or not: from here on, both are one case. */
        if (is_page(*entry, level)) {
            uint64_t left = span_of(level) - request->virtual_address % span_of(level);
            *mapped = left < request->size ? left : request->size;
            return page_agrees(*entry, request, level) ? PAGE_OK : PAGE_CONFLICT;
        }
        address = *entry & ENTRY_ADDRESS;
    }
}

/* Is it all within one half of the addresses that a CPU with four levels knows? */
static bool is_canonical(uint64_t address, uint64_t size)
{
    if (address < LOWER_HALF_END) {
        return size <= LOWER_HALF_END - address;
    }
    /* -address is the distance to 2^64. */
    return address >= UPPER_HALF && size <= -address;
}

static bool is_within_cpu(const struct page_table *table, uint64_t address, uint64_t size)
{
    uint8_t bits = table->physical_bits;
    uint64_t end = 1ull << (bits < PHYSICAL_BITS_MOST ? bits : PHYSICAL_BITS_MOST);
    return address <= end && size <= end - address;
}

enum page_status page_table_begin(struct page_table *table)
{
    table->root = new_table(table);
    return table->root != 0 ? PAGE_OK : PAGE_NO_MEMORY;
}

enum page_status page_table_map(struct page_table *table, uint64_t virtual_address,
                                uint64_t physical_address, uint64_t size, unsigned flags)
{
    if ((virtual_address | physical_address | size) % PAGE_SIZE != 0) {
        return PAGE_MISALIGNED;
    }
    if (!is_canonical(virtual_address, size)) {
        return PAGE_NOT_CANONICAL;
    }
    if (!is_within_cpu(table, physical_address, size)) {
        return PAGE_BEYOND_CPU;
    }

    struct request request = {virtual_address, physical_address, size, ENTRY_PRESENT};
    if (flags & PAGE_WRITE) {
        request.flags |= ENTRY_WRITE;
    }
    if (!(flags & PAGE_EXECUTE) && table->no_execute) {
        request.flags |= ENTRY_NO_EXECUTE;
    }
    while (request.size > 0) {
        uint64_t mapped;
        enum page_status status = map_one(table, &request, &mapped);
        if (status != PAGE_OK) {
            return status;
        }
        request.virtual_address += mapped;
        request.physical_address += mapped;
        request.size -= mapped;
    }
    return PAGE_OK;
}
