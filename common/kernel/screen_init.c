/* screen_init.c -- the screen that there is, whatever it is made of */
#include "screen_init.h"

#include <stddef.h>

#include "framebuffer.h"
#include "vga_text.h"

const struct screen *screen_init(const struct boot_info *info)
{
    switch (info->screen.kind) {
    case SCREEN_RGB:
        return framebuffer_init(info);
    case SCREEN_VGA_TEXT:
        return vga_text_init(info);
    default:
        return NULL;
    }
}
