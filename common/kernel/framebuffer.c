/* framebuffer.c -- a screen made of pixels. For the sources, see framebuffer.h. */
#include "framebuffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "font.h"

#define COLORS 16
#define COLUMNS_MOST 160 /* with more, a screen of 4K would need a magnifying glass */
#define ROWS_MOST 100
#define CURSOR_LINE (FONT_HEIGHT - 2) /* the cursor is a cell's last two lines */
#define BLANK (COLOR_LIGHT_GREY << 8 | ' ')

/* What the screen shows, in memory that can be read: a glyph, its colours above it. */
static uint16_t cells[ROWS_MOST][COLUMNS_MOST];

static struct screen screen;
static unsigned cursor_column, cursor_row;

static uint64_t base;           /* virtual, of the pixel at the top left */
static uint32_t pitch;          /* bytes from a row of pixels to the next */
static unsigned pixel_size;     /* bytes */
static unsigned scale;          /* pixels, each way, that one of the font becomes */
static uint32_t pixels[COLORS]; /* each colour as a pixel of this screen */

/*
 * The one place where video memory becomes a pointer. It is only written to: a device
 * takes many times as long to send something back.
 */
static void write_pixel(uint64_t address, uint32_t pixel)
{
    switch (pixel_size) {
    case 2:
        *(volatile uint16_t *)(uintptr_t)address = (uint16_t)pixel;
        break;
    case 3:
        for (unsigned i = 0; i < 3; i++) {
            ((volatile uint8_t *)(uintptr_t)address)[i] = (uint8_t)(pixel >> 8 * i);
        }
        break;
    case 4:
        *(volatile uint32_t *)(uintptr_t)address = pixel;
        break;
    }
}

/* Draw a line of a glyph into one row of pixels. */
static void draw_bits(uint64_t address, uint8_t bits, uint8_t colors)
{
    for (uint8_t bit = 1 << (FONT_WIDTH - 1); bit != 0; bit >>= 1) {
        const uint32_t pixel = pixels[bits & bit ? colors & 0x0f : colors >> 4];
        for (unsigned i = 0; i < scale; i++) {
            write_pixel(address, pixel);
            address += pixel_size;
        }
    }
}

/* Draw a cell from one of its lines on. */
static void draw(unsigned column, unsigned row, unsigned first_line)
{
    const uint16_t cell = cells[row][column];
    const bool has_cursor = column == cursor_column && row == cursor_row;
    const uint64_t left = base + (uint64_t)column * FONT_WIDTH * scale * pixel_size;

    for (unsigned line = first_line; line < FONT_HEIGHT; line++) {
        const bool underline = has_cursor && line >= CURSOR_LINE;
        const uint8_t bits = underline ? 0xff : font[cell & 0xff][line];
        for (unsigned i = 0; i < scale; i++) {
            const uint64_t y = ((uint64_t)row * FONT_HEIGHT + line) * scale + i;
            draw_bits(left + y * pitch, bits, (uint8_t)(cell >> 8));
        }
    }
}

static bool is_cell(unsigned column, unsigned row)
{
    return column < screen.columns && row < screen.rows;
}

static void show(unsigned column, unsigned row, uint16_t cell)
{
    if (cells[row][column] != cell) {
        cells[row][column] = cell;
        draw(column, row, 0);
    }
}

static void put(unsigned column, unsigned row, uint8_t glyph, uint8_t colors)
{
    if (is_cell(column, row)) {
        show(column, row, (uint16_t)(colors << 8 | glyph));
    }
}

static void scroll(void)
{
    for (unsigned row = 1; row < screen.rows; row++) {
        for (unsigned column = 0; column < screen.columns; column++) {
            show(column, row - 1, cells[row][column]);
        }
    }
}

/* Only the lines of the cursor are drawn: those of its old place, then of the new one. */
static void cursor(unsigned column, unsigned row)
{
    const unsigned old_column = cursor_column, old_row = cursor_row;

    if (!is_cell(column, row) || (column == old_column && row == old_row)) {
        return;
    }
    cursor_column = column;
    cursor_row = row;
    if (is_cell(old_column, old_row)) {
        draw(old_column, old_row, CURSOR_LINE);
    }
    draw(column, row, CURSOR_LINE);
}

/* The bits of a colour in a pixel; 0 if there are none, or if some are outside of it. */
static uint32_t mask(unsigned size, unsigned shift, unsigned bits)
{
    if (size > bits || shift > bits - size) {
        return 0;
    }
    return (uint32_t)(((1ull << size) - 1) << shift);
}

/* Has a pixel bits of each colour, and none that belong to two? */
static bool has_sane_colors(const struct boot_screen *found)
{
    const uint32_t red = mask(found->red_size, found->red_shift, found->bits);
    const uint32_t green = mask(found->green_size, found->green_shift, found->bits);
    const uint32_t blue = mask(found->blue_size, found->blue_shift, found->bits);

    return red != 0 && green != 0 && blue != 0 && (red & green) == 0 &&
           ((red | green) & blue) == 0;
}

