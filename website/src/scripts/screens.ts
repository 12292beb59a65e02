// screens.ts -- a screen of a post can be enlarged to the whole window
for (const screen of document.querySelectorAll<HTMLElement>('figure.screen')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Enlarge';
  button.addEventListener('click', () => enlarge(screen.querySelector<HTMLElement>('.glass')!));
  screen.querySelector('figcaption')!.append(button);
}

/** Escape and the button close it; the browser gives the focus back to where it was. */
function enlarge(glass: HTMLElement) {
  const dialog = document.createElement('dialog');
  dialog.className = 'enlarged';
  dialog.ariaLabel = 'Screen, enlarged';
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = 'Close';
  close.addEventListener('click', () => dialog.close());
  const large = glass.cloneNode(true) as HTMLElement;
  large.tabIndex = 0; // so that the arrow keys scroll it
  dialog.append(close, large);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
