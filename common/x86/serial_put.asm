; serial_put.asm -- send a byte through COM1, in whichever mode the CPU is
;
; The source is right as 16-, 32- and 64-bit code, the machine code is not: each mode
; that sends includes this file once, behind its own `bits`, and gets a routine with
; the mode in its name: serial_put16, serial_put32, serial_put64.

%include "x86/serial.inc"
%define for_mode(name) name %+ __BITS__

; serial_put -- wait until COM1 can take a byte, and give it one
;
; A port that is not there reads as 0xff, which looks ready. One that never gets
; ready costs us a bounded wait, and perhaps the byte; the machine goes on.
;
; in:        al = the byte
; out:       nothing
; clobbers:  ah, ecx, dx
for_mode(serial_put):
    mov ah, al
    mov dx, UART_LSR
    mov ecx, 0xffff                     ; a look takes about 1 us, sending a byte 87 us
.wait:
    in al, dx
    test al, LSR_THRE
    loopz .wait

    mov dl, UART_THR & 0xff
    mov al, ah
    out dx, al
    ret
