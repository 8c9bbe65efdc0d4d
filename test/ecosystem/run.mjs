/**
 * Tries Mooring with the real packages of other people, and prints what holds. Arguments: names of files in stacks/, none
 * for all; `--write` writes the table into docs/guides/stacks.md. Its exit code is 1 if a fact does not hold.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../../scripts/build-if-needed.mjs';
import { preparedProject } from './project.mjs';
import { factNames, tableOf, writeTable } from './table.mjs';

/** What a stack may take until it is killed. */
const stackTimeoutMs = 60_000;

/** How long a process may live after it was closed. */
const exitWithinMs = 3_000;

/** They wait more than they work. */
const atOnce = Math.max(2, availableParallelism() + 1);

/** What kills those that run. @type {Set<() => void>} */
const alive = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const kill of alive) kill();
    process.exit(1);
  });

const { values, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
const unknown = positionals.filter((name) => !allNames().includes(name));
if (unknown.length > 0) throw new Error(`no such stack: ${unknown.join(', ')}. There are: ${allNames().join(', ')}`);
if (values.write === true && positionals.length > 0) throw new Error('--write is for all stacks together');
const startedMs = performance.now();

buildIfNeeded();
const folder = preparedProject();
const readyMs = performance.now();
const runs = await allRuns(positionals.length > 0 ? positionals : allNames());
const table = tableOf(runs);
process.stdout.write(`\n${table}`);
if (values.write === true) writeTable(table);

for (const { name, faults } of runs)
  for (const [fact, fault] of faults) if (fault !== null) console.error(`\n✗ ${name}, ${fact}: ${fault}`);
console.log(
  `\nTook ${seconds(performance.now() - startedMs)} s, of which ${seconds(readyMs - startedMs)} s to build and install.`,
);
process.exitCode = runs.some(({ faults }) => [...faults.values()].some((fault) => fault !== null)) ? 1 : 0;

function allNames() {
  return readdirSync(join(import.meta.dirname, 'stacks'))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => name.slice(0, -'.mjs'.length));
}

/** @param {readonly string[]} names @returns {Promise<import('./types.js').Run[]>} in the order of the names */
async function allRuns(names) {
  const tasks = names.map((name) => ({ name, index: 0 }));
  /** @type {import('./types.js').Run[]} */
  const done = [];
  const work = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      const { name, index } = task;
      const run = await runOf(name, index, (total) => {
        const more = Array.from({ length: total - 1 }, (_, i) => ({ name, index: i + 1 }));
        if (index === 0) tasks.unshift(...more);
      });
      done.push(run);
      const faults = [...run.faults].filter(([, fault]) => fault !== null).map(([fact]) => fact);
      const { title, versions, tookMs } = run;
      console.error(
        `${faults.length === 0 ? '✓' : '✗'} ${title} (${versions.join(', ')}), ${seconds(tookMs)} s ${faults.join(' ')}`,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const order = (/** @type {import('./types.js').Run} */ { name, index }) => names.indexOf(name) * 100 + index;
  return done.sort((a, b) => order(a) - order(b));
}

/**
 * @param {string} name
 * @param {number} index
 * @param {(total: number) => void} described how many stacks the file has
 * @returns {Promise<import('./types.js').Run>}
 */
async function runOf(name, index, described) {
  const runStartedMs = performance.now();
  const child = spawn(process.execPath, [join(folder, 'stack-process.mjs'), name, String(index)], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true, // a process group of its own, so that its clients, some of them stopped, can be killed with it
  });
  const kill = () => killGroup(child.pid);
  alive.add(kill);
  const limitTimer = setTimeout(kill, stackTimeoutMs);
  /** @type {NodeJS.Timeout | undefined} */
  let exitTimer;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));

  /** @type {Map<import('./types.js').FactName, string | null>} */
  const faults = new Map();
  /** @type {import('./types.js').Description} */
  let description = { title: name, versions: [], skips: {} };
  const reports = createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdio[3]) });
  reports.on('line', (line) => {
    /** @type {import('./types.js').Report} */
    const { stack, fact, fault = null } = JSON.parse(line);
    if (stack !== undefined) {
      description = stack;
      described(stack.total);
    } else if (fact !== undefined) faults.set(fact, fault);
    else exitTimer = setTimeout(kill, exitWithinMs);
  });
  child.on('exit', kill); // clients that it left behind hold its output open
  const [code, signal] = await once(child, 'close');
  alive.delete(kill);
  clearTimeout(limitTimer);
  clearTimeout(exitTimer);
  const end = `the process ended with ${String(code ?? signal)}\n${output}`;
  for (const fact of factNames) if (!faults.has(fact) && description.skips[fact] === undefined) faults.set(fact, end);
  if (code !== 0) faults.set('clean', [faults.get('clean'), end].join('\n'));
  return { name, index, ...description, faults, tookMs: performance.now() - runStartedMs };
}

/** A process and those it started. @param {number | undefined} pid */
function killGroup(pid) {
  try {
    process.kill(-Number(pid), 'SIGKILL');
  } catch {
    // There is none any more.
  }
}

/** @param {number} ms */
function seconds(ms) {
  return (ms / 1_000).toFixed(1);
}
