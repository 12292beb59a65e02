/* utf8.c -- from bytes to characters. For the source, see utf8.h. */
#include "utf8.h"

#include <stdbool.h>

/* A byte that follows the first one gives 6 bits. */
#define FOLLOWING_LOWEST 0x80
#define FOLLOWING_HIGHEST 0xbf

/* Take a first byte of more than one. The limits of the second byte keep out what could
 * have been written shorter, the surrogates of UTF-16, and all above U+10FFFF. */
static bool begin(struct utf8 *decoder, uint8_t byte)
{
    decoder->lowest = FOLLOWING_LOWEST;
    decoder->highest = FOLLOWING_HIGHEST;
    if (byte >= 0xc2 && byte <= 0xdf) {
        decoder->missing = 1;
        decoder->character = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        decoder->missing = 2;
        decoder->character = byte & 0x0f;
        decoder->lowest = byte == 0xe0 ? 0xa0 : FOLLOWING_LOWEST;
        decoder->highest = byte == 0xed ? 0x9f : FOLLOWING_HIGHEST;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        decoder->missing = 3;
        decoder->character = byte & 0x07;
        decoder->lowest = byte == 0xf0 ? 0x90 : FOLLOWING_LOWEST;
        decoder->highest = byte == 0xf4 ? 0x8f : FOLLOWING_HIGHEST;
    } else {
        return false;
    }
    return true;
}

/* Take a byte that belongs to the character that has begun. */
static bool go_on(struct utf8 *decoder, uint8_t byte)
{
    if (byte < decoder->lowest || byte > decoder->highest) {
        return false;
    }
    decoder->character = decoder->character << 6 | (byte & 0x3f);
    decoder->missing--;
    decoder->lowest = FOLLOWING_LOWEST;
    decoder->highest = FOLLOWING_HIGHEST;
    return true;
}

size_t utf8_decode(struct utf8 *decoder, uint8_t byte, uint32_t characters[2])
{
    size_t count = 0;

    if (decoder->missing > 0) {
        if (go_on(decoder, byte)) {
            if (decoder->missing == 0) {
                characters[count++] = decoder->character;
            }
            return count;
        }
        decoder->missing = 0;
        characters[count++] = UTF8_REPLACEMENT;
    }
    if (byte < 0x80) {
        characters[count++] = byte;
    } else if (!begin(decoder, byte)) {
        characters[count++] = UTF8_REPLACEMENT;
    }
    return count;
}
