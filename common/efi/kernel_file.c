/* kernel_file.c -- the kernel's file on the volume that we were loaded from */
#include "kernel_file.h"

#include "firmware.h"
#include "loading.h"
#include "sentence.h"

#define NAME "kernel.elf"
#define PATH L"\\kernel.elf"
#define SIZE_MOST (4ull << 30)
#define CHUNK (1u << 20) /* some firmware fails when asked for more at once */

static EFI_FILE_HANDLE file;

/* Show a sentence, with the number that the UEFI specification gives an error; halt. */
static _Noreturn void fail_with_status(const char *text, EFI_STATUS status)
{
    sentence_begin(text);
    sentence_add(" (EFI error ");
    sentence_add_number(status & ~EFI_ERROR_MASK);
    sentence_add("). Try another disk or port, or write the image again.");
    halt_with(sentence_end());
}

/* Returns the top folder of our own volume. */
static EFI_FILE_HANDLE open_volume(EFI_HANDLE image)
{
    EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_GUID file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_LOADED_IMAGE_PROTOCOL *self;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_HANDLE folder;

    EFI_STATUS status = efi_boot->HandleProtocol(image, &loaded_image, (VOID **)&self);
    if (!EFI_ERROR(status)) {
        status = efi_boot->HandleProtocol(self->DeviceHandle, &file_system,
                                          (VOID **)&volume);
    }
    if (!EFI_ERROR(status)) {
        status = volume->OpenVolume(volume, &folder);
    }
    if (EFI_ERROR(status)) {
        fail_with_status("The loader cannot open the volume that it came from", status);
    }
    return folder;
}

UINT64 kernel_file_open(EFI_HANDLE image)
{
    EFI_GUID file_info = EFI_FILE_INFO_ID;
    EFI_FILE_HANDLE folder = open_volume(image);
    struct {
        EFI_FILE_INFO info;
        CHAR16 name[64]; /* which begins in info already */
    } answer;
    UINTN size = sizeof answer;

    EFI_STATUS status = folder->Open(folder, &file, PATH, EFI_FILE_MODE_READ, 0);
    if (status == EFI_NOT_FOUND) {
        fail("There is no " NAME " on the volume that this loader came from: copy the "
             "kernel into its top folder under that name.");
    }
    if (!EFI_ERROR(status)) {
        status = file->GetInfo(file, &file_info, &size, &answer);
    }
    if (EFI_ERROR(status)) {
        fail_with_status("The loader cannot open " NAME, status);
    }
    if (answer.info.Attribute & EFI_FILE_DIRECTORY) {
        fail(NAME " is a folder: copy the kernel there as a file of that name.");
    }
    if (answer.info.FileSize > SIZE_MOST) {
        fail(NAME " has more than 4 GiB: that is no kernel of ours. Copy the kernel "
             "again.");
    }
    return answer.info.FileSize;
}

void read_file(uint64_t offset, uint64_t size, void *to)
{
    unsigned char *at = to;

    EFI_STATUS status = file->SetPosition(file, offset);
    while (size > 0 && !EFI_ERROR(status)) {
        UINTN chunk = size < CHUNK ? size : CHUNK;
        status = file->Read(file, &chunk, at);
        if (chunk == 0) {
            break; /* the end, where there should be more */
        }
        at += chunk; /* as many bytes as there were */
        size -= chunk;
    }
    if (EFI_ERROR(status)) {
        fail_with_status("The firmware cannot read " NAME, status);
    }
    if (size > 0) {
        fail(NAME " is shorter than its volume says: check the file system, and copy the "
             "kernel again.");
    }
}

void read_pieces(const struct piece *pieces, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        read_file(pieces[i].offset, pieces[i].size, pieces[i].to);
    }
}
