// layout.mjs -- common/x86/layout.inc, read by the build: its numbers and its drawings
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../site.mjs';

const source = () => readFileSync(path.join(root, 'common', 'x86', 'layout.inc'), 'utf8');

/** The constants of the layout, by name. */
export function layout(text = source()) {
  const lines = text.matchAll(/^(\w+)\s+equ\s+(0x[0-9a-f]+|\d+)\b/gim);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}
