/* format.c -- text with values in it. Source: C11 section 7.21.6.1. */
#include "format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(long) == sizeof(int64_t) && sizeof(size_t) == sizeof(int64_t),
               "l, ll and z must mean 64 bits alike");

#define DIGITS_MOST 20 /* of 2^64 - 1 */

/* Where the text goes, and the values that are still to be put into it. */
struct output {
    void (*put)(void *context, char c);
    void *context;
    va_list arguments;
};

/* What stands between the % and the letter. */
struct conversion {
    bool left;     /* pad on the right */
    bool zero;     /* pad a number with zeros, behind its sign */
    bool wide;     /* the argument has 64 bits, not 32 */
    int width;     /* at least so many characters */
    int precision; /* at least so many digits, at most so much of a string; < 0: none */
};

static void put_many(struct output *out, char c, size_t count)
{
    for (; count > 0; count--) {
        out->put(out->context, c);
    }
}

static void put_text(struct output *out, const char *text, size_t length)
{
    for (; length > 0; length--) {
        out->put(out->context, *text++);
    }
}

/* At most most characters are looked at: behind them, there need not be a '\0'. */
static size_t length_of(const char *text, size_t most)
{
    size_t length = 0;
    while (length < most && text[length] != '\0') {
        length++;
    }
    return length;
}

static int bounded(int count)
{
    return count < FORMAT_PADDING_MOST ? count : FORMAT_PADDING_MOST;
}

/* How many characters are missing? */
static size_t missing(int wanted, size_t have)
{
    return wanted > 0 && (size_t)wanted > have ? (size_t)wanted - have : 0;
}

/* prefix: what comes before the zeros, such as a sign. */
static void put_padded(struct output *out, const struct conversion *c, const char *prefix,
                       size_t zeros, const char *text, size_t length)
{
    const size_t prefix_length = length_of(prefix, SIZE_MAX);
    const size_t blanks = missing(c->width, prefix_length + zeros + length);

    put_many(out, ' ', c->left ? 0 : blanks);
    put_text(out, prefix, prefix_length);
    put_many(out, '0', zeros);
    put_text(out, text, length);
    put_many(out, ' ', c->left ? blanks : 0);
}

static void put_string(struct output *out, const struct conversion *c, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    const size_t most = c->precision < 0 ? SIZE_MAX : (size_t)c->precision;
    put_padded(out, c, "", 0, text, length_of(text, most));
}

/* digits: of the base, which is their number, from 0 up. */
static void put_number(struct output *out, const struct conversion *c, const char *prefix,
                       uint64_t value, unsigned base, const char *digits)
{
    char text[DIGITS_MOST];
    size_t first = DIGITS_MOST;
    for (; value > 0; value /= base) {
        text[--first] = digits[value % base];
    }
    const size_t count = DIGITS_MOST - first;

    int wanted = 1; /* a digit for the number 0 */
    if (c->precision >= 0) {
        wanted = bounded(c->precision);
    } else if (c->zero && !c->left && c->width > 1) {
        wanted = c->width - (prefix[0] != '\0'); /* a sign takes a place, too */
    }
    put_padded(out, c, prefix, missing(wanted, count), text + first, count);
}

static void put_signed(struct output *out, const struct conversion *c)
{
    const int64_t value =
        c->wide ? va_arg(out->arguments, int64_t) : va_arg(out->arguments, int);
    /* The least number has no opposite among the signed ones: so negate an unsigned. */
    const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    put_number(out, c, value < 0 ? "-" : "", size, 10, "0123456789");
}

static void put_unsigned(struct output *out, const struct conversion *c, unsigned base,
                         const char *digits)
{
    const uint64_t value =
        c->wide ? va_arg(out->arguments, uint64_t) : va_arg(out->arguments, unsigned);
    put_number(out, c, "", value, base, digits);
}

static void put_pointer(struct output *out, struct conversion *c)
{
    const void *pointer = va_arg(out->arguments, const void *);
    c->precision = 2 * sizeof pointer;
    put_number(out, c, "0x", (uintptr_t)pointer, 16, "0123456789abcdef");
}

/* Read digits or *, and go behind them. Of huge numbers, only their hugeness is kept. */
static int read_number(struct output *out, const char **at)
{
    if (**at == '*') {
        (*at)++;
        return va_arg(out->arguments, int);
    }
    int number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (number < INT32_MAX / 10) {
            number = 10 * number + (**at - '0');
        }
    }
    return number;
}

/* Read what stands between the % and the letter; returns where the letter is. */
static const char *read_conversion(struct output *out, struct conversion *c,
                                   const char *at)
{
    for (; *at == '-' || *at == '0'; at++) {
        c->left |= *at == '-';
        c->zero |= *at == '0';
    }
    c->width = read_number(out, &at);
    if (c->width < 0) { /* from a *: C takes its sign for the flag - */
        c->left = true;
        c->width = c->width < -FORMAT_PADDING_MOST ? FORMAT_PADDING_MOST : -c->width;
    }
    c->width = bounded(c->width);
    c->precision = -1;
    if (*at == '.') {
        at++;
        c->precision = read_number(out, &at);
    }
    if (*at == 'z') {
        c->wide = true;
        return at + 1;
    }
    for (int count = 0; *at == 'l' && count < 2; count++, at++) {
        c->wide = true;
    }
    return at;
}

/* Do the conversion that begins behind a %; returns its end, or NULL if we know none. */
static const char *convert(struct output *out, const char *at)
{
    struct conversion c = {0};
    char character;

    if (*at == '%') {
        out->put(out->context, '%');
        return at + 1;
    }
    at = read_conversion(out, &c, at);
    if (c.wide && (*at == 'c' || *at == 's' || *at == 'p')) {
        return NULL;
    }
    switch (*at) {
    case 'c':
        character = (char)va_arg(out->arguments, int);
        put_padded(out, &c, "", 0, &character, 1);
        break;
    case 's':
        put_string(out, &c, va_arg(out->arguments, const char *));
        break;
    case 'd':
    case 'i':
        put_signed(out, &c);
        break;
    case 'u':
        put_unsigned(out, &c, 10, "0123456789");
        break;
    case 'x':
        put_unsigned(out, &c, 16, "0123456789abcdef");
        break;
    case 'X':
        put_unsigned(out, &c, 16, "0123456789ABCDEF");
        break;
    case 'p':
        put_pointer(out, &c);
        break;
    default:
        return NULL;
    }
    return at + 1;
}

void format_text(void (*put)(void *context, char c), void *context, const char *format,
                 va_list arguments)
{
    struct output out = {.put = put, .context = context};
    va_copy(out.arguments, arguments);

    while (*format != '\0') {
        if (*format != '%') {
            put(context, *format++);
            continue;
        }
        const char *end = convert(&out, format + 1);
        if (end == NULL) {
            put_text(&out, format, length_of(format, SIZE_MAX));
            break;
        }
        format = end;
    }
    va_end(out.arguments);
}
