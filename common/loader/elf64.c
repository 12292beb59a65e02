/*
 * elf64.c -- from the file header down to the last relocation
 *
 * Numbers of the file are only ever compared with what is left of a whole, as in
 * `b <= size - a`, never in a sum: of two large numbers it can be a small one.
 */
#include "elf64.h"

#include <stddef.h>

#include "elf64_format.h"
#include "memory.h"

#define PAGE 4096ull
#define SIZE_MOST (2ull << 30) /* as far as a signed offset of 32 bits in code reaches */

_Static_assert(ELF64_EXECUTE == PF_X && ELF64_WRITE == PF_W && ELF64_READ == PF_R,
               "elf64: the flags of a segment are not those of the file");

static enum elf64_status check_header(const struct elf64_ehdr *header, uint64_t size);
static enum elf64_status read_program_headers(struct elf64 *elf,
                                              const struct elf64_ehdr *header,
                                              uint64_t size);
static enum elf64_status check_entry(const struct elf64 *elf);
static void find_sections(struct elf64 *elf, const struct elf64_ehdr *header,
                          uint64_t size);

enum elf64_status elf64_parse(struct elf64 *elf, const void *headers, uint64_t size)
{
    const struct elf64_ehdr *header = headers;

    enum elf64_status status = check_header(header, size);
    if (status != ELF64_OK) {
        return status;
    }
    *elf = (struct elf64){
        .alignment = PAGE,
        .entry = header->e_entry,
        .stack_size = ELF64_STACK_DEFAULT,
        .position_independent = header->e_type == ET_DYN,
    };
    find_sections(elf, header, size);
    status = read_program_headers(elf, header, size);
    if (status == ELF64_OK) {
        status = check_entry(elf);
    }
    return status;
}

void elf64_clear(const struct elf64 *elf, void *image)
{
    unsigned char *memory = image;
    unsigned char *done = memory; /* up to here, every byte has its value */

    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        unsigned char *start = memory + (segment->virtual_address - elf->base);
        memset(done, 0, (size_t)(start - done));
        done = start + segment->file_size;
    }
    memset(done, 0, (size_t)(memory + elf->size - done));
}

/* Do `length` bytes from `offset` on lie within `size` bytes? No sum here can wrap. */
static bool lies_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

static uint64_t page_of(uint64_t address)
{
    return address & ~(PAGE - 1);
}

/* Check all that the file header alone can tell. */
static enum elf64_status check_header(const struct elf64_ehdr *header, uint64_t size)
{
    if (size < sizeof *header) {
        return ELF64_TRUNCATED_HEADER;
    }
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        return ELF64_NOT_ELF;
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64) {
        return ELF64_NOT_64_BIT;
    }
    if (header->e_ident[EI_DATA] != ELFDATA2LSB) {
        return ELF64_NOT_LITTLE_ENDIAN;
    }
    if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT) {
        return ELF64_WRONG_VERSION;
    }
    if (header->e_machine != EM_X86_64) {
        return ELF64_WRONG_MACHINE;
    }
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
        return ELF64_WRONG_TYPE;
    }

    uint64_t bytes = (uint64_t)header->e_phnum * sizeof(struct elf64_phdr);
    if (header->e_phnum == 0 || header->e_phentsize != sizeof(struct elf64_phdr) ||
        header->e_phoff % _Alignof(struct elf64_phdr) != 0 ||
        !lies_within(header->e_phoff, bytes,
                     size < ELF64_HEADERS_MOST ? size : ELF64_HEADERS_MOST)) {
        return ELF64_BAD_PROGRAM_HEADERS;
    }
    return ELF64_OK;
}

/* Check what can be wrong with one segment, whatever the others are. */
static enum elf64_status check_segment(const struct elf64_phdr *header, uint64_t size)
{
    if (header->p_filesz > header->p_memsz) {
        return ELF64_SEGMENT_SIZES;
    }
    /* Where nothing is read, the offset may be anything: some tools cut the file off
     * before a segment that is all zeros. */
    if (header->p_filesz > 0 && !lies_within(header->p_offset, header->p_filesz, size)) {
        return ELF64_SEGMENT_TRUNCATED;
    }
    /* The last byte counts, not the end: the end of all memory would be 0. */
    if (header->p_memsz - 1 > UINT64_MAX - header->p_vaddr) {
        return ELF64_SEGMENT_WRAPS;
    }
    /* The file was laid out so that pages of it could be mapped as they are. Where
     * the offset does not match, one of the two numbers is wrong. */
    uint64_t align = header->p_align;
    if (align > 1 && ((align & (align - 1)) != 0 ||
                      ((header->p_vaddr - header->p_offset) & (align - 1)) != 0)) {
        return ELF64_SEGMENT_ALIGNMENT;
    }
    /* Page tables cannot forbid to read what may be executed. */
    if (!(header->p_flags & PF_R)) {
        return ELF64_NOT_READABLE;
    }
    if (header->p_flags & PF_W && header->p_flags & PF_X) {
        return ELF64_WRITE_AND_EXECUTE;
    }
    return ELF64_OK;
}

/* Check a segment against the one before it. */
static enum elf64_status check_order(const struct elf64_segment *previous,
                                     const struct elf64_segment *segment)
{
    uint64_t last = previous->virtual_address + (previous->memory_size - 1);

    if (segment->virtual_address < previous->virtual_address) {
        return ELF64_SEGMENT_ORDER;
    }
    if (segment->virtual_address <= last) {
        return ELF64_SEGMENTS_OVERLAP;
    }
    if (page_of(segment->virtual_address) == page_of(last) &&
        segment->flags != previous->flags) {
        return ELF64_SEGMENTS_SHARE_PAGE;
    }
    return ELF64_OK;
}

static enum elf64_status add_segment(struct elf64 *elf, const struct elf64_phdr *header,
                                     uint64_t size)
{
    /* Linkers leave a header where a linker script has only empty sections. */
    if (header->p_memsz == 0 && header->p_filesz == 0) {
        return ELF64_OK;
    }
    enum elf64_status status = check_segment(header, size);
    if (status != ELF64_OK) {
        return status;
    }

    struct elf64_segment segment = {
        .virtual_address = header->p_vaddr,
        .memory_size = header->p_memsz,
        .file_offset = header->p_filesz > 0 ? header->p_offset : 0,
        .file_size = header->p_filesz,
        .flags = header->p_flags & (PF_R | PF_W | PF_X),
    };
    if (elf->segment_count == 0) {
        elf->base = page_of(segment.virtual_address);
    } else {
        status = check_order(&elf->segments[elf->segment_count - 1], &segment);
        if (status != ELF64_OK) {
            return status;
        }
    }

    uint64_t last = segment.virtual_address + (segment.memory_size - 1);
    if (last - elf->base >= SIZE_MOST) {
        return ELF64_TOO_BIG;
    }
    if (elf->segment_count == ELF64_SEGMENTS_MOST) {
        return ELF64_TOO_MANY_SEGMENTS;
    }
    elf->segments[elf->segment_count++] = segment;
    elf->size = page_of(last) - elf->base + PAGE;
    if (elf->alignment < header->p_align) {
        elf->alignment = header->p_align;
    }
    return ELF64_OK;
}

static enum elf64_status set_stack_size(struct elf64 *elf, uint64_t size)
{
    if (size > ELF64_STACK_MOST) {
        return ELF64_BAD_STACK;
    }
    if (size > 0) {
        elf->stack_size = page_of(size + PAGE - 1);
    }
    return ELF64_OK;
}

static enum elf64_status set_dynamic(struct elf64 *elf, const struct elf64_phdr *header)
{
    if (elf->dynamic_size != 0) {
        return ELF64_BAD_DYNAMIC; /* a second one */
    }
    elf->dynamic = header->p_vaddr;
    elf->dynamic_size = header->p_memsz;
    return ELF64_OK;
}

