/*
 * format_test.c -- common/kernel/format.c against the host's vsnprintf, and where it
 * differs on purpose
 *
 * usage: format_test ROUNDS
 *
 * Each round makes up a format and arguments for it, and both must print the same. All
 * arguments are passed as 64-bit numbers: on the 64-bit systems that we know, an int or a
 * pointer takes the place of one, and what is above an int's 32 bits is noise.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#define _DEFAULT_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

#define ROOM        20000 /* bytes for what is printed */
#define CONVERSIONS 4
#define ARGUMENTS   (3 * CONVERSIONS) /* a width, a precision and a value */

static uint64_t state = 0x464f524d4154ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int one_in(unsigned n)
{
    return any() % n == 0;
}

/* ---- what is printed ------------------------------------------------------------- */

struct text {
    size_t length;
    char bytes[ROOM];
};

static void put(void *context, char c)
{
    struct text *text = context;
    if (text->length == ROOM) {
        printf("the text does not end\n");
        exit(1);
    }
    text->bytes[text->length++] = c;
}

static void ours(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->length = 0;
    format_text(put, text, format, arguments);
    va_end(arguments);
}

static void hosts(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->length = (size_t)vsnprintf(text->bytes, ROOM, format, arguments);
    va_end(arguments);
}

static struct text printed, expected;

static void compare(const char *format)
{
    if (printed.length != expected.length ||
        memcmp(printed.bytes, expected.bytes, printed.length) != 0) {
        printf("format   \"%s\"\nexpected \"%.*s\"\nprinted  \"%.*s\"\n", format,
               (int)expected.length, expected.bytes, (int)printed.length, printed.bytes);
        exit(1);
    }
}

/* ---- formats that both know ------------------------------------------------------ */

static char format[256];
static uint64_t arguments[ARGUMENTS];
static int argument_count;
static char *strings[CONVERSIONS]; /* allocated */
static int string_count;

static void add(const char *text)
{
    strcat(format, text);
}

/* A number of any size; often one at a limit. */
static uint64_t a_value(void)
{
    static const uint64_t limits[] = {
        0,        1,         9,          10,         INT_MAX, (uint64_t)INT_MIN,
        UINT_MAX, LLONG_MAX, 1ull << 63, ULLONG_MAX,
    };
    if (one_in(3)) {
        return limits[any() % (sizeof limits / sizeof limits[0])];
    }
    return any() >> any() % 64;
}

/* Returns the number; it is in the format, or an argument that the format has a * for. */
static int add_count(int most, int negative)
{
    int count = (int)(any() % (one_in(20) ? FORMAT_PADDING_MOST + 1u : (unsigned)most));
    if (one_in(3)) {
        count = negative && one_in(3) ? -count : count;
        arguments[argument_count++] = any() << 32 | (uint32_t)count;
        add("*");
    } else {
        sprintf(format + strlen(format), "%d", count);
    }
    return count;
}

/* A string of 0 to 39 bytes. If no more than `most` may be read, perhaps no zero ends it:
 * the sanitizer watches what is behind. */
static uint64_t a_string(int most)
{
    size_t length = any() % 40;
    const int open = most >= 0 && (size_t)most <= length;
    char *string = malloc(open ? (size_t)most + !most : length + 1);
    if (open) {
        length = (size_t)most;
    } else {
        string[length] = '\0';
    }
    for (size_t i = 0; i < length; i++) {
        string[i] = (char)(1 + any() % 255);
    }
    strings[string_count++] = string;
    return (uint64_t)(uintptr_t)string;
}

