// disk-layout.ts -- the sector that somebody asks for, and the sectors around it
import { SECTOR_SIZE, parseNumber, windowAt } from './disk-layout.math.mjs';
import { rulers, sentence } from './disk-layout.view.mjs';
import { lightTogether } from './light';
import { grouped } from './size.mjs';

class DiskLayout extends HTMLElement {
  private form!: HTMLFormElement;

  connectedCallback(): void {
    this.form = this.querySelector('form')!;
    this.form.hidden = false;
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.form.addEventListener('input', ({ target }) => this.ask(target as HTMLInputElement));
    this.addEventListener('click', (event) => {
      const { lba } = (event.target as HTMLElement).dataset;
      if (lba !== undefined) this.go(Number(lba));
    });
    lightTogether(this);
    this.choose();
  }

  private get chapter(): HTMLElement {
    return this.querySelector(`[data-chapter="${this.form.chapter.value}"]`)!;
  }

  /** The rows of the table, which is where the build has put them. */
  private get rows() {
    return [...this.chapter.querySelectorAll<HTMLElement>('tbody tr')].map((row) => ({
      first: Number(row.dataset.first),
      last: Number(row.dataset.last),
      kind: row.dataset.kind,
      inside: row.dataset.inside !== undefined,
      what: row.querySelector('.what')!.textContent,
    }));
  }

  private choose(): void {
    for (const chapter of this.querySelectorAll<HTMLElement>('.chapter')) {
      chapter.hidden = chapter !== this.chapter;
    }
    this.form.zoom.max = this.chapter.dataset.closest;
    this.form.zoom.value = this.chapter.dataset.zoom;
    this.go(0);
  }

  private ask(field: HTMLInputElement): void {
    if (field.name === 'chapter') return this.choose();
    if (field.name === 'zoom') return this.go(Number(this.form.lba.value));
    const sectors = Number(this.chapter.dataset.sectors);
    const unit = field.name === 'byte' ? SECTOR_SIZE : 1;
    const number = parseNumber(field.value, sectors * unit);
    field.setAttribute('aria-invalid', String(number === undefined));
    if (number !== undefined) this.go(Math.floor(number / unit), field);
    else this.say(`Type a number below ${grouped(sectors * unit)}: this disk has no more.`);
  }

  /** Show a sector; what stands in the field that asked for it is left as it was typed. */
  private go(lba: number, asked?: HTMLInputElement): void {
    const { lba: lbaField, byte, zoom } = this.form;
    if (asked !== lbaField) lbaField.value = String(lba);
    if (asked !== byte) byte.value = `0x${(lba * SECTOR_SIZE).toString(16)}`;
    for (const field of [lbaField, byte]) field.removeAttribute('aria-invalid');
    const sectors = Number(this.chapter.dataset.sectors);
    const shown = windowAt(lba, Number(zoom.value), sectors);
    zoom.setAttribute('aria-valuetext', `${shown.count} sectors`);
    this.chapter.querySelector('.rulers')!.innerHTML = rulers(this.rows, sectors, shown, lba);
    this.say(sentence(this.rows, lba));
  }

  private say(text: string): void {
    this.querySelector('output')!.textContent = text;
  }
}

customElements.define('disk-layout', DiskLayout);
