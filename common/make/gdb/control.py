import gdb

from cpu import Command, registers

# Source: Intel SDM volume 3, "Control Registers" and "Extended Feature Enable Register".
BITS = {
    "CR0": {0: ("PE", "protected mode"), 16: ("WP", "write protection for ring 0 too"),
            29: ("NW", "no write-through"), 30: ("CD", "caches off"), 31: ("PG", "paging")},
    "CR4": {4: ("PSE", "pages of 4 MiB"), 5: ("PAE", "page table entries of 8 bytes"),
            7: ("PGE", "global pages"), 9: ("OSFXSR", "SSE instructions"),
            12: ("LA57", "five levels of page tables"), 18: ("OSXSAVE", "XSAVE and AVX"),
            20: ("SMEP", "ring 0 executes no user pages"),
            21: ("SMAP", "ring 0 touches no user pages")},
    "EFER": {0: ("SCE", "syscall instruction"), 8: ("LME", "long mode enabled"),
             10: ("LMA", "long mode active"), 11: ("NXE", "no-execute pages")},
}
# Off or on, these tell where we are on the way from real mode to long mode.
ALWAYS = ("PE", "PG", "PAE", "LME", "LMA")


class Control(Command):
    """Show the control registers CR0, CR2, CR3, CR4 and EFER, their bits in words.

Bits that are off are left out, but for those of the way to long mode."""

    def run(self):
        now = registers()
        self.show("CR0", now.cr0)
        print(f"CR2   {now.cr2:#010x}  the address of the last page fault")
        print(f"CR3   {now.cr3:#010x}  where the top page table is"
              + ("" if now.paging else " (paging is off: not used)"))
        self.show("CR4", now.cr4)
        self.show("EFER", now.efer)

    def show(self, name, value):
        print(f"{name:5} {value:#010x}")
        for bit, (short, words) in BITS[name].items():
            on = value >> bit & 1
            if on or short in ALWAYS:
                print(f"      {name}.{short:7} {'on ' if on else 'off'}  {words}")


Control("control")
gdb.execute("alias cr = control")
