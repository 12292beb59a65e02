/* kernel.c -- a kernel that prints all that its loader tells it */
#include <stddef.h>
#include <stdint.h>

#include "boot_info.h"
#include "text.h"

_Noreturn void kernel_main(const struct boot_info *info); /* the loader calls it */

static const char *memory_type_name(uint32_t type)
{
    static const char *const names[] = {
        [MEMORY_USABLE] = "usable",
        [MEMORY_LOADER_RECLAIMABLE] = "the loader's, reclaimable",
        [MEMORY_ACPI_RECLAIMABLE] = "ACPI tables, reclaimable",
        [MEMORY_MODULE] = "loaded with the kernel",
        [MEMORY_KERNEL] = "kernel",
        [MEMORY_EFI_RUNTIME] = "EFI runtime services",
        [MEMORY_ACPI_NVS] = "ACPI, to be kept",
        [MEMORY_RESERVED] = "reserved",
        [MEMORY_FRAMEBUFFER] = "screen",
        [MEMORY_BAD] = "bad memory",
    };
    if (type >= sizeof names / sizeof names[0] || names[type] == NULL) {
        return "unknown";
    }
    return names[type];
}

/* One line: what it is, and from where to where. */
static void print_range(const char *name, uint64_t base, uint64_t size)
{
    text_write(name);
    text_write_hex(base, 16);
    text_write(" - ");
    text_write_hex(base + (size - 1), 16);
    text_write("\n");
}

static void print_kernel(const struct boot_info *info)
{
    text_write("The kernel, as virtual addresses (segments at physical ");
    text_write_hex(info->kernel_physical, 12);
    text_write("):\n");
    print_range("  segments    ", info->kernel_virtual, info->kernel_size);
    print_range("  stack       ", info->stack_bottom, info->stack_size);
    print_range("  direct map  ", info->direct_map_base, info->direct_map_size);
    if (info->symbols_size > 0) {
        print_range("  symbols     ", info->symbols, info->symbols_size);
    }
    print_range("  boot_info   ", (uint64_t)info, info->size);
    text_write("From the loader's start to the kernel's: ");
    text_write_decimal(info->tsc_handover - info->tsc_start, 0);
    text_write(" ticks of the CPU's clock\n");
}

static void print_firmware(const struct boot_info *info)
{
    text_write("Loader: ");
    text_write((const char *)info->loader_name);
    if (info->flags & BOOT_HAS_BOOT_DRIVE) {
        text_write(", drive ");
        text_write_hex(info->boot_drive, 2);
    }
    if (info->flags & BOOT_HAS_RSDP) {
        text_write("; ACPI ");
        text_write_hex(info->rsdp, 8);
    }
    if (info->flags & BOOT_HAS_SMBIOS) {
        text_write("; SMBIOS ");
        text_write_hex(info->smbios, 8);
    }
    text_write("\n");
}

static void print_memory_map(const struct boot_info *info)
{
    text_write("Memory, as physical addresses:\n");
    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        const struct memory_range *range =
            (const struct memory_range *)(info->memory_map +
                                          (uint64_t)i * info->memory_map_entry_size);
        text_write("  ");
        text_write_hex(range->base, 12);
        text_write(" - ");
        text_write_hex(range->base + (range->length - 1), 12);
        text_write_decimal(range->length / 1024, 10);
        text_write(" KiB  ");
        text_write(memory_type_name(range->type));
        text_write("\n");
    }
}

static void print_boot_info(const struct boot_info *info)
{
    text_init(info);
    print_firmware(info);
    print_kernel(info);
    print_memory_map(info);
}

void kernel_main(const struct boot_info *info)
{
    /* Of another struct we know nothing, not even where its screen is. */
    if (info->magic == BOOT_INFO_MAGIC && info->version == BOOT_INFO_VERSION) {
        print_boot_info(info);
    }
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
