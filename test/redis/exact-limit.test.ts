import { describe, expect, it } from 'vitest';
import { playExactLimit } from '../support/exact-limit.js';
import { expectKept, shortRun, tableOf } from '../support/exact-limit-runs.js';

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('four processes that share a quota on a real Redis', () => {
  it('keep the limit at every instant, whatever is stopped, killed and emptied', async () => {
    const result = await playExactLimit(shortRun);
    console.log(tableOf('short', result));
    const { verdict } = result;
    expectKept(result);
    // On a busy machine Redis may be late.
    expect(verdict.alone).toBeLessThan(verdict.opens / 100);
    expect(verdict.opens).toBeGreaterThan(5_000);
    expect(verdict.takeovers).toBeGreaterThan(100);
    expect(verdict.refusals).toBeGreaterThan(0);
  }, 120_000);
});
