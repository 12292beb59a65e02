from cpu import Command, registers


class Mode(Command):
    """Tell in words what state the CPU is in: its mode, paging, interrupts, A20, registers."""

    def run(self):
        print(registers().describe())


Mode("mode")
