; first_stage_rest.asm -- the sectors behind the boot sector: load the second stage
;
; in:   real mode, cs = ds = ss = 0, boot_drive = the boot drive; who includes this says
;       with SECOND_STAGE_LBA where on the disk the second stage begins
; out:  as first_stage.asm says

SECOND_STAGE_MOST equ (KERNEL_LIMIT - SECOND_STAGE) / SECTOR_SIZE

rest_of_first_stage:
    mov dl, [boot_drive]
    call disk_init

    ; The first sector of the second stage tells how many there are.
    mov cx, 1
    call load_second_stage
    mov si, second_stage_missing
    cmp dword [SECOND_STAGE + second_stage.magic], SECOND_STAGE_MAGIC
    jne print_and_halt
    mov cx, [SECOND_STAGE + second_stage.sectors]
    mov ax, cx
    dec ax
    cmp ax, SECOND_STAGE_MOST           ; 0 wraps around, and is too many as well
    jae print_and_halt
    call load_second_stage

    xor ax, ax
    mov es, ax
    mov dl, [disk_drive]
    jmp SECOND_STAGE + second_stage.entry

; load_second_stage -- load sectors of it from its beginning, or halt with a sentence
;
; in:        cx = how many sectors
; out:       nothing
; clobbers:  all but ds
load_second_stage:
    mov dword [disk_lba], SECOND_STAGE_LBA
    mov word [disk_segment], SECOND_STAGE / PARAGRAPH
    call disk_read
    jc disk_read_failed
    ret

second_stage_missing:
    db "There is no second stage on the boot disk: write the image again.", CR, LF, 0

%include "bios/disk_error.asm"
%include "bios/disk.asm"

REST_MAGIC      equ "FL"                ; the last word of the first stage

    fill_to FIRST_STAGE_SECTORS * SECTOR_SIZE - 2, first stage
rest_magic:
    dw REST_MAGIC
