# What the image is made of, in the order in which it lies on the disk.
boot_sector  := common/bios/first_stage.asm
second_stage := chapters/02-second-stage/stage2.asm
