# test.mk -- tests, screenshots and benchmarks

pytest = $(PYTHON) -m pytest -c tests/pytest.ini -n auto
words  := $(subst -,_,$(shell echo $(chapter) | cut -d- -f2-))

test: $(if $(numbers),$(image),$(images))
	@common/make/find-python.sh >/dev/null || $(PYTHON) common/make/doctor.py --missing pytest
	@$(pytest) $(if $(numbers),tests/test_$(words).py,tests)

screenshots: $(images)
	@mkdir -p docs/screens
	@set -e; for chapter in $(chapters); do \
	    $(machine) screenshot build/$$chapter/disk.img --output docs/screens/$$chapter.png; done

bench: $(images)
	@$(PYTHON) common/make/bench.py $(PARTS)
