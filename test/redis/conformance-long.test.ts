import { describe, expect, it } from 'vitest';
import { expectConformance, stepsPerSeed } from '../support/quota-seeds.js';

const hasRedis = process.env['TEST_HAS_REDIS'] !== '0';

/** Not those of conformance.test.ts. `npm run proof -- quota` plays 200: 100,000 steps. */
const first = 1_001;
const last = 1_000 + Number(process.env['MOORING_QUOTA_SEEDS'] ?? '40');
const steps = (last - first + 1) * stepsPerSeed;

/** Every reply of a script and every entry of the log: without one, the steps would not reach what they are to compare. */
const everything = [
  ...['register ok', 'register taken', 'beat ok', 'leave ok'],
  ...['granted', 'takes', 'behind', 'contested', 'full', 'unknown'].map((kind) => `acquire ${kind}`),
  ...['held', 'lost', 'absent', 'unknown'].map((kind) => `commit ${kind}`),
  ...['ok', 'unknown'].map((kind) => `release ${kind}`),
  ...['exchanged', 'gone', 'unknown'].map((kind) => `exchange ${kind}`),
  ...['ok', 'ok lost', 'unknown'].map((kind) => `assert ${kind}`),
  ...['held', 'pending', 'lost', 'unknown'].map((kind) => `verify ${kind}`),
  ...['joined', 'died', 'moved', 'total', 'granted'].map((name) => `log ${name}`),
];

describe.skipIf(!hasRedis)('the scripts of the shared quota on a real Redis, for longer', () => {
  it(
    `do what the model does, in ${steps} random steps (seeds ${first} to ${last})`,
    async () => {
      const counts = await expectConformance(first, last);
      const counted = everything.map((name) => `${name}: ${counts.get(name) ?? 0}`);
      console.log(`${steps} steps, seeds ${first} to ${last}, 0 differences. ${counted.join(', ')}`);
      expect(everything.filter((name) => (counts.get(name) ?? 0) < (last - first) / 10)).toEqual([]);
    },
    10 * 60_000,
  );
});
