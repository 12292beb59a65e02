; bare.asm -- a boot sector that reads in the fastest way: loading.py
;
; SECTORS sectors from FIRST on with 127 a call, always into the same buffer, which
; begins at a multiple of 64 KiB. It checks nothing, repeats nothing and keeps nothing.
;
; in:   -DFIRST=... -DSECTORS=...; started by stopwatch.asm

%include "x86/layout.inc"
%include "report.inc"

BUFFER          equ 0x10000
MOST            equ 127
DISK_READ_EDD   equ 0x42

bits 16
org BOOT_SECTOR

    jmp 0:start
start:
    xor ax, ax
    mov ds, ax
    mov [drive], dl

.next:
    mov eax, MOST
    cmp eax, [left]
    jbe .count_known
    mov eax, [left]
.count_known:
    mov [packet.count], ax
    mov si, packet
    mov dl, [drive]
    mov ah, DISK_READ_EDD
    int 0x13
    movzx eax, word [packet.count]
    add [packet.lba], eax
    sub [left], eax
    jnz .next
    report

left:   dd SECTORS
drive:  db 0
align 4
packet: db 16, 0
.count: dw 0
        dw 0, BUFFER / PARAGRAPH        ; offset and segment
.lba:   dq FIRST

        times 446 - ($ - $$) db 0
