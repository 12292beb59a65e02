/*
 * elf64_test.c -- what common/loader/elf64.c makes of files
 *
 * usage: elf64_test                   print the sentence of each status, one a line
 *        elf64_test IMAGES FILE...    load files, as a loader does that streams them
 *
 * Prints a line for each file: the status of elf64_parse() and, of a good file, all that
 * it found, where elf64_find_symbols() found symbols and strings, and the status of
 * elf64_relocate(): where the file says and, for a kernel that may be moved, also at the
 * two distances below. Where that is good, too, the memory of a small file is written to
 * IMAGES, one after the other.
 *
 * Whatever elf64.c gets to read is allocated with exactly its size: with ASan, a byte too
 * far ends the program.
 */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf64.h"

#define IMAGE_MOST (1u << 20) /* larger ones are not loaded */

static const uint64_t distances[] = {0, 0xffffffff80000000, -(uint64_t)0x200000};

struct file {
    unsigned char *bytes;
    size_t size;
};

static void *allocate(size_t alignment, size_t size)
{
    void *memory = NULL;
    /* C11 asks for a size that is a multiple of the alignment; this one does not. */
    if (posix_memalign(&memory, alignment, size > 0 ? size : 1) != 0) {
        perror("posix_memalign");
        exit(2);
    }
    return memory;
}

/* Returns a copy of a part of the file. */
static void *part_of(const struct file *file, struct elf64_range range)
{
    void *part = allocate(sizeof(uint64_t), range.size);
    memcpy(part, file->bytes + range.offset, range.size);
    return part;
}

static void print_range(const char *name, struct elf64_range range)
{
    printf(" %s=0x%" PRIx64 "+0x%" PRIx64, name, range.offset, range.size);
}

static void print(const struct elf64 *elf)
{
    printf(" base=0x%" PRIx64 " size=0x%" PRIx64 " alignment=0x%" PRIx64
           " entry=0x%" PRIx64 " stack=0x%" PRIx64 " movable=%d",
           elf->base, elf->size, elf->alignment, elf->entry, elf->stack_size,
           elf->position_independent);
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        printf(" 0x%" PRIx64 "+0x%" PRIx64 "=0x%" PRIx64 "+0x%" PRIx64 ":%" PRIu32,
               segment->virtual_address, segment->memory_size, segment->file_offset,
               segment->file_size, segment->flags);
    }
}

static void print_symbols(const struct elf64 *elf, const struct file *file)
{
    struct elf64_range symbols, strings;
    void *sections = part_of(file, elf->sections);

    elf64_find_symbols(elf, sections, file->size, &symbols, &strings);
    print_range("sections", elf->sections);
    print_range("symbols", symbols);
    print_range("strings", strings);
    free(sections);
}

static void copy_segments(const struct elf64 *elf, const struct file *file,
                          unsigned char *image)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct elf64_segment *segment = &elf->segments[i];
        memcpy(image + (segment->virtual_address - elf->base),
               file->bytes + segment->file_offset, segment->file_size);
    }
}

static void load(const struct elf64 *elf, const struct file *file, FILE *images)
{
    size_t count = elf->position_independent ? sizeof distances / sizeof *distances : 1;

    printf(" relocated");
    for (size_t i = 0; i < count; i++) {
        unsigned char *image = allocate(4096, elf->size);
        memset(image, 0xa5, elf->size); /* so that a zero was written */
        /* Either may come first. */
        if (i > 0) {
            copy_segments(elf, file, image);
            elf64_clear(elf, image);
        } else {
            elf64_clear(elf, image);
            copy_segments(elf, file, image);
        }
        enum elf64_status status = elf64_relocate(elf, image, elf->base + distances[i]);
        printf(":%d", (int)status);
        if (status == ELF64_OK && fwrite(image, 1, elf->size, images) != elf->size) {
            perror("fwrite");
            exit(2);
        }
        free(image);
    }
}

static struct file read_file(const char *name)
{
    struct file file;
    FILE *stream = fopen(name, "rb");
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0) {
        perror(name);
        exit(2);
    }
    file.size = (size_t)ftell(stream);
    rewind(stream);
    file.bytes = allocate(sizeof(uint64_t), file.size);
    if (fread(file.bytes, 1, file.size, stream) != file.size) {
        perror(name);
        exit(2);
    }
    fclose(stream);
    return file;
}

static void test(const char *name, FILE *images)
{
    struct elf64 elf;
    struct file file = read_file(name);
    uint64_t size = file.size < ELF64_HEADERS_MOST ? file.size : ELF64_HEADERS_MOST;
    void *headers = part_of(&file, (struct elf64_range){0, size});

    memset(&elf, 0xa5, sizeof elf); /* elf64_parse() sets all that it needs */
    enum elf64_status status = elf64_parse(&elf, headers, file.size);
    free(headers); /* from here on, nobody may look at them */
    printf("%d", (int)status);
    if (status == ELF64_OK) {
        print(&elf);
        print_symbols(&elf, &file);
        if (elf.size <= IMAGE_MOST) {
            load(&elf, &file, images);
        }
    }
    putchar('\n');
    free(file.bytes);
}

int main(int count, char **arguments)
{
    if (count == 1) {
        for (int status = 0; status < ELF64_STATUS_COUNT; status++) {
            puts(elf64_sentence((enum elf64_status)status));
        }
        return 0;
    }
    FILE *images = fopen(arguments[1], "wb");
    if (images == NULL) {
        perror(arguments[1]);
        return 2;
    }
    for (int i = 2; i < count; i++) {
        test(arguments[i], images);
    }
    return fclose(images) == 0 ? 0 : 2;
}
