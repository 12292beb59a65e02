/* kprintf.h -- printf for a kernel: onto its console */
#pragma once

#include <stdarg.h>

/*
 * Print text with values in it; format.h says which conversions there are. The compiler
 * compares them with the types of the arguments.
 */
__attribute__((format(printf, 1, 2)))
void kprintf(const char *format, ...);

/* The same, for a function that has itself been given a list of arguments. */
__attribute__((format(printf, 1, 0)))
void kvprintf(const char *format, va_list arguments);
