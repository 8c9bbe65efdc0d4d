import type { Clock } from '../core/time.js';

/**
 * The stamps of this process's claims: Redis's time, as far as it is known, and strictly rising. Between two replies of
 * Redis they follow the clock of this process.
 */
export class Stamps {
  readonly #clock: Pick<Clock, 'now'>;
  /** Redis's time less that of this process. */
  #offsetMs = 0;
  #last = 0;
  #areKnown = false;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Whether Redis has said what time it is. Before, stamps are earlier than those of other processes. */
  get areKnown(): boolean {
    return this.#areKnown;
  }

  /** Redis has just said what time it is. */
  learn(redisNowMs: number): void {
    this.#areKnown = true;
    this.#offsetMs = redisNowMs - this.#clock.now();
  }

  /** A stamp that is later than all before, and than `above`. */
  next(above = 0): number {
    this.#last = Math.max(this.#last + 1, above + 1, Math.floor(this.#clock.now() + this.#offsetMs));
    return this.#last;
  }
}
