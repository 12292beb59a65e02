# test.mk -- tests, screenshots and benchmarks

pytest = $(PYTHON) -m pytest -c tests/pytest.ini -n auto
words  := $(subst -,_,$(shell echo $(chapter) | cut -d- -f2-))

test: $(if $(numbers),$(image),$(images))
	@$(pytest) $(if $(numbers),tests/test_$(words).py,tests)

screenshots: $(images)
	@$(foreach c,$(chapters),$(machine) screenshot build/$(c)/disk.img --output docs/screens/$(c).png;)

bench: $(images)
	@$(PYTHON) common/make/bench.py
