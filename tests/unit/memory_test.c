/*
 * memory_test.c -- our memcpy, memmove, memset and memcmp against the host's
 *
 * usage: memory_test FUNCTION ROUNDS
 *
 * common/kernel/memory.c is compiled with each name mapped to first_light_NAME, so that
 * both versions are in one program. Each round takes a random size, random offsets and
 * random bytes, lets both versions do the same work, and compares all memory around it.
 * Every other round, the buffers end (or begin) where a page begins that must not be
 * touched: a byte too far ends the program at once.
 *
 * Exits with 0, or with 1 and a sentence at the first difference.
 */
#define _DEFAULT_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *first_light_memcpy(void *restrict target, const void *restrict source, size_t size);
void *first_light_memmove(void *target, const void *source, size_t size);
void *first_light_memset(void *target, int value, size_t size);
int first_light_memcmp(const void *left, const void *right, size_t size);

#define ROOM 1024 /* of each buffer, in bytes */

static long page;
static uint64_t state = 0x4649525354ull;

/* Marsaglia's xorshift: the same numbers on every host. */
static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A number from 0 to most; small ones and the greatest one often. */
static size_t up_to(size_t most)
{
    switch (any() % 4) {
    case 0:
        return any() % ((most < 16 ? most : 16) + 1);
    case 1:
        return most;
    default:
        return any() % (most + 1);
    }
}

static void fill(unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (unsigned char)any();
    }
}

/* ROOM bytes that end at a page nobody may touch, or begin behind one. */
static unsigned char *buffer(int at_end)
{
    size_t whole = (size_t)(ROOM + page - 1) / (size_t)page * (size_t)page;
    unsigned char *memory = mmap(NULL, whole + 2 * (size_t)page, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    mprotect(memory, (size_t)page, PROT_NONE);
    mprotect(memory + page + whole, (size_t)page, PROT_NONE);
    return memory + page + (at_end ? whole - ROOM : 0);
}

static void check(int right, const char *what, size_t size, size_t to, size_t from)
{
    if (!right) {
        printf("%s: wrong for %zu bytes, target offset %zu, source offset %zu\n", what,
               size, to, from);
        exit(1);
    }
}

/* What one function did to `ours`, compared byte for byte with the host's work. */
static unsigned char *ours, *other, *expected;

static void one_memcpy(void)
{
    size_t size = up_to(ROOM), to = up_to(ROOM - size), from = up_to(ROOM - size);
    fill(ours, ROOM);
    fill(other, ROOM);
    memcpy(expected, ours, ROOM);
    memcpy(expected + to, other + from, size);
    void *result = first_light_memcpy(ours + to, other + from, size);
    check(result == ours + to && memcmp(ours, expected, ROOM) == 0, "memcpy", size, to,
          from);
}

static void one_memmove(void)
{
    size_t size = up_to(ROOM), to = up_to(ROOM - size), from = up_to(ROOM - size);
    fill(ours, ROOM);
    memcpy(expected, ours, ROOM);
    memmove(expected + to, expected + from, size);
    void *result = first_light_memmove(ours + to, ours + from, size);
    check(result == ours + to && memcmp(ours, expected, ROOM) == 0, "memmove", size, to,
          from);
}

static void one_memset(void)
{
    size_t size = up_to(ROOM), to = up_to(ROOM - size);
    int value = (int)any(); /* only its low byte counts */
    fill(ours, ROOM);
    memcpy(expected, ours, ROOM);
    memset(expected + to, value, size);
    void *result = first_light_memset(ours + to, value, size);
    check(result == ours + to && memcmp(ours, expected, ROOM) == 0, "memset", size, to,
          0);
}

static void one_memcmp(void)
{
    size_t size = up_to(ROOM), to = up_to(ROOM - size), from = up_to(ROOM - size);
    fill(ours, ROOM);
    fill(other, ROOM);
    memcpy(ours + to, other + from, size);
    if (size > 0 && any() % 4 > 0) {
        ours[to + up_to(size - 1)] ^= (unsigned char)(1 << any() % 8);
    }
    int host = memcmp(ours + to, other + from, size);
    int mine = first_light_memcmp(ours + to, other + from, size);
    check((host > 0) == (mine > 0) && (host < 0) == (mine < 0), "memcmp", size, to, from);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*once)(void);
    } functions[] = {
        {"memcpy", one_memcpy},
        {"memmove", one_memmove},
        {"memset", one_memset},
        {"memcmp", one_memcmp},
    };
    if (count != 3) {
        fprintf(stderr, "usage: memory_test FUNCTION ROUNDS\n");
        return 2;
    }
    page = sysconf(_SC_PAGESIZE);
    unsigned char *buffers[2][2] = {{buffer(0), buffer(1)}, {buffer(0), buffer(1)}};
    expected = buffer(0);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, arguments[1]) == 0) {
            for (long round = 0; round < atol(arguments[2]); round++) {
                ours = buffers[0][round & 1];
                other = buffers[1][round >> 1 & 1];
                functions[i].once();
            }
            return 0;
        }
    }
    fprintf(stderr, "memory_test: no function %s\n", arguments[1]);
    return 2;
}
