/**
 * `npm run plant`: plants bugs in a copy of the core, one at a time, and tells what finds each: after how many small
 * worlds which promise is broken, and whether a day of 600 users shows it. A bug that no world finds makes it fail.
 *
 * `--quick`: every fourth bug, without the days.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { buildIfNeeded } from './build-if-needed.mjs';
import { Sources } from './mutants.mjs';
import { bugs } from './planted-bugs.mjs';

const maxWorlds = 2_000;
const root = join(import.meta.dirname, '..');
const isQuick = process.argv.includes('--quick');
const core = new Sources(join(root, 'src/core'));

buildIfNeeded();
const copy = mkdtempSync(join(tmpdir(), 'mooring-planted-'));
try {
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  console.log(row(['#', 'planted bug', 'worlds until found', 'promise broken', 'shown by the day']));
  console.log('|---:|---|---:|---|---|');
  if (worldsUntilFound().promise !== null) throw new Error('A world breaks a promise with no bug planted.');
  for (const [index, bug] of bugs.entries()) {
    if (!isQuick || index % 4 === 0) console.log(row([String(index + 1), ...tryOut(bug)]));
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** @param {import('./planted-bugs.mjs').Bug} bug @returns {string[]} */
function tryOut(bug) {
  const changed = core.edited(bug.edits);
  for (const [file, source] of changed) plant(file, source);
  const { worlds, promise } = worldsUntilFound();
  const day = isQuick ? '-' : isShownByDay() ? 'yes' : 'no';
  for (const file of changed.keys()) plant(file, core.textOf(file));
  if (promise === null) process.exitCode = 1;
  return [bug.name, String(worlds), promise ?? 'none', day];
}

/** Compiles a source into the copy. @param {string} file @param {string} source */
function plant(file, source) {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  writeFileSync(join(copy, 'dist/core', file.replace(/\.ts$/, '.js')), outputText);
}

/** @returns {{ worlds: number, promise: string | null }} */
function worldsUntilFound() {
  const script = `
    import { runScript } from './dist/simulation/script.js';
    import { smallWorld } from './dist/simulation/small-world.js';
    let promise = null;
    let worlds = 0;
    while (promise === null && worlds < ${maxWorlds})
      promise = (await runScript(smallWorld(++worlds)))?.invariant ?? null;
    process.stdout.write(JSON.stringify({ worlds, promise }), () => process.exit(0));`;
  return /** @type {{ worlds: number, promise: string | null }} */ (
    JSON.parse(run(['--input-type=module', '--eval', script]).stdout)
  );
}

/** Whether a metric fails, a promise is broken, or the core throws. */
function isShownByDay() {
  const day = ['simulate', '--hours', '24', '--users', '600', '--seed', '7', '--json'];
  return run([join(copy, 'dist/cli/main.js'), ...day]).status === 1;
}

/** @param {string[]} args */
function run(args) {
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 28 });
}

/** @param {string[]} cells */
function row(cells) {
  return `| ${cells.join(' | ')} |`;
}
