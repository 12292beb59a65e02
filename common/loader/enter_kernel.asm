; enter_kernel.asm -- the last instructions of a loader
;
; They run at a time when the page tables change under them. So the new tables map
; the pages of these instructions, and nothing else, at the same address as the old.
;
; The GDT is the kernel's until it has its own: it is used through the direct map.
; Instructions and GDT are one piece that means the same wherever it lies: a loader
; whose own place the kernel may want copies it to another.

%include "x86/registers.inc"
%include "x86/descriptor.inc"

bits 64
default rel

global enter_kernel
global enter_kernel_end

section .text

; enter_kernel -- switch to the kernel's page tables, stack and GDT, and start it
;
; In C: _Noreturn void enter_kernel(uint64_t page_tables, uint64_t entry,
;       uint64_t stack_top, uint64_t boot_info, uint64_t direct_map_base).
;
; in:        rdi = what goes into cr3, rsi = the entry, rdx = the end of the stack, a
;            multiple of 16, rcx = the struct boot_info, r8 = where the kernel sees
;            physical address 0. What lies from here to enter_kernel_end is mapped to its
;            physical address, in the new tables as well as now
; out:       does not return; the kernel starts as docs/boot-protocol.md says
align 16
enter_kernel:
    cli
    sub rsp, 16                         ; lgdt and lidt read ten bytes
    mov dword [rsp], 0
    mov qword [rsp + 2], 0
    lidt [rsp]                          ; an exception ends in a reset, wherever it is
    lea rax, [gdt]
    add rax, r8
    mov word [rsp], gdt.end - gdt - 1
    mov [rsp + 2], rax
    lgdt [rsp]

    mov cr3, rdi
    mov eax, CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG
    mov cr0, rax
    mov eax, CR4_PAE
    mov cr4, rax

    mov rsp, rdx
    mov eax, GDT_DATA
    mov ss, eax
    mov ds, eax
    mov es, eax
    mov fs, eax                         ; for its base of 0: AMD's CPUs before Zen 2 keep
    mov gs, eax                         ; the old base when the selector becomes 0
    xor eax, eax
    mov fs, eax
    mov gs, eax
    push rax                            ; the entry's return address: there is none

    ; A far return is the one way to load cs here: it takes the address and the
    ; segment from the stack.
    push GDT_CODE
    push rsi
    mov rdi, rcx
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor ebp, ebp                        ; the outermost frame
    xor r8d, r8d
    xor r9d, r9d
    xor r10d, r10d
    xor r11d, r11d
    xor r12d, r12d
    xor r13d, r13d
    xor r14d, r14d
    xor r15d, r15d
    push 1 << 1                         ; of rflags, only the bit that is always 1
    popfq
    retfq

align 8
gdt:
    dq 0
.code:
    dw 0xffff, 0x0000
    db 0x00, DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_READABLE | DESC_ACCESSED
    db DESC_PAGES | DESC_LONG | 0xf, 0x00
.data:
    dw 0xffff, 0x0000
    db 0x00, DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED
    db DESC_PAGES | DESC_32BIT | 0xf, 0x00
.end:
enter_kernel_end:

GDT_CODE        equ gdt.code - gdt
GDT_DATA        equ gdt.data - gdt

section .note.GNU-stack noalloc noexec nowrite progbits