static enum elf64_status read_program_headers(struct elf64 *elf,
                                              const struct elf64_ehdr *header,
                                              uint64_t size)
{
    const struct elf64_phdr *entry =
        (const void *)((const unsigned char *)header + header->e_phoff);

    for (uint32_t left = header->e_phnum; left > 0; left--, entry++) {
        enum elf64_status status = ELF64_OK;
        switch (entry->p_type) {
        case PT_LOAD:
            status = add_segment(elf, entry, size);
            break;
        case PT_DYNAMIC:
            status = set_dynamic(elf, entry);
            break;
        case PT_INTERP:
            status = ELF64_INTERPRETER;
            break;
        case PT_GNU_STACK:
            status = set_stack_size(elf, entry->p_memsz);
            break;
        }
        if (status != ELF64_OK) {
            return status;
        }
    }
    /* Whether a kernel that may be moved has relocations, no other header says. */
    if (elf->position_independent && elf->dynamic_size == 0) {
        return ELF64_BAD_DYNAMIC;
    }
    return elf->segment_count > 0 ? ELF64_OK : ELF64_NO_SEGMENT;
}

/* A file whose section headers are broken is one without. */
static void find_sections(struct elf64 *elf, const struct elf64_ehdr *header,
                          uint64_t size)
{
    uint64_t bytes = (uint64_t)header->e_shnum * sizeof(struct elf64_shdr);

    if (header->e_shentsize == sizeof(struct elf64_shdr) &&
        header->e_shnum <= ELF64_SECTIONS_MOST &&
        header->e_shoff % _Alignof(struct elf64_shdr) == 0 &&
        lies_within(header->e_shoff, bytes, size)) {
        elf->sections = (struct elf64_range){header->e_shoff, bytes};
    }
}

/*
 * Returns the segment whose memory holds `length` bytes, at least 1, from `address` on,
 * or NULL. Where the address is too low, the subtraction gives a number that is too big.
 */
static const struct elf64_segment *segment_of(const struct elf64 *elf, uint64_t address,
                                              uint64_t length)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        if (lies_within(address - segment->virtual_address, length,
                        segment->memory_size)) {
            return segment;
        }
    }
    return NULL;
}

static enum elf64_status check_entry(const struct elf64 *elf)
{
    const struct elf64_segment *segment = segment_of(elf, elf->entry, 1);

    return segment != NULL && segment->flags & PF_X ? ELF64_OK : ELF64_BAD_ENTRY;
}

/*
 * Returns a pointer to `bytes` bytes of the image, from the virtual address `address` of
 * the file on, or NULL if no segment has them all.
 */
static unsigned char *in_image(const struct elf64 *elf, unsigned char *image,
                               uint64_t address, uint64_t bytes)
{
    if (segment_of(elf, address, bytes) == NULL) {
        return NULL;
    }
    return image + (address - elf->base);
}

#define BIT(tag) (1ull << (tag))
#define RELA_TAGS (BIT(DT_RELA) | BIT(DT_RELASZ) | BIT(DT_RELAENT)) /* all, or none */

/*
 * Find the table of relocations, and refuse what only a dynamic linker could do. Where
 * there is no table, *bytes becomes 0.
 */
static enum elf64_status read_dynamic(const struct elf64_dyn *entry, uint64_t left,
                                      uint64_t *address, uint64_t *bytes)
{
    uint64_t values[DT_RELR + 1] = {0}; /* by their tags; we know none above DT_RELR */
    uint64_t there = 0;                 /* which tags there are, a bit for each */

    for (; left > 0 && entry->d_tag != DT_NULL; left--, entry++) {
        if ((uint64_t)entry->d_tag <= DT_RELR) {
            values[entry->d_tag] = entry->d_val;
            there |= BIT(entry->d_tag);
        }
    }
    if (left == 0) {
        return ELF64_BAD_DYNAMIC; /* no DT_NULL, so the table goes on outside */
    }
    if (there & BIT(DT_NEEDED)) {
        return ELF64_INTERPRETER;
    }
    /* DT_TEXTREL tells of code that was not compiled to run at any address. */
    if (there & (BIT(DT_REL) | BIT(DT_RELR) | BIT(DT_TEXTREL)) ||
        values[DT_FLAGS] & DF_TEXTREL || values[DT_PLTRELSZ] != 0) {
        return ELF64_BAD_RELOCATION;
    }
    *address = values[DT_RELA];
    *bytes = values[DT_RELASZ];
    there &= RELA_TAGS;
    if (there != 0 &&
        (there != RELA_TAGS || values[DT_RELAENT] != sizeof(struct elf64_rela) ||
         *bytes % sizeof(struct elf64_rela) != 0)) {
        return ELF64_BAD_DYNAMIC;
    }
    return ELF64_OK;
}

