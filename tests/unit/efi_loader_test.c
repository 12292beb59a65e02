/*
 * efi_loader_test.c -- run the whole loader of common/efi on this computer
 *
 * usage: efi_loader_test KERNEL IMAGE [NAME=NUMBER]...
 *
 * The firmware is played here, strictly: what may not be asked of it, now or with these
 * arguments, ends the test. The options below make it worse than any one machine is. What
 * it gives away as memory is memory, at the same addresses, and the sanitizer watches the
 * rest of it. Instructions that only a system may use fault, and are played, too.
 *
 * Exits with 0 when the kernel would start; its pages go to the file IMAGE, and to the
 * output what it gets: lines of "name value...", numbers in hexadecimal. With 3 when the
 * loader halts; the lines are those of its sentence. With 1 and a sentence if it has done
 * something that it must not.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include <efi.h>

#include "boot_info.h"
#include "cpu.h"
#include "io.h"
#include "serial.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PAGE 4096ull
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define HALTED 3

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* ---- what the firmware is like ----------------------------------------------------- */

static struct option {
    const char *name;
    uint64_t value;
} options[] = {
#define OPTIONS(x)                                                                       \
    x(memory, 64)           /* MiB, up to 64 */                                          \
    x(no_low, 0)            /* no memory below 1 MiB */                                  \
    x(holes, 0)             /* only so many free pages side by side */                   \
    x(page_0, 0)            /* so often page 0 is given away first, */                   \
    x(page_0_low, 0)        /* and where memory below 1 MiB is wanted */                 \
    x(low_first, 0)         /* so often memory below 1 MiB is given away first */        \
    x(descriptor_size, 48)                                                               \
    x(map_grows, 0)         /* so many descriptors more each time */                     \
    x(map_grows_late, 0)    /* so many more once page tables have been taken */          \
    x(map_fails, 0)         /* the call with this number does, from 1 on */              \
    x(exit_fails, 0)        /* so often */                                               \
    x(no_console, 0)                                                                     \
    x(no_volume, 0)                                                                      \
    x(no_file, 0)                                                                        \
    x(open_fails, 0)                                                                     \
    x(info_fails, 0)                                                                     \
    x(folder, 0)                                                                         \
    x(file_size, 0)         /* another than it has */                                    \
    x(read_most, 0)         /* bytes that one call reads, at most */                     \
    x(read_fails, 0)        /* the call with this number does, from 1 on */              \
    x(read_ends, 0)         /* from this call on there is nothing more */                \
    x(secure, 0)                                                                         \
    x(la57, 0)                                                                           \
    x(tables, 15)           /* ACPI 1, ACPI 2, SMBIOS 2, SMBIOS 3: a bit for each */     \
    x(screens, 1)           /* the last one is good, those before have no pixels */      \
    x(screen_sleeps, 0)     /* it wants SetMode() first */                               \
    x(query_fails, 0)
#define OPTION(name, value) {#name, value},
    OPTIONS(OPTION)
};

enum {
#define NUMBER(name, value) name,
    OPTIONS(NUMBER)
};

static uint64_t with(unsigned option)
{
    return options[option].value;
}

static bool have_left, exit_has_failed;
static char said[2][1024]; /* on COM1 and on the firmware's console */

static void check(bool right, const char *sentence)
{
    if (!right) {
        printf("%s\n", sentence);
        fflush(stdout);
        _exit(1);
    }
}

/* A service of the firmware: after a failed exit, only two of them may be called. */
static void called(void)
{
    check(!have_left, "the firmware is called after we have left it");
    check(!exit_has_failed, "more than the map is asked for after a failed exit");
}

/* ---- memory ------------------------------------------------------------------------ */

#define MEMORY_END (64 * MIB)
#define PAGES (MEMORY_END / PAGE)
#define LOW_END 0xa0000
#define MAPPED_FROM 0x10000 /* no lower: systems do not let programs have it */

