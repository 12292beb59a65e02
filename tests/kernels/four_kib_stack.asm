; four_kib_stack.asm -- a kernel that pushes until the stack that it asked for is full

bits 64

global kernel_main

section .text
kernel_main:
    push rdi
    jmp kernel_main

section .note.GNU-stack noalloc noexec nowrite progbits
