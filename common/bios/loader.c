/*
 * loader.c -- load an ELF kernel through the BIOS, map it, and start it
 *
 * The loader's part in C. It runs in long mode with the first 4 GiB of memory mapped to
 * themselves, so a physical address can be used as a pointer. What it allocates it takes
 * from the memory map, below 4 GiB and above 1 MiB.
 */
#include <stdint.h>

#include "bios.h"
#include "cpu.h"
#include "firmware_tables.h"
#include "kernel_file.h"
#include "loading.h"
#include "memory.h"
#include "memory_map.h"
#include "page_table.h"

#define MAPPED_END (4ull << 30)
#define RANGES_MOST 512 /* enough for what memory_map_read can say: see memory_map.h */

#define ROM_BEGIN 0xa0000 /* video memory, then the firmware's ROMs up to 1 MiB */
#define ROM_END 0x100000
#define VGA_TEXT 0xb8000
#define VGA_TEXT_SIZE 0x8000

extern const char loader_begin[], loader_end[]; /* loader.ld */

_Noreturn void loader_main(const struct bios *bios); /* called by loader_start.asm */

static const struct bios *bios;
static struct memory_range ranges[RANGES_MOST];
static struct memory_map map;
static uint64_t buffer_sectors; /* as many as one read() may bring */
static uint64_t file_size;

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- memory ----------------------------------------------------------------------- */

/* The tables that we run on map 1 GiB: add three more, in pages of 2 MiB. */
static void map_first_4_gib(void)
{
    enum { PRESENT = 1 << 0, WRITABLE = 1 << 1, LARGE = 1 << 7 };
    static _Alignas(PAGE_SIZE) uint64_t directories[3][512];
    uint64_t *const pdpt = PAGE_TABLES + 512; /* the second table */

    for (uint64_t page = 0; page < 3 * 512; page++) {
        directories[page / 512][page % 512] =
            (PAGE_SIZE_1G + page * PAGE_SIZE_2M) | LARGE | WRITABLE | PRESENT;
    }
    for (int i = 0; i < 3; i++) {
        pdpt[1 + i] = (uint64_t)directories[i] | WRITABLE | PRESENT;
    }
}

static enum memory_type type_of_e820(uint32_t type)
{
    switch (type) {
    case E820_USABLE:
        return MEMORY_USABLE;
    case E820_ACPI_RECLAIMABLE:
        return MEMORY_ACPI_RECLAIMABLE;
    case E820_ACPI_NVS:
        return MEMORY_ACPI_NVS;
    case E820_BAD:
        return MEMORY_BAD;
    default:
        return MEMORY_RESERVED;
    }
}

/* How many windows of the buffer are memory, and not the BIOS's? */
static void find_buffer(void)
{
    uint64_t window = (uint64_t)DISK_BUFFER;
    while (window < (uint64_t)DISK_BUFFER_END &&
           memory_map_total(&map, window, window + DISK_WINDOW_SIZE, MEMORY_USABLE) ==
               DISK_WINDOW_SIZE) {
        window += DISK_WINDOW_SIZE;
        buffer_sectors += DISK_WINDOW_SECTORS;
    }
    if (buffer_sectors == 0) {
        fail("The BIOS leaves no memory at 128 KiB, where the disk is read to.");
    }
}

static void read_memory_map(void)
{
    const struct e820_entry *entries = (const void *)(uint64_t)bios->memory_map;

    /* As far as the CPU's addresses reach, and the direct map before the stack. */
    memory_map_begin(&map, ranges, RANGES_MOST,
                     smaller(1ull << cpu_physical_bits(),
                             BOOT_STACK_BASE - BOOT_DIRECT_MAP_BASE));
    for (uint32_t i = 0; i < bios->memory_count; i++) {
        memory_map_add(&map, entries[i].base, entries[i].length,
                       type_of_e820(entries[i].type));
    }
    /* Its own data below 640 KiB is forgotten by some BIOSes. */
    const uint64_t bios_data = find_bios_data();
    memory_map_add(&map, bios_data, ROM_BEGIN - bios_data, MEMORY_RESERVED);
    find_buffer();
    /* A BIOS may leave these out, because no memory is there. */
    memory_map_add(&map, ROM_BEGIN, ROM_END - ROM_BEGIN, MEMORY_RESERVED);
    memory_map_add(&map, VGA_TEXT, VGA_TEXT_SIZE, MEMORY_FRAMEBUFFER);
    /* This program: the kernel starts with its GDT, from its last instructions. */
    memory_map_add(&map, (uint64_t)loader_begin,
                   (uint64_t)loader_end - (uint64_t)loader_begin,
                   MEMORY_LOADER_RECLAIMABLE);
}

_Noreturn void halt_with(const char *lines)
{
    bios->fail(lines);
}

void *allocate(const char *what, uint64_t size, uint64_t alignment, enum memory_type type)
{
    uint64_t address = memory_map_allocate(&map, size, alignment, MAPPED_END, type);
    if (address == 0) {
        address = memory_map_allocate(&map, size, PAGE_SIZE, MAPPED_END, type);
    }
    if (address == 0) {
        fail_for_memory(what, size,
                        memory_map_total(&map, ROM_END, MAPPED_END, MEMORY_USABLE));
    }
    return (void *)address;
}

static uint64_t allocate_page_table(void *context)
{
    (void)context;
    return (uint64_t)allocate("the page tables", PAGE_SIZE, PAGE_SIZE,
                              MEMORY_LOADER_RECLAIMABLE);
}

