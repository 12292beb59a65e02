; bench.asm -- a boot sector that measures the fastest way to read: bench.py
;
; Reads SECTORS sectors from FIRST on with 127 a call, always into the same buffer, which
; begins at a multiple of 64 KiB; then sends to COM1 how long it took, in ticks of
; the ACPI timer, as eight hexadecimal digits. It checks nothing and retries nothing: nothing is faster.
;
; in:   -DFIRST=... -DSECTORS=... -DTIMER=port

%include "x86/layout.inc"
%include "x86/serial.inc"

bits 16
org BOOT_SECTOR

BUFFER          equ 0x10000
MOST            equ 127

    jmp 0:start
start:
    xor ax, ax
    mov ds, ax
    mov [drive], dl

    mov dx, TIMER
    in eax, dx
    mov [begin], eax
.next:
    mov ax, MOST
    cmp ax, [left]
    jbe .count_known
    mov ax, [left]
.count_known:
    mov [packet.count], ax
    mov si, packet
    mov dl, [drive]
    mov ah, 0x42                        ; EDD: read by sector number
    int 0x13
    mov ax, [packet.count]
    add [packet.lba], ax
    sub [left], ax
    jnz .next
    mov dx, TIMER
    in eax, dx
    sub eax, [begin]
    and eax, 0xffffff                   ; it may have only 24 bits

    mov cx, 8
.digit:
    rol eax, 4
    push ax
    and al, 0x0f
    add al, '0'
    cmp al, '9'
    jbe .send
    add al, 'a' - '9' - 1
.send:
    mov dx, UART_THR
    out dx, al                          ; QEMU's port is never busy
    pop ax
    loop .digit
    cli
    hlt

begin:  dd 0
left:   dw SECTORS
drive:  db 0
align 4
packet: db 16, 0
.count: dw 0
        dw 0, BUFFER / PARAGRAPH        ; offset and segment
.lba:   dq FIRST

        times 446 - ($ - $$) db 0
