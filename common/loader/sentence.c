/* sentence.c -- put a sentence together, to be shown by a loader that cannot go on */
#include "sentence.h"

#include "memory.h"

#define SENTENCE_MOST 320
#define LINE_MOST 79

static char sentence[SENTENCE_MOST + 1];
static unsigned length;

/* Its words, in lines. */
static char lines[2 * SENTENCE_MOST];

void sentence_begin(const char *text)
{
    length = 0;
    sentence_add(text);
}

void sentence_add(const char *text)
{
    while (*text != '\0' && length < SENTENCE_MOST) {
        sentence[length++] = *text++;
    }
}

void sentence_add_number(uint64_t number)
{
    char digits[sizeof "18446744073709551615"];
    char *first = digits + sizeof digits;

    *--first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    sentence_add(first);
}

static unsigned word_length(const char *word)
{
    unsigned count = 0;
    while (word[count] != ' ' && word[count] != '\0') {
        count++;
    }
    return count;
}

const char *sentence_end(void)
{
    const char *word = sentence;
    char *to = lines;
    unsigned column = 0;

    sentence[length] = '\0';
    for (;;) {
        const unsigned count = word_length(word);
        if (column > 0 && column + 1 + count > LINE_MOST) {
            *to++ = '\r';
            *to++ = '\n';
            column = 0;
        } else if (column > 0) {
            *to++ = ' ';
            column++;
        }
        memcpy(to, word, count);
        to += count;
        column += count;
        if (word[count] == '\0') {
            break;
        }
        word += count + 1;
    }
    memcpy(to, "\r\n", sizeof "\r\n");
    return lines;
}
