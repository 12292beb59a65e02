/*
 * callers_test.c -- symbols and backtraces, as a panic uses them
 *
 * usage: callers_test symbols SYMBOLS STRINGS SLIDE < addresses
 *        callers_test damaged SYMBOLS STRINGS ROUNDS
 *        callers_test backtrace
 *
 * symbols: for each address, a number in hex on a line of its own, prints the name of the
 * function and how far behind its beginning the address is, or "-". SYMBOLS and STRINGS
 * are files: the two tables of an ELF file.
 *
 * damaged: in each round, changes some bytes of the tables, cuts them short, and looks
 * for an address. All memory has just the size that symbols_find is told, and ASan
 * watches.
 *
 * backtrace: chains of frames, whole and broken.
 *
 * Exits with 0, or with 1 and a sentence at the first claim that does not hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtrace.h"
#include "symbols.h"

static void claim(bool holds, const char *what)
{
    if (!holds) {
        printf("it does not hold that %s\n", what);
        exit(1);
    }
}

/* ---- symbols --------------------------------------------------------------------- */

struct table {
    char *bytes;
    size_t size;
};

static struct table read_file(const char *path)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    struct table table = {.size = fread(bytes, 1, sizeof bytes, file)};
    table.bytes = malloc(table.size);
    memcpy(table.bytes, bytes, table.size);
    fclose(file);
    return table;
}

static struct boot_info info_of(struct table symbols, struct table strings,
                                uint64_t slide)
{
    return (struct boot_info){
        .kernel_slide = slide,
        .symbols = (uint64_t)(uintptr_t)symbols.bytes,
        .symbols_size = symbols.size,
        .strings = (uint64_t)(uintptr_t)strings.bytes,
        .strings_size = strings.size,
    };
}

static void print_symbols(char **arguments)
{
    struct table symbols = read_file(arguments[0]), strings = read_file(arguments[1]);
    struct boot_info info = info_of(symbols, strings, strtoull(arguments[2], NULL, 16));
    unsigned long long address;

    while (scanf("%llx", &address) == 1) {
        struct symbol symbol;
        if (symbols_find(&info, address, &symbol)) {
            printf("%s %llx\n", symbol.name, address - symbol.address);
        } else {
            printf("-\n");
        }
    }
    free(symbols.bytes);
    free(strings.bytes);
}

static uint64_t any(void)
{
    static uint64_t state = 0x53594d424f4cull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* The first part of a table, with a byte changed now and then. */
static struct table damaged(struct table whole)
{
    struct table table = {.size = any() % 4 == 0 ? any() % (whole.size + 1) : whole.size};
    table.bytes = malloc(table.size);
    memcpy(table.bytes, whole.bytes, table.size);
    for (uint64_t count = table.size == 0 ? 0 : any() % 64; count > 0; count--) {
        table.bytes[any() % table.size] = (char)(any() % 2 == 0 ? any() : 0xff);
    }
    return table;
}

static void damage(char **arguments)
{
    struct table symbols = read_file(arguments[0]), strings = read_file(arguments[1]);

    for (long round = 0; round < atol(arguments[2]); round++) {
        struct table some_symbols = damaged(symbols), some_strings = damaged(strings);
        if (some_strings.size > 0) { /* the loader sees to that */
            some_strings.bytes[some_strings.size - 1] = '\0';
        }
        struct boot_info info = info_of(some_symbols, some_strings, any() % 2 * any());
        /* An address that the undamaged table knows, mostly. */
        uint64_t value;
        memcpy(&value, symbols.bytes + any() % (symbols.size / 24) * 24 + 8,
               sizeof value);
        const uint64_t address = value + info.kernel_slide + any() % 16;
        struct symbol symbol;
        if (symbols_find(&info, address, &symbol)) {
            claim(strlen(symbol.name) < some_strings.size, "a name is in the table");
        }
        free(some_symbols.bytes);
        free(some_strings.bytes);
    }
    free(symbols.bytes);
    free(strings.bytes);
}

/* ---- backtraces ------------------------------------------------------------------ */

#define WORDS 16
#define MOST  8

static uint64_t *stack; /* WORDS, no more */

static uint64_t at(unsigned word)
{
    return (uint64_t)(uintptr_t)(stack + word);
}

static void frame(unsigned word, uint64_t caller, uint64_t return_address)
{
    stack[word] = caller;
    stack[word + 1] = return_address;
}

/* Follow the chain from an address on; compare with the return addresses and a 0. */
static void expect(const char *what, uint64_t from, size_t most, const uint64_t *expected)
{
    uint64_t found[MOST + 1] = {0};
    const size_t count = backtrace(from, at(0), WORDS * sizeof *stack, found, most);

    claim(count <= most && found[count] == 0, what);
    for (size_t i = 0; i <= count; i++) {
        claim(found[i] == expected[i], what);
    }
}

#define EXPECT(what, from, most, ...)                                                    \
    expect(what, from, most, (const uint64_t[]){__VA_ARGS__, 0})

static void backtraces(void)
{
    stack = calloc(WORDS, sizeof *stack);

    frame(2, at(6), 0xa);
    frame(6, at(11), 0xb);
    frame(11, 0, 0xc);
    EXPECT("a chain is followed to its end", at(2), MOST, 0xa, 0xb, 0xc);
    EXPECT("a chain is followed from where we are", at(6), MOST, 0xb, 0xc);
    EXPECT("no more than two are found", at(2), 2, 0xa, 0xb);
    EXPECT("none are found", at(2), 0, 0);

    frame(11, 0, 0);
    EXPECT("a return address of 0 is the end", at(2), MOST, 0xa, 0xb);

    frame(11, at(14), 0xc);
    frame(14, 0, 0xd);
    EXPECT("a frame may end with the stack", at(2), MOST, 0xa, 0xb, 0xc, 0xd);
    frame(11, at(15), 0xc);
    EXPECT("a frame must not reach out of the stack", at(2), MOST, 0xa, 0xb, 0xc);
    frame(11, at(16), 0xc);
    EXPECT("a frame must be on the stack", at(2), MOST, 0xa, 0xb, 0xc);
    frame(11, UINT64_MAX - 7, 0xc);
    EXPECT("a frame is not at the end of all memory", at(2), MOST, 0xa, 0xb, 0xc);
    frame(11, at(13) + 4, 0xc);
    EXPECT("a frame must be aligned", at(2), MOST, 0xa, 0xb, 0xc);
    frame(11, at(6), 0xc);
    EXPECT("a chain must lead upwards", at(2), MOST, 0xa, 0xb, 0xc);
    frame(11, at(11), 0xc);
    EXPECT("a chain must not bite its tail", at(2), MOST, 0xa, 0xb, 0xc);

    EXPECT("we may be nowhere", 0, MOST, 0);
    EXPECT("we may be below the stack", at(0) - 8, MOST, 0);
    EXPECT("we may be above the stack", at(WORDS), MOST, 0);

    frame(0, 0, 0xe);
    for (uint64_t size = 0; size < 16; size++) {
        uint64_t found;
        claim(backtrace(at(0), at(0), size, &found, 1) == 0, "a frame needs 16 bytes");
    }
    free(stack);
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "symbols") == 0) {
        print_symbols(arguments + 2);
    } else if (count == 5 && strcmp(arguments[1], "damaged") == 0) {
        damage(arguments + 2);
    } else if (count == 2 && strcmp(arguments[1], "backtrace") == 0) {
        backtraces();
    } else {
        fprintf(stderr, "usage: see callers_test.c\n");
        return 2;
    }
    return 0;
}
