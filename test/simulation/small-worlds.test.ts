import { describe, expect, it } from 'vitest';
import { smallWorldCommand } from '../../src/cli/commands/replay-command.js';
import type { Violation } from '../../src/simulation/promises.js';
import { runScript, type Script } from '../../src/simulation/script.js';
import { shortestBreaking } from '../../src/simulation/shrink.js';
import { smallWorld } from '../../src/simulation/small-world.js';
import { seedsOf } from '../support/seeds.js';

/** 200 seeds here; more by hand, with MOORING_SEEDS=2000 or MOORING_SEEDS=7..7. */
const [first, last] = seedsOf(process.env['MOORING_SEEDS'] ?? '200');

/** So many are made short, which takes a while; it is enough to see what is wrong. */
const maxShortened = 3;

describe('an hour in a small world', () => {
  it(
    `breaks no promise, with any of the seeds ${first} to ${last}`,
    async () => {
      const broken: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const script = smallWorld(seed);
        const violation = await runScript(script);
        if (violation === null) continue;
        const length = broken.length < maxShortened ? ` (${await shortestOf(script, violation)})` : '';
        broken.push(`${smallWorldCommand(seed)}${length}: ${violation.invariant}: ${violation.message}`);
      }
      expect(broken).toEqual([]);
    },
    15 * 60_000,
  );
});

async function shortestOf(script: Script, { invariant }: Violation): Promise<string> {
  const { steps } = await shortestBreaking(invariant, script);
  return `${steps.length} of its ${script.steps.length} steps are enough; the command prints them`;
}
