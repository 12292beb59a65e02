/*
 * hello.c -- a program that UEFI starts as it would start the loader of a system
 *
 * It prints what the firmware says of itself and of the memory, waits for a key, and
 * switches the machine off.
 *
 * Source: UEFI specification, "EFI System Table", "Simple Text Output Protocol", "Memory
 * Allocation Services", "Event, Timer, and Task Priority Services".
 */
#include <efi.h>

#define TIMER_SECOND 10000000 /* timers count in units of 100 ns */
#define SECONDS_MOST 5        /* so long we wait for a key */
#define PAGE_SIZE 4096
#define MIB (1 << 20)
#define NEW_DESCRIPTORS 8 /* so many more the map may have when we ask again */

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

static EFI_SYSTEM_TABLE *system;
static EFI_BOOT_SERVICES *boot_services;

static void print(CHAR16 *text)
{
    system->ConOut->OutputString(system->ConOut, text);
}

static void print_number(UINT64 number)
{
    CHAR16 digits[sizeof "18446744073709551615"];
    CHAR16 *first = digits + sizeof digits / sizeof digits[0];

    *--first = L'\0';
    do {
        *--first = (CHAR16)(L'0' + number % 10);
        number /= 10;
    } while (number > 0);
    print(first);
}

/* The lower half of a revision is two decimal digits: 2.70 is 2.7, 2.31 is 2.3.1. */
static void print_revision(UINT32 revision)
{
    const UINT32 minor = revision & 0xffff;

    print_number(revision >> 16);
    print(L".");
    print_number(minor / 10);
    if (minor % 10 != 0) {
        print(L".");
        print_number(minor % 10);
    }
}

static void print_firmware(void)
{
    print(L"Firmware: ");
    print(system->FirmwareVendor);
    print(L", revision ");
    print_number(system->FirmwareRevision);
    print(L"; it follows version ");
    print_revision(system->Hdr.Revision);
    print(L" of the UEFI specification.\r\n");
}

/* Is this ordinary memory, which an operating system will have once we have left UEFI? */
static BOOLEAN is_memory(const EFI_MEMORY_DESCRIPTOR *range)
{
    switch (range->Type) {
    case EfiLoaderCode:
    case EfiLoaderData:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiConventionalMemory:
        return TRUE;
    default:
        return FALSE;
    }
}

/*
 * Returns how many pages of memory there are, or 0 on an error. The firmware may know
 * newer, longer descriptors than we do: so it tells how far it is from one to the next.
 */
static UINT64 count_pages(void)
{
    UINTN size = 0, key, descriptor_size;
    UINT32 version;
    VOID *map;

    /* Too small on purpose: the answer is how large it must be. */
    if (boot_services->GetMemoryMap(&size, NULL, &key, &descriptor_size, &version) !=
        EFI_BUFFER_TOO_SMALL) {
        return 0;
    }
    /* The memory for the map is a change of the map. */
    size += NEW_DESCRIPTORS * descriptor_size;
    if (EFI_ERROR(boot_services->AllocatePool(EfiLoaderData, size, &map))) {
        return 0;
    }

    UINT64 pages = 0;
    if (!EFI_ERROR(boot_services->GetMemoryMap(&size, map, &key, &descriptor_size,
                                               &version))) {
        for (UINTN at = 0; at < size; at += descriptor_size) {
            const EFI_MEMORY_DESCRIPTOR *range = (VOID *)((UINT8 *)map + at);
            if (is_memory(range)) {
                pages += range->NumberOfPages;
            }
        }
    }
    boot_services->FreePool(map);
    return pages;
}

static void print_memory(void)
{
    const UINT64 pages = count_pages();

    if (pages == 0) {
        print(L"The firmware does not tell how much memory there is.\r\n");
        return;
    }
    print(L"Memory: ");
    print_number(pages * PAGE_SIZE / MIB);
    print(L" MiB for an operating system.\r\n");
}

/* Wait for a key; where nobody is there to press one, only for a while. */
static void wait_for_key(void)
{
    EFI_EVENT events[2];
    UINTN count = 0, which;

    if (!EFI_ERROR(boot_services->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[0])) &&
        !EFI_ERROR(boot_services->SetTimer(events[0], TimerRelative,
                                           SECONDS_MOST * TIMER_SECOND))) {
        count++;
    }
    if (count > 0 && system->ConIn != NULL) {
        events[count++] = system->ConIn->WaitForKey;
    }
    if (count > 0) {
        boot_services->WaitForEvent(count, events, &which);
    }
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    (void)image; /* who we are: chapter 10 will need it */
    system = system_table;
    boot_services = system->BootServices;

    system->ConOut->ClearScreen(system->ConOut);
    system->ConOut->SetAttribute(system->ConOut, EFI_LIGHTCYAN);
    print(L"Hello from UEFI!\r\n");
    system->ConOut->SetAttribute(system->ConOut, EFI_LIGHTGRAY);
    print_firmware();
    print_memory();

    print(L"Press a key to switch the machine off; it goes off by itself in ");
    print_number(SECONDS_MOST);
    print(L" seconds.\r\n");
    wait_for_key();
    system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return EFI_SUCCESS; /* to the firmware, where it could not do that */
}
