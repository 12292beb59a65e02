/* io.h -- the instructions that C has no words for */
#pragma once

#include <stdint.h>

/* Write a byte to an I/O port. Source: Intel SDM volume 2, "OUT". */
static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Write the low byte to an I/O port and the high byte to the next. Source: as above. */
static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

/* Read a byte from an I/O port. Source: Intel SDM volume 2, "IN". */
static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
