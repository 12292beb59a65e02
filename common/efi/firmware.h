/*
 * firmware.h -- the UEFI firmware that has started us, and what we ask it
 *
 * Source: UEFI specification, "EFI System Table" and "Boot Services".
 */
#pragma once

#include <efi.h>

extern EFI_SYSTEM_TABLE *efi_system;
extern EFI_BOOT_SERVICES *efi_boot; /* NULL once we have left the boot services */

/*
 * Remember the system table, set up COM1, and switch the watchdog off, which would start
 * the machine anew after five minutes.
 */
void firmware_init(EFI_SYSTEM_TABLE *system_table);

/* Is Secure Boot on: does the firmware start only what somebody has signed? */
BOOLEAN firmware_is_secure(void);

/*
 * Returns the physical address of a table that the firmware names by a GUID, or 0.
 * Source: UEFI specification, "EFI Configuration Table & Properties Table".
 */
UINT64 firmware_table(const EFI_GUID *guid);
