import type { LedgerAnswer, QuotaLedger } from '../../src/index.js';

/** A quota ledger that answers when a test says so; until then whoever asks for a slot waits. */
export class SlowLedger implements QuotaLedger {
  readonly #waiting: ((answer: LedgerAnswer) => void)[] = [];

  acquire(): Promise<LedgerAnswer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    // Nothing is kept.
  }

  /** Lets everybody in who waits. */
  grant(): void {
    for (const resolve of this.#waiting.splice(0)) resolve({ granted: true, total: 1 });
  }

  /** Refuses everybody who waits. */
  deny(): void {
    for (const resolve of this.#waiting.splice(0)) resolve({ granted: false, total: 1 });
  }
}
