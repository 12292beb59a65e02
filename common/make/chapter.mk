# chapter.mk -- the verbs about a chapter's files: image, usb, files, export, diff, breaks, clean
#
# Which files belong to a chapter is read from the dependency files that the assembler
# and the compiler wrote while they built it: it cannot be forgotten, nor lie.

# $(call sources,CHAPTER): its files, each once, in the order in which they were read.
sources = $(shell cat $(dependencies/$1) | tr -s ' \\' '\n' | \
            awk '/^(chapters|common)\/[^:]*$$/ && !seen[$$0]++')
chapter_files = chapters/$1/chapter.mk $(call sources,$1) $(linker_script/$1)

image: $(image)
	@$(if $(efi/$(chapter)),$(PYTHON) common/make/gpt_image.py --describe $<,echo \
	    '$<: the parts of chapter.mk, laid end to end from sector 0 on')

usb: $(image)
	@$(PYTHON) common/make/usb.py $< $(DEVICE)

# What an export needs besides to build and to run.
machinery := common/make tests/machine

files: $(image)
	@printf '%s\n' $(call chapter_files,$(chapter))

ifneq ($(filter export,$(verbs)),)
  ifndef DIR
    $(error Where to? make $(firstword $(MAKECMDGOALS)) export DIR=folder)
  endif
endif
export: build/$(chapter)/disk.img
	@common/make/export.sh '$(DIR)' \
	    $(chapter) $(call chapter_files,$(chapter)) common/x86/layout.inc $(machinery)

# Each chapter paired with the one before it: none:01-... 01-...:02-... and so on.
pairs    := $(join $(addsuffix :,none $(chapters)),$(chapters))
previous := $(filter-out none,$(patsubst %:$(chapter),%,$(filter %:$(chapter),$(pairs))))

diff: $(foreach c,$(previous) $(chapter),build/$(c)/disk.img)
	@common/make/diff.sh '$(previous)' '$(chapter)' \
	    '$(if $(previous),$(call chapter_files,$(previous)))' '$(call chapter_files,$(chapter))'

breaks:
	@common/make/breaks.sh $(chapter)

# A broken variant is rebuilt each time: its sources are a patched copy.
ifdef BREAK
  ifeq ($(wildcard chapters/$(chapter)/break/$(BREAK).patch),)
    $(error Chapter $(chapter) has no variant '$(BREAK)': it has \
      $(or $(basename $(notdir $(wildcard chapters/$(chapter)/break/*.patch))),none))
  endif
$(image): build/$(chapter)/disk.img
	@rm -rf $(broken)
	@common/make/export.sh $(broken) $(chapter) $(call chapter_files,$(chapter)) \
	    common/x86/layout.inc $(machinery) >/dev/null
	@$(call need,patch,it makes the broken variants)
	@mkdir -p $(broken)/build && cp -a build/$(chapter) build/flags build/nasm-flags $(broken)/build/
	@cd $(broken) && patch -s -p1 <'$(CURDIR)/chapters/$(chapter)/break/$(BREAK).patch'
	@$(MAKE) -s -C $(broken) BREAK= PYTHON=$(PYTHON) $(patsubst $(broken)%,%,$(image) $(symbols))
$(symbols): $(image)
.PHONY: $(image)
endif

# build/venv and build/node may hold what setup.sh installed.
clean:
	rm -rf $(if $(numbers),build/$(chapter) build/broken/$(chapter),\
	             $(filter-out build/venv build/node,$(wildcard build/*)))
