import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context } from 'hono';
import type { AdminApp, AdminEnv } from './parts.js';
import { notFound } from './problems.js';

/** Where the build puts the dashboard, seen from this file in `dist/admin`. */
const builtFolder = join(import.meta.dirname, '../dashboard');

const contentTypes: Readonly<Record<string, string>> = Object.freeze({
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
});

/** The page may load from and connect to this server only, and may not be framed. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const pageHeaders = Object.freeze({
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept-encoding',
});

/** The build puts a hash of the content into these names, so they can be cached for good. */
const hashedFolder = 'assets/';

interface Asset {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
}

/**
 * Serves the dashboard at `/`. Its files are read once, now, and each has its own route: no path of a request reaches the
 * disk.
 * @param folder where the dashboard was built
 */
export function addDashboard(app: AdminApp, folder = builtFolder): void {
  const files = existsSync(join(folder, 'index.html')) ? filesIn(folder) : [];
  for (const name of files) {
    const asset = readAsset(folder, name);
    if (name === 'index.html') app.get('/', (c) => answerPage(c, asset));
    else app.get(`/${name}`, (c) => answer(c, asset));
  }
  if (files.length > 0) return;
  app.get('/', () => {
    throw notFound('This package was built without the dashboard.', 'The API is there: GET /api/v1/openapi.json.');
  });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return filesIn(join(folder, entry.name)).map((name) => `${entry.name}/${name}`);
    return extname(entry.name) in contentTypes ? [entry.name] : [];
  });
}

function readAsset(folder: string, name: string): Asset {
  const plain = new Uint8Array(readFileSync(join(folder, name)));
  return {
    plain,
    gzipped: new Uint8Array(gzipSync(plain)),
    etag: `"${createHash('sha256').update(plain).digest('base64url')}"`,
    headers: {
      ...pageHeaders,
      'content-type': contentTypes[extname(name)] ?? 'application/octet-stream',
      'cache-control': name.startsWith(hashedFolder) ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  };
}

/**
 * The page names its files relative to itself. So below a path, as that of `app.use('/ops', …)` in Express, it needs the
 * final slash.
 */
function answerPage(c: Context<AdminEnv>, asset: Asset): Response {
  const name = folderWithoutSlash(c.env.incoming);
  return name === null ? answer(c, asset) : c.redirect(`./${name}/${new URL(c.req.url).search}`, 308);
}

/** The last part of the path that Express has mounted this at, if the page was asked for by that path without a slash. */
function folderWithoutSlash(incoming: unknown): string | null {
  if (typeof incoming !== 'object' || incoming === null) return null;
  if (!('baseUrl' in incoming && 'originalUrl' in incoming)) return null;
  const { baseUrl, originalUrl } = incoming;
  if (typeof baseUrl !== 'string' || typeof originalUrl !== 'string') return null;
  if (originalUrl.replace(/\?.*$/, '') !== baseUrl) return null;
  return /\/([^/]+)$/.exec(baseUrl)?.[1] ?? null;
}

function answer(c: Context<AdminEnv>, { plain, gzipped, headers, etag }: Asset): Response {
  const isGzipped = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(c.req.header('accept-encoding') ?? '');
  const tag = isGzipped ? etag.replace(/"$/, '-gzip"') : etag;
  const answered = { ...headers, etag: tag };
  if (hasTag(c.req.header('if-none-match'), tag)) return c.body(null, 304, answered);
  return isGzipped ? c.body(gzipped, 200, { ...answered, 'content-encoding': 'gzip' }) : c.body(plain, 200, answered);
}

function hasTag(wanted: string | undefined, etag: string): boolean {
  return wanted?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false;
}
