/*
 * efi_memory.h -- memory that we take from the firmware, and the map of all memory
 *
 * allocate() of loading.h is here. What it has taken it remembers: the firmware does not
 * know what is a kernel.
 *
 * Source: UEFI specification, "Memory Allocation Services" and
 * "EFI_BOOT_SERVICES.ExitBootServices()".
 */
#pragma once

#include <efi.h>

#include "boot_info.h"
#include "memory_map.h"

/*
 * Returns how many ranges a memory map of ours can have at the end, with what allocate()
 * will take, at most.
 */
uint32_t efi_memory_ranges_most(void);

/* Take a page below 1 MiB, for instructions; or fail. */
void *allocate_low_page(void);

/* Take memory for `count` page tables, or fail; and a page of it, or fail. */
void allocate_page_tables(uint64_t count);
uint64_t next_page_table(void *context); /* not used */

/*
 * Leave the firmware: from here on the machine is ours, and efi_boot is NULL. Fails if it
 * does not let us go. Fills in what boot_info says of the firmware's own map.
 */
void leave_firmware(EFI_HANDLE image, struct boot_info *info);

/*
 * Add to a map all memory, as the firmware tells it now or, once we have left it, as it
 * was then; and what we have taken, but for the page tables. Fails if the firmware does
 * not tell.
 */
void efi_memory_add(struct memory_map *map);

/* Add the page tables that next_page_table() has given: the others are free. */
void efi_memory_add_page_tables(struct memory_map *map);
