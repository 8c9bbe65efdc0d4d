/**
 * `npm run build`: compiles src to dist, and bundles the dashboard into it. The new dist takes the place of the old one
 * only when it is whole.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildDashboard } from './build-dashboard.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const next = join(root, '.dist-next');

try {
  rmSync(next, { recursive: true, force: true });
  compile();
  makeBinsExecutable();
  await buildDashboard(join(next, 'dashboard'));
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
} catch (error) {
  console.error(`Build failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(next, { recursive: true, force: true });
}

function compile() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--outDir', next];
  const { status } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the compiler found errors (above).');
}

function makeBinsExecutable() {
  for (const bin of Object.values(readBins())) {
    const file = join(next, bin.replace(/^dist\//, ''));
    if (!existsSync(file)) throw new Error(`package.json names the command ${bin}, and src has no source for it.`);
    chmodSync(file, 0o755);
  }
}

/** @returns {Record<string, string>} */
function readBins() {
  const { bin } = /** @type {{ bin: Record<string, string> }} */ (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  );
  return bin;
}
