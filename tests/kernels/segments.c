/* segments.c -- a kernel of code, constants, variables, and variables without a value */
#include "kernel.h"

const char constants[5000] = {[0] = 'f', [4999] = 'l'};
char variables[] = "variables";
char nothing_yet[3 * 4096 + 1]; /* .bss */

void kernel_main(const struct boot_info *info)
{
    halt_with(info);
}
