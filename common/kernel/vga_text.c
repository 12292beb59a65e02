/* vga_text.c -- the VGA's text screen. For the sources, see vga_text.h. */
#include "vga_text.h"

#include <stddef.h>
#include <stdint.h>

#include "io.h"

/* CRT controller: the index goes to one port, the value to the next. */
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_MAXIMUM_SCAN_LINE 0x09
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_END 0x0b
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f
#define SCAN_LINE_MASK 0x1f /* in registers 0x09, 0x0a and 0x0b */

/* Attribute controller: index and value go to one port, in turns. */
#define ATTRIBUTE_INDEX 0x3c0
#define ATTRIBUTE_WRITE 0x3c0
#define ATTRIBUTE_READ 0x3c1
#define ATTRIBUTE_MODE 0x10
#define ATTRIBUTE_SHOW (1 << 5) /* of the index: while it is 0, the screen is dark */
#define MODE_BLINK (1 << 3)
#define INPUT_STATUS_1 0x3da /* to read it makes the next turn that of an index */

static struct screen screen;
static uint64_t base;  /* virtual, of the cell at column 0, row 0 */
static uint32_t pitch; /* bytes from a row to the next */

/*
 * The one place where video memory becomes a pointer. volatile, because it is no
 * memory: nobody here reads what was written, so a compiler would be free to leave
 * writes out, to put them off, or to make one of two.
 */
static volatile uint16_t *cell(unsigned column, unsigned row)
{
    return (volatile uint16_t *)(uintptr_t)(base + (uint64_t)row * pitch) + column;
}

static void put(unsigned column, unsigned row, uint8_t glyph, uint8_t colors)
{
    /* What lies behind the screen is somebody else's, such as the BIOS's. */
    if (column < screen.columns && row < screen.rows) {
        *cell(column, row) = (uint16_t)(colors << 8 | glyph);
    }
}

static void scroll(void)
{
    for (unsigned row = 1; row < screen.rows; row++) {
        for (unsigned column = 0; column < screen.columns; column++) {
            *cell(column, row - 1) = *cell(column, row);
        }
    }
}

/*
 * One 16-bit write reaches both ports, the index first. With two writes, an interrupt
 * could come between them, use the index register as well, and have our value go into a
 * register that we did not mean.
 */
static void crtc_write(uint8_t index, uint8_t value)
{
    outw(CRTC_INDEX, (uint16_t)(value << 8 | index));
}

static uint8_t crtc_read(uint8_t index)
{
    outb(CRTC_INDEX, index);
    return inb(CRTC_DATA);
}

/*
 * The position is one number in two registers: between the writes, the cursor is for a
 * moment at a place where it never was, and nobody will see that. But two callers at a
 * time could leave it at such a place: see console.h.
 */
static void cursor(unsigned column, unsigned row)
{
    if (column < screen.columns && row < screen.rows) {
        const unsigned position = row * (pitch / sizeof(uint16_t)) + column;
        crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(position >> 8));
        crtc_write(CRTC_CURSOR_LOW, (uint8_t)position);
    }
}

/* A cursor of the cell's last two lines, whatever the BIOS, or a game, has made of it. */
static void cursor_on(void)
{
    const uint8_t last_line = crtc_read(CRTC_MAXIMUM_SCAN_LINE) & SCAN_LINE_MASK;
    crtc_write(CRTC_CURSOR_START, last_line > 0 ? last_line - 1 : 0);
    crtc_write(CRTC_CURSOR_END, last_line);
}

static void blink_off(void)
{
    inb(INPUT_STATUS_1);
    outb(ATTRIBUTE_INDEX, ATTRIBUTE_SHOW | ATTRIBUTE_MODE);
    const uint8_t mode = inb(ATTRIBUTE_READ);
    outb(ATTRIBUTE_WRITE, (uint8_t)(mode & ~MODE_BLINK));
}

const struct screen *vga_text_init(const struct boot_info *info)
{
    const struct boot_screen *found = &info->screen;

    if (found->kind != SCREEN_VGA_TEXT || found->width == 0 || found->height == 0) {
        return NULL;
    }
    base = info->direct_map_base + found->base;
    pitch = found->pitch;
    screen = (struct screen){
        .columns = found->width,
        .rows = found->height,
        .put = put,
        .scroll = scroll,
        .cursor = cursor,
    };
    cursor_on();
    blink_off();
    return &screen;
}
