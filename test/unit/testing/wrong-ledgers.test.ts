import { describe, expect, it } from 'vitest';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from '../../../src/index.js';
import { quotaLedgerContract, type MakeLedger } from '../../../src/testing/index.js';

interface Slot {
  readonly holder: object;
  readonly claim: QuotaClaim;
}

type Slots = Map<string, Slot>;

/** A ledger that is right, in parts that can each be put in wrong. */
class Ledger implements QuotaLedger {
  constructor(readonly slots: Slots = new Map<string, Slot>()) {}

  acquire(claim: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer> {
    const former = this.slots.get(this.keyOf(claim));
    if (!this.hasRoom(claim, limit, former)) return { granted: false, total: this.totalOf(claim) };
    this.slots.set(this.keyOf(claim), { holder: this, claim });
    return { granted: true, total: this.totalOf(claim) };
  }

  release(claim: QuotaClaim): void | Promise<void> {
    for (const [key, slot] of this.slots) if (this.isOf(slot, claim)) this.slots.delete(key);
  }

  keyOf({ userId, threadId }: QuotaClaim): string {
    return JSON.stringify([userId, threadId]);
  }

  hasRoom(claim: QuotaClaim, limit: number, former: Slot | undefined): boolean {
    return former !== undefined || this.totalOf(claim) < limit;
  }

  isOf({ holder, claim: { claimId, ...slot } }: Slot, claim: QuotaClaim): boolean {
    return holder === this && claimId === claim.claimId && this.keyOf({ claimId, ...slot }) === this.keyOf(claim);
  }

  totalOf({ userId }: QuotaClaim): number {
    return [...this.slots.values()].filter(({ claim }) => claim.userId === userId).length;
  }
}

/** Two processes with one store. */
const shared =
  (Wrong: typeof Ledger): MakeLedger =>
  () => {
    const ledger = new Wrong();
    return { ledger, elsewhere: new Wrong(ledger.slots), dispose };
  };

const dispose = (): void => undefined;

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What is wrong, the ledger, and a case that must find it. */
const wrong: [string, typeof Ledger, string][] = [
  [
    'finds a claim by its id alone',
    class extends Ledger {
      override isOf = ({ claim: { claimId } }: Slot, claim: QuotaClaim) => claimId === claim.claimId;
    },
    'keeps claims of two processes apart that have the same id',
  ],
  [
    'does not keep whose a claim is',
    class extends Ledger {
      override isOf = (slot: Slot, claim: QuotaClaim) =>
        this.keyOf(slot.claim) === this.keyOf(claim) && slot.claim.claimId === claim.claimId;
    },
    'does not let a late release end a claim of another process',
  ],
  [
    'mixes up releases that cross',
    class extends Ledger {
      override isOf = (slot: Slot, claim: QuotaClaim) =>
        slot.claim.userId === claim.userId && slot.claim.claimId === claim.claimId;
    },
    'takes releases that cross on their way',
  ],
  [
    'takes back whatever claim has the slot now',
    class extends Ledger {
      override isOf = (slot: Slot, claim: QuotaClaim) => this.keyOf(slot.claim) === this.keyOf(claim);
    },
    'does not let a late release end a newer claim',
  ],
  [
    'takes back only what it granted itself last',
    class extends Ledger {
      readonly #released = new Set<number>();
      override release(claim: QuotaClaim) {
        if (!this.#released.has(claim.claimId)) void super.release(claim);
        this.#released.add(claim.claimId);
      }
    },
    'gives a slot back that was granted after its release',
  ],
  [
    'denies a takeover at the limit',
    class extends Ledger {
      override hasRoom = (claim: QuotaClaim, limit: number) => this.totalOf(claim) < limit;
    },
    'hands a slot over to the same thread, even at the limit',
  ],
  [
    'denies a takeover above a limit that was lowered',
    class extends Ledger {
      override hasRoom = (claim: QuotaClaim, limit: number, former: Slot | undefined) =>
        this.totalOf(claim) - (former === undefined ? 0 : 1) < limit;
    },
    'hands a slot over above a limit that was lowered',
  ],
  [
    "denies a takeover of another process's slot",
    class extends Ledger {
      override hasRoom = (claim: QuotaClaim, limit: number, former: Slot | undefined) =>
        former?.holder === this || this.totalOf(claim) < limit;
    },
    'hands a slot over to the same thread of another process',
  ],
  [
    'evicts down to a limit that was lowered',
    class extends Ledger {
      override acquire(claim: QuotaClaim, limit: number) {
        for (const [key, slot] of this.slots)
          if (this.totalOf(claim) > limit && slot.claim.userId === claim.userId) this.slots.delete(key);
        return super.acquire(claim, limit);
      }
    },
    'goes by the limit of each claim',
  ],
  [
    'lets each process have the whole quota',
    class extends Ledger {
      override totalOf = ({ userId }: QuotaClaim) =>
        [...this.slots.values()].filter(({ holder, claim }) => holder === this && claim.userId === userId).length;
    },
    'counts what other processes hold',
  ],
  [
    'gives each process a slot for the same thread',
    class extends Ledger {
      readonly #here = String(Math.random());
      override keyOf = (claim: QuotaClaim) => JSON.stringify([claim.userId, claim.threadId, this.#here]);
    },
    'gives one slot to a thread that two processes claim together',
  ],
  [
    'joins user and thread by a colon',
    class extends Ledger {
      override keyOf = ({ userId, threadId }: QuotaClaim) => `${userId.toLowerCase()}:${threadId}`;
    },
    'keeps users apart, whatever their ids',
  ],
  [
    'forgets the case of threads',
    class extends Ledger {
      override keyOf = ({ userId, threadId }: QuotaClaim) => JSON.stringify([userId, threadId.toLowerCase()]);
    },
    'keeps threads apart, whatever their ids',
  ],
  [
    'counts before it waits, and takes after',
    class extends Ledger {
      override async acquire(claim: QuotaClaim, limit: number) {
        const former = this.slots.get(this.keyOf(claim));
        const hasRoom = this.hasRoom(claim, limit, former);
        await later();
        return hasRoom ? super.acquire(claim, Infinity) : { granted: false as const, total: this.totalOf(claim) };
      }
    },
    'grants exactly the limit to claims that come together',
  ],
  [
    'shuts out only its own process while it counts',
    class extends Ledger {
      #last: Promise<unknown> = Promise.resolve();
      override acquire(claim: QuotaClaim, limit: number): Promise<LedgerAnswer> {
        const answer = this.#last.then(async () => {
          const hasRoom = this.hasRoom(claim, limit, this.slots.get(this.keyOf(claim)));
          await later();
          return super.acquire(claim, hasRoom ? Infinity : 0);
        });
        this.#last = answer;
        return answer;
      }
    },
    'grants exactly the limit to claims of two processes',
  ],
  [
    'keeps the limit of the first claim',
    class extends Ledger {
      #limit: number | undefined;
      override acquire = (claim: QuotaClaim, limit: number) => super.acquire(claim, (this.#limit ??= limit));
    },
    'goes by the limit of each claim',
  ],
  [
    'never takes anything back',
    class extends Ledger {
      override release() {}
    },
    'grants a slot that was given back',
  ],
  [
    'loses every other release',
    class extends Ledger {
      #count = 0;
      override release = (claim: QuotaClaim) => ((this.#count += 1) % 7 === 0 ? undefined : super.release(claim));
    },
    'loses no slot when claims and releases come together',
  ],
  [
    'keeps a place for whom it denied',
    class extends Ledger {
      override acquire(claim: QuotaClaim, limit: number) {
        const answer = super.acquire(claim, limit) as LedgerAnswer;
        if (!answer.granted) this.slots.set(this.keyOf(claim), { holder: this, claim });
        return answer;
      }
    },
    'grants up to the limit, and says how many there are',
  ],
  [
    'throws where there is nothing to give back',
    class extends Ledger {
      override release(claim: QuotaClaim) {
        if (!this.slots.has(this.keyOf(claim))) throw new Error('not found');
        return super.release(claim);
      }
    },
    'lets a slot be given back twice, or without having been granted',
  ],
];

/** The cases a ledger fails, those that were skipped apart. */
async function failures(make: MakeLedger, skipped: string[] = []): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of quotaLedgerContract) {
    try {
      await run(make, (reason) => skipped.push(reason));
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

describe('the contract of ledgers', () => {
  it('lets one pass that is right', async () => {
    expect(await failures(shared(Ledger))).toEqual([]);
  });

  it.each(wrong)('rejects one that %s', async (_, Wrong, expected) => {
    expect(await failures(shared(Wrong))).toContain(expected);
  });

  it('rejects one whose two processes share nothing', async () => {
    const make = () => ({ ledger: new Ledger(), elsewhere: new Ledger(), dispose });
    expect(await failures(make)).toContain('counts what other processes hold');
  });

  it('has a wrong ledger for each of its cases', () => {
    const found = new Set(wrong.map(([, , expected]) => expected));
    expect(quotaLedgerContract.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
  });

  it('skips what needs a second process where there is none, and says so', async () => {
    const make = () => ({ ledger: new Ledger(), dispose });
    const skipped: string[] = [];
    expect(await failures(make, skipped)).toEqual([]);
    expect(skipped).toHaveLength(7);
    expect(skipped[0]).toMatch(/no `elsewhere`/);
  });

  it('passes nothing unchecked where the runner cannot skip', async () => {
    const make = () => ({ ledger: new Ledger(), dispose });
    const needy = quotaLedgerContract.find(({ name }) => name === 'counts what other processes hold');
    await expect(needy?.run(make)).rejects.toThrow(/^Not checked: .*no `elsewhere`/);
  });
});
