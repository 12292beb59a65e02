; disk.asm -- reading sectors of the boot drive through the BIOS
;
; Two ways lead to a sector. The older counts cylinders, heads and sectors (CHS) and
; is all that a floppy drive offers. The newer, the Enhanced Disk Drive services
; (EDD), takes a plain sector number. We use EDD where the BIOS says that it is
; there, and CHS where it is not or where EDD keeps failing.
;
; All state lies in memory: after a call into the BIOS no register but cs, ds and those of
; the stack is trusted.
;
; Sources: BIOS Enhanced Disk Drive Specification 3.0, "Int 13 Extensions";
; Ralf Brown's Interrupt List, INT 13.

bits 16

BIOS_DISK       equ 0x13                ; the interrupt; below, what goes into ah
DISK_RESET      equ 0x00
DISK_READ_CHS   equ 0x02
DISK_GEOMETRY   equ 0x08
DISK_EDD_CHECK  equ 0x41
DISK_READ_EDD   equ 0x42
DISK_SIZE_EDD   equ 0x48

EDD_CHECK_ASK   equ 0x55aa              ; bx, as we set it
EDD_CHECK_REPLY equ 0xaa55              ; bx, as it comes back
EDD_PACKET_CALLS equ 1 << 0             ; in cx: DISK_READ_EDD and its kin work

DISK_MOST       equ 127                 ; sectors a call: with more, some BIOSes fail
DISK_WINDOW     equ 0x10000 / SECTOR_SIZE ; sectors between two multiples of 64 KiB
CHS_SECTOR_MASK equ 0x3f                ; of cl; the two bits above are the cylinder's
CHS_CYLINDERS   equ 1024

DISK_TOO_FAR    equ 0x04                ; the BIOS's status for "sector not found"

; disk_init -- remember the boot drive, and find out whether it has EDD
;
; in:        dl = the drive, as the BIOS gave it to the boot sector
; out:       nothing
; clobbers:  all but the segment registers
disk_init:
    mov [disk_drive], dl
    mov byte [disk_has_edd], 0
    mov word [disk_packet], disk_packet_end - disk_packet
    mov word [disk_offset], 0
    mov dword [disk_lba + 4], 0

    mov ah, DISK_EDD_CHECK
    mov bx, EDD_CHECK_ASK
    int BIOS_DISK
    jc .no_edd                          ; this BIOS does not know the call
    cmp bx, EDD_CHECK_REPLY
    jne .no_edd                         ; nor does this one, but it forgot to say so
    test cl, EDD_PACKET_CALLS
    jz .no_edd                          ; it knows only other parts of EDD
    mov byte [disk_has_edd], 1
.no_edd:
    ret

; disk_read -- read sectors into memory below 1 MiB
;
; A call that fails is repeated as it was, then with half as many sectors, and so on
; down to one; then the same through CHS. The drive is reset before each repeat.
;
; in:        disk_lba = the first sector, counted from 0; disk_segment:0x0000 = the
;            buffer, at a multiple of 512 bytes; cx = how many sectors, at least 1
; out:       CF = 0: disk_lba and disk_segment are behind what was read; the direction
;            flag is clear
;            CF = 1: disk_status = the BIOS's error, disk_lba = the sector at fault
; clobbers:  all but ds
disk_read:
    mov [disk_left], cx
.from_full_size:
    mov byte [disk_limit], DISK_MOST

.next:
    mov byte [disk_repeat], 1
.again:
    call disk_choose_count
    cmp byte [disk_has_edd], 0
    je .chs
    call disk_read_edd
    jmp .check
.chs:
    call disk_read_chs
.check:
    jc .failed

    mov ax, [disk_count]
    test ax, ax                         ; no error, and nothing read: that is one, too
    jz .failed
    movzx ebx, ax
    add [disk_lba], ebx
    adc dword [disk_lba + 4], 0
    shl bx, 5                           ; 32 paragraphs of 16 bytes make a sector
    add [disk_segment], bx
    sub [disk_left], ax
    jnz .next
    cld                                 ; a BIOS may leave it set
    ret                                 ; CF = 0, from the subtraction

