; disk_error.asm -- what to say when disk_read has failed

bits 16

EDD_SIZE_BUFFER equ SCRATCH
struc edd_size                          ; what DISK_SIZE_EDD fills in
    .length:    resw 1                  ; of this, set by the caller
    .flags:     resw 1
    .geometry:  resd 3
    .sectors:   resq 1                  ; on the whole disk
    .bytes_per_sector: resw 1
endstruc

; disk_read_failed -- say which sector cannot be read and why, then halt
;
; in:        disk_status, disk_lba, disk_drive
; out:       does not return
disk_read_failed:
    cld                                 ; a BIOS may leave it set
    mov si, .cannot_read
    call print
    mov bx, 4 - 1
    cmp dword [disk_lba + 4], 0
    je .lba_byte
    mov bx, 8 - 1                       ; beyond 2 TiB
.lba_byte:
    mov al, [disk_lba + bx]
    call print_hex
    dec bx
    jns .lba_byte
    mov si, .status
    call print
    mov al, [disk_status]
    call print_hex

    ; Is it a sector that the disk does not have? Then the image on it is cut short.
    mov si, EDD_SIZE_BUFFER
    mov dword [si + edd_size.length], edd_size_size ; and flags = 0: some BIOSes insist
    mov ah, DISK_SIZE_EDD
    mov dl, [disk_drive]
    int BIOS_DISK
    cld
    mov si, .is_read_error
    jc .say_why
    mov eax, [disk_lba]
    mov edx, [disk_lba + 4]
    cmp eax, [EDD_SIZE_BUFFER + edd_size.sectors]
    sbb edx, [EDD_SIZE_BUFFER + edd_size.sectors + 4]
    jb .say_why
    mov si, .is_truncated
.say_why:
    jmp print_and_halt

.cannot_read:
    db "Cannot read sector 0x", 0
.status:
    db " of the boot disk: BIOS error 0x", 0
.is_truncated:
    db ".", CR, LF
    db "The disk ends before it: the image is cut short. Write it to the disk again.", CR, LF, 0
.is_read_error:
    db ".", CR, LF
    db "Try another disk or port, or write the image again.", CR, LF, 0
