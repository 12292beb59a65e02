/* registers.h -- the general registers, rip and rflags, as they are at one moment */
#pragma once

#include <stdint.h>

/* registers.asm knows this order. */
struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
};

extern struct registers saved_registers;

/*
 * Write all registers to saved_registers, and turn interrupts off.
 *
 * The compiler is not told that this is a call. Before a call it would move values
 * around, into the registers of arguments and out of those that a call may change; so
 * all registers are as the code around this had them. It needs -mno-red-zone.
 */
#define SAVE_REGISTERS() __asm__ volatile("call save_registers" : : : "memory")
