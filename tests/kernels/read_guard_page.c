/* read_guard_page.c -- a kernel that reads the byte below its stack */
#include "kernel.h"

void kernel_main(const struct boot_info *info)
{
    *(volatile const uint8_t *)(info->stack_bottom - 1);
    halt_with(info);
}
