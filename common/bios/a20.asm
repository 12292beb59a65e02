; a20.asm -- let address line 20 through
;
; The 8086 had 20 address lines: one byte past 1 MiB was byte 0 again, and programs
; relied on that. So the PC/AT got a gate that holds line 20 at zero. While it does,
; every odd MiB of memory is a second view of the even one below.
;
; Nobody promises in which state a BIOS leaves the gate, or by which of three ways it
; opens. So: look first, try a way, look again.
;
; Sources: IBM PC AT Technical Reference, "Keyboard Controller"; Ralf Brown's
; Interrupt List, INT 15/AX=2401h; Intel 8042 data sheet.

bits 16

BIOS_A20_ON     equ 0x2401              ; ax, for interrupt 0x15

SYSTEM_CONTROL  equ 0x92                ; the port of the PS/2's fast gate
SYSTEM_A20      equ 1 << 1
SYSTEM_RESET    equ 1 << 0              ; writing a 1 resets the CPU

KBC_DATA        equ 0x60                ; the keyboard controller (8042)
KBC_COMMAND     equ 0x64                ; written: a command; read: the status
KBC_INPUT_FULL  equ 1 << 1              ; status: it has not yet read our last byte
KBC_WRITE_OUTPUT equ 0xd1               ; command: the next byte goes to the output port
KBC_OUTPUT_A20  equ 0xdf                ; no reset (bit 0), A20 on (bit 1), the
                                        ; others as the keyboard needs them
KBC_NOTHING     equ 0xff                ; command: pulse no line. When it is through,
                                        ; so is the one before

A20_LOOKS       equ 0x8000              ; after a change: a slow gate takes its time
IO_DELAY        equ 0x80                ; a write to this port takes about 1 us

; a20_enable -- switch the A20 line on, or halt with a sentence
;
; in:        ds = 0
; out:       A20 is on; si = a string that says how it got on
; clobbers:  all but the segment registers
a20_enable:
    mov cx, 2
    call a20_look
    mov si, .already
    jnc .on

    mov ax, BIOS_A20_ON
    int 0x15
    call a20_wait
    mov si, .bios
    jnc .on

    call a20_by_system_control
    call a20_wait
    mov si, .system_control
    jnc .on

    call a20_by_keyboard_controller
    call a20_wait
    mov si, .keyboard_controller
    jnc .on

    mov si, .stuck
    jmp print_and_halt
.on:
    ret

.already:               db "the firmware left it on", 0
.bios:                  db "through the BIOS", 0
.system_control:        db "through port 0x92", 0
.keyboard_controller:   db "through the keyboard controller", 0
.stuck:
    db "Cannot switch on the A20 line: neither the BIOS, nor port 0x92, nor the", CR, LF
    db "keyboard controller did it. Look for a BIOS setting called Gate A20.", CR, LF, 0

; a20_by_system_control -- the PS/2's way: a bit of port 0x92
;
; in:        nothing
; out:       nothing
; clobbers:  al
a20_by_system_control:
    in al, SYSTEM_CONTROL
    test al, SYSTEM_A20
    jnz .done                           ; set and yet off: this port is no gate
    or  al, SYSTEM_A20
    and al, ~SYSTEM_RESET & 0xff
    out SYSTEM_CONTROL, al
.done:
    ret

; a20_by_keyboard_controller -- the AT's way: the keyboard controller had a line left
;
; in:        nothing
; out:       nothing
; clobbers:  al, cx
a20_by_keyboard_controller:
    cli                                 ; the BIOS's keyboard handler talks to it, too
    call .wait
    jc .done
    mov al, KBC_WRITE_OUTPUT
    out KBC_COMMAND, al
    call .wait
    jc .done
    mov al, KBC_OUTPUT_A20
    out KBC_DATA, al
    call .wait
    jc .done
    mov al, KBC_NOTHING
    out KBC_COMMAND, al
    call .wait
.done:
    sti
    ret

.wait:                                  ; CF = 1 if it never takes our byte, or is absent
    xor cx, cx
.busy:
    out IO_DELAY, al
    in al, KBC_COMMAND
    test al, KBC_INPUT_FULL
    loopnz .busy
    jz .ready
    stc
.ready:
    ret

; a20_wait -- look until the A20 line is on, for about 30 ms
;
; in:        nothing
; out:       CF = 0: on; CF = 1: still off
; clobbers:  ax, cx
a20_wait:
    mov cx, A20_LOOKS

; a20_look -- is the A20 line on?
;
; 0xffff:0x0610 is linear 0x100600. With A20 off, that is the word at 0x600. With A20
; on, both words may still be equal by chance, so each look writes another number.
;
; in:        cx = how many looks, at least 2
; out:       CF = 0: on; CF = 1: each look said off
; clobbers:  ax, cx
a20_look:
    push es
    mov ax, 0xffff
    mov es, ax
.again:
    mov [SCRATCH], cx
    out IO_DELAY, al
    cmp [es:SCRATCH + PARAGRAPH], cx
    jne .on
    loop .again
    pop es
    stc
    ret
.on:
    pop es
    clc
    ret
