/* boot_report.c -- all that the loader tells, for people */
#include "boot_report.h"

#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "kprintf.h"

#define KIB 1024

struct type {
    const char *name;
    enum color color;
};

static struct type type_of(const struct memory_range *range)
{
    static const struct type types[] = {
        [MEMORY_USABLE] = {"usable", COLOR_LIGHT_GREEN},
        [MEMORY_LOADER_RECLAIMABLE] = {"the loader's, reclaimable", COLOR_YELLOW},
        [MEMORY_ACPI_RECLAIMABLE] = {"ACPI tables, reclaimable", COLOR_YELLOW},
        [MEMORY_MODULE] = {"loaded with the kernel", COLOR_CYAN},
        [MEMORY_KERNEL] = {"kernel", COLOR_LIGHT_CYAN},
        [MEMORY_EFI_RUNTIME] = {"EFI runtime services", COLOR_BROWN},
        [MEMORY_ACPI_NVS] = {"ACPI, to be kept", COLOR_BROWN},
        [MEMORY_RESERVED] = {"reserved", COLOR_DARK_GREY},
        [MEMORY_FRAMEBUFFER] = {"screen", COLOR_LIGHT_BLUE},
        [MEMORY_BAD] = {"bad memory", COLOR_LIGHT_RED},
    };
    if (range->type < sizeof types / sizeof types[0] && types[range->type].name != NULL) {
        return types[range->type];
    }
    return (struct type){"unknown", COLOR_LIGHT_RED};
}

/* The first word of a line. */
static void print_label(const char *text)
{
    console_color(COLOR_LIGHT_CYAN, COLOR_BLACK);
    kprintf("%-10s", text);
    console_color(COLOR_LIGHT_GREY, COLOR_BLACK);
}

static void print_memory_map(const struct boot_info *info)
{
    uint64_t usable = 0;

    print_label("memory");
    kprintf("%u ranges of physical addresses\n", info->memory_map_count);
    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        /* A later version of the struct may be longer than the one that we know. */
        const struct memory_range *range =
            (const struct memory_range *)(info->memory_map +
                                          (uint64_t)i * info->memory_map_entry_size);
        const struct type type = type_of(range);

        usable += range->type == MEMORY_USABLE ? range->length : 0;
        console_color(COLOR_LIGHT_GREY, COLOR_BLACK);
        kprintf("  0x%012lx - 0x%012lx %10lu KiB  ", range->base,
                range->base + range->length - 1, range->length / KIB);
        console_color(type.color, COLOR_BLACK);
        kprintf("%s\n", type.name);
    }
    print_label("usable");
    kprintf("%lu KiB\n", usable / KIB);
}

static void print_range(const char *label, uint64_t base, uint64_t size)
{
    print_label(label);
    kprintf("0x%016lx %10lu bytes\n", base, size);
}

static void print_screen(const struct boot_screen *screen)
{
    static const char *const kinds[] = {
        [SCREEN_NONE] = "none",
        [SCREEN_RGB] = "pixels",
        [SCREEN_VGA_TEXT] = "VGA text",
    };
    const char *kind = screen->kind <= SCREEN_VGA_TEXT ? kinds[screen->kind] : "unknown";

    print_label("screen");
    kprintf("%s, %u x %u at physical 0x%lx, a row has %u bytes\n", kind, screen->width,
            screen->height, screen->base, screen->pitch);
}

static void print_firmware(const struct boot_info *info)
{
    print_label("firmware");
    kprintf("%s", info->firmware == BOOT_FIRMWARE_UEFI ? "UEFI" : "BIOS");
    if (info->flags & BOOT_HAS_BOOT_DRIVE) {
        kprintf(", drive 0x%02x", info->boot_drive);
    }
    if (info->flags & BOOT_HAS_RSDP) {
        kprintf(", ACPI at 0x%lx", info->rsdp);
    }
    if (info->flags & BOOT_HAS_SMBIOS) {
        kprintf(", SMBIOS at 0x%lx", info->smbios);
    }
    kprintf("\n");
}

static void print_loader(const struct boot_info *info)
{
    print_label("loader");
    kprintf("%s", (const char *)info->loader_name);
    if (info->flags & BOOT_HAS_TSC) {
        kprintf(", %lu ticks of the time stamp counter",
                info->tsc_handover - info->tsc_start);
    }
    kprintf("\n");
}

void print_boot_info(const struct boot_info *info)
{
    print_memory_map(info);
    print_range("kernel", info->kernel_virtual, info->kernel_size);
    print_range("symbols", info->symbols, info->symbols_size);
    print_range("stack", info->stack_bottom, info->stack_size);
    print_screen(&info->screen);
    print_firmware(info);
    print_loader(info);
}
