/* sources: common/kernel/format.c */
/*
 * kprintf_fuzz.c -- any bytes at all as a format
 *
 * The input is a format, up to the first zero byte, and what its arguments are made of.
 * It is printed twice. Once, all arguments are pointers to one string, so that each
 * conversion can take any of them; ASan watches the string's ends. Once they are numbers,
 * and no conversion takes a string: then the host prints it as well, if it is a format
 * that means the same to both. What is printed must be no longer than format.h allows.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

#define CONVERSIONS 8
#define ARGUMENTS   (3 * CONVERSIONS)         /* a width, a precision and a value */
#define NUMBER_MOST (FORMAT_PADDING_MOST + 1) /* digits and a sign, or 0x and 16 digits  \
                                               */
#define HOST_ROOM 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "kprintf_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

struct text {
    size_t length;
    size_t most;
    char bytes[HOST_ROOM]; /* the beginning of it */
};

static void put(void *context, char c)
{
    struct text *text = context;
    claim(text->length < text->most, "a text is no longer than its parts");
    if (text->length < sizeof text->bytes) {
        text->bytes[text->length] = c;
    }
    text->length++;
}

static void ours(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_text(put, text, format, arguments);
    va_end(arguments);
}

static void hosts(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->length = (size_t)vsnprintf(text->bytes, sizeof text->bytes, format, arguments);
    va_end(arguments);
}

/* Each argument as 64 bits: on the 64-bit systems that we know, all take so much. */
#define ALL(a)                                                                           \
    a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12],     \
        a[13], a[14], a[15], a[16], a[17], a[18], a[19], a[20], a[21], a[22], a[23]

/* Up to three digits: beyond 999, the host goes on where we stop. */
static const char *skip_count(const char *at)
{
    for (int digits = 0; *at >= '0' && *at <= '9'; at++) {
        if (++digits > 3) {
            return "?";
        }
    }
    return at;
}

/* Do both know each conversion, and does C say what it prints? */
static bool host_agrees(const char *at)
{
    while ((at = strchr(at, '%')) != NULL) {
        if (*++at == '%') {
            at++;
            continue;
        }
        bool plain = true; /* fit for %c: neither zeros nor a precision nor a length */
        for (; *at == '-' || *at == '0'; at++) {
            plain &= *at == '-';
        }
        at = skip_count(at);
        if (*at == '.') {
            plain = false;
            at = skip_count(at + 1);
        }
        if (*at == 'l' || *at == 'z') {
            plain = false;
            at += at[0] == 'l' && at[1] == 'l' ? 2 : 1;
        }
        if (*at == '\0' || strchr(plain ? "cdiuxX" : "diuxX", *at) == NULL) {
            return false;
        }
    }
    return true;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == c;
    }
    return count;
}

static void print_pointers(const char *format, const uint8_t *rest, size_t size)
{
    static struct text text;
    char *string = malloc(size + 1);
    uint64_t arguments[ARGUMENTS];

    memcpy(string, rest, size);
    string[size] = '\0';
    for (int i = 0; i < ARGUMENTS; i++) {
        arguments[i] = (uint64_t)(uintptr_t)string;
    }
    text.length = 0;
    text.most = strlen(format) + count_of(format, '%') * (NUMBER_MOST + size);
    ours(&text, format, ALL(arguments));
    free(string);
}

static void print_numbers(char *format, const uint8_t *rest, size_t size)
{
    static struct text text, expected;
    uint64_t arguments[ARGUMENTS] = {0};

    memcpy(arguments, rest, size < sizeof arguments ? size : sizeof arguments);
    for (char *s = strchr(format, 's'); s != NULL; s = strchr(s, 's')) {
        *s = 'd';
    }
    text.length = 0;
    text.most = strlen(format) + count_of(format, '%') * NUMBER_MOST;
    ours(&text, format, ALL(arguments));
    if (host_agrees(format)) {
        hosts(&expected, format, ALL(arguments));
        claim(text.length == expected.length &&
                  (text.length >= HOST_ROOM ||
                   memcmp(text.bytes, expected.bytes, text.length) == 0),
              "we print what the host prints");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    const size_t length = end == NULL ? size : (size_t)(end - data);
    const uint8_t *rest = end == NULL ? data + size : end + 1;
    const size_t rest_size = (size_t)(data + size - rest);

    char *format = calloc(length + 1, 1);
    for (size_t i = 0, conversions = 0; i < length; i++) {
        conversions += data[i] == '%';
        if (conversions > CONVERSIONS) {
            break; /* more than there are arguments for */
        }
        format[i] = (char)data[i];
    }
    print_pointers(format, rest, rest_size);
    print_numbers(format, rest, rest_size);
    free(format);
    return 0;
}
