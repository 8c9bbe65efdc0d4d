import { describe, expect, it } from 'vitest';
import { seedsOf } from '../../support/seeds.js';

describe('MOORING_SEEDS', () => {
  it.each([
    ['200', [1, 200]],
    ['1', [1, 1]],
    ['7..7', [7, 7]],
    ['0..3', [0, 3]],
    ['4294967295..4294967295', [4_294_967_295, 4_294_967_295]],
  ] as const)('of %s', (text, seeds) => {
    expect(seedsOf(text)).toEqual(seeds);
  });

  it.each(['', '0', 'all', '1.5', '-3', '1..', '..5', '5..1', '1..2..3', '1...3', '1e3', '4294967296', ' 7'])(
    'of "%s" is an error',
    (text) => {
      expect(() => seedsOf(text)).toThrow(`MOORING_SEEDS: got "${text}", wanted whole numbers`);
    },
  );
});
