// disk-layout.read.mjs -- what is where in the disk image of a chapter, as the build made it
//
// A row is [first LBA, last LBA, what, more lines about it]; two spaces in front of what mean
// that it is inside of the row above.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../site.mjs';
import { layout } from './layout.mjs';
import { grouped } from './size.mjs';

export const SECTOR = layout.SECTOR_SIZE;
const GPT_SIGNATURE = 'EFI PART'; // LBA 1 begins with it
const STAGE_MAGIC = 'FLS2'; // common/bios/second_stage.inc
const KERNEL_MAGIC = 'FKELFILE'; // common/bios/kernel_behind_loader.c

const beginsWith = (disk, lba, magic) =>
  disk.toString('latin1', lba * SECTOR, lba * SECTOR + magic.length) === magic;

/** The rows of an image with a GUID partition table, which make has had read: tools/disk-rows.py. */
const gptRows = (chapter) =>
  JSON.parse(readFileSync(path.join(root, 'build', 'disk-rows', `${chapter}.json`), 'utf8'));

/** The rows of an image whose parts lie end to end, as common/make/image.py lays them. */
function rawRows(disk) {
  const rows = [[0, 0, 'boot sector', []]];
  let next = 1;
  const add = (count, what, more = []) => {
    if (count > 0) rows.push([next, next + count - 1, what, more]);
    next += Math.max(count, 0);
  };
  const stage = layout.FIRST_STAGE_SECTORS;
  if (beginsWith(disk, stage, STAGE_MAGIC)) {
    const head = stage * SECTOR + STAGE_MAGIC.length;
    add(stage - 1, 'disk code: the rest of the first stage');
    add(disk.readUInt16LE(head), 'second stage');
    add(disk.readUInt16LE(head + 2), 'kernel');
  }
  if (beginsWith(disk, next, KERNEL_MAGIC)) {
    const size = Number(disk.readBigUInt64LE(next * SECTOR + KERNEL_MAGIC.length));
    add(1, "head of the kernel's file: its size and its checksum");
    add(Math.ceil(size / SECTOR), 'kernel.elf', [`${grouped(size)} bytes`]);
  }
  add(disk.length / SECTOR - next, 'zeros');
  return rows;
}

function read(chapter) {
  const image = path.join(root, 'build', chapter, 'disk.img');
  if (!existsSync(image)) return undefined;
  const disk = readFileSync(image);
  const rows = beginsWith(disk, 1, GPT_SIGNATURE) ? gptRows(chapter) : rawRows(disk);
  return { rows, sectors: disk.length / SECTOR };
}

const disks = new Map(); // several pages show the same ones

/** Rows and number of sectors of a chapter's image; undefined if it is not built. */
export function diskOf(chapter) {
  if (!disks.has(chapter)) disks.set(chapter, read(chapter));
  return disks.get(chapter);
}
