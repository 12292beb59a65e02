/* read_page_0.c -- a kernel that reads through a pointer to nothing */
#include "kernel.h"

static const volatile uint8_t *volatile nothing;

void kernel_main(const struct boot_info *info)
{
    *nothing;
    halt_with(info);
}
