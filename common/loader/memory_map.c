/*
 * memory_map.c -- keep a memory map in order while ranges are added to it
 *
 * What is added is cut into pieces that lie within one range of the map or between two.
 * Such a piece makes the map at most two ranges longer, when it cuts a hole into the
 * middle of a range. So two places of the array are kept free for it, and only after the
 * piece is in we see whether the map has become too long.
 *
 * Source: ACPI specification, "System Address Map Interfaces"; UEFI specification,
 * "EFI_BOOT_SERVICES.GetMemoryMap()".
 */
#include "memory_map.h"

#include <stdbool.h>

#include "memory.h"

#define LOW_MEMORY_END (1ull << 20) /* real mode reaches no further */
#define SPARE 2                     /* ranges that one piece can add */

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(MEMORY_PAGE - 1);
}

static uint64_t page_up(uint64_t address)
{
    return page_down(address + MEMORY_PAGE - 1);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t end_of(const struct memory_range *range)
{
    return range->base + range->length;
}

static void insert(struct memory_map *map, uint32_t index, uint64_t base, uint64_t end,
                   uint32_t type)
{
    struct memory_range *range = &map->ranges[index];
    memmove(range + 1, range, (map->count - index) * sizeof *range);
    map->count++;
    range->base = base;
    range->length = end - base;
    range->type = type;
    range->attributes = 0;
}

static void drop(struct memory_map *map, uint32_t index)
{
    struct memory_range *range = &map->ranges[index];
    map->count--;
    memmove(range, range + 1, (map->count - index) * sizeof *range);
}

/* Cut a range in two at an address, if that lies inside of it. */
static bool cut(struct memory_map *map, uint32_t index, uint64_t address)
{
    struct memory_range *range = &map->ranges[index];
    if (address <= range->base || address >= end_of(range)) {
        return false;
    }
    insert(map, index + 1, address, end_of(range), range->type);
    range->length = address - range->base;
    return true;
}

/* Make one range of this one and the next, if they touch and are of one type. */
static void join(struct memory_map *map, uint32_t index)
{
    struct memory_range *range = &map->ranges[index];
    if (index + 1 < map->count && end_of(range) == range[1].base &&
        range->type == range[1].type) {
        range->length += range[1].length;
        drop(map, index + 1);
    }
}

/* Returns the index of the smallest usable range, or map->count if there is none. */
static uint32_t smallest_usable(const struct memory_map *map)
{
    uint32_t smallest = map->count;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->ranges[i].type == MEMORY_USABLE &&
            (smallest == map->count ||
             map->ranges[i].length < map->ranges[smallest].length)) {
            smallest = i;
        }
    }
    return smallest;
}

/*
 * Make one reserved range of the last two, and of what lies between them. At the end of
 * the map: the kernel and what belongs to it were allocated at its beginning.
 */
static void unite_last_two(struct memory_map *map)
{
    map->count--;
    struct memory_range *range = &map->ranges[map->count - 1];
    range->length = end_of(&range[1]) - range->base;
    range->type = MEMORY_RESERVED;
    if (map->count > 1) {
        join(map, map->count - 2);
    }
}

/* Give up so much of what the map says that SPARE ranges are free again. */
static void shrink(struct memory_map *map)
{
    while (map->count > map->capacity - SPARE) {
        uint32_t index = smallest_usable(map);
        if (index < map->count) {
            drop(map, index);
        } else {
            unite_last_two(map);
        }
    }
}

/*
 * Add the first piece of begin to end: what lies in the same range as begin, or in the
 * same gap between two. Returns where the piece ends.
 */
static uint64_t add_piece(struct memory_map *map, uint64_t begin, uint64_t end,
                          uint32_t type)
{
    uint32_t index = 0;
    while (index < map->count && end_of(&map->ranges[index]) <= begin) {
        index++;
    }
    struct memory_range *range = &map->ranges[index];

    if (index == map->count) {
        insert(map, index, begin, end, type);
    } else if (begin < range->base) {
        end = smaller(end, range->base);
        insert(map, index, begin, end, type);
    } else {
        end = smaller(end, end_of(range));
        if (type <= range->type) {
            return end;
        }
        if (cut(map, index, begin)) {
            index++;
        }
        cut(map, index, end);
        map->ranges[index].type = type;
    }
    join(map, index);
    if (index > 0) {
        join(map, index - 1);
    }
    return end;
}

void memory_map_begin(struct memory_map *map, struct memory_range *ranges,
                      uint32_t capacity, uint64_t end)
{
    map->ranges = ranges;
    map->count = 0;
    map->capacity = capacity;
    map->end = end;
    insert(map, 0, 0, MEMORY_PAGE, MEMORY_RESERVED);
}

void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length,
                    uint32_t type)
{
    if (length == 0 || base >= map->end) {
        return;
    }
    if (type < MEMORY_USABLE || type > MEMORY_BAD) {
        type = MEMORY_RESERVED;
    }

    /* base + length could wrap round to a small number: compare a difference. */
    uint64_t end = length < map->end - base ? base + length : map->end;
    bool inward = type == MEMORY_USABLE;
    uint64_t begin = inward ? page_up(base) : page_down(base);
    end = inward ? page_down(end) : page_up(end);

    begin = greater(begin, MEMORY_PAGE); /* page 0 stays as it is */
    while (begin < end) {
        begin = add_piece(map, begin, end, type);
        shrink(map);
    }
}

uint64_t memory_map_allocate(struct memory_map *map, uint64_t size, uint64_t alignment,
                             uint64_t below, uint32_t type)
{
    if (size == 0 || size > map->end) {
        return 0;
    }
    size = page_up(size);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];
        uint64_t begin = greater(range->base, LOW_MEMORY_END);
        uint64_t end = smaller(end_of(range), below);
        begin = (begin + alignment - 1) & ~(alignment - 1);
        if (range->type == MEMORY_USABLE && begin < end && end - begin >= size) {
            /* If the map gets too long now, it is because usable memory before and
             * behind this is left over. It is that which is given up, then. */
            memory_map_add(map, begin, size, type);
            return begin;
        }
    }
    return 0;
}

uint64_t memory_map_total(const struct memory_map *map, uint64_t from, uint64_t below,
                          uint32_t type)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];
        uint64_t begin = greater(range->base, from);
        uint64_t end = smaller(end_of(range), below);
        if (range->type == type && begin < end) {
            total += end - begin;
        }
    }
    return total;
}
