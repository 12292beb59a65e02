// search.ts -- the element that opens the search, asks Pagefind, and lists what it finds

interface Section {
  title: string;
  url: string;
  excerpt: string; // HTML, in which only <mark> is not escaped
  locations: number[]; // where in the page's words the term stands
}
interface Page {
  meta: { title: string };
  sub_results: Section[];
}
interface Result {
  id: string;
  data(): Promise<Page>;
}
interface Pagefind {
  options(options: { baseUrl: string; excerptLength: number }): Promise<void>;
  search(term: string): Promise<{ results: Result[] }>;
  debouncedSearch(
    term: string,
    options: object,
    milliseconds: number,
  ): Promise<{ results: Result[] } | null>;
}

const PAGES = 8;
const SECTIONS = 3; // of each page
const PAUSE = 120; // milliseconds without a key before we search

class SiteSearch extends HTMLElement {
  #dialog = this.querySelector('dialog')!;
  #input = this.querySelector('input')!;
  #status = this.querySelector('[role=status]')!;
  #list = this.querySelector('ol')!;
  #pagefind?: Promise<Pagefind>;

  connectedCallback() {
    const open = this.querySelector<HTMLButtonElement>('.open')!;
    open.hidden = false;
    open.addEventListener('click', () => this.#open());
    this.querySelector('.close')!.addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('click', (event) => this.#clicked(event));
    this.#dialog.addEventListener('keydown', (event) => this.#moved(event));
    this.#input.addEventListener('input', () => this.#search());
    document.addEventListener('keydown', (event) => this.#called(event));
  }

  /** Ctrl+K anywhere, and a slash where nobody is writing. */
  #called(event: KeyboardEvent) {
    const writing = (event.target as Element).closest('input, textarea, select, [contenteditable]');
    const chord = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
    const slash = event.key === '/' && !writing && !event.ctrlKey && !event.metaKey;
    if (!chord && !slash) return;
    event.preventDefault();
    if (this.#dialog.open && chord) this.#dialog.close();
    else if (!document.querySelector('dialog[open]')) this.#open();
  }

  #open() {
    this.#dialog.showModal();
    this.#input.select();
    this.#loaded().catch(() => this.#failed());
  }

  /** What is asked for with the first opening, and again after a failure. */
  #loaded() {
    return (this.#pagefind ??= this.#load());
  }

  #failed() {
    this.#pagefind = undefined;
    const words = import.meta.env.DEV
      ? 'There is nothing to search before the site is built: make website.'
      : 'The index could not be loaded.';
    this.#show(words, []);
  }

  async #load(): Promise<Pagefind> {
    const root = new URL(this.dataset.root!, location.href);
    const pagefind: Pagefind = await import(
      /* @vite-ignore */ new URL('pagefind/pagefind.js', root).href
    );
    await pagefind.options({ baseUrl: root.pathname, excerptLength: 24 });
    return pagefind;
  }

  async #search() {
    const term = this.#input.value.trim();
    if (!term) return this.#show('', []);
    try {
      const results = await find(await this.#loaded(), term);
      const best = await Promise.all((results ?? []).slice(0, PAGES).map((one) => one.data()));
      if (!results || term !== this.#input.value.trim()) return; // there is a newer question
      const pages = best.filter((page) => isNear(page, term));
      const count = pages.length && results.length;
      this.#show(sentence(term, count), pages.map((page) => entry(page, term)));
    } catch {
      this.#failed();
    }
  }

  #show(status: string, entries: HTMLElement[]) {
    this.#status.textContent = status;
    this.#list.replaceChildren(...entries);
  }

  /** Up and down walk through the field and the links; Enter in the field takes the first.
   * Escape closes at once: in some browsers it would only empty the field. */
  #moved(event: KeyboardEvent) {
    const stops: HTMLElement[] = [this.#input, ...this.#list.querySelectorAll('a')];
    const here = stops.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) stops[(here + step + stops.length) % stops.length].focus();
    else if (event.key === 'Enter' && here === 0) stops[1]?.click();
    else if (event.key === 'Escape') this.#dialog.close();
    else return;
    event.preventDefault();
  }

  /** A click on what is dimmed closes the dialog, and so does one on a link: it may lead
   * to another place on this very page. */
  #clicked(event: Event) {
    const target = event.target as Element;
    if (target === this.#dialog || target.closest('a')) this.#dialog.close();
  }
}

/** First the pages where the words stand side by side, then those that have them anywhere:
 * both in the order of the latter, which knows how much a page says about them. */
async function find(pagefind: Pagefind, term: string) {
  const anywhere = await pagefind.debouncedSearch(term, {}, PAUSE);
  if (!anywhere || !/\s/.test(term)) return anywhere?.results;
  const { results } = await pagefind.search(`"${term.replaceAll('"', '')}"`);
  const together = new Map(results.map((result) => [result.id, result]));
  return [
    ...anywhere.results.flatMap(({ id }) => together.get(id) ?? []),
    ...anywhere.results.filter(({ id }) => !together.has(id)),
  ];
}

/** Pagefind drops letters from the end of a word until it finds something: too much of them,
 * if the first ones of no word are in anything that it marked. */
function isNear(page: Page, term: string) {
  const excerpts = page.sub_results.map(({ excerpt }) => excerpt.toLowerCase()).join(' ');
  const marked = excerpts.match(/(?<=<mark>).*?(?=<\/mark>)/g) ?? [];
  const words = term.toLowerCase().split(/[\s"]+/).filter(Boolean);
  return words.some((word) => marked.some((text) => text.includes(word.slice(0, 3))));
}

function sentence(term: string, count: number) {
  if (count === 0) return `No page has “${term}”.`;
  if (count === 1) return 'One page.';
  return count > PAGES ? `${count} pages, the best ${PAGES} of them:` : `${count} pages:`;
}

/** One page: the sections that say most about the term, the one named like it before all. */
function entry(page: Page, term: string) {
  const named = ({ title }: Section) => title.toLowerCase().includes(term.toLowerCase());
  const sections = page.sub_results.toSorted(
    (a, b) => Number(named(b)) - Number(named(a)) || b.locations.length - a.locations.length,
  );
  const item = document.createElement('li');
  const place = document.createElement('span');
  place.className = 'place';
  place.textContent = page.meta.title;
  item.append(place, ...sections.slice(0, SECTIONS).map(linkTo));
  return item;
}

function linkTo(section: Section) {
  const link = document.createElement('a');
  const title = document.createElement('b');
  const excerpt = document.createElement('span');
  link.href = section.url;
  title.textContent = section.title;
  excerpt.innerHTML = section.excerpt;
  link.append(title, excerpt);
  return link;
}

customElements.define('site-search', SiteSearch);
