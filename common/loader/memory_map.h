/*
 * memory_map.h -- one memory map out of whatever the firmware said
 *
 * Firmware gives ranges in any order; they may overlap, nest, repeat, have no length, or
 * reach beyond what an address can say. Every map made here is in order at every moment:
 * ranges sorted, disjoint, at multiples of 4 KiB, neighbours of one type merged. There is
 * no step to forget.
 *
 * No firmware is called here: the same source is in the BIOS loader, in the UEFI loader,
 * and in the tests of the host.
 */
#pragma once

#include <stdint.h>

#include "boot_info.h"

#define MEMORY_PAGE 4096

struct memory_map {
    struct memory_range *ranges;
    uint32_t count;
    uint32_t capacity;
    uint64_t end; /* of all addresses */
};

/*
 * Begin a map in an array of `capacity` ranges, at least 4. It holds one range: page 0,
 * reserved, because a pointer to it would look like no pointer. No call changes that.
 *
 * What is beyond `end` will be cut off: it is as far as the CPU's addresses reach, at
 * most 2^52, which is as far as a page table entry can point.
 *
 * Two places of the array are kept free to work in. With 2 * n + 3 places there is room
 * for whatever n calls of the two functions below can say.
 */
void memory_map_begin(struct memory_map *map, struct memory_range *ranges,
                      uint32_t capacity, uint64_t end);

/*
 * Say of `length` bytes from `base` on that they are of `type`, an enum memory_type; what
 * is no such type counts as MEMORY_RESERVED. Usable memory is rounded inward to whole
 * pages, all else outward. Where another range lies already, the greater type wins.
 *
 * When the array is full, usable memory is given up (the smallest range first); when
 * there is none, the last two ranges become one that is reserved, with what lies between
 * them: a map may become too careful, never too generous.
 */
void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length,
                    uint32_t type);

/*
 * Take `size` bytes, rounded up to whole pages, out of the usable memory from 1 MiB up to
 * `below`, and say that they are of `type`. Memory under 1 MiB stays free for what can
 * live nowhere else, such as the start of further processors.
 *
 * alignment: a power of two, at least 4 KiB. type: not MEMORY_USABLE. Returns the lowest
 * address that does, or 0. In a map that is full, other usable memory makes room for it.
 * Allocate when the firmware has been asked: what is added later may still be greater.
 */
uint64_t memory_map_allocate(struct memory_map *map, uint64_t size, uint64_t alignment,
                             uint64_t below, uint32_t type);

/* Returns how many bytes of `type` the map has from `from` up to `below`. */
uint64_t memory_map_total(const struct memory_map *map, uint64_t from, uint64_t below,
                          uint32_t type);
