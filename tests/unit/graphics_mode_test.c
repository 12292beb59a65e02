/*
 * graphics_mode_test.c -- run common/efi/graphics_mode.c on this computer
 *
 * Modes by hand, with the screens that they must become; and modes at random, compared
 * with a model that looks at each bit of a pixel by itself, in numbers that cannot wrap.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graphics.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BASE 0x80000000ull
#define MIB (1ull << 20)

/* A mode, and where its pixels are. */
struct given {
    uint32_t width, height, per_line;
    EFI_GRAPHICS_PIXEL_FORMAT format;
    EFI_PIXEL_BITMASK masks;
    uint64_t base, size;
};

static char where[80]; /* which test this is, for the sentence */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s: %s\n", where, sentence);
        exit(1);
    }
}

static bool describe(struct boot_screen *screen, const struct given *given)
{
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION mode = {
        .HorizontalResolution = given->width,
        .VerticalResolution = given->height,
        .PixelFormat = given->format,
        .PixelInformation = given->masks,
        .PixelsPerScanLine = given->per_line,
    };

    memset(screen, 0xa5, sizeof *screen);
    return graphics_describe(screen, &mode, given->base, given->size);
}

static bool same(const struct boot_screen *a, const struct boot_screen *b)
{
    return a->base == b->base && a->width == b->width && a->height == b->height &&
           a->pitch == b->pitch && a->bits == b->bits && a->kind == b->kind &&
           a->red_size == b->red_size && a->red_shift == b->red_shift &&
           a->green_size == b->green_size && a->green_shift == b->green_shift &&
           a->blue_size == b->blue_size && a->blue_shift == b->blue_shift &&
           memcmp(a->padding, b->padding, sizeof a->padding) == 0;
}

/* ---- by hand ----------------------------------------------------------------------- */

#define RGB PixelRedGreenBlueReserved8BitPerColor
#define BGR PixelBlueGreenRedReserved8BitPerColor
#define MASKS PixelBitMask
#define NO_MASKS {0, 0, 0, 0}
#define SCREEN(w, h, pitch_, bits_, ...)                                                \
    {.base = BASE, .width = (w), .height = (h), .pitch = (pitch_), .bits = (bits_),     \
     .kind = SCREEN_RGB, __VA_ARGS__}

/* A red of r bits, R from the right, and so on. */
#define COLORS(r, R, g, G, b, B)                                                        \
    .red_size = (r), .red_shift = (R), .green_size = (g), .green_shift = (G),           \
    .blue_size = (b), .blue_shift = (B)

static void test_screens(void)
{
    static const struct {
        const char *name;
        struct given given;
        struct boot_screen screen;
    } modes[] = {
        {"RGB",
         {800, 600, 800, RGB, NO_MASKS, BASE, 800 * 600 * 4},
         SCREEN(800, 600, 3200, 32, COLORS(8, 0, 8, 8, 8, 16))},
        {"BGR, whatever the masks say",
         {1024, 768, 1024, BGR, {1, 2, 4, 8}, BASE, 4 * MIB},
         SCREEN(1024, 768, 4096, 32, COLORS(8, 16, 8, 8, 8, 0))},
        {"a row longer than the screen is wide",
         {1366, 768, 1376, BGR, NO_MASKS, BASE, 1376 * 768 * 4},
         SCREEN(1366, 768, 5504, 32, COLORS(8, 16, 8, 8, 8, 0))},
        {"5:6:5",
         {640, 480, 640, MASKS, {0xf800, 0x07e0, 0x001f, 0}, BASE, 640 * 480 * 2},
         SCREEN(640, 480, 1280, 16, COLORS(5, 11, 6, 5, 5, 0))},
        {"5:5:5, and a bit that nobody uses",
         {640, 480, 641, MASKS, {0x7c00, 0x03e0, 0x001f, 0x8000}, BASE, MIB},
         SCREEN(640, 480, 1282, 16, COLORS(5, 10, 5, 5, 5, 0))},
        {"8:8:8 in three bytes",
         {640, 480, 640, MASKS, {0xff0000, 0xff00, 0xff, 0}, BASE, 640 * 480 * 3},
         SCREEN(640, 480, 1920, 24, COLORS(8, 16, 8, 8, 8, 0))},
        {"8:8:8 in four",
         {640, 480, 640, MASKS, {0xff000000, 0xff0000, 0xff00, 0xff}, BASE, 2 * MIB},
         SCREEN(640, 480, 2560, 32, COLORS(8, 24, 8, 16, 8, 8))},
        {"10:10:10",
         {640, 480, 640, MASKS, {0x3ff00000, 0xffc00, 0x3ff, 0xc0000000}, BASE, 2 * MIB},
         SCREEN(640, 480, 2560, 32, COLORS(10, 20, 10, 10, 10, 0))},
        {"10:10:10, where nobody says whose the other two bits are",
         {640, 480, 640, MASKS, {0x3ff, 0xffc00, 0x3ff00000, 0}, BASE, 2 * MIB},
         SCREEN(640, 480, 2560, 32, COLORS(10, 0, 10, 10, 10, 20))},
        {"3:3:2 in one byte",
         {640, 480, 640, MASKS, {0xe0, 0x1c, 0x03, 0}, BASE, 640 * 480},
         SCREEN(640, 480, 640, 8, COLORS(3, 5, 3, 2, 2, 0))},
        {"a single bit at the top",
         {1, 1, 1, MASKS, {0x80000000, 0x40000000, 0x3fffffff, 0}, BASE, 4},
         SCREEN(1, 1, 4, 32, COLORS(1, 31, 1, 30, 30, 0))},
        {"the longest row",
         {1, 1, 0x3fffffff, RGB, NO_MASKS, BASE, UINT64_MAX - BASE},
         SCREEN(1, 1, 0xfffffffc, 32, COLORS(8, 0, 8, 8, 8, 16))},
    };

    for (size_t i = 0; i < COUNT(modes); i++) {
        struct boot_screen screen;
        snprintf(where, sizeof where, "screens, %s", modes[i].name);
        check(describe(&screen, &modes[i].given), "it is refused");
        check(same(&screen, &modes[i].screen), "it is another one than expected");
    }
}

