/**
 * Makes what the packages ship of the code. As they are compiled, `mooring` and `mooring/ws` are 120 modules, and finding
 * and reading them takes longer than running them. So they are bundled, and the command too.
 */

import { cpSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { reachableModules } from './reachable-modules.mjs';

const root = join(import.meta.dirname, '..');

/** Where the declarations go, in the package. */
const typesFolder = 'dist/lib/types';

/**
 * Writes a file for each name that package.json exports, what they share beside them, and their declarations.
 *
 * @param {string} compiled the folder that has the declarations
 */
export async function bundleLibrary(compiled) {
  const entries = readEntries();
  // A page without a bundler gets the client as one file, so it shares nothing with the others.
  const isForPages = (/** @type {Entry} */ { name }) => name === 'client';
  for (const group of [entries.filter(isForPages), entries.filter((entry) => !isForPages(entry))])
    await bundle(group, { dir: join(compiled, 'lib'), sourcemap: true });
  copyLua(join(compiled, 'lib'));
  const declarations = entries.map(({ module }) => `${module}.d.ts`);
  for (const file of reachableModules(compiled, declarations).modules) {
    cpSync(join(compiled, file), join(compiled, relative('dist', typesFolder), file));
  }
}

/**
 * Writes the command `mooring`, the process of the demo's people, and what they share. All are in one folder beside that of
 * the dashboard, since they find each other and the dashboard by that.
 *
 * @param {string} compiled
 */
export async function bundleCommand(compiled) {
  const entries = [
    { name: 'main', module: 'cli/main' },
    { name: 'population-process', module: 'demo/population-process' },
  ];
  await bundle(entries, { dir: join(compiled, 'command'), sourcemap: false });
  copyLua(join(compiled, 'command'));
}

/** The scripts that Redis runs: they are read when a ledger is made, from beside the bundle. @param {string} folder */
function copyLua(folder) {
  cpSync(join(root, 'src/redis/lua'), join(folder, 'lua'), { recursive: true });
}

/** @typedef {{ readonly name: string, readonly module: string }} Entry a file to make, and the module that it is made of */

/**
 * @param {readonly Entry[]} entries
 * @param {{ readonly dir: string, readonly sourcemap: boolean }} output
 */
async function bundle(entries, output) {
  const made = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map(({ name, module }) => [name, `./src/${module}.ts`])),
    external: /^(?:node:|@?[a-z])/,
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    transform: { target: 'es2023' },
  });
  await made.write({ ...output, comments: { annotation: true, jsdoc: false, legal: false } });
  await made.close();
}

/** The name of each exported file, and the module that it is made of, which also has its declarations. @returns {Entry[]} */
function readEntries() {
  const { exports } = /** @type {{ exports: Record<string, string | { types: string, default: string }> }} */ (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  );
  return Object.values(exports).flatMap((entry) => {
    if (typeof entry === 'string') return [];
    const module = relative(typesFolder, entry.types).replace(/\.d\.ts$/, '');
    return [{ name: basename(entry.default, '.js'), module }];
  });
}
