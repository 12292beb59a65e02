/* screen_init.c -- the screen that there is, whatever it is made of */
#include "screen_init.h"

#include <stddef.h>

#include "framebuffer.h"
#include "vga_text.h"

/* Each of the two knows its own kind. */
const struct screen *screen_init(const struct boot_info *info)
{
    const struct screen *pixels = framebuffer_init(info);
    return pixels != NULL ? pixels : vga_text_init(info);
}
