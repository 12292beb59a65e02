/* jump_to_stack.c -- a kernel that runs code on its stack */
#include "kernel.h"

void kernel_main(const struct boot_info *info)
{
    volatile uint8_t *stack = (volatile uint8_t *)info->stack_bottom;
    *stack = 0xc3; /* ret */
    ((void (*)(void))stack)();
    halt_with(info);
}
