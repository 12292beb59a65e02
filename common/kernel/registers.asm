; registers.asm -- write the registers down before anything changes them

bits 64
default rel

global save_registers:function (save_registers.end - save_registers)
global saved_registers

; struct registers of registers.h
struc registers
.rax    resq 1
.rbx    resq 1
.rcx    resq 1
.rdx    resq 1
.rsi    resq 1
.rdi    resq 1
.rbp    resq 1
.rsp    resq 1
.r8     resq 1
.r9     resq 1
.r10    resq 1
.r11    resq 1
.r12    resq 1
.r13    resq 1
.r14    resq 1
.r15    resq 1
.rip    resq 1
.rflags resq 1
endstruc

section .text

; save_registers -- write all registers down, and turn interrupts off
;
; in:        nothing
; out:       saved_registers: the registers as they are behind the call, rip included
; clobbers:  nothing but the interrupt flag
; requires:  a stack; nothing of the caller's below rsp
save_registers:
    mov [saved_registers + registers.rax], rax
    mov [saved_registers + registers.rbx], rbx
    mov [saved_registers + registers.rcx], rcx
    mov [saved_registers + registers.rdx], rdx
    mov [saved_registers + registers.rsi], rsi
    mov [saved_registers + registers.rdi], rdi
    mov [saved_registers + registers.rbp], rbp
    mov [saved_registers + registers.r8], r8
    mov [saved_registers + registers.r9], r9
    mov [saved_registers + registers.r10], r10
    mov [saved_registers + registers.r11], r11
    mov [saved_registers + registers.r12], r12
    mov [saved_registers + registers.r13], r13
    mov [saved_registers + registers.r14], r14
    mov [saved_registers + registers.r15], r15

    ; None of these instructions changes a flag, up to cli.
    mov rax, [rsp]                      ; the return address
    mov [saved_registers + registers.rip], rax
    lea rax, [rsp + 8]
    mov [saved_registers + registers.rsp], rax
    pushfq
    pop qword [saved_registers + registers.rflags]

    cli
    mov rax, [saved_registers + registers.rax]
    ret
.end:

section .bss
align 8
saved_registers:
    resb registers_size

section .note.GNU-stack noalloc noexec nowrite progbits
