/* kprintf.c -- printf for a kernel: onto its console */
#include "kprintf.h"

#include <stddef.h>

#include "console.h"
#include "format.h"

static void put(void *context, char c)
{
    (void)context; /* there is one console */
    console_put(c);
}

void kvprintf(const char *format, va_list arguments)
{
    format_text(put, NULL, format, arguments);
}

void kprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    kvprintf(format, arguments);
    va_end(arguments);
}
