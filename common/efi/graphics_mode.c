/* graphics_mode.c -- from a mode of the firmware's to a screen of boot_info */
#include "graphics.h"

/* Where a colour's bits are in a pixel. Returns false unless they are side by side. */
static bool describe_color(uint32_t mask, uint8_t *size, uint8_t *shift)
{
    *size = *shift = 0;
    if (mask == 0) {
        return false;
    }
    for (; !(mask & 1); mask >>= 1) {
        ++*shift;
    }
    for (; mask & 1; mask >>= 1) {
        ++*size;
    }
    return mask == 0;
}

/* Returns the masks of a mode; those of a mode without pixels in memory are 0. */
static EFI_PIXEL_BITMASK masks_of(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    const UINT32 byte0 = 0xff, byte1 = 0xff00, byte2 = 0xff0000, byte3 = 0xff000000;

    switch (mode->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        return (EFI_PIXEL_BITMASK){byte0, byte1, byte2, byte3};
    case PixelBlueGreenRedReserved8BitPerColor:
        return (EFI_PIXEL_BITMASK){byte2, byte1, byte0, byte3};
    case PixelBitMask:
        return mode->PixelInformation;
    default: /* PixelBltOnly: only the firmware reaches it */
        return (EFI_PIXEL_BITMASK){0, 0, 0, 0};
    }
}

/* Does each bit of a pixel belong to one colour at most? */
static bool colors_are_apart(const EFI_PIXEL_BITMASK *masks)
{
    return !(masks->RedMask & masks->GreenMask) &&
           !(masks->GreenMask & masks->BlueMask) &&
           !(masks->BlueMask & masks->RedMask);
}

/* Returns how many whole bytes hold all bits of the masks. */
static uint32_t pixel_size(const EFI_PIXEL_BITMASK *masks)
{
    uint32_t all =
        masks->RedMask | masks->GreenMask | masks->BlueMask | masks->ReservedMask;
    uint32_t size = 0;

    for (; all != 0; all >>= 8) {
        size++;
    }
    return size;
}

bool graphics_describe(struct boot_screen *screen,
                       const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode, uint64_t base,
                       uint64_t size)
{
    const EFI_PIXEL_BITMASK masks = masks_of(mode);
    const uint32_t bytes = pixel_size(&masks);
    /* PixelsPerScanLine, not the width: in memory a row may be longer than on the
     * screen. */
    const uint64_t pitch = (uint64_t)mode->PixelsPerScanLine * bytes;

    *screen = (struct boot_screen){
        .base = base,
        .width = mode->HorizontalResolution,
        .height = mode->VerticalResolution,
        .pitch = (uint32_t)pitch,
        .bits = (uint16_t)(bytes * 8),
        .kind = SCREEN_RGB,
    };
    return describe_color(masks.RedMask, &screen->red_size, &screen->red_shift) &&
           describe_color(masks.GreenMask, &screen->green_size, &screen->green_shift) &&
           describe_color(masks.BlueMask, &screen->blue_size, &screen->blue_shift) &&
           colors_are_apart(&masks) && base != 0 && screen->width > 0 &&
           screen->height > 0 &&
           mode->PixelsPerScanLine >= screen->width && pitch <= UINT32_MAX &&
           pitch * screen->height <= size && size <= UINT64_MAX - base;
}
