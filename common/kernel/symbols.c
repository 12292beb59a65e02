/* symbols.c -- which function is at this address? For the source, see symbols.h. */
#include "symbols.h"

#include "elf64_format.h"

bool symbols_find(const struct boot_info *info, uint64_t address, struct symbol *symbol)
{
    const struct elf64_sym *entries = (const struct elf64_sym *)(uintptr_t)info->symbols;
    const char *names = (const char *)(uintptr_t)info->strings;
    const uint64_t linked_at = address - info->kernel_slide;

    for (uint64_t i = 0; i < info->symbols_size / sizeof *entries; i++) {
        const struct elf64_sym *entry = &entries[i];
        /* Below a function, the difference is negative: as an unsigned number, it is
         * greater than any size. The last of all names is ended, so each one is. */
        if (ELF64_ST_TYPE(entry->st_info) == STT_FUNC &&
            linked_at - entry->st_value < entry->st_size &&
            entry->st_name < info->strings_size) {
            symbol->name = names + entry->st_name;
            symbol->address = entry->st_value + info->kernel_slide;
            return true;
        }
    }
    return false;
}