/* ---- the kernel's file ------------------------------------------------------------ */

/* Copy what lies both in the piece and in `size` bytes read from `offset` of the file. */
static void copy_common(const struct piece *piece, const unsigned char *from,
                        uint64_t offset, uint64_t size)
{
    const uint64_t begin = offset > piece->offset ? offset : piece->offset;
    const uint64_t end = smaller(offset + size, piece->offset + piece->size);

    if (begin < end) {
        memcpy(piece->to + (begin - piece->offset), from + (begin - offset), end - begin);
    }
}

void read_file(uint64_t offset, uint64_t size, void *to)
{
    const struct piece piece = {offset, size, to};
    uint64_t sector = offset / SECTOR_SIZE;
    const uint64_t end = (offset + size + SECTOR_SIZE - 1) / SECTOR_SIZE;

    while (sector < end) {
        const uint64_t here = kernel_file_read(sector, smaller(end - sector,
                                                               DISK_WINDOW_SECTORS));
        copy_common(&piece, DISK_BUFFER, sector * SECTOR_SIZE, here * SECTOR_SIZE);
        sector += here;
    }
}

/*
 * Copy sectors, and return `sum` with all their words added. It is tripled before each,
 * so that two sectors that have changed places are noticed. Many MiB come through here:
 * so both in one pass, and two words at a time.
 */
static uint64_t copy_and_add(uint64_t sum, void *to, const void *from, uint64_t sectors)
{
    const uint64_t *word = from;
    const uint64_t *const end = word + sectors * (SECTOR_SIZE / sizeof *word);

    for (uint64_t *copy = to; word < end; word += 2, copy += 2) {
        sum = sum * 3 + (copy[0] = word[0]);
        sum = sum * 3 + (copy[1] = word[1]);
    }
    return sum;
}

/* Put a window of the file where it belongs, and return `sum` with its words added. */
static uint64_t place_window(uint64_t sum, const struct piece *pieces, uint32_t count,
                             unsigned char *window, uint64_t offset, uint64_t sectors)
{
    const uint64_t size = sectors * SECTOR_SIZE;

    for (uint32_t i = 0; i < count; i++) {
        const struct piece *piece = &pieces[i];
        /* Mostly one piece has all of it. */
        if (offset >= piece->offset && offset - piece->offset <= piece->size &&
            size <= piece->size - (offset - piece->offset)) {
            return copy_and_add(sum, piece->to + (offset - piece->offset), window,
                                sectors);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        copy_common(&pieces[i], window, offset, size);
    }
    return copy_and_add(sum, window, window, sectors); /* to where it is: only to add */
}

/* Read the whole file, once, and copy each piece to its place. */
void read_pieces(const struct piece *pieces, uint32_t count)
{
    const uint64_t end = (file_size + SECTOR_SIZE - 1) / SECTOR_SIZE;
    uint64_t sector = 0;
    uint64_t sum = file_size;

    while (sector < end) {
        uint64_t left = kernel_file_read(sector, smaller(end - sector, buffer_sectors));
        unsigned char *window = DISK_BUFFER;
        for (; left > 0; window += DISK_WINDOW_SIZE) {
            const uint64_t here = smaller(left, DISK_WINDOW_SECTORS);
            sum = place_window(sum, pieces, count, window, sector * SECTOR_SIZE, here);
            sector += here;
            left -= here;
        }
    }
    if (!kernel_file_is_intact(sum)) {
        fail("The kernel is damaged: its checksum is wrong. Write the image again.");
    }
}

/* ---- what the kernel gets --------------------------------------------------------- */

static void describe_machine(struct boot_info *info)
{
    info->firmware = BOOT_FIRMWARE_BIOS;
    info->flags = BOOT_HAS_BOOT_DRIVE | BOOT_HAS_TSC;
    info->boot_drive = bios->boot_drive;
    info->screen = (struct boot_screen){
        .base = VGA_TEXT,
        .width = 80,
        .height = 25,
        .pitch = 160,
        .bits = 16,
        .kind = SCREEN_VGA_TEXT,
    };
    info->rsdp = find_rsdp();
    info->smbios = find_smbios();
    info->flags |= info->rsdp ? BOOT_HAS_RSDP : 0;
    info->flags |= info->smbios ? BOOT_HAS_SMBIOS : 0;
    info->tsc_start = bios->tsc_start;
}

/* Copy the memory map to where the kernel will find it; returns it. */
static struct memory_map copy_memory_map(struct handover *given)
{
    memcpy(given->ranges, ranges, map.count * sizeof ranges[0]);
    given->info.memory_map_count = map.count;
    return (struct memory_map){.ranges = given->ranges, .count = map.count};
}

_Noreturn void loader_main(const struct bios *services)
{
    struct elf64 elf;
    struct placed_kernel kernel;

    bios = services;
    map_first_4_gib();
    read_memory_map();

    file_size = kernel_file_find(bios);
    struct handover *const given =
        load_kernel(&elf, &kernel, file_size, "First Light, BIOS", RANGES_MOST);
    describe_machine(&given->info);

    /* What is mapped is a copy of the map: the tables take their memory from the map
     * itself, which changes it. (They take usable memory, so it is in the direct map
     * before and after.) */
    const struct memory_map copy = copy_memory_map(given);
    const struct start start = map_kernel(given, &kernel, &copy, (uint64_t)enter_kernel,
                                          allocate_page_table);
    /* The page tables were the last to take memory: now the map is as it will be. */
    copy_memory_map(given);
    start_kernel(&start, given, &kernel);
}
