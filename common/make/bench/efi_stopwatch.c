/*
 * efi_stopwatch.c -- a program for UEFI that starts another one and says when: efi.py
 *
 * It is to UEFI what stopwatch.asm is to a BIOS: it stands in front of a loader that is
 * to be measured, and leaves the same in the debug registers. The firmware's handlers of
 * interrupts save these and do not write them; no loader uses them.
 *
 * The other program is \real.efi on the same volume, and gets it as its own.
 *
 * Source: UEFI specification, "EFI_BOOT_SERVICES.LoadImage()".
 */
#include <efi.h>
#include <efilib.h>

#include "cpu.h"

#define TIMER 0xb008 /* the ACPI timer, where OVMF puts it on QEMU's board pc */
#define TIMER_BITS 0xffffff /* it may have only 24 */
#define TICKS (1 << 16)

#define write_dr(number, value) \
    __asm__ volatile("mov %0, %%dr" #number : : "r"((UINT64)(value)))

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

static UINT32 timer(void)
{
    UINT32 ticks;

    __asm__ volatile("inl %1, %0" : "=a"(ticks) : "d"((UINT16)TIMER));
    return ticks;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    const UINT64 start = rdtsc();
    EFI_LOADED_IMAGE *self;
    EFI_HANDLE real;

    const UINT32 first = timer();
    while (((timer() - first) & TIMER_BITS) < TICKS) {
    }
    write_dr(2, (UINT32)start);
    write_dr(3, (UINT32)(rdtsc() - start));

    InitializeLib(image, system_table);
    EFI_STATUS status = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&self);
    if (!EFI_ERROR(status)) {
        status = BS->LoadImage(FALSE, image,
                               FileDevicePath(self->DeviceHandle, L"\\real.efi"), NULL, 0,
                               &real);
    }
    if (EFI_ERROR(status)) {
        return status; /* the firmware says so, and bench.py waits in vain */
    }
    const UINT64 now = rdtsc();
    write_dr(0, (UINT32)now);
    write_dr(1, now >> 32);
    return BS->StartImage(real, NULL, NULL);
}
