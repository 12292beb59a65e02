# What the image is made of: for a BIOS two stages, for UEFI a program, and one kernel for
# both.
firmwares     := bios uefi
boot_sector   := chapters/11-disk-image/first_stage.asm
second_stage  := common/bios/loader_bios.asm
loader        := $(bios_loader) chapters/11-disk-image/kernel_in_fat.c \
                 common/loader/gpt.c common/loader/fat.c
loader_script := common/bios/loader.ld
efi           := $(efi_loader)
kernel        := common/kernel/kernel.c common/kernel/boot_report.c $(pixels) $(console)
linker_script := common/kernel/kernel.ld
kernel_flags  := $(HIGHER_HALF) $(KEEP_FRAMES)
