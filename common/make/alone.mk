# alone.mk -- what an exported chapter's Makefile includes

all: build/$(chapter)/disk.img

include common/make/toolchain.mk
include common/make/build.mk

image    := $(or $(IMAGE),build/$(chapter)/disk.img)
symbols  := $(symbols/$(chapter))
firmware := $(or $(FIRMWARE),$(firstword $(firmwares/$(chapter))))
include common/make/qemu.mk

clean:
	rm -rf build

.PHONY: all run screen debug clean
