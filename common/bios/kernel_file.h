/*
 * kernel_file.h -- where on the boot disk the kernel's file lies
 *
 * What loader.c does not know. In chapters 7 and 8 the build has laid the file behind the
 * loader (kernel_behind_loader.c); from chapter 11 on it is one of the files of a file
 * system.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bios.h"

/* Find the file, or fail(). Returns its size in bytes, at most 4 GiB. */
uint64_t kernel_file_find(const struct bios *bios);

/*
 * Read sectors from the file's sector `first` on to the windows of DISK_BUFFER, at least
 * one and at most `most`, which lie in the file. Returns how many, or fails.
 */
uint64_t kernel_file_read(uint64_t first, uint64_t most);

/*
 * Is the file as it was when the disk was written? `sum` is that of all 8-byte words of
 * its sectors: it begins with the file's size, and is tripled before each word is added.
 */
bool kernel_file_is_intact(uint64_t sum);
