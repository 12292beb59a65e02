/* graphics.c -- the screen, as the firmware has set it up */
#include "graphics.h"

#include "firmware.h"

/*
 * Returns the present mode of a screen, or NULL. Some firmware does not start a screen
 * before it is asked to, and says so; mode 0 is its first.
 */
static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode_of(EFI_GRAPHICS_OUTPUT_PROTOCOL *screen)
{
    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
    UINTN size;

    const UINT32 present = screen->Mode != NULL ? screen->Mode->Mode : 0;
    EFI_STATUS status = screen->QueryMode(screen, present, &size, &mode);
    if (status == EFI_NOT_STARTED && !EFI_ERROR(screen->SetMode(screen, 0))) {
        status = screen->QueryMode(screen, 0, &size, &mode);
    }
    return EFI_ERROR(status) || screen->Mode == NULL ? NULL : mode;
}

uint64_t graphics_find(struct boot_screen *found)
{
    EFI_GUID graphics_output = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count = 0;

    if (EFI_ERROR(efi_boot->LocateHandleBuffer(ByProtocol, &graphics_output, NULL, &count,
                                               &handles))) {
        count = 0; /* a machine without a screen */
    }
    for (UINTN i = 0; i < count; i++) {
        EFI_GRAPHICS_OUTPUT_PROTOCOL *screen;
        if (EFI_ERROR(efi_boot->HandleProtocol(handles[i], &graphics_output,
                                               (VOID **)&screen))) {
            continue;
        }
        const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = mode_of(screen);
        if (mode != NULL && graphics_describe(found, mode, screen->Mode->FrameBufferBase,
                                              screen->Mode->FrameBufferSize)) {
            return (uint64_t)found->pitch * found->height;
        }
    }
    *found = (struct boot_screen){.kind = SCREEN_NONE};
    return 0;
}
