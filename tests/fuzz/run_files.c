/*
 * run_files.c -- give a fuzzer's function the files that are named, one after the other
 *
 * With this main, a fuzzer is an ordinary program: no libFuzzer is needed to repeat what
 * was found. The name of each file is printed before its turn.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(name);
        exit(2);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    /* Exactly as large as the file: a read beyond it is an error then. */
    uint8_t *data = malloc(size);
    if ((data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        perror(name);
        exit(2);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        puts(arguments[i]);
        fflush(stdout);
        run(arguments[i]);
    }
    return 0;
}
