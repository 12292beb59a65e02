# What the image is made of, in the order in which it lies on the disk.
boot_sector   := common/bios/first_stage.asm
second_stage  := common/bios/loader_bios.asm
loader        := $(bios_loader) common/bios/kernel_behind_loader.c
loader_script := common/bios/loader.ld
kernel        := chapters/08-console/kernel.c common/kernel/boot_report.c \
                 chapters/08-console/samples.c $(console)
linker_script := common/kernel/kernel.ld
kernel_flags  := $(HIGHER_HALF) $(KEEP_FRAMES)
