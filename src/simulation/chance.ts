import type { Random } from '../core/time.js';

/** Numbers with this distribution: log-normal, but never below `min` or above `max`. */
export interface Spread {
  readonly median: number;
  /** The standard deviation of the logarithm. */
  readonly sigma: number;
  readonly min: number;
  readonly max: number;
}

/** Randomness that can be repeated: everything drawn follows from the seed. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Independent randomness: drawing more here changes nothing there. */
  fork(): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 32));
  }

  /** In [0, 1). Mulberry32. */
  readonly next: Random = () => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  is(probability: number): boolean {
    return this.next() < probability;
  }

  between(min: number, max: number): number {
    return min + (max - min) * this.next();
  }

  /** A whole number, both ends included. */
  integer(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.next() * from.length)];
    if (picked === undefined) throw new RangeError('Nothing to pick from');
    return picked;
  }

  /** How long until something that happens once in `meanMs` on average. */
  waitFor(meanMs: number): number {
    return -Math.log(1 - this.next()) * meanMs;
  }

  /** Log-normal: half are below the median, and `sigma` is the standard deviation of the logarithm. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.next()));
  }

  within({ median, sigma, min, max }: Spread): number {
    return Math.min(max, Math.max(min, this.logNormal(median, sigma)));
  }

  /** Evenly spread over the orders of magnitude between two numbers. */
  logUniform(min: number, max: number): number {
    return Math.exp(this.between(Math.log(min), Math.log(max)));
  }
}
