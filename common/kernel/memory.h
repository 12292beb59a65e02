/*
 * memory.h -- the four functions that a C compiler may call in any program
 *
 * GCC's and Clang's manuals ask even a freestanding program to provide them: the copy
 * of a struct, say, may become a call to memcpy. Source: C11 section 7.24; GCC manual,
 * "Language Standards Supported by GCC".
 */
#pragma once

#include <stddef.h>

/* Copy size bytes from source to target, which must not overlap; returns target. */
void *memcpy(void *restrict target, const void *restrict source, size_t size);

/* Copy size bytes from source to target, which may overlap; returns target. */
void *memmove(void *target, const void *source, size_t size);

/* Set size bytes at target to the low byte of value; returns target. */
void *memset(void *target, int value, size_t size);

/* Compare size bytes as unsigned numbers; returns < 0, 0 or > 0. */
int memcmp(const void *left, const void *right, size_t size);
