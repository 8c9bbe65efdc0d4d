import type { Clock, Timer } from '../time.js';
import type { QuotaClaim } from './quota-ledger.js';

/** When failed releases are tried again, in milliseconds, how many at a time, and how many may wait. */
const retries = Object.freeze({ firstMs: 1_000, longestMs: 60_000, atOnce: 500, maxWaiting: 10_000 });

/**
 * The thread of an old claim now: `free`: it has no manager; `claimed`: it has one, with a newer claim; `takenOver`: the
 * ledger has granted that newer claim, so that the old one is gone.
 */
export type ThreadState = 'free' | 'claimed' | 'takenOver';

interface UnreleasedParts {
  readonly clock: Clock;
  /** Gives the claim back to the ledger; throws or rejects if that fails again. */
  readonly release: (claim: QuotaClaim) => void | PromiseLike<void>;
  readonly stateOf: (claim: QuotaClaim) => ThreadState;
  /** Called with a claim that is given up. */
  readonly onLost: (claim: QuotaClaim) => void;
}

/**
 * Claims that the ledger did not take back: its `release` has thrown or rejected. An application's own ledger may do so.
 * The ledger on Redis never does, since it repairs by itself. Each claim is tried again until the ledger takes it back,
 * less and less often while that fails. Otherwise it would take a slot of its user for ever.
 *
 * If the thread of a claim has a manager again, that manager needs the slot: the claim is not given back meanwhile.
 */
export class UnreleasedClaims {
  readonly #parts: UnreleasedParts;
  /** In the order in which they are tried. */
  readonly #waiting = new Set<QuotaClaim>();
  /** Those that the ledger is taking back. */
  readonly #releasing = new Set<QuotaClaim>();
  #delayMs: number = retries.firstMs;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(parts: UnreleasedParts) {
    this.#parts = parts;
  }

  /** Adds a claim whose release has failed. If too many wait, those that were tried the longest time ago are given up. */
  add(claim: QuotaClaim): void {
    if (this.#waiting.size + this.#releasing.size === 0) this.#delayMs = retries.firstMs;
    this.#wait(claim);
  }

  /** Tries each a last time, and leaves no timer. What fails from now on is given up. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = null;
    for (const claim of this.#take(this.#waiting.size)) this.#retry(claim);
  }

  #wait(claim: QuotaClaim): void {
    if (this.#isStopped) {
      this.#parts.onLost(claim);
      return;
    }
    this.#waiting.add(claim);
    while (this.#waiting.size + this.#releasing.size > retries.maxWaiting) this.#loseFirst();
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
    if (state === 'free') this.#release(claim);
    else if (state === 'claimed') this.#wait(claim);
  }

  #release(claim: QuotaClaim): void {
    this.#releasing.add(claim);
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
    this.#releasing.delete(claim);
    this.#delayMs = retries.firstMs;
  }

  /** Does nothing with a claim that was given up meanwhile. */
  #failed(claim: QuotaClaim): void {
    if (this.#releasing.delete(claim)) this.#wait(claim);
  }

  #loseFirst(): void {
    for (const claims of [this.#waiting, this.#releasing])
      for (const claim of claims) {
        claims.delete(claim);
        this.#parts.onLost(claim);
        return;
      }
  }

  /** Removes the first `count` claims that wait. */
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
