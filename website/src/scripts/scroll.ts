// scroll.ts -- what scrolls sideways is reached with the tab key, and fades where there is more
//
// Expressive Code does the first for listings, but makes a landmark of each, all without a name.
function look(box: HTMLElement) {
  const hidden = box.scrollWidth - box.clientWidth;
  if (hidden > 0) box.tabIndex = 0;
  else box.removeAttribute('tabindex');
  box.toggleAttribute('data-more', hidden - box.scrollLeft > 1);
}

const BOXES = '.expressive-code pre, .sl-markdown-content > table, .wide';
const resized = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    const box = target.closest<HTMLElement>(BOXES);
    if (box) look(box);
  }
});

for (const box of document.querySelectorAll<HTMLElement>(BOXES)) {
  resized.observe(box);
  resized.observe(box.firstElementChild!); // it grows when its letters come
  box.addEventListener('scroll', () => look(box), { passive: true });
}
