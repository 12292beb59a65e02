; print_memory_map.asm -- the memory map as a table

bits 16

; print_memory_map -- print where the map comes from, and a line for each entry
;
; in:        the map, as memory_map_read left it; it has at least one entry
; out:       nothing
; clobbers:  eax, ebx, cx, edx, si, di
print_memory_map:
    mov si, .title
    call print
    mov si, [memory_map_source]
    call print
    mov si, .columns
    call print

    mov di, MEMORY_MAP
    mov cx, [memory_map_count]
.next_entry:
    push cx
    call print_memory_map_entry
    add di, memory_map_entry_size
    pop cx
    loop .next_entry
    ret

.title:
    db "Memory map (", 0
.columns:
    db "):", CR, LF
    db "base                length                    size  type", CR, LF, 0

; print_memory_map_entry -- print one line of the table
;
; in:        di = the entry
; out:       nothing
; clobbers:  eax, ebx, cx, edx, si
print_memory_map_entry:
    lea si, [di + memory_map_entry.base]
    call print_hex64
    lea si, [di + memory_map_entry.length]
    call print_hex64

    mov eax, [di + memory_map_entry.length]
    mov edx, [di + memory_map_entry.length + 4]
    call print_size

    mov ebx, [di + memory_map_entry.type]
    cmp ebx, MEMORY_TYPES
    jb .known
    xor ebx, ebx
.known:
    add bx, bx
    mov si, [memory_type_names + bx]
    jmp print

; print_hex64 -- print a 64-bit number in hexadecimal, and two blanks
;
; in:        si = address of the number
; out:       nothing
; clobbers:  al, cx, si
print_hex64:
    push si
    mov si, .prefix
    call print
    pop si
    add si, 7                           ; the highest byte is the last in memory
    mov cx, 8
.next_byte:
    mov al, [si]
    dec si
    call print_hex
    loop .next_byte
    mov si, .two_blanks
    jmp print

.prefix:        db "0x", 0
.two_blanks:    db "  ", 0

; print_size -- print a size in KiB, or in MiB from 10 MiB up
;
; in:        edx:eax = the size in bytes, below 4 PiB
; out:       nothing
; clobbers:  eax, cl, edx, si
print_size:
    mov si, .kib
    shrd eax, edx, 10
    shr edx, 10
    jnz .in_mib
    cmp eax, 10 << 10
    jb .print
.in_mib:
    mov si, .mib
    shrd eax, edx, 10
.print:
    mov cl, 8
    call print_decimal
    jmp print

.kib:   db " KiB  ", 0
.mib:   db " MiB  ", 0

memory_type_names:                      ; by type
    dw .unknown, .usable, .reserved, .acpi, .nvs, .bad
MEMORY_TYPES    equ ($ - memory_type_names) / 2
.unknown:   db "unknown type", CR, LF, 0
.usable:    db "usable", CR, LF, 0
.reserved:  db "reserved", CR, LF, 0
.acpi:      db "ACPI tables", CR, LF, 0
.nvs:       db "ACPI non-volatile", CR, LF, 0
.bad:       db "bad memory", CR, LF, 0
