/*
 * console.h -- where a kernel's text goes: onto the screen, and out of COM1
 *
 * Text is UTF-8. COM1 gets its bytes as they are, but "\r\n" for each '\n'. The screen
 * shows what code page 437 has, and a black square for each other character, for control
 * characters but these, and for what is not UTF-8:
 *
 *   '\n'  to the beginning of the next row; at the bottom, all rows move up
 *   '\r'  to the beginning of the row
 *   '\t'  to the next column that is a multiple of 8, or to the end of the row
 *   '\b'  one column back, but not out of the row; nothing is erased
 *
 * A row is full after its last column, but it is left only when there is a character to
 * be shown behind it. So a text of exactly one row and a '\n' make one row, not two.
 *
 * Who prints while the console is printing, from an interrupt or from another CPU, mixes
 * both texts, and may leave the cursor in the wrong place. Nothing worse happens; who
 * minds must keep the others out. Until interrupts are on, there are none.
 */
#pragma once

#include "screen.h"

/*
 * Set up COM1 and clear the screen; NULL: there is none. Before the first call, all
 * text goes to COM1, as the loader left it.
 */
void console_init(const struct screen *screen);

/* Show all further text in a colour on another. The first is light grey on black. */
void console_color(enum color foreground, enum color background);

/* Print one byte of text. */
void console_put(char c);

/* Print a string. */
void console_write(const char *text);
