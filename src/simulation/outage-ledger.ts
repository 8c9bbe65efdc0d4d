import { MemoryLedger, type LedgerAnswer, type QuotaClaim, type QuotaLedger } from '../core/quota/quota-ledger.js';
import type { Chance } from './chance.js';
import type { WorldTime } from './world-time.js';

/** How a ledger fares. */
export type LedgerMood = 'well' | 'slow' | 'failing' | 'throwing' | 'dead';

const usualMs = { well: 2, slow: 3_000 } as const;

/** A ledger elsewhere: it takes its time, fails, does not answer at all, and recovers. */
export class OutageLedger implements QuotaLedger {
  readonly #counts = new MemoryLedger();
  readonly #time: WorldTime;
  readonly #chance: Chance;
  /** What was asked while it was dead. */
  readonly #unanswered: (() => void)[] = [];
  #mood: LedgerMood = 'well';

  constructor(time: WorldTime, chance: Chance) {
    this.#time = time;
    this.#chance = chance;
  }

  /** Slots it takes to be in use. */
  get size(): number {
    return this.#counts.size;
  }

  /** One that recovers answers what it was asked. */
  setMood(mood: LedgerMood): void {
    this.#mood = mood;
    if (mood !== 'dead') for (const answer of this.#unanswered.splice(0)) answer();
  }

  acquire(claim: QuotaClaim, limit: number): Promise<LedgerAnswer> {
    return this.#ask(() => this.#counts.acquire(claim, limit));
  }

  release(claim: QuotaClaim): Promise<void> {
    return this.#ask(() => {
      this.#counts.release(claim);
    });
  }

  #ask<T>(answer: () => T): Promise<T> {
    if (this.#mood === 'throwing') throw new Error('the ledger throws');
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (this.#mood === 'failing') reject(new Error('the ledger fails'));
        else resolve(answer());
      };
      if (this.#mood === 'dead') this.#unanswered.push(settle);
      else this.#time.schedule(this.#chance.waitFor(this.#mood === 'slow' ? usualMs.slow : usualMs.well), settle);
    });
  }
}
