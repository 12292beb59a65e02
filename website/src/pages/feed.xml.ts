// feed.xml.ts -- the posts as an Atom feed (RFC 4287), the newest chapter first
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { getEntry } from 'astro:content';
import { chapters, docs, numbered, site } from '../../site.mjs';
import { escaped } from '../../tools/escaped.mjs';

/** When the post was last changed: by the history, or where there is none by the file. */
function changed(file: string) {
  try {
    const time = execFileSync('git', ['log', '-1', '--format=%cI', '--', file], {
      cwd: docs,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (time) return new Date(time.trim());
  } catch {
    // No git, or no repository: an unpacked archive.
  }
  return statSync(path.join(docs, file)).mtime;
}

async function entry(chapter: string) {
  const { data } = (await getEntry('docs', chapter))!;
  const address = new URL(`${chapter}/`, site).href;
  const time = changed(`${chapter}.md`);
  const xml = `  <entry>
    <title>${escaped(numbered(chapter, data.title))}</title>
    <id>${address}</id>
    <link href="${address}"/>
    <updated>${time.toISOString()}</updated>
    <summary>${escaped(data.description ?? '')}</summary>
  </entry>`;
  return { time, xml };
}

export async function GET() {
  const entries = await Promise.all(chapters.toReversed().map(entry));
  const newest = new Date(Math.max(...entries.map(({ time }) => time.getTime())));
  const feed = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
  <title>First Light</title>
  <subtitle>From power-on to a 64-bit kernel in C, step by step</subtitle>
  <id>${site}</id>
  <link href="${site}"/>
  <link rel="self" href="${new URL('feed.xml', site).href}"/>
  <updated>${newest.toISOString()}</updated>
  <author><name>First Light</name></author>
${entries.map(({ xml }) => xml).join('\n')}
</feed>
`;
  return new Response(feed, { headers: { 'Content-Type': 'application/atom+xml' } });
}
