/**
 * `npm test`: runs the quick tests, and ends with one line, `N passed, N failed, N skipped`. `npm run test:all` (`--all`)
 * runs all of them. Installs nothing: it names what the machine lacks, and the files that skip tests for it. With
 * `CI=true` it fails instead.
 *
 * Other arguments go to vitest. If they name files, folders or projects, those run, slow ones too:
 * `npm test -- test/e2e`, `npm test -- --project slow`.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildIfNeeded } from './build-if-needed.mjs';
import { allProjects, projectOf, projects, quickProjects, testFiles } from './test-suites.mjs';
import { summarise } from './test-summary.mjs';
import { missingTools } from './test-tools.mjs';

const root = join(import.meta.dirname, '..');
const foldersOnDist = ['test/e2e/', 'test/network/', 'test/redis/'];

const args = process.argv.slice(2).filter((arg) => arg !== '--all');
const wantedProjects = projectsWanted();
const wantedFiles = filesWanted();

const missing = missingTools();
tellMissing();
if (wantedFiles.some((file) => foldersOnDist.some((folder) => file.startsWith(folder)))) buildIfNeeded();

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

/** @returns {string[]} */
function projectsWanted() {
  const named = [...args.join(' ').matchAll(/--project[ =](\S+)/g)].map(([, name = '']) => name);
  if (named.length > 0) return named;
  if (pathsGiven().length > 0) return allProjects;
  return process.argv.includes('--all') ? projects : quickProjects;
}

function pathsGiven() {
  return args.filter((arg) => arg.startsWith('test/'));
}

/** As vitest chooses: by a part of the path. @returns {string[]} */
function filesWanted() {
  const paths = pathsGiven();
  return testFiles().filter(
    (file) =>
      wantedProjects.includes(projectOf(file)) && (paths.length === 0 || paths.some((path) => file.includes(path))),
  );
}

/** With `CI=true` a missing tool ends the process. */
function tellMissing() {
  const needed = missing.filter((tool) => tool.files.some((file) => wantedFiles.includes(file)));
  if (needed.length === 0) return;
  for (const { name, files } of needed) {
    const skipping = files.filter((file) => wantedFiles.includes(file));
    console.warn(`Missing: ${name}. Tests are skipped in ${skipping.join(', ')}.`);
  }
  console.warn('npm run test:setup installs what is missing, as root on Debian.\n');
  if (process.env['CI'] !== 'true') return;
  console.error('With CI=true no test may be skipped.');
  process.exit(1);
}

/** @returns {Promise<number>} the exit code */
function runVitest() {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const chosen = args.some((arg) => arg.startsWith('--project'))
    ? []
    : wantedProjects.map((name) => `--project=${name}`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...chosen, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(missing.map(({ variable }) => [variable, '0'])) },
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
