# website.mk -- the posts, rendered: website, website-serve, test-website
#
# The site is made by Astro from docs/, with what website/ says, into build/website. SITE is
# the address that it will have, REPOSITORY that of the repository on its host: see
# website/site.mjs.

export ASTRO_TELEMETRY_DISABLED := 1

# Where the system's Node.js is too old, ./setup.sh website puts another one here.
own_node := $(wildcard $(CURDIR)/build/node/node_modules/.bin)
ifneq ($(own_node),)
export PATH := $(own_node):$(PATH)
endif

# A sentence where there is no Node, or one that is too old for Astro.
node:
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number);'\
	'process.exit(a > 20 || (a === 20 && b >= 3) ? 0 : 1)' 2>/dev/null || { \
	    echo "Node.js 20.3 or newer is needed for the website, and here is" \
	         "$$(node --version 2>/dev/null || echo none): ./setup.sh website installs it." >&2; \
	    exit 1; }

# npm writes this file when it has installed all that the lock file names.
packages := website/node_modules/.package-lock.json
$(packages): website/package-lock.json | node
	$(call announce,npm,website/package-lock.json)
	$(Q)cd website && npm ci --silent && touch node_modules/.package-lock.json
build/website-packages: $(packages)

# What each chapter changed: the site shows it. The first has nothing before it.
diffs := $(patsubst build/%/disk.img,build/changes/%.diff,$(filter-out $(firstword $(images)),$(images)))
$(diffs): build/changes/%.diff: $(images) common/make/diff.sh
	@mkdir -p $(@D)
	$(call announce,diff,$*)
	@$(MAKE) -s --no-print-directory chapter-$(firstword $(subst -, ,$*)) diff >$@

# What is where on each disk image, for those with a partition table: the site draws it.
rows := $(patsubst build/%/disk.img,build/disk-rows/%.json,$(images))
$(rows): build/disk-rows/%.json: build/%/disk.img common/make/disk_layout.py website/tools/disk-rows.py
	@mkdir -p $(@D)
	$(call announce,rows,$*)
	$(Q)PYTHONPATH=common/make PYTHONDONTWRITEBYTECODE=1 $(PYTHON) website/tools/disk-rows.py $< >$@

# The fonts, cut to the letters that are in the posts, the screens and the site's own words.
letters := build/fonts/letters.txt
$(letters): $(packages) website/tools/fonts.mjs $(wildcard docs/*.md docs/screens/*.json \
            website/src/* website/src/*/* website/src/*/*/*)
	$(call announce,cut,build/fonts)
	$(Q)node website/tools/fonts.mjs

# The posts as a book, whose links lead to SITE or REPOSITORY. Where pandoc is missing, the site
# has none.
book := build/first-light.epub
$(book): $(wildcard docs/*.md docs/*/*.svg docs/*/*.png website/tools/epub.*) \
         website/tools/cover.png website/site.mjs build/website-address | node
	$(call announce,pandoc,$@)
	@if $(PYTHON) common/make/doctor.py --where pandoc >/dev/null 2>&1; then \
	    node website/tools/epub.mjs; \
	 else echo "pandoc is not installed, or too old: the site has no EPUB"; fi

# Written only when it changes.
build/website-address: always
	@mkdir -p $(@D)
	@echo '$(SITE) $(REPOSITORY)' | cmp -s - $@ || echo '$(SITE) $(REPOSITORY)' >$@

website: node $(packages) $(letters) $(rows) $(diffs) $(book)
	$(Q)node website/build.mjs
	@echo "build/website: the site; build/website/index.html is its front page"

website-serve: node $(packages) $(letters) $(rows) $(diffs)
	@cd website && npm run --silent serve

# CHROMIUM in the environment wins. Without any, nothing is built first.
test-website: chromium website
	@CHROMIUM=$${CHROMIUM:-$$($(find_chromium))} && export CHROMIUM && \
	    cd website && npm run --silent test

find_chromium = $(PYTHON) common/make/doctor.py --where chromium
chromium:
	@[ -n "$$CHROMIUM" ] || $(find_chromium) >/dev/null
.PHONY: node chromium always build/website-packages
