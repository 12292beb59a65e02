/* sources: common/efi/graphics_mode.c */
/*
 * graphics_mode_fuzz.c -- whatever a mode says, its screen's pixels lie in its memory
 *
 * The input is a mode as the firmware describes it, where its memory is, and how large.
 * A screen that is accepted must have rows, pixels and colours in which a kernel can draw
 * each pixel without leaving that memory; one that is refused must lack something.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "graphics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef unsigned __int128 wide; /* no product here wraps */

struct given {
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION mode;
    uint64_t base, size;
};

static void check(bool right, const char *sentence)
{
    if (!right) {
        fprintf(stderr, "graphics_mode: %s\n", sentence);
        __builtin_trap();
    }
}

static uint32_t mask_of(uint8_t size, uint8_t shift)
{
    return (uint32_t)(((1ull << size) - 1) << shift);
}

static void check_color(const struct boot_screen *screen, uint8_t size, uint8_t shift,
                        uint32_t mask)
{
    check(size > 0 && size + shift <= screen->bits, "a colour is not in its pixel");
    check(mask_of(size, shift) == mask, "a colour is another one");
}

static EFI_PIXEL_BITMASK masks_of(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    if (mode->PixelFormat == PixelBitMask) {
        return mode->PixelInformation;
    }
    const bool rgb = mode->PixelFormat == PixelRedGreenBlueReserved8BitPerColor;
    return (EFI_PIXEL_BITMASK){rgb ? 0xff : 0xff0000, 0xff00, rgb ? 0xff0000 : 0xff,
                               0xff000000};
}

static void check_accepted(const struct boot_screen *screen, const struct given *given)
{
    const EFI_PIXEL_BITMASK masks = masks_of(&given->mode);

    check(given->mode.PixelFormat < PixelBltOnly, "it has no pixels in memory");
    check(screen->kind == SCREEN_RGB && screen->base == given->base &&
              screen->width == given->mode.HorizontalResolution &&
              screen->height == given->mode.VerticalResolution,
          "it is another screen");
    check(screen->base > 0 && screen->width > 0 && screen->height > 0,
          "it has no pixels");
    check(screen->bits == 8 || screen->bits == 16 || screen->bits == 24 ||
              screen->bits == 32, "a pixel is not whole bytes");
    check((wide)given->mode.PixelsPerScanLine * screen->bits == (wide)screen->pitch * 8 &&
              given->mode.PixelsPerScanLine >= screen->width,
          "its rows are of another length");
    const wide bytes = (wide)screen->pitch * screen->height;
    check(bytes <= given->size && screen->base + bytes < (wide)1 << 64,
          "it is not in its memory");

    check_color(screen, screen->red_size, screen->red_shift, masks.RedMask);
    check_color(screen, screen->green_size, screen->green_shift, masks.GreenMask);
    check_color(screen, screen->blue_size, screen->blue_shift, masks.BlueMask);
    check((masks.RedMask | masks.GreenMask | masks.BlueMask) ==
              (wide)masks.RedMask + masks.GreenMask + masks.BlueMask,
          "a bit belongs to two colours");
    check(((wide)masks.ReservedMask >> screen->bits) == 0, "a pixel is cut off");
}

/* Is it one piece? Then it grows by its lowest bit into a power of two, or to nothing. */
static bool is_one_piece(uint32_t mask)
{
    return mask != 0 && (mask & (mask + (mask & -mask))) == 0;
}

static void check_refused(const struct given *given)
{
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = &given->mode;
    const EFI_PIXEL_BITMASK masks = masks_of(mode);
    const uint32_t colors = masks.RedMask | masks.GreenMask | masks.BlueMask;
    const uint32_t all = colors | masks.ReservedMask;
    const wide pitch = (wide)mode->PixelsPerScanLine * (all >> 24   ? 4
                                                        : all >> 16 ? 3
                                                        : all >> 8  ? 2
                                                                    : 1);

    check(mode->PixelFormat >= PixelBltOnly || !is_one_piece(masks.RedMask) ||
              !is_one_piece(masks.GreenMask) || !is_one_piece(masks.BlueMask) ||
              colors != (wide)masks.RedMask + masks.GreenMask + masks.BlueMask ||
              given->base == 0 || mode->HorizontalResolution == 0 ||
              mode->VerticalResolution == 0 ||
              mode->PixelsPerScanLine < mode->HorizontalResolution ||
              pitch > UINT32_MAX || pitch * mode->VerticalResolution > given->size ||
              (wide)given->base + given->size > UINT64_MAX,
          "a screen is refused that has all it needs");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct given given;
    struct boot_screen screen;
    const size_t mode = sizeof given.mode, words = sizeof given.base + sizeof given.size;

    if (size < mode + words) {
        return 0;
    }
    memcpy(&given.mode, data, mode);
    memcpy(&given.base, data + mode, sizeof given.base);
    memcpy(&given.size, data + mode + sizeof given.base, sizeof given.size);
    if (graphics_describe(&screen, &given.mode, given.base, given.size)) {
        check_accepted(&screen, &given);
    } else {
        check_refused(&given);
    }
    return 0;
}
