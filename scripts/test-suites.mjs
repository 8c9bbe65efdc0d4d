/**
 * The vitest project of each test file. `npm test` runs `fast` and `quick`, `npm run test:all` also `slow` and `timed`.
 *
 * A new file is `fast`, or `quick` if it is in a folder of real sockets and processes. List it here if it takes more
 * than ten seconds.
 */

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Folders whose tests use real sockets, processes, browsers and networks. */
const realFolders = ['test/contract', 'test/e2e', 'test/network', 'test/redis'];

/** Slow, and they judge no time that another test could spoil: they run four at a time. */
const slowFiles = [
  'test/e2e/admin-cli.test.ts',
  'test/e2e/admin-cli-events.test.ts',
  'test/e2e/cli.test.ts',
  'test/e2e/completion.test.ts',
  'test/e2e/dashboard.test.ts',
  'test/e2e/dashboard-access.test.ts',
  'test/e2e/dashboard-stream.test.ts',
  'test/e2e/demo.test.ts',
  'test/e2e/examples-agent.test.ts',
  'test/e2e/examples-chat.test.ts',
  'test/e2e/examples-express.test.ts',
  'test/e2e/examples-frameworks.test.ts',
  'test/e2e/listener.test.ts',
  'test/e2e/package-cli.test.ts',
  'test/e2e/package-docs.test.ts',
  'test/e2e/package-projects.test.ts',
  'test/e2e/prometheus.test.ts',
  'test/e2e/simulate.test.ts',
  'test/e2e/terminal.test.ts',
  'test/e2e/watchdog.test.ts',
  'test/redis/hostile.test.ts',
  'test/simulation/cluster-day.test.ts',
  'test/simulation/day-scenarios.test.ts',
  'test/unit/docs/api.test.ts',
];

/** Slow, and they judge how soon something happens, or fill the machine: they run two at a time, after all others. */
const timedFiles = [
  'test/e2e/healthy.test.ts',
  'test/e2e/lock-out.test.ts',
  'test/e2e/race.test.ts',
  'test/e2e/shared-lock-out.test.ts',
  'test/e2e/socket-io-frozen.test.ts',
  'test/e2e/stall.test.ts',
  'test/e2e/suspended.test.ts',
  'test/e2e/takeover.test.ts',
  'test/network/crowds.test.ts',
  'test/network/dropped-link.test.ts',
  'test/redis/exact-limit.test.ts',
  'test/redis/failover.test.ts',
  'test/redis/failures.test.ts',
  'test/redis/rolling-deploy.test.ts',
  'test/redis/upgrade.test.ts',
];

/** They take minutes, and are parts of `npm run proof`: `npm run test:all` leaves them out. */
const proofFiles = [
  'test/redis/conformance-long.test.ts',
  'test/redis/exact-limit-long.test.ts',
  'test/redis/planted-bugs.test.ts',
];

/** The projects of `npm test`. */
export const quickProjects = ['fast', 'quick'];

/** The projects of `npm run test:all`, in the order in which they run. */
export const projects = [...quickProjects, 'slow', 'timed'];

/** With those of proofs, which run if they are named. */
export const allProjects = [...projects, 'proof'];

/** The lists above, by project. */
export const listedFiles = { slow: slowFiles, timed: timedFiles, proof: proofFiles };

/** Every test file, relative to the root. */
export function testFiles() {
  const entries = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** @param {string} file relative to the root */
export function projectOf(file) {
  if (slowFiles.includes(file)) return 'slow';
  if (timedFiles.includes(file)) return 'timed';
  if (proofFiles.includes(file)) return 'proof';
  return realFolders.some((folder) => file.startsWith(`${folder}/`)) ? 'quick' : 'fast';
}
