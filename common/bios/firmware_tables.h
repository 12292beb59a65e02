/*
 * firmware_tables.h -- tables that a BIOS leaves in the first MiB, to be searched for
 */
#pragma once

#include <stdint.h>

/* Returns where, below 640 KiB, the BIOS's own data begin; 640 KiB if it has none. */
uint64_t find_bios_data(void);

/*
 * Returns the address of ACPI's Root System Description Pointer, or 0.
 * Source: ACPI specification, "Finding the RSDP on IA-PC Systems".
 */
uint64_t find_rsdp(void);

/*
 * Returns the address of the SMBIOS entry point, of version 3 where there is one, or 0.
 * Source: SMBIOS specification, "Table convention" of the SMBIOS entry points.
 */
uint64_t find_smbios(void);
