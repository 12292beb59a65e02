/*
 * format.h -- text with values in it: what printf and its relatives have inside
 *
 * %c %s %d %i %u %x %X %p and %%, with a width, a precision, the flags - and 0, and the
 * lengths l, ll and z, do what C11 says in section 7.21.6.1. Where C leaves a choice, or
 * where a kernel is better off otherwise:
 *
 * - %p prints 0x and 16 digits. %s prints (null) for a null pointer.
 * - A width of more than FORMAT_PADDING_MOST counts as that many, and so do the digits
 *   of a number: a width that was computed wrong cannot hold a kernel up for hours.
 * - A conversion that is not among these is printed as it stands, and so is all that
 *   follows it: nobody knows which argument the next conversion would have to take.
 */
#pragma once

#include <stdarg.h>

#define FORMAT_PADDING_MOST 1024

/* Hand the text to put, a byte at a time, with the context that was given. */
__attribute__((format(printf, 3, 0)))
void format_text(void (*put)(void *context, char c), void *context, const char *format,
                 va_list arguments);
