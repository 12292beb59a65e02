/* overwrite_usable.c -- a kernel that overwrites each usable byte of memory */
#include "kernel.h"

static void overwrite(uint64_t address, uint64_t length)
{
    __asm__ volatile("rep stosq"
                     : "+D"(address), "+c"(length)
                     : "a"(0x3c3c3c3c3c3c3c3c)
                     : "memory");
}

void kernel_main(const struct boot_info *info)
{
    const char *at = (const char *)info->memory_map;

    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        const struct memory_range *range = (const struct memory_range *)at;
        if (range->type == MEMORY_USABLE) {
            overwrite(info->direct_map_base + range->base, range->length / 8);
        }
        at += info->memory_map_entry_size;
    }
    halt_with(info);
}
