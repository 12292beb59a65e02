# qemu.mk -- the verbs that start a machine: run, screen, debug, and the tests
#
# tests/machine/ drives QEMU; QEMU=path names another qemu-system-x86_64.

export PYTHONDONTWRITEBYTECODE := 1
machine = PYTHONPATH=tests $(PYTHON) -m machine

run: $(image)
	@$(machine) run $(image)

screen: $(image)
	@$(machine) screen $(image)

debug: $(image) $(symbols)
	@$(PYTHON) common/make/debug.py $(image) $(symbols)
