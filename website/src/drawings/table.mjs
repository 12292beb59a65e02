// table.mjs -- which figures of which posts have a drawing that one can ask
//
// Page, then file of the figure: name of the drawing. NAME.static.mjs gives its HTML, which
// reads well by itself; NAME.ts makes it answer.
export const drawings = {
  '05-long-mode': { 'linear-address.svg': 'page-walk' },
  '07-elf-kernel': { 'address-space.svg': 'page-walk' },
};

/** The names of the drawings on a page. */
export const drawingsOn = (page) => Object.values(drawings[page] ?? {});
