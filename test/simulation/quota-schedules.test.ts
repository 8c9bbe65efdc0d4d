import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Sources } from '../../scripts/mutants.mjs';
import { quotaBugs, quotaFolders } from '../../scripts/planted-quota-bugs.mjs';
import { firstBad, shortestOf, traceOf } from '../support/quota-world.js';
import { seedsOf } from '../support/seeds.js';

/** More by hand, with MOORING_SEEDS=2000 or MOORING_SEEDS=7..7, and by `npm run proof -- schedules`. */
const [first, last] = seedsOf(process.env['MOORING_SEEDS'] ?? '60');

describe('a quota on Redis, with random faults', () => {
  it(
    `breaks no promise, with any of the seeds ${first} to ${last}`,
    async () => {
      const found = await firstBad(first, last);
      expect(found && (await traceOf(await shortestOf(found, 200))).join('\n')).toBeNull();
    },
    15 * 60_000,
  );
});

const quota = new Sources(join(import.meta.dirname, '../..'), quotaFolders);

describe('the bugs that are planted to see whether the schedules find them', () => {
  it.each(quotaBugs)('can still be planted: $name', ({ edits }) => {
    const changed = quota.edited(edits);
    expect(changed.size).toBeGreaterThan(0);
    for (const [file, source] of changed) expect(source).not.toBe(quota.textOf(file));
  });
});
