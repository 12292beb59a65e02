; stage2.asm -- from real mode to 64-bit long mode
;
; Owns the memory from SECOND_STAGE (0x8200) up to its end, and PAGE_TABLES.

%include "bios/second_stage.asm"

    call require_long_mode
    call a20_enable
    mov ebx, protected_mode
    jmp enter_protected_mode

bits 32
protected_mode:
    call build_page_tables
    mov ebx, long_mode
    jmp enter_long_mode

bits 64
long_mode:
    mov esi, hello
    mov edi, VGA_TEXT
    mov bl, VGA_LIGHT_GREEN
    call vga_print64
.halt:
    hlt
    jmp .halt

hello: db "Hello from 64-bit long mode!", 0

%include "x86/vga_print.asm"            ; as 64-bit code

%include "bios/cpu.asm"
%include "bios/a20.asm"
%include "bios/protected_mode.asm"
%include "x86/gdt.asm"
%include "x86/long_mode.asm"
