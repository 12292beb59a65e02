# What the image is made of: a disk with an EFI System Partition, and in it a loader and a
# kernel.
firmwares     := uefi
efi           := $(efi_loader)
kernel        := common/kernel/kernel.c common/kernel/boot_report.c $(pixels) $(console)
linker_script := common/kernel/kernel.ld
kernel_flags  := $(HIGHER_HALF) $(KEEP_FRAMES)
