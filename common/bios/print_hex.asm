; print_hex.asm -- a byte in hexadecimal

bits 16

; print_hex -- print two hexadecimal digits
;
; in:        al = the number
; out:       nothing
; clobbers:  al
print_hex:
    push ax
    shr al, 4
    call .digit
    pop ax
    and al, 0x0f
.digit:
    add al, '0'
    cmp al, '9'
    jbe print_char
    add al, 'a' - '9' - 1               ; from behind '9' to 'a'
    jmp print_char
