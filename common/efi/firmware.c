/* firmware.c -- the UEFI firmware that has started us, and what we ask it */
#include "firmware.h"

#include "halt.h"
#include "loading.h"
#include "memory.h"
#include "serial.h"

EFI_SYSTEM_TABLE *efi_system;
EFI_BOOT_SERVICES *efi_boot;

void firmware_init(EFI_SYSTEM_TABLE *system_table)
{
    efi_system = system_table;
    efi_boot = system_table->BootServices;
    serial_init();
    efi_boot->SetWatchdogTimer(0, 0, 0, NULL);
}

/* Show text where the firmware shows its own; it wants characters of 16 bits. */
static void show(const char *text)
{
    CHAR16 character[2] = {0};

    if (efi_system->ConOut == NULL) {
        return; /* a machine without any console */
    }
    for (; *text != '\0'; text++) {
        character[0] = (CHAR16)*text;
        efi_system->ConOut->OutputString(efi_system->ConOut, character);
    }
}

_Noreturn void halt_with(const char *lines)
{
    /* COM1 first: if the firmware is no longer able to show anything, we shall not come
     * back from asking it. Where its console is on COM1 as well, the sentence is there
     * twice. */
    for (const char *at = lines; *at != '\0'; at++) {
        serial_put(*at);
    }
    if (efi_boot != NULL) {
        show(lines);
    }
    halt();
}

BOOLEAN firmware_is_secure(void)
{
    EFI_GUID global = EFI_GLOBAL_VARIABLE;
    UINT8 on = 0;
    UINTN size = sizeof on;

    const EFI_STATUS status = efi_system->RuntimeServices->GetVariable(
        L"SecureBoot", &global, NULL, &size, &on);
    return !EFI_ERROR(status) && on == 1;
}

UINT64 firmware_table(const EFI_GUID *guid)
{
    const EFI_CONFIGURATION_TABLE *table = efi_system->ConfigurationTable;

    for (UINTN i = 0; i < efi_system->NumberOfTableEntries; i++) {
        if (memcmp(&table[i].VendorGuid, guid, sizeof *guid) == 0) {
            return (UINT64)table[i].VendorTable;
        }
    }
    return 0;
}
