// build.mjs -- the site from docs/, in build/website
//
// One program for all of it: Node.js needs seconds to start Astro, and half of one to start npm.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'astro';
import { output } from './site.mjs';
import { keep } from './tools/keep.mjs';
import { writeOffline } from './tools/offline.mjs';
import { makeRelative } from './tools/relative.mjs';
import { writeSources } from './tools/source.mjs';

// What Astro leaves of its own work in a folder outside of the project's.
const RESTS = ['collections', 'content-assets.mjs', 'content-modules.mjs'];

process.chdir(path.dirname(fileURLToPath(import.meta.url)));
try {
  // force: a post may look different although its text is the same.
  await build({ force: true });
} catch (error) {
  console.error(`The website was not built: ${error.message}`);
  if (error.hint) console.error(error.hint);
  process.exit(1);
}
for (const rest of RESTS) rmSync(path.join(output, rest), { recursive: true, force: true });
makeRelative(output);
writeSources(output);
writeOffline();
keep(output);
