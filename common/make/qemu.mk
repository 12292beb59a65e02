# qemu.mk -- the verbs that start a machine: run, screen, debug, and the tests
#
# tests/machine/ drives QEMU. For another machine than usual: MEMORY=6G, CPU=pentium3,
# DISK=floppy (ide, ahci, virtio, nvme, usb), BOARD=q35, VGA=virtio (std, qxl, none),
# FIRMWARE=uefi where a chapter knows both; QEMU=path for another QEMU. IMAGE=file boots
# that file instead, LIMIT=3 waits no longer than 3 s until a machine settles.

export PYTHONDONTWRITEBYTECODE := 1
machine = $(PYTHON) -c 'import pexpect' 2>/dev/null || \
          $(PYTHON) common/make/doctor.py --missing pexpect && \
          PYTHONPATH=tests $(PYTHON) -m machine
pc      = $(if $(MEMORY),--memory $(MEMORY)) $(if $(CPU),--cpu $(CPU)) \
          $(if $(DISK),--disk $(DISK)) $(if $(BOARD),--board $(BOARD)) \
          $(if $(VGA),--vga $(VGA)) $(if $(firmware),--firmware $(firmware))
limit   = $(if $(LIMIT),--limit $(LIMIT))

run: $(image)
	@$(machine) run $(image) $(pc) $(limit)

screen: $(image)
	@$(machine) screen $(image) $(pc) $(limit)

debug: $(image) $(symbols)
	@$(PYTHON) common/make/debug.py $(pc) $(image) $(symbols)
