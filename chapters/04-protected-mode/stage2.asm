; stage2.asm -- from real mode to 32-bit protected mode
;
; Owns the memory from SECOND_STAGE (0x8200) up to its end.

%include "bios/second_stage.asm"

    call a20_enable
    mov ebx, protected_mode
    jmp enter_protected_mode

%include "bios/a20.asm"
%include "bios/protected_mode.asm"
%include "gdt.asm"

bits 32
protected_mode:
    mov esi, hello
    mov edi, VGA_TEXT
    mov bl, VGA_YELLOW
    call vga_print32
.halt:
    hlt                                 ; interrupts are off: for good
    jmp .halt

hello: db "Hello from 32-bit protected mode!", 0

%include "x86/vga_print.asm"
