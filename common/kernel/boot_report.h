/* boot_report.h -- all that the loader tells, for people */
#pragma once

#include "boot_info.h"

/* Print the boot information: first what memory there is, then the rest. */
void print_boot_info(const struct boot_info *info);
