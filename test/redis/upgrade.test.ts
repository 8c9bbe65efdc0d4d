import { expect, describe, it } from 'vitest';
import { playExactLimit } from '../support/exact-limit.js';
import { expectKept, ofNextVersion, shortRun, tableOf } from '../support/exact-limit-runs.js';
import { builtLibrary, editedLibrary, firstLibrary } from '../support/shared-process.js';

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('a fleet that is upgraded process by process', () => {
  it.each([
    ['the first version and this one', () => [firstLibrary(), builtLibrary]],
    ['this version and the next one', () => [builtLibrary, editedLibrary(ofNextVersion)]],
  ])(
    'keeps the limit: %s',
    async (versions, libraries) => {
      const result = await playExactLimit({ ...shortRun, libraries: libraries() });
      console.log(tableOf(versions, result));
      expectKept(result);
      expect(result.verdict.opens).toBeGreaterThan(5_000);
      expect(result.verdict.takeovers).toBeGreaterThan(100);
    },
    120_000,
  );
});
