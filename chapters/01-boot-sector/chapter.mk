# What the image is made of.
boot_sector := chapters/01-boot-sector/boot.asm
