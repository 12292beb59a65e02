/* read_behind_kernel.c -- a kernel that reads the byte behind its last page */
#include "kernel.h"

void kernel_main(const struct boot_info *info)
{
    *(volatile const uint8_t *)(info->kernel_virtual + info->kernel_size);
    halt_with(info);
}
