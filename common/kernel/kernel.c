/* kernel.c -- a kernel that prints, on whatever screen it is given, what it was told */
#include "boot_info.h"
#include "boot_report.h"
#include "console.h"
#include "halt.h"
#include "kprintf.h"
#include "panic.h"
#include "screen_init.h"

_Noreturn void kernel_main(const struct boot_info *info); /* the loader calls it */

void kernel_main(const struct boot_info *info)
{
    /* Without this, not even the screen would be where it is said to be. */
    KASSERT(info->magic == BOOT_INFO_MAGIC && info->version == BOOT_INFO_VERSION);

    panic_init(info);
    console_init(screen_init(info));
    print_boot_info(info);
    console_color(COLOR_LIGHT_CYAN, COLOR_BLACK);
    kprintf("Hello World!\n");
    halt();
}
