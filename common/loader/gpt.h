/*
 * gpt.h -- find the EFI system partition in a GUID partition table
 *
 * Only the table at the beginning of the disk is read. The copy at its end is for tools
 * that repair disks: whoever starts a kernel from a damaged disk only hides the damage.
 *
 * Source: UEFI specification, "GUID Partition Table (GPT) Disk Layout".
 */
#pragma once

#include <stdint.h>

#include "disk.h"

#define GPT_ENTRIES_MOST (1u << 20) /* bytes of all entries; 16 KiB is usual */
#define GPT_ENTRY_MOST 4096         /* bytes of one */

/* Why there is no partition; gpt_sentence() says it to a person. */
enum gpt_status {
    GPT_OK,
    GPT_NO_TABLE,      /* no signature in sector 1 */
    GPT_BAD_HEADER,    /* its checksum is wrong, or its size */
    GPT_UNKNOWN,       /* another revision, or numbers that fit no table of this one */
    GPT_BAD_ENTRIES,   /* their checksum is wrong */
    GPT_NO_PARTITION,  /* no entry has the type of an EFI system partition */
    GPT_BAD_PARTITION, /* it ends before it begins, or lies outside of what is usable */
    GPT_STATUS_COUNT,
};

/*
 * Returns a sentence of at most 200 characters that says what is wrong, and what to do:
 * "The boot disk has no partition table (GPT): write the image again."
 */
const char *gpt_sentence(enum gpt_status status);

/*
 * Find the first EFI system partition. On GPT_OK, *first is its first sector, and *count
 * how many it has, at least 1; else both are undefined.
 */
enum gpt_status gpt_find_system_partition(const struct disk *disk, uint64_t *first,
                                          uint64_t *count);