/* One relocation. Nothing is writable yet or not: any segment may be relocated. */
static enum elf64_status relocate(const struct elf64 *elf, unsigned char *image,
                                  const struct elf64_rela *relocation, uint64_t distance)
{
    if (ELF64_R_TYPE(relocation->r_info) == R_X86_64_NONE) {
        return ELF64_OK;
    }
    uint64_t value = (uint64_t)relocation->r_addend + distance;
    unsigned char *where = in_image(elf, image, relocation->r_offset, sizeof value);
    if (ELF64_R_TYPE(relocation->r_info) != R_X86_64_RELATIVE || where == NULL) {
        return ELF64_BAD_RELOCATION;
    }
    /* A pointer in a packed struct may lie at any address. */
    memcpy(where, &value, sizeof value);
    return ELF64_OK;
}

enum elf64_status elf64_relocate(const struct elf64 *elf, void *image, uint64_t base)
{
    if (elf->dynamic_size == 0) {
        return ELF64_OK; /* linked for one address, where it is */
    }
    const void *dynamic = in_image(elf, image, elf->dynamic, elf->dynamic_size);
    if (dynamic == NULL || elf->dynamic % sizeof(uint64_t) != 0) {
        return ELF64_BAD_DYNAMIC;
    }
    uint64_t address, bytes;
    enum elf64_status status = read_dynamic(
        dynamic, elf->dynamic_size / sizeof(struct elf64_dyn), &address, &bytes);
    if (status != ELF64_OK || bytes == 0) {
        return status;
    }
    const unsigned char *table = in_image(elf, image, address, bytes);
    if (table == NULL) {
        return ELF64_BAD_DYNAMIC;
    }
    struct elf64_rela relocation;
    for (uint64_t at = 0; at < bytes && status == ELF64_OK; at += sizeof relocation) {
        /* A copy: a relocation may lie anywhere, even where it will itself be written. */
        memcpy(&relocation, table + at, sizeof relocation);
        status = relocate(elf, image, &relocation, base - elf->base);
    }
    return status;
}

void elf64_find_symbols(const struct elf64 *elf, const void *sections, uint64_t size,
                        struct elf64_range *symbols, struct elf64_range *strings)
{
    const struct elf64_shdr *header = sections;
    const uint64_t count = elf->sections.size / sizeof *header;

    *symbols = *strings = (struct elf64_range){0, 0};
    /* A file has at most one table of all its symbols. */
    uint64_t i = 0;
    while (i < count && header[i].sh_type != SHT_SYMTAB) {
        i++;
    }
    if (i == count || header[i].sh_link >= count) {
        return;
    }
    const struct elf64_shdr *table = &header[i];
    const struct elf64_shdr *names = &header[table->sh_link];
    if (table->sh_entsize == sizeof(struct elf64_sym) &&
        lies_within(table->sh_offset, table->sh_size, size) &&
        names->sh_type == SHT_STRTAB && names->sh_size > 0 &&
        lies_within(names->sh_offset, names->sh_size, size)) {
        *symbols = (struct elf64_range){table->sh_offset, table->sh_size};
        *strings = (struct elf64_range){names->sh_offset, names->sh_size};
    }
}

