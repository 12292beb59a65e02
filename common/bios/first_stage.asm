; first_stage.asm -- three sectors that load any number of sectors
;
; The BIOS loads the boot sector and no more. Its 440 bytes are too few for disk code
; that deserves trust, but enough to load the two sectors behind it in the plainest
; way there is. Those hold the disk code, and load the second stage.
;
; Owns the memory from BOOT_SECTOR (0x7c00) to SECOND_STAGE (0x8200).
;
; in:   as the BIOS starts a boot sector (see entry.asm)
; out:  jumps to the second stage: real mode, cs = ds = es = ss = 0, direction flag
;       clear, interrupts on, COM1 ready, dl = the boot drive

%include "x86/layout.inc"
%include "bios/second_stage.inc"
%include "bios/entry.asm"

REST_OF_FIRST_STAGE equ BOOT_SECTOR + SECTOR_SIZE
REST_SECTORS    equ FIRST_STAGE_SECTORS - 1
SECOND_STAGE_LBA equ FIRST_STAGE_SECTORS
TRIES           equ 4

boot_drive      equ SCRATCH
boot_status     equ SCRATCH + 1

    ; The sectors next to the boot sector are sector 2 and up of cylinder 0, head 0 on
    ; every disk, whatever its geometry, and every BIOS has this call.
    mov [boot_drive], dl
    mov bp, TRIES
.try:
    push ds
    pop es
    mov ax, DISK_READ_CHS << 8 | REST_SECTORS
    mov bx, REST_OF_FIRST_STAGE         ; to es:bx
    mov cx, 0 << 8 | 2                  ; cylinder 0, sector 2
    movzx dx, byte [boot_drive]         ; dh: head 0
    push bp                             ; some BIOSes lose it
    int BIOS_DISK
    cld                                 ; some leave it set
    pop bp
    jnc .loaded

    mov [boot_status], ah
    mov ah, DISK_RESET
    mov dl, [boot_drive]
    int BIOS_DISK
    dec bp
    jnz .try
    cld
    mov si, rest_unreadable
    call print
    mov al, [boot_status]
    call print_hex
    jmp halt

.loaded:
    cmp word [rest_magic], REST_MAGIC
    je rest_of_first_stage
    mov si, rest_missing
    jmp print_and_halt

rest_unreadable:
    db "Cannot read sectors 1 and 2 of the boot disk: BIOS error 0x", 0
rest_missing:
    db "Sectors 1 and 2 of the boot disk are not ours: write the image again.", CR, LF, 0

%include "bios/print.asm"
%include "bios/print_hex.asm"
%include "bios/halt.asm"
%include "bios/serial_init.asm"
%include "bios/partition_table.asm"

; From here on it is the rest of the first stage, at 0x7e00.
%include "bios/first_stage_rest.asm"
