import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerAnswer, QuotaLedger } from '../../src/index.js';

/** A quota ledger that answers when a test says so; until then whoever asks for a slot waits. */
export class SlowLedger implements QuotaLedger {
  readonly #waiting: ((answer: LedgerAnswer) => void)[] = [];

  #isFull = false;

  acquire(): Promise<LedgerAnswer> {
    if (this.#isFull) return Promise.resolve({ granted: false, total: 1 });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    // Nothing is kept.
  }

  /** Resolves once somebody waits. */
  async asked(): Promise<void> {
    while (this.#waiting.length === 0) await sleep(5);
  }

  /** Lets everybody in who waits. */
  grant(): void {
    for (const resolve of this.#waiting.splice(0)) resolve({ granted: true, total: 1 });
  }

  /** Refuses everybody who waits, and who comes from now on. */
  deny(): void {
    this.#isFull = true;
    for (const resolve of this.#waiting.splice(0)) resolve({ granted: false, total: 1 });
  }
}
