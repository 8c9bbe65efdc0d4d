/**
 * Makes what the package `mooring` ships of the code. As they are compiled, `mooring` and `mooring/ws` are 120 modules, and
 * finding and reading them takes longer than running them. So they are bundled.
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
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map(({ name, module }) => [name, `./src/${module}.ts`])),
    external: /^(?:node:|@?[a-z])/,
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    transform: { target: 'es2023' },
  });
  const comments = { annotation: true, jsdoc: false, legal: false };
  await bundle.write({ dir: join(compiled, 'lib'), sourcemap: true, comments });
  await bundle.close();
  const declarations = entries.map(({ module }) => `${module}.d.ts`);
  for (const file of reachableModules(compiled, declarations).modules) {
    cpSync(join(compiled, file), join(compiled, relative('dist', typesFolder), file));
  }
}

/** The name of each exported file, and the module that it is made of, which also has its declarations. */
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
