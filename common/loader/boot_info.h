/*
 * boot_info.h -- what a First Light loader tells the kernel that it starts
 *
 * The kernel finds the address of one struct boot_info in rdi. Both loaders, BIOS and
 * UEFI, fill it alike; docs/boot-protocol.md is the reference of the contract.
 *
 * Each member says whether it is a physical or a virtual address. A physical address is
 * read at direct_map_base + address, if the direct map covers it: all memory of the types
 * for which memory_type_is_mapped() is true, and the first MiB but for page 0.
 *
 * Only fixed-width members, and 64-bit ones at multiples of 8: so every compiler, 32- or
 * 64-bit, lays the struct out alike. The assertions at the end hold it to that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_INFO_MAGIC 0x544847494c545346 /* "FSTLIGHT", little-endian */
#define BOOT_INFO_VERSION 1

/* Where loaders put what has no address of its own. Kernels: read it from the struct. */
#define BOOT_DIRECT_MAP_BASE 0xffff800000000000 /* physical address 0 */
#define BOOT_STACK_BASE 0xffffff0000000000      /* the guard page; the stack follows */
#define BOOT_KERNEL_BASE 0xffffffff80000000     /* a kernel that runs at any address */

/*
 * Who uses a range of memory. Where two say different things of the same page, the
 * greater number wins: better to leave a free page alone than to overwrite a table.
 */
enum memory_type {
    MEMORY_USABLE = 1,             /* free: every byte may be overwritten at once */
    MEMORY_LOADER_RECLAIMABLE = 2, /* this struct, page tables, stack, GDT: free once the
                                    * kernel has its own */
    MEMORY_ACPI_RECLAIMABLE = 3,   /* ACPI tables: free once they have been read */
    MEMORY_MODULE = 4,             /* what was loaded beside the kernel: symbols, files */
    MEMORY_KERNEL = 5,             /* the segments of the kernel */
    MEMORY_EFI_RUNTIME = 6,        /* code and data of EFI's runtime services */
    MEMORY_ACPI_NVS = 7,           /* the firmware's, to be kept over sleep */
    MEMORY_RESERVED = 8,           /* not memory, or not ours */
    MEMORY_FRAMEBUFFER = 9,        /* what the screen shows */
    MEMORY_BAD = 10,               /* memory that failed the firmware's test */
};

/* Is memory of this type, an enum memory_type, in the direct map? */
static inline bool memory_type_is_mapped(uint32_t type)
{
    return type >= MEMORY_USABLE && type <= MEMORY_FRAMEBUFFER && type != MEMORY_RESERVED;
}

/*
 * One range of the memory map. Ranges are sorted by base, do not overlap, and begin and
 * end at multiples of 4 KiB. What no range covers is not memory.
 */
struct memory_range {
    uint64_t base;       /* physical */
    uint64_t length;     /* bytes, never 0 */
    uint32_t type;       /* an enum memory_type */
    uint32_t attributes; /* 0 in this version */
};

enum boot_firmware { BOOT_FIRMWARE_BIOS = 1, BOOT_FIRMWARE_UEFI = 2 };

enum screen_kind {
    SCREEN_NONE = 0,
    SCREEN_RGB = 1,      /* pixels, made up of the three colours as described */
    SCREEN_VGA_TEXT = 2, /* cells of 2 bytes: a character (code page 437), an attribute */
};

struct boot_screen {
    uint64_t base;       /* physical */
    uint32_t width;      /* in pixels, or in cells */
    uint32_t height;     /* likewise */
    uint32_t pitch;      /* bytes from a row to the next: not always width times size */
    uint16_t bits;       /* of a pixel, or of a cell: 16 */
    uint8_t kind;        /* an enum screen_kind */
    uint8_t red_size;    /* bits of each colour, and how far left the lowest is; */
    uint8_t red_shift;   /* 0 where the screen has no pixels */
    uint8_t green_size;
    uint8_t green_shift;
    uint8_t blue_size;
    uint8_t blue_shift;
    uint8_t padding[3];
};

/* A file that the loader put into memory beside the kernel. */
struct boot_module {
    uint64_t base; /* physical */
    uint64_t size; /* bytes */
    uint64_t name; /* virtual, ended by a zero byte */
};

/* Bits of flags: which members hold something. The others are always valid. */
#define BOOT_HAS_RSDP (1u << 0)
#define BOOT_HAS_SMBIOS (1u << 1)
#define BOOT_HAS_BOOT_DRIVE (1u << 2)
#define BOOT_HAS_EFI (1u << 3)
#define BOOT_HAS_TSC (1u << 4)

struct boot_info {
    uint64_t magic;    /* BOOT_INFO_MAGIC */
    uint32_t version;  /* BOOT_INFO_VERSION */
    uint32_t size;     /* of this struct, in bytes */
    uint32_t firmware; /* an enum boot_firmware */
    uint32_t flags;    /* BOOT_HAS_... */

    uint64_t memory_map;          /* virtual: the first struct memory_range */
    uint32_t memory_map_count;    /* of ranges */
    uint32_t memory_map_entry_size; /* bytes from a range to the next */

