/* loading.c -- from the headers of the kernel's file to the kernel's first instruction */
#include "loading.h"

#include <stdbool.h>

#include "cpu.h"
#include "io.h"
#include "memory.h"
#include "page_table.h"
#include "sentence.h"

#define KERNEL_ALIGNMENT PAGE_SIZE_2M /* where memory allows it: fewer, larger pages */
#define PIECES_MOST (ELF64_SEGMENTS_MOST + 2) /* the symbols and their names */

#define PIC1_DATA 0x21 /* a 1 in its mask keeps an interrupt line quiet */
#define PIC2_DATA 0xa1
#define PIC_MASK_ALL 0xff

static struct piece pieces[PIECES_MOST];
static uint32_t piece_count;

/* ---- sentences -------------------------------------------------------------------- */

_Noreturn void fail(const char *sentence)
{
    sentence_begin(sentence);
    halt_with(sentence_end());
}

_Noreturn void fail_for_memory(const char *what, uint64_t size, uint64_t there)
{
    sentence_begin("There is too little memory for ");
    sentence_add(what);
    sentence_add(": it needs ");
    sentence_add_number((size + 1023) / 1024);
    sentence_add(" KiB in one piece, and ");
    sentence_add_number(there / 1024);
    sentence_add(" KiB are free between 1 MiB and 4 GiB.");
    halt_with(sentence_end());
}

static void must_be_elf(enum elf64_status status)
{
    if (status != ELF64_OK) {
        fail(elf64_sentence(status));
    }
}

static void must_be_mapped(enum page_status status)
{
    if (status != PAGE_OK) {
        fail("The loader wants page tables that cannot be: this is a mistake in it.");
    }
}

/* ---- the kernel's file ------------------------------------------------------------ */

static void read_headers(struct elf64 *elf, uint64_t size)
{
    static _Alignas(uint64_t) unsigned char headers[ELF64_HEADERS_MOST];

    read_file(0, size < sizeof headers ? size : sizeof headers, headers);
    must_be_elf(elf64_parse(elf, headers, size));
}

static void add_piece(struct elf64_range range, void *to)
{
    if (range.size > 0) {
        pieces[piece_count++] = (struct piece){range.offset, range.size, to};
    }
}

