; boot.asm -- the first program that runs: a sector of 512 bytes that says hello
;
; Owns the memory from BOOT_SECTOR (0x7c00) to 0x7e00, and the stack below it.

%include "x86/layout.inc"
%include "bios/entry.asm"

    mov si, hello
    call print
    jmp halt

hello: db "Hello from 16-bit real mode!", CR, LF, 0

%include "bios/print.asm"
%include "bios/halt.asm"
%include "bios/serial_init.asm"
%include "bios/partition_table.asm"
