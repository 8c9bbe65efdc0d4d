import { MemoryLedger, type LedgerAnswer, type QuotaClaim, type QuotaLedger } from '../core/quota/quota-ledger.js';
import type { Chance } from './chance.js';
import type { WorldTime } from './world-time.js';

/** What state a ledger is in. A dead one answers nothing until it recovers. */
export const ledgerMoods = ['well', 'slow', 'failing', 'throwing', 'dead'] as const;
export type LedgerMood = (typeof ledgerMoods)[number];

/** How long an answer takes on average. */
const meanMs = { well: 2, slow: 3_000 } as const;

/** A remote ledger that can be slow, fail, answer nothing, and recover. */
export class OutageLedger implements QuotaLedger {
  readonly #counts = new MemoryLedger();
  readonly #time: WorldTime;
  readonly #chance: Chance;
  /** Settles the requests that came while it was dead. */
  readonly #unanswered: (() => void)[] = [];
  #mood: LedgerMood = 'well';

  constructor(time: WorldTime, chance: Chance) {
    this.#time = time;
    this.#chance = chance;
  }

  /** How many slots it counts as in use. */
  get size(): number {
    return this.#counts.size;
  }

  /** A ledger that recovers answers what it was asked. */
  setMood(mood: LedgerMood): void {
    this.#mood = mood;
    if (mood !== 'dead') for (const answer of this.#unanswered.splice(0)) answer();
  }

  acquire(claim: QuotaClaim, limit: number): Promise<LedgerAnswer> {
    return this.#ask(() => this.#counts.acquire(claim, limit));
  }

  release(claim: QuotaClaim): Promise<void> {
    return this.#ask(() => this.#counts.release(claim));
  }

  #ask<T>(answer: () => T): Promise<T> {
    if (this.#mood === 'throwing') throw new Error('the ledger throws');
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (this.#mood === 'failing') reject(new Error('the ledger fails'));
        else resolve(answer());
      };
      if (this.#mood === 'dead') this.#unanswered.push(settle);
      else this.#time.schedule(this.#chance.waitFor(this.#mood === 'slow' ? meanMs.slow : meanMs.well), settle);
    });
  }
}
