# website.mk -- the posts, rendered: website, website-serve, test-website
#
# The site is made by Astro from docs/, with what website/ says, into build/website. SITE is
# the address that it will have, REPOSITORY that of the repository on its host: see
# website/site.mjs.

export ASTRO_TELEMETRY_DISABLED := 1

# A sentence where there is no Node, or one that is too old for Astro.
need_node = node -e 'const [a, b] = process.versions.node.split(".").map(Number); \
            process.exit(a > 20 || (a === 20 && b >= 3) ? 0 : 1)' 2>/dev/null || { \
            echo "Node.js 20.3 or newer is needed for the website, and here is \
            $$(node --version 2>/dev/null || echo none): https://nodejs.org tells how to install it." \
            | tr -s ' ' >&2; exit 1; }

# npm writes this file when it has installed all that the lock file names.
packages := website/node_modules/.package-lock.json
$(packages): website/package-lock.json
	@$(need_node)
	$(call announce,npm,website/package-lock.json)
	$(Q)cd website && npm ci --silent && touch node_modules/.package-lock.json

website: $(packages) $(images)
	@$(need_node)
	$(Q)cd website && npm run --silent build
	@echo "build/website: the site; build/website/index.html is its front page"

website-serve: $(packages) $(images)
	@$(need_node)
	@cd website && npm run --silent serve

test-website: website
	@cd website && npm run --silent test
