; protected_mode.asm -- from 16-bit real mode to 32-bit protected mode

%include "x86/registers.inc"

; enter_protected_mode -- switch the CPU to 32-bit protected mode
;
; From here on no BIOS call works, and an interrupt would find no table of handlers:
; interrupts stay off. Source: Intel SDM volume 3, "Switching to Protected Mode".
;
; in:        ebx = the 32-bit address to go on at
; out:       does not return; cs = GDT_CODE32, the other segment registers =
;            GDT_DATA, all of them from 0 to 4 GiB; a fresh stack at STACK_TOP; the
;            direction flag is clear
; clobbers:  eax, esp
; requires:  real mode, A20 on, ds = 0; gdt_pointer, GDT_CODE32 and GDT_DATA
bits 16
enter_protected_mode:
    cli
    lgdt [gdt_pointer]
    mov eax, cr0
    or  eax, CR0_PE
    mov cr0, eax

    ; cs still holds what real mode put there. Only a far jump loads it from the new
    ; table, and only then does the CPU decode 32-bit instructions.
    jmp GDT_CODE32:.protected

bits 32
.protected:
    mov ax, GDT_DATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, STACK_TOP
    cld                                 ; a BIOS may have left it set
    jmp ebx
