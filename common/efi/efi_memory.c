/* efi_memory.c -- memory that we take from the firmware, and the map of all memory */
#include "efi_memory.h"

#include "efi_map.h"
#include "firmware.h"
#include "loading.h"

#define PAGE 4096ull
#define FIRST_MIB_END (1ull << 20)
#define BELOW_4_GIB 0xffffffffull /* the last address that we take */
#define LOW_MEMORY_LAST 0x9ffffull

/* Our allocations change the map, and so does what the firmware does until we leave. */
#define NEW_DESCRIPTORS 128

/* The firmware's memory map. capacity, size: bytes. */
static struct {
    unsigned char *descriptors;
    UINTN capacity, size, key, descriptor_size;
    UINT32 version;
} map;

/* What we have taken, and for what. */
static struct memory_range taken[16];
static unsigned taken_count;

static struct memory_range page_tables;
static uint64_t page_tables_used; /* bytes */

static void take(uint64_t base, uint64_t size, enum memory_type type)
{
    if (taken_count == sizeof taken / sizeof taken[0]) {
        fail("The loader takes memory more often than it can tell: a mistake in it.");
    }
    taken[taken_count++] = (struct memory_range){base, size, type, 0};
}

/* ---- the firmware's map ----------------------------------------------------------- */

/* Ask for the map. Each time anew, `size` must say how much room there is. */
static EFI_STATUS read_map(void)
{
    map.size = map.capacity;
    return efi_boot->GetMemoryMap(&map.size, (VOID *)map.descriptors, &map.key,
                                  &map.descriptor_size, &map.version);
}

uint32_t efi_memory_ranges_most(void)
{
    if (map.descriptors == NULL) {
        /* There is no room yet: the answer is how much would do. */
        if (read_map() != EFI_BUFFER_TOO_SMALL ||
            map.descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR)) {
            fail("The firmware's memory map is not as the UEFI specification has it. "
                 "Look for a newer firmware.");
        }
        const UINTN size = map.size + NEW_DESCRIPTORS * map.descriptor_size;
        map.descriptors =
            allocate("the memory map", size, PAGE, MEMORY_LOADER_RECLAIMABLE);
        map.capacity = size;
    }
    /* See memory_map_begin(): one call for each descriptor, and for each of ours. */
    const uint64_t calls = map.capacity / map.descriptor_size +
                           sizeof taken / sizeof taken[0] + 1;
    return (uint32_t)(2 * calls + 3);
}

static const EFI_MEMORY_DESCRIPTOR *descriptor(UINTN at)
{
    return (const EFI_MEMORY_DESCRIPTOR *)(map.descriptors + at);
}

/* Returns how many bytes are free between 1 MiB and 4 GiB. */
static uint64_t free_memory(void)
{
    uint64_t bytes = 0;

    if (map.descriptors == NULL || EFI_ERROR(read_map())) {
        return 0;
    }
    for (UINTN at = 0; at < map.size; at += map.descriptor_size) {
        const EFI_MEMORY_DESCRIPTOR *range = descriptor(at);
        if (range->Type == EfiConventionalMemory &&
            range->PhysicalStart >= FIRST_MIB_END &&
            range->PhysicalStart <= BELOW_4_GIB) {
            bytes += range->NumberOfPages * PAGE;
        }
    }
    return bytes;
}

/* ---- taking memory ---------------------------------------------------------------- */

/* Returns pages from `first` on, an address, and up to `last`, or 0. */
static uint64_t allocate_pages(EFI_MEMORY_TYPE type, uint64_t pages, uint64_t first,
                               uint64_t last)
{
    /* Some firmware gives away page 0, or the last pages below 1 MiB when little is
     * left: then those are ours, and we ask once more. */
    for (int tries = 2; tries > 0; tries--) {
        EFI_PHYSICAL_ADDRESS address = last;
        if (EFI_ERROR(efi_boot->AllocatePages(AllocateMaxAddress, type, pages,
                                              &address))) {
            return 0;
        }
        if (address >= first) {
            return address;
        }
    }
    return 0;
}

