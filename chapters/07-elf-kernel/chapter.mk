# What the image is made of, in the order in which it lies on the disk.
boot_sector   := common/bios/first_stage.asm
second_stage  := common/bios/loader_bios.asm
loader        := common/bios/loader_start.asm common/bios/loader.c \
                 common/bios/kernel_behind_loader.c common/bios/firmware_tables.c \
                 common/loader/loading.c common/loader/sentence.c common/loader/elf64.c \
                 common/loader/memory_map.c common/loader/page_table.c \
                 common/loader/address_space.c common/loader/enter_kernel.asm \
                 common/kernel/memory.c
loader_script := common/bios/loader.ld
kernel        := chapters/07-elf-kernel/kernel.c chapters/07-elf-kernel/text.c \
                 common/kernel/serial.c
linker_script := common/kernel/kernel.ld
kernel_flags  := $(HIGHER_HALF)
