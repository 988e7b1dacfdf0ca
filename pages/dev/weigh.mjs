/** Weighs what a page loads first: its script and what that imports at once, gzipped, plus one language. Fails above the limit. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const root = new URL('../../src/formicary/web/static/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', root), 'utf8'));
const LIMITS_KB = { 'index.html': 200, 'till/index.html': 250 };
const weight = (file) => gzipSync(readFileSync(new URL(file, root)), { level: 9 }).length;

function reached(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of manifest[name].imports ?? []) reached(next, seen);
  return seen;
}

let failed = false;
for (const page of ['index.html', 'till/index.html', 'operator/index.html', 'explorer/index.html']) {
  if (!manifest[page]) continue;
  const chunks = [...reached(page)];
  const words = (manifest[page].dynamicImports ?? []).concat(...chunks.map((name) => manifest[name].dynamicImports ?? [])).filter((name) => /locales\/en/.test(name));
  const all = new Set([...chunks, ...words].map((name) => manifest[name].file));
  const kb = [...all].reduce((sum, file) => sum + weight(file), 0) / 1000;
  const css = [...new Set(chunks.flatMap((name) => manifest[name].css ?? []))].reduce((sum, file) => sum + weight(file), 0) / 1000;
  const limit = LIMITS_KB[page];
  console.log(`${page.padEnd(22)} ${kb.toFixed(1)} kB script gzipped at first load${limit ? ` (at most ${limit})` : ''}, ${css.toFixed(1)} kB style`);
  if (limit && kb > limit) failed = true;
}
if (failed) process.exit(1);
