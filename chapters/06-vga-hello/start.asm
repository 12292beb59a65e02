; start.asm -- the first instructions of the kernel
;
; in:   64-bit long mode, the first GiB mapped to itself, interrupts off. Nothing else
;       is relied on: no stack, no direction flag, no cleared memory.
; out:  calls kernel_main as a C compiler expects it, and halts when it returns
;
; Source: System V ABI, AMD64 supplement, "The Stack Frame" and "Process
; Initialization".

bits 64
default rel

KERNEL_STACK_SIZE equ 16 << 10

global _start
extern kernel_main
extern bss_start                        ; both from kernel.ld
extern bss_end

section .text                           ; kernel.ld puts this file's in front
_start:
    cld

    ; C's rule is that a variable without a value starts as zero. Such variables are
    ; not in the file: it says only where they are.
    lea rdi, [bss_start]
    lea rcx, [bss_end]
    sub rcx, rdi
    xor eax, eax
    rep stosb

    ; Now the stack may be used, which itself lies in .bss. At a call, rsp must be a
    ; multiple of 16; rbp = 0 marks the outermost frame.
    lea rsp, [kernel_stack_top]
    xor ebp, ebp
    call kernel_main

.halt:
    cli
    hlt
    jmp .halt

section .bss
align 16
kernel_stack:
    resb KERNEL_STACK_SIZE
kernel_stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
