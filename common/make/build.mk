# build.mk -- from the sources of a chapter to its disk image
#
# A chapter's chapter.mk names the sources: boot_sector, second_stage, kernel,
# linker_script. All that is made of them goes to build/NN-words/.

# The Python that has what the tests need, else any. Looked for once, and only when a
# command uses it; PYTHON in the environment ends the search.
PYTHON ?= $(eval PYTHON := $(shell common/make/find-python.sh))$(or $(PYTHON),$(error \
          Python 3.9 or newer is missing: it makes the disk images. Run ./setup.sh))

# $(call need,TOOL,WHAT FOR): stop with a sentence where a tool is missing.
need = command -v $(firstword $1) >/dev/null || \
       $(PYTHON) common/make/doctor.py --missing $(firstword $1) "$2"

# $(call layout,NAME): a constant of the memory layout.
layout = $(shell awk '$$1 == "$1" && $$2 == "equ" { print $$3 }' common/x86/layout.inc)

# $(call announce,TOOL,FILE): what a reader sees of a command. V=1 shows all of it.
announce = @printf '  %-8s %s\n' $1 $2
Q := $(if $(V),,@)

# A change of compiler or flags makes what they made old: these two files are as new as
# the last change.
stamp = $(shell mkdir -p build; echo '$2' | cmp -s - build/$1 || echo '$2' >build/$1)
$(call stamp,flags,$(CC) $(CFLAGS) $(LD) $(LDFLAGS))
$(call stamp,nasm-flags,$(NASMFLAGS))
build/flags build/nasm-flags:

# $(call assemble,CHAPTER,SOURCE,ADDRESS): a flat binary, its listing and its map; and,
# for the debugger alone, the same code with symbols as an ELF file.
# NASM 2.16.01 leaves %include files out of what -MD writes: so ask for them separately.
define assemble
$(basename build/$1/$(notdir $2)).bin: $2 build/nasm-flags | build/$1
	$(call announce,nasm,$2)
	@$$(call need,nasm,it assembles $2)
	@echo '[map all $$(@:.bin=.map)]' > $$(@:.bin=.map.inc)
	$(Q)nasm $(NASMFLAGS) -I chapters/$1/ -M -MP -MT $$@ -MF $$(@:.bin=.d) $2
	$(Q)nasm $(NASMFLAGS) -I chapters/$1/ -f bin -P $$(@:.bin=.map.inc) -l $$(@:.bin=.lst) -o $$@ $2

$(basename build/$1/$(notdir $2)).elf: $(basename build/$1/$(notdir $2)).bin
	@echo '%idefine org times 0 dq' > $$(@:.elf=.org.inc)
	$(Q)nasm $(NASMFLAGS) -I chapters/$1/ -f elf64 -g -F dwarf -P $$(@:.elf=.org.inc) -o $$(@:.elf=.o) $2
	$(Q)$(LD) -Ttext=$$(call layout,$3) -e 0 -o $$@ $$(@:.elf=.o)

-include $(basename build/$1/$(notdir $2)).d
endef

# $(call compile,CHAPTER,SOURCE): an object file of the kernel.
define compile
$(call object,$1,$2): $2 build/$(if $(filter .c,$(suffix $2)),,nasm-)flags | build/$1
ifeq ($(suffix $2),.c)
	$(call announce,$(firstword $(CC)),$2)
	@$$(call need,$(CC),it compiles $2)
	$(Q)$(CC) $(CFLAGS) -MD -MP -c -o $$@ $2
else
	$(call announce,nasm,$2)
	@$$(call need,nasm,it assembles $2)
	$(Q)nasm $(NASMFLAGS) -M -MP -MT $$@ -MF $$(@:.o=.d) $2
	$(Q)nasm $(NASMFLAGS) -f elf64 -g -F dwarf -l $$(@:.o=.lst) -o $$@ $2
endif

-include $$(patsubst %.o,%.d,$(call object,$1,$2))
endef
object = build/$1/$(basename $(notdir $2)).o

# $(call link,CHAPTER): the kernel with symbols, and the flat binary made of it.
define link
build/$1/kernel.elf: $(foreach source,$(kernel),$(call object,$1,$(source))) $(linker_script) \
                     common/x86/layout.inc chapters/$1/chapter.mk build/flags
	$(call announce,$(LD),$(linker_script))
	@$$(call need,$(LD),it links the kernel)
	$(Q)$(LD) $(LDFLAGS) -T $(linker_script) --defsym=KERNEL_BASE=$$(call layout,KERNEL_BASE) \
	    --defsym=KERNEL_LIMIT=$$(call layout,KERNEL_LIMIT) -Map=build/$1/kernel.map \
	    -o $$@ $$(filter %.o,$$^)

build/$1/kernel.bin: build/$1/kernel.elf
	@$$(call need,$(OBJCOPY),it makes the flat kernel)
	$(Q)$(OBJCOPY) -O binary $$< $$@
endef

# $(call chapter_rules,CHAPTER): all rules of one chapter.
define chapter_rules
$(foreach part,boot_sector second_stage kernel linker_script,$(eval $(part) :=))
$(eval include chapters/$1/chapter.mk)
$(eval $(call assemble,$1,$(boot_sector),BOOT_SECTOR))
$(if $(second_stage),$(eval $(call assemble,$1,$(second_stage),SECOND_STAGE)))
$(foreach source,$(kernel),$(eval $(call compile,$1,$(source))))
$(if $(kernel),$(eval $(call link,$1)))

$(eval binaries/$1 := $(patsubst %,build/$1/%.bin,$(basename \
           $(notdir $(boot_sector) $(second_stage)) $(if $(kernel),kernel.bin))))
$(eval dependencies/$1 := $(patsubst %,build/$1/%.d,$(basename \
           $(notdir $(boot_sector) $(second_stage) $(kernel)))))
$(eval symbols/$1 := $(patsubst %,build/$1/%.elf,$(basename \
           $(notdir $(boot_sector) $(second_stage)) $(if $(kernel),kernel.elf))))
$(eval linker_script/$1 := $(linker_script))

build/$1/disk.img: $(binaries/$1) common/make/image.py common/x86/layout.inc \
                    chapters/$1/chapter.mk
	$(Q)$$(PYTHON) common/make/image.py --output $$@ --boot-sector $(word 1,$(binaries/$1)) \
	    $(if $(second_stage),--second-stage $(word 2,$(binaries/$1))) \
	    $(if $(kernel),--kernel $(word 3,$(binaries/$1)))
build/$1:
	@mkdir -p $$@
endef

chapters := $(sort $(notdir $(wildcard chapters/[0-9][0-9]-*)))
images   := $(foreach chapter,$(chapters),build/$(chapter)/disk.img)
$(foreach chapter,$(chapters),$(eval $(call chapter_rules,$(chapter))))

.DELETE_ON_ERROR:
