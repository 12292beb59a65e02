# fuzz.mk -- feed what reads strangers' data with data that nobody would think of
#
# TIME=seconds for each fuzzer, 60 without it; FUZZER=name chooses one of them.

fuzz:
	@$(PYTHON) common/make/fuzz.py $(if $(TIME),--time $(TIME)) $(if $(FUZZER),--fuzzer $(FUZZER))
