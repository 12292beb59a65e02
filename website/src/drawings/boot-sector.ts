// boot-sector.ts -- the byte of a boot sector at which somebody points
import { SECTOR_SIZE } from './boot-sector.math.mjs';
import { sentence, source, statementAt, words } from './boot-sector.view.mjs';

/** What the build knows of a sector; each `from` is an offset. */
interface Sector {
  bytes: number[];
  areas: { kind: string; from: number; to: number }[];
  statements: { from: number; text: string }[];
  labels: { from: number; name: string }[];
}

const LAST = SECTOR_SIZE - 1;
const ROW = 32; // bytes, as boot-sector.css has them
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -ROW,
  ArrowDown: ROW,
  Home: -SECTOR_SIZE,
  End: SECTOR_SIZE,
};

class BootSector extends HTMLElement {
  private sectors: Sector[] = [];
  private chosen = 0; // of the sectors
  private byte = 0; // of the chosen one

  connectedCallback(): void {
    this.sectors = JSON.parse(this.querySelector('script')!.textContent!);
    const choice = this.querySelector('fieldset')!;
    choice.hidden = false;
    choice.addEventListener('change', (event) =>
      this.open(Number((event.target as HTMLInputElement).value)));
    for (const map of this.querySelectorAll<HTMLElement>('.sector')) this.enliven(map);
    this.open(0);
  }

  /** A map is a slider to the keyboard and to who listens: it chooses one byte of 512. */
  private enliven(map: HTMLElement): void {
    map.tabIndex = 0;
    map.removeAttribute('aria-hidden');
    map.setAttribute('role', 'slider');
    map.setAttribute('aria-label', 'Byte of the boot sector; up and down move by a row of 32');
    map.setAttribute('aria-valuemin', '0');
    map.setAttribute('aria-valuemax', String(LAST));
    map.addEventListener('keydown', (event) => {
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      this.choose(Math.min(Math.max(this.byte + STEPS[event.key], 0), LAST));
    });
    const point = (event: Event) => {
      const at = [...map.querySelectorAll('i')].indexOf(event.target as HTMLElement);
      if (at >= 0) this.choose(at);
    };
    map.addEventListener('pointerover', point);
    map.addEventListener('click', point);
  }

  private get view(): HTMLElement {
    return this.querySelectorAll<HTMLElement>('.view')[this.chosen];
  }

  private open(chosen: number): void {
    this.view.hidden = true;
    this.chosen = chosen;
    this.view.hidden = false;
    this.choose(0);
  }

  private choose(byte: number): void {
    this.byte = byte;
    const sector = this.sectors[this.chosen];
    const map = this.view.querySelector('.sector')!;
    const { from, to } = statementAt(sector, byte);
    map.querySelectorAll('i').forEach((cell, i) => {
      cell.classList.toggle('same', i >= from && i < to);
      cell.classList.toggle('here', i === byte);
    });
    map.setAttribute('aria-valuenow', String(byte));
    map.setAttribute('aria-valuetext', `${words(sector, byte)}: ${source(sector, byte).line}`);
    this.view.querySelector('output')!.innerHTML = sentence(sector, byte);
  }
}

customElements.define('boot-sector', BootSector);
