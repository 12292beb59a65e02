/* panic.c -- say what is wrong, and stop */
#include "panic.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "backtrace.h"
#include "console.h"
#include "halt.h"
#include "kprintf.h"
#include "serial.h"
#include "symbols.h"

#define FRAMES_MOST 10 /* with all the rest, they fit on a screen of 25 rows */

static const struct boot_info *boot;

void panic_init(const struct boot_info *info)
{
    boot = info;
}

static void print_registers(const struct registers *r)
{
    kprintf("rax %016lx  rbx %016lx  rcx %016lx\n", r->rax, r->rbx, r->rcx);
    kprintf("rdx %016lx  rsi %016lx  rdi %016lx\n", r->rdx, r->rsi, r->rdi);
    kprintf("rbp %016lx  rsp %016lx  r8  %016lx\n", r->rbp, r->rsp, r->r8);
    kprintf("r9  %016lx  r10 %016lx  r11 %016lx\n", r->r9, r->r10, r->r11);
    kprintf("r12 %016lx  r13 %016lx  r14 %016lx\n", r->r12, r->r13, r->r14);
    kprintf("r15 %016lx  rip %016lx  rflags %08lx\n", r->r15, r->rip, r->rflags);
}

/*
 * A call is the last instruction of a function that is sure not to come back, and its
 * return address then belongs to the function behind. So look for the byte before.
 */
static void print_caller(uint64_t return_address)
{
    struct symbol symbol;

    kprintf("  %016lx", return_address);
    if (symbols_find(boot, return_address - 1, &symbol)) {
        kprintf(" %.50s+0x%lx", symbol.name, return_address - symbol.address);
    }
    kprintf("\n");
}

static void print_callers(uint64_t frame)
{
    uint64_t addresses[FRAMES_MOST];

    if (boot == NULL) {
        return;
    }
    const size_t count =
        backtrace(frame, boot->stack_bottom, boot->stack_size, addresses, FRAMES_MOST);
    kprintf("called from\n");
    for (size_t i = 0; i < count; i++) {
        print_caller(addresses[i]);
    }
    if (count == FRAMES_MOST) {
        kprintf("  and perhaps more\n");
    }
}

void panic_at(const char *file, int line, const char *format, ...)
{
    static unsigned panics;
    va_list arguments;

    /* What we call here may be what is broken, and panic in turn. Then do less. */
    panics++;
    if (panics == 2) {
        serial_write("\nkernel panic during a kernel panic, in ");
        serial_write(file);
        serial_write("\n");
    }
    if (panics >= 2) {
        halt();
    }

    console_color(COLOR_WHITE, COLOR_RED);
    kprintf("\nkernel panic: ");
    va_start(arguments, format);
    kvprintf(format, arguments);
    va_end(arguments);
    kprintf("\nin %s, line %d\n", file, line);
    print_registers(&saved_registers);
    print_callers((uint64_t)__builtin_frame_address(0));
    halt();
}
