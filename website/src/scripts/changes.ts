// changes.ts -- a folded diff in a post comes from its page when it is first opened
class ChapterChanges extends HTMLElement {
  connectedCallback() {
    const details = this.querySelector('details')!;
    details.addEventListener('toggle', () => this.#load(details), { once: true });
  }

  /** Without the network the link that stands there stays. */
  async #load(details: HTMLDetailsElement) {
    const answer = await fetch(new URL(this.dataset.from!, location.href)).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const diff = page.querySelector('[data-changes]');
    if (diff) details.append(document.adoptNode(diff));
  }
}

customElements.define('chapter-changes', ChapterChanges);