.failed:
    mov [disk_status], ah
    mov ah, DISK_RESET
    mov dl, [disk_drive]
    int BIOS_DISK
    shr byte [disk_repeat], 1           ; CF = the 1 that was there, the first time
    jc .again
    shr byte [disk_limit], 1
    jnz .again
    shr byte [disk_has_edd], 1          ; from EDD to CHS, once
    jc .from_full_size
    stc
    ret

; disk_choose_count -- set disk_count, the number of sectors of the next call
;
; in:        disk_segment, disk_left, disk_limit
; out:       disk_count = the smallest of disk_left, disk_limit, and what fits below
;            the next multiple of 64 KiB: the PC's DMA controller counts 16 bits of
;            an address, and a transfer across such a line would wrap
; clobbers:  ax, bx
disk_choose_count:
    mov ax, [disk_segment]
    shr ax, 5
    and ax, DISK_WINDOW - 1             ; sectors since the last multiple of 64 KiB
    neg ax
    add ax, DISK_WINDOW                 ; sectors up to the next one, 1 to 128

    cmp ax, [disk_left]
    jbe .not_more_than_left
    mov ax, [disk_left]
.not_more_than_left:
    movzx bx, byte [disk_limit]
    cmp ax, bx
    jbe .not_more_than_limit
    mov ax, bx
.not_more_than_limit:
    mov [disk_count], ax
    ret

; disk_read_edd -- one call to the BIOS, by sector number
;
; in:        disk_packet
; out:       CF = 0, or CF = 1 and ah = the BIOS's status
; clobbers:  all but the segment registers
disk_read_edd:
    mov si, disk_packet
    mov ah, DISK_READ_EDD
    mov dl, [disk_drive]
    int BIOS_DISK
    ret

; disk_read_chs -- one call to the BIOS, by cylinder, head and sector
;
; in:        disk_packet; disk_count may be made smaller, to end with a track
; out:       CF = 0, or CF = 1 and ah = the BIOS's status
; clobbers:  all but ds
disk_read_chs:
    xor di, di                          ; some BIOSes want es:di = 0 here
    mov es, di
    mov ah, DISK_GEOMETRY
    mov dl, [disk_drive]
    int BIOS_DISK
    jc .done
    and cx, CHS_SECTOR_MASK             ; cx = sectors per track
    jz .too_far                         ; no drive has none: do not divide by it
    movzx bx, dh
    inc bx                              ; bx = heads

    cmp dword [disk_lba + 4], 0
    jne .too_far
    mov ax, [disk_lba]
    mov dx, [disk_lba + 2]
    cmp dx, cx
    jae .too_far                        ; the quotient would not fit into ax
    div cx                              ; ax = track, dx = sector in it, from 0
    sub cx, dx
    cmp cx, [disk_count]
    jae .within_track
    mov [disk_count], cx
.within_track:
    mov cx, dx
    inc cx                              ; cl = sector, from 1
    xor dx, dx
    div bx                              ; ax = cylinder, dx = head
    cmp ax, CHS_CYLINDERS
    jae .too_far
    mov dh, dl
    mov dl, [disk_drive]
    mov ch, al                          ; ch = bits 0 to 7 of the cylinder
    shl ah, 6
    or cl, ah                           ; bits 8 and 9 share cl with the sector

    les bx, [disk_offset]
    mov al, [disk_count]
    mov ah, DISK_READ_CHS
    int BIOS_DISK
.done:
    ret

.too_far:
    mov ah, DISK_TOO_FAR
    stc
    ret

; The variables lie apart from the code. Next to it, each write to one would make the CPU
; look whether we have just changed an instruction; emulators are very slow at that.
absolute DISK_STATE

disk_drive:     resb 1
disk_has_edd:   resb 1                  ; 1 while reads go through EDD
disk_limit:     resb 1                  ; sectors a call, halved after failures
disk_repeat:    resb 1                  ; 1 until this call has failed once
disk_status:    resb 1
                resb 1                  ; free
disk_left:      resw 1                  ; sectors that disk_read still has to read

disk_packet:                            ; what DISK_READ_EDD takes, at ds:si
    resw 1                              ; its own size
disk_count:     resw 1
disk_offset:    resw 1
disk_segment:   resw 1
disk_lba:       resq 1
disk_packet_end:

section .text
