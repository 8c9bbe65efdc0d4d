/**
 * `npm run test:setup`: installs what some tests need beyond Node (see test-tools.mjs), with apt-get. Says first what it
 * will do; `--dry-run` does no more than that. If nothing is missing it does nothing.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { missingTools } from './test-tools.mjs';

/** Debian starts what it installs, such as a Prometheus on the port of our admin API, unless this file forbids it. */
const servicePolicy = '/usr/sbin/policy-rc.d';

const missing = missingTools();
const packages = missing.flatMap((tool) => tool.packages);

if (missing.length === 0) console.log('Every tool that the tests need is here.');
else if (explain()) process.exitCode = install() ? 0 : 1;

/** Says what will be done. @returns {boolean} whether it can and shall be done */
function explain() {
  for (const { name, files } of missing) console.log(`Missing: ${name}, for ${files.join(', ')}.`);
  console.log(`To do: apt-get update && apt-get install --no-install-recommends ${packages.join(' ')}`);
  if (!existsSync(servicePolicy)) console.log(`Meanwhile ${servicePolicy} keeps the installed services from starting.`);
  if (process.argv.includes('--dry-run')) return false;
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) return true;
  console.error('This needs root and apt-get. Install the packages in another way, or skip the tests.');
  process.exitCode = 1;
  return false;
}

/** @returns {boolean} whether the machine has everything now */
function install() {
  aptGet(['update']);
  withoutServices(() => aptGet(['install', '--yes', '--no-install-recommends', ...packages]));
  const still = missingTools();
  for (const { name } of still) console.error(`Still missing: ${name}.`);
  return still.length === 0;
}

/** @param {() => void} act */
function withoutServices(act) {
  if (existsSync(servicePolicy)) {
    act();
    return;
  }
  // If this process is killed, the file that stays behind forbids nothing.
  const policy = `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  writeFileSync(servicePolicy, policy, { mode: 0o755 });
  try {
    act();
  } finally {
    rmSync(servicePolicy, { force: true });
  }
}

/** Quiet unless it fails. @param {string[]} args */
function aptGet(args) {
  const { status, stderr } = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) console.warn(`apt-get ${args[0] ?? ''} failed:\n${stderr.trim()}`);
}
