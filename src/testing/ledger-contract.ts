import assert from 'node:assert/strict';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from '../core/quota/quota-ledger.js';
import { contractCase, type ContractCase, type Disposable } from './contract.js';

/** A ledger that several processes share. */
interface TwoProcesses {
  readonly ledger: QuotaLedger;
  readonly elsewhere: QuotaLedger;
}

/** An empty ledger. */
export interface LedgerFixture extends Disposable {
  readonly ledger: QuotaLedger;
  /**
   * The same slots as another process sees them, if several processes can share the ledger. It must be an instance of
   * its own, since claims of two processes may have the same id. Without it, the cases that need it are skipped.
   */
  readonly elsewhere?: QuotaLedger;
}

/** Makes an empty ledger. */
export type MakeLedger = () => LedgerFixture | Promise<LedgerFixture>;

let claims = 0;

const claimOf = (userId: string, thread: number | string): QuotaClaim => ({
  userId,
  threadId: `thread_${String(thread)}`,
  claimId: (claims += 1),
});

const claimsOf = (count: number): QuotaClaim[] => Array.from({ length: count }, (_, i) => claimOf('ada', i));

/** A claim of another process that happens to have the same id. @param thread @default the same thread */
const theirClaim = (ours: QuotaClaim, thread?: number | string): QuotaClaim => ({
  ...ours,
  threadId: thread === undefined ? ours.threadId : `thread_${String(thread)}`,
});

const ledgerCase = contractCase<LedgerFixture>;

/** A case with two processes. It is skipped if the ledger is for one. */
const betweenProcesses = (name: string, check: (fixture: TwoProcesses) => Promise<void>): ContractCase<MakeLedger> =>
  ledgerCase(name, async ({ ledger, elsewhere }: LedgerFixture, skip) => {
    if (elsewhere === undefined) skip('the fixture has no `elsewhere`, the same slots as another process sees them');
    else await check({ ledger, elsewhere });
  });

const granted = (total: number): LedgerAnswer => ({ granted: true, total });
const denied = (total: number): LedgerAnswer => ({ granted: false, total });

const acquireAll = (ledger: QuotaLedger, all: readonly QuotaClaim[], limit: number): Promise<LedgerAnswer[]> =>
  Promise.all(all.map((claim) => Promise.resolve(ledger.acquire(claim, limit))));

/** What every ledger says; some say more. */
function plain(answer: LedgerAnswer): LedgerAnswer {
  const { granted: isGranted } = answer;
  return isGranted === true || isGranted === false
    ? ({ granted: isGranted, total: answer.total } as LedgerAnswer)
    : answer;
}

/** Exactly `count` claims were granted, each with another total. */
function assertGranted(answers: readonly LedgerAnswer[], count: number): void {
  const totals = answers.flatMap((answer) => (answer.granted === true ? [answer.total ?? 0] : []));
  assert.deepEqual(
    totals.sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i + 1),
  );
}

/** Ids that a careless key would confuse, or fail on. */
const strangeIds = ['a', 'a:b', 'a%3Ab', 'A', 'ä', '界', '__proto__', 'constructor', ' ', '{a}', '*', 'x'.repeat(256)];

/**
 * What Mooring needs of a {@link QuotaLedger}. All cases use the same ids: if a ledger keeps its slots between runs,
 * `make` must empty it.
 *
 * @example
 * for (const { name, run } of quotaLedgerContract) it(name, ({ skip }) => run(make, skip));
 */
