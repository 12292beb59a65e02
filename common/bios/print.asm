; print.asm -- text on the screen through the BIOS, and the same on COM1
;
; On entry to each routine: real mode, ds = 0, direction flag clear.

bits 16
%include "x86/serial_put.asm"

BIOS_VIDEO      equ 0x10                ; the interrupt of the BIOS's screen routines
VIDEO_TELETYPE  equ 0x0e                ; ah: print al and move the cursor on

CR              equ 13                  ; the BIOS wants both to begin a new line
LF              equ 10

; print -- print a string
;
; in:        si = the string, ended by a zero byte
; out:       si = behind the zero byte
; clobbers:  al
print:
    lodsb
    test al, al
    jz .done
    call print_char
    jmp print
.done:
    ret

; print_char -- print one character
;
; in:        al = the character, in code page 437
; out:       nothing
; clobbers:  nothing
print_char:
    pushad                              ; some BIOSes lose bp when the screen scrolls
    call serial_put16
    mov ah, VIDEO_TELETYPE
    mov bx, 0x0007                      ; page 0; light grey, where the mode is graphic
    int BIOS_VIDEO
    popad
    ret
