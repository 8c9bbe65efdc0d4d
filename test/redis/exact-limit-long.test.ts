import { describe, expect, it } from 'vitest';
import { playExactLimit } from '../support/exact-limit.js';
import {
  expectKept,
  longRun,
  ofNextVersion,
  shortRun,
  tableOf,
  withoutFence,
  withoutLiveness,
} from '../support/exact-limit-runs.js';
import { builtLibrary, editedLibrary, firstLibrary } from '../support/shared-process.js';

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('the exact limit', () => {
  it.each([
    ['long', () => [builtLibrary]],
    ['long, the first version and the next one', () => [firstLibrary(), editedLibrary(ofNextVersion)]],
  ])(
    'is kept by four processes for 2,000 users, in 300,000 admissions under faults: %s',
    async (name, libraries) => {
      const result = await playExactLimit({ ...longRun, libraries: libraries() });
      console.log(tableOf(name, result));
      const { verdict, kills, freezes } = result;
      expectKept(result);
      expect(verdict.alone).toBeLessThan(verdict.opens / 1_000);
      expect(verdict.opens).toBeGreaterThanOrEqual(300_000);
      expect([kills, freezes]).toEqual([20, 10]);
    },
    900_000,
  );
});

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('the judge of the exact limit', () => {
  it('finds slots that stay with the dead', async () => {
    const result = await playExactLimit({ ...shortRun, libraries: [editedLibrary(withoutLiveness)] });
    console.log(tableOf('without a look who lives', result));
    expect(result.verdict.refusedWithRoom.length).toBeGreaterThan(0);
  }, 120_000);

  it('finds slots that a process took which the others had taken for dead', async () => {
    const result = await playExactLimit({ ...shortRun, libraries: [editedLibrary(withoutFence)] });
    console.log(tableOf('without a fence', result));
    expect(result.verdict.over.length).toBeGreaterThan(0);
  }, 120_000);
});
