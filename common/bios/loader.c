/*
 * loader.c -- load an ELF kernel through the BIOS, map it, and start it
 *
 * The loader's part in C. It runs in long mode with the first 4 GiB of memory mapped to
 * themselves, so a physical address can be used as a pointer. What it allocates it takes
 * from the memory map, below 4 GiB and above 1 MiB.
 */
#include <stdbool.h>
#include <stdint.h>

#include "address_space.h"
#include "bios.h"
#include "boot_info.h"
#include "cpu.h"
#include "elf64.h"
#include "firmware_tables.h"
#include "io.h"
#include "memory.h"
#include "memory_map.h"
#include "page_table.h"
#include "sentence.h"

#define MAPPED_END (4ull << 30)
#define RANGES_MOST 512 /* enough for what memory_map_read can say: see memory_map.h */
#define KERNEL_ALIGNMENT PAGE_SIZE_2M /* where memory allows it: fewer, larger pages */

#define ROM_BEGIN 0xa0000 /* video memory, then the firmware's ROMs up to 1 MiB */
#define ROM_END 0x100000
#define VGA_TEXT 0xb8000
#define VGA_TEXT_SIZE 0x8000

#define PIC1_DATA 0x21 /* a 1 in its mask keeps an interrupt line quiet */
#define PIC2_DATA 0xa1
#define PIC_MASK_ALL 0xff

/* What the build writes into the sector before the kernel file (common/make/image.py). */
struct kernel_head {
    uint64_t magic;
    uint64_t size;     /* of the file, in bytes */
    uint64_t checksum; /* of the size and of the sectors, as copy_and_add() counts */
};
#define KERNEL_HEAD_MAGIC 0x454c49464c454b46 /* "FKELFILE", read little-endian */

extern const char loader_begin[], loader_end[]; /* loader.ld */

/* enter_kernel.asm */
_Noreturn void enter_kernel(uint64_t page_tables, uint64_t entry, uint64_t stack_top,
                            uint64_t boot_info, uint64_t direct_map_base);
extern const char enter_kernel_end[];

_Noreturn void loader_main(const struct bios *bios); /* called by loader_start.asm */

static const struct bios *bios;
static struct memory_range ranges[RANGES_MOST];
static struct memory_map map;
static uint64_t buffer_sectors; /* as many as one read() may bring */

static _Noreturn void fail(const char *text)
{
    sentence_begin(text);
    bios->fail(sentence_end());
}

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

/* Take memory from the map, or halt with a sentence; what: "the kernel". */
static void *allocate(const char *what, uint64_t size, uint64_t alignment,
                      enum memory_type type)
{
    uint64_t address = memory_map_allocate(&map, size, alignment, MAPPED_END, type);
    if (address == 0) {
        address = memory_map_allocate(&map, size, PAGE_SIZE, MAPPED_END, type);
    }
    if (address == 0) {
        const uint64_t there = memory_map_total(&map, ROM_END, MAPPED_END, MEMORY_USABLE);
        sentence_begin("There is too little memory for ");
        sentence_add(what);
        sentence_add(": it needs ");
        sentence_add_number((size + 1023) / 1024);
        sentence_add(" KiB in one piece, and ");
        sentence_add_number(there / 1024);
        sentence_add(" KiB are free between 1 MiB and 4 GiB.");
        bios->fail(sentence_end());
    }
    return (void *)address;
}

static uint64_t allocate_page_table(void *context)
{
    (void)context;
    return (uint64_t)allocate("the page tables", PAGE_SIZE, PAGE_SIZE,
                              MEMORY_LOADER_RECLAIMABLE);
}

static void must_be_elf(enum elf64_status status)
{
    if (status != ELF64_OK) {
        fail(elf64_sentence(status));
    }
}

static uint64_t in_direct_map(const void *pointer)
{
    return BOOT_DIRECT_MAP_BASE + (uint64_t)pointer;
}

/* ---- the kernel file -------------------------------------------------------------- */

/* A part of the file, and where in memory it belongs. */
struct piece {
    uint64_t offset;
    uint64_t size;
    unsigned char *to;
};
#define PIECES_MOST (ELF64_SEGMENTS_MOST + 2) /* the symbols and their names */

static struct kernel_head head;
static struct piece pieces[PIECES_MOST];
static uint32_t piece_count;

static void add_piece(struct elf64_range range, void *to)
{
    pieces[piece_count++] = (struct piece){range.offset, range.size, to};
}

/* Read a few bytes of the file, at most ELF64_SECTIONS_MOST headers; returns where. */
static const void *read_range(struct elf64_range range)
{
    const uint64_t first = range.offset / SECTOR_SIZE;
    const uint64_t last = (range.offset + range.size - 1) / SECTOR_SIZE;

    bios->read(bios->kernel_lba + 1 + first, last - first + 1);
    return DISK_BUFFER + range.offset % SECTOR_SIZE;
}

