import assert from 'node:assert/strict';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from '../core/quota/quota-ledger.js';
import { contractCase, type ContractCase, type Disposable } from './contract.js';

/** Where a ledger is for several processes. */
interface TwoProcesses {
  readonly ledger: QuotaLedger;
  readonly elsewhere: QuotaLedger;
}

/** An empty ledger. */
export interface LedgerFixture extends Disposable {
  readonly ledger: QuotaLedger;
  /**
   * The same slots, as another process sees them, where the ledger is for several: an instance of its own, as claims of
   * two processes may have the same id. Without it the cases that need it are skipped.
   */
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

/** Another process's claim that happens to have the same id as ours. @param thread @default the same */
const theirClaim = (ours: QuotaClaim, thread?: number | string): QuotaClaim => ({
  ...ours,
  threadId: thread === undefined ? ours.threadId : `thread_${String(thread)}`,
});

/** A case about two processes. */
const betweenProcesses = (name: string, check: (fixture: TwoProcesses) => Promise<void>): ContractCase<MakeLedger> =>
  contractCase(name, async ({ ledger, elsewhere }: LedgerFixture, skip) => {
    if (elsewhere === undefined) skip('the fixture has no `elsewhere`, the same slots as another process sees them');
    else await check({ ledger, elsewhere });
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
 * for (const { name, run } of quotaLedgerContract) it(name, ({ skip }) => run(make, skip));
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

  contractCase('gives a slot back that was granted after its release', async ({ ledger }: LedgerFixture) => {
    const late = claimOf('ada', 1); // as when the question was under way while the newcomer gave up
    await ledger.release(late);
    await ledger.acquire(late, 1);
    await ledger.release(late);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),

  contractCase('goes by the limit of each claim', async ({ ledger }: LedgerFixture) => {
    await ledger.acquire(claimOf('ada', 1), 3);
    await ledger.acquire(claimOf('ada', 2), 3);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 1), denied(2));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 3), granted(3));
  }),

  contractCase('hands a slot over above a limit that was lowered', async ({ ledger }: LedgerFixture) => {
    for (const thread of [1, 2, 3]) await ledger.acquire(claimOf('ada', thread), 3);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(3));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 4), 3), denied(3), 'three are still there');
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

  betweenProcesses('counts what other processes hold', async ({ ledger, elsewhere }) => {
    const theirs = claimOf('ada', 1);
    assert.deepEqual(await elsewhere.acquire(theirs, 1), granted(1));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), denied(1));
    await elsewhere.release(theirs);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),

  betweenProcesses('hands a slot over to the same thread of another process', async ({ ledger, elsewhere }) => {
    await elsewhere.acquire(claimOf('ada', 1), 1);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 1), 1), granted(1));
    assert.deepEqual(await elsewhere.acquire(claimOf('ada', 1), 1), granted(1), 'and back');
  }),

  betweenProcesses('keeps claims of two processes apart that have the same id', async ({ ledger, elsewhere }) => {
    const ours = claimOf('ada', 1);
    const theirs = theirClaim(ours, 2);
    assert.deepEqual(await ledger.acquire(ours, 2), granted(1));
    assert.deepEqual(await elsewhere.acquire(theirs, 2), granted(2));
    await elsewhere.release(theirs);
    assert.deepEqual(await elsewhere.acquire(claimOf('ada', 3), 1), denied(1), 'their release ended ours');
    await ledger.release(ours);
    assert.deepEqual(await elsewhere.acquire(claimOf('ada', 3), 1), granted(1), 'ours could not be given back');
  }),

  betweenProcesses('does not let a late release end a claim of another process', async ({ ledger, elsewhere }) => {
    const ours = claimOf('ada', 1);
    const theirs = theirClaim(ours);
    await ledger.acquire(ours, 1);
    await elsewhere.acquire(theirs, 1);
    await ledger.release(ours);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), denied(1));
    await elsewhere.release(theirs);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 2), 1), granted(1));
  }),

  betweenProcesses('takes releases that cross on their way', async ({ ledger, elsewhere }) => {
    const [ours, others] = [claimOf('ada', 1), claimOf('ada', 2)];
    const [theirs, newer] = [theirClaim(ours, 2), theirClaim(others, 1)];
    for (const claim of [ours, others]) await ledger.acquire(claim, 2);
    for (const claim of [theirs, newer]) await elsewhere.acquire(claim, 2);
    await Promise.all([ledger.release(ours), elsewhere.release(theirs), ledger.release(others)]);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 1), denied(1), 'one is still held');
    await elsewhere.release(newer);
    assert.deepEqual(await ledger.acquire(claimOf('ada', 3), 1), granted(1));
  }),

  betweenProcesses('grants exactly the limit to claims of two processes', async ({ ledger, elsewhere }) => {
    const all = Array.from({ length: 50 }, (_, i) => claimOf('ada', i));
    const answers = await Promise.all(
      all.flatMap((claim, i) => [
        Promise.resolve(ledger.acquire(claim, 20)),
        Promise.resolve(elsewhere.acquire(theirClaim(claim, `far${String(i)}`), 20)),
      ]),
    );
    assert.deepEqual(
      answers.flatMap((answer) => (answer.granted ? [answer.total] : [])).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  }),

  betweenProcesses('gives one slot to a thread that two processes claim together', async ({ ledger, elsewhere }) => {
    const all = Array.from({ length: 20 }, (_, i) => claimOf('ada', i));
    const answers = await Promise.all(
      all.flatMap((claim) => [
        Promise.resolve(ledger.acquire(claim, 20)),
        Promise.resolve(elsewhere.acquire(theirClaim(claim), 20)),
      ]),
    );
    assert.ok(answers.every((answer) => answer.granted));
    assert.deepEqual(await ledger.acquire(claimOf('ada', 'more'), 20), denied(20));
    await Promise.all(
      all.flatMap((claim) => [
        Promise.resolve(elsewhere.release(theirClaim(claim))),
        Promise.resolve(ledger.release(claim)),
      ]),
    );
    assert.deepEqual(await ledger.acquire(claimOf('ada', 'more'), 20), granted(1));
  }),
];
