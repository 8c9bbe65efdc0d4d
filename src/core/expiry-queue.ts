import type { Clock, Timer } from './time.js';

interface ExpiryOptions<T> {
  readonly clock: Clock;
  /** Every item gets this long. */
  readonly timeoutMs: number;
  readonly onExpired: (item: T) => void;
}

/** An item's place in its queue, by which it can be removed. */
export class Expiry<T> {
  /** @internal */ earlier: Expiry<T> | null = null;
  /** @internal */ later: Expiry<T> | null = null;
  /** @internal */ isQueued = true;

  /** @internal */
  constructor(
    readonly item: T,
    /** @internal */ readonly dueAtMs: number,
  ) {}
}

/**
 * Items that expire after the same time unless they are removed. They expire in the order in which they were added, so
 * one timer serves all.
 *
 * Why not a `Map`: at some hundred thousand entries one `set` copies them all, and every connection waits for that.
 */
export class ExpiryQueue<T> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onExpired: (item: T) => void;
  #first: Expiry<T> | null = null;
  #last: Expiry<T> | null = null;
  #timer: Timer | null = null;
  #size = 0;

  constructor({ clock, timeoutMs, onExpired }: ExpiryOptions<T>) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  get isEmpty(): boolean {
    return this.#first === null;
  }

  get size(): number {
    return this.#size;
  }

  /** The item that was added first, or `null` if there is none. */
  get oldest(): T | null {
    return this.#first?.item ?? null;
  }

  /**
   * @param nowMs for a caller that has just read the clock
   * @returns what to {@link delete} it by
   */
  add(item: T, nowMs = this.#clock.now()): Expiry<T> {
    const expiry = new Expiry(item, nowMs + this.#timeoutMs);
    expiry.earlier = this.#last;
    if (this.#last === null) this.#first = expiry;
    else this.#last.later = expiry;
    this.#last = expiry;
    this.#size += 1;
    this.#timer ??= this.#clock.setTimer(this.#expire, this.#timeoutMs);
    return expiry;
  }

  /** @returns whether the item was still there */
  delete(expiry: Expiry<T>): boolean {
    if (!expiry.isQueued) return false;
    expiry.isQueued = false;
    this.#size -= 1;
    const { earlier, later } = expiry;
    if (earlier === null) this.#first = later;
    else earlier.later = later;
    if (later === null) this.#last = earlier;
    else later.earlier = earlier;
    // A removed item must not keep others in memory.
    expiry.earlier = null;
    expiry.later = null;
    return true;
  }

  /** Removes all items without expiring them, and leaves no timer. @returns the items */
  clear(): T[] {
    const items: T[] = [];
    for (let first = this.#first; first !== null; first = this.#first) {
      this.delete(first);
      items.push(first.item);
    }
    this.#timer?.cancel();
    this.#timer = null;
    return items;
  }

  readonly #expire = (): void => {
    this.#timer = null;
    const now = this.#clock.now();
    for (let first = this.#first; first !== null && first.dueAtMs <= now + 1; first = this.#first) {
      this.delete(first);
      this.#onExpired(first.item);
    }
    if (this.#first !== null)
      this.#timer ??= this.#clock.setTimer(this.#expire, Math.max(0, this.#first.dueAtMs - now));
  };
}
