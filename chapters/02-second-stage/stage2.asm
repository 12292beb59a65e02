; stage2.asm -- a second stage that says where it came from
;
; Owns the memory from SECOND_STAGE (0x8200) up to its end.

%include "bios/second_stage.asm"

    push dx                             ; dl = the boot drive
    mov si, hello
    call print

    mov si, boot_drive
    call print
    pop ax
    call print_hex
    mov si, sectors
    call print
    movzx eax, word [second_stage_head + second_stage.sectors]
    mov cl, 0
    call print_decimal
    mov si, newline
    call print
    jmp halt

hello:      db "Hello from the second stage!", CR, LF, 0
boot_drive: db "Boot drive: 0x", 0
sectors:    db CR, LF, "Sectors of the second stage: ", 0
newline:    db CR, LF, 0

%include "bios/print_hex.asm"
%include "bios/print_number.asm"
