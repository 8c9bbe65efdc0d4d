import type { Clock } from '../core/time.js';
import type { HeldClaim } from './held-claims.js';

/** More than so many, or older, are left to a rotation, which repairs everything. */
const bounds = Object.freeze({ count: 1_000, ageMs: 10_000 });

/** Claims whose last call had no answer: it is not known what Redis has of them. */
export class Repairs {
  readonly #clock: Pick<Clock, 'now'>;
  /** With the time at which they were added, the oldest first. */
  readonly #claims = new Map<HeldClaim, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get areTooMany(): boolean {
    const [oldestMs = Infinity] = this.#claims.values();
    return this.#claims.size > bounds.count || this.#clock.now() - oldestMs > bounds.ageMs;
  }

  /** If there are too many already, a rotation is on its way. */
  add(claim: HeldClaim): void {
    if (this.#claims.size <= bounds.count && !this.#claims.has(claim)) this.#claims.set(claim, this.#clock.now());
  }

  delete(claim: HeldClaim): void {
    this.#claims.delete(claim);
  }

  all(): HeldClaim[] {
    return [...this.#claims.keys()];
  }

  /** Those that this process still has. */
  held(): HeldClaim[] {
    return this.all().filter(({ isReleased }) => !isReleased);
  }

  /** Those that it has given back, unless that is just being said again. */
  released(): HeldClaim[] {
    return this.all().filter(({ isReleased, isBusy }) => isReleased && !isBusy);
  }
}
