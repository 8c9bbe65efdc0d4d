import assert from 'node:assert/strict';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from '../core/admission/quota-ledger.js';
import { contractCase, type ContractCase, type Disposable } from './contract.js';

/** An empty ledger. */
export interface LedgerFixture extends Disposable {
  readonly ledger: QuotaLedger;
  /** The same slots, seen from another process, where the ledger is for several. */
  readonly elsewhere?: QuotaLedger;
}

/** Makes one. */
export type MakeLedger = () => LedgerFixture | Promise<LedgerFixture>;

let claims = 0;

const claimOf = (userId: string, thread: number | string): QuotaClaim => ({
  userId,
  threadId: `thread_${String(thread)}`,
  claimId: (claims += 1),
});

const granted = (total: number): LedgerAnswer => ({ granted: true, total });
const denied = (total: number): LedgerAnswer => ({ granted: false, total });

/** Ids that a careless key would mix up, or trip over. */
const strangeIds = ['a', 'a:b', 'a%3Ab', 'A', 'ä', '界', '__proto__', 'constructor', ' ', '{a}', '*', 'x'.repeat(256)];

/**
 * What Mooring relies on in a {@link QuotaLedger}. The ids are new in none of the cases: a ledger that keeps what it
 * knows between runs must be emptied by `make`.
 *
 * @example
 * for (const { name, run } of quotaLedgerContract) it(name, () => run(make));
 */
export const quotaLedgerContract: readonly ContractCase<MakeLedger>[] = [
  contractCase('grants up to the limit, and says how many there are', async ({ ledger }: LedgerFixture) => {
    assert.deepEqual(await ledger.acquire(claimOf('ada', 1), 2), granted(1));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 2), granted(2));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 2), denied(2));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 2), denied(2), 'a denied claim leaves nothing behind');
  }),

  contractCase('grants a slot that was given back', async ({ ledger }: LedgerFixture) => {
    const first = claimOf('ada', 1);
    await ledger.acquire(first, 1);
    await ledger.release(first);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),

  contractCase('hands a slot over to the same thread, even at the limit', async ({ ledger }: LedgerFixture) => {
    await ledger.acquire(claimOf('ada', 1), 2);
    await ledger.acquire(claimOf('ada', 2), 2);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 1), 2), granted(2));
  }),

  contractCase('does not let a late release end a newer claim', async ({ ledger }: LedgerFixture) => {
    const [former, newer] = [claimOf('ada', 1), claimOf('ada', 1)];
    await ledger.acquire(former, 1);
    await ledger.acquire(newer, 1);
    await ledger.release(former);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), denied(1));
    await ledger.release(newer);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),

  contractCase('lets a slot be given back twice, or without having been granted', async ({ ledger }: LedgerFixture) => {
    const [mine, nobodys] = [claimOf('ada', 1), claimOf('ada', 2)];
    await ledger.release(nobodys);
    await ledger.acquire(mine, 2);
    await ledger.release(mine);
    await ledger.release(mine);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 2), granted(1));
  }),

  contractCase('goes by the limit of each claim', async ({ ledger }: LedgerFixture) => {
    await ledger.acquire(claimOf('ada', 1), 3);
    await ledger.acquire(claimOf('ada', 2), 3);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 1), denied(2));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 3), granted(3));
  }),

  contractCase('keeps users apart, whatever their ids', async ({ ledger }: LedgerFixture) => {
    for (const userId of strangeIds) assert.deepEqual(await ledger.acquire(claimOf(userId, 1), 1), granted(1), userId);
    for (const userId of strangeIds) assert.deepEqual(await ledger.acquire(claimOf(userId, 2), 1), denied(1), userId);
  }),

  contractCase('keeps threads apart, whatever their ids', async ({ ledger }: LedgerFixture) => {
    for (const [i, id] of strangeIds.entries())
      assert.deepEqual(await ledger.acquire(claimOf('ada', id), strangeIds.length), granted(i + 1), id);
  }),

  contractCase('grants exactly the limit to claims that come together', async ({ ledger }: LedgerFixture) => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => Promise.resolve(ledger.acquire(claimOf('ada', i), 20))),
    );
    assert.equal(answers.filter((answer) => answer.granted).length, 20);
    assert.deepEqual(
      answers.flatMap((answer) => (answer.granted ? [answer.total] : [])).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  }),

  contractCase('loses no slot when claims and releases come together', async ({ ledger }: LedgerFixture) => {
    for (let round = 0; round < 5; round++) {
      const all = Array.from({ length: 20 }, (_, i) => claimOf('ada', i));
      await Promise.all(all.map((claim) => Promise.resolve(ledger.acquire(claim, 20))));
      await Promise.all(all.map((claim) => Promise.resolve(ledger.release(claim))));
    }
    assert.deepEqual(await ledger.acquire(claimOf('ada', 1), 20), granted(1));
  }),

  contractCase('counts what other processes hold', async ({ ledger, elsewhere }: LedgerFixture) => {
    if (elsewhere === undefined) return;
    const theirs = claimOf('ada', 1);
    assert.deepEqual(await elsewhere.acquire(theirs, 1), granted(1));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), denied(1));
    await elsewhere.release(theirs);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),
];
