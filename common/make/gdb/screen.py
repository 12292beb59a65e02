from cpu import Command, read_physical
from machine import screen


class Screen(Command):
    """Show the text screen: 80 x 25 characters from physical address 0xb8000."""

    def run(self):
        print(screen.Screen(read_physical(screen.ADDRESS, screen.SIZE)).framed())


Screen("screen")
