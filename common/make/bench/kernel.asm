; kernel.asm -- a kernel that only says when it started: loading.py
;
; The same bytes for two loaders: GRUB finds the Multiboot 2 header and starts the entry
; in 32-bit mode, ours starts it in 64-bit mode. Its first instruction reads the time.
;
; Source: Multiboot 2 specification, "The layout of Multiboot2 header".

%include "report.inc"

MULTIBOOT2_MAGIC equ 0xe85250d6
I386            equ 0                   ; the architecture
TAG_END         equ 0

bits 32

header:
    dd MULTIBOOT2_MAGIC, I386, header_end - header
    dd -(MULTIBOOT2_MAGIC + I386 + (header_end - header))
    dw TAG_END, 0
    dd 8                                ; the size of this tag
header_end:

    report                              ; the entry: loading.py knows where
