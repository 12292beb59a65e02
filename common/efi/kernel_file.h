/*
 * kernel_file.h -- the kernel's file on the volume that we were loaded from
 *
 * loading.h says how it is read: read_file() and read_pieces() are here.
 * Source: UEFI specification, "EFI Loaded Image Protocol", "Simple File System Protocol",
 * "File Protocol".
 */
#pragma once

#include <efi.h>

/* Open the file; image: who we are. Returns its size in bytes, or fails. */
UINT64 kernel_file_open(EFI_HANDLE image);
