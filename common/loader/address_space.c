/* address_space.c -- what the kernel will see of memory */
#include "address_space.h"

#define FIRST_MIB_END (1ull << 20)
#define LOWER_HALF_BEGIN FIRST_MIB_END
#define LOWER_HALF_END (1ull << 47)
#define TOPMOST_BEGIN 0xffffff8000000000

bool address_space_has_room(uint64_t virtual_base, uint64_t size)
{
    if (virtual_base >= TOPMOST_BEGIN) {
        return size <= -virtual_base; /* the distance to 2^64 */
    }
    return virtual_base >= LOWER_HALF_BEGIN && virtual_base < LOWER_HALF_END &&
           size <= LOWER_HALF_END - virtual_base;
}

static enum page_status map_segment(struct page_table *table,
                                    const struct placed_kernel *kernel,
                                    const struct elf64_segment *segment)
{
    /* Whole pages: what is around a segment in its first and last page is zero. */
    uint64_t begin = (segment->virtual_address - kernel->elf->base) & ~(PAGE_SIZE - 1);
    uint64_t end = segment->virtual_address - kernel->elf->base + segment->memory_size;
    uint64_t size = (end - begin + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

    unsigned flags = 0;
    if (segment->flags & ELF64_WRITE) {
        flags |= PAGE_WRITE;
    }
    if (segment->flags & ELF64_EXECUTE) {
        flags |= PAGE_EXECUTE;
    }
    return page_table_map(table, kernel->virtual_base + begin, kernel->physical + begin,
                          size, flags);
}

enum page_status address_space_map_kernel(struct page_table *table,
                                          const struct placed_kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->elf->segment_count; i++) {
        enum page_status status = map_segment(table, kernel, &kernel->elf->segments[i]);
        if (status != PAGE_OK) {
            return status;
        }
    }
    /* Nobody maps the page at BOOT_STACK_BASE: a stack that overflows meets it. */
    return page_table_map(table, BOOT_STACK_BASE + PAGE_SIZE, kernel->stack_physical,
                          kernel->elf->stack_size, PAGE_WRITE);
}

/* Map memory from begin to end for data, at the same distance from the map's base. */
static enum page_status map_directly(struct page_table *table, uint64_t begin,
                                     uint64_t end)
{
    return page_table_map(table, BOOT_DIRECT_MAP_BASE + begin, begin, end - begin,
                          PAGE_WRITE);
}

enum page_status address_space_map_memory(struct page_table *table,
                                          const struct memory_map *map, uint64_t *size)
{
    *size = FIRST_MIB_END;
    enum page_status status = map_directly(table, PAGE_SIZE, FIRST_MIB_END);
    for (uint32_t i = 0; i < map->count && status == PAGE_OK; i++) {
        uint64_t begin = map->ranges[i].base;
        uint64_t end = begin + map->ranges[i].length;
        if (begin < FIRST_MIB_END) {
            begin = FIRST_MIB_END;
        }
        if (begin < end && memory_type_is_mapped(map->ranges[i].type)) {
            status = map_directly(table, begin, end);
            *size = end;
        }
    }
    return status;
}
