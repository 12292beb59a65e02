// segment-descriptor.ts -- the descriptor that somebody types or whose bits they flip
import { BITS, flip, hex, inWords, parse } from './segment-descriptor.math.mjs';
import { bits, parts } from './segment-descriptor.view.mjs';

// Bits from one key to the next: the picture has bit 63 first, and eight to a byte.
const STEPS: Record<string, number> = { ArrowLeft: 1, ArrowRight: -1, ArrowUp: 8, ArrowDown: -8 };

class SegmentDescriptor extends HTMLElement {
  private value = 0n;
  private bit = BITS - 1; // the one that the tab key reaches

  connectedCallback(): void {
    const form = this.querySelector('form')!;
    const field: HTMLInputElement = form.descriptor;
    form.hidden = false;
    form.addEventListener('submit', (event) => event.preventDefault());
    field.addEventListener('input', () => this.read(field));
    this.addEventListener('click', (event) => this.click(event, field));
    this.querySelector('.view')!.addEventListener('keydown', (event) =>
      this.move(event as KeyboardEvent));
    this.read(field);
  }

  private read(field: HTMLInputElement): void {
    const value = parse(field.value);
    field.setAttribute('aria-invalid', String(value === null));
    if (value === null) this.say('Type 1 to 16 hex digits.');
    else this.show(value);
  }

  private click(event: Event, field: HTMLInputElement): void {
    const button = (event.target as Element).closest('button');
    if (!button) return;
    const { bit, value } = button.dataset;
    if (bit !== undefined) {
      this.bit = Number(bit);
      field.value = `0x${hex(flip(this.value, this.bit), 16)}`;
    } else {
      field.value = value!;
    }
    this.read(field);
    if (bit !== undefined) this.button(this.bit).focus();
  }

  private move(event: KeyboardEvent): void {
    const next = this.bit + (STEPS[event.key] ?? 0);
    if (next === this.bit || next < 0 || next >= BITS) return;
    event.preventDefault();
    this.button(this.bit).tabIndex = -1;
    this.bit = next;
    this.button(next).tabIndex = 0;
    this.button(next).focus();
  }

  private button(bit: number): HTMLButtonElement {
    return this.querySelector(`[data-bit="${bit}"]`)!;
  }

  private say(words: string): void {
    const output = this.querySelector('output')!;
    if (output.textContent !== words) output.textContent = words;
  }

  private show(value: bigint): void {
    this.value = value;
    this.say(inWords(value));
    this.querySelector('.view')!.innerHTML = bits(value, true);
    this.querySelector('.parts')!.innerHTML = parts(value);
    this.button(this.bit).tabIndex = 0;
  }
}

customElements.define('segment-descriptor', SegmentDescriptor);
