// paper.ts -- a page is printed in its light theme, whichever the screen shows
const { dataset } = document.documentElement;
let shown = dataset.theme;

matchMedia('print').addEventListener('change', ({ matches }) => {
  if (matches) shown = dataset.theme;
  dataset.theme = matches ? 'light' : shown;
});
