import type { Clock, Timer } from '../time.js';
import type { QuotaClaim } from './quota-ledger.js';

/** When failed releases are tried again, and how many. */
const retries = Object.freeze({ firstMs: 1_000, longestMs: 60_000, atOnce: 500, maxWaiting: 10_000 });

/**
 * What has become of the thread of a claim: `free`: it has no manager; `claimed`: it has one, with a newer claim;
 * `takenOver`: the ledger has granted that one, so that the former is gone.
 */
export type ThreadState = 'free' | 'claimed' | 'takenOver';

interface UnreleasedParts {
  readonly clock: Clock;
  /** Asks the ledger once more; throws or rejects if it fails again. */
  readonly release: (claim: QuotaClaim) => void | PromiseLike<void>;
  readonly stateOf: (claim: QuotaClaim) => ThreadState;
  /** It is not tried any longer. */
  readonly whenLost: (claim: QuotaClaim) => void;
}

/**
 * Claims the ledger would not take back. They are tried again until it does, less and less often while it fails;
 * otherwise each would hold a place of its user for ever.
 *
 * A thread that has a manager again needs its slot, whichever claim the ledger knows it by: nothing of the thread is
 * given back meanwhile.
 */
export class UnreleasedClaims {
  readonly #parts: UnreleasedParts;
  /** In the order in which they are tried. */
  readonly #waiting = new Set<QuotaClaim>();
  /** Those whose answer is awaited. */
  readonly #asked = new Set<QuotaClaim>();
  #delayMs: number = retries.firstMs;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(parts: UnreleasedParts) {
    this.#parts = parts;
  }

  /** Its release has failed. If too many wait, those that were not tried for the longest time are given up. */
  add(claim: QuotaClaim): void {
    if (this.#waiting.size + this.#asked.size === 0) this.#delayMs = retries.firstMs;
    this.#wait(claim);
  }

  /** Asks a last time for each, and leaves no timer. What fails from now on is given up. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const claim of this.#take(this.#waiting.size)) this.#retry(claim);
  }

  #wait(claim: QuotaClaim): void {
    if (this.#isStopped) {
      this.#parts.whenLost(claim);
      return;
    }
    this.#waiting.add(claim);
    while (this.#waiting.size + this.#asked.size > retries.maxWaiting) this.#loseFirst();
    this.#arm();
  }

  #arm(): void {
    if (this.#isStopped || this.#waiting.size === 0) return;
    this.#timer ??= this.#parts.clock.setTimer(this.#retrySome, this.#delayMs);
  }

  readonly #retrySome = (): void => {
    this.#timer = null;
    this.#delayMs = Math.min(2 * this.#delayMs, retries.longestMs);
    for (const claim of this.#take(retries.atOnce)) this.#retry(claim);
    this.#arm();
  };

  #retry(claim: QuotaClaim): void {
    const state = this.#parts.stateOf(claim);
    if (state === 'free') this.#ask(claim);
    else if (state === 'claimed') this.#wait(claim);
  }

  #ask(claim: QuotaClaim): void {
    this.#asked.add(claim);
    try {
      const answer = this.#parts.release(claim);
      if (answer === undefined) this.#released(claim);
      else void this.#await(claim, answer);
    } catch {
      this.#failed(claim);
    }
  }

  async #await(claim: QuotaClaim, answer: PromiseLike<void>): Promise<void> {
    try {
      await answer;
      this.#released(claim);
    } catch {
      this.#failed(claim);
    }
  }

  #released(claim: QuotaClaim): void {
    this.#asked.delete(claim);
    this.#delayMs = retries.firstMs;
  }

  /** One that was given up meanwhile stays so. */
  #failed(claim: QuotaClaim): void {
    if (this.#asked.delete(claim)) this.#wait(claim);
  }

  #loseFirst(): void {
    for (const claims of [this.#waiting, this.#asked])
      for (const claim of claims) {
        claims.delete(claim);
        this.#parts.whenLost(claim);
        return;
      }
  }

  /** Takes out the first so many. */
  #take(count: number): QuotaClaim[] {
    const taken: QuotaClaim[] = [];
    for (const claim of this.#waiting) {
      if (taken.length >= count) break;
      this.#waiting.delete(claim);
      taken.push(claim);
    }
    return taken;
  }
}
