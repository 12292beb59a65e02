from cpu import Command, address_of, read_physical, registers
from machine import paging
from machine.errors import MachineError

SIZES = {1 << 12: "4 KiB", 1 << 21: "2 MiB", 1 << 30: "1 GiB"}


class Walk(Command):
    """Walk the page tables as the CPU does: walk ADDRESS

Shows the entry at each level with its flags, and the physical address in the end."""

    def run(self, address):
        now, virtual = registers(), address_of(address)
        if not now.paging:
            print(f"Paging is off (CR0.PG): the linear address {virtual:#x} is the physical one.")
            return
        if not now.long_mode:
            print("Paging is on, but not with the four levels of long mode (EFER.LMA is off): "
                  "this command knows no others.")
            return
        try:
            found = paging.walk(read_physical, now.cr3, virtual)
        except MachineError as error:
            for level in getattr(error, "levels", ()):
                print(f"  {level}")
            print(error.sentence)
            return
        for level in found.levels:
            print(f"  {level}")
        print(f"{virtual:#x} is at physical {found.physical:#x}, "
              f"in a page of {SIZES[found.page_size]}")


Walk("walk")
