/* page_table_count.c -- how many page tables a kernel's address space can need */
#include "page_table_count.h"

#define FIRST_MIB_END (1ull << 20)
#define PAGE_SIZE_512G (512ull << 30)

uint64_t page_table_count_for(uint64_t virtual_address, uint64_t physical_address,
                              uint64_t size)
{
    /* A table is needed for each stretch of memory that it is about: as many as there are
     * in `size`, and one more at either end. */
    uint64_t count = size / PAGE_SIZE_512G + 2 + size / PAGE_SIZE_1G + 2 + 2;

    /* Where both addresses are at the same place in their 2 MiB, all but the ends can be
     * mapped in large pages. Else there is a table of level 1 for each 2 MiB. */
    if ((virtual_address - physical_address) % PAGE_SIZE_2M != 0) {
        count += size / PAGE_SIZE_2M;
    }
    return count;
}

static uint64_t count_direct_map(uint64_t base, uint64_t size)
{
    return page_table_count_for(BOOT_DIRECT_MAP_BASE + base, base, size);
}

uint64_t page_table_count(const struct memory_map *map,
                          const struct placed_kernel *kernel)
{
    const struct elf64 *elf = kernel->elf;
    uint64_t count = 1 + count_direct_map(0, FIRST_MIB_END);

    for (uint32_t i = 0; i < elf->segment_count; i++) {
        /* Whole pages: one more than in memory_size at either end. */
        count += page_table_count_for(kernel->virtual_base, kernel->physical,
                                      elf->segments[i].memory_size + 2 * PAGE_SIZE);
    }
    count += page_table_count_for(BOOT_STACK_BASE + PAGE_SIZE, kernel->stack_physical,
                                  elf->stack_size);
    for (uint32_t i = 0; i < map->count; i++) {
        if (memory_type_is_mapped(map->ranges[i].type)) {
            count += count_direct_map(map->ranges[i].base, map->ranges[i].length);
        }
    }
    return count;
}
