import { describe, expect, it } from 'vitest';
import { deployTable, playRollingDeploy } from '../support/rolling-deploy.js';

/** 400 in the tests, 5,000 with `npm run proof -- cluster`. */
const clients = Number(process.env['MOORING_DEPLOY_CLIENTS'] ?? '400');

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('a rolling deploy of four servers that share a quota', () => {
  it(`refuses none of ${clients} clients whose users are at their limit`, async () => {
    const result = await playRollingDeploy(clients);
    console.log(deployTable(result));
    expect(result.refused.slice(0, 3)).toEqual([]);
    expect(result.ended.slice(0, 3)).toEqual([]);
    expect(result.verdict.over.slice(0, 3)).toEqual([]);
    // A client may meet more than one server that stops.
    expect(result.moves).toBeGreaterThanOrEqual(clients * 0.9);
  }, 240_000);
});
