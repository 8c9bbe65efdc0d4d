interface RateParts {
  /** How many are allowed within the window. */
  readonly limit: number;
  readonly windowMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The attempts of one key in its window. */
interface Counted {
  readonly endsAtMs: number;
  count: number;
}

/** How many keys are counted in one generation: an attacker with many addresses must not fill the memory. */
const maxKeys = 100_000;

/**
 * Counts attempts by key. The window of a key begins with its first attempt.
 *
 * Why not a library: those for Node read the wall clock, which may go back and lock out all clients meanwhile, and set
 * timers in the async context of a request. Here a new generation of counts replaces the older of two, so that there is
 * neither a timer nor a sweep.
 */
export class RateWindow {
  readonly #parts: RateParts;
  #present = new Map<string, Counted>();
  #past = new Map<string, Counted>();
  #turnedAtMs: number;

  constructor(parts: RateParts) {
    this.#parts = parts;
    this.#turnedAtMs = parts.now();
  }

  /** Counts one attempt. @returns in how many milliseconds to try again, or `null` if this one is within the limit */
  take(key: string): number | null {
    const { limit, windowMs, now: read } = this.#parts;
    const now = read();
    this.#turn(now);
    const counted = this.#of(key, now) ?? this.#begin(key, now + windowMs);
    counted.count += 1;
    return counted.count <= limit ? null : counted.endsAtMs - now;
  }

  #of(key: string, now: number): Counted | null {
    const counted = this.#present.get(key) ?? this.#past.get(key);
    return counted !== undefined && counted.endsAtMs > now ? counted : null;
  }

  #begin(key: string, endsAtMs: number): Counted {
    const counted = { endsAtMs, count: 0 };
    this.#present.set(key, counted);
    return counted;
  }

  /** Drops the older generation: its windows are over. */
  #turn(now: number): void {
    if (now - this.#turnedAtMs < this.#parts.windowMs && this.#present.size < maxKeys) return;
    this.#past = this.#present;
    this.#present = new Map();
    this.#turnedAtMs = now;
  }
}
