/*
 * screen.h -- what a console needs of a screen, whatever the screen is made of
 *
 * A screen is a grid of cells. Each shows one of 256 glyphs, those of code page 437, in
 * one of 16 colours on another one. Column 0, row 0 is at the top left.
 */
#pragma once

#include <stdint.h>

/* Source: IBM VGA Technical Reference, "Attribute Byte". */
enum color {
    COLOR_BLACK,
    COLOR_BLUE,
    COLOR_GREEN,
    COLOR_CYAN,
    COLOR_RED,
    COLOR_MAGENTA,
    COLOR_BROWN,
    COLOR_LIGHT_GREY,
    COLOR_DARK_GREY, /* from here on, each is a light version of the one 8 before */
    COLOR_LIGHT_BLUE,
    COLOR_LIGHT_GREEN,
    COLOR_LIGHT_CYAN,
    COLOR_LIGHT_RED,
    COLOR_LIGHT_MAGENTA,
    COLOR_YELLOW,
    COLOR_WHITE,
};

struct screen {
    unsigned columns; /* at least 1, and so are the rows */
    unsigned rows;

    /* Show a glyph. colors: the background in bits 4 to 7, the glyph's in bits 0 to 3. */
    void (*put)(unsigned column, unsigned row, uint8_t glyph, uint8_t colors);

    /* Move all rows up by one. The first is lost, the last is there twice. */
    void (*scroll)(void);

    /* Show where the next character will be. */
    void (*cursor)(unsigned column, unsigned row);
};
