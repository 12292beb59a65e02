// front.mjs -- what the front page says, read from README.md and docs/
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { curled } from '../plugins/quotes.mjs';
import { docs, numberOf, repository, root, tableOfContents } from '../site.mjs';

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** The first paragraph of README.md as HTML, its links to docs/ as links to pages: it asks a
 * question, says what First Light is, and in its last sentence what that runs on. */
const sentences = readme
  .split('\n\n')[1]
  .replace(/\[([^\]]+)\]\(docs\/([\w-]+)\.md\)/g, '<a href="/$2/">$1</a>')
  .split(/(?<=[.?])\s/);
export const question = sentences[0].replace(/\w+-\w+/, '<span>$&</span>');
export const introduction = sentences.slice(1, -1).join(' ');
export const machines = sentences.at(-1);

/** The commands below the heading "Start", each with the sentence that follows it. */
const start = [
  .../\n## Start\n([^]*?)\n## /
    .exec(readme)[1]
    .matchAll(/```console\n\$ (.+)\n```\n\n([^.]+\.)/g),
].map(([, command, effect]) => ({ command, effect }));

/** Those, and before them, where the site knows it, how one comes by the repository. */
export const commands = [
  {
    command: repository && `git clone ${repository}`,
    effect: 'brings all of it here; the other commands are typed inside.',
  },
  ...start,
].filter(({ command }) => command);

/** The pictures of a chapter's screen, with what the post says of each to those who cannot see. */
function screensOf(page) {
  const post = readFileSync(path.join(docs, `${page}.md`), 'utf8');
  return ['', '-uefi']
    .map((firmware) => `${page}${firmware}.png`)
    .filter((file) => existsSync(path.join(docs, 'screens', file)))
    .map((file) => ({ file, alt: post.split(`](screens/${file})`)[0].split('![').at(-1) }));
}

/** The parts of the table of contents that are chapters, each with its rungs of the ladder. */
export const parts = tableOfContents()
  .map(({ label, pages }, part) => ({
    label,
    rungs: pages
      .filter(({ page }) => numberOf(page))
      .map(({ label, page, about }) => {
        const screens = screensOf(page);
        const firmware = screens.length > 1 ? 'both' : part === 0 ? 'bios' : 'uefi';
        const number = numberOf(page);
        return { number, title: label, question: curled(about), page, screens, firmware };
      }),
  }))
  .filter(({ rungs }) => rungs.length > 0);

/** The pages to look things up in. */
export const reference = tableOfContents()
  .at(-1)
  .pages.map((page) => ({ ...page, about: curled(page.about) }));
