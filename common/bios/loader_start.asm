; loader_start.asm -- the first instructions of the loader's part in C
;
; in:   64-bit long mode, the first GiB mapped to itself, interrupts off, direction flag
;       clear; rdi = the struct bios
; out:  calls loader_main, which does not return

bits 64
default rel

; In .bss, far from what BIOS calls use: their stack is below STACK_TOP.
LOADER_STACK_SIZE equ 16 << 10

global _start
extern loader_main
extern bss_start                        ; both from loader.ld
extern bss_end

section .text                           ; loader.ld puts this file's in front
_start:
    mov rdx, rdi
    lea rdi, [bss_start]
    lea rcx, [bss_end]
    sub rcx, rdi
    xor eax, eax
    rep stosb

    lea rsp, [stack_top]
    mov rdi, rdx
    xor ebp, ebp
    call loader_main

section .bss
align 16
    resb LOADER_STACK_SIZE
stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