static uint8_t owner[PAGES]; /* an EFI_MEMORY_TYPE; EfiMaxMemoryType: no memory */
static bool given_away[PAGES];
static UINTN key = 1;
static uint64_t last_pages; /* of the allocation before: in the end the page tables */

static void map_memory(uint64_t from, uint64_t end)
{
    check(mmap((void *)from, end - from, PROT_READ | PROT_WRITE | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)from,
          "this computer's program has no room for the other's memory");
    memset((void *)from, 0xa5, end - from);
    ASAN_POISON_MEMORY_REGION((void *)from, end - from);
}

static void begin_memory(void)
{
    map_memory(MAPPED_FROM, LOW_END);
    map_memory(MIB, MEMORY_END);
    for (uint64_t page = 0; page < PAGES; page++) {
        const uint64_t address = page * PAGE;
        const bool low = address < LOW_END && !with(no_low);
        const bool high = address >= MIB && address < with(memory) * MIB;
        const bool hole = with(holes) && address >= MIB && page % (with(holes) + 1) == 0;
        const bool boot_services = high && page % 4096 < 16;
        owner[page] = !low && !high   ? EfiMaxMemoryType
                      : hole          ? EfiRuntimeServicesData
                      : boot_services ? EfiBootServicesData
                                      : EfiConventionalMemory;
    }
}

/* Returns the first of `pages` free ones, as high as can be but all below `end`; or 0. */
static uint64_t find_free(uint64_t pages, uint64_t end)
{
    uint64_t run = 0;

    for (uint64_t page = end < PAGES ? end : PAGES; page-- > 0;) {
        run = owner[page] == EfiConventionalMemory ? run + 1 : 0;
        if (run == pages) {
            return page;
        }
    }
    return 0;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type,
                                        UINTN pages, EFI_PHYSICAL_ADDRESS *address)
{
    called();
    check(how == AllocateMaxAddress && *address < 4 * GIB,
          "memory is wanted at one address, or anywhere");
    check(pages > 0, "no pages are wanted");
    const bool low = *address < MIB;
    check(type == (low ? EfiLoaderCode : EfiLoaderData),
          "instructions must be in EfiLoaderCode, and all else in EfiLoaderData");
    uint64_t end = *address / PAGE + (*address % PAGE == PAGE - 1);
    if (!low && options[low_first].value > 0) {
        options[low_first].value--;
        end = LOW_END / PAGE;
    }
    uint64_t first = find_free(pages, end);
    const unsigned odd = low ? page_0_low : page_0;
    if (options[odd].value > 0 && owner[0] == EfiConventionalMemory) {
        options[odd].value--;
        first = 0;
    } else if (first == 0) {
        return EFI_OUT_OF_RESOURCES;
    }
    for (uint64_t page = first; page < first + pages; page++) {
        owner[page] = (uint8_t)type;
        given_away[page] = true;
        key++;
    }
    if (first * PAGE >= MAPPED_FROM) {
        ASAN_UNPOISON_MEMORY_REGION((void *)(first * PAGE), pages * PAGE);
    }
    last_pages = pages;
    *address = first * PAGE;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN pages)
{
    called();
    check(pages > 0 && address % PAGE == 0, "no pages are given back");
    for (uint64_t page = address / PAGE; page < address / PAGE + pages; page++) {
        check(page < PAGES && given_away[page], "a page is given back that was not ours");
        owner[page] = EfiConventionalMemory;
        given_away[page] = false;
    }
    ASAN_POISON_MEMORY_REGION((void *)address, pages * PAGE);
    key++;
    return EFI_SUCCESS;
}

static uint64_t descriptors; /* written, or not for want of room */

