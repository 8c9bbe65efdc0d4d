import { describe, it } from 'vitest';
import { MemoryLedger, type QuotaLedger } from '../../src/index.js';
import { Chance } from '../../src/simulation/chance.js';
import { OutageLedger } from '../../src/simulation/outage-ledger.js';
import { WorldTime } from '../../src/simulation/world-time.js';
import { quotaLedgerContract, type LedgerFixture } from '../../src/testing/index.js';

const dispose = (): void => undefined;

function inMemory(): LedgerFixture {
  const ledger = new MemoryLedger();
  return { ledger, elsewhere: new MemoryLedger(ledger), dispose };
}

/** Its answers come after a while, in simulated time, and not in the order of the questions. */
function faraway(): LedgerFixture {
  let open = 0;
  const time = new WorldTime(() => open > 0);
  const ledger = new OutageLedger(time, new Chance(1));
  const inTime = async <T>(answer: T | Promise<T>): Promise<T> => {
    open += 1;
    await time.runUntil(time.now() + 60_000);
    open -= 1;
    return answer;
  };
  // It knows claims by their numbers alone: what comes from elsewhere gets others.
  const seenFrom = (place: number): QuotaLedger => ({
    acquire: (claim, limit) => inTime(ledger.acquire({ ...claim, claimId: 2 * claim.claimId + place }, limit)),
    release: (claim) => inTime(ledger.release({ ...claim, claimId: 2 * claim.claimId + place })),
  });
  return { ledger: seenFrom(0), elsewhere: seenFrom(1), dispose };
}

describe.each([
  ['MemoryLedger', inMemory],
  ["the simulator's faraway ledger", faraway],
])('%s', (_, make) => {
  for (const { name, run } of quotaLedgerContract) it(name, ({ skip }) => run(make, skip));
});
