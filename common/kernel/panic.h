/* panic.h -- say what is wrong, and stop */
#pragma once

#include "boot_info.h"
#include "registers.h"

/*
 * From now on, a panic shows who called: boot_info says where the stack is, and where
 * the names of the functions are.
 */
void panic_init(const struct boot_info *info);

/*
 * Print a message, formatted as by kprintf, with the place in the source; then the
 * registers, and the functions that we are in, the innermost first. And halt.
 */
#define panic(...)                                                                       \
    do {                                                                                 \
        SAVE_REGISTERS();                                                                \
        panic_at(__FILE__, __LINE__, __VA_ARGS__);                                       \
    } while (0)

/* Panic, unless something is true that must be. */
#define KASSERT(condition)                                                               \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            panic("this must be true: %s", #condition);                                  \
        }                                                                                \
    } while (0)

/* What is behind panic: it prints saved_registers. */
__attribute__((format(printf, 3, 4)))
_Noreturn void panic_at(const char *file, int line, const char *format, ...);
