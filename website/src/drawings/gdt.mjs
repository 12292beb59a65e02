// gdt.mjs -- common/x86/gdt.asm, read by the build: each descriptor as a number
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../site.mjs';

const source = (name) => readFileSync(path.join(root, 'common', 'x86', name), 'utf8');

const LIMIT = 0x000f00000000ffffn; // of the macro `descriptor`, all pieces; its base is 0

/** The flags of descriptor.inc, each within its byte. */
function flags() {
  const lines = source('descriptor.inc').matchAll(/^(\w+)\s+equ\s+1 << (\d)/gm);
  return Object.fromEntries([...lines].map(([, name, bit]) => [name, 1n << BigInt(bit)]));
}

/** The descriptors of the table in order: { name, value }. */
export function descriptors() {
  const values = flags();
  const any = (names) => names.split('|').reduce((sum, name) => sum | values[name.trim()], 0n);
  const table = source('gdt.asm').replace(/\\\n/g, '');
  const entries = table.matchAll(/^(gdt\w*):\n\s+(?:(dq) 0|descriptor ([^,;\n]+),([^;\n]+))/gm);
  return [...entries].map(([, label, empty, access, size]) => ({
    name: empty ? 'null' : label.replace('gdt_', ''),
    value: empty ? 0n : LIMIT | (any(access) << 40n) | (any(size) << 48n),
  }));
}
