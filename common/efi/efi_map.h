/*
 * efi_map.h -- from the firmware's memory map to ours
 *
 * No firmware is called here: the tests of the host compile it, too.
 * Source: UEFI specification, "EFI_BOOT_SERVICES.GetMemoryMap()".
 */
#pragma once

#include <stdint.h>

#include "memory_map.h"

/*
 * Add `size` bytes of the firmware's descriptors to a map. From a descriptor to the next
 * are `descriptor_size` bytes: a firmware may have longer ones than our headers know.
 *
 * The map is that of a machine which the firmware has left: what it and we used until
 * then counts as usable.
 */
void efi_map_add(struct memory_map *map, const void *descriptors, uint64_t size,
                 uint64_t descriptor_size);
