; halt.asm -- the end of the road in real mode

bits 16

; print_and_halt -- print a last sentence, then halt
;
; in:        si = the string, ended by a zero byte
; out:       does not return
print_and_halt:
    call print

; halt -- do nothing, for good
;
; `hlt` sleeps until the next interrupt; the BIOS goes on handling its timer and its
; keyboard (so that Ctrl+Alt+Del works), and we go back to sleep.
;
; out:       does not return
halt:
    sti
    hlt
    jmp halt
