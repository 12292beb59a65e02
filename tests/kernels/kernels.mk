# kernels.mk -- the kernels of the conformance tests, each an ELF file that claims one thing
#
# Run from the top folder: make -f tests/kernels/kernels.mk. The compiler, the linker and
# their flags are those of the chapters; what is made goes to build/kernels/.

include common/make/toolchain.mk

out     := build/kernels
here    := tests/kernels
sources := $(wildcard $(here)/*.c $(here)/*.asm)
names   := $(basename $(notdir $(sources)))
# Some of the programs once more: linked for another address, or in another way.
others  := lower_half topmost_gib smallest default_script pages_of_2_mib
all: $(patsubst %,$(out)/%.elf,$(names) $(others))

# A change of compiler or flags makes what they made old.
$(shell mkdir -p $(out); echo '$(CC) $(CFLAGS) $(LD) $(LDFLAGS) $(NASMFLAGS)' | \
    cmp -s - $(out)/flags || echo '$(CC) $(CFLAGS) $(LD) $(LDFLAGS) $(NASMFLAGS)' >$(out)/flags)
rules   := $(out)/flags $(here)/kernels.mk $(wildcard $(here)/*.ld)

BASE    := 0xffffffff80000000
COMPILE := $(HIGHER_HALF)
LINK     = -T $(here)/kernel.ld --defsym=BASE=$(BASE)
# As a linker lays a program out that gets no script: at an address, or as a static PIE.
AT      := $(if $(filter clang,$(TOOLCHAIN)),--image-base,-Ttext-segment)
PIE     := -pie --no-dynamic-linker -z text -e kernel_main

$(out)/lower_half.elf:     BASE := 0x4000000
$(out)/topmost_gib.elf:    BASE := 0xffffffffc0000000
$(out)/smallest.elf:       LINK  = -T $(here)/smallest.ld --defsym=BASE=$(BASE) --strip-all
$(out)/four_kib_stack.elf: LINK += -z stack-size=4096
$(out)/default_script.elf: LINK  = $(AT)=$(BASE) -e kernel_main
$(out)/relocated.elf:      LINK  = $(PIE)
$(out)/pages_of_2_mib.elf: LINK  = $(PIE) -z max-page-size=0x200000
$(out)/relocated.o:        COMPILE := -fpie

$(out)/lower_half.elf $(out)/topmost_gib.elf $(out)/smallest.elf: $(out)/entered.o
$(out)/default_script.elf: $(out)/segments.o
$(out)/pages_of_2_mib.elf: $(out)/relocated.o
$(names:%=$(out)/%.elf): %.elf: %.o

$(out)/%.elf: $(rules)
	$(LD) $(LDFLAGS) $(LINK) -o $@ $(filter %.o,$^)
$(out)/%.o: $(here)/%.c $(rules)
	$(CC) $(CFLAGS) $(COMPILE) -MD -MP -c -o $@ $<
$(out)/%.o: $(here)/%.asm $(rules)
	nasm $(NASMFLAGS) -f elf64 -o $@ $<
$(out)/flags:

-include $(wildcard $(out)/*.d)
.DELETE_ON_ERROR:
.SECONDARY:
