// all-at-once.mjs -- the pages are stored when all of them are rendered
//
// Astro writes its store to a file when nothing has come in for half a second. A post as long
// as ours can take longer to render, so Astro would be writing when the last page comes, and
// that page would never get into the file: withastro/astro issue 15453.

/**
 * A content loader that does what `loader` does, and hands over its pages at its end. Those
 * that come later, from a server that watches the files, are handed over as they come.
 */
export function allAtOnce(loader) {
  return {
    ...loader,
    async load(context) {
      const pages = [];
      let keep = (page) => pages.push(page) > 0;
      const store = { ...context.store, set: (page) => keep(page) };
      await loader.load({ ...context, store });
      keep = context.store.set;
      for (const page of pages) {
        // The loader says what went wrong with a page, and goes on without it.
        if (!page.rendered) throw new Error(`${page.filePath} could not be rendered: see above`);
        context.store.set(page);
      }
    },
  };
}
