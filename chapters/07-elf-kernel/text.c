/* text.c -- text and numbers, on the screen and on COM1, the plainest way */
#include "text.h"

#include <stddef.h>

#include "serial.h"

#define VGA_LIGHT_GREY 0x07

static volatile uint16_t *cells; /* NULL: no screen */
static uint32_t columns, rows, column, row;

void text_init(const struct boot_info *info)
{
    if (info->screen.kind == SCREEN_VGA_TEXT) {
        cells = (volatile uint16_t *)(info->direct_map_base + info->screen.base);
        columns = info->screen.width;
        rows = info->screen.height;
        for (uint32_t i = 0; i < columns * rows; i++) {
            cells[i] = VGA_LIGHT_GREY << 8 | ' ';
        }
    }
    serial_init();
}

static void write_cell(char character)
{
    if (character == '\n') {
        column = 0;
        row++;
    } else if (cells != NULL && row < rows && column < columns) {
        cells[row * columns + column++] = VGA_LIGHT_GREY << 8 | (uint8_t)character;
    }
}

void text_write(const char *text)
{
    serial_write(text);
    for (; *text != '\0'; text++) {
        write_cell(*text);
    }
}

void text_write_hex(uint64_t number, int digits)
{
    text_write("0x");
    while (digits > 0) {
        digits--;
        const char digit[2] = {"0123456789abcdef"[number >> 4 * digits & 0xf]};
        text_write(digit);
    }
}

void text_write_decimal(uint64_t number, int width)
{
    char digits[sizeof "18446744073709551615"];
    char *first = digits + sizeof digits;

    *--first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
        width--;
    } while (number > 0);
    for (; width > 0; width--) {
        text_write(" ");
    }
    text_write(first);
}
