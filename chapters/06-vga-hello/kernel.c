/* kernel.c -- a kernel that says hello on the VGA text screen and on COM1 */
#include <stddef.h>
#include <stdint.h>

#include "serial.h"

/* Source: IBM VGA Technical Reference, "Alphanumeric Modes". */
#define VGA_TEXT 0xb8000
#define VGA_COLUMNS 80
#define VGA_ROWS 25
#define VGA_LIGHT_CYAN 0x0b
#define VGA_LIGHT_GREY 0x07

/* One cell of the screen: the attribute in the high byte, the character in the low. */
static uint16_t vga_cell(char character, uint8_t attribute)
{
    return (uint16_t)(attribute << 8 | (uint8_t)character);
}

void kernel_main(void); /* called by start.asm */

void kernel_main(void)
{
    static const char hello[] = "Hello World!";

    /* volatile: nobody reads back what we write here, and without the word the
     * compiler would be right to leave the writes out. */
    volatile uint16_t *screen = (volatile uint16_t *)VGA_TEXT;

    for (size_t i = 0; i < VGA_COLUMNS * VGA_ROWS; i++) {
        screen[i] = vga_cell(' ', VGA_LIGHT_GREY);
    }
    for (size_t i = 0; hello[i] != '\0'; i++) {
        screen[i] = vga_cell(hello[i], VGA_LIGHT_CYAN);
    }

    serial_init();
    serial_write(hello);
    serial_write("\n");
}
