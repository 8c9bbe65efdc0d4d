import { describe, expect, it } from 'vitest';
import { expectConformance, stepsPerSeed } from '../support/quota-seeds.js';
import { seedsOf } from '../support/seeds.js';

const hasRedis = process.env['TEST_HAS_REDIS'] !== '0';

/** 5,000 steps here, 20,000 in conformance-long, 100,000 with `npm run proof -- quota`; more by hand, with MOORING_SEEDS=2000 or MOORING_SEEDS=7..7. */
const [first, last] = seedsOf(process.env['MOORING_SEEDS'] ?? '10');

describe.skipIf(!hasRedis)('the scripts of the shared quota on a real Redis', () => {
  it(
    `do what the model does, in ${stepsPerSeed} random steps with each of the seeds ${first} to ${last}`,
    async () => {
      await expect(expectConformance(first, last)).resolves.toBeDefined();
    },
    30 * 60_000,
  );
});
