/**
 * `npm run build`: compiles src to dist, bundles library and dashboard into it, and copies what the command `mooring` needs
 * to packages/cli/dist. A new folder takes the place of the old one only when it is whole.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildDashboard } from './build-dashboard.mjs';
import { bundleLibrary } from './bundle-library.mjs';
import { reachableModules } from './reachable-modules.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const next = join(root, '.dist-next');
const commandDist = join(root, 'packages/cli/dist');
const nextCommand = join(root, '.dist-next-cli');

/** What the command runs: itself, and the process of the demo's people. */
const commandEntries = ['cli/main.js', 'demo/population-process.js'];

try {
  clear();
  compile();
  await bundleLibrary(next);
  await buildDashboard(join(next, 'dashboard'));
  copyCommand();
  replace(commandDist, nextCommand);
  replace(dist, next);
} catch (error) {
  console.error(`Build failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  clear();
}

function compile() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--outDir', next];
  const { status } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the compiler found errors (above).');
}

/** The package of the command has its own copy of what it runs, without source maps and declarations. */
function copyCommand() {
  for (const module of reachableModules(next, commandEntries).modules) {
    const text = readFileSync(join(next, module), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
    mkdirSync(dirname(join(nextCommand, module)), { recursive: true });
    writeFileSync(join(nextCommand, module), text);
  }
  cpSync(join(next, 'dashboard'), join(nextCommand, 'dashboard'), { recursive: true });
}

/** @param {string} folder @param {string} by */
function replace(folder, by) {
  rmSync(folder, { recursive: true, force: true });
  renameSync(by, folder);
}

function clear() {
  for (const folder of [next, nextCommand]) rmSync(folder, { recursive: true, force: true });
}
