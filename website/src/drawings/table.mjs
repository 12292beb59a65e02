// table.mjs -- which figures of which posts have a drawing that one can ask
//
// Page, then file of the figure: name of the drawing. NAME.static.mjs gives its HTML, which
// reads well by itself; NAME.ts makes it answer.
export const drawings = {
  '01-boot-sector': {
    'segment-offset.svg': 'segment-offset',
    'memory-boot-sector.svg': 'memory-map',
    'boot-sector.svg': 'boot-sector',
  },
  '02-second-stage': { 'image-to-memory.svg': 'disk-layout' },
  '03-memory-map': { 'memory-map.svg': 'memory-map' },
  '04-protected-mode': { 'descriptor.svg': 'segment-descriptor' },
  '05-long-mode': { 'page-tables.svg': 'memory-map', 'linear-address.svg': 'page-walk' },
  '06-vga-hello': { 'flat-kernel.svg': 'memory-map' },
  '07-elf-kernel': { 'real-mode-and-back.svg': 'memory-map', 'address-space.svg': 'page-walk' },
  '11-disk-image': { 'gpt-disk.svg': 'disk-layout', 'two-firmwares.svg': 'memory-map' },
};

/** The names of the drawings on a page. */
export const drawingsOn = (page) => Object.values(drawings[page] ?? {});
