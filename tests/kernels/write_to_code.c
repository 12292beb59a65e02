/* write_to_code.c -- a kernel that overwrites its own code */
#include "kernel.h"

void kernel_main(const struct boot_info *info)
{
    *(volatile uint8_t *)kernel_main = 0;
    halt_with(info);
}
