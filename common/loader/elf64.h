/*
 * elf64.h -- check an ELF file, and lay its segments out in memory
 *
 * The file comes from a disk: nothing in it is believed before it has been compared with
 * the size of the file. What a loader could not do exactly as the file says is refused.
 *
 * PT_GNU_STACK asks for the size of the stack, and only for that: no stack of ours can be
 * executed. PT_TLS, PT_GNU_RELRO and functions to be called before _start are left to the
 * kernel.
 *
 * Source: System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; its
 * AMD64 supplement, "Object Files". elf64_format.h describes the file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Bits of elf64_segment.flags, as in the file. */
#define ELF64_EXECUTE (1u << 0)
#define ELF64_WRITE (1u << 1)
#define ELF64_READ (1u << 2)

#define ELF64_SEGMENTS_MOST 32

/* Why a file is refused; elf64_sentence() says it to a person. */
enum elf64_status {
    ELF64_OK,
    ELF64_TRUNCATED_HEADER,
    ELF64_NOT_ELF,
    ELF64_NOT_64_BIT,
    ELF64_NOT_LITTLE_ENDIAN,
    ELF64_WRONG_VERSION,
    ELF64_WRONG_MACHINE,
    ELF64_WRONG_TYPE,
    ELF64_BAD_PROGRAM_HEADERS,  /* none, of a wrong size, or too far back */
    ELF64_INTERPRETER,          /* needs a dynamic linker, or shared libraries */
    ELF64_NO_SEGMENT,
    ELF64_TOO_MANY_SEGMENTS,
    ELF64_SEGMENT_TRUNCATED,    /* reaches beyond the end of the file */
    ELF64_SEGMENT_SIZES,        /* more bytes in the file than in memory */
    ELF64_SEGMENT_WRAPS,        /* reaches beyond the end of memory */
    ELF64_SEGMENT_ALIGNMENT,    /* address and offset in the file do not match p_align */
    ELF64_SEGMENT_ORDER,        /* not in ascending order */
    ELF64_SEGMENTS_OVERLAP,
    ELF64_SEGMENTS_SHARE_PAGE,  /* one page that would need two sets of permissions */
    ELF64_WRITE_AND_EXECUTE,
    ELF64_NOT_READABLE,
    ELF64_BAD_ENTRY,            /* not in an executable segment */
    ELF64_TOO_BIG,              /* more than 2 GiB from the first to the last page */
    ELF64_BAD_STACK,            /* asks for more than ELF64_STACK_MOST */
    ELF64_BAD_DYNAMIC,          /* missing, broken, or outside of the segments */
    ELF64_BAD_RELOCATION,       /* not of type R_X86_64_RELATIVE, or outside */
    ELF64_STATUS_COUNT,
};

/*
 * Returns a sentence of at most 200 characters that says what is wrong, and what to do:
 * "The kernel is not an ELF file: build it and write the image again."
 */
const char *elf64_sentence(enum elf64_status status);

#define ELF64_STACK_DEFAULT (64u << 10)
#define ELF64_STACK_MOST (16u << 20)

/* A part of the file that belongs into memory (PT_LOAD). */
struct elf64_segment {
    uint64_t virtual_address; /* as in the file */
    uint64_t memory_size;     /* bytes, never 0 */
    uint64_t file_offset;     /* 0 where file_size is 0 */
    uint64_t file_size;       /* bytes, at most memory_size; zeros follow */
    uint32_t flags;           /* ELF64_READ, with _WRITE or _EXECUTE or neither */
};

/* Some bytes of the file. */
struct elf64_range {
    uint64_t offset;
    uint64_t size; /* 0: none */
};

/* What the headers of a good file say. */
struct elf64 {
    uint64_t base;       /* lowest page of the segments, a virtual address of the file */
    uint64_t size;       /* bytes from there to the end of the highest page */
    uint64_t alignment;  /* the greatest of all segments: a power of two, 4 KiB or more */
    uint64_t entry;      /* virtual address of the first instruction */
    uint64_t stack_size; /* as PT_GNU_STACK asks for (p_memsz), else the default;
                          * a multiple of 4 KiB */
    bool position_independent; /* ET_DYN: may be moved by any multiple of the alignment */
    uint32_t segment_count;
    struct elf64_segment segments[ELF64_SEGMENTS_MOST]; /* in ascending order */
    uint64_t dynamic;      /* virtual address of PT_DYNAMIC, which lists relocations */
    uint64_t dynamic_size; /* bytes; 0: there is none */
    struct elf64_range sections; /* the section headers, at most ELF64_SECTIONS_MOST */
};

/* The file header and the program headers must lie in so many bytes of its beginning. */
#define ELF64_HEADERS_MOST 4096
#define ELF64_SECTIONS_MOST 512

/*
 * Check the headers of a file of `size` bytes. `headers` are its first bytes, as many as
 * it has up to ELF64_HEADERS_MOST, at a multiple of 8. On ELF64_OK, *elf describes the
 * file; else *elf is undefined.
 */
enum elf64_status elf64_parse(struct elf64 *elf, const void *headers, uint64_t size);

/*
 * Set to zero what the file has no bytes for, in elf->size bytes of memory at `image`,
 * which begins at a multiple of 4 KiB. The bytes that it has are for the caller to put
 * there, before this or after it: those of a segment belong to
 * image + (segment->virtual_address - elf->base).
 */
void elf64_clear(const struct elf64 *elf, void *image);

/*
 * Relocate an image that is complete, so that it runs with elf->base at the virtual
 * address `base`: that is elf->base or, if position_independent, any multiple of
 * elf->alignment more or less. Until here nobody has looked at the relocations, so this
 * may fail, too; the image is then useless.
 */
enum elf64_status elf64_relocate(const struct elf64 *elf, void *image, uint64_t base);

/*
 * Find the symbols in a file of `size` bytes, by its section headers: `sections` are the
 * bytes that elf->sections names, at a multiple of 8. *symbols becomes a table of struct
 * elf64_sym, *strings the names in it. A kernel runs without, so what is wrong here
 * counts as none.
 */
void elf64_find_symbols(const struct elf64 *elf, const void *sections, uint64_t size,
                        struct elf64_range *symbols, struct elf64_range *strings);
