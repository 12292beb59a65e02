; first_stage.asm -- a boot sector on a disk with a GUID partition table
;
; The sectors behind a boot sector belong to the partition table here. So the two that
; it loads lie in a partition of their own, behind the table. Which cylinder, head and
; sector that is depends on the disk: it is asked for by its number, and only where
; the BIOS cannot do that, its place is worked out from the disk's geometry.
;
; Owns the memory from BOOT_SECTOR (0x7c00) to SECOND_STAGE (0x8200).
;
; in:   as the BIOS starts a boot sector (see bios/entry.asm)
; out:  jumps to the second stage: real mode, cs = ds = es = ss = 0, direction flag
;       clear, interrupts on, COM1 ready, dl = the boot drive

%include "x86/layout.inc"
%include "bios/second_stage.inc"
%include "bios/entry.asm"

REST_OF_FIRST_STAGE equ BOOT_SECTOR + SECTOR_SIZE
REST_SECTORS    equ FIRST_STAGE_SECTORS - 1
SECOND_STAGE_LBA equ BIOS_BOOT_LBA + REST_SECTORS
TRIES           equ 4

    mov [boot_drive], dl
    mov byte [tries], TRIES
.try:
    ; Memory may still hold what an earlier start has loaded.
    mov word [rest_magic], 0

    ; A BIOS that does not know this call says so, or does nothing: then the sectors are
    ; not there.
    mov si, packet
    mov ah, DISK_READ_EDD
    call boot_disk
    cmp word [rest_magic], REST_MAGIC
    je rest_of_first_stage
    call read_by_geometry
    cmp word [rest_magic], REST_MAGIC
    je rest_of_first_stage

    mov ah, DISK_RESET
    call boot_disk
    dec byte [tries]
    jnz .try
    mov si, rest_missing
    call print
    mov al, [boot_status]
    call print_hex
    jmp halt

; read_by_geometry -- read the rest of the first stage by cylinder, head and sector
;
; One sector at a time: the next one may be on another track.
;
; in:        boot_drive
; out:       the sectors, if all went well
; clobbers:  all but ds
read_by_geometry:
    mov ah, DISK_GEOMETRY
    call boot_disk
    jc .done
    and cx, CHS_SECTOR_MASK             ; cx = sectors per track
    jz .done                            ; no drive has none: do not divide by it
    movzx di, dh
    inc di                              ; di = heads

    mov si, BIOS_BOOT_LBA
    mov bx, REST_OF_FIRST_STAGE
.next:
    mov ax, si
    xor dx, dx
    div cx                              ; ax = track, dx = sector in it, from 0
    push cx
    mov cx, dx
    inc cx                              ; cl = sector, from 1
    xor dx, dx
    div di                              ; ax = cylinder, dx = head
    mov dh, dl
    mov ch, al                          ; a small number: the other bits stay 0
    push ds
    pop es
    mov ax, DISK_READ_CHS << 8 | 1
    call boot_disk
    pop cx
    jc .done
    add bx, SECTOR_SIZE
    inc si
    cmp si, SECOND_STAGE_LBA
    jb .next
.done:
    ret

; boot_disk -- call the BIOS for the boot drive
;
; in:        as the call wants it, but for dl
; out:       as the call gives it; boot_status = ah
; clobbers:  dl, and as the call does, but for si and di
boot_disk:
    mov dl, [boot_drive]
    push si
    push di
    int BIOS_DISK
    pop di
    pop si
    mov [boot_status], ah
    ret

packet:                                 ; what DISK_READ_EDD takes: see bios/disk.asm
    dw packet_end - packet
    dw REST_SECTORS
    dw REST_OF_FIRST_STAGE, 0           ; offset and segment of the buffer
    dq BIOS_BOOT_LBA
packet_end:

boot_drive:     db 0
boot_status:    db 0
tries:          db 0

rest_missing:
    db "Cannot read the BIOS boot partition: error 0x", 0

%include "bios/print.asm"
%include "bios/print_hex.asm"
%include "bios/halt.asm"
%include "bios/serial_init.asm"

%include "x86/fill.inc"

BOOT_CODE_SIZE  equ 446
PARTITION_ENTRIES equ 4 * 16            ; gpt_image.py writes them

boot_code_end:
    fill_to BOOT_CODE_SIZE, boot sector
    times PARTITION_ENTRIES db 0
    dw 0xaa55                           ; without this the BIOS does not boot the disk

; From here on it is the rest of the first stage, at 0x7e00.
%include "bios/first_stage_rest.asm"
