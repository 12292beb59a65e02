/*
 * framebuffer_test.c -- the console on a screen of pixels, with memory for the pixels
 *
 * usage: framebuffer_test [watch] < script
 *
 * The script is a sequence of commands, each one a letter and what it needs; numbers have
 * 32 bits, little-endian, those marked with a star 64:
 *
 *   N size base* direct_map_size* screen   a new machine, with `size` bytes of screen
 *                               memory, all 0xee. `screen` is a struct boot_screen without
 *                               its base, as in memory. Answer: columns and rows of the
 *                               screen, or 0 and 0
 *   K                           a console on that screen
 *   T length bytes              print bytes with console_put, as console_write does
 *   C foreground background     console_color
 *   P column row glyph colors   the screen's own put,
 *   M column row                its cursor,
 *   S                           its scroll
 *   F bytes                     overwrite all of the screen's memory
 *   ?                           answer: the screen's memory
 *
 * Screen memory ends with the last byte that was asked for, and ASan watches what is
 * around it. With "watch", an instruction that reads it ends us, with status 3.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console.h"
#include "io.h"
#include "screen_init.h"

#define FILL 0xee

/* ---- the devices: COM1 is always ready ------------------------------------------- */

void outb(uint16_t port, uint8_t value)
{
    (void)port;
    (void)value;
}

void outw(uint16_t port, uint16_t value)
{
    (void)port;
    (void)value;
}

uint8_t inb(uint16_t port)
{
    (void)port;
    return 0xff;
}

/* ---- the screen's memory ---------------------------------------------------------- */

static uint8_t *memory;
static size_t size;
static int watched;

#if defined(__x86_64__) && defined(__linux__)

#define PAGE          4096
#define WAS_READ      3        /* our status */
#define FAULT_WRITE   (1 << 1) /* Intel SDM volume 3, "Page-Fault Exception" */
#define RFLAGS_TF     (1 << 8) /* an exception after the next instruction */

static size_t whole_pages(void)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

/*
 * No page can be written to but not read. So these can be neither. At a write, they can
 * be both for one instruction.
 */
static void at_fault(int signal, siginfo_t *info, void *state)
{
    greg_t *registers = ((ucontext_t *)state)->uc_mcontext.gregs;

    (void)signal;
    if ((uintptr_t)info->si_addr - (uintptr_t)memory >= size ||
        !(registers[REG_ERR] & FAULT_WRITE)) {
        _exit(WAS_READ);
    }
    mprotect(memory, whole_pages(), PROT_READ | PROT_WRITE);
    registers[REG_EFL] |= RFLAGS_TF;
}

static void behind_it(int signal, siginfo_t *info, void *state)
{
    (void)signal;
    (void)info;
    mprotect(memory, whole_pages(), PROT_NONE);
    ((ucontext_t *)state)->uc_mcontext.gregs[REG_EFL] &= ~RFLAGS_TF;
}

static void be_watched(void)
{
    const struct sigaction fault = {.sa_sigaction = at_fault, .sa_flags = SA_SIGINFO};
    const struct sigaction step = {.sa_sigaction = behind_it, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGTRAP, &step, NULL);
    watched = 1;
}

/* While the harness itself uses the memory, nobody watches. */
static void watch(int on)
{
    if (watched && memory != NULL) {
        mprotect(memory, whole_pages(), on ? PROT_NONE : PROT_READ | PROT_WRITE);
    }
}

static void new_memory(void)
{
    if (watched) {
        memory = mmap(NULL, whole_pages(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    } else {
        free(memory);
        memory = malloc(size);
    }
    memset(memory, FILL, size);
}

#else

static void be_watched(void)
{
    fprintf(stderr, "only on an x86-64 Linux can reads be told from writes\n");
    exit(2);
}

static void watch(int on)
{
    (void)on;
}

static void new_memory(void)
{
    free(memory);
    memory = malloc(size);
    memset(memory, FILL, size);
}

#endif

/* ---- the script ------------------------------------------------------------------ */

static const struct screen *screen;

static void take(void *bytes, size_t count)
{
    if (fread(bytes, 1, count, stdin) != count) {
        fprintf(stderr, "the script is cut short\n");
        exit(2);
    }
}

static uint32_t number(void)
{
    uint32_t value;
    take(&value, sizeof value);
    return value;
}

static void new_machine(void)
{
    struct boot_info info = {0};
    struct boot_screen *described = &info.screen;

    watch(0);
    size = number();
    new_memory();
    take(&described->base, sizeof described->base);
    take(&info.direct_map_size, sizeof info.direct_map_size);
    take(&described->width, sizeof *described - offsetof(struct boot_screen, width));
    info.direct_map_base = (uint64_t)(uintptr_t)memory - described->base;
    watch(1);

    screen = screen_init(&info);
    const uint32_t answer[] = {screen != NULL ? screen->columns : 0,
                               screen != NULL ? screen->rows : 0};
    fwrite(answer, 1, sizeof answer, stdout);
}

int main(int count, char **arguments)
{
    uint32_t a, b, c;

    if (count > 1 && strcmp(arguments[1], "watch") == 0) {
        be_watched();
    }
    for (int command = getchar(); command != EOF; command = getchar()) {
        switch (command) {
        case 'N':
            new_machine();
            break;
        case 'K':
            console_init(screen);
            break;
        case 'T':
            for (uint32_t left = number(); left > 0; left--) {
                console_put((char)getchar());
            }
            break;
        case 'C':
            a = number();
            console_color(a, number());
            break;
        case 'P':
            a = number();
            b = number();
            c = number();
            screen->put(a, b, (uint8_t)c, (uint8_t)number());
            break;
        case 'M':
            a = number();
            screen->cursor(a, number());
            break;
        case 'S':
            screen->scroll();
            break;
        case 'F':
            watch(0);
            take(memory, size);
            watch(1);
            break;
        case '?':
            watch(0);
            fwrite(memory, 1, size, stdout);
            watch(1);
            break;
        default:
            fprintf(stderr, "no command %c\n", command);
            return 2;
        }
    }
    return 0;
}
