; entered.asm -- a kernel that halts where it is entered, and leaves all as it was found

bits 64

global kernel_main

section .text
kernel_main:
    hlt                                 ; no `cli`: the loader promised interrupts off
    jmp kernel_main

section .note.GNU-stack noalloc noexec nowrite progbits
