/* sources: common/loader/memory_map.c */
/*
 * memory_map_fuzz.c -- whatever the firmware says, the map stays in order and careful
 *
 * The input is one byte for the size of the map, then calls of 12 bytes: what to do, and
 * two numbers. At the end the map is asked about each page where something begins or
 * ends, and compared with all the calls: nothing is free that one of them has taken.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory_map.h"

#define CALLS 48
#define ROOM (2 * CALLS + 3)
#define END (1ull << 52)
#define PAGE ((uint64_t)MEMORY_PAGE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a call said, without sums that may wrap. */
struct call {
    uint64_t first, last; /* bytes */
    uint32_t type;
};

static struct memory_range room[ROOM], *ranges;
static struct memory_map map;
static struct call calls[CALLS];
static size_t call_count;

static void check(bool right, const char *sentence)
{
    if (!right) {
        fprintf(stderr, "memory_map: %s\n", sentence);
        __builtin_trap();
    }
}

static void check_order(void)
{
    check(map.count > 0 && map.count <= map.capacity, "it holds more than it can");
    check(ranges[0].base == 0 && ranges[0].type == MEMORY_RESERVED, "page 0 is free");
    uint64_t end = 0;
    for (uint32_t i = 0; i < map.count; i++) {
        const struct memory_range *range = &ranges[i];
        check(range->length > 0 && (range->base | range->length) % PAGE == 0,
              "a range is not whole pages");
        check(range->base <= END && range->length <= END - range->base,
              "a range ends beyond 2^52");
        check(range->base >= end, "ranges are out of order, or overlap");
        check(i == 0 || range->base > end || range->type != range[-1].type,
              "two neighbours of one type are not one range");
        check(range->type >= MEMORY_USABLE && range->type <= MEMORY_BAD,
              "a type is unknown");
        check(range->attributes == 0, "a range has attributes");
        end = range->base + range->length;
    }
}

/* What the map says of a page; 0: nothing. */
static uint32_t type_in_map(uint64_t page)
{
    for (uint32_t i = 0; i < map.count; i++) {
        if (page >= ranges[i].base && page - ranges[i].base < ranges[i].length) {
            return ranges[i].type;
        }
    }
    return 0;
}

/* What the calls said of a page, the greatest of it. */
static uint32_t type_said(uint64_t page)
{
    uint32_t type = page == 0 ? MEMORY_RESERVED : 0;
    for (size_t i = 0; i < call_count && page != 0; i++) {
        const struct call *call = &calls[i];
        bool all = call->first <= page && call->last >= page + (PAGE - 1);
        bool some = call->first <= page + (PAGE - 1) && call->last >= page;
        if (call->type > type && (call->type == MEMORY_USABLE ? all : some)) {
            type = call->type;
        }
    }
    return type;
}

static void check_page(uint64_t address, bool roomy)
{
    uint64_t page = address / PAGE * PAGE;
    if (page >= END) {
        return;
    }
    uint32_t said = type_said(page), is = type_in_map(page);
    check(is != MEMORY_USABLE || said == MEMORY_USABLE,
          "what is not usable became usable");
    check(said <= MEMORY_USABLE || is == said || is >= MEMORY_RESERVED,
          "a reservation was lost");
    check(is == said || !roomy, "something was given up, though there was room");
    check(is == said || is == 0 || is >= MEMORY_RESERVED, "a type comes from nowhere");
}

/* Something can only change where a call begins or ends, or a range of the map. */
static void check_all_calls(bool roomy)
{
    for (size_t i = 0; i < call_count; i++) {
        for (uint64_t near = 0; near < 3; near++) {
            check_page(calls[i].first + near * PAGE - PAGE, roomy);
            check_page(calls[i].last + near * PAGE - PAGE, roomy);
        }
    }
    for (uint32_t i = 0; i < map.count; i++) {
        check_page(ranges[i].base, roomy);
        check_page(ranges[i].base + ranges[i].length, roomy);
        check_page(ranges[i].base + ranges[i].length - 1, roomy);
    }
}

static void remember(uint64_t base, uint64_t length, uint32_t type)
{
    if (length > 0) {
        uint64_t last =
            length - 1 <= UINT64_MAX - base ? base + (length - 1) : UINT64_MAX;
        calls[call_count++] = (struct call){base, last, type};
    }
}

static void add(uint64_t base, uint64_t length, uint32_t type)
{
    memory_map_add(&map, base, length, type);
    bool known = type >= MEMORY_USABLE && type <= MEMORY_BAD;
    remember(base, length, known ? type : MEMORY_RESERVED);
}

static void allocate(uint64_t size, uint64_t below, unsigned shift, uint32_t type)
{
    static struct memory_map before;
    static struct memory_range ranges_before[ROOM];
    memcpy(ranges_before, ranges, map.count * sizeof ranges[0]);
    before = map;

    uint64_t alignment = PAGE << shift;
    uint64_t address = memory_map_allocate(&map, size, alignment, below, type);
    if (address == 0) {
        check(map.count == before.count &&
                  memcmp(ranges, ranges_before, map.count * sizeof ranges[0]) == 0,
              "a failed allocation changed the map");
        return;
    }
    check(address % alignment == 0 && address >= 1 << 20,
          "an allocation has a bad place");
    check(size > 0 && size <= END && address < below, "an allocation has a bad size");
    uint64_t pages = (size + PAGE - 1) / PAGE * PAGE;
    check(pages <= below - address, "an allocation is not below its limit");

    before.ranges = ranges_before;
    check(memory_map_total(&before, address, address + pages, MEMORY_USABLE) == pages,
          "what was allocated was not free");
    check(memory_map_total(&map, address, address + pages, type) == pages,
          "what was allocated was lost");
    remember(address, pages, type);
}

/*
 * A short number, shifted, and some bytes or pages more or less: so that many calls are
 * about the same pages.
 */
static uint64_t number(const uint8_t *data)
{
    uint64_t value = (uint64_t)(data[0] | data[1] << 8) << data[2] % 64;
    return value + (uint64_t)(int8_t)data[3] * (data[2] & 0x80 ? PAGE : 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* Enough room for all calls, or less. */
    bool roomy = data[0] >= 128;
    uint32_t capacity = roomy ? ROOM : 4 + data[0] % 32;
    ranges = room + ROOM - capacity; /* the sanitizer watches what is behind them */
    memory_map_begin(&map, ranges, capacity, END);
    check_order();
    call_count = 0;
    data++;
    size--;
    for (; size >= 12 && call_count < CALLS; data += 12, size -= 12) {
        uint64_t first = number(data + 4), second = number(data + 8);
        if (data[0] < 192) {
            add(first, second, data[1] % 16 == 15 ? 0xffffffff : data[1] % 16);
        } else {
            allocate(first, second, data[2] % 52, 2 + data[1] % 9);
        }
        check_order();
    }
    check_all_calls(roomy);
    return 0;
}
