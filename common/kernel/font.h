/*
 * font.h -- pictures of the characters, for a screen that has none of its own
 *
 * common/make/font.py makes build/font.c of a font that is installed where we build.
 */
#pragma once

#include <stdint.h>

#define FONT_GLYPHS 256
#define FONT_WIDTH 8   /* pixels */
#define FONT_HEIGHT 16 /* likewise */

/*
 * The glyphs of code page 437. Each line of one is a byte, the uppermost first; the
 * leftmost pixel is the highest bit. Nothing is drawn of a space.
 */
extern const uint8_t font[FONT_GLYPHS][FONT_HEIGHT];
