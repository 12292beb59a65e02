// boot-sector.ts -- the byte of the boot sector at which somebody points
import { SECTOR_SIZE } from './boot-sector.math.mjs';
import { sentence, source, statementAt, words } from './boot-sector.view.mjs';

/** What the build knows of the sector; each `from` is an offset. */
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
  private sector!: Sector;
  private map!: HTMLElement;
  private cells: HTMLElement[] = []; // one for each byte
  private byte = 0; // the chosen one

  connectedCallback(): void {
    this.map = this.querySelector('.sector')!;
    this.cells = [...this.map.querySelectorAll('i')];
    const bytes = this.cells.map(({ textContent }) => Number.parseInt(textContent!, 16));
    this.sector = { bytes, ...JSON.parse(this.querySelector('script')!.textContent!) };
    this.enliven();
    this.choose(0);
  }

  /** The map is a slider to the keyboard and to who listens: it chooses one byte of 512. */
  private enliven(): void {
    const { map } = this;
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
      const at = this.cells.indexOf(event.target as HTMLElement);
      if (at >= 0) this.choose(at);
    };
    map.addEventListener('pointerover', point);
    map.addEventListener('click', point);
  }

  private choose(byte: number): void {
    const { sector, map, cells } = this;
    this.byte = byte;
    const { from, to } = statementAt(sector, byte);
    cells.forEach((cell, i) => {
      cell.classList.toggle('same', i >= from && i < to);
      cell.classList.toggle('here', i === byte);
    });
    map.setAttribute('aria-valuenow', String(byte));
    map.setAttribute('aria-valuetext', `${words(sector, byte)}: ${source(sector, byte).line}`);
    this.querySelector('output')!.innerHTML = sentence(sector, byte);
  }
}

customElements.define('boot-sector', BootSector);
