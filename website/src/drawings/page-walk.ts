// page-walk.ts -- the page walk of the address that somebody types
import { parseAddress } from './page-walk.math.mjs';
import { sentence, view } from './page-walk.view.mjs';

class PageWalk extends HTMLElement {
  connectedCallback(): void {
    const form = this.querySelector('form')!;
    form.hidden = false;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('input', () => this.show(form));
    for (const button of form.querySelectorAll('button')) {
      button.addEventListener('click', () => {
        form.address.value = button.textContent;
        this.show(form);
      });
    }
  }

  private show(form: HTMLFormElement): void {
    const address = parseAddress(form.address.value);
    const output = this.querySelector('output')!;
    form.address.setAttribute('aria-invalid', String(address === undefined));
    if (address === undefined) {
      output.textContent = 'Type 1 to 16 hex digits.';
      return;
    }
    const depth = Number(form.page.value);
    const { tables } = this.dataset;
    const base = tables === undefined ? undefined : BigInt(tables);
    output.textContent = sentence(address, depth, base);
    this.querySelector('.view')!.innerHTML = view(address, depth, base);
  }
}

customElements.define('page-walk', PageWalk);
