/** Bundles the dashboard with Vite, and weighs what a browser has to load before it shows anything. */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const folder = join(import.meta.dirname, '../dashboard');

/** What first paint may take, in bytes after gzip. */
const maxBytes = 100_000;

/** @param {string} outDir */
export async function buildDashboard(outDir) {
  await build({
    root: folder,
    base: './',
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    mode: 'production',
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
    build: {
      outDir,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      target: ['chrome111', 'firefox114', 'safari16.4'],
      modulePreload: { polyfill: false },
    },
  });
  checkWeight(outDir);
}

/** Everything there is: the page has no second chunk to wait for. @param {string} outDir */
function checkWeight(outDir) {
  const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' }).filter((name) => extname(name) !== '');
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(outDir, name))).length, 0);
  const weight = `${(bytes / 1_000).toFixed(1)} kB gzipped`;
  console.error(`Dashboard: ${weight} (at most ${String(maxBytes / 1_000)} kB).`);
  if (bytes > maxBytes) throw new Error(`the dashboard has ${weight}, more than ${String(maxBytes / 1_000)} kB.`);
}
