// Holds the built app to its promises: sizes of the first load, hashed names, and a page that works under a
// Content-Security-Policy without inline code.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));

// Kilobytes, gzipped, of script and style together, for the first visit of each page.
const app = ['src/app/app.tsx', 'src/app/signed-in.tsx'];
const budgets = {
  login: { entries: ['src/app/outside.tsx'], limit: 110 },
  accounts: { entries: [...app, 'src/app/accounts-route.tsx'], limit: 190 },
  inbox: { entries: [...app, 'src/app/inbox-route.tsx'], limit: 190 },
};

function filesOf(key, seen = new Set()) {
  if (seen.has(key)) return [];
  seen.add(key);
  const chunk = manifest[key];
  if (!chunk) throw new Error(`The build has no entry for ${key}`);
  return [chunk.file, ...(chunk.css ?? []), ...(chunk.imports ?? []).flatMap((name) => filesOf(name, seen))];
}

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length / 1024;
let failed = false;
for (const [name, { entries, limit }] of Object.entries(budgets)) {
  const files = new Set(['index.html', ...entries].flatMap((entry) => filesOf(entry)));
  const total = [...files].reduce((sum, file) => sum + size(file), 0);
  const verdict = total <= limit ? 'ok' : 'TOO LARGE';
  failed ||= total > limit;
  console.log(`${name.padEnd(10)} ${total.toFixed(1).padStart(6)} KB of ${limit} KB gzipped  ${verdict}`);
}

const html = readFileSync(new URL('index.html', dist), 'utf8');
if (/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/.test(html)) {
  console.error('index.html holds inline code; the Content-Security-Policy would refuse it.');
  failed = true;
}
for (const file of readdirSync(new URL('assets/', dist))) {
  if (!/-[\w-]{8}\.\w+$/.test(file)) {
    console.error(`assets/${file} has no hash in its name and could not be cached for ever.`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
