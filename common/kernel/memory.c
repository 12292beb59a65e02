/*
 * memory.c -- memcpy, memmove, memset and memcmp
 *
 * A loop in C that copies bytes is a memcpy, and an optimizer that recognizes it may
 * put a call to memcpy in its place: the function would then call itself for ever. GCC
 * does so, unless it is told -ffreestanding. The CPU's string instructions leave it
 * nothing to recognize.
 *
 * Source: Intel SDM volume 2, "REP" and "MOVS".
 */
#include "memory.h"

#include <stdint.h>

static void copy_forward(void *to, const void *from, size_t size)
{
    /* Eight bytes at a time, as far as they go: many CPUs count each repetition. */
    size_t words = size / 8;
    size_t bytes = size % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

void *memcpy(void *restrict target, const void *restrict source, size_t size)
{
    copy_forward(target, source, size);
    return target;
}

void *memmove(void *target, const void *source, size_t size)
{
    /* If target begins inside source, a copy from the front would overwrite what it
     * has yet to read. One unsigned comparison finds that case. */
    if ((uintptr_t)target - (uintptr_t)source >= size) {
        copy_forward(target, source, size);
        return target;
    }
    unsigned char *to = (unsigned char *)target + size - 1;
    const unsigned char *from = (const unsigned char *)source + size - 1;
    __asm__ volatile("std; rep movsb; cld"
                     : "+D"(to), "+S"(from), "+c"(size)
                     :
                     : "memory", "cc");
    return target;
}

void *memset(void *target, int value, size_t size)
{
    void *to = target;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; size > 0; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}
