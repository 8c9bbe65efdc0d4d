/**
 * Builds if `dist`, or what packages/cli has of it, is missing or older than its sources. Run it, or import
 * `buildIfNeeded`.
 *
 * `--if-possible`: without what building takes (`npm ci --omit=dev`), says so and goes on.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = ['dist/lib/index.js', 'packages/cli/dist/command/main.js'].map((file) => join(root, file));
const sources = ['src', 'dashboard', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

if (process.argv[1] === import.meta.filename) buildIfNeeded();

/** Ends the process when the build fails. */
export function buildIfNeeded() {
  if (isFresh()) return;
  if (!existsSync(join(root, 'node_modules/typescript'))) {
    console.log('Not built: what building takes is not installed; npm ci installs it.');
    if (!process.argv.includes('--if-possible')) process.exit(1);
    return;
  }
  console.log('Building dist …');
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

function isFresh() {
  if (!built.every((file) => existsSync(file))) return false;
  const builtAtMs = Math.min(...built.map((file) => statSync(file).mtimeMs));
  return newest(sources.map((source) => join(root, source))) <= builtAtMs;
}

/**
 * When one of these files, or anything below these folders, last changed. Folders count as well: a file that was
 * deleted leaves no other trace.
 *
 * @param {string[]} paths
 * @returns {number} in milliseconds since 1970
 */
function newest(paths) {
  return Math.max(...paths.map((path) => Math.max(statSync(path).mtimeMs, newestInside(path))));
}

/** @param {string} path @returns {number} */
function newestInside(path) {
  if (!statSync(path).isDirectory()) return 0;
  return newest(readdirSync(path).map((name) => join(path, name)));
}
