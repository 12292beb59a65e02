/* symbols.h -- which function is at this address? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot_info.h"

struct symbol {
    const char *name; /* ended by a zero byte */
    uint64_t address; /* of the function's first byte */
};

/*
 * Look for the function that an address lies in, among the symbols of the kernel's file.
 * The loader has said where they are, but it has not looked at them, and the file may be
 * damaged: what makes no sense is passed over. Returns false if none is found.
 *
 * Source: System V ABI, "Symbol Table".
 */
bool symbols_find(const struct boot_info *info, uint64_t address, struct symbol *symbol);
