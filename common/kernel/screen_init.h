/* screen_init.h -- the screen that there is, whatever it is made of */
#pragma once

#include "boot_info.h"
#include "screen.h"

/*
 * Take over the screen that the loader has set up: pixels, or the VGA's text. Returns
 * NULL if there is none, or none that we can draw on.
 */
const struct screen *screen_init(const struct boot_info *info);
