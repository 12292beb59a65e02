/* sources: common/loader/elf64.c */
/*
 * elf64_fuzz.c -- any bytes at all as a kernel file
 *
 * elf64_parse() must refuse it, with a sentence, or describe something that a loader can
 * trust; then elf64_relocate() must refuse it, or leave in memory what the plainest
 * loader leaves there; and elf64_find_symbols() must find nothing outside of the file.
 * All that elf64.c gets has exactly its size, so ASan sees a byte too far.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf64.h"
#include "elf64_format.h"

#define PAGE 4096
#define IMAGE_MOST (1u << 20) /* larger ones are not loaded: that only takes time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "elf64_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

static void check_segments(const struct elf64 *elf, uint64_t file_size)
{
    bool entry = false;
    uint64_t last = 0; /* address of the last byte of the segment before */

    claim(elf->segment_count >= 1 && elf->segment_count <= ELF64_SEGMENTS_MOST,
          "there are 1 to 32 segments");
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        uint64_t address = segment->virtual_address;
        claim(segment->memory_size > 0 && segment->file_size <= segment->memory_size,
              "a segment has memory, and no more bytes in the file");
        claim(segment->file_offset <= file_size &&
                  segment->file_size <= file_size - segment->file_offset,
              "a segment's bytes are in the file");
        claim(address >= elf->base && address - elf->base < elf->size &&
                  segment->memory_size <= elf->size - (address - elf->base),
              "a segment is in the kernel's memory");
        claim(segment->flags == ELF64_READ ||
                  segment->flags == (ELF64_READ | ELF64_WRITE) ||
                  segment->flags == (ELF64_READ | ELF64_EXECUTE),
              "a segment can be read, and perhaps written or executed, not both");
        if (i > 0) {
            claim(address > last, "segments are in order, and do not overlap");
            claim(address / PAGE != last / PAGE || segment->flags == segment[-1].flags,
                  "a page has one set of permissions");
        }
        last = address + (segment->memory_size - 1);
        entry |= elf->entry >= address && elf->entry <= last &&
                 segment->flags & ELF64_EXECUTE;
    }
    claim(last / PAGE == (elf->base + (elf->size - 1)) / PAGE,
          "memory ends with the last segment's page");
    claim(entry, "the entry point can be executed");
}

static void check(const struct elf64 *elf, uint64_t file_size)
{
    claim(elf->base == elf->segments[0].virtual_address / PAGE * PAGE,
          "memory begins with the first segment's page");
    claim(elf->size > 0 && elf->size <= 2ull << 30 && elf->size % PAGE == 0,
          "memory is of whole pages, and not too big");
    claim(elf->size - 1 <= UINT64_MAX - elf->base, "memory does not wrap");
    claim(elf->alignment >= PAGE && (elf->alignment & (elf->alignment - 1)) == 0,
          "the alignment is a power of two, a page at least");
    claim(elf->stack_size >= PAGE && elf->stack_size <= ELF64_STACK_MOST &&
              elf->stack_size % PAGE == 0,
          "the stack is of whole pages, and not too big");
    claim(!elf->position_independent || elf->dynamic_size > 0,
          "what may be moved says where its relocations are");
    check_segments(elf, file_size);
}

static bool in_file(struct elf64_range range, uint64_t file_size)
{
    return range.offset <= file_size && range.size <= file_size - range.offset;
}

/* Returns a copy of a part of the file. */
static void *part_of(const uint8_t *file, struct elf64_range range)
{
    void *part = malloc(range.size > 0 ? range.size : 1); /* at a multiple of 8 */
    claim(part != NULL, "there is memory for this test");
    memcpy(part, file + range.offset, range.size);
    return part;
}

static void check_symbols(const struct elf64 *elf, const uint8_t *file, uint64_t size)
{
    struct elf64_range symbols, strings;

    claim(in_file(elf->sections, size), "the section headers are in the file");
    claim(elf->sections.size % sizeof(struct elf64_shdr) == 0 &&
              elf->sections.size / sizeof(struct elf64_shdr) <= ELF64_SECTIONS_MOST,
          "there are not too many section headers");
    claim(elf->sections.offset % 8 == 0, "section headers are where they can be read");
    void *sections = part_of(file, elf->sections);
    elf64_find_symbols(elf, sections, size, &symbols, &strings);
    free(sections);
    claim(in_file(symbols, size), "the symbols are in the file");
    claim(in_file(strings, size), "the strings are in the file");
    claim(symbols.size == 0 || strings.size > 0, "symbols have strings");
}

