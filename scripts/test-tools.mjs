/** What some suites need beyond Node: found, or installed where we may, or else named as missing. */

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} variable tells the suites, `1` or `0`, whether it is there
 * @property {string[]} suites that need it
 * @property {string[]} packages that bring it, on Debian and its kin
 * @property {() => boolean} isThere
 */

/** @type {Tool[]} */
const tools = [
  {
    name: 'Chromium (/usr/bin/chromium)',
    variable: 'TEST_HAS_CHROMIUM',
    suites: ['test/e2e'],
    packages: ['chromium'],
    isThere: () => existsSync('/usr/bin/chromium'),
  },
  {
    name: 'websockets for Python (/usr/bin/python3)',
    variable: 'TEST_HAS_PYTHON_WEBSOCKETS',
    suites: ['test/e2e'],
    packages: ['python3', 'python3-websockets'],
    isThere: () => succeeds('/usr/bin/python3', ['-c', 'import websockets']),
  },
  {
    name: 'Prometheus (prometheus and promtool)',
    variable: 'TEST_HAS_PROMETHEUS',
    suites: ['test/e2e'],
    packages: ['prometheus'],
    isThere: () => ['prometheus', 'promtool'].every((command) => succeeds(command, ['--version'])),
  },
  {
    name: 'zsh and fish',
    variable: 'TEST_HAS_SHELLS',
    suites: ['test/e2e'],
    packages: ['zsh', 'fish'],
    isThere: () => ['zsh', 'fish'].every((shell) => succeeds(shell, ['--version'])),
  },
  {
    name: 'terminals (script)',
    variable: 'TEST_HAS_TERMINALS',
    suites: ['test/e2e'],
    packages: ['bsdutils'],
    isThere: () => succeeds('script', ['--version']),
  },
  {
    name: 'network namespaces (root, ip and nft)',
    variable: 'TEST_HAS_NETNS',
    suites: ['test/network'],
    packages: ['iproute2', 'nftables'],
    isThere: canFilterInANamespace,
  },
];

/**
 * Finds, or installs, what the wanted suites need. With `CI=true` a missing tool ends the process; elsewhere its
 * suites will be skipped, and we say so.
 *
 * @param {(suite: string) => boolean} isWanted
 * @returns {Record<string, '0' | '1'>} environment variables for the suites
 */
export function provideTools(isWanted) {
  install(missingAmong(tools.filter((tool) => tool.suites.some(isWanted))));
  const missing = missingAmong(tools);
  report(missing.filter((tool) => tool.suites.some(isWanted)));
  return Object.fromEntries(tools.map((tool) => [tool.variable, missing.includes(tool) ? '0' : '1']));
}

/** @param {Tool[]} among */
function missingAmong(among) {
  return among.filter((tool) => !tool.isThere());
}

/** @param {Tool[]} missing */
function install(missing) {
  if (missing.length === 0 || !canInstall()) return;
  const packages = missing.flatMap((tool) => tool.packages);
  console.log(`Installing ${packages.join(', ')} for ${suitesOf(missing)} …`);
  aptGet(['update']);
  withoutServices(() => aptGet(['install', '--yes', '--no-install-recommends', ...packages]));
}

/** Debian starts what it installs, such as a Prometheus on the port of our admin API, unless this file says no. */
const servicePolicy = '/usr/sbin/policy-rc.d';

/** @param {() => void} act */
function withoutServices(act) {
  if (existsSync(servicePolicy)) {
    act();
    return;
  }
  // Should we be killed meanwhile, what is left of it forbids nothing.
  const policy = `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  writeFileSync(servicePolicy, policy, { mode: 0o755 });
  try {
    act();
  } finally {
    rmSync(servicePolicy, { force: true });
  }
}

function canInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && succeeds('apt-get', ['--version']);
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

/** @param {Tool[]} missing */
function report(missing) {
  if (missing.length === 0) return;
  for (const tool of missing) {
    console.warn(`Missing: ${tool.name}, needed by ${suitesOf([tool])}; packages: ${tool.packages.join(', ')}.`);
  }
  if (process.env['CI'] === 'true') {
    console.error('With CI=true no suite may be skipped.');
    process.exit(1);
  }
  console.warn('What needs them will be skipped.\n');
}

/** @param {Tool[]} some */
function suitesOf(some) {
  return [...new Set(some.flatMap((tool) => tool.suites))].join(', ');
}

/** Having the commands is not enough: in many containers they are not allowed to do anything. */
function canFilterInANamespace() {
  const name = `mooring-test-${process.pid}`;
  if (!succeeds('ip', ['netns', 'add', name])) return false;
  try {
    return succeeds('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'mooring']);
  } finally {
    spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  }
}

/** @param {string} command @param {string[]} args */
function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
