; long_mode.asm -- from 32-bit protected mode to 64-bit long mode

%include "x86/registers.inc"
%include "x86/paging.inc"

PML4            equ PAGE_TABLES                 ; page map level 4
PDPT            equ PAGE_TABLES + PAGE_SIZE     ; page directory pointer table
PAGE_DIRECTORY  equ PAGE_TABLES + 2 * PAGE_SIZE
TABLE_ENTRIES   equ 512
LARGE_PAGE_SIZE equ 2 << 20

bits 32

; build_page_tables -- map the first GiB to itself, in pages of 2 MiB
;
; Three tables of 512 entries: entry 0 of the first points to the second, entry 0 of
; that to the third, and each entry of the third to 2 MiB of memory.
;
; in:        the direction flag is clear
; out:       three tables at PAGE_TABLES
; clobbers:  eax, ecx, edi
build_page_tables:
    mov edi, PML4
    mov ecx, 3 * PAGE_SIZE / 4
    xor eax, eax
    rep stosd                           ; not present: every entry of all three

    mov dword [PML4], PDPT | PAGE_WRITABLE | PAGE_PRESENT
    mov dword [PDPT], PAGE_DIRECTORY | PAGE_WRITABLE | PAGE_PRESENT

    mov edi, PAGE_DIRECTORY
    mov eax, 0 | PAGE_LARGE | PAGE_WRITABLE | PAGE_PRESENT
    mov ecx, TABLE_ENTRIES
.next_page:
    mov [edi], eax                      ; the upper half stays 0
    add eax, LARGE_PAGE_SIZE
    add edi, 8
    loop .next_page
    ret

; enter_long_mode -- switch the CPU to 64-bit long mode
;
; Source: Intel SDM volume 3, "Initializing IA-32e Mode".
;
; in:        ebx = the 64-bit code to go on at, below 4 GiB
; out:       does not return; cs = GDT_CODE64, a fresh stack at STACK_TOP
; clobbers:  rax, rcx, rdx, rbx, rsp
; requires:  protected mode, paging off, interrupts off; the page tables built
enter_long_mode:
    mov eax, cr4
    or  eax, CR4_PAE                    ; entries of 8 bytes
    mov cr4, eax

    mov eax, PML4
    mov cr3, eax

    mov ecx, MSR_EFER
    rdmsr
    or  eax, EFER_LME
    wrmsr

    mov eax, cr0
    or  eax, CR0_PG                     ; with LME set, this is what activates long mode
    mov cr0, eax

    ; We are in long mode, but in its compatibility half: the code segment still says
    ; that instructions are 32-bit. The next one says that they are 64-bit.
    jmp GDT_CODE64:.long_mode

bits 64
.long_mode:
    mov esp, STACK_TOP                  ; a write to esp clears the upper half of rsp
    mov ebx, ebx                        ; which for the others is undefined by now
    jmp rbx
