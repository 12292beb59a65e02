// scroll.ts -- what scrolls sideways is reached with the tab key, and fades where there is more
//
// Expressive Code does the first for listings, but makes a landmark of each, all without a name.

const LITTLE = 8; // pixels, for which nobody scrolls

/** All are measured before any is changed: else the page would be laid out anew for each. */
function look(boxes: HTMLElement[]) {
  const hidden = boxes.map((box) => box.scrollWidth - box.clientWidth);
  const left = boxes.map((box) => box.scrollLeft);
  boxes.forEach((box, index) => {
    if (hidden[index] > 0) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
    box.toggleAttribute('data-more', hidden[index] - left[index] > LITTLE);
  });
}

const BOXES = '.expressive-code pre, .sl-markdown-content > table, .wide';
const resized = new ResizeObserver((seen) => {
  const boxes = seen.flatMap(({ target }) => target.closest<HTMLElement>(BOXES) ?? []);
  look([...new Set(boxes)]);
});

for (const box of document.querySelectorAll<HTMLElement>(BOXES)) {
  resized.observe(box);
  resized.observe(box.firstElementChild!); // it grows when its letters come
  box.addEventListener('scroll', () => look([box]), { passive: true });
}
