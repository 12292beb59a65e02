/* jump_to_data.c -- a kernel that runs a variable as code */
#include "kernel.h"

extern uint8_t target;
uint8_t target = 0xc3; /* ret */

void kernel_main(const struct boot_info *info)
{
    ((void (*)(void)) & target)();
    halt_with(info);
}
