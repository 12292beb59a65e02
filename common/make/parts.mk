# parts.mk -- what more than one chapter is made of, in the order in which it is read

# From the kernel's file to its first instruction, whatever the firmware (chapter 7).
loading := common/loader/loading.c common/loader/sentence.c common/loader/elf64.c \
           common/loader/memory_map.c common/loader/page_table.c \
           common/loader/address_space.c common/loader/enter_kernel.asm \
           common/kernel/memory.c

# The part in C of a second stage, but for where the kernel's file is (chapter 7).
bios_loader := common/bios/loader_start.asm common/bios/loader.c \
               common/bios/firmware_tables.c $(loading)

# A loader that UEFI starts (chapter 10).
efi_loader := common/efi/loader.c common/efi/firmware.c common/efi/kernel_file.c \
              common/efi/graphics.c common/efi/graphics_mode.c common/efi/efi_memory.c \
              common/efi/efi_map.c common/loader/page_table_count.c common/kernel/serial.c \
              $(loading)

# A console, with kprintf and panic (chapter 8); and the screen of pixels (chapter 10).
console := common/kernel/kprintf.c common/kernel/format.c common/kernel/console.c \
           common/kernel/utf8.c common/kernel/cp437.c common/kernel/vga_text.c \
           common/kernel/serial.c common/kernel/panic.c common/kernel/registers.asm \
           common/kernel/backtrace.c common/kernel/symbols.c common/kernel/memory.c
pixels  := common/kernel/screen_init.c common/kernel/framebuffer.c build/font.c
