/*
 * loading.h -- from the headers of the kernel's file to the kernel's first instruction
 *
 * What all loaders do alike. What each does in its own way, because its firmware does,
 * are four functions; loading.c calls them.
 */
#pragma once

#include <stdint.h>

#include "address_space.h"
#include "boot_info.h"
#include "elf64.h"
#include "memory_map.h"

/* ---- what a loader must have ------------------------------------------------------ */

/* Show lines of text, each ended by "\r\n", on the screen and on COM1, and halt. */
_Noreturn void halt_with(const char *lines);

/*
 * Take `size` bytes of memory, in whole pages above 1 MiB and below 4 GiB, and say in the
 * memory map that they are of `type`, or fail_for_memory(). `what` is a part of a
 * sentence, such as "the kernel".
 *
 * alignment: a power of two, at least 4 KiB; where there is no such memory, 4 KiB will
 * do.
 */
void *allocate(const char *what, uint64_t size, uint64_t alignment,
               enum memory_type type);

/* Read `size` bytes of the kernel's file, all of them inside of it, or fail(). */
void read_file(uint64_t offset, uint64_t size, void *to);

/* A part of the file, and where in memory it belongs. */
struct piece {
    uint64_t offset;
    uint64_t size;
    unsigned char *to;
};

/* Read all of these, or fail(). */
void read_pieces(const struct piece *pieces, uint32_t count);

/* ---- what all loaders do alike ---------------------------------------------------- */

/* Show a sentence, or one that says how much memory is missing, and halt. */
_Noreturn void fail(const char *sentence);
_Noreturn void fail_for_memory(const char *what, uint64_t size, uint64_t there);

/* struct boot_info, and behind it what it points to: memory that becomes the kernel's. */
struct handover {
    struct boot_info info;
    char loader_name[32];
    char command_line[8];
    struct memory_range ranges[];
};

/*
 * Read a kernel's file of `size` bytes, put its segments into memory, find memory for its
 * stack and for `ranges_most` ranges of the memory map, and begin the handover: what a
 * loader has still to fill in is the machine and the memory map. Fails with a sentence if
 * the file is no good.
 *
 * *elf becomes what the file's headers say, *kernel where it is.
 */
struct handover *load_kernel(struct elf64 *elf, struct placed_kernel *kernel,
                             uint64_t size, const char *loader_name,
                             uint32_t ranges_most);

/* What the kernel starts with, but for the handover. */
struct start {
    uint64_t page_tables; /* goes into CR3 */
    uint64_t trampoline;  /* physical address of enter_kernel's instructions */
};

/*
 * Build the kernel's page tables: the kernel and its stack, the memory that `map` names,
 * and at `trampoline`, mapped to itself, the enter_kernel_end - enter_kernel bytes of the
 * last instructions. allocate_table() returns the physical address of a free page, or
 * fails. `map` must stay as it is meanwhile. Sets info.direct_map_size.
 */
struct start map_kernel(struct handover *given, const struct placed_kernel *kernel,
                        const struct memory_map *map, uint64_t trampoline,
                        uint64_t (*allocate_table)(void *context));

/* Start the kernel. Nothing of the loader is needed any more but the trampoline. */
_Noreturn void start_kernel(const struct start *start, struct handover *given,
                            const struct placed_kernel *kernel);

/* The last instructions: enter_kernel.asm. They may be copied to any address. */
extern const char enter_kernel[], enter_kernel_end[];

/* Returns where the kernel sees memory that the loader sees at `pointer`. */
static inline uint64_t in_direct_map(const void *pointer)
{
    return BOOT_DIRECT_MAP_BASE + (uint64_t)pointer;
}
