; partition_table.asm -- the last 72 bytes of a boot sector
;
; Many BIOSes boot a disk only if its first sector has a partition table with
; exactly one active entry. Ours covers the whole image behind the boot sector.
;
; Layout: 440 bytes of code; six that belong to Windows, which writes a number there to
; tell disks apart; four entries of 16 bytes; the signature 0x55 0xaa.

%include "x86/fill.inc"

BOOT_CODE_SIZE  equ 440
DISK_SIGNATURE_SIZE equ 6
IMAGE_SECTORS   equ 2880                ; 80 tracks x 2 heads x 18 sectors: a 1.44 MB floppy

PARTITION_ACTIVE equ 0x80
PARTITION_TYPE  equ 0x7f                ; set aside for systems under development

boot_code_end:
    fill_to BOOT_CODE_SIZE, boot sector
    times DISK_SIGNATURE_SIZE db 0

partition_table:
    db PARTITION_ACTIVE
    db 0, 2, 0                          ; first sector as head, sector (from 1), cylinder
    db PARTITION_TYPE
    db 1, 18, 79                        ; last sector, likewise
    dd 1                                ; first sector, counted from 0
    dd IMAGE_SECTORS - 1                ; number of sectors
    times 3 * 16 db 0                   ; three entries not used

    dw 0xaa55                           ; without this the BIOS does not boot the disk
