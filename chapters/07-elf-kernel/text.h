/* text.h -- text and numbers, on the screen and on COM1, the plainest way */
#pragma once

#include <stdint.h>

#include "boot_info.h"

/* Clear the screen, if there is one that shows text, and get COM1 ready. */
void text_init(const struct boot_info *info);

/* Write text; '\n' begins a new line. What the screen has no room for only COM1 gets. */
void text_write(const char *text);

/* Write a number in `digits` hexadecimal digits; in decimal, in at least `width`. */
void text_write_hex(uint64_t number, int digits);
void text_write_decimal(uint64_t number, int width);
