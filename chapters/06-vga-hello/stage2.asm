; stage2.asm -- load a kernel, switch to long mode, and start it
;
; Owns the memory from SECOND_STAGE (0x8200) up to its end, and PAGE_TABLES.

%include "bios/second_stage.asm"

    push dx                             ; dl = the boot drive
    call require_long_mode
    pop dx
    call disk_init
    call load_kernel
    call a20_enable
    mov ebx, protected_mode
    jmp enter_protected_mode

; load_kernel -- load the kernel from behind the second stage to KERNEL_BASE, and
; check it, or halt with a sentence
;
; in:        ds = es = 0; disk_init has been called
; out:       nothing
; clobbers:  all but ds and es
load_kernel:
    movzx eax, word [second_stage_head + second_stage.sectors]
    add eax, FIRST_STAGE_SECTORS
    mov [disk_lba], eax
    mov word [disk_segment], KERNEL_BASE / PARAGRAPH
    mov cx, [second_stage_head + second_stage.kernel_sectors]
    mov si, .missing
    jcxz print_and_halt
    call disk_read
    jc disk_read_failed

    mov ax, KERNEL_BASE / PARAGRAPH
    mov cx, [second_stage_head + second_stage.kernel_sectors]
    call checksum
    mov si, .damaged
    jnz print_and_halt
    ret

.missing:
    db "There is no kernel on the boot disk: write the image again.", CR, LF, 0
.damaged:
    db "The kernel is damaged: its checksum is wrong. "
    db "Write the image again.", CR, LF, 0

bits 32
protected_mode:
    call build_page_tables
    mov ebx, KERNEL_BASE                ; its first bytes are its entry, _start
    jmp enter_long_mode

%include "bios/print_hex.asm"
%include "bios/disk.asm"
%include "bios/disk_error.asm"
%include "bios/cpu.asm"
%include "bios/a20.asm"
%include "bios/protected_mode.asm"
%include "x86/gdt.asm"
%include "x86/long_mode.asm"
