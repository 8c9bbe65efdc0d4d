/**
 * `npm run proof -- schedules`: plays random schedules of faults with real ledgers on a simulated Redis, and prints how
 * often each fault came. Then it plants bugs in a copy of the ledger and the model, one at a time, and tells which schedule
 * shows each, with the shortest history. A bug that is not found makes it fail, unless it is known why.
 *
 * `--quick`: fewer schedules, and no bugs. `--seeds N`, `--plant`: one of the two. `--bug 7`: one bug. `--from 500`: the first
 * schedule.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Sources } from './mutants.mjs';
import { quotaBugs, quotaFolders } from './planted-quota-bugs.mjs';
import { Transpiled } from './transpiled.mjs';

const sources = [
  'src/core',
  'src/redis',
  'src/testing',
  'src/simulation/chance.ts',
  'test/support/quota-world',
  'test/support/redis-model',
  'test/support/quota-world.ts',
  'test/support/simulated-redis.ts',
  'test/support/shortest.ts',
];
/** A bug that so many schedules do not show counts as not found. */
const maxSeedsForBug = 2_000;
/** How many parts of a schedule are tried to find the shortest. */
const maxRuns = 200;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    plant: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    bug: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
});
const quota = new Sources(join(import.meta.dirname, '..'), quotaFolders);
const copy = new Transpiled(sources);
try {
  if (!values.plant && values.bug === undefined) playAll(Number(values.seeds ?? (values.quick ? '300' : '10000')));
  if (values.seeds === undefined && !values.quick) plantAll();
} finally {
  copy.remove();
}

/** @param {number} seeds */
function playAll(seeds) {
  const { status } = run(
    `
    const tally = newTally();
    const startedAt = performance.now();
    const found = await firstBad(${Number(values.from)}, ${seeds}, tally);
    console.log('| played | times |\\n|---|--:|');
    console.log('| schedules | ' + tally.seeds + ' |\\n| steps | ' + tally.steps + ' |');
    for (const [kind, times] of [...tally.kinds].sort(([, a], [, b]) => b - a)) console.log('| ' + kind + ' | ' + times + ' |');
    console.log('\\n' + Math.round(performance.now() - startedAt) / 1000 + ' s');
    if (found !== null) {
      console.log((await traceOf(await shortestOf(found, ${maxRuns}))).join('\\n'));
      process.exitCode = 1;
    }`,
    'inherit',
  );
  if (status !== 0) process.exitCode = 1;
}

function plantAll() {
  const rows = [];
  for (const [index, bug] of quotaBugs.entries()) {
    if (values.bug !== undefined && Number(values.bug) !== index + 1) continue;
    const { cells, isFound, trace } = tryOut(bug);
    console.log(`\n${index + 1}. ${bug.name}: ${cells.join(', ')}\n${trace.join('\n')}`);
    rows.push(`| ${[index + 1, bug.name, ...cells].join(' | ')} |`);
    if (isFound === (bug.whyNotFound !== undefined)) process.exitCode = 1;
  }
  console.log('\n| # | planted bug | schedules until found | promise broken | steps of the shortest |');
  console.log(['|--:|---|--:|---|--:|', ...rows].join('\n'));
}

/** @param {import('./planted-quota-bugs.mjs').QuotaBug} bug */
function tryOut(bug) {
  const changed = quota.edited(bug.edits);
  for (const [file, source] of changed) copy.write(file, source);
  const { stdout } = run(
    `
    const found = await firstBad(${Number(values.from)}, ${bug.whyNotFound === undefined ? maxSeedsForBug : 200});
    const shortest = found && (await shortestOf(found, ${maxRuns}));
    const trace = shortest && (await traceOf(shortest));
    console.log(JSON.stringify({ seed: found?.seed, promise: found?.violation.promise, steps: shortest?.steps.length, trace }));
    process.exit(0);`,
    'pipe',
  );
  for (const file of changed.keys()) copy.write(file, quota.textOf(file));
  const { seed, promise, steps, trace } = /** @type {Found} */ (JSON.parse(stdout));
  const isFound = seed !== undefined;
  return { isFound, trace: trace ?? [], cells: isFound ? [seed, promise, steps] : ['not found', '-', '-'] };
}

/** @typedef {{ seed?: number, promise?: string, steps?: number, trace: string[] | null }} Found */

/** @param {string} body @param {'inherit' | 'pipe'} output */
function run(body, output) {
  const script = `import { firstBad, newTally, shortestOf, traceOf } from './test/support/quota-world.js';${body}`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: copy.folder,
    encoding: 'utf8',
    stdio: ['ignore', output, 'inherit'],
    maxBuffer: 2 ** 28,
  });
}
