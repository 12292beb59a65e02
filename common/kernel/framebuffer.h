/*
 * framebuffer.h -- a screen made of pixels
 *
 * The firmware shows what is in a range of memory, row by row: the framebuffer. boot_info
 * says where it is, and how a pixel is made up of its colours.
 *
 * Source: UEFI specification, "Graphics Output Protocol"; VESA BIOS Extension (VBE) Core
 * Functions Standard, "Return VBE Mode Information".
 */
#pragma once

#include "boot_info.h"
#include "screen.h"

/*
 * Take over the screen that the loader has set up, and make it black: blanks, light grey
 * on black. Glyphs are enlarged by a whole number, the least with which there are at most
 * 160 columns and 100 rows. What is left over, at the right and at the bottom, stays
 * black.
 *
 * Returns the screen; or NULL if boot_info names none of this kind, or one that we cannot
 * draw on: smaller than a cell, not in the direct map, with pixels of other sizes than
 * 15, 16, 24 or 32 bits, with rows that overlap, or with colours that have no bits or
 * share some. There is one such screen: a second call takes it over again, as it is
 * described then. It does nothing for cells that it does not have.
 */
const struct screen *framebuffer_init(const struct boot_info *info);