static void add_descriptor(unsigned char *map, UINTN room, uint32_t type, uint64_t base,
                           uint64_t pages)
{
    const UINTN at = descriptors++ * with(descriptor_size);
    const EFI_MEMORY_DESCRIPTOR one = {.Type = type,
                                       .PhysicalStart = base,
                                       .NumberOfPages = pages,
                                       .Attribute = EFI_MEMORY_WB};

    if (room > 0 && at + with(descriptor_size) <= room) {
        memset(map + at, 0xee, with(descriptor_size));
        memcpy(map + at, &one, sizeof one);
    }
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map,
                                        UINTN *key_, UINTN *descriptor_size_,
                                        UINT32 *version)
{
    static uint64_t calls, more;

    check(!have_left, "the map is asked for after we have left the firmware");
    *descriptor_size_ = with(descriptor_size);
    if (++calls == with(map_fails)) {
        return EFI_DEVICE_ERROR;
    }
    const UINTN room = map != NULL ? *size : 0;
    descriptors = 0;
    more += with(map_grows);
    for (uint64_t i = 0; i < more; i++) {
        add_descriptor((void *)map, room, EfiMemoryMappedIO, 8 * GIB + 2 * i * PAGE, 1);
    }
    /* The trampoline is one page, and the page tables are more. */
    const bool late = given_away[LOW_END / PAGE - 1] && last_pages > 1;
    for (uint64_t i = 1; i <= with(map_grows_late) && late; i++) {
        add_descriptor((void *)map, room, EfiConventionalMemory, i * 512 * GIB - PAGE, 2);
    }
    /* From the top down: nobody said that it is sorted. */
    for (uint64_t end = PAGES; end > 0;) {
        uint64_t begin = end - 1;
        while (begin > 0 && owner[begin - 1] == owner[begin]) {
            begin--;
        }
        if (owner[begin] != EfiMaxMemoryType) {
            add_descriptor((void *)map, room, owner[begin], begin * PAGE, end - begin);
        }
        end = begin;
    }
    *size = descriptors * with(descriptor_size);
    *key_ = key;
    *version = 1;
    return *size <= room ? EFI_SUCCESS : EFI_BUFFER_TOO_SMALL;
}

static int image_handle, device_handle, volume_handle[4];

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN map_key)
{
    check(!have_left && image == &image_handle, "somebody else leaves the firmware");
    if (options[exit_fails].value > 0) {
        options[exit_fails].value--;
        exit_has_failed = true;
        key++;
    }
    if (map_key != key) {
        return EFI_INVALID_PARAMETER;
    }
    have_left = true;
    return EFI_SUCCESS;
}

/* ---- the volume -------------------------------------------------------------------- */

static unsigned char *kernel;
static uint64_t kernel_size, position;

