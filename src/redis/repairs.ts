import type { Clock } from '../core/time.js';
import type { HeldClaim } from './held-claims.js';

/** More than so many, or older, are left to a rotation, which repairs everything. */
const bounds = Object.freeze({ count: 1_000, ageMs: 10_000 });

interface Repair {
  readonly addedAtMs: number;
  /** How often the claim was added. */
  readonly times: number;
}

/** Claims whose last call had no answer: it is not known what Redis has of them. */
export class Repairs {
  readonly #clock: Pick<Clock, 'now'>;
  /** Those that were added first come first. */
  readonly #claims = new Map<HeldClaim, Repair>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get areTooMany(): boolean {
    const [oldest] = this.#claims.values();
    const ageMs = this.#clock.now() - (oldest?.addedAtMs ?? Infinity);
    return this.#claims.size > bounds.count || ageMs > bounds.ageMs;
  }

  /** If there are too many already, a rotation is on its way. */
  add(claim: HeldClaim): void {
    const { addedAtMs = this.#clock.now(), times = 0 } = this.#claims.get(claim) ?? {};
    if (times > 0 || this.#claims.size <= bounds.count) this.#claims.set(claim, { addedAtMs, times: times + 1 });
  }

  delete(claim: HeldClaim): void {
    this.#claims.delete(claim);
  }

  /** What {@link deleteUnchanged} needs. */
  entries(): ReadonlyMap<HeldClaim, unknown> {
    return new Map(this.#claims);
  }

  /** Those that were there before, and were not added once more since. */
  deleteUnchanged(before: ReadonlyMap<HeldClaim, unknown>): void {
    for (const [claim, repair] of before) if (this.#claims.get(claim) === repair) this.#claims.delete(claim);
  }

  /** Those that this process still has. */
  held(): HeldClaim[] {
    return [...this.#claims.keys()].filter(({ isReleased }) => !isReleased);
  }

  /** Those that it has given back, unless that is just being said again. */
  released(): HeldClaim[] {
    return [...this.#claims.keys()].filter(({ isReleased, isBusy }) => isReleased && !isBusy);
  }
}
