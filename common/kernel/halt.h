/* halt.h -- the end */
#pragma once

/*
 * Stop this CPU for good. hlt waits for an interrupt; with interrupts off, that is one
 * that cannot be switched off, and then we halt again.
 */
_Noreturn static inline void halt(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
