/**
 * `npm test`: provides what the suites need, runs them, and ends with one line, `N passed, N failed, N skipped`.
 *
 * Arguments go to vitest: `npm test -- --project fast`, `npm test -- test/e2e`.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildIfNeeded } from './build-if-needed.mjs';
import { summarise } from './test-summary.mjs';
import { provideTools } from './test-tools.mjs';

const root = join(import.meta.dirname, '..');
const suitesOnDist = ['test/e2e', 'test/network'];

const wanted = wantedAmong(process.argv.slice(2));
if (suitesOnDist.some(wanted)) buildIfNeeded();
const toolVariables = provideTools(wanted);

const folder = mkdtempSync(join(tmpdir(), 'mooring-test-'));
const reportFile = join(folder, 'report.json');
try {
  const exitCode = await runVitest();
  const { line, passed } = summarise(reportFile, exitCode);
  const isNone = exitCode === 0 && passed === 0;
  if (isNone) console.log('\nNo test ran: none has such a name.');
  console.log(`\n${line}`);
  process.exitCode = isNone ? 1 : exitCode;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Which folders of tests a run with these arguments takes in.
 *
 * @param {string[]} args
 * @returns {(folder: string) => boolean}
 */
function wantedAmong(args) {
  if (/--project[ =]fast/.test(args.join(' '))) return () => false;
  const named = args.filter((arg) => arg.startsWith('test/'));
  return (suite) =>
    existsSync(join(root, suite)) && (named.length === 0 || named.some((path) => `${path}/`.startsWith(`${suite}/`)));
}

/** @returns {Promise<number>} the exit code */
function runVitest() {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...toolVariables },
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
