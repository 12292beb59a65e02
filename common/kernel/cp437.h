/*
 * cp437.h -- the characters of a PC's text screen
 *
 * Source: Unicode Consortium, "cp437_DOSLatinUS to Unicode table"; and, for the pictures
 * below 0x20 and at 0x7f, "IBMGRAPH.TXT".
 */
#pragma once

#include <stdint.h>

#define CP437_REPLACEMENT 0xfe /* a black square: a question mark could be one */

/* Returns the glyph of a character, or CP437_REPLACEMENT if there is none. */
uint8_t cp437_glyph(uint32_t character);
