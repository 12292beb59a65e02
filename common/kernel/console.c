/* console.c -- where a kernel's text goes */
#include "console.h"

#include <stddef.h>
#include <stdint.h>

#include "cp437.h"
#include "serial.h"
#include "utf8.h"

#define TAB 8

static const struct screen *screen;
static unsigned column; /* where the next character goes: screen->columns in a full row */
static unsigned row;
static uint8_t colors;
static struct utf8 decoder;

static uint8_t colors_of(enum color foreground, enum color background)
{
    return (uint8_t)((background & 0x0f) << 4 | (foreground & 0x0f));
}

/* Always in the first colours: it is text that has others, not rows. */
static void blank_row(unsigned which)
{
    for (unsigned i = 0; i < screen->columns; i++) {
        screen->put(i, which, ' ', colors_of(COLOR_LIGHT_GREY, COLOR_BLACK));
    }
}

static void next_row(void)
{
    column = 0;
    if (row + 1 < screen->rows) {
        row++;
    } else {
        screen->scroll();
        blank_row(row);
    }
}

static void show_glyph(uint8_t glyph)
{
    if (column >= screen->columns) {
        next_row();
    }
    screen->put(column, row, glyph, colors);
    column++;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static void show(uint32_t character)
{
    switch (character) {
    case '\n':
        next_row();
        break;
    case '\r':
        column = 0;
        break;
    case '\t':
        column = least((column / TAB + 1) * TAB, screen->columns);
        break;
    case '\b':
        if (column > 0) {
            column--;
        }
        break;
    default:
        show_glyph(cp437_glyph(character));
    }
}

void console_init(const struct screen *where)
{
    serial_init();
    screen = where;
    column = row = 0;
    decoder = (struct utf8){0};
    console_color(COLOR_LIGHT_GREY, COLOR_BLACK);
    if (screen != NULL) {
        for (unsigned i = 0; i < screen->rows; i++) {
            blank_row(i);
        }
        screen->cursor(column, row);
    }
}

void console_color(enum color foreground, enum color background)
{
    colors = colors_of(foreground, background);
}

void console_put(char c)
{
    if (c == '\n') {
        serial_put('\r');
    }
    serial_put(c);

    if (screen != NULL) {
        uint32_t characters[2];
        const size_t count = utf8_decode(&decoder, (uint8_t)c, characters);
        for (size_t i = 0; i < count; i++) {
            show(characters[i]);
        }
        screen->cursor(least(column, screen->columns - 1), row);
    }
}

void console_write(const char *text)
{
    for (; *text != '\0'; text++) {
        console_put(*text);
    }
}
