# What the image is made of: a disk with an EFI System Partition, and in it a loader and a
# kernel.
firmwares     := uefi
efi           := common/efi/loader.c common/efi/firmware.c common/efi/kernel_file.c \
                 common/efi/graphics.c common/efi/graphics_mode.c \
                 common/efi/efi_memory.c common/efi/efi_map.c \
                 common/loader/loading.c common/loader/sentence.c common/loader/elf64.c \
                 common/loader/memory_map.c common/loader/page_table.c \
                 common/loader/page_table_count.c common/loader/address_space.c \
                 common/loader/enter_kernel.asm common/kernel/serial.c common/kernel/memory.c
kernel        := chapters/07-elf-kernel/kernel.c chapters/07-elf-kernel/text.c common/kernel/serial.c
linker_script := common/kernel/kernel.ld
kernel_flags  := $(HIGHER_HALF)
