import type { Clock } from '../core/time.js';

type StampClock = Pick<Clock, 'now' | 'stalledMs'>;

/** In milliseconds. */
const rules = Object.freeze({
  /** A reply that took longer says too little about the time: this process may have stood still meanwhile. */
  longestRoundTripMs: 300,
  /** If Redis's time has moved by more than this against ours, its clock has leapt. */
  leapMs: 1_000,
  /** A clock that leaps farther back was wrong before. */
  longestLeapMs: 3_600_000,
});

/**
 * The stamps of this process's claims: Redis's time, as far as it is known, and strictly rising. Between two replies of
 * Redis they follow the clock of this process, and count the time in which it stood still: other processes did not.
 *
 * If the clock of Redis leaps back, as after a failover, stamps go on from where they were. Otherwise a claim from before
 * would be newer than all claims of the next minutes.
 */
export class Stamps {
  readonly #clock: StampClock;
  /** Redis's time less that of this process; `null` before Redis has said it. */
  #offsetMs: number | null = null;
  /** By how much stamps are ahead of Redis's time. */
  #aheadMs = 0;
  #last = 0;

  constructor(clock: StampClock) {
    this.#clock = clock;
  }

  /** When it is, on the clock of this process with the time in which it stood still. */
  get nowMs(): number {
    return this.#clock.now() + this.#clock.stalledMs;
  }

  /** Whether Redis has said what time it is. */
  get areKnown(): boolean {
    return this.#offsetMs !== null;
  }

  /** Redis has said what time it is. @param askedAtMs {@link nowMs} when it was asked */
  learn(redisNowMs: number, askedAtMs: number): void {
    const { nowMs } = this;
    const offsetMs = redisNowMs - nowMs;
    if (this.#offsetMs !== null) {
      if (nowMs - askedAtMs > rules.longestRoundTripMs) return;
      const movedMs = offsetMs - this.#offsetMs;
      if (Math.abs(movedMs) > rules.leapMs) this.#aheadMs = Math.max(0, this.#aheadMs - movedMs);
      if (this.#aheadMs > rules.longestLeapMs) this.#aheadMs = 0;
    }
    this.#offsetMs = offsetMs;
  }

  /** A stamp that is later than all before, and than `above`: a stamp of another process, whose time is the better one. */
  next(above = 0): number {
    const now = this.at(this.nowMs);
    if (above > now && above - now < rules.longestLeapMs) this.#aheadMs += above - now;
    this.#last = Math.max(this.#last + 1, above + 1, now);
    return this.#last;
  }

  /** @param atMs as {@link nowMs} was then @returns what Redis's time was */
  at(atMs: number): number {
    return Math.floor(atMs + (this.#offsetMs ?? 0) + this.#aheadMs);
  }
}