    uint64_t direct_map_base; /* virtual: physical address 0 */
    uint64_t direct_map_size; /* bytes up to the end of the last range that is mapped */

    uint64_t kernel_physical;  /* of its segments: virtual - kernel_virtual + this */
    uint64_t kernel_virtual;   /* lowest page of the kernel */
    uint64_t kernel_size;      /* bytes, up to the end of the highest page */
    uint64_t kernel_slide;     /* what its addresses were moved by; 0: as it was linked */
    uint64_t symbols;          /* virtual: .symtab of its file, an array of struct
                                * elf64_sym, whose values were not moved */
    uint64_t symbols_size;     /* bytes; 0: the file has none */
    uint64_t strings;          /* virtual: .strtab, the names; its last byte is zero */
    uint64_t strings_size;     /* bytes */

    uint64_t stack_bottom; /* virtual: the lowest byte; the page below is not mapped */
    uint64_t stack_size;   /* bytes */

    struct boot_screen screen;

    uint64_t rsdp;   /* physical: ACPI's root pointer */
    uint64_t smbios; /* physical: the entry point, of version 3 where there is one */

    uint64_t modules;      /* virtual: the first struct boot_module */
    uint32_t module_count; /* 0: none */
    uint32_t boot_drive;   /* the BIOS's number of the drive that we came from */
    uint64_t command_line; /* virtual, ended by a zero byte; perhaps empty */
    uint64_t loader_name;  /* virtual, ended by a zero byte */

    uint64_t efi_system_table;        /* physical */
    uint64_t efi_memory_map;          /* virtual: as GetMemoryMap gave it at the end */
    uint32_t efi_memory_map_size;     /* bytes */
    uint32_t efi_descriptor_size;     /* bytes from a descriptor to the next */
    uint32_t efi_descriptor_version;
    uint32_t padding;

    uint64_t tsc_start;    /* the time stamp counter when the loader started */
    uint64_t tsc_handover; /* and just before the kernel's first instruction */
};

#define BOOT_OFFSET(member, offset)                                                     \
    _Static_assert(offsetof(struct boot_info, member) == (offset),                      \
                   "boot_info: " #member " has moved")

BOOT_OFFSET(magic, 0);
BOOT_OFFSET(version, 8);
BOOT_OFFSET(size, 12);
BOOT_OFFSET(firmware, 16);
BOOT_OFFSET(flags, 20);
BOOT_OFFSET(memory_map, 24);
BOOT_OFFSET(memory_map_count, 32);
BOOT_OFFSET(memory_map_entry_size, 36);
BOOT_OFFSET(direct_map_base, 40);
BOOT_OFFSET(direct_map_size, 48);
BOOT_OFFSET(kernel_physical, 56);
BOOT_OFFSET(kernel_virtual, 64);
BOOT_OFFSET(kernel_size, 72);
BOOT_OFFSET(kernel_slide, 80);
BOOT_OFFSET(symbols, 88);
BOOT_OFFSET(symbols_size, 96);
BOOT_OFFSET(strings, 104);
BOOT_OFFSET(strings_size, 112);
BOOT_OFFSET(stack_bottom, 120);
BOOT_OFFSET(stack_size, 128);
BOOT_OFFSET(screen, 136);
BOOT_OFFSET(rsdp, 168);
BOOT_OFFSET(smbios, 176);
BOOT_OFFSET(modules, 184);
BOOT_OFFSET(module_count, 192);
BOOT_OFFSET(boot_drive, 196);
BOOT_OFFSET(command_line, 200);
BOOT_OFFSET(loader_name, 208);
BOOT_OFFSET(efi_system_table, 216);
BOOT_OFFSET(efi_memory_map, 224);
BOOT_OFFSET(efi_memory_map_size, 232);
BOOT_OFFSET(efi_descriptor_size, 236);
BOOT_OFFSET(efi_descriptor_version, 240);
BOOT_OFFSET(tsc_start, 248);
BOOT_OFFSET(tsc_handover, 256);
_Static_assert(sizeof(struct boot_info) == 264, "boot_info: its size has changed");

_Static_assert(offsetof(struct boot_screen, width) == 8, "boot_screen: width has moved");
_Static_assert(offsetof(struct boot_screen, pitch) == 16, "boot_screen: pitch has moved");
_Static_assert(offsetof(struct boot_screen, bits) == 20, "boot_screen: bits has moved");
_Static_assert(offsetof(struct boot_screen, kind) == 22, "boot_screen: kind has moved");
_Static_assert(offsetof(struct boot_screen, red_size) == 23, "boot_screen: colours");
_Static_assert(offsetof(struct boot_screen, blue_shift) == 28, "boot_screen: colours");
_Static_assert(sizeof(struct boot_screen) == 32, "boot_screen: its size has changed");

_Static_assert(sizeof(struct boot_module) == 24, "boot_module: its size has changed");
_Static_assert(offsetof(struct memory_range, type) == 16, "memory_range: type has moved");
_Static_assert(sizeof(struct memory_range) == 24, "memory_range: its size has changed");
