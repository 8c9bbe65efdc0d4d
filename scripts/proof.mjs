/**
 * `npm run proof`: what takes long by nature, hours in all. The results are committed in docs/reference and
 * docs/internals. Arguments choose parts: `npm run proof -- seeds plant`.
 *
 * `--quick`: a minute of each at most, to see that it still runs.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * @typedef {object} Part
 * @property {string[]} command for Node
 * @property {string[]} quick the same, in a minute
 * @property {Record<string, string>} [env]
 * @property {Record<string, string>} [quickEnv]
 */

const quota = ['test/redis/conformance-long.test.ts', 'test/redis/planted-bugs.test.ts'];
const cluster = ['test/e2e/shared-lock-out.test.ts', 'test/redis/rolling-deploy.test.ts'];
const clusterDay = ['scripts/test.mjs', 'test/simulation/cluster-day.test.ts'];
const smallWorlds = ['scripts/test.mjs', 'test/simulation/small-worlds.test.ts'];

/** @type {Record<string, Part>} */
const parts = {
  seeds: {
    command: smallWorlds,
    quick: smallWorlds,
    env: { MOORING_SEEDS: '2000' },
    quickEnv: { MOORING_SEEDS: '500' },
  },
  quota: {
    command: ['scripts/test.mjs', ...quota],
    quick: ['scripts/test.mjs', ...quota],
    env: { MOORING_QUOTA_SEEDS: '200' },
    quickEnv: { MOORING_QUOTA_SEEDS: '40', MOORING_QUOTA_EVERY: '4' },
  },
  cluster: {
    command: ['scripts/test.mjs', ...cluster, 'test/redis/failover.test.ts', 'test/redis/exact-limit-long.test.ts'],
    quick: ['scripts/test.mjs', ...cluster, 'test/redis/exact-limit.test.ts'],
    env: { MOORING_DEPLOY_CLIENTS: '5000', MOORING_CUT_OFF_MS: '60000', MOORING_MOVES: '1000' },
  },
  day: {
    command: clusterDay,
    quick: clusterDay,
    env: { MOORING_CLUSTER_USERS: '10000', MOORING_CLUSTER_HOURS: '24' },
  },
  schedules: { command: ['scripts/schedules.mjs'], quick: ['scripts/schedules.mjs', '--quick'] },
  plant: { command: ['scripts/plant.mjs'], quick: ['scripts/plant.mjs', '--quick'] },
  mutate: { command: ['scripts/mutate.mjs'], quick: ['scripts/mutate.mjs', 'multimap.ts'] },
  soak: { command: ['bench/start.mjs', 'soak'], quick: ['bench/start.mjs', 'soak', '--quick'] },
  bench: { command: ['bench/start.mjs', 'run'], quick: ['bench/start.mjs', 'run', 'core', '--quick'] },
};

const isQuick = process.argv.includes('--quick');
const names = process.argv.slice(2).filter((argument) => argument !== '--quick');
const unknown = names.filter((name) => !Object.hasOwn(parts, name));

if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}.`);
  process.exitCode = 2;
} else {
  const failed = (names.length > 0 ? names : Object.keys(parts)).filter((name) => !succeeds(name));
  if (failed.length > 0) {
    console.error(`\nFailed: ${failed.join(', ')}`);
    process.exitCode = 1;
  }
}

/** @param {string} name */
function succeeds(name) {
  const part = parts[name];
  if (part === undefined) return false;
  console.log(`\n=== ${name}`);
  const startedAt = Date.now();
  const { status } = spawnSync(process.execPath, isQuick ? part.quick : part.command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(isQuick ? part.quickEnv : part.env) },
  });
  console.log(`=== ${name}: ${((Date.now() - startedAt) / 1_000).toFixed(0)} s`);
  return status === 0;
}
