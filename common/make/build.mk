# build.mk -- from the sources of a chapter to its disk image
#
# A chapter's chapter.mk names the sources: boot_sector, second_stage; loader, the C part
# of a second stage, and its loader_script; kernel, linker_script, kernel_flags; efi, a
# program for UEFI; firmwares, those that start it, bios if it does not say. All that is
# made of them goes to build/NN-words/.

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

# A change of compiler or flags makes what they made old: these files are as new as
# the last change.
stamp = $(shell mkdir -p build; echo '$2' | cmp -s - build/$1 || echo '$2' >build/$1)
$(call stamp,flags,$(CC) $(CFLAGS) $(LD) $(LDFLAGS) $(EFI) $(EFI_LD) $(EFI_LDFLAGS) $(subst ',,$(EFI_SECTIONS)))
$(call stamp,nasm-flags,$(NASMFLAGS))
$(call stamp,font-choice,$(FONT))
build/flags build/nasm-flags build/font-choice:

# $(call assemble,CHAPTER,SOURCE,ADDRESS): a flat binary, its listing and its map; and,
# for the debugger alone, the same code with symbols as an ELF file.
# NASM 2.16.01 leaves %include files out of what -MD writes: so ask for them separately.
define assemble
$(basename build/$1/$(notdir $2)).bin: $2 build/nasm-flags | build/$1/
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

# $(call compile,CHAPTER,SOURCE,FOLDER,FLAGS): an object file.
define compile
$(call object,$1,$2,$3): $2 build/$(if $(filter .c,$(suffix $2)),,nasm-)flags \
                     chapters/$1/chapter.mk | build/$1/$3
ifeq ($(suffix $2),.c)
	$(call announce,$(firstword $(CC)),$2)
	@$$(call need,$(CC),it compiles $2)
	$(if $(filter efi/,$3),$$(need_gnu_efi))
	$(Q)$(CC) $(CFLAGS) $4 -MD -MP -c -o $$@ $2
else
	$(call announce,nasm,$2)
	@$$(call need,nasm,it assembles $2)
	$(Q)nasm $(NASMFLAGS) -M -MP -MT $$@ -MF $$(@:.o=.d) $2
	$(Q)nasm $(NASMFLAGS) -f elf64 -g -F dwarf -l $$(@:.o=.lst) -o $$@ $2
endif

-include $$(patsubst %.o,%.d,$(call object,$1,$2,$3))
endef
object = build/$1/$3$(basename $(notdir $2)).o

# The letters of a kernel that draws them itself: its chapter.mk names build/font.c.
# FONT=file chooses the font; without it, font.py looks where distributions put theirs.
build/font.c: common/make/font.py build/font-choice
	$(Q)$(PYTHON) common/make/font.py --output $@ $(if $(FONT),--font '$(FONT)')

# $(call link,CHAPTER,PROGRAM,OBJECTS,SCRIPT): a program with symbols, and made of it the
# file that goes onto the disk: a flat binary, or a kernel.file, an ELF file without what
# only a debugger reads.
define link
build/$1/$2.elf: $3 $4 common/x86/layout.inc chapters/$1/chapter.mk build/flags
	$(call announce,$(LD),$4)
	@$$(call need,$(LD),it links the $2)
	$(Q)$(LD) $(LDFLAGS) -T $4 $$(foreach name,$(addresses),--defsym=$$(name)=$$(call \
	    layout,$$(name))) -Map=build/$1/$2.map -o $$@ $$(filter %.o,$$^)

build/$1/$2.bin: build/$1/$2.elf
	@$$(call need,$(OBJCOPY),it makes the flat $2)
	$(Q)$(OBJCOPY) -O binary $$< $$@

build/$1/$2.file: build/$1/$2.elf
	@$$(call need,$(OBJCOPY),it makes the file of the $2)
	$(Q)$(OBJCOPY) --strip-debug $$< $$@
endef

# $(call link_efi,CHAPTER,OBJECTS): the program that UEFI looks for on a disk. The linker
# makes an ELF file, objcopy copies the sections of it into a file of the format that UEFI
# reads.
define link_efi
build/$1/efi.so: $2 $(efi_crt0) $(efi_script) chapters/$1/chapter.mk build/flags
	$$(need_gnu_efi)
	$(call announce,$(EFI_LD),$(efi_script))
	@$$(call need,$(EFI_LD),it links the program for UEFI)
	$(Q)$(EFI_LD) $(EFI_LDFLAGS) -T $(efi_script) -Map=build/$1/efi.map -o $$@ \
	    $(efi_crt0) $2 -L $(efi_library) --start-group -lgnuefi -lefi --end-group

build/$1/BOOTX64.EFI: build/$1/efi.so
	@$$(call need,$(EFI_OBJCOPY),it makes the program for UEFI)
	$(Q)$(EFI_OBJCOPY) $(addprefix -j ,$(EFI_SECTIONS)) -O efi-app-x86_64 $$< $$@
endef

# gnu-efi lies elsewhere on each distribution: the first place of gnu-efi.places where all
# of it is. Where there is none, what needs it says so.
gnu_efi     := $(shell while read -r crt0 script library; do \
                 if [ -e "$$crt0" ] && [ -e "$$script" ] && [ -e "$$library/libgnuefi.a" ]; \
                 then echo "$$crt0 $$script $$library"; break; fi; \
                 done <common/make/gnu-efi.places)
efi_crt0    := $(word 1,$(gnu_efi))
efi_script  := $(word 2,$(gnu_efi))
efi_library := $(word 3,$(gnu_efi))
need_gnu_efi = $(if $(gnu_efi),,@$(PYTHON) common/make/doctor.py --missing gnu-efi)

# What linker scripts know of common/x86/layout.inc.
addresses := KERNEL_BASE KERNEL_LIMIT LOADER_BASE LOADER_FILE_LIMIT PAGE_TABLES \
             DISK_BUFFER DISK_BUFFER_END

# $(call chapter_rules,CHAPTER): all rules of one chapter.
define chapter_rules
$(foreach part,$(parts),$(eval $(part) :=))
$(eval include chapters/$1/chapter.mk)
$(if $(boot_sector),$(eval $(call assemble,$1,$(boot_sector),BOOT_SECTOR)))
$(if $(second_stage),$(eval $(call assemble,$1,$(second_stage),SECOND_STAGE)))
$(foreach source,$(loader),$(eval $(call compile,$1,$(source),loader/,$(SMALL) -Icommon/bios)))
$(foreach source,$(kernel),$(eval $(call compile,$1,$(source),,$(kernel_flags))))
$(foreach source,$(efi),$(eval $(call compile,$1,$(source),efi/,$(SMALL) $(EFI))))
$(eval loader/$1 := $(foreach source,$(loader),$(call object,$1,$(source),loader/)))
$(eval kernel/$1 := $(foreach source,$(kernel),$(call object,$1,$(source))))
$(eval efi/$1 := $(foreach source,$(efi),$(call object,$1,$(source),efi/)))
$(eval firmwares/$1 := $(or $(firmwares),bios))
$(if $(loader),$(eval $(call link,$1,loader,$(loader/$1),$(loader_script))))
$(if $(kernel),$(eval $(call link,$1,kernel,$(kernel/$1),$(linker_script))))
$(if $(efi),$(eval $(call link_efi,$1,$(efi/$1))))

$(eval stages/$1 := $(patsubst %,build/$1/%,$(basename $(notdir $(boot_sector) $(second_stage)))))
$(eval symbols/$1 := $(addsuffix .elf,$(stages/$1) \
           $(if $(loader),build/$1/loader) $(if $(kernel),build/$1/kernel)))
$(eval dependencies/$1 := $(addsuffix .d,$(stages/$1)) \
           $(patsubst %.o,%.d,$(loader/$1) $(efi/$1) $(kernel/$1)))
$(eval linker_script/$1 := $(loader_script) $(linker_script))
$(eval image_tool/$1 := common/make/$(if $(efi),gpt_image.py,image.py))
$(eval image_parts/$1 := $(if $(efi),--efi build/$1/BOOTX64.EFI) \
           $(if $(boot_sector),--boot-sector $(word 1,$(stages/$1)).bin) \
           $(if $(second_stage),--second-stage $(word 2,$(stages/$1)).bin) \
           $(if $(loader),--loader build/$1/loader.bin) \
           $(if $(kernel),$(if $(efi),--file kernel.elf=build/$1/kernel.file,$(if $(loader),\
               --kernel-file build/$1/kernel.file,--kernel build/$1/kernel.bin))))

build/$1/disk.img: $(filter build/%,$(subst kernel.elf=,,$(image_parts/$1))) \
                    common/make/image.py $(image_tool/$1) common/x86/layout.inc chapters/$1/chapter.mk
	$(Q)$$(PYTHON) $(image_tool/$1) --output $$@ $(image_parts/$1)
build/$1/ build/$1/loader/ build/$1/efi/:
	@mkdir -p $$@
endef
parts := boot_sector second_stage loader loader_script kernel linker_script kernel_flags \
         efi firmwares

include common/make/parts.mk

chapters := $(sort $(notdir $(wildcard chapters/[0-9][0-9]-*)))
$(foreach chapter,$(chapters),$(eval $(call chapter_rules,$(chapter))))

# Not every system has a package of gnu-efi. Without it, all the other chapters are built.
left_out := $(strip $(if $(gnu_efi),,$(foreach chapter,$(chapters),$(if $(efi/$(chapter)),\
              $(chapter)))))
images   := $(foreach chapter,$(filter-out $(left_out),$(chapters)),build/$(chapter)/disk.img)

.DELETE_ON_ERROR:
