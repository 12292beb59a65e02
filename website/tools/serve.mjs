// serve.mjs -- show a folder on localhost, below any path, as a plain host of files does
//
// It compresses text, answers a folder without its closing slash with a redirection, and what
// it does not have with 404.html. Nothing outside of the folder is given away. It is for our own
// tests: an address that cannot be decoded ends it.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { createGzip } from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.epub': 'application/epub+zip',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
};
const COMPRESSED = /^(text\/|application\/(json|xml)|image\/svg)/;

/** Serve `folder` below `prefix` ("/", "/some/where/"). Returns its address and close(). */
export async function serve(folder, prefix = '/') {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = find(folder, prefix, pathname);
    if (!file) send(path.join(folder, '404.html'), 404, request, response);
    else if (!statSync(file).isDirectory()) send(file, 200, request, response);
    else if (pathname.endsWith('/')) send(path.join(file, 'index.html'), 200, request, response);
    else response.writeHead(301, { Location: `${pathname}/` }).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}${prefix}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The file or folder of this address, if it is there and, for a folder, has a page. */
function find(folder, prefix, pathname) {
  if (!pathname.startsWith(prefix)) return null;
  const file = path.join(folder, decodeURIComponent(pathname.slice(prefix.length)));
  if (path.relative(folder, file).startsWith('..')) return null;
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory();
  const needed = isFolder ? path.join(file, 'index.html') : file;
  return statSync(needed, { throwIfNoEntry: false }) ? file : null;
}

function send(file, status, request, response) {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  const zip = COMPRESSED.test(type) && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  response.writeHead(status, { 'Content-Type': type, ...(zip && { 'Content-Encoding': 'gzip' }) });
  const content = createReadStream(file);
  if (zip) content.pipe(createGzip()).pipe(response);
  else content.pipe(response);
}
