/*
 * utf8.h -- from bytes to characters
 *
 * Source: The Unicode Standard, "UTF-8", table "Well-Formed UTF-8 Byte Sequences"; and
 * "U+FFFD Substitution of Maximal Subparts" for what is to become of the others.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffd

/* A character that has begun. Start with all zeros. */
struct utf8 {
    uint32_t character; /* the bits so far */
    uint8_t missing;    /* bytes */
    uint8_t lowest;     /* what the next byte may be */
    uint8_t highest;
};

/*
 * Take one byte. Returns how many characters are complete now, 0 to 2: two if a byte
 * breaks off the character before it and is one itself. What is not UTF-8 becomes
 * UTF8_REPLACEMENT.
 */
size_t utf8_decode(struct utf8 *decoder, uint8_t byte, uint32_t characters[2]);