static EFI_STATUS EFIAPI set_position(EFI_FILE_HANDLE file, UINT64 to)
{
    (void)file;
    called();
    position = to;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_some(EFI_FILE_HANDLE file, UINTN *size, VOID *to)
{
    static uint64_t calls;

    (void)file;
    called();
    check(*size > 0 && *size <= MIB, "nothing is read, or more than 1 MiB at once");
    if (++calls == with(read_fails)) {
        return EFI_DEVICE_ERROR;
    }
    const uint64_t left = position < kernel_size ? kernel_size - position : 0;
    *size = *size < left ? *size : left;
    if (with(read_most) && *size > with(read_most)) {
        *size = with(read_most);
    }
    if (with(read_ends) && calls >= with(read_ends)) {
        *size = 0;
    }
    memcpy(to, kernel + position, *size);
    position += *size;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_info(EFI_FILE_HANDLE file, EFI_GUID *what, UINTN *size,
                                  VOID *to)
{
    static const EFI_GUID file_info = EFI_FILE_INFO_ID;
    static const CHAR16 file_name[] = L"KERNEL.ELF";
    const UINTN needed = offsetof(EFI_FILE_INFO, FileName) + sizeof file_name;
    EFI_FILE_INFO *const info = to;

    (void)file;
    called();
    check(memcmp(what, &file_info, sizeof *what) == 0, "other information is wanted");
    check(*size >= needed, "there is no room for the file's name");
    memset(to, 0, needed);
    info->Size = *size = needed;
    info->FileSize = with(file_size) ? with(file_size) : kernel_size;
    info->Attribute = with(folder) ? EFI_FILE_DIRECTORY : EFI_FILE_ARCHIVE;
    memcpy(info->FileName, file_name, sizeof file_name);
    return with(info_fails) ? EFI_VOLUME_CORRUPTED : EFI_SUCCESS;
}

static EFI_FILE_PROTOCOL kernel_file = {
    .Read = read_some, .SetPosition = set_position, .GetInfo = get_info};

static EFI_STATUS EFIAPI open_file(EFI_FILE_HANDLE folder_, EFI_FILE_HANDLE *file,
                                   CHAR16 *name, UINT64 mode, UINT64 attributes)
{
    static const CHAR16 wanted[] = L"\\kernel.elf";

    (void)folder_;
    called();
    check(memcmp(name, wanted, sizeof wanted) == 0, "another file is wanted");
    check(mode == EFI_FILE_MODE_READ && attributes == 0,
          "it is wanted for more than reading");
    *file = &kernel_file;
    return with(no_file)      ? EFI_NOT_FOUND
           : with(open_fails) ? EFI_DEVICE_ERROR
                              : EFI_SUCCESS;
}

static EFI_FILE_PROTOCOL top_folder = {.Open = open_file};

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *volume, EFI_FILE_HANDLE *top)
{
    (void)volume;
    called();
    *top = &top_folder;
    return EFI_SUCCESS;
}

/* ---- the screen -------------------------------------------------------------------- */

static bool is_awake;
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE screen_mode = {
    .MaxMode = 1, .FrameBufferBase = 2 * GIB, .FrameBufferSize = 16 * MIB};

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *screen, UINT32 number,
                                    UINTN *size,
                                    EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **mode)
{
    static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[] = {
        {.HorizontalResolution = 640,
         .VerticalResolution = 480,
         .PixelsPerScanLine = 640,
         .PixelFormat = PixelBltOnly},
        {.HorizontalResolution = 1366,
         .VerticalResolution = 768,
         .PixelsPerScanLine = 1376,
         .PixelFormat = PixelBlueGreenRedReserved8BitPerColor}};
    static int queries;

    (void)screen;
    called();
    check(number == 0, "another mode is asked for");
    if (with(query_fails)) {
        return EFI_DEVICE_ERROR;
    }
    if (with(screen_sleeps) && !is_awake) {
        return EFI_NOT_STARTED;
    }
    *mode = &modes[(uint64_t)++queries == with(screens)];
    *size = sizeof **mode;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *screen, UINT32 number)
{
    (void)screen;
    called();
    check(with(screen_sleeps) && number == 0, "a mode is set on a screen that has one");
    is_awake = true;
    return EFI_SUCCESS;
}

