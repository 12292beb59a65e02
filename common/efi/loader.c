/*
 * loader.c -- load an ELF kernel through UEFI, map it, and start it
 *
 * An application that the firmware starts. While the firmware is there it has the
 * machine: we ask it for memory, for the kernel's file and for the screen. Then we leave
 * it, and from then on nothing may be asked.
 */
#include <efi.h>
#include <stdint.h>

#include "cpu.h"
#include "efi_memory.h"
#include "firmware.h"
#include "graphics.h"
#include "kernel_file.h"
#include "loading.h"
#include "memory.h"
#include "page_table_count.h"

/* For the trampoline, and for what changes in the map until we have left the firmware. */
#define SPARE_PAGE_TABLES 128

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Refuse what we could not do right. */
static void check_machine(void)
{
    if (firmware_is_secure()) {
        fail("Secure Boot is on, but this loader cannot tell whether somebody has signed "
             "the kernel: switch Secure Boot off in the firmware's settings.");
    }
    /* To change to four levels, one has to leave long mode. */
    if (read_cr4() & CR4_LA57) {
        fail("The firmware has switched on page tables of five levels, which kernels of "
             "First Light do not know: switch them off in the firmware's settings.");
    }
}

static void describe_machine(struct boot_info *info)
{
    EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
    EFI_GUID smbios3 = SMBIOS3_TABLE_GUID, smbios = SMBIOS_TABLE_GUID;

    info->firmware = BOOT_FIRMWARE_UEFI;
    info->rsdp = firmware_table(&acpi2);
    if (info->rsdp == 0) {
        info->rsdp = firmware_table(&acpi1);
    }
    info->smbios = firmware_table(&smbios3);
    if (info->smbios == 0) {
        info->smbios = firmware_table(&smbios);
    }
    info->flags |= BOOT_HAS_TSC;
    info->flags |= info->rsdp ? BOOT_HAS_RSDP : 0;
    info->flags |= info->smbios ? BOOT_HAS_SMBIOS : 0;
}

/* Copy the last instructions to where no kernel can be, below 1 MiB. Returns where. */
static uint64_t place_trampoline(void)
{
    void *const page = allocate_low_page();

    memcpy(page, enter_kernel, (size_t)(enter_kernel_end - enter_kernel));
    return (uint64_t)page;
}

/* Make the memory map that the kernel gets, where it gets it. */
static struct memory_map make_map(struct handover *given, uint32_t ranges_most,
                                  uint64_t screen_size)
{
    struct memory_map map;

    /* As far as the CPU's addresses reach, and the direct map before the stack. */
    memory_map_begin(&map, given->ranges, ranges_most,
                     smaller(1ull << cpu_physical_bits(),
                             BOOT_STACK_BASE - BOOT_DIRECT_MAP_BASE));
    efi_memory_add(&map);
    memory_map_add(&map, given->info.screen.base, screen_size, MEMORY_FRAMEBUFFER);
    return map;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    const uint64_t tsc_start = rdtsc();
    struct elf64 elf;
    struct placed_kernel kernel;

    firmware_init(system_table);
    check_machine();

    const uint64_t size = kernel_file_open(image);
    const uint32_t ranges_most = efi_memory_ranges_most();
    struct handover *const given =
        load_kernel(&elf, &kernel, size, "First Light, UEFI", ranges_most);
    describe_machine(&given->info);
    given->info.tsc_start = tsc_start;
    const uint64_t screen_size = graphics_find(&given->info.screen);
    const uint64_t trampoline = place_trampoline();

    /* Once we have left the firmware, there is nobody to ask for more memory. So make the
     * map first as it is now, to see how many page tables it can need. */
    struct memory_map map = make_map(given, ranges_most, screen_size);
    allocate_page_tables(page_table_count(&map, &kernel) + SPARE_PAGE_TABLES);
    leave_firmware(image, &given->info);

    map = make_map(given, ranges_most, screen_size);
    const struct start start =
        map_kernel(given, &kernel, &map, trampoline, next_page_table);
    efi_memory_add_page_tables(&map);
    given->info.memory_map_count = map.count;
    start_kernel(&start, given, &kernel);
}
