/*
 * vga_text.h -- the VGA's text screen
 *
 * Source: IBM VGA Technical Reference, "Alphanumeric Modes", "CRT Controller Registers"
 * and "Attribute Controller Registers".
 */
#pragma once

#include "boot_info.h"
#include "screen.h"

/*
 * Take over the screen that the loader has set up: switch the cursor on, and make bit 7
 * of a cell's colours a part of its background, where the BIOS lets it blink.
 *
 * Returns the screen, or NULL if boot_info names none of this kind. There is one VGA:
 * a second call returns the same screen. It does nothing for cells that it does not
 * have.
 */
const struct screen *vga_text_init(const struct boot_info *info);
