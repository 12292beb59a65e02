// segment-offset.ts -- the linear address of the segment and the offset that somebody types
import { parse } from './segment-offset.math.mjs';
import { sentence, view } from './segment-offset.view.mjs';

class SegmentOffset extends HTMLElement {
  connectedCallback(): void {
    const form = this.querySelector('form')!;
    form.hidden = false;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', () => this.show(form));
    this.addEventListener('click', (event) => {
      const button = (event.target as Element).closest('button');
      if (button) this.choose(form, button.textContent!);
    });
    this.show(form);
  }

  /** Put a pair into the fields; the focus stays on its button, which is drawn anew. */
  private choose(form: HTMLFormElement, name: string): void {
    [form.segment.value, form.offset.value] = name.split(':');
    const inView = this.querySelector('.view')!.contains(document.activeElement);
    this.show(form);
    if (!inView) return;
    const buttons = [...this.querySelectorAll<HTMLElement>('.view button')];
    buttons.find((button) => button.textContent === name)?.focus();
  }

  private show(form: HTMLFormElement): void {
    const [segment, offset] = [form.segment, form.offset].map((field) => {
      const value = parse(field.value);
      field.setAttribute('aria-invalid', String(value === null));
      return value;
    });
    const output = this.querySelector('output')!;
    if (segment === null || offset === null) {
      output.textContent = 'Type one to four hex digits.';
      return;
    }
    const words = sentence(segment, offset);
    if (output.textContent !== words) output.textContent = words;
    this.querySelector('.view')!.innerHTML = view(segment, offset, 'button');
  }
}

customElements.define('segment-offset', SegmentOffset);