static void add_conversion(void)
{
    static const char *const lengths[] = {"", "l", "ll", "z"};
    const char letter = "csdiuxX"[any() % 7];
    int precision = -1;

    add("%");
    while (one_in(3)) {
        /* C does not say what a 0 is to do with these. */
        add(one_in(2) || letter == 'c' || letter == 's' ? "-" : "0");
    }
    if (one_in(2)) {
        add_count(30, 1);
    }
    if (letter != 'c' && one_in(3)) {
        add(".");
        precision = one_in(4) ? 0 : add_count(30, 1);
    }
    if (letter != 'c' && letter != 's') {
        add(lengths[any() % 4]);
    }
    arguments[argument_count++] = letter == 's' ? a_string(precision) : a_value();
    sprintf(format + strlen(format), "%c", letter);
}

static void one_format(void)
{
    format[0] = '\0';
    argument_count = string_count = 0;
    for (int i = 0; i < CONVERSIONS; i++) {
        add(one_in(4) ? "%%" : one_in(2) ? " is " : "");
        add_conversion();
    }
    const uint64_t *a = arguments;
    ours(&printed, format, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
         a[10], a[11]);
    hosts(&expected, format, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
          a[10], a[11]);
    compare(format);
    while (string_count > 0) {
        free(strings[--string_count]);
    }
}

/* ---- what is different on purpose ------------------------------------------------ */

#define EXPECT(text, ...)                                                                \
    do {                                                                                 \
        ours(&printed, __VA_ARGS__);                                                     \
        expected.length = strlen(text);                                                  \
        memcpy(expected.bytes, text, expected.length);                                   \
        compare(#__VA_ARGS__);                                                           \
    } while (0)

static void expect_padding(size_t length, const char *what)
{
    if (printed.length != length) {
        printf("%s: %zu characters, not %zu\n", what, printed.length, length);
        exit(1);
    }
}

static void differences(void)
{
    char *no_string = NULL;

    EXPECT("0x0000000000000000", "%p", no_string);
    EXPECT("0xffffffff80001234", "%p", (void *)0xffffffff80001234);
    EXPECT("  0x00000000000b8000", "%20p", (void *)0xb8000);
    EXPECT("(null)", "%s", no_string);
    EXPECT("(nu|  (null)", "%.3s|%8s", no_string, no_string);

    /* What is no conversion stands as it is; so does what follows, without a look at its
     * argument: here, that would be no string. */
    EXPECT("1 %q %s", "%d %q %s", 1, (char *)1);
    EXPECT("%5.3lq|%d", "%5.3lq|%d", 7);
    EXPECT("%hd", "%hd", 7);
    EXPECT("%+d %s", "%+d %s", 7, (char *)1);
    EXPECT("%ls", "%ls", (char *)1);
    EXPECT("%lllx", "%lllx", 1ull);
    EXPECT("%5%", "%5%");
    EXPECT("%f", "%f", 1.5);
    EXPECT("100 %", "100 %");
    EXPECT("%-08", "%-08");
    EXPECT("%.", "%.");

    ours(&printed, "%2000000000d", 7);
    expect_padding(FORMAT_PADDING_MOST, "a huge width");
    ours(&printed, "%-99999999999999999999s|", "left");
    expect_padding(FORMAT_PADDING_MOST + 1, "a width of more than 64 bits");
    ours(&printed, "%.*d", INT_MAX, -7);
    expect_padding(FORMAT_PADDING_MOST + 1, "a huge precision, and a sign");
    ours(&printed, "%*s|", INT_MIN, "left");
    expect_padding(FORMAT_PADDING_MOST + 1, "the smallest width");
    ours(&printed, "%0*d", INT_MAX, 7);
    expect_padding(FORMAT_PADDING_MOST, "a huge width, filled with zeros");
    ours(&printed, "%.2000000000s", "short");
    expect_padding(5, "a string under a huge precision");
    ours(&printed, "%.*s", INT_MIN, "short");
    expect_padding(5, "a string without a precision");
}

int main(int count, char **words)
{
    if (count != 2) {
        fprintf(stderr, "usage: format_test ROUNDS\n");
        return 2;
    }
    differences();
    for (long round = 0; round < atol(words[1]); round++) {
        one_format();
    }
    return 0;
}
