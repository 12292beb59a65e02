; real_mode.asm -- from 64-bit code down to real mode, and up again
;
; The BIOS is 16-bit code. A 64-bit program that needs it walks the whole way back:
; out of 64-bit code into a 16-bit segment, paging off, protection off. The way up is
; the one that we have taken before.

%include "x86/descriptor.inc"
%include "x86/registers.inc"

; call_real_mode -- call a real-mode routine from 64-bit code
;
; Source: Intel SDM volume 3, "Switching Out of IA-32e Mode Operation" and "Switching
; Back to Real-Address Mode".
;
; in:        eax = the routine, below 64 KiB; memory below 4 GiB is mapped to itself
; out:       nothing. The routine finds cs = ds = es = ss = 0, a stack below
;            BIOS_STACK_TOP, the direction flag clear, interrupts on
; clobbers:  as the System V ABI allows
; requires:  what enter_protected_mode and enter_long_mode require, but for A20, which
;            is switched on again if it must be
bits 64
call_real_mode:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [.stack], rsp
    mov ebx, eax

    lgdt [.gdt_pointer]
    jmp far dword [.to_code16]

bits 16
.compatibility_mode:
    ; Still in long mode, but in its compatibility half, which may switch paging off.
    ; With paging goes long mode.
    mov eax, cr0
    and eax, ~CR0_PG
    mov cr0, eax
    mov ecx, MSR_EFER
    rdmsr
    and eax, ~EFER_LME
    wrmsr
    mov eax, cr4
    and eax, ~CR4_PAE                   ; some BIOSes use paging themselves, without it
    mov cr4, eax

    ; The IDT has been the BIOS's all the time: with interrupts off, nobody used it.
    ; The CPU keeps the limits of the segments when protection goes. Real mode expects
    ; 64 KiB in all of them.
    mov ax, .GDT_DATA16
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov eax, cr0
    and eax, ~CR0_PE
    mov cr0, eax
    jmp 0x0000:.real_mode

.real_mode:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, BIOS_STACK_TOP             ; a BIOS may use all of esp
    cld
    sti
    call bx
    call a20_enable                     ; a BIOS may close the gate again

    mov ebx, .protected_mode
    jmp enter_protected_mode
bits 32
.protected_mode:
    mov ebx, .long_mode
    jmp enter_long_mode
bits 64
.long_mode:
    mov rsp, [.stack]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

.to_code16:
    dd .compatibility_mode
    dw .GDT_CODE16

align 8
.stack:         dq 0
.gdt:
    dq 0
.code16:
    dw 0xffff, 0x0000                   ; limit 64 KiB, base 0
    db 0x00, DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_READABLE | DESC_ACCESSED, 0, 0
.data16:
    dw 0xffff, 0x0000
    db 0x00, DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED, 0, 0
.gdt_end:

.gdt_pointer:
    dw .gdt_end - .gdt - 1
    dq .gdt                             ; 64-bit code reads eight bytes

.GDT_CODE16     equ .code16 - .gdt
.GDT_DATA16     equ .data16 - .gdt
