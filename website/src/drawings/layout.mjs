// layout.mjs -- common/x86/layout.inc, read by the build: its numbers and its drawings
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../site.mjs';
import { parseConstants } from './memory-map.math.mjs';

export const layoutSource = readFileSync(path.join(root, 'common', 'x86', 'layout.inc'), 'utf8');

/** The constants of the layout, by name. */
export const layout = parseConstants(layoutSource);
