/* jump_to_direct_map.c -- a kernel that runs its own code by way of the direct map */
#include "kernel.h"

void kernel_main(const struct boot_info *info)
{
    uint64_t offset = (uint64_t)kernel_main - info->kernel_virtual;
    ((void (*)(void))(info->direct_map_base + info->kernel_physical + offset))();
    halt_with(info);
}
