/* write_to_constant.c -- a kernel that overwrites a constant */
#include "kernel.h"

extern const uint8_t target;
const uint8_t target = 1;

void kernel_main(const struct boot_info *info)
{
    *(volatile uint8_t *)&target = 0;
    halt_with(info);
}
