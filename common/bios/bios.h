/*
 * bios.h -- what the loader's part in assembly (loader_bios.asm) gives to its part in C
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SECTOR_SIZE 512

/*
 * Where read() leaves the sectors (common/x86/layout.inc): the first 127 at the beginning
 * of the buffer, the next 127 a window of 64 KiB further, and so on. The PC's DMA
 * controller cannot cross a multiple of 64 KiB, and some BIOSes read no more in a call.
 */
extern unsigned char DISK_BUFFER[], DISK_BUFFER_END[];
#define DISK_WINDOW_SIZE 0x10000
#define DISK_WINDOW_SECTORS 127

/* The page tables that we run on, one behind the other: see x86/long_mode.asm. */
extern uint64_t PAGE_TABLES[];

/* An entry of the BIOS's memory map. Source: ACPI, "INT 15H, E820H". */
struct e820_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type; /* below */
    uint32_t attributes;
};

#define E820_USABLE 1
#define E820_RESERVED 2
#define E820_ACPI_RECLAIMABLE 3
#define E820_ACPI_NVS 4
#define E820_BAD 5

struct bios {
    uint64_t tsc_start; /* the time stamp counter when the loader started */

    /* Read sectors, at least 1, to DISK_BUFFER, or halt with a sentence. */
    void (*read)(uint64_t lba, uint64_t sectors);
    /* Print a sentence, which lies below 64 KiB, on the screen and on COM1, and halt. */
    __attribute__((noreturn)) void (*fail)(const char *sentence);

    uint32_t memory_map; /* address of the first struct e820_entry */
    uint32_t memory_count;
    uint32_t kernel_lba; /* the sector behind the loader; means nothing on a GPT disk */
    uint32_t boot_drive;
};

_Static_assert(sizeof(struct e820_entry) == 24, "e820_entry is laid out by the BIOS");
_Static_assert(offsetof(struct bios, fail) == 16, "bios: see loader_bios.asm");
_Static_assert(offsetof(struct bios, boot_drive) == 36, "bios: see loader_bios.asm");
