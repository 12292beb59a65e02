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
TRIES           equ 4                   ; by number and by geometry, each
PACKET_SIZE     equ 16                  ; of what DISK_READ_EDD takes: see bios/disk.asm

boot_drive      equ SCRATCH
boot_status     equ SCRATCH + 1

    mov [boot_drive], dl
    mov bp, TRIES
    mov [rest_magic], bp                ; it may still be there, from an earlier start
    jmp .read

.again:
    mov ah, DISK_RESET
    call boot_disk

.read:
    ; A BIOS that does not know this call says so, or does nothing: then the sectors are
    ; not there. Some write into the packet: each try has one of its own, on the stack.
    push dword 0                        ; from its end: the upper half of the number,
    push dword BIOS_BOOT_LBA            ; the lower half,
    push ds                             ; the buffer's segment, 0,
    push REST_OF_FIRST_STAGE            ; and its offset,
    push REST_SECTORS
    push PACKET_SIZE
    mov si, sp
    mov ah, DISK_READ_EDD
    call boot_disk
    add sp, PACKET_SIZE
    cmp word [rest_magic], REST_MAGIC
    je .loaded
    call read_by_geometry
    cmp word [rest_magic], REST_MAGIC
.loaded:
    je rest_of_first_stage
    dec bp
    jnz .again

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
; clobbers:  all but bp and ds
read_by_geometry:
    xor di, di                          ; some BIOSes want es:di = 0 here
    mov ah, DISK_GEOMETRY
    call boot_disk
    jc .done
    and cx, CHS_SECTOR_MASK             ; cx = sectors per track
    jz .done                            ; no drive has none: do not divide by it
    movzx di, dh
    inc di                              ; di = heads

    mov si, BIOS_BOOT_LBA
    mov bx, REST_OF_FIRST_STAGE         ; to es:bx
.next:
    mov ax, si
    cwd                                 ; dx = 0
    div cx                              ; ax = track, dx = sector in it, from 0
    push cx
    mov cx, dx
    inc cx                              ; cl = sector, from 1
    cwd
    div di                              ; ax = cylinder, dx = head
    mov dh, dl
    mov ch, al                          ; at most 35: no bits of it go into cl
    mov ax, DISK_READ_CHS << 8 | 1
    call boot_disk
    pop cx
    jc .done
    add bh, SECTOR_SIZE >> 8            ; one byte less than add bx, and there is none
    inc si
    cmp si, SECOND_STAGE_LBA
    jb .next
.done:
    ret

; boot_disk -- call the BIOS for the boot drive, with es = 0
;
; in:        as the call wants it, but for dl and es
; out:       as the call gives it; boot_status = ah; the direction flag is clear
; clobbers:  dl and es, and as the call does, but not bx, bp, si, di
boot_disk:
    push bx
    push bp
    push si
    push di
    push ds
    pop es
    mov dl, [boot_drive]
    int BIOS_DISK
    cld                                 ; some leave it set
    mov [boot_status], ah
    pop di
    pop si
    pop bp
    pop bx
    ret

rest_missing:
    db "No loader in the BIOS boot partition: error 0x", 0

%include "bios/print.asm"
%include "bios/print_hex.asm"
%include "bios/halt.asm"
%include "bios/serial_init.asm"

%include "x86/fill.inc"

BOOT_CODE_SIZE  equ 440
DISK_SIGNATURE_SIZE equ 6               ; UEFI wants zeros, and for Windows see chapter 1
PARTITION_ENTRIES equ 4 * 16            ; gpt_image.py writes them

boot_code_end:
    fill_to BOOT_CODE_SIZE, boot sector
    times DISK_SIGNATURE_SIZE + PARTITION_ENTRIES db 0
    dw 0xaa55                           ; without this the BIOS does not boot the disk

; From here on it is the rest of the first stage, at 0x7e00.
%include "bios/first_stage_rest.asm"
