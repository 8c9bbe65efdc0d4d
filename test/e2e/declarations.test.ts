import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};
const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types]));

// Members marked @internal are left out of them, so an exported class may fit its interface in the sources only.
it('the declarations that users get compile', { timeout: 120_000 }, () => {
  expect(entries.length).toBeGreaterThan(5);
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, ...options, '--types', 'node', ...entries], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
});
