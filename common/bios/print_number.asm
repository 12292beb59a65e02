; print_number.asm -- numbers in decimal

bits 16

; print_decimal -- print a number in decimal, right-aligned where a width is given
;
; in:        eax = the number; cl = the least number of characters, 0 to 20: blanks
;            fill up on the left
; out:       nothing
; clobbers:  eax, cl
print_decimal:
    push ebx
    push edx
    mov ebx, 10
    push bx                             ; 10 is no digit: it marks the last one
.divide:
    xor edx, edx
    div ebx
    push dx                             ; digits come out from the right
    dec cl
    test eax, eax
    jnz .divide

.pad:
    dec cl
    js .next_digit
    mov al, ' '
    call print_char
    jmp .pad
.next_digit:
    pop ax
    cmp al, 10
    je .done
    add al, '0'
    call print_char
    jmp .next_digit
.done:
    pop edx
    pop ebx
    ret