static void test_what_is_no_screen(void)
{
    static const struct {
        const char *name;
        struct given given;
    } modes[] = {
        {"no pixels in memory", {800, 600, 800, PixelBltOnly, NO_MASKS, BASE, 4 * MIB}},
        {"no pixels, but masks",
         {800, 600, 800, PixelBltOnly, {0xff, 0xff00, 0xff0000, 0}, BASE, 4 * MIB}},
        {"a format invented later",
         {800, 600, 800, 4, {0xff, 0xff00, 0xff0000, 0}, BASE, 4 * MIB}},
        {"no red", {8, 8, 8, MASKS, {0, 0xff00, 0xff, 0xff000000}, BASE, MIB}},
        {"no green", {8, 8, 8, MASKS, {0xff00, 0, 0xff, 0xff000000}, BASE, MIB}},
        {"no blue", {8, 8, 8, MASKS, {0xff00, 0xff, 0, 0xff000000}, BASE, MIB}},
        {"no mask at all", {8, 8, 8, MASKS, NO_MASKS, BASE, MIB}},
        {"a red with a hole", {8, 8, 8, MASKS, {0xfd0000, 0xff00, 0xff, 0}, BASE, MIB}},
        {"a green with a hole", {8, 8, 8, MASKS, {0xff0000, 0x8100, 0xff, 0}, BASE, MIB}},
        {"a blue with a hole", {8, 8, 8, MASKS, {0xff0000, 0xff00, 5, 0}, BASE, MIB}},
        {"red in green", {8, 8, 8, MASKS, {0x1ff00, 0xff00, 0xff, 0}, BASE, MIB}},
        {"green in blue", {8, 8, 8, MASKS, {0xff0000, 0xff80, 0xff, 0}, BASE, MIB}},
        {"blue in red", {8, 8, 8, MASKS, {0xff0000, 0xff00, 0x10000, 0}, BASE, MIB}},
        {"at address 0", {8, 8, 8, RGB, NO_MASKS, 0, MIB}},
        {"no width", {0, 8, 8, RGB, NO_MASKS, BASE, MIB}},
        {"no height", {8, 0, 8, RGB, NO_MASKS, BASE, MIB}},
        {"a row shorter than the screen is wide",
         {800, 600, 799, RGB, NO_MASKS, BASE, 4 * MIB}},
        {"a byte too little", {800, 600, 800, RGB, NO_MASKS, BASE, 800 * 600 * 4 - 1}},
        {"too little, for rows that are longer",
         {1366, 768, 1376, BGR, NO_MASKS, BASE, 1366 * 768 * 4}},
        {"no memory", {800, 600, 800, RGB, NO_MASKS, BASE, 0}},
        {"a row of 4 GiB",
         {1, 1, 0x40000000, RGB, NO_MASKS, BASE, UINT64_MAX - BASE}},
        {"a row of 16 GiB less four bytes",
         {1, 1, UINT32_MAX, RGB, NO_MASKS, BASE, UINT64_MAX - BASE}},
        {"all numbers as large as they can be",
         {UINT32_MAX, UINT32_MAX, UINT32_MAX, RGB, NO_MASKS, UINT64_MAX, UINT64_MAX}},
        {"beyond the last address",
         {800, 600, 800, RGB, NO_MASKS, UINT64_MAX - MIB, 4 * MIB}},
    };

    for (size_t i = 0; i < COUNT(modes); i++) {
        struct boot_screen screen;
        snprintf(where, sizeof where, "what is no screen, %s", modes[i].name);
        check(!describe(&screen, &modes[i].given), "it is taken for one");
    }
}

/* ---- at random --------------------------------------------------------------------- */

