# First Light: make [chapter-N] VERB. `make` alone prints the help.

ifeq ($(filter 4.% 5.%,$(MAKE_VERSION)),)
  $(error This is GNU make $(MAKE_VERSION), version 4 or newer is needed. On macOS: brew \
    install make, and then gmake instead of make)
endif

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make chapter-N             build chapter N: build/NN-words/disk.img
#: make chapter-N run         boot it: in a window, in the terminal, or headless
#: make chapter-N screen      boot it headless; print its screen and its serial output
#: make chapter-N test        run its tests
#: make chapter-N debug       stop at the boot sector, in gdb
#: make chapter-N image       build it; say where the image is, and what lies where in it
#: make chapter-N usb DEVICE=/dev/sdX   write it to a USB stick, after a look and a question
#: make chapter-N files       list every file of the chapter, in reading order
#: make chapter-N diff        show what changed since the chapter before
#: make chapter-N export DIR=folder   write it to a folder that needs no repository
#: make chapter-N clean       remove what was built of it
#:
#: BREAK=name with run, screen or debug: with one idea removed (make chapter-N breaks)
#: MEMORY=6G CPU=pentium3 DISK=floppy BOARD=q35 VGA=qxl   with run, screen, debug: another machine
#: FIRMWARE=bios|uefi         likewise, where a chapter knows both
#: IMAGE=file LIMIT=3         with run and screen: another disk; wait 3 s, not 10
#: TOOLCHAIN=gcc|clang        choose the compiler
#: V=1                        show each command
#:
#: make all | run | test | bench | doctor | screenshots | clean | help
#:                            all chapters; run boots the newest
#: make website               the posts as a website, in build/website; website-serve shows it
#:                            here, with each change; test-website tests it
#: make fuzz [TIME=60] [FUZZER=elf64]   feed what reads strangers' data with anything at all

CHAPTER_VERBS := run screen test debug image usb files diff export clean breaks
OTHER_VERBS   := all bench doctor fuzz screenshots website website-serve test-website help
FIRMWARES     := bios uefi

include common/make/toolchain.mk
include common/make/build.mk

# What was asked for: one chapter at a time, else the newest.
numbers := $(patsubst chapter-%,%,$(filter chapter-%,$(MAKECMDGOALS)))
verbs   := $(filter-out chapter-% build/%,$(MAKECMDGOALS))
chapter := $(or $(foreach n,$(numbers),$(or $(filter $(n)-% 0$(n)-%,$(chapters)),none)),\
             $(lastword $(chapters)))
known   := $(patsubst 0%,%,$(foreach c,$(chapters),$(firstword $(subst -, ,$(c)))))

ifneq ($(filter none,$(chapter))$(filter chapter-,$(MAKECMDGOALS)),)
  $(error There is no chapter '$(numbers)': the chapters are $(known))
endif
ifneq ($(word 2,$(chapter)),)
  $(error One chapter at a time: make chapter-$(firstword $(numbers)) $(verbs))
endif
ifneq ($(filter-out $(CHAPTER_VERBS) $(OTHER_VERBS),$(verbs)),)
  $(error There is no verb '$(filter-out $(CHAPTER_VERBS) $(OTHER_VERBS),$(verbs))': the \
    verbs are $(CHAPTER_VERBS); and without a chapter $(OTHER_VERBS))
endif
ifneq ($(filter-out $(FIRMWARES),$(FIRMWARE)),)
  $(error Unknown FIRMWARE '$(FIRMWARE)': these chapters know $(FIRMWARES))
endif
firmware := $(or $(FIRMWARE),$(firstword $(firmwares/$(chapter))))
ifeq ($(filter $(firmware),$(firmwares/$(chapter))),)
  $(error Chapter $(chapter) does not start from $(firmware): it knows $(firmwares/$(chapter)))
endif

# What follows `clean` waits for it.
ifneq ($(filter clean,$(verbs)),)
.NOTPARALLEL:
endif

# BREAK=name works on a patched export of the chapter, with the same build.
broken  := $(if $(BREAK),build/broken/$(chapter)/$(BREAK)/)
image   := $(or $(IMAGE),$(broken)build/$(chapter)/disk.img)
symbols := $(addprefix $(broken),$(symbols/$(chapter)))

include common/make/qemu.mk
include common/make/chapter.mk
include common/make/test.mk
include common/make/fuzz.mk
include common/make/website.mk

.PHONY: $(CHAPTER_VERBS) $(OTHER_VERBS) $(filter chapter-%,$(MAKECMDGOALS))
$(filter chapter-%,$(MAKECMDGOALS)): $(if $(verbs),,$(image))
	@:
all: $(images)
	$(if $(left_out),@echo 'Left out because gnu-efi is missing: $(left_out)')
doctor:
	@$(PYTHON) common/make/doctor.py
