/**
 * `npm run build`: compiles src to dist, bundles library, command and dashboard into it, and copies the last two to
 * packages/cli/dist. A new folder takes the place of the old one only when it is whole.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard } from './build-dashboard.mjs';
import { bundleCommand, bundleLibrary } from './bundle.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const next = join(root, '.dist-next');
const commandDist = join(root, 'packages/cli/dist');
const nextCommand = join(root, '.dist-next-cli');

try {
  clear();
  compile();
  await bundleLibrary(next);
  await bundleCommand(next);
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

/** The package of the command has its own copy of what it runs. */
function copyCommand() {
  for (const folder of ['command', 'dashboard'])
    cpSync(join(next, folder), join(nextCommand, folder), { recursive: true });
}

/** @param {string} folder @param {string} by */
function replace(folder, by) {
  rmSync(folder, { recursive: true, force: true });
  renameSync(by, folder);
}

function clear() {
  for (const folder of [next, nextCommand]) rmSync(folder, { recursive: true, force: true });
}
