; memory_map.asm -- which memory is there, and which of it is free: only the BIOS
; knows
;
; The map is an array of entries at MEMORY_MAP, as the BIOS gives them: in any order,
; and they may overlap.
;
; Source: ACPI specification, "INT 15H, E820H - Query System Address Map"; Ralf
; Brown's Interrupt List, INT 15/AX=E801h and INT 15/AH=88h.

bits 16

BIOS_SYSTEM     equ 0x15                ; the interrupt; below, what goes into ax
SYSTEM_E820     equ 0xe820
SYSTEM_E801     equ 0xe801
SYSTEM_88       equ 0x8800
BIOS_LOW_MEMORY equ 0x12                ; an interrupt of its own

E820_SIGNATURE  equ 0x534d4150          ; "SMAP"
E820_LENGTH     equ 20                  ; of an entry before ACPI 3
E820_BUFFER     equ SCRATCH
E820_CALLS      equ 1024                ; a BIOS that has not ended by then never will

struc memory_map_entry
    .base:          resq 1
    .length:        resq 1
    .type:          resd 1
    .attributes:    resd 1              ; ACPI 3
endstruc

MEMORY_USABLE       equ 1               ; values of .type
MEMORY_ATTR_VALID   equ 1 << 0          ; in .attributes: do not ignore this entry

MEMORY_MAP_MOST equ (MEMORY_MAP_END - MEMORY_MAP) / memory_map_entry_size

; memory_map_read -- ask the BIOS for its map, the best way first
;
; in:        ds = es = 0
; out:       CF = 0: memory_map_count entries at MEMORY_MAP; memory_map_source = the
;            name of the call that gave them
;            CF = 1: no call gave any
; clobbers:  all but ds and es
memory_map_read:
    mov word [memory_map_source], .e820
    call memory_map_e820
    jnc .done
    mov word [memory_map_source], .e801
    call memory_map_e801
    jnc .done
    mov word [memory_map_source], .88
    call memory_map_88
.done:
    ret

.e820:  db "INT 15h, AX=E820h", 0
.e801:  db "INT 15h, AX=E801h", 0
.88:    db "INT 15h, AH=88h", 0

; memory_map_e820 -- the whole map, one entry a call
;
; in:        ds = es = 0
; out:       CF = 0 and the map, or CF = 1: no such call, or a broken one
; clobbers:  all but ds and es
memory_map_e820:
    mov word [memory_map_count], 0
    xor ebx, ebx                        ; 0 asks for the first entry
    mov bp, E820_CALLS
.next:
    ; There are BIOSes that say 24 bytes and fill in 20, and BIOSes that count on the
    ; buffer being the same each time.
    mov dword [E820_BUFFER + memory_map_entry.attributes], MEMORY_ATTR_VALID
    mov di, E820_BUFFER
    mov eax, SYSTEM_E820
    mov edx, E820_SIGNATURE             ; each time: some BIOSes destroy it
    mov ecx, memory_map_entry_size
    push bp
    int BIOS_SYSTEM
    pop bp

    ; In this order. The carry flag ends the map, and an end has no signature.
    jc .end
    cmp eax, E820_SIGNATURE
    jne .broken                         ; what came before is not to be trusted either
    cmp cx, E820_LENGTH
    jb .skip
    cmp cx, memory_map_entry_size
    jb .no_attributes
    test byte [E820_BUFFER + memory_map_entry.attributes], MEMORY_ATTR_VALID
    jz .skip
.no_attributes:
    mov eax, [E820_BUFFER + memory_map_entry.length]
    or  eax, [E820_BUFFER + memory_map_entry.length + 4]
    jz .skip

    imul di, [memory_map_count], memory_map_entry_size
    add di, MEMORY_MAP
    mov si, E820_BUFFER
    mov cx, memory_map_entry_size
    cld                                 ; a BIOS may leave it set
    rep movsb
    inc word [memory_map_count]
    cmp word [memory_map_count], MEMORY_MAP_MOST
    jae .end
.skip:
    test ebx, ebx                       ; 0 says that this was the last entry
    jz .end
    dec bp
    jnz .next
.end:
    cmp word [memory_map_count], 1      ; CF = 1 if there is none
    ret
.broken:
    stc
    ret

; memory_map_e801 -- two sizes: from 1 to 16 MiB, and from 16 MiB up
;
; in:        ds = 0
; out:       CF = 0 and the map, or CF = 1: no such call
; clobbers:  all but ds and es
memory_map_e801:
    xor cx, cx
    xor dx, dx
    mov ax, SYSTEM_E801
    stc                                 ; a BIOS without the call may leave CF as it is
    int BIOS_SYSTEM
    jc .done
    test ax, ax
    jnz .in_ax_bx
    test bx, bx
    jnz .in_ax_bx
    mov ax, cx                          ; the older of two conventions
    mov bx, dx
    or  cx, dx
    jz .none
.in_ax_bx:
    cmp ax, 15 << 10                    ; KiB: from 1 to 16 MiB there cannot be more
    ja .none
    push bx
    call memory_map_low
    movzx eax, ax
    mov ebx, 1 << 20
    mov cl, 10                          ; ax counts KiB
    call memory_map_add
    pop ax
    movzx eax, ax
    mov ebx, 16 << 20
    mov cl, 16                          ; bx counted 64 KiB
    call memory_map_add
    clc
.done:
    ret
.none:
    stc
    ret

; memory_map_88 -- one size: from 1 MiB up, at most 64 MiB
;
; in:        ds = 0
; out:       CF = 0 and the map, or CF = 1: no such call
; clobbers:  all but ds and es
memory_map_88:
    mov ax, SYSTEM_88
    clc                                 ; every AT has this call, not every one clears CF
    int BIOS_SYSTEM
    jc .done
    call memory_map_low
    movzx eax, ax
    mov ebx, 1 << 20
    mov cl, 10                          ; ax counts KiB
    call memory_map_add
    clc
.done:
    ret

; memory_map_low -- begin a map with the memory below 640 KiB
;
; in:        ds = 0
; out:       the map has one entry
; clobbers:  ebx, cl, di, the upper half of eax
memory_map_low:
    mov word [memory_map_count], 0
    push ax
    int BIOS_LOW_MEMORY
    movzx eax, ax
    xor ebx, ebx
    mov cl, 10                          ; ax counts KiB
    call memory_map_add
    pop ax
    ret

; memory_map_add -- append an entry for usable memory
;
; in:        ebx = its base; eax = its length, in units of 1 << cl bytes
; out:       the map has one entry more, unless the length is 0
; clobbers:  eax, ebx, di
memory_map_add:
    shl eax, cl
    jz .done
    imul di, [memory_map_count], memory_map_entry_size
    add di, MEMORY_MAP
    mov [di + memory_map_entry.base], ebx
    mov [di + memory_map_entry.length], eax
    xor eax, eax
    mov [di + memory_map_entry.base + 4], eax
    mov [di + memory_map_entry.length + 4], eax
    mov dword [di + memory_map_entry.type], MEMORY_USABLE
    mov dword [di + memory_map_entry.attributes], MEMORY_ATTR_VALID
    inc word [memory_map_count]
.done:
    ret

memory_map_count:   dw 0
memory_map_source:  dw 0
