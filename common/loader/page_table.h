/*
 * page_table.h -- build four levels of page tables
 *
 * Source: Intel SDM volume 3, "4-Level Paging and 5-Level Paging".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE 4096ull
#define PAGE_SIZE_2M (2ull << 20)
#define PAGE_SIZE_1G (1ull << 30)

/* What may be done with a page besides reading it. */
#define PAGE_WRITE (1u << 0)
#define PAGE_EXECUTE (1u << 1)

enum page_status {
    PAGE_OK,
    PAGE_MISALIGNED,    /* an address or the size is no multiple of 4 KiB */
    PAGE_NOT_CANONICAL, /* no virtual address: bits 48 to 63 do not repeat bit 47 */
    PAGE_BEYOND_CPU,    /* the physical address has more bits than the CPU knows */
    PAGE_CONFLICT,      /* a page is mapped already, and otherwise */
    PAGE_NO_MEMORY,     /* no memory for another table */
};

struct page_table {
    uint64_t root; /* physical address of the top table: what goes into CR3 */

    /* Returns the physical address of a free page, or 0 when there is none. */
    uint64_t (*allocate)(void *context);
    void *context;
    /* To be added to a physical address to make a pointer that works now. */
    uintptr_t offset;

    /* What the CPU has. Set a bit that it does not know, and the first access faults. */
    bool no_execute;       /* CPUID 0x80000001, EDX bit 20 */
    bool gigabyte_pages;   /* CPUID 0x80000001, EDX bit 26 */
    uint8_t physical_bits; /* CPUID 0x80000008, EAX bits 0 to 7 */
};

/* Allocate an empty top table; the other members must have been set. */
enum page_status page_table_begin(struct page_table *table);

/*
 * Map `size` bytes of virtual memory to physical memory, in the largest pages that fit.
 *
 * flags: PAGE_WRITE, PAGE_EXECUTE, both or none. Where the CPU has no NX bit, every page
 * can be executed. What is mapped already, in pages of any size, must be mapped to the
 * same place with the same flags; it stays as it is. After an error some of the range may
 * be mapped.
 */
enum page_status page_table_map(struct page_table *table, uint64_t virtual_address,
                                uint64_t physical_address, uint64_t size, unsigned flags);