/* ---- the tables -------------------------------------------------------------------- */

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, VOID **found)
{
    static const EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID,
                          file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID,
                          graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    static EFI_LOADED_IMAGE_PROTOCOL self = {.DeviceHandle = &device_handle};
    static EFI_FILE_IO_INTERFACE volume = {.OpenVolume = open_volume};
    static EFI_GRAPHICS_OUTPUT_PROTOCOL screen = {
        .QueryMode = query_mode, .SetMode = set_mode, .Mode = &screen_mode};

    called();
    if (handle == &image_handle && memcmp(guid, &loaded_image, sizeof *guid) == 0) {
        *found = &self;
    } else if (handle == &device_handle &&
               memcmp(guid, &file_system, sizeof *guid) == 0) {
        *found = &volume;
        return with(no_volume) ? EFI_UNSUPPORTED : EFI_SUCCESS;
    } else {
        check(memcmp(guid, &graphics, sizeof *guid) == 0, "another protocol is wanted");
        *found = &screen;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid,
                                        VOID *what, UINTN *count, EFI_HANDLE **handles)
{
    static EFI_HANDLE screen_handles[COUNT(volume_handle)];

    (void)guid;
    (void)what;
    called();
    check(how == ByProtocol, "other handles are wanted");
    for (size_t i = 0; i < COUNT(screen_handles); i++) {
        screen_handles[i] = &volume_handle[i];
    }
    *count = with(screens);
    *handles = screen_handles;
    return with(screens) ? EFI_SUCCESS : EFI_NOT_FOUND;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size,
                                      CHAR16 *text)
{
    (void)code;
    (void)size;
    (void)text;
    called();
    check(seconds == 0, "the watchdog is set");
    puts("watchdog off");
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes,
                                      UINTN *size, VOID *value)
{
    static const CHAR16 secure_boot[] = L"SecureBoot";

    (void)guid;
    (void)attributes;
    called();
    check(memcmp(name, secure_boot, sizeof secure_boot) == 0 && *size == 1,
          "another variable is wanted");
    *(UINT8 *)value = with(secure) == 1;
    return with(secure) > 1 ? EFI_NOT_FOUND : EFI_SUCCESS;
}

static void say(unsigned where, char c)
{
    const size_t length = strlen(said[where]);
    check(length + 1 < sizeof said[where], "a sentence has no end");
    said[where][length] = c;
}

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *console,
                                       CHAR16 *text)
{
    (void)console;
    check(!have_left, "the console is used after we have left the firmware");
    for (; *text != 0; text++) {
        say(1, (char)*text);
    }
    return EFI_SUCCESS;
}

void serial_init(void)
{
}

void serial_put(char c)
{
    say(0, c);
}

/* ---- the CPU ----------------------------------------------------------------------- */

static uint64_t efer;
static bool interrupts_off;
static uint8_t pic_masks[2];

void outb(uint16_t port, uint8_t value)
{
    check(port == 0x21 || port == 0xa1, "it is a port of another device");
    pic_masks[port == 0xa1] = value;
}

/* The end: what was said, without the line ends. */
static _Noreturn void halted(void)
{
    check(have_left || with(no_console) || strcmp(said[0], said[1]) == 0,
          "two sentences differ");
    fputs(said[0], stdout);
    fflush(stdout);
    _exit(HALTED);
}

/* Play an instruction that faults because this is not a system. */
static void play(int signal, siginfo_t *info, void *context)
{
    greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *const at = (const uint8_t *)registers[REG_RIP];
    static const int numbers[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                  REG_RSP, REG_RBP, REG_RSI, REG_RDI};

    (void)signal;
    (void)info;
    if (at[0] == 0xfa) { /* cli */
        interrupts_off = true;
        registers[REG_RIP] += 1;
    } else if (at[0] == 0xf4) { /* hlt */
        halted();
    } else if (at[0] == 0x0f && at[1] == 0x30) { /* wrmsr */
        check(registers[REG_RCX] == MSR_EFER, "another MSR is written");
        efer = (uint64_t)registers[REG_RDX] << 32 | (uint32_t)registers[REG_RAX];
        registers[REG_RIP] += 2;
    } else if (at[0] == 0x0f && at[1] == 0x20 && at[2] >> 3 == (0xc0 >> 3 | 4)) {
        registers[numbers[at[2] & 7]] = with(la57) ? CR4_LA57 : 0; /* mov from cr4 */
        registers[REG_RIP] += 3;
    } else {
        check(false, "the loader crashed");
    }
}

/* ---- the kernel -------------------------------------------------------------------- */

static const char *image_name;
static uint64_t tables_seen;

/* Print each stretch of pages that is mapped: from, to, bytes, may be written, executed.
 */
