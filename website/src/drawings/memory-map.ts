// memory-map.ts -- the map of the chapter that is chosen, bar and table lit together
import { lightTogether } from './light';

class MemoryMap extends HTMLElement {
  connectedCallback(): void {
    const choice = this.querySelector('fieldset'); // none in the first chapter
    if (choice) choice.hidden = false;
    choice?.addEventListener('input', ({ target }) => this.show((target as HTMLInputElement).value));
    lightTogether(this);
  }

  private show(number: string): void {
    for (const chapter of this.querySelectorAll<HTMLElement>('.chapter')) {
      chapter.hidden = chapter.dataset.chapter !== number;
      if (!chapter.hidden) this.querySelector('output')!.textContent = chapter.dataset.sentence!;
    }
  }
}

customElements.define('memory-map', MemoryMap);
