; stage2.asm -- ask the BIOS what only the BIOS knows, and free the memory above 1 MiB
;
; Owns the memory from SECOND_STAGE (0x8200) up to its end, and MEMORY_MAP.

%include "bios/second_stage.asm"

    call memory_map_read
    cld                                 ; a BIOS may have left it set
    mov si, no_memory_map
    jc print_and_halt
    call print_memory_map

    call a20_enable
    cld                                 ; a BIOS may have left it set
    push si
    mov si, a20_is_on
    call print
    pop si                              ; how it got on
    call print
    mov si, newline
    jmp print_and_halt

no_memory_map:
    db "This BIOS does not tell how much memory there is: it knows none of the", CR, LF
    db "calls E820h, E801h and 88h. Update it, or try another machine.", CR, LF, 0
a20_is_on:
    db "A20 is on: ", 0
newline:
    db CR, LF, 0

%include "bios/memory_map.asm"
%include "bios/a20.asm"
%include "print_memory_map.asm"
%include "bios/print_hex.asm"
%include "bios/print_number.asm"
