/*
 * gpt_format.h -- what a GUID partition table looks like, byte by byte
 *
 * Sector 0 has a protective MBR, sector 1 the header, and the header says where the
 * entries are: one for each partition. Members have the names that they have in the
 * specification. Numbers are little-endian, as the CPU's own.
 *
 * Source: UEFI specification, "GUID Partition Table (GPT) Disk Layout".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GPT_HEADER_LBA 1

struct gpt_header {
    uint64_t signature;
    uint32_t revision;
    uint32_t header_size;  /* bytes that the checksum covers: 92 to a sector */
    uint32_t header_crc32; /* of the header, with zeros in this place */
    uint32_t reserved;
    uint64_t my_lba;       /* where this header is, */
    uint64_t alternate_lba; /* and where its copy */
    uint64_t first_usable_lba;
    uint64_t last_usable_lba;
    uint8_t disk_guid[16];
    uint64_t partition_entry_lba; /* where the entries begin */
    uint32_t number_of_partition_entries;
    uint32_t size_of_partition_entry; /* bytes: 128, or 128 doubled some times */
    uint32_t partition_entry_array_crc32;
};

#define GPT_SIGNATURE 0x5452415020494645 /* "EFI PART", read little-endian */
#define GPT_REVISION 0x00010000          /* 1.0 */
#define GPT_HEADER_SIZE 92               /* without what a compiler puts behind it */
#define GPT_ENTRY_SIZE 128               /* of the smallest entry */

struct gpt_entry {
    uint8_t partition_type_guid[16]; /* all zeros: the entry is not used */
    uint8_t unique_partition_guid[16];
    uint64_t starting_lba;
    uint64_t ending_lba; /* the last sector, not the one behind it */
    uint64_t attributes;
    uint16_t partition_name[36];
};

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B: the first three groups are numbers. */
#define EFI_PART_TYPE_EFI_SYSTEM_PART_GUID                                               \
    {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,                                     \
     0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}

#define GPT_OFFSET(type, member, offset)                                                 \
    _Static_assert(offsetof(struct type, member) == (offset),                            \
                   #type ": " #member " has moved")

GPT_OFFSET(gpt_header, header_crc32, 16);
GPT_OFFSET(gpt_header, my_lba, 24);
GPT_OFFSET(gpt_header, first_usable_lba, 40);
GPT_OFFSET(gpt_header, partition_entry_lba, 72);
GPT_OFFSET(gpt_header, partition_entry_array_crc32, GPT_HEADER_SIZE - 4);
GPT_OFFSET(gpt_entry, starting_lba, 32);
_Static_assert(sizeof(struct gpt_entry) == GPT_ENTRY_SIZE,
               "gpt_entry: its size has changed");
