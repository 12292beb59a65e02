; vga_print.asm -- text on the screen without the BIOS, and the same on COM1
;
; For 32- and for 64-bit code: whoever includes this file gets vga_print32 or
; vga_print64, by the `bits` in force.

%include "x86/serial_put.asm"

VGA_LIGHT_GREEN equ 0x0a                ; foreground colours, on black
VGA_LIGHT_CYAN  equ 0x0b
VGA_YELLOW      equ 0x0e

; vga_print -- write a line of text into the memory of the VGA text screen
;
; Each cell of the screen is two bytes: the character (code page 437), and its
; attribute, the foreground colour in bits 0 to 3 and the background in 4 to 6.
;
; in:        esi = the text, ended by a zero byte; bl = the attribute of all of it;
;            edi = the first cell; the direction flag is clear
; out:       edi = behind the last cell
; clobbers:  eax, ecx, edx, esi
for_mode(vga_print):
    lodsb
    test al, al
    jz .end_line
    mov ah, bl
    stosw                               ; al = the character, ah = its attribute
    call for_mode(serial_put)
    jmp for_mode(vga_print)

.end_line:                              ; only COM1 has to be told
    mov al, 13
    call for_mode(serial_put)
    mov al, 10
    jmp for_mode(serial_put)
