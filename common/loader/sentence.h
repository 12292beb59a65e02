/*
 * sentence.h -- put a sentence together, to be shown by a loader that cannot go on
 *
 * There is one sentence, the last one.
 */
#pragma once

#include <stdint.h>

/* Begin anew. What does not fit into 320 characters is left out. */
void sentence_begin(const char *text);
void sentence_add(const char *text);
void sentence_add_number(uint64_t number); /* in decimal */

/*
 * Returns the sentence in lines of at most 79 characters, each ended by "\r\n": both a
 * BIOS and UEFI want it so.
 */
const char *sentence_end(void);
