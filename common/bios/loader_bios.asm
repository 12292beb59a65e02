; loader_bios.asm -- the part of the boot loader that needs the BIOS
;
; The second stage from chapter 7 on. It asks the BIOS what only the BIOS knows, enters
; long mode, and calls the part in C (loader.c), which lies right behind it. That part
; comes back for each piece of the kernel file: only here can the BIOS be called.
;
; Owns the memory from SECOND_STAGE (0x8200) to LOADER_BASE, PAGE_TABLES, MEMORY_MAP,
; and DISK_BUFFER.

%include "bios/second_stage.asm"

    push dx                             ; dl = the boot drive
    call require_long_mode
    rdtsc                               ; a CPU with long mode has it
    mov [bios.tsc_start], eax
    mov [bios.tsc_start + 4], edx
    pop dx
    call disk_init

    call memory_map_read
    cld                                 ; a BIOS may have left it set
    mov si, no_memory_map
    jc print_and_halt
    call a20_enable
    mov ebx, protected_mode
    jmp enter_protected_mode

no_memory_map:
    db "This BIOS does not tell how much memory there is: it knows none of the", CR, LF
    db "calls E820h, E801h and 88h. Update it, or try another machine.", CR, LF, 0

bits 32
protected_mode:
    call build_page_tables
    mov ebx, long_mode
    jmp enter_long_mode

bits 64
long_mode:
    ; What is known now goes to loader.c, in one struct bios (bios.h).
    movzx eax, word [memory_map_count]
    mov [bios.memory_count], eax
    movzx eax, byte [disk_drive]
    mov [bios.boot_drive], eax
    movzx eax, word [second_stage_head + second_stage.sectors]
    add eax, FIRST_STAGE_SECTORS
    mov [bios.kernel_lba], eax
    mov edi, bios
    mov eax, LOADER_BASE                ; its first bytes are its entry
    jmp rax

; bios_read -- read sectors of the boot drive to DISK_BUFFER, or halt with a sentence
;
; In C: void read(uint64_t lba, uint64_t sectors). One way down to real mode and up again
; costs more than a call into the BIOS: so one way does for as many calls as the buffer
; holds. Each fills a window of 64 KiB of its own, as far as one call can.
;
; in:        rdi = the first sector; rsi = how many, at least 1; the caller knows how
;            many windows of the buffer are free
; out:       nothing
; clobbers:  as the System V ABI allows
bios_read:
    mov [disk_lba], rdi
    mov word [disk_segment], DISK_BUFFER / PARAGRAPH
    mov [bios_sectors], si
    mov eax, .in_real_mode
    jmp call_real_mode

bits 16
.in_real_mode:
    mov cx, DISK_MOST
    cmp cx, [bios_sectors]
    jbe .read_window
    mov cx, [bios_sectors]
.read_window:
    sub [bios_sectors], cx
    call disk_read
    jc disk_read_failed
    add word [disk_segment], SECTOR_SIZE / PARAGRAPH    ; the 128th is left out
    cmp word [bios_sectors], 0
    jne .in_real_mode
    ret

; bios_fail -- print a sentence on the screen and on COM1, then halt
;
; In C: void fail(const char *sentence).
;
; in:        rdi = the sentence, ended by a zero byte, below 64 KiB
; out:       does not return
bits 64
bios_fail:
    mov [bios_sentence], di
    mov eax, .in_real_mode
    jmp call_real_mode

bits 16
.in_real_mode:
    mov si, [bios_sentence]
    jmp print_and_halt

bios_sectors:   dw 0
bios_sentence:  dw 0

align 8
bios:                                   ; struct bios of bios.h
.tsc_start:     dq 0
                dq bios_read
                dq bios_fail
                dd MEMORY_MAP
.memory_count:  dd 0
.kernel_lba:    dd 0
.boot_drive:    dd 0

%include "bios/print_hex.asm"
%include "bios/disk.asm"
%include "bios/disk_error.asm"
%include "bios/cpu.asm"
%include "bios/memory_map.asm"
%include "bios/a20.asm"
%include "bios/protected_mode.asm"
%include "bios/real_mode.asm"
%include "x86/gdt.asm"
%include "x86/long_mode.asm"

%include "x86/fill.inc"
    fill_to LOADER_BASE - SECOND_STAGE, loader_bios.asm