static void print_pages(uint64_t table, int level, uint64_t from)
{
    const uint64_t *const entries = (const uint64_t *)table;

    tables_seen++;
    check(given_away[table / PAGE], "a page table is not in memory of ours");
    for (uint64_t i = 0; i < 512; i++) {
        const uint64_t to = entries[i] & 0x000ffffffffff000;
        uint64_t place = from | i << (12 + 9 * (level - 1));
        if (level == 4 && i >= 256) {
            place |= 0xffff000000000000;
        }
        if ((entries[i] & 1) && level > 1 && !(entries[i] & 0x80)) {
            print_pages(to, level - 1, place);
        } else if (entries[i] & 1) {
            printf("page %llx %llx %llx %d %d\n", (unsigned long long)place,
                   (unsigned long long)to, PAGE << 9 * (level - 1), (entries[i] & 2) != 0,
                   !(entries[i] >> 63));
        }
    }
}

static void print_info(const struct boot_info *info)
{
    const struct boot_screen *const screen = &info->screen;
    const struct memory_range *ranges =
        (const void *)(info->memory_map - info->direct_map_base);

    printf("magic %llx\nversion %x\nsize %x\nfirmware %x\nflags %x\n",
           (unsigned long long)info->magic, info->version, info->size, info->firmware,
           info->flags);
    printf("physical %llx\nvirtual %llx\nkernel_size %llx\nslide %llx\n",
           (unsigned long long)info->kernel_physical,
           (unsigned long long)info->kernel_virtual,
           (unsigned long long)info->kernel_size, (unsigned long long)info->kernel_slide);
    printf("stack %llx %llx\n", (unsigned long long)info->stack_bottom,
           (unsigned long long)info->stack_size);
    printf("screen %llx %x %x %x %x %x\n", (unsigned long long)screen->base,
           screen->width, screen->height, screen->pitch, screen->bits, screen->kind);
    printf("rsdp %llx\nsmbios %llx\n", (unsigned long long)info->rsdp,
           (unsigned long long)info->smbios);
    printf("efi_map %llx %x %x %x\n", (unsigned long long)info->efi_memory_map,
           info->efi_memory_map_size, info->efi_descriptor_size,
           info->efi_descriptor_version);
    printf("loader %s\n", (const char *)(info->loader_name - info->direct_map_base));
    printf("symbols %llx %llx %llx\n", (unsigned long long)info->symbols_size,
           (unsigned long long)info->strings_size,
           (unsigned long long)(info->symbols ? info->strings - info->symbols : 0));
    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        printf("range %llx %llx %x\n", (unsigned long long)ranges[i].base,
               (unsigned long long)ranges[i].length, ranges[i].type);
    }
    check(info->memory_map_entry_size == sizeof ranges[0], "ranges are of another size");
    check(info->tsc_start > 0 && info->tsc_handover > info->tsc_start,
          "time runs backwards");
}

static void write_image(const struct boot_info *info)
{
    const uint64_t tables = info->symbols - info->direct_map_base;
    FILE *const file = fopen(image_name, "wb");

    check(file != NULL &&
              fwrite((void *)info->kernel_physical, info->kernel_size, 1, file) == 1,
          "the image cannot be written");
    if (info->symbols != 0) {
        fwrite((void *)tables, info->symbols_size + info->strings_size, 1, file);
    }
    fclose(file);
}

/* What enter_kernel is called with: the arguments are those of the real one. */
_Noreturn void kernel_started(uint64_t page_tables, uint64_t entry, uint64_t stack_top,
                              uint64_t boot_info, uint64_t direct_map_base);