/* Returns where in memory some bytes are that a good kernel has in one segment. */
static uint64_t in_segment(const struct elf64 *elf, uint64_t address, uint64_t length,
                           const char *what)
{
    bool found = false;
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        found |= address >= segment->virtual_address && length <= segment->memory_size &&
                 address - segment->virtual_address <= segment->memory_size - length;
    }
    claim(found, what);
    return address - elf->base;
}

/* Relocate as the plainest loader does, by tables that have been found good. */
static void relocate_plainly(const struct elf64 *elf, unsigned char *image, uint64_t base)
{
    uint64_t address = 0, left = 0;
    struct elf64_dyn entry;
    struct elf64_rela relocation;

    uint64_t at = in_segment(elf, elf->dynamic, elf->dynamic_size,
                             "the dynamic table is in a segment");
    const uint64_t end = at + elf->dynamic_size;
    for (;; at += sizeof entry) {
        claim(end - at >= sizeof entry, "the dynamic table has an end");
        memcpy(&entry, image + at, sizeof entry);
        if (entry.d_tag == DT_NULL) {
            break;
        }
        address = entry.d_tag == DT_RELA ? entry.d_val : address;
        left = entry.d_tag == DT_RELASZ ? entry.d_val : left;
    }
    if (left > 0) {
        at = in_segment(elf, address, left, "the relocations are in a segment");
    }
    for (; left > 0; left -= sizeof relocation, at += sizeof relocation) {
        memcpy(&relocation, image + at, sizeof relocation);
        if (ELF64_R_TYPE(relocation.r_info) == R_X86_64_NONE) {
            continue;
        }
        claim(ELF64_R_TYPE(relocation.r_info) == R_X86_64_RELATIVE,
              "a relocation is of a type that we know");
        uint64_t value = base - elf->base + (uint64_t)relocation.r_addend;
        uint64_t to = in_segment(elf, relocation.r_offset, sizeof value,
                                 "what is relocated is in a segment");
        for (uint64_t byte = 0; byte < sizeof value; byte++) {
            image[to + byte] = (unsigned char)(value >> 8 * byte);
        }
    }
}

static void copy_segments(const struct elf64 *elf, const uint8_t *file,
                          unsigned char *image)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        memcpy(image + (segment->virtual_address - elf->base),
               file + segment->file_offset, segment->file_size);
    }
}

static void load(const struct elf64 *elf, const uint8_t *file, uint64_t base)
{
    unsigned char *image = malloc(elf->size);
    unsigned char *plain = calloc(1, elf->size);
    claim(image != NULL && plain != NULL, "there is memory for this test");

    memset(image, 0xa5, elf->size); /* so that every zero was written */
    copy_segments(elf, file, image);
    copy_segments(elf, file, plain);
    elf64_clear(elf, image);
    claim(memcmp(image, plain, elf->size) == 0, "all bytes are of the file, or zero");

    enum elf64_status status = elf64_relocate(elf, image, base);
    claim(status == ELF64_OK || status == ELF64_BAD_DYNAMIC ||
              status == ELF64_BAD_RELOCATION || status == ELF64_INTERPRETER,
          "a relocation can fail in three ways");
    if (status == ELF64_OK) {
        if (elf->dynamic_size > 0) {
            relocate_plainly(elf, plain, base);
        }
        claim(memcmp(image, plain, elf->size) == 0, "both loaders do the same");
    }
    free(image);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf64 elf;
    uint64_t most = size < ELF64_HEADERS_MOST ? size : ELF64_HEADERS_MOST;
    void *headers = part_of(data, (struct elf64_range){0, most});

    enum elf64_status status = elf64_parse(&elf, headers, size);
    claim(size == 0 || memcmp(headers, data, most) == 0, "the file is only read");
    free(headers); /* from here on, nobody may look at them */
    claim(status < ELF64_STATUS_COUNT, "a status is one of those that elf64.h names");
    claim(strlen(elf64_sentence(status)) <= 200, "a sentence is short");
    if (status == ELF64_OK) {
        check(&elf, size);
        check_symbols(&elf, data, size);
        if (elf.size <= IMAGE_MOST) {
            load(&elf, data, elf.base);
            if (elf.position_independent) {
                load(&elf, data, elf.base + 0x123 * elf.alignment);
            }
        }
    }
    return 0;
}
