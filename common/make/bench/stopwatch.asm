; stopwatch.asm -- a boot sector that starts another one and says when: loading.py
;
; It stands in front of a loader that is to be measured, and leaves in the debug
; registers, which neither a BIOS nor a boot loader uses:
;
;   dr0, dr1   the time stamp counter as the other boot sector starts, low half and high
;   dr2        the same at our own start, its low half
;   dr3        how far the counter counts in TICKS ticks of the ACPI timer, whose rate is
;              known. (That timer itself would not do: it has 24 bits, and starts anew
;              after 4.7 s.)
;
; in:   as the BIOS starts a boot sector; -DREAL=the sector in which the other one is,
;       -DTIMER=the port of the ACPI timer, -DTICKS=...
; out:  the other boot sector at 0x7c00; dl = the boot drive

%include "x86/layout.inc"

DISK_READ_EDD   equ 0x42
ASIDE           equ 0x9000              ; a segment

bits 16
org BOOT_SECTOR

    jmp short start
    times 0x5a - ($ - $$) db 0          ; some BIOSes write into this area

start:
    xor ax, ax
    cli
    mov ss, ax
    mov sp, BOOT_SECTOR
    sti
    mov ds, ax
    push dx

    ; Make room for the other one: go to the same offset in another segment. No loader
    ; writes to it: QEMU is slow where code that it has translated shares a page with data.
    mov ax, ASIDE
    mov es, ax
    cld
    mov si, BOOT_SECTOR
    mov di, si
    mov cx, SECTOR_SIZE / 2
    rep movsw
    jmp ASIDE:.moved

.moved:
    mov ds, ax
    rdtsc
    mov dr2, eax
    mov esi, eax

    mov dx, TIMER
    in eax, dx
    mov ebx, eax
.tick:
    in eax, dx
    sub eax, ebx
    and eax, 0xffffff                   ; it may have only 24 bits
    cmp eax, TICKS
    jb .tick
    rdtsc
    sub eax, esi
    mov dr3, eax

    pop dx
    push dx
    mov si, packet
    mov ah, DISK_READ_EDD
    int 0x13
    jc $                                ; bench.py waits in vain, and says so
    rdtsc
    mov dr0, eax
    mov eax, edx
    mov dr1, eax
    pop dx
    jmp 0:BOOT_SECTOR

align 4
packet: db 16, 0
        dw 1
        dw 0, BOOT_SECTOR / PARAGRAPH   ; offset and segment
        dq REAL

        times 446 - ($ - $$) db 0
