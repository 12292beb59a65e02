; gdt.asm -- a Global Descriptor Table for 32- and for 64-bit code
;
; Base 0 and limit 4 GiB throughout: we use no segments, but the CPU insists on them.

%include "x86/descriptor.inc"

; descriptor ACCESS, FLAGS -- eight bytes, from 0 to 4 GiB
%macro descriptor 2
    dw 0xffff, 0x0000                   ; limit 0 to 15, base 0 to 15
    db 0x00, %1, %2 | 0xf, 0x00         ; base 16 to 23; limit 16 to 19; base 24 to 31
%endmacro

align 8
gdt:
    dq 0
gdt_code32:
    descriptor DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_READABLE | DESC_ACCESSED, \
               DESC_PAGES | DESC_32BIT
gdt_data:
    descriptor DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED, \
               DESC_PAGES | DESC_32BIT
gdt_code64:
    descriptor DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_READABLE | DESC_ACCESSED, \
               DESC_PAGES | DESC_LONG
gdt_end:

gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt

GDT_CODE32      equ gdt_code32 - gdt
GDT_DATA        equ gdt_data - gdt
GDT_CODE64      equ gdt_code64 - gdt
