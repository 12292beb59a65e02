/* sources: common/kernel/framebuffer.c */
/*
 * framebuffer_fuzz.c -- any description of a screen at all, and what is then done to it
 *
 * The input is the size of the direct map, a struct boot_screen, and commands. Whether a
 * screen can be drawn on is decided here once more, with numbers that cannot wrap. If it
 * can, its memory ends with its last pixel, and ASan watches what is around it; after the
 * commands, each pixel must be as its cell says, and what is between the rows as it was.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "framebuffer.h"

#define FILL        0xee
#define MEMORY_MOST (1 << 16) /* bytes: a larger screen is not drawn on */
#define CELLS_MOST  (MEMORY_MOST / (FONT_WIDTH * FONT_HEIGHT * 2))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made up: all lines of a glyph differ. But for the space, of which nothing is drawn. */
#define LINE(g, i) (uint8_t)((g) == ' ' ? 0 : (g) * 7 ^ (i) * 37)
#define LINES(g, i) LINE(g, i), LINE(g, i + 1), LINE(g, i + 2), LINE(g, i + 3)
#define GLYPH(g) {LINES(g, 0), LINES(g, 4), LINES(g, 8), LINES(g, 12)}
#define GLYPHS_4(g) GLYPH(g), GLYPH(g + 1), GLYPH(g + 2), GLYPH(g + 3)
#define GLYPHS_16(g) GLYPHS_4(g), GLYPHS_4(g + 4), GLYPHS_4(g + 8), GLYPHS_4(g + 12)
#define GLYPHS_64(g) GLYPHS_16(g), GLYPHS_16(g + 16), GLYPHS_16(g + 32), GLYPHS_16(g + 48)

const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {GLYPHS_64(0), GLYPHS_64(64),
                                                GLYPHS_64(128), GLYPHS_64(192)};

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "framebuffer_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

/* ---- which screens can be drawn on ------------------------------------------------ */

struct part {
    uint8_t size, shift, thirds[16]; /* of full intensity, as the EGA's colours have */
};

static void parts_of(const struct boot_screen *found, struct part parts[3])
{
    /* Bits 0 to 2: blue, green, red with two thirds; bits 3 to 5: with one. */
    static const uint8_t palette[16] = {0,    1,    2,    3,    4,    5,    0x14, 7,
                                        0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};
    parts[0] = (struct part){.size = found->blue_size, .shift = found->blue_shift};
    parts[1] = (struct part){.size = found->green_size, .shift = found->green_shift};
    parts[2] = (struct part){.size = found->red_size, .shift = found->red_shift};
    for (int i = 0; i < 16; i++) {
        for (int c = 0; c < 3; c++) {
            parts[c].thirds[i] =
                (uint8_t)(2 * (palette[i] >> c & 1) + (palette[i] >> (c + 3) & 1));
        }
    }
}

/* Bit by bit: is each of a pixel's, and of one colour alone? */
static bool parts_fit(const struct boot_screen *found, const struct part parts[3])
{
    bool taken[2 * 256] = {false};
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < parts[c].size; i++) {
            const int bit = parts[c].shift + i;
            if (bit >= found->bits || taken[bit]) {
                return false;
            }
            taken[bit] = true;
        }
        if (parts[c].size == 0) {
            return false;
        }
    }
    return true;
}

static unsigned size_of_pixel(const struct boot_screen *found)
{
    return found->bits == 15 ? 2 : found->bits % 8 == 0 ? found->bits / 8 : 0;
}

static bool rows_fit(const struct boot_info *info)
{
    const struct boot_screen *found = &info->screen;
    const unsigned __int128 wide = 1;
    const unsigned size = size_of_pixel(found);
    const unsigned unit = size == 3 ? 1 : size;

    return size >= 2 && size <= 4 && wide * found->width * size <= found->pitch &&
           found->base % unit == 0 && found->pitch % unit == 0 &&
           wide * found->height * found->pitch + found->base <= info->direct_map_size;
}

static unsigned scale_of(const struct boot_screen *found)
{
    unsigned scale = 1;
    while (found->width / (8ull * scale) > 160 || found->height / (16ull * scale) > 100) {
        scale++;
    }
    return scale;
}

/* ---- what a screen must show ------------------------------------------------------- */

struct model {
    const struct boot_screen *found;
    struct part parts[3];
    unsigned scale, columns, rows, cursor_column, cursor_row;
    uint8_t glyphs[CELLS_MOST], attributes[CELLS_MOST];
};

/* Which of the 16 colours has a pixel? */
static unsigned color_at(const struct model *model, uint32_t x, uint32_t y)
{
    const unsigned column = x / model->scale / FONT_WIDTH;
    const unsigned row = y / model->scale / FONT_HEIGHT;
    const unsigned line = y / model->scale % FONT_HEIGHT;

    if (column >= model->columns || row >= model->rows) {
        return 0;
    }
    const unsigned cell = row * model->columns + column;
    const uint8_t bits = font[model->glyphs[cell]][line];
    const bool set = bits << x / model->scale % FONT_WIDTH & 0x80;
    const bool cursor =
        column == model->cursor_column && row == model->cursor_row && line >= 14;
    return cursor || set ? model->attributes[cell] & 0xf : model->attributes[cell] >> 4;
}