/* Read how large the file is, and check what its headers say of it. */
static void read_headers(struct elf64 *elf)
{
    static const uint64_t sectors = 1 + ELF64_HEADERS_MOST / SECTOR_SIZE;

    bios->read(bios->kernel_lba, sectors);
    head = *(const struct kernel_head *)DISK_BUFFER;
    if (head.magic != KERNEL_HEAD_MAGIC || head.size > MAPPED_END) {
        fail("There is no kernel on the boot disk: write the image again.");
    }
    must_be_elf(elf64_parse(elf, DISK_BUFFER + SECTOR_SIZE, head.size));
}

/* Find memory for the segments and the stack, and note where each segment belongs. */
static struct placed_kernel place_kernel(const struct elf64 *elf)
{
    struct placed_kernel kernel = {.elf = elf, .virtual_base = elf->base};
    if (elf->position_independent) {
        /* Move it by a multiple of its alignment: its own addresses may need that. */
        kernel.virtual_base =
            BOOT_KERNEL_BASE + ((elf->base - BOOT_KERNEL_BASE) & (elf->alignment - 1));
    }
    if (!address_space_has_room(kernel.virtual_base, elf->size)) {
        fail("The kernel's addresses are not free: link it at 1 MiB or above in the "
             "lower half, or into the topmost 512 GiB.");
    }
    unsigned char *image = allocate("the kernel", elf->size, KERNEL_ALIGNMENT,
                                    MEMORY_KERNEL);
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        add_piece((struct elf64_range){segment->file_offset, segment->file_size},
                  image + (segment->virtual_address - elf->base));
    }
    elf64_clear(elf, image);
    kernel.physical = (uint64_t)image;
    kernel.stack_physical = (uint64_t)allocate("the kernel's stack", elf->stack_size,
                                               PAGE_SIZE, MEMORY_LOADER_RECLAIMABLE);
    return kernel;
}

/* Find memory for the symbols and their names, if the file has any. */
static void place_symbols(const struct elf64 *elf, struct boot_info *info)
{
    struct elf64_range symbols, strings;

    if (elf->sections.size == 0) {
        return;
    }
    elf64_find_symbols(elf, read_range(elf->sections), head.size, &symbols, &strings);
    if (symbols.size == 0) {
        return;
    }
    /* One byte more: whatever the file says, the last name is to have an end. */
    const uint64_t size = symbols.size + strings.size + 1;
    unsigned char *const table = allocate("the kernel's symbols", size, PAGE_SIZE,
                                          MEMORY_MODULE);
    table[size - 1] = '\0';
    add_piece(symbols, table);
    add_piece(strings, table + symbols.size);
    info->symbols = in_direct_map(table);
    info->symbols_size = symbols.size;
    info->strings = in_direct_map(table + symbols.size);
    info->strings_size = strings.size + 1;
}

/* Of `size` bytes that begin at `offset` of the file, copy what belongs to a piece. */
static void copy_pieces(const unsigned char *from, uint64_t offset, uint64_t size)
{
    for (uint32_t i = 0; i < piece_count; i++) {
        const struct piece *piece = &pieces[i];
        const uint64_t begin = offset > piece->offset ? offset : piece->offset;
        const uint64_t end = piece->offset + piece->size;
        const uint64_t stop = offset + size < end ? offset + size : end;
        if (begin < stop) {
            memcpy(piece->to + (begin - piece->offset), from + (begin - offset),
                   stop - begin);
        }
    }
}