/* In bytes; 0 if there is none of so many bits. */
static unsigned size_of_pixel(const struct boot_screen *found)
{
    switch (found->bits) {
    case 15:
    case 16:
        return 2;
    case 24:
        return 3;
    case 32:
        return 4;
    default:
        return 0;
    }
}

/* Does a row hold its pixels, and can each be written? */
static bool has_sane_rows(const struct boot_screen *found)
{
    const unsigned size = size_of_pixel(found);
    if (size == 0 || found->pitch / size < found->width) {
        return false;
    }
    /* One of 2 or 4 bytes is written at once, so its address must be a multiple of it. */
    return size == 3 || (found->base % size == 0 && found->pitch % size == 0);
}

/* Does all of it lie in the direct map? A product of two 32-bit numbers cannot wrap. */
static bool is_mapped(const struct boot_info *info)
{
    const struct boot_screen *found = &info->screen;
    const uint64_t size = (uint64_t)found->height * found->pitch;

    return found->base < info->direct_map_size &&
           size <= info->direct_map_size - found->base;
}

/* From 8 bits of a colour to as many as a pixel has of it, rounded, in their place. */
static uint32_t to_bits(uint32_t value, unsigned size, unsigned shift)
{
    const uint64_t most = (1ull << size) - 1;
    return (uint32_t)(((value * most + UINT8_MAX / 2) / UINT8_MAX) << shift);
}

/*
 * A colour has two thirds of full intensity, and a light one a third more of all three;
 * brown is a yellow with half of its green.
 *
 * Source: Ralf Brown's Interrupt List, INT 10h AX=1000h, the default palette registers;
 * TECH Help!, "INT 10H 1000H: Set One Palette Register", for what their bits mean.
 */
static void make_pixels(const struct boot_screen *found)
{
    static const uint32_t rgb[COLORS] = {
        [COLOR_BLACK] = 0x000000,       [COLOR_BLUE] = 0x0000aa,
        [COLOR_GREEN] = 0x00aa00,       [COLOR_CYAN] = 0x00aaaa,
        [COLOR_RED] = 0xaa0000,         [COLOR_MAGENTA] = 0xaa00aa,
        [COLOR_BROWN] = 0xaa5500,       [COLOR_LIGHT_GREY] = 0xaaaaaa,
        [COLOR_DARK_GREY] = 0x555555,   [COLOR_LIGHT_BLUE] = 0x5555ff,
        [COLOR_LIGHT_GREEN] = 0x55ff55, [COLOR_LIGHT_CYAN] = 0x55ffff,
        [COLOR_LIGHT_RED] = 0xff5555,   [COLOR_LIGHT_MAGENTA] = 0xff55ff,
        [COLOR_YELLOW] = 0xffff55,      [COLOR_WHITE] = 0xffffff,
    };
    for (unsigned i = 0; i < COLORS; i++) {
        pixels[i] = to_bits(rgb[i] >> 16, found->red_size, found->red_shift) |
                    to_bits(rgb[i] >> 8 & 0xff, found->green_size, found->green_shift) |
                    to_bits(rgb[i] & 0xff, found->blue_size, found->blue_shift);
    }
}

/* A black screen is one of blanks; and it is black beside the cells and below them. */
static void clear(uint32_t width, uint32_t height)
{
    for (unsigned row = 0; row < ROWS_MOST; row++) {
        for (unsigned column = 0; column < COLUMNS_MOST; column++) {
            cells[row][column] = BLANK;
        }
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            write_pixel(base + (uint64_t)y * pitch + (uint64_t)x * pixel_size,
                        pixels[COLOR_BLACK]);
        }
    }
}

/* The least number by which glyphs can be enlarged to be no more than fit into cells. */
static unsigned scale_for(const struct boot_screen *found)
{
    const unsigned by_width = found->width / ((COLUMNS_MOST + 1) * FONT_WIDTH) + 1;
    const unsigned by_height = found->height / ((ROWS_MOST + 1) * FONT_HEIGHT) + 1;
    return by_width > by_height ? by_width : by_height;
}

const struct screen *framebuffer_init(const struct boot_info *info)
{
    const struct boot_screen *found = &info->screen;
    const unsigned enlarged = scale_for(found);
    const unsigned columns = found->width / enlarged / FONT_WIDTH;
    const unsigned rows = found->height / enlarged / FONT_HEIGHT;

    if (found->kind != SCREEN_RGB || columns == 0 || rows == 0 || !has_sane_rows(found) ||
        !has_sane_colors(found) || !is_mapped(info)) {
        return NULL;
    }
    base = info->direct_map_base + found->base;
    pitch = found->pitch;
    pixel_size = size_of_pixel(found);
    scale = enlarged;
    cursor_column = columns; /* nowhere yet */
    cursor_row = rows;
    screen = (struct screen){
        .columns = columns,
        .rows = rows,
        .put = put,
        .scroll = scroll,
        .cursor = cursor,
    };
    make_pixels(found);
    clear(found->width, found->height);
    return &screen;
}