static uint32_t pixel_of(const struct model *model, unsigned color)
{
    uint32_t pixel = 0;
    for (int c = 0; c < 3; c++) {
        const uint64_t most = (1ull << model->parts[c].size) - 1;
        const uint64_t value = (2 * most * model->parts[c].thirds[color] + 3) / 6;
        pixel |= (uint32_t)(value << model->parts[c].shift);
    }
    return pixel;
}

static void check_row(const struct model *model, const uint8_t *at, uint32_t y,
                      const uint32_t pixels[16])
{
    const unsigned pixel_size = size_of_pixel(model->found);
    for (uint32_t x = 0; x < model->found->width; x++) {
        const uint32_t pixel = pixels[color_at(model, x, y)];
        for (unsigned i = 0; i < pixel_size; i++) {
            claim(*at++ == (uint8_t)(pixel >> 8 * i), "a pixel is as its cell says");
        }
    }
}

static void check(const struct model *model, const uint8_t *memory)
{
    const struct boot_screen *found = model->found;
    const uint32_t row_size = found->width * size_of_pixel(found);
    uint32_t pixels[16];

    for (unsigned i = 0; i < 16; i++) {
        pixels[i] = pixel_of(model, i);
    }
    for (uint32_t y = 0; y < found->height; y++, memory += found->pitch) {
        check_row(model, memory, y, pixels);
        for (uint32_t i = row_size; y + 1 < found->height && i < found->pitch; i++) {
            claim(memory[i] == FILL, "nothing is written between the rows");
        }
    }
}

static void do_command(struct model *model, const struct screen *screen,
                       const uint8_t command[5])
{
    const unsigned column = command[1], row = command[2];
    const bool exists = column < model->columns && row < model->rows;
    const unsigned cell = row * model->columns + column;

    switch (command[0] % 4) {
    case 0:
        screen->scroll();
        memmove(model->glyphs, model->glyphs + model->columns,
                (model->rows - 1) * model->columns);
        memmove(model->attributes, model->attributes + model->columns,
                (model->rows - 1) * model->columns);
        break;
    case 1:
        screen->cursor(column, row);
        model->cursor_column = exists ? column : model->cursor_column;
        model->cursor_row = exists ? row : model->cursor_row;
        break;
    default:
        screen->put(column, row, command[3], command[4]);
        if (exists) {
            model->glyphs[cell] = command[3];
            model->attributes[cell] = command[4];
        }
    }
}

static void draw(struct model *model, struct boot_info *info, size_t memory_size,
                 const uint8_t *commands, size_t size)
{
    uint8_t *memory = malloc(memory_size);
    memset(memory, FILL, memory_size);
    info->direct_map_base = (uint64_t)(uintptr_t)memory - info->screen.base;

    const struct screen *screen = framebuffer_init(info);
    claim(screen != NULL, "a screen that fits can be drawn on");
    claim(screen->columns == model->columns && screen->rows == model->rows,
          "glyphs are no larger and no smaller than they should be");
    for (; size >= 5; size -= 5, commands += 5) {
        do_command(model, screen, commands);
    }
    check(model, memory);
    free(memory);
}

/* A model of the screen, if it can be drawn on: it has columns and rows then. */
static struct model model_of(const struct boot_info *info)
{
    const struct boot_screen *found = &info->screen;
    struct model model = {.found = found};

    parts_of(found, model.parts);
    if (found->kind == SCREEN_RGB && rows_fit(info) && parts_fit(found, model.parts)) {
        model.scale = scale_of(found);
        model.columns = model.cursor_column = found->width / model.scale / FONT_WIDTH;
        model.rows = model.cursor_row = found->height / model.scale / FONT_HEIGHT;
        memset(model.glyphs, ' ', sizeof model.glyphs);
        memset(model.attributes, COLOR_LIGHT_GREY, sizeof model.attributes);
    }
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot_info info = {0};
    const size_t head = sizeof info.direct_map_size + sizeof info.screen;
    if (size < head) {
        return 0;
    }
    memcpy(&info.direct_map_size, data, sizeof info.direct_map_size);
    memcpy(&info.screen, data + sizeof info.direct_map_size, sizeof info.screen);

    struct model model = model_of(&info);
    if (model.columns == 0 || model.rows == 0) {
        claim(framebuffer_init(&info) == NULL, "a screen that does not fit is none");
        return 0;
    }
    const size_t row_size = (size_t)info.screen.width * size_of_pixel(&info.screen);
    const size_t memory_size = (info.screen.height - 1ull) * info.screen.pitch + row_size;
    if (memory_size <= MEMORY_MOST) {
        draw(&model, &info, memory_size, data + head, size - head);
    }
    return 0;
}