/* The firmware knows pages alone: for more, take too much and give back what is left. */
static uint64_t allocate_aligned(uint64_t size, uint64_t alignment)
{
    const uint64_t pages = size / PAGE;
    const uint64_t more = alignment / PAGE - 1;
    const uint64_t begin = allocate_pages(EfiLoaderData, pages + more, FIRST_MIB_END,
                                          BELOW_4_GIB);

    if (begin == 0 || more == 0) {
        return begin;
    }
    const uint64_t aligned = (begin + alignment - 1) & ~(alignment - 1);
    const uint64_t before = (aligned - begin) / PAGE;
    if (before > 0) {
        efi_boot->FreePages(begin, before);
    }
    if (more - before > 0) {
        efi_boot->FreePages(aligned + size, more - before);
    }
    return aligned;
}

void *allocate(const char *what, uint64_t size, uint64_t alignment, enum memory_type type)
{
    const uint64_t whole_pages = (size + PAGE - 1) & ~(PAGE - 1);
    uint64_t address = allocate_aligned(whole_pages, alignment);

    if (address == 0) {
        address = allocate_aligned(whole_pages, PAGE);
    }
    if (address == 0) {
        fail_for_memory(what, size, free_memory());
    }
    take(address, whole_pages, type);
    return (void *)address;
}

void *allocate_low_page(void)
{
    /* As code: strict firmware does not let data be executed. */
    const uint64_t address = allocate_pages(EfiLoaderCode, 1, PAGE, LOW_MEMORY_LAST);

    if (address == 0) {
        fail("The firmware leaves no memory below 640 KiB, from where the loader starts "
             "the kernel. Look for a newer firmware.");
    }
    take(address, PAGE, MEMORY_LOADER_RECLAIMABLE);
    return (void *)address;
}

void allocate_page_tables(uint64_t count)
{
    allocate("the page tables", count * PAGE, PAGE, MEMORY_LOADER_RECLAIMABLE);
    page_tables = taken[--taken_count];
}

uint64_t next_page_table(void *context)
{
    (void)context;
    if (page_tables_used == page_tables.length) {
        fail("The loader has too few page tables: this is a mistake in it.");
    }
    page_tables_used += PAGE;
    return page_tables.base + page_tables_used - PAGE;
}

/* ---- leaving ---------------------------------------------------------------------- */

void leave_firmware(EFI_HANDLE image, struct boot_info *info)
{
    /* The key tells the firmware that we know the map as it is now. If something has
     * changed it meanwhile, such as a timer's event, the key is old and the first try
     * fails: then only the map may be asked for, and nothing else. */
    EFI_STATUS status = EFI_INVALID_PARAMETER;
    for (int tries = 2; tries > 0 && EFI_ERROR(status); tries--) {
        status = read_map();
        if (!EFI_ERROR(status)) {
            status = efi_boot->ExitBootServices(image, map.key);
        }
    }
    if (EFI_ERROR(status)) {
        fail("The firmware does not let go of the machine (ExitBootServices failed "
             "twice). Unplug what is not needed, and try again.");
    }
    __asm__ volatile("cli");
    efi_boot = NULL;

    info->flags |= BOOT_HAS_EFI;
    info->efi_system_table = (uint64_t)efi_system;
    info->efi_memory_map = in_direct_map(map.descriptors);
    info->efi_memory_map_size = (uint32_t)map.size;
    info->efi_descriptor_size = (uint32_t)map.descriptor_size;
    info->efi_descriptor_version = map.version;
}

void efi_memory_add(struct memory_map *ours)
{
    if (efi_boot != NULL && EFI_ERROR(read_map())) {
        fail("The firmware does not tell how much memory there is.");
    }
    efi_map_add(ours, map.descriptors, map.size, map.descriptor_size);
    for (unsigned i = 0; i < taken_count; i++) {
        memory_map_add(ours, taken[i].base, taken[i].length, taken[i].type);
    }
}

void efi_memory_add_page_tables(struct memory_map *ours)
{
    memory_map_add(ours, page_tables.base, page_tables_used, MEMORY_LOADER_RECLAIMABLE);
}
