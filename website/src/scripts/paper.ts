// paper.ts -- a page is printed in its light theme, whichever the screen shows
const { dataset } = document.documentElement;
let shown = dataset.theme;

addEventListener('beforeprint', () => {
  shown = dataset.theme;
  dataset.theme = 'light';
});
addEventListener('afterprint', () => {
  dataset.theme = shown;
});
