; serial_init.asm -- get COM1 ready

bits 16
%include "x86/serial.inc"

; serial_init -- set COM1 to 115200 baud, 8N1, no interrupts
;
; Nothing that the firmware left in the port is relied on. Where there is no port,
; nobody listens to these writes, and they do no harm.
;
; in:        nothing
; out:       nothing
; clobbers:  al, dx
serial_init:
    mov dx, UART_IER
    mov al, 0                           ; we ask the port, it does not interrupt us
    out dx, al

    mov dl, UART_LCR & 0xff             ; dh stays: all of COM1 is at 0x3f8 to 0x3ff
    mov al, LCR_DLAB | LCR_8N1
    out dx, al
    mov dl, UART_DLL & 0xff
    mov al, DIVISOR & 0xff
    out dx, al
    mov dl, UART_DLM & 0xff
    mov al, DIVISOR >> 8
    out dx, al
    mov dl, UART_LCR & 0xff
    mov al, LCR_8N1
    out dx, al

    mov dl, UART_FCR & 0xff
    mov al, FCR_ON_EMPTY
    out dx, al
    mov dl, UART_MCR & 0xff
    mov al, MCR_DTR_RTS
    out dx, al
    ret
