/* efi_map.c -- from the firmware's memory map to ours */
#include "efi_map.h"

#include <efi.h>

#define EFI_PAGE 4096ull
#define MEMORY_SP 0x40000 /* set aside for a purpose; newer than some headers */

static enum memory_type type_of(const EFI_MEMORY_DESCRIPTOR *range)
{
    switch (range->Type) {
    case EfiLoaderCode:
    case EfiLoaderData:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiConventionalMemory:
        /* Memory that cannot be cached as usual, or that is meant for something else. */
        if (!(range->Attribute & EFI_MEMORY_WB) || range->Attribute & MEMORY_SP) {
            return MEMORY_RESERVED;
        }
        return MEMORY_USABLE;
    case EfiRuntimeServicesCode:
    case EfiRuntimeServicesData:
        return MEMORY_EFI_RUNTIME;
    case EfiACPIReclaimMemory:
        return MEMORY_ACPI_RECLAIMABLE;
    case EfiACPIMemoryNVS:
        return MEMORY_ACPI_NVS;
    case EfiUnusableMemory:
        return MEMORY_BAD;
    default: /* devices, and types that were invented later */
        return MEMORY_RESERVED;
    }
}

void efi_map_add(struct memory_map *map, const void *descriptors, uint64_t size,
                 uint64_t descriptor_size)
{
    const unsigned char *at = descriptors;

    if (descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR)) {
        return;
    }
    for (; size >= descriptor_size; size -= descriptor_size, at += descriptor_size) {
        const EFI_MEMORY_DESCRIPTOR *range = (const void *)at;
        uint64_t length = UINT64_MAX;
        if (range->NumberOfPages <= UINT64_MAX / EFI_PAGE) {
            length = range->NumberOfPages * EFI_PAGE;
        }
        memory_map_add(map, range->PhysicalStart, length, type_of(range));
    }
}
