/**
 * `npm run bench` and `npm run soak`: compiles src and bench into a temporary folder and runs the program named first,
 * bench/run.ts or bench/soak.ts, there. The folder goes when the run ends; results are written to bench/results.
 */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfNeeded } from '../scripts/build-if-needed.mjs';

const [program = 'run', ...flags] = process.argv.slice(2);
// The part `import` measures the package as it is built.
if (program === 'run') buildIfNeeded();
const root = join(import.meta.dirname, '..');
const out = mkdtempSync(join(tmpdir(), 'mooring-bench-'));

/** @type {import('node:child_process').ChildProcess | undefined} */
let child;
// Without a listener a signal would end this process at once, and the folder would stay.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child?.kill(signal));

try {
  process.exitCode = compile() ? await run() : 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

function compile() {
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'));
  writeFileSync(join(out, 'package.json'), '{ "type": "module", "version": "bench" }\n');
  cpSync(join(root, 'src/redis/lua'), join(out, 'src/redis/lua'), { recursive: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', join(import.meta.dirname, 'tsconfig.build.json'), '--outDir', out];
  return spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' }).status === 0;
}

/** @returns {Promise<number>} the exit code; signals reach the run as they are */
function run() {
  const env = { ...process.env, MOORING_BENCH_RESULTS: join(import.meta.dirname, 'results') };
  const main = join(out, `bench/${program}.js`);
  const runner = spawn(process.execPath, [main, ...flags], { cwd: root, stdio: 'inherit', env });
  child = runner;
  return new Promise((resolve) => runner.on('exit', (code) => resolve(code ?? 1)));
}