void kernel_started(uint64_t page_tables, uint64_t entry, uint64_t stack_top,
                    uint64_t boot_info, uint64_t direct_map_base)
{
    const struct boot_info *const info = (const void *)(boot_info - direct_map_base);
    uint64_t ours = 0;

    check(have_left && interrupts_off, "the firmware still has the machine");
    check(pic_masks[0] == 0xff && pic_masks[1] == 0xff, "interrupts are not masked");
    printf("entry %llx\nstack_top %llx\nefer %llx\ninfo %llx\n",
           (unsigned long long)entry, (unsigned long long)stack_top,
           (unsigned long long)efer, (unsigned long long)boot_info);
    print_info(info);
    print_pages(page_tables, 4, 0);
    write_image(info);
    for (uint64_t page = 0; page < PAGES; page++) {
        ours += given_away[page];
    }
    /* Page tables that were not needed are the kernel's, and are not of the loader. */
    printf("pages %llx %llx %llx\n", (unsigned long long)ours,
           (unsigned long long)last_pages, (unsigned long long)tables_seen);
    fflush(stdout);
    _exit(0);
}

/* The loader copies it, so it must run anywhere. It is data here, which has no place. */
__asm__(".pushsection .data\n"
        ".balign 16\n"
        ".globl enter_kernel, enter_kernel_end\n"
        "enter_kernel: movabs $kernel_started, %rax\n"
        "              jmp *%rax\n"
        "enter_kernel_end: .byte 0\n"
        ".popsection");

static void read_kernel(const char *name)
{
    FILE *const file = fopen(name, "rb");

    check(file != NULL, "there is no such kernel");
    fseek(file, 0, SEEK_END);
    kernel_size = (uint64_t)ftell(file);
    rewind(file);
    kernel = malloc(kernel_size + 1);
    check(kernel != NULL && fread(kernel, 1, kernel_size, file) == kernel_size,
          "the kernel cannot be read");
    fclose(file);
}

static void set_option(char *argument)
{
    char *const value = strchr(argument, '=');

    for (size_t i = 0; value != NULL && i < COUNT(options); i++) {
        if (strncmp(options[i].name, argument, (size_t)(value - argument)) == 0 &&
            options[i].name[value - argument] == '\0') {
            options[i].value = strtoull(value + 1, NULL, 0);
            return;
        }
    }
    check(false, "there is no such option");
}

int main(int count, char **arguments)
{
    static EFI_CONFIGURATION_TABLE configuration[] = {
        {ACPI_TABLE_GUID, (void *)0x1001}, {ACPI_20_TABLE_GUID, (void *)0x1002},
        {SMBIOS_TABLE_GUID, (void *)0x1003}, {SMBIOS3_TABLE_GUID, (void *)0x1004}};
    static EFI_BOOT_SERVICES boot = {
        .AllocatePages = allocate_pages, .FreePages = free_pages,
        .GetMemoryMap = get_memory_map, .ExitBootServices = exit_boot_services,
        .HandleProtocol = handle_protocol, .LocateHandleBuffer = locate_handles,
        .SetWatchdogTimer = set_watchdog};
    static EFI_RUNTIME_SERVICES runtime = {.GetVariable = get_variable};
    static SIMPLE_TEXT_OUTPUT_INTERFACE console = {.OutputString = output_string};
    static EFI_SYSTEM_TABLE system_table = {.ConOut = &console,
                                            .BootServices = &boot,
                                            .RuntimeServices = &runtime,
                                            .NumberOfTableEntries = COUNT(configuration),
                                            .ConfigurationTable = configuration};
    const struct sigaction action = {.sa_sigaction = play, .sa_flags = SA_SIGINFO};

    check(count > 2, "usage: efi_loader_test KERNEL IMAGE [NAME=NUMBER]...");
    read_kernel(arguments[1]);
    image_name = arguments[2];
    for (int i = 3; i < count; i++) {
        set_option(arguments[i]);
    }
    for (size_t i = 0; i < COUNT(configuration); i++) {
        if (!(with(tables) >> i & 1)) {
            memset(&configuration[i].VendorGuid, 0, sizeof configuration[i].VendorGuid);
        }
    }
    if (with(no_console)) {
        system_table.ConOut = NULL;
    }
    begin_memory();
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    efi_main(&image_handle, &system_table);
    check(false, "the loader came back");
}
