/* sources: common/kernel/symbols.c */
/*
 * symbols_fuzz.c -- any bytes at all as a table of symbols and their names
 *
 * The input begins with an address, what the kernel was moved by, and how many bytes of
 * the rest are symbols; what follows them are the names. The loader's promises are kept:
 * symbols begin at a multiple of 8, the last name is ended. What is found must have a
 * name of the table, and the address in it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf64_format.h"
#include "symbols.h"

struct head {
    uint64_t address;
    uint64_t slide;
    uint16_t symbols_size;
};
#define HEAD_SIZE 18 /* in the input, without padding */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "symbols_fuzz: it does not hold that %s\n", what);
        __builtin_trap();
    }
}

/* By the plainest way: is there a function of that beginning, which the address is in? */
static bool is_function(const struct boot_info *info, uint64_t begin, uint64_t address)
{
    const struct elf64_sym *symbols = (const struct elf64_sym *)(uintptr_t)info->symbols;
    for (uint64_t i = 0; i < info->symbols_size / sizeof *symbols; i++) {
        const uint64_t first = symbols[i].st_value + info->kernel_slide;
        if (first == begin && (symbols[i].st_info & 0xf) == STT_FUNC &&
            address - first < symbols[i].st_size) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head head;
    if (size < HEAD_SIZE) {
        return 0;
    }
    memcpy(&head, data, HEAD_SIZE);
    data += HEAD_SIZE;
    size -= HEAD_SIZE;

    const size_t symbols_size = head.symbols_size < size ? head.symbols_size : size;
    const size_t strings_size = size - symbols_size;
    uint8_t *symbols = malloc(symbols_size), *strings = malloc(strings_size);
    memcpy(symbols, data, symbols_size);
    memcpy(strings, data + symbols_size, strings_size);
    if (strings_size > 0) {
        strings[strings_size - 1] = '\0';
    }

    const struct boot_info info = {
        .kernel_slide = head.slide,
        .symbols = (uint64_t)(uintptr_t)symbols,
        .symbols_size = symbols_size,
        .strings = (uint64_t)(uintptr_t)strings,
        .strings_size = strings_size,
    };
    struct symbol symbol;
    if (symbols_find(&info, head.address, &symbol)) {
        const uint64_t offset = (uint64_t)(symbol.name - (const char *)strings);
        claim(offset < strings_size, "a name is in the table");
        claim(strlen(symbol.name) < strings_size - offset, "a name ends in the table");
        claim(is_function(&info, symbol.address, head.address),
              "the address is in the function");
    }
    free(symbols);
    free(strings);
    return 0;
}
