/*
 * elf64_format.h -- what an ELF file for x86-64 looks like, byte by byte
 *
 * A file begins with one elf64_ehdr. It says where two tables are: of elf64_phdr, which
 * a loader reads (what goes where in memory), and of elf64_shdr, which linkers and
 * debuggers read (what is called how). Members and constants have the names that they
 * have in the specification. Numbers are little-endian, as the CPU's own.
 *
 * Source: System V ABI, "Object Files" and "Program Loading and Dynamic Linking"; its
 * AMD64 supplement, "Object Files". PT_GNU_STACK: Linux Standard Base Core, "Program
 * Header".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The file header. */

#define EI_NIDENT 16

struct elf64_ehdr {
    uint8_t e_ident[EI_NIDENT];
    uint16_t e_type;
    uint16_t e_machine;
    uint32_t e_version;
    uint64_t e_entry; /* virtual address of the first instruction */
    uint64_t e_phoff; /* where the program headers are in the file */
    uint64_t e_shoff; /* where the section headers are; 0: there are none */
    uint32_t e_flags;
    uint16_t e_ehsize;
    uint16_t e_phentsize; /* bytes of one program header */
    uint16_t e_phnum;     /* how many there are */
    uint16_t e_shentsize;
    uint16_t e_shnum;
    uint16_t e_shstrndx; /* which section holds the names of sections */
};

#define ELFMAG "\177ELF" /* the first SELFMAG bytes of e_ident */
#define SELFMAG 4
#define EI_CLASS 4       /* an index into e_ident, */
#define ELFCLASS64 2     /* and what is there: 64 bits */
#define EI_DATA 5        /* likewise: */
#define ELFDATA2LSB 1    /* two's complement, least significant byte first */
#define EI_VERSION 6     /* likewise: */
#define EV_CURRENT 1     /* which is also the value of e_version */

#define ET_EXEC 2        /* e_type: runs at the addresses in the file */
#define ET_DYN 3         /* e_type: runs at any address, all moved by one distance */
#define EM_X86_64 62     /* e_machine */

/* A program header: one part of the file, and what it is for. */

struct elf64_phdr {
    uint32_t p_type;
    uint32_t p_flags;
    uint64_t p_offset; /* in the file */
    uint64_t p_vaddr;  /* in memory */
    uint64_t p_paddr;
    uint64_t p_filesz;
    uint64_t p_memsz;
    uint64_t p_align;
};

#define PT_LOAD 1               /* a segment: copy it into memory */
#define PT_DYNAMIC 2            /* a table of elf64_dyn, inside a segment */
#define PT_INTERP 3             /* the name of a program that is to do the loading */
#define PT_GNU_STACK 0x6474e551 /* what the stack should be like */

#define PF_X (1u << 0)
#define PF_W (1u << 1)
#define PF_R (1u << 2)

/* An entry of the dynamic table; its tag says what d_val is: a number, or an address. */

struct elf64_dyn {
    int64_t d_tag;
    uint64_t d_val;
};

#define DT_NULL 0     /* the end of the table */
#define DT_NEEDED 1   /* a shared library */
#define DT_PLTRELSZ 2 /* bytes of relocations for calls into shared libraries */
#define DT_RELA 7     /* address of a table of elf64_rela, */
#define DT_RELASZ 8   /* its size in bytes, */
#define DT_RELAENT 9  /* and the size of an entry */
#define DT_REL 17     /* address of a table of relocations in another format */
#define DT_TEXTREL 22 /* there are relocations in segments that are not to be written */
#define DT_FLAGS 30   /* bits: */
#define DF_TEXTREL (1u << 2) /* the same as DT_TEXTREL */
#define DT_RELR 36    /* address of a table of relocations, packed into bits */

/* A relocation: bytes of a segment that depend on where the segment lies. */

struct elf64_rela {
    uint64_t r_offset; /* virtual address of the bytes */
    uint64_t r_info;   /* a type, and the number of a symbol */
    int64_t r_addend;
};

#define ELF64_R_TYPE(info) ((uint32_t)(info))

#define R_X86_64_NONE 0     /* nothing to do */
#define R_X86_64_RELATIVE 8 /* 8 bytes: r_addend, plus the distance of the move */

/* A section header: one part of the file, as the linker sees it. */

struct elf64_shdr {
    uint32_t sh_name;
    uint32_t sh_type;
    uint64_t sh_flags;
    uint64_t sh_addr;
    uint64_t sh_offset; /* in the file */
    uint64_t sh_size;
    uint32_t sh_link; /* another section: for SHT_SYMTAB, the strings */
    uint32_t sh_info;
    uint64_t sh_addralign;
    uint64_t sh_entsize; /* bytes of one entry, where the section is a table */
};

#define SHT_SYMTAB 2 /* a table of elf64_sym */
#define SHT_STRTAB 3 /* strings, each ended by a zero byte */

/* A symbol: the name of an address. */

struct elf64_sym {
    uint32_t st_name; /* where in the strings its name begins */
    uint8_t st_info;  /* a type, and who sees it */
    uint8_t st_other;
    uint16_t st_shndx; /* the section that it lies in */
    uint64_t st_value; /* its virtual address */
    uint64_t st_size;  /* in bytes; 0: unknown */
};

#define ELF64_ST_TYPE(info) ((info)&0xf)

#define STT_FUNC 2 /* the name of a function */

#define ELF64_OFFSET(type, member, offset)                                              \
    _Static_assert(offsetof(struct type, member) == (offset),                           \
                   #type ": " #member " has moved")

ELF64_OFFSET(elf64_ehdr, e_type, 16);
ELF64_OFFSET(elf64_ehdr, e_entry, 24);
ELF64_OFFSET(elf64_ehdr, e_phoff, 32);
ELF64_OFFSET(elf64_ehdr, e_phnum, 56);
_Static_assert(sizeof(struct elf64_ehdr) == 64, "elf64_ehdr: its size has changed");

ELF64_OFFSET(elf64_phdr, p_offset, 8);
ELF64_OFFSET(elf64_phdr, p_memsz, 40);
_Static_assert(sizeof(struct elf64_phdr) == 56, "elf64_phdr: its size has changed");

ELF64_OFFSET(elf64_dyn, d_val, 8);
_Static_assert(sizeof(struct elf64_dyn) == 16, "elf64_dyn: its size has changed");

ELF64_OFFSET(elf64_rela, r_addend, 16);
_Static_assert(sizeof(struct elf64_rela) == 24, "elf64_rela: its size has changed");

ELF64_OFFSET(elf64_shdr, sh_offset, 24);
ELF64_OFFSET(elf64_shdr, sh_link, 40);
_Static_assert(sizeof(struct elf64_shdr) == 64, "elf64_shdr: its size has changed");

ELF64_OFFSET(elf64_sym, st_value, 8);
_Static_assert(sizeof(struct elf64_sym) == 24, "elf64_sym: its size has changed");
