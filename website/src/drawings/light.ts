// light.ts -- what the pointer is on in a bar is lit in the table, and the other way round
export function lightTogether(drawing: HTMLElement): void {
  const light = (region: string | undefined): void => {
    for (const part of drawing.querySelectorAll<HTMLElement>('[data-region]')) {
      part.classList.toggle('lit', part.dataset.region === region);
    }
  };
  drawing.addEventListener('pointerover', (event) => {
    light((event.target as Element).closest<HTMLElement>('[data-region]')?.dataset.region);
  });
  drawing.addEventListener('pointerleave', () => light(undefined));
}
