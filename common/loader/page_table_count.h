/*
 * page_table_count.h -- how many page tables a kernel's address space can need
 *
 * For a loader that must take their memory before it knows the memory map for good.
 */
#pragma once

#include "address_space.h"

/*
 * Returns how many tables, of one page each, page_table_begin() and the two functions of
 * address_space.h take at most, for this kernel and this map.
 */
uint64_t page_table_count(const struct memory_map *map,
                          const struct placed_kernel *kernel);

/* Returns how many tables one call of page_table_map() takes at most. */
uint64_t page_table_count_for(uint64_t virtual_address, uint64_t physical_address,
                              uint64_t size);
