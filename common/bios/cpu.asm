; cpu.asm -- can this CPU run 64-bit code?

%include "x86/registers.inc"

bits 16

; require_long_mode -- return if the CPU has all that we need, or halt with a sentence
;
; Source: Intel SDM volume 2, "CPUID"; volume 3, "Initializing IA-32e Mode".
;
; in:        ds = 0
; out:       nothing
; clobbers:  eax, ebx, ecx, edx, si
require_long_mode:
    ; CPUID exists if bit 21 of the flags can be changed.
    mov si, .no_cpuid
    pushfd
    pop eax
    mov ecx, eax
    xor eax, EFLAGS_ID
    push eax
    popfd
    pushfd
    pop eax
    push ecx                            ; as the flags were
    popfd
    cmp eax, ecx
    je print_and_halt

    mov eax, CPUID_FEATURES
    cpuid
    mov si, .no_msr
    test edx, CPUID_EDX_MSR
    jz print_and_halt
    mov si, .no_pae
    test edx, CPUID_EDX_PAE
    jz print_and_halt

    ; A CPU without extended functions may answer this with anything: it then gives
    ; the data of its highest basic function, a small number.
    mov si, .no_long_mode
    mov eax, CPUID_EXTENDED
    cpuid
    cmp eax, CPUID_EXTENDED_FEATURES
    jb print_and_halt
    mov eax, CPUID_EXTENDED_FEATURES
    cpuid
    test edx, CPUID_EDX_LONG_MODE
    jz print_and_halt
    ret

.no_cpuid:
    db "This CPU has no CPUID instruction: it is too old for a 64-bit kernel.", CR, LF, 0
.no_msr:
    db "This CPU has no model-specific registers (CPUID 1, EDX bit 5): it cannot", CR, LF
    db "run a 64-bit kernel.", CR, LF, 0
.no_pae:
    db "This CPU has no physical address extension (CPUID 1, EDX bit 6): it cannot", CR, LF
    db "run a 64-bit kernel.", CR, LF, 0
.no_long_mode:
    db "This CPU has no long mode (CPUID 0x80000001, EDX bit 29): it cannot run a", CR, LF
    db "64-bit kernel.", CR, LF, 0
