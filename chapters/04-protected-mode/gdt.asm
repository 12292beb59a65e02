; gdt.asm -- the Global Descriptor Table, field by field
;
; A descriptor is eight bytes. Its base and its limit are torn to pieces: the 286 had
; only the first six bytes, and the 386 had to put the rest where there was room.

%include "x86/descriptor.inc"

align 8                                 ; the CPU reads whole descriptors faster so
gdt:
    dq 0                                ; descriptor 0 is never used: a segment
                                        ; register may hold 0, and then means nothing

gdt_code32:
    dw 0xffff                           ; limit, bits 0 to 15
    dw 0x0000                           ; base, bits 0 to 15
    db 0x00                             ; base, bits 16 to 23
    db DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_READABLE | DESC_ACCESSED
    db DESC_PAGES | DESC_32BIT | 0xf    ; and limit, bits 16 to 19
    db 0x00                             ; base, bits 24 to 31

gdt_data:
    dw 0xffff
    dw 0x0000
    db 0x00
    db DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED
    db DESC_PAGES | DESC_32BIT | 0xf
    db 0x00
gdt_end:

gdt_pointer:                            ; what lgdt reads
    dw gdt_end - gdt - 1                ; the last byte's offset, not the size
    dd gdt                              ; linear address

GDT_CODE32      equ gdt_code32 - gdt    ; selectors: offsets into the table
GDT_DATA        equ gdt_data - gdt
