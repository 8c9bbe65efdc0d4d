import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runMooring } from '../support/mooring-command.js';
import { afterThisTest } from '../support/setup.js';

/** The packages a command loads, as Node's own record of what ran has them. */
async function packagesLoadedBy(args: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-loaded-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  await runMooring(args, { NODE_V8_COVERAGE: folder });
  const records = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] },
  );
  const packages = records
    .flatMap(({ result }) => result)
    .flatMap(({ url }) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.slice(1) ?? []);
  return [...new Set(packages)].sort();
}

/** The packages that measure how many columns a text takes; commands that print a table load them. */
const widths = ['ansi-regex', 'emoji-regex', 'get-east-asian-width', 'string-width', 'strip-ansi'];

describe('a command loads what it needs, and no more:', () => {
  it.each([
    [['--help'], ['commander']],
    [['serve', '--help'], ['commander']],
    [['check', '--help'], ['commander']],
    [['completion', 'bash'], ['commander']],
    [
      ['check', 'alice', '--url', 'http://127.0.0.1:9'],
      ['commander', ...widths, 'zod'],
    ],
    [
      ['top', '--url', 'http://127.0.0.1:9'],
      ['commander', ...widths, 'zod'],
    ],
  ])('%j', async (args, packages) => {
    expect(await packagesLoadedBy(args)).toEqual([...packages].sort());
  });
});