export const quotaLedgerContract: readonly ContractCase<MakeLedger>[] = [
  ledgerCase('grants up to the limit, and says how many there are', async ({ ledger }) => {
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 1), 2)), granted(1));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 2)), granted(2));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 2)), denied(2));
    assert.deepEqual(
      plain(await ledger.acquire(claimOf('ada', 3), 2)),
      denied(2),
      'a denied claim leaves nothing behind',
    );
  }),

  ledgerCase('grants a slot that was given back', async ({ ledger }) => {
    const first = claimOf('ada', 1);
    await ledger.acquire(first, 1);
    await ledger.release(first);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(1));
  }),

  ledgerCase('hands a slot over to the same thread, even at the limit', async ({ ledger }) => {
    await ledger.acquire(claimOf('ada', 1), 2);
    await ledger.acquire(claimOf('ada', 2), 2);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 1), 2)), granted(2));
  }),

  ledgerCase('does not let a late release end a newer claim', async ({ ledger }) => {
    const former = claimOf('ada', 1);
    const newer = claimOf('ada', 1);
    await ledger.acquire(former, 1);
    await ledger.acquire(newer, 1);
    await ledger.release(former);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), denied(1));
    await ledger.release(newer);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(1));
  }),

  ledgerCase('lets a slot be given back twice, or without having been granted', async ({ ledger }) => {
    const mine = claimOf('ada', 1);
    await ledger.release(claimOf('ada', 2));
    await ledger.acquire(mine, 2);
    await ledger.release(mine);
    await ledger.release(mine);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 2)), granted(1));
  }),

  ledgerCase('gives a slot back that was granted after its release', async ({ ledger }) => {
    const late = claimOf('ada', 1); // as when the question was under way while the newcomer gave up
    await ledger.release(late);
    await ledger.acquire(late, 1);
    await ledger.release(late);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(1));
  }),

  ledgerCase('goes by the limit of each claim', async ({ ledger }) => {
    await ledger.acquire(claimOf('ada', 1), 3);
    await ledger.acquire(claimOf('ada', 2), 3);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 1)), denied(2));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 3)), granted(3));
  }),

  ledgerCase('hands a slot over above a limit that was lowered', async ({ ledger }) => {
    for (const thread of [1, 2, 3]) await ledger.acquire(claimOf('ada', thread), 3);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(3));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 4), 3)), denied(3), 'three are still there');
  }),

  ledgerCase('keeps users apart, whatever their ids', async ({ ledger }) => {
    for (const userId of strangeIds)
      assert.deepEqual(plain(await ledger.acquire(claimOf(userId, 1), 1)), granted(1), userId);
    for (const userId of strangeIds)
      assert.deepEqual(plain(await ledger.acquire(claimOf(userId, 2), 1)), denied(1), userId);
  }),

  ledgerCase('keeps threads apart, whatever their ids', async ({ ledger }) => {
    for (const [i, id] of strangeIds.entries())
      assert.deepEqual(plain(await ledger.acquire(claimOf('ada', id), strangeIds.length)), granted(i + 1), id);
  }),

  ledgerCase('grants exactly the limit to claims that come together', async ({ ledger }) => {
    assertGranted(await acquireAll(ledger, claimsOf(100), 20), 20);
  }),

  ledgerCase('loses no slot when claims and releases come together', async ({ ledger }) => {
    for (let round = 0; round < 5; round++) {
      const all = claimsOf(20);
      await acquireAll(ledger, all, 20);
      await Promise.all(all.map((claim) => Promise.resolve(ledger.release(claim))));
    }
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 1), 20)), granted(1));
  }),

  betweenProcesses('counts what other processes hold', async ({ ledger, elsewhere }) => {
    const theirs = claimOf('ada', 1);
    assert.deepEqual(plain(await elsewhere.acquire(theirs, 1)), granted(1));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), denied(1));
    await elsewhere.release(theirs);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(1));
  }),

  betweenProcesses('hands a slot over to the same thread of another process', async ({ ledger, elsewhere }) => {
    await elsewhere.acquire(claimOf('ada', 1), 1);
    const moved = claimOf('ada', 1);
    assert.deepEqual(plain(await ledger.acquire(moved, 1)), granted(1));
    ledger.opened?.(moved);
    assert.deepEqual(plain(await elsewhere.acquire(claimOf('ada', 1), 1)), granted(1), 'and back');
  }),

  betweenProcesses('keeps claims of two processes apart that have the same id', async ({ ledger, elsewhere }) => {
    const ours = claimOf('ada', 1);
    const theirs = theirClaim(ours, 2);
    assert.deepEqual(plain(await ledger.acquire(ours, 2)), granted(1));
    assert.deepEqual(plain(await elsewhere.acquire(theirs, 2)), granted(2));
    await elsewhere.release(theirs);
    assert.deepEqual(plain(await elsewhere.acquire(claimOf('ada', 3), 1)), denied(1), 'their release ended ours');
    await ledger.release(ours);
    assert.deepEqual(plain(await elsewhere.acquire(claimOf('ada', 3), 1)), granted(1), 'ours could not be given back');
  }),

  betweenProcesses('does not let a late release end a claim of another process', async ({ ledger, elsewhere }) => {
    const ours = claimOf('ada', 1);
    const theirs = theirClaim(ours);
    await ledger.acquire(ours, 1);
    await elsewhere.acquire(theirs, 1);
    await ledger.release(ours);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), denied(1));
    await elsewhere.release(theirs);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 2), 1)), granted(1));
  }),

  betweenProcesses('takes releases that cross on their way', async ({ ledger, elsewhere }) => {
    const ours = claimOf('ada', 1);
    const others = claimOf('ada', 2);
    const theirs = theirClaim(ours, 2);
    const newer = theirClaim(others, 1);
    for (const claim of [ours, others]) await ledger.acquire(claim, 2);
    for (const claim of [theirs, newer]) await elsewhere.acquire(claim, 2);
    await Promise.all([ledger.release(ours), elsewhere.release(theirs), ledger.release(others)]);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 1)), denied(1), 'one is still held');
    await elsewhere.release(newer);
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 3), 1)), granted(1));
  }),

  betweenProcesses('grants exactly the limit to claims of two processes', async ({ ledger, elsewhere }) => {
    const all = claimsOf(50);
    const answers = await Promise.all(
      all.flatMap((claim, i) => [
        Promise.resolve(ledger.acquire(claim, 20)),
        Promise.resolve(elsewhere.acquire(theirClaim(claim, `far${String(i)}`), 20)),
      ]),
    );
    assertGranted(answers, 20);
  }),

  betweenProcesses('gives one slot to a thread that two processes claim together', async ({ ledger, elsewhere }) => {
    const all = claimsOf(20);
    const answers = await Promise.all(
      all.flatMap((claim) => [
        Promise.resolve(ledger.acquire(claim, 20)),
        Promise.resolve(elsewhere.acquire(theirClaim(claim), 20)),
      ]),
    );
    assert.ok(answers.every((answer) => answer.granted));
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 'more'), 20)), denied(20));
    await Promise.all(
      all.flatMap((claim) => [
        Promise.resolve(elsewhere.release(theirClaim(claim))),
        Promise.resolve(ledger.release(claim)),
      ]),
    );
    assert.deepEqual(plain(await ledger.acquire(claimOf('ada', 'more'), 20)), granted(1));
  }),
];