/* Find memory for the segments and the stack, and note where each segment belongs. */
static void place_kernel(struct placed_kernel *kernel, const struct elf64 *elf)
{
    *kernel = (struct placed_kernel){.elf = elf, .virtual_base = elf->base};
    if (elf->position_independent) {
        /* Move it by a multiple of its alignment: its own addresses may need that. */
        kernel->virtual_base =
            BOOT_KERNEL_BASE + ((elf->base - BOOT_KERNEL_BASE) & (elf->alignment - 1));
    }
    if (!address_space_has_room(kernel->virtual_base, elf->size)) {
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
    kernel->physical = (uint64_t)image;
    kernel->stack_physical = (uint64_t)allocate("the kernel's stack", elf->stack_size,
                                                PAGE_SIZE, MEMORY_LOADER_RECLAIMABLE);
}

/* Find memory for the symbols and their names, if the file has any. */
static void place_symbols(const struct elf64 *elf, uint64_t size, struct boot_info *info)
{
    struct elf64_range symbols, strings;

    if (elf->sections.size == 0) {
        return;
    }
    void *const sections = allocate("the kernel's section headers", elf->sections.size,
                                    PAGE_SIZE, MEMORY_LOADER_RECLAIMABLE);
    read_file(elf->sections.offset, elf->sections.size, sections);
    elf64_find_symbols(elf, sections, size, &symbols, &strings);
    if (symbols.size == 0) {
        return;
    }
    /* One byte more: whatever the file says, the last name is to have an end. */
    const uint64_t bytes = symbols.size + strings.size + 1;
    unsigned char *const table = allocate("the kernel's symbols", bytes, PAGE_SIZE,
                                          MEMORY_MODULE);
    table[bytes - 1] = '\0';
    add_piece(symbols, table);
    add_piece(strings, table + symbols.size);
    info->symbols = in_direct_map(table);
    info->symbols_size = symbols.size;
    info->strings = in_direct_map(table + symbols.size);
    info->strings_size = strings.size + 1;
}

/* ---- what the kernel gets --------------------------------------------------------- */

static struct handover *begin_handover(const char *loader_name, uint32_t ranges_most)
{
    const uint64_t size = sizeof(struct handover) +
                          ranges_most * sizeof(struct memory_range);
    struct handover *const given = allocate("the boot information", size, PAGE_SIZE,
                                            MEMORY_LOADER_RECLAIMABLE);
    *given = (struct handover){
        .info.magic = BOOT_INFO_MAGIC,
        .info.version = BOOT_INFO_VERSION,
        .info.size = sizeof given->info,
        .info.loader_name = in_direct_map(given->loader_name),
        .info.command_line = in_direct_map(given->command_line),
        .info.memory_map = in_direct_map(given->ranges),
        .info.memory_map_entry_size = sizeof given->ranges[0],
        .info.direct_map_base = BOOT_DIRECT_MAP_BASE,
    };
    for (char *to = given->loader_name; *loader_name != '\0'; to++, loader_name++) {
        *to = *loader_name;
    }
    return given;
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

struct handover *load_kernel(struct elf64 *elf, struct placed_kernel *kernel,
                             uint64_t size, const char *loader_name, uint32_t ranges_most)
{
    read_headers(elf, size);
    place_kernel(kernel, elf);
    struct handover *const given = begin_handover(loader_name, ranges_most);
    place_symbols(elf, size, &given->info);
    read_pieces(pieces, piece_count);
    must_be_elf(elf64_relocate(elf, (void *)kernel->physical, kernel->virtual_base));
    describe_kernel(&given->info, kernel);
    return given;
}

struct start map_kernel(struct handover *given, const struct placed_kernel *kernel,
                        const struct memory_map *map, uint64_t trampoline,
                        uint64_t (*allocate_table)(void *context))
{
    const bool no_execute = cpu_has(CPUID_EDX_NX);
    struct page_table table = {
        .allocate = allocate_table,
        .no_execute = no_execute,
        .gigabyte_pages = cpu_has(CPUID_EDX_PAGE_1G),
        .physical_bits = cpu_physical_bits(),
    };
    wrmsr(MSR_EFER, EFER_LME | EFER_LMA | (no_execute ? EFER_NXE : 0));

    must_be_mapped(page_table_begin(&table));
    must_be_mapped(address_space_map_kernel(&table, kernel));
    must_be_mapped(address_space_map_memory(&table, map, &given->info.direct_map_size));
    const uint64_t begin = trampoline & ~(PAGE_SIZE - 1);
    const uint64_t end = (trampoline + (uint64_t)(enter_kernel_end - enter_kernel) +
                          PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    must_be_mapped(page_table_map(&table, begin, begin, end - begin, PAGE_EXECUTE));
    return (struct start){table.root, trampoline};
}

_Noreturn void start_kernel(const struct start *start, struct handover *given,
                            const struct placed_kernel *kernel)
{
    /* As enter_kernel.asm says, wherever its instructions are. */
    __attribute__((noreturn)) void (*const enter)(
        uint64_t page_tables, uint64_t entry, uint64_t stack_top, uint64_t boot_info,
        uint64_t direct_map_base) = (void *)start->trampoline;

    outb(PIC1_DATA, PIC_MASK_ALL);
    outb(PIC2_DATA, PIC_MASK_ALL);
    given->info.tsc_handover = rdtsc();
    enter(start->page_tables,
          kernel->virtual_base + (kernel->elf->entry - kernel->elf->base),
          given->info.stack_bottom + given->info.stack_size, in_direct_map(&given->info),
          BOOT_DIRECT_MAP_BASE);
}
