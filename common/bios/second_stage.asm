; second_stage.asm -- how a second stage begins: its head, and a look at itself
;
; in:   from the first stage: real mode, cs = ds = es = ss = 0, direction flag clear,
;       interrupts on, COM1 ready, dl = the boot drive
; out:  the same, every sector of the second stage known to be what the build wrote;
;       goes on with the line behind the %include

%include "x86/layout.inc"
%include "bios/second_stage.inc"

bits 16
org SECOND_STAGE

second_stage_head:
    istruc second_stage
    at second_stage.magic,          dd SECOND_STAGE_MAGIC
    at second_stage.sectors,        dw 0        ; image.py fills in
    at second_stage.kernel_sectors, dw 0        ; image.py fills in
    iend

second_stage_entry:
    ; First of all: no byte of this stage may change before it has been summed up.
    mov ax, SECOND_STAGE / PARAGRAPH
    mov cx, [second_stage_head + second_stage.sectors]
    call checksum
    jz second_stage_intact
    mov si, second_stage_damaged
    jmp print_and_halt

second_stage_damaged:
    db "The second stage is damaged: its checksum is wrong. "
    db "Write the image to the disk again.", CR, LF, 0

%include "bios/checksum.asm"
%include "bios/print.asm"
%include "bios/halt.asm"

second_stage_intact:
