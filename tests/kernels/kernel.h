/* kernel.h -- what the kernels of the tests share */
#pragma once

#include "boot_info.h"

_Noreturn void kernel_main(const struct boot_info *info); /* the loader calls it */

/* Halt for good, with the boot information in rdi, as it was at the entry. */
static inline _Noreturn void halt_with(const struct boot_info *info)
{
    for (;;) {
        __asm__ volatile("cli; hlt" : : "D"(info));
    }
}
