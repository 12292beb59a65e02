# What the image is made of, in the order in which it lies on the disk.
boot_sector  := common/bios/first_stage.asm
second_stage := chapters/05-long-mode/stage2.asm
