# toolchain.mk -- which compiler and linker, and every flag with its reason
#
# TOOLCHAIN=gcc or TOOLCHAIN=clang chooses; without it, gcc where there is one for
# x86-64, else clang. CROSS=prefix- names another gcc.

ifndef CROSS
  ifeq ($(shell uname -s -m),Linux x86_64)
    CROSS :=
  else
    # Elsewhere the host's gcc makes programs for another CPU or another file format.
    CROSS := $(or $(firstword $(foreach prefix,x86_64-elf- x86_64-linux-gnu-,\
               $(shell command -v $(prefix)gcc >/dev/null && echo $(prefix)))),x86_64-elf-)
  endif
endif
# gcc, unless only clang is there.
ifndef TOOLCHAIN
  TOOLCHAIN := $(if $(shell command -v $(CROSS)gcc || command -v clang >/dev/null || echo none),gcc,clang)
endif

ifeq ($(TOOLCHAIN),gcc)
  CC      := $(CROSS)gcc
  LD      := $(CROSS)ld
  OBJCOPY := $(CROSS)objcopy
else ifeq ($(TOOLCHAIN),clang)
  CC      := clang --target=x86_64-unknown-none-elf
  LD      := ld.lld
  # Homebrew keeps LLVM's tools out of PATH.
  OBJCOPY := $(firstword $(shell command -v llvm-objcopy) $(wildcard \
               /opt/homebrew/opt/llvm/bin/llvm-objcopy /usr/local/opt/llvm/bin/llvm-objcopy) \
               llvm-objcopy)
else
  $(error Unknown TOOLCHAIN '$(TOOLCHAIN)': this repository builds with gcc and with clang)
endif

# The target: an x86-64 CPU with no operating system under us.
CFLAGS := -std=c11 -ffreestanding
# Debug information goes into kernel.elf alone, the flat kernel has none of it.
CFLAGS += -O2 -g
# An interrupt pushes onto the kernel's own stack, and would overwrite the 128 bytes
# below rsp in which user programs may keep data (docs/red-zone.md).
CFLAGS += -mno-red-zone
# No SSE and no x87: whoever uses them must save 512 bytes and more at each interrupt,
# and must switch them on first (docs/simd.md).
CFLAGS += -mgeneral-regs-only
# The kernel runs at the address it was linked for; many distributions' compilers
# would otherwise make it position-independent.
CFLAGS += -fno-pic -fno-pie
# The check would call __stack_chk_fail and read a secret from the thread's data: both
# belong to a C library.
CFLAGS += -fno-stack-protector
# Tables for unwinding the stack: nobody here reads them.
CFLAGS += -fno-asynchronous-unwind-tables
# Landing pads for a protection that an operating system has to switch on; their note
# would be the first thing in a flat binary.
CFLAGS += -fcf-protection=none
# No header of the C library: #include <stdio.h> is to fail here, not at the link. The
# compiler's own headers are enough (stddef.h, stdint.h and the like), and ours.
CFLAGS += -nostdinc -isystem $(shell $(CC) -print-file-name=include 2>/dev/null) -Icommon/kernel -Icommon/loader
# What a compiler finds suspicious costs an evening when it is found at run time.
CFLAGS += -Wall -Wextra -Wmissing-prototypes

# For a kernel in the topmost 2 GiB of the address space (from chapter 7 on): a constant
# of 32 bits, sign-extended, reaches all of it. Without the flag the compiler believes
# that all addresses are below 2 GiB, and the linker finds that they do not fit.
HIGHER_HALF := -mcmodel=kernel

# For a kernel that can say who called (from chapter 8 on): a function that calls another
# keeps its frame in the chain that begins at rbp, and does call it instead of jumping to
# it, which would put the other in its own place.
KEEP_FRAMES := -fno-omit-frame-pointer -fno-optimize-sibling-calls

# For a loader: the smaller it is, the more of the first 64 KiB is left, and the less the
# BIOS has to read. -Oz is smaller still, but only newer versions of GCC know it. GCC at
# -Os leaves frame pointers out by itself, Clang for this target does not.
SMALL := $(if $(filter clang,$(TOOLCHAIN)),-Oz -fomit-frame-pointer,-Os)

# For a program that UEFI starts (from chapter 9 on). The firmware loads it where it has
# room: so it must run at any address, and find its own things without a table of
# addresses.
EFI := -fpic -fvisibility=hidden
# Text is in characters of 16 bits, as Windows has it, and so is wchar_t.
EFI += -fshort-wchar
# The firmware's functions expect their arguments where Windows has them, in rcx, rdx, r8
# and r9. With this, gnu-efi's headers tell the compiler so.
EFI += -DGNU_EFI_USE_MS_ABI
# Stack for such calls is reserved once in each function: GCC's manual asks for it where
# one function calls by the rules of both systems.
EFI += $(if $(filter gcc,$(TOOLCHAIN)),-maccumulate-outgoing-args)
EFI += -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 -Icommon/efi

# LLVM's linker gives sections names under which the next step would not find them, and its
# objcopy cannot make a program for UEFI of an ELF file: so here both toolchains use GNU's.
EFI_LD      := $(CROSS)ld
EFI_OBJCOPY := $(CROSS)objcopy
# A shared library is what an ELF linker can make that comes nearest to a program for UEFI:
# all in one piece, with a list of what to change when it is moved. -Bsymbolic: its names
# mean its own functions. Relocations in one table, and not packed: gnu-efi's start-up code
# reads them itself.
EFI_LDFLAGS := -shared -Bsymbolic -nostdlib -z nocombreloc -z nopack-relative-relocs
# A shared library may leave names open, for others to fill in. Nobody will.
EFI_LDFLAGS += --no-undefined -z noexecstack

# What objcopy copies from the shared library into the program: what is not named stays
# behind, without a word. Code, and variables; gnu-efi's linker script calls all of these
# .data, newer ones have the constants in .rodata.
EFI_SECTIONS := .text .sdata .data .rodata
# What the start-up code reads to correct addresses: where the lists are, and the lists.
EFI_SECTIONS += .dynamic .dynsym .rel '.rel.*' .rela '.rela.*'
# The same list as PE has it, here an empty one. Firmware moves no program that has none.
EFI_SECTIONS += .reloc

# No libraries, neither shared nor static; a stack that is data, not code.
LDFLAGS := -static -nostdlib -z noexecstack
# A segment of a kernel file begins at the next multiple of 4 KiB, the smallest page, and
# not of 2 MiB.
LDFLAGS += -z max-page-size=4096

# A warning of NASM is nearly always a wrong number: never let one pass. A warning of a
# C compiler that is newer than ours must not stop a reader; it stops CI.
NASMFLAGS := -w+all -Werror -I common/
ifeq ($(CI),true)
  CFLAGS += -Werror
endif