static uint64_t state = 0x474f50ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Some bits side by side, now and then with one more that is somewhere. */
static uint32_t any_mask(void)
{
    uint32_t mask = (uint32_t)(((1ull << any() % 12) - 1) << any() % 32);
    return any() % 8 ? mask : mask | 1u << any() % 32;
}

static uint32_t any_length(void)
{
    return any() % 8 ? (uint32_t)(any() % 2000) : (uint32_t)any() >> any() % 32;
}

static struct given any_mode(void)
{
    struct given made = {
        .width = any_length(),
        .height = any_length(),
        .format = any() % 16 ? any() % 4 : (EFI_GRAPHICS_PIXEL_FORMAT)any() % 1000,
        .masks = {any_mask(), any_mask(), any_mask(), any_mask()},
        .base = any() % 16 ? BASE : any() >> any() % 64,
        .size = any() >> any() % 64,
    };

    /* Three colours beside one another, of which most modes consist. */
    if (any() % 4) {
        const unsigned blue = 1 + any() % 10, green = 1 + any() % 10,
                       red = 1 + any() % 10;
        made.masks.BlueMask = (1u << blue) - 1;
        made.masks.GreenMask = ((1u << green) - 1) << blue;
        made.masks.RedMask = ((1u << red) - 1) << (blue + green);
    }
    made.per_line = any() % 4 ? made.width + (uint32_t)(any() % 16) : any_length();
    return made;
}

/* One colour of the model: is it there, in one piece? Where, and how large? */
static bool color_is_good(uint32_t mask, uint8_t *size, uint8_t *shift)
{
    unsigned begins = 0;

    *size = *shift = 0;
    for (unsigned bit = 0; bit < 32; bit++) {
        const bool set = mask >> bit & 1, before = bit > 0 && (mask >> (bit - 1) & 1);
        *size += set;
        if (set && !before) {
            begins++;
            *shift = (uint8_t)bit;
        }
    }
    return begins == 1;
}

/* What should become of a mode: a screen, or none. */
static bool expect(struct boot_screen *screen, const struct given *given)
{
    typedef unsigned __int128 wide;
    EFI_PIXEL_BITMASK masks = given->masks;

    if (given->format == RGB) {
        masks = (EFI_PIXEL_BITMASK){0xff, 0xff00, 0xff0000, 0xff000000};
    } else if (given->format == BGR) {
        masks = (EFI_PIXEL_BITMASK){0xff0000, 0xff00, 0xff, 0xff000000};
    } else if (given->format != MASKS) {
        return false;
    }
    unsigned bytes = 0;
    for (unsigned bit = 0; bit < 32; bit++) {
        const unsigned colors = (masks.RedMask >> bit & 1) +
                                (masks.GreenMask >> bit & 1) +
                                (masks.BlueMask >> bit & 1);
        if (colors > 1) {
            return false;
        }
        if (colors == 1 || (masks.ReservedMask >> bit & 1)) {
            bytes = bit / 8 + 1;
        }
    }
    const wide pitch = (wide)given->per_line * bytes, size = pitch * given->height;
    *screen = (struct boot_screen){
        .base = given->base, .width = given->width, .height = given->height,
        .pitch = (uint32_t)pitch, .bits = (uint16_t)(8 * bytes), .kind = SCREEN_RGB};
    return color_is_good(masks.RedMask, &screen->red_size, &screen->red_shift) &&
           color_is_good(masks.GreenMask, &screen->green_size, &screen->green_shift) &&
           color_is_good(masks.BlueMask, &screen->blue_size, &screen->blue_shift) &&
           given->base > 0 && given->width > 0 && given->height > 0 &&
           given->per_line >= given->width && pitch < (wide)1 << 32 &&
           given->size >= size && (wide)given->base + given->size < (wide)1 << 64;
}

static void test_at_random(void)
{
    int good = 0;

    for (int round = 0; round < 100000; round++) {
        struct boot_screen screen, expected;
        const struct given mode = any_mode();
        snprintf(where, sizeof where, "at random, round %d", round);
        const bool is_screen = expect(&expected, &mode);
        check(describe(&screen, &mode) == is_screen, "it is a screen, or is not one");
        check(!is_screen || same(&screen, &expected), "it is another one than expected");
        good += is_screen;
    }
    check(good > 5000, "most modes were none");
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"screens", test_screens},
        {"what is no screen", test_what_is_no_screen},
        {"at random", test_at_random},
    };
    /* All of them, or the one that is named. */
    bool found = false;
    for (size_t i = 0; i < COUNT(tests); i++) {
        if (count < 2 || strcmp(arguments[1], tests[i].name) == 0) {
            snprintf(where, sizeof where, "%s", tests[i].name);
            tests[i].run();
            found = true;
        }
    }
    if (!found) {
        fprintf(stderr, "graphics_mode_test: no test %s\n", arguments[1]);
        return 2;
    }
    return 0;
}
