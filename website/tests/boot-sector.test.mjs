// boot-sector.test.mjs -- what a listing and a map file say of the bytes of a boot sector
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  SECTOR_SIZE, areas, around, statements, symbols,
} from '../src/drawings/boot-sector.math.mjs';
import { sentence, source, statementAt, words } from '../src/drawings/boot-sector.view.mjs';

const MAP = `
Value     Name
00007C00  BOOT_SECTOR
000001B8  BOOT_CODE_SIZE

Real              Virtual           Name
            7C03              7C03  bpb
            7C5A              7C5A  entry
            7C5D              7C5D  entry.done
            7C5E              7C5E  hello
            7C62              7C62  boot_code_end
            7DBE              7DBE  partition_table
`;

const line = (offset, bytes, depth, text) =>
  `    16 ${offset} ${bytes.padEnd(20)}${depth.padEnd(4)}${text}`;
const LISTING = [
  '     1                                  ; a comment',
  line('00000000', 'EB58', '<1>', '    jmp short entry'),
  line('00000003', '00<rep 57h>', '<1>', '    times 0x5a - ($ - $$) db 0'),
  line('0000005A', 'B80300', '', '    mov ax, 3   ; a < b'),
  line('0000005D', 'F4', '', '    hlt'),
  line('0000005E', '486921-', '', 'hello: db "Hi!", 0'),
  line('00000061', '00', '', ''),
  line('00000062', '00<rep 156h>', '<2>', '    times %1 - %%size db 0'),
  line('000001B8', '00<rep 6h>', '<1>', '    times DISK_SIGNATURE_SIZE db 0'),
  line('000001BE', '80', '<1>', '    db PARTITION_ACTIVE'),
  line('000001FE', '55AA', '<1>', '    dw 0xaa55'),
  line('00000200', '90', '', '    nop'),
  line('00000000', '????', '<2>', '    .length: resw 1'),
  line('00000004', '<res Ch>', '<2>', '    .geometry: resd 3'),
].join('\n');

const names = symbols(MAP);
const all = statements(LISTING);
const bytes = new Array(SECTOR_SIZE).fill(0);
bytes[0x5e] = 0x48;
const labels = [{ name: 'entry', from: 0x5a }, { name: 'hello', from: 0x5e }];
const sector = { bytes, areas: areas(all, names), statements: all, labels };

test('constants and labels are read from the map', () => {
  assert.equal(names.BOOT_CODE_SIZE, 440);
  assert.equal(names['entry.done'], 0x7c5d);
});

test('statements are those whose bytes lie in the sector', () => {
  assert.deepEqual(all.map(({ from }) => from), [0, 3, 0x5a, 0x5d, 0x5e, 0x62, 440, 446, 510]);
  assert.equal(around(all, 0x5b).text, 'mov ax, 3 ; a < b');
});

test('the areas cover the sector without a gap', () => {
  let end = 0;
  for (const { from, to } of sector.areas) {
    assert.equal(from, end);
    end = to;
  }
  assert.equal(end, SECTOR_SIZE);
  assert.deepEqual(sector.areas.map(({ kind }) => kind), [
    'jump', 'bpb', 'code', 'message', 'free', 'windows', 'table', 'signature']);
});

test('a byte is known by its statement and the label before it', () => {
  assert.deepEqual(statementAt(sector, 0x5b), { from: 0x5a, to: 0x5d });
  assert.deepEqual(source(sector, 0x5d), { line: 'hlt', label: 'entry' });
  assert.equal(words(sector, 0x5e), 'Byte 94 (0x05e): 0x48 “H”, text');
});

test('what the source says cannot become HTML', () => {
  assert.match(sentence(sector, 0x5a), /a &lt; b/);
});
