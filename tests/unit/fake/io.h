/* io.h -- in the place of common/kernel/io.h: the harness plays the devices */
#pragma once

#include <stdint.h>

void outb(uint16_t port, uint8_t value);
void outw(uint16_t port, uint16_t value);
uint8_t inb(uint16_t port);
