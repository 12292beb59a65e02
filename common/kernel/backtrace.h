/*
 * backtrace.h -- who called?
 *
 * Compiled with -fno-omit-frame-pointer, a function does `push rbp; mov rbp, rsp` before
 * it calls another. So rbp points to the caller's rbp, and the return address lies behind
 * it: the frames on the stack are a chain, which ends where the loader started the kernel
 * with rbp = 0 and a return address of 0.
 *
 * Source: System V ABI, AMD64 supplement, "The Stack Frame".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Follow the chain from the frame that rbp points to; it may be broken, which is why we
 * are asked. Each frame must lie on the stack, at a multiple of 8, above the one before.
 *
 * Writes at most `most` return addresses, innermost first, and returns their number.
 */
size_t backtrace(uint64_t frame, uint64_t stack_bottom, uint64_t stack_size,
                 uint64_t *addresses, size_t most);
