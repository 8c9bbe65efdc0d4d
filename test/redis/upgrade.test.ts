import { expect, describe, it } from 'vitest';
import { playExactLimit } from '../support/exact-limit.js';
import { expectKept, shortRun, tableOf } from '../support/exact-limit-runs.js';
import { builtLibrary, firstLibrary } from '../support/shared-process.js';

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('a fleet that is upgraded process by process', () => {
  it('keeps the limit, with scripts and clients of the first version beside those of this one', async () => {
    const libraries = [firstLibrary(), builtLibrary];
    const result = await playExactLimit({ ...shortRun, libraries });
    console.log(tableOf('first version and this one', result));
    expectKept(result);
    expect(result.verdict.opens).toBeGreaterThan(5_000);
    expect(result.verdict.takeovers).toBeGreaterThan(100);
  }, 120_000);
});
