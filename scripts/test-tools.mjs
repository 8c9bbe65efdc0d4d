/** What some test files need beyond Node, and whether this machine has it. Nothing is installed here. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} variable tells the tests, `1` or `0`, whether the machine has it
 * @property {string} flag what test files call it when they skip tests
 * @property {string[]} files that skip tests without it
 * @property {string[]} packages that bring it, on Debian
 * @property {() => boolean} isThere
 */

/** @type {Tool[]} */
export const tools = [
  {
    name: 'Chromium (/usr/bin/chromium)',
    variable: 'TEST_HAS_CHROMIUM',
    flag: 'hasChromium',
    files: [
      'test/contract/ws-reload.test.ts',
      'test/e2e/clients.test.ts',
      'test/e2e/dashboard.test.ts',
      'test/e2e/dashboard-access.test.ts',
      'test/e2e/dashboard-stream.test.ts',
      'test/e2e/examples-agent.test.ts',
      'test/e2e/examples-chat.test.ts',
      'test/e2e/examples-express.test.ts',
      'test/e2e/examples-frameworks.test.ts',
      'test/e2e/react.test.ts',
      'test/e2e/watchdog.test.ts',
    ],
    packages: ['chromium', 'chromium-headless-shell'],
    isThere: () => existsSync('/usr/bin/chromium'),
  },
  {
    name: 'websockets for Python (/usr/bin/python3)',
    variable: 'TEST_HAS_PYTHON_WEBSOCKETS',
    flag: 'TEST_HAS_PYTHON_WEBSOCKETS',
    files: ['test/e2e/clients.test.ts'],
    packages: ['python3', 'python3-websockets'],
    isThere: () => succeeds('/usr/bin/python3', ['-c', 'import websockets']),
  },
  {
    name: 'Prometheus (prometheus and promtool)',
    variable: 'TEST_HAS_PROMETHEUS',
    flag: 'TEST_HAS_PROMETHEUS',
    files: ['test/e2e/prometheus.test.ts', 'test/e2e/promtool.test.ts'],
    packages: ['prometheus'],
    isThere: () => ['prometheus', 'promtool'].every((command) => succeeds(command, ['--version'])),
  },
  {
    name: 'nginx and HAProxy',
    variable: 'TEST_HAS_PROXIES',
    flag: 'TEST_HAS_PROXIES',
    files: ['test/network/proxies.test.ts'],
    packages: ['nginx', 'haproxy'],
    isThere: () => ['nginx', 'haproxy'].every((command) => succeeds(command, ['-v'])),
  },
  {
    name: 'zsh and fish',
    variable: 'TEST_HAS_SHELLS',
    flag: 'TEST_HAS_SHELLS',
    files: ['test/e2e/completion.test.ts'],
    packages: ['zsh', 'fish'],
    isThere: () => ['zsh', 'fish'].every((shell) => succeeds(shell, ['--version'])),
  },
  {
    name: 'terminals (script)',
    variable: 'TEST_HAS_TERMINALS',
    flag: 'hasTerminals',
    files: ['test/e2e/terminal.test.ts'],
    packages: ['bsdutils'],
    isThere: () => succeeds('script', ['--version']),
  },
  {
    name: 'network namespaces (root, ip and nft)',
    variable: 'TEST_HAS_NETNS',
    flag: 'hasNamespaces',
    files: ['test/network/crowds.test.ts', 'test/network/dropped-link.test.ts'],
    packages: ['iproute2', 'nftables'],
    isThere: canFilterInANamespace,
  },
  {
    name: 'Redis and a C compiler (redis-server and cc)',
    variable: 'TEST_HAS_REDIS',
    flag: 'TEST_HAS_REDIS',
    files: [
      'test/e2e/shared-lock-out.test.ts',
      'test/redis/conformance-long.test.ts',
      'test/redis/conformance.test.ts',
      'test/redis/exact-limit-long.test.ts',
      'test/redis/exact-limit.test.ts',
      'test/redis/failover.test.ts',
      'test/redis/failures.test.ts',
      'test/redis/full-memory.test.ts',
      'test/redis/hostile.test.ts',
      'test/redis/ledger.test.ts',
      'test/redis/planted-bugs.test.ts',
      'test/redis/rolling-deploy.test.ts',
      'test/redis/upgrade.test.ts',
    ],
    packages: ['redis-server', 'gcc', 'libc6-dev'],
    isThere: () => ['redis-server', 'cc'].every((command) => succeeds(command, ['--version'])),
  },
];

/** What this machine lacks. */
export function missingTools() {
  return tools.filter((tool) => !tool.isThere());
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