/* Returns where `size` bytes from `offset` of the file on belong, if one piece has all. */
static void *place_of(uint64_t offset, uint64_t size)
{
    for (uint32_t i = 0; i < piece_count; i++) {
        const struct piece *piece = &pieces[i];
        if (offset >= piece->offset && offset - piece->offset <= piece->size &&
            size <= piece->size - (offset - piece->offset)) {
            return piece->to + (offset - piece->offset);
        }
    }
    return NULL;
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
static uint64_t place_window(uint64_t sum, unsigned char *window, uint64_t offset,
                             uint64_t sectors)
{
    void *place = place_of(offset, sectors * SECTOR_SIZE);
    if (place != NULL) {
        return copy_and_add(sum, place, window, sectors);
    }
    copy_pieces(window, offset, sectors * SECTOR_SIZE);
    return copy_and_add(sum, window, window, sectors); /* to where it is: only to add */
}

/* Read the whole file, once, and copy each piece to its place. */
static void read_pieces(void)
{
    uint64_t left = head.size / SECTOR_SIZE + (head.size % SECTOR_SIZE != 0);
    uint64_t lba = bios->kernel_lba + 1;
    uint64_t offset = 0;
    uint64_t sum = head.size;

    while (left > 0) {
        uint64_t sectors = smaller(left, buffer_sectors);
        bios->read(lba, sectors);
        lba += sectors;
        left -= sectors;
        unsigned char *window = DISK_BUFFER;
        for (; sectors > 0; window += DISK_WINDOW_SIZE) {
            const uint64_t here = smaller(sectors, DISK_WINDOW_SECTORS);
            sum = place_window(sum, window, offset, here);
            offset += here * SECTOR_SIZE;
            sectors -= here;
        }
    }
    if (sum != head.checksum) {
        fail("The kernel is damaged: its checksum is wrong. Write the image again.");
    }
}

/* ---- what the kernel gets --------------------------------------------------------- */

static void must_be_mapped(enum page_status status)
{
    if (status != PAGE_OK) {
        fail("The loader wants page tables that cannot be: this is a mistake in it.");
    }
}

/*
 * Returns what goes into CR3; *direct_map_size as in struct boot_info. What is mapped is
 * a copy of the map: the tables take their memory from the map itself, which changes it.
 * (They take usable memory, so it is in the direct map before and after.)
 */
static uint64_t build_page_tables(const struct placed_kernel *kernel,
                                  const struct memory_map *copy,
                                  uint64_t *direct_map_size)
{
    const bool no_execute = cpu_has(CPUID_EDX_NX);
    struct page_table table = {
        .allocate = allocate_page_table,
        .no_execute = no_execute,
        .gigabyte_pages = cpu_has(CPUID_EDX_PAGE_1G),
        .physical_bits = cpu_physical_bits(),
    };
    wrmsr(MSR_EFER, EFER_LME | EFER_LMA | (no_execute ? EFER_NXE : 0));

    must_be_mapped(page_table_begin(&table));
    must_be_mapped(address_space_map_kernel(&table, kernel));
    must_be_mapped(address_space_map_memory(&table, copy, direct_map_size));
    const uint64_t begin = (uint64_t)enter_kernel & ~(PAGE_SIZE - 1);
    const uint64_t end = ((uint64_t)enter_kernel_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    must_be_mapped(page_table_map(&table, begin, begin, end - begin, PAGE_EXECUTE));
    return table.root;
}

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

static void describe_kernel(struct boot_info *info, const struct placed_kernel *kernel)
{
    info->kernel_physical = kernel->physical;
    info->kernel_virtual = kernel->virtual_base;
    info->kernel_size = kernel->elf->size;
    info->kernel_slide = kernel->virtual_base - kernel->elf->base;
    info->stack_bottom = BOOT_STACK_BASE + PAGE_SIZE;
    info->stack_size = kernel->elf->stack_size;
}

/* What struct boot_info points to lies behind it, in memory that is the kernel's. */
struct handed_over {
    struct boot_info info;
    char loader_name[32];
    char command_line[8];
    struct memory_range ranges[RANGES_MOST];
};

static struct handed_over *begin_boot_info(void)
{
    struct handed_over *const given = allocate("the boot information", sizeof *given,
                                               PAGE_SIZE, MEMORY_LOADER_RECLAIMABLE);
    *given = (struct handed_over){
        .info.magic = BOOT_INFO_MAGIC,
        .info.version = BOOT_INFO_VERSION,
        .info.size = sizeof given->info,
        .info.loader_name = in_direct_map(given->loader_name),
        .info.command_line = in_direct_map(given->command_line),
        .info.memory_map = in_direct_map(given->ranges),
        .info.memory_map_entry_size = sizeof given->ranges[0],
        .info.direct_map_base = BOOT_DIRECT_MAP_BASE,
        .loader_name = "First Light, BIOS",
    };
    return given;
}

/* Returns how many ranges there are. */
static uint32_t copy_memory_map(struct handed_over *given)
{
    memcpy(given->ranges, ranges, map.count * sizeof ranges[0]);
    return map.count;
}

_Noreturn void loader_main(const struct bios *services)
{
    struct elf64 elf;

    bios = services;
    map_first_4_gib();
    read_memory_map();

    read_headers(&elf);
    const struct placed_kernel kernel = place_kernel(&elf);
    struct handed_over *const given = begin_boot_info();
    struct boot_info *const info = &given->info;
    place_symbols(&elf, info);
    read_pieces();
    must_be_elf(elf64_relocate(&elf, (void *)kernel.physical, kernel.virtual_base));
    describe_machine(info);
    describe_kernel(info, &kernel);

    const struct memory_map copy = {.ranges = given->ranges,
                                    .count = copy_memory_map(given)};
    const uint64_t root = build_page_tables(&kernel, &copy, &info->direct_map_size);
    /* The page tables were the last to take memory: now the map is as it will be. */
    info->memory_map_count = copy_memory_map(given);

    outb(PIC1_DATA, PIC_MASK_ALL);
    outb(PIC2_DATA, PIC_MASK_ALL);
    info->tsc_handover = rdtsc();
    enter_kernel(root, kernel.virtual_base + (elf.entry - elf.base),
                 info->stack_bottom + info->stack_size, in_direct_map(info),
                 BOOT_DIRECT_MAP_BASE);
}
