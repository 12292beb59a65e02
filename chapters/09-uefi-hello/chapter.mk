# What the image is made of: a disk with an EFI System Partition, and in it one program.
firmwares := uefi
efi       := chapters/09-uefi-hello/hello.c
