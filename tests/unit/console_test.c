/*
 * console_test.c -- the console and the VGA's text screen, with memory for a screen and
 * with the devices played
 *
 * usage: console_test < script
 *
 * The script is a sequence of commands, each one a letter and what it needs; numbers have
 * 32 bits, little-endian:
 *
 *   N kind columns rows pitch   a new machine: its screen, and a console on it
 *   T length bytes              print bytes with console_put, as console_write does
 *   C foreground background     console_color
 *   P column row glyph colors   the screen's own put,
 *   M column row                its cursor,
 *   S                           its scroll
 *   ?                           answer: the bytes of all rows, with a pitch; then, each
 *                               after its length, what came out of COM1, the 25 registers
 *                               of the CRT controller, the attribute mode, and the ports
 *                               written since N: 32 bits each, 0x10000 * bytes + port
 *
 * Screen memory ends with the last cell, and ASan watches what is around it. What lies
 * between the rows' ends and their pitch is 0xee.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "io.h"
#include "vga_text.h"

#define PHYSICAL  0xb8000
#define FILL      0xee
#define REGISTERS 25

/* ---- the devices ----------------------------------------------------------------- */

static uint8_t crtc[256], crtc_index;
static uint8_t attribute_mode, attribute_index, attribute_is_data;
static uint8_t com1[1 << 20];
static uint32_t com1_length, port_count;
static uint32_t ports[1 << 20];

static void power_on(void)
{
    memset(crtc, 0, sizeof crtc);
    crtc[0x09] = 0x4f; /* as a BIOS leaves it: cells of 16 lines, and another bit */
    crtc[0x0a] = 0x20; /* the cursor is off */
    attribute_mode = 0x0c;
    attribute_is_data = 1; /* the worse of the two cases */
    com1_length = port_count = 0;
}

static void write_byte(uint16_t port, uint8_t value)
{
    static uint8_t divisor_latch;
    switch (port) {
    case 0x3d4:
        crtc_index = value;
        break;
    case 0x3d5:
        crtc[crtc_index] = value;
        break;
    case 0x3c0:
        if (!attribute_is_data) {
            attribute_index = value;
        } else if (attribute_index == 0x30) {
            attribute_mode = value;
        }
        attribute_is_data ^= 1;
        break;
    case 0x3fb:
        divisor_latch = value & 0x80;
        break;
    case 0x3f8:
        if (!divisor_latch) {
            com1[com1_length++ % sizeof com1] = value;
        }
        break;
    }
}

static void log_port(uint32_t bytes, uint16_t port)
{
    ports[port_count++ % (sizeof ports / sizeof ports[0])] = bytes << 16 | port;
}

void outb(uint16_t port, uint8_t value)
{
    log_port(1, port);
    write_byte(port, value);
}

void outw(uint16_t port, uint16_t value)
{
    log_port(2, port);
    write_byte(port, value & 0xff);
    write_byte(port + 1, value >> 8);
}

uint8_t inb(uint16_t port)
{
    switch (port) {
    case 0x3d5:
        return crtc[crtc_index];
    case 0x3da:
        attribute_is_data = 0;
        return 0;
    case 0x3c1:
        return attribute_index == 0x30 ? attribute_mode : 0;
    case 0x3fd:
        return 0x60; /* COM1 is ready */
    }
    return 0xff;
}

/* ---- the script ------------------------------------------------------------------ */

static const struct screen *screen;
static uint8_t *memory;
static uint32_t columns, rows, pitch;

static uint32_t number(void)
{
    uint8_t bytes[4];
    if (fread(bytes, 1, sizeof bytes, stdin) != sizeof bytes) {
        fprintf(stderr, "the script is cut short\n");
        exit(2);
    }
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void new_machine(void)
{
    const uint32_t kind = number();
    columns = number();
    rows = number();
    pitch = number();
    const size_t size = rows == 0 ? 0 : pitch * (rows - 1) + 2 * columns;

    free(memory);
    memory = malloc(size);
    memset(memory, FILL, size);
    power_on();

    const struct boot_info info = {
        .direct_map_base = (uint64_t)(uintptr_t)memory - PHYSICAL,
        .screen = {.base = PHYSICAL,
                   .width = columns,
                   .height = rows,
                   .pitch = pitch,
                   .bits = 16,
                   .kind = (uint8_t)kind},
    };
    screen = vga_text_init(&info);
    console_init(screen);
}

static void answer_part(const void *bytes, uint32_t length)
{
    fwrite(&length, 1, sizeof length, stdout);
    fwrite(bytes, 1, length, stdout);
}

static void answer(void)
{
    fwrite(memory, 1, rows == 0 ? 0 : pitch * (rows - 1) + 2 * columns, stdout);
    answer_part(com1, com1_length);
    answer_part(crtc, REGISTERS);
    answer_part(&attribute_mode, 1);
    answer_part(ports, port_count * (uint32_t)sizeof ports[0]);
}

int main(void)
{
    uint32_t a, b, c;

    for (int command = getchar(); command != EOF; command = getchar()) {
        switch (command) {
        case 'N':
            new_machine();
            break;
        case 'T':
            for (uint32_t left = number(); left > 0; left--) {
                console_put((char)getchar());
            }
            break;
        case 'C':
            a = number();
            console_color(a, number());
            break;
        case 'P':
            a = number();
            b = number();
            c = number();
            screen->put(a, b, (uint8_t)c, (uint8_t)number());
            break;
        case 'M':
            a = number();
            screen->cursor(a, number());
            break;
        case 'S':
            screen->scroll();
            break;
        case '?':
            answer();
            break;
        default:
            fprintf(stderr, "no command %c\n", command);
            return 2;
        }
    }
    free(memory);
    return 0;
}
