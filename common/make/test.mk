# test.mk -- tests, screenshots and benchmarks

pytest = $(PYTHON) -m pytest -c tests/pytest.ini -n auto
words  := $(subst -,_,$(shell echo $(chapter) | cut -d- -f2-))

test: $(if $(numbers),$(image),$(images))
	@common/make/find-python.sh >/dev/null || $(PYTHON) common/make/doctor.py --missing pytest
	@$(pytest) $(if $(numbers),tests/test_$(words).py,tests)

# Each screen is a picture, NN-words.png, and its text beside it, NN-words.json. A chapter
# that starts from two firmwares has a second screen: NN-words-uefi.
screenshots: $(images)
	@mkdir -p docs/screens
	@set -e; $(foreach c,$(chapters),$(foreach f,$(firmwares/$c),$(machine) screenshot \
	    build/$c/disk.img --firmware $f --output \
	    docs/screens/$c$(if $(filter-out $(firstword $(firmwares/$c)),$f),-$f).png;))

bench: $(images)
	@$(PYTHON) common/make/bench.py $(PARTS)
