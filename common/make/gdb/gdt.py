from cpu import Command, read_linear, registers

MOST = 32                               # entries shown; a table can have 8192
SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss")

# Source: Intel SDM volume 3, "Segment Descriptors" and "System Descriptor Types".
SYSTEM = {1: "16-bit TSS, free", 2: "LDT", 3: "16-bit TSS, busy", 5: "task gate",
          9: "TSS, free", 11: "TSS, busy", 12: "call gate"}


class Gdt(Command):
    """Show the Global Descriptor Table that the CPU uses: each descriptor in words.

The first column is the selector, what a segment register holds to choose it. The last
one names the registers that hold it now; they do not reload it when the table changes."""

    def run(self):
        now = registers()
        count = (now.gdt.limit + 1) // 8
        print(f"GDT at {now.gdt.base:#x}, limit {now.gdt.limit:#x}: {count} descriptors")
        table = read_linear(now.gdt.base, 8 * min(count, MOST))
        for selector in range(0, len(table), 8):
            words = describe(int.from_bytes(table[selector:selector + 8], "little"))
            users = [name for name in SEGMENTS if getattr(now, name).selector & ~7 == selector]
            used = users and now.protected_mode
            print(f"  {selector:#04x}  {words}" + (f"  <- {' '.join(users)}" if used else ""))
        if count > MOST:
            print(f"  and {count - MOST} more")


def describe(descriptor):
    """A descriptor of eight bytes, in words."""
    if descriptor == 0:
        return "null"
    access, flags = descriptor >> 40 & 0xFF, descriptor >> 52 & 0xF
    base = descriptor >> 16 & 0xFFFFFF | descriptor >> 32 & 0xFF000000
    limit = descriptor & 0xFFFF | descriptor >> 32 & 0xF0000
    if flags & 8:                       # it counts in 4 KiB, and the last page is whole
        limit = limit << 12 | 0xFFF
    words = [f"base {base:#010x}  limit {limit:#010x}  {kind(access, flags)}",
             f"DPL {access >> 5 & 3}", "present" if access & 0x80 else "NOT PRESENT"]
    return ", ".join(words)


def kind(access, flags):
    if not access & 0x10:
        return SYSTEM.get(access & 0xF, f"system type {access & 0xF}")
    if access & 8:
        bits = 64 if flags & 2 else 32 if flags & 4 else 16
        return f"{bits}-bit code, " + ("readable" if access & 2 else "execute-only")
    return ("32" if flags & 4 else "16") + "-bit data, " + (
        "writable" if access & 2 else "read-only")


Gdt("gdt")
