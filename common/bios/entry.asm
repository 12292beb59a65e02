; entry.asm -- the first bytes of a boot sector: from whatever the BIOS left to a
; state that we know
;
; in:   the BIOS has loaded this sector to linear 0x7c00 and jumped to it; dl = the
;       number of the drive it came from. Nothing else is promised: cs:ip may be
;       0x0000:0x7c00 or 0x07c0:0x0000, every other register may hold anything.
; out:  cs = ds = es = ss = 0, the stack below 0x7c00, direction flag clear,
;       interrupts on, text mode 3 with a clear screen, COM1 ready; dl as it came.
;       Goes on with the line behind the %include.

bits 16
org BOOT_SECTOR

BIOS_VIDEO_SET_MODE equ 0x0003          ; ax: set a mode; mode 3 is text, 80 x 25, colour

    jmp short entry
    nop

; A BIOS that takes the disk for a floppy believes that a FAT file system's
; parameter block lies here, and may write into it (the drive, hidden sectors). The
; block ends at 0x5a in its longest form. No code of ours lies in it, and the three
; fields that BIOSes are known to read hold the truth about a 1.44 MB floppy.
bpb:
    db "FIRSTLGT"                       ; name of the system that formatted the disk
    dw SECTOR_SIZE
    times 0x18 - ($ - $$) db 0
    dw 18                               ; sectors per track
    dw 2                                ; heads
    times 0x5a - ($ - $$) db 0

entry:
    ; Some BIOSes come here as 0x07c0:0x005a: the same byte, but another cs.
    ; Only a far jump loads cs.
    jmp 0x0000:.canonical

.canonical:
    ; An interrupt between the next two loads would use half of a stack, and an old
    ; 8086 did not hold it back.
    xor ax, ax
    cli
    mov ss, ax
    mov sp, STACK_TOP
    sti
    mov ds, ax
    mov es, ax
    cld

    push dx                             ; dl: the drive
    mov ax, BIOS_VIDEO_SET_MODE
    int BIOS_VIDEO
    call serial_init
    pop dx
