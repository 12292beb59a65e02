# What the image is made of, in the order in which it lies on the disk.
boot_sector   := common/bios/first_stage.asm
second_stage  := chapters/06-vga-hello/stage2.asm
kernel        := chapters/06-vga-hello/start.asm chapters/06-vga-hello/kernel.c \
                 common/kernel/serial.c common/kernel/memory.c
linker_script := chapters/06-vga-hello/kernel.ld
