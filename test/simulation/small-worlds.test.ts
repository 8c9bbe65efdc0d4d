import { describe, expect, it } from 'vitest';
import { runScript } from '../../src/simulation/script.js';
import { smallWorld } from '../../src/simulation/small-world.js';

/** 200 seeds here; more by hand, with MOORING_SEEDS=2000 or MOORING_SEEDS=7..7. */
const [first, last] = seedsOf(process.env['MOORING_SEEDS'] ?? '200');

function seedsOf(text: string): [number, number] {
  const [from, to] = text.split('..').map(Number);
  return to === undefined ? [1, from ?? 1] : [from ?? 1, to];
}

describe('an hour in a small world', () => {
  it(
    `breaks no promise, with any of the seeds ${String(first)} to ${String(last)}`,
    async () => {
      const broken: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const violation = await runScript(smallWorld(seed));
        if (violation !== null)
          broken.push(
            `npx mooring simulate --scenario small --seed ${String(seed)}: ${violation.invariant}: ${violation.message}`,
          );
      }
      expect(broken).toEqual([]);
    },
    15 * 60_000,
  );
});