const char *elf64_sentence(enum elf64_status status)
{
    /* No default: so the compiler warns of a status that has no sentence. */
    switch (status) {
    case ELF64_TRUNCATED_HEADER:
        return "The kernel's file ends before its ELF header does: build it and write "
               "the image again.";
    case ELF64_NOT_ELF:
        return "The kernel is not an ELF file: build it and write the image again.";
    case ELF64_NOT_64_BIT:
        return "The kernel is an ELF file, but not for 64 bits: compile and link it for "
               "x86-64.";
    case ELF64_NOT_LITTLE_ENDIAN:
        return "The kernel has its numbers in big-endian order: compile and link it for "
               "x86-64.";
    case ELF64_WRONG_VERSION:
        return "The kernel is an ELF file of an unknown version, perhaps damaged: build "
               "it and write the image again.";
    case ELF64_WRONG_MACHINE:
        return "The kernel is for another CPU: compile and link it for x86-64.";
    case ELF64_WRONG_TYPE:
        return "The kernel is not a program that can run, perhaps an object file: let "
               "the linker make an executable of it.";
    case ELF64_BAD_PROGRAM_HEADERS:
        return "The kernel's program headers are damaged, or not in the first 4 KiB of "
               "its file: link it and write the image again.";
    case ELF64_INTERPRETER:
        return "The kernel wants a dynamic linker, which is not here: link it with "
               "-static, and with --no-dynamic-linker if with -pie.";
    case ELF64_NO_SEGMENT:
        return "The kernel has nothing to load: let its linker script put .text into a "
               "segment of type PT_LOAD.";
    case ELF64_TOO_MANY_SEGMENTS:
        return "The kernel has more than 32 segments: let its linker script put sections "
               "with the same permissions into one.";
    case ELF64_SEGMENT_TRUNCATED:
        return "The kernel's file ends before one of its segments does: build it and "
               "write the image again.";
    case ELF64_SEGMENT_SIZES:
        return "A segment of the kernel is larger in the file than in memory, perhaps "
               "damaged: link it and write the image again.";
    case ELF64_SEGMENT_WRAPS:
        return "A segment of the kernel reaches beyond the last address: link the kernel "
               "to a lower address.";
    case ELF64_SEGMENT_ALIGNMENT:
        return "A segment of the kernel has an address that does not fit its alignment: "
               "check the addresses in its linker script.";
    case ELF64_SEGMENT_ORDER:
        return "The kernel's segments are not in ascending order: sort the addresses in "
               "its linker script.";
    case ELF64_SEGMENTS_OVERLAP:
        return "Two segments of the kernel overlap: check the addresses in its linker "
               "script.";
    case ELF64_SEGMENTS_SHARE_PAGE:
        return "Two segments of the kernel with different permissions share a page: put "
               "`. = ALIGN(4096);` between them in its linker script.";
    case ELF64_WRITE_AND_EXECUTE:
        return "A segment of the kernel is both writable and executable: let its linker "
               "script put code and data into two.";
    case ELF64_NOT_READABLE:
        return "A segment of the kernel is not readable: let its linker script say "
               "FLAGS(4), FLAGS(5) or FLAGS(6).";
    case ELF64_BAD_ENTRY:
        return "The kernel's entry point is not in an executable segment: check ENTRY() "
               "in its linker script.";
    case ELF64_TOO_BIG:
        return "The kernel takes more than 2 GiB from its first to its last page: check "
               "the addresses in its linker script.";
    case ELF64_BAD_STACK:
        return "The kernel asks for a stack of more than 16 MiB: link it with a smaller "
               "`-z stack-size`.";
    case ELF64_BAD_DYNAMIC:
        return "The kernel's table of type PT_DYNAMIC, which lists its relocations, is "
               "missing or damaged: check the PHDRS in its linker script.";
    case ELF64_BAD_RELOCATION:
        return "The kernel has relocations that are not of type R_X86_64_RELATIVE: "
               "compile it with -fpie, and link it with -pie.";
    case ELF64_OK:
    case ELF64_STATUS_COUNT:
        break;
    }
    return "The kernel has nothing wrong with it.";
}
