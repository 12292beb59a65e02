/*
 * address_space.h -- what the kernel will see of memory, as docs/boot-protocol.md says
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "elf64.h"
#include "memory_map.h"
#include "page_table.h"

/* A kernel and its stack, in memory but not yet mapped. */
struct placed_kernel {
    const struct elf64 *elf;
    uint64_t physical;       /* of elf->size bytes, which hold the segments */
    uint64_t virtual_base;   /* where the lowest page of the segments shall be */
    uint64_t stack_physical; /* of elf->stack_size bytes */
};

/*
 * May a kernel lie at these virtual addresses? It may from 1 MiB to the end of the lower
 * half, and in the topmost 512 GiB: all else is the loader's to give out.
 */
bool address_space_has_room(uint64_t virtual_base, uint64_t size);

/* Map each segment with its permissions, and the stack above a page without a mapping. */
enum page_status address_space_map_kernel(struct page_table *table,
                                          const struct placed_kernel *kernel);

/*
 * Map all memory that memory_type_is_mapped() to BOOT_DIRECT_MAP_BASE + its address, for
 * data only; and so the first MiB, whatever it holds, but for page 0. *size becomes the
 * number of bytes up to the end of the last page mapped. The map must stay as it is
 * meanwhile: it is not the one that table->allocate takes memory from.
 */
enum page_status address_space_map_memory(struct page_table *table,
                                          const struct memory_map *map, uint64_t *size);
