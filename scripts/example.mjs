/**
 * `npm run example -- NAME`: runs an example of the folder `examples`, with the packages of this clone. `PORT` is its
 * port; 0 chooses a free one. With `EXAMPLE_IS_BUILT=1` its `build` is not run.
 */

import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildIfNeeded } from './build-if-needed.mjs';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'examples');
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package.json')));

const [name] = process.argv.slice(2);
if (name !== undefined && names.includes(name)) await run(name);
else {
  console.error(`Usage: npm run example -- ${names.join(' | ')}`);
  process.exitCode = 1;
}

/** @param {string} name */
async function run(name) {
  buildIfNeeded();
  linkMooring();
  process.chdir(join(folder, name));
  /** @type {{ main: string, scripts: Record<string, string> }} */
  const { main, scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  // Pages with a bundler, and servers in TypeScript. What it writes is no output of the example.
  if (scripts['build'] !== undefined && process.env['EXAMPLE_IS_BUILT'] !== '1')
    execSync('npm run build --silent', { stdio: ['ignore', 2, 2] });
  await import(pathToFileURL(join(folder, name, main)).href);
}

/** An example imports `mooring` by its name. Other packages are found in the node_modules of the root. */
function linkMooring() {
  const link = join(folder, 'node_modules/mooring');
  if (existsSync(link)) return;
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  try {
    // A junction, since other links need special rights on Windows.
    symlinkSync('../..', link, 'junction');
  } catch (error) {
    // Another example was started at the same time.
    if (!existsSync(link)) throw error;
  }
}
