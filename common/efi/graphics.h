/*
 * graphics.h -- the screen, as the firmware has set it up
 *
 * Source: UEFI specification, "Graphics Output Protocol".
 */
#pragma once

#include <efi.h>
#include <stdbool.h>

#include "boot_info.h"

/*
 * Describe the first screen whose pixels lie in memory, in the mode in which it is.
 * Returns how many bytes they take from screen->base on; 0: there is no such screen, and
 * its kind is SCREEN_NONE.
 */
uint64_t graphics_find(struct boot_screen *screen);

/*
 * Describe one mode, whose pixels lie in `size` bytes from `base` on. Returns false if it
 * has none in memory, or says what cannot be.
 */
bool graphics_describe(struct boot_screen *screen,
                       const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode, uint64_t base,
                       uint64_t size);
