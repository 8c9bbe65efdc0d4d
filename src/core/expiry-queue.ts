import type { Clock, Timer } from './time.js';

interface ExpiryOptions<T> {
  readonly clock: Clock;
  /** Every item gets this long. */
  readonly timeoutMs: number;
  readonly onExpired: (item: T) => void;
}

/**
 * Items that expire unless they are deleted, all after the same time: so they expire in the order they were added,
 * and one timer for the first of them serves all.
 */
export class ExpiryQueue<T> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onExpired: (item: T) => void;
  readonly #dueAtMs = new Map<T, number>();
  #timer: Timer | null = null;

  constructor({ clock, timeoutMs, onExpired }: ExpiryOptions<T>) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  get size(): number {
    return this.#dueAtMs.size;
  }

  /** Adding an item again gives it its whole time again. */
  add(item: T): void {
    this.#dueAtMs.delete(item);
    this.#dueAtMs.set(item, this.#clock.now() + this.#timeoutMs);
    this.#timer ??= this.#clock.setTimer(this.#expire, this.#timeoutMs);
  }

  /** Whether it was there. The timer stays, finds nothing due and looks for the next. */
  delete(item: T): boolean {
    return this.#dueAtMs.delete(item);
  }

  /** Takes everything out without expiring it, and leaves no timer. */
  clear(): T[] {
    const items = [...this.#dueAtMs.keys()];
    this.#dueAtMs.clear();
    this.#timer?.cancel();
    this.#timer = null;
    return items;
  }

  readonly #expire = (): void => {
    this.#timer = null;
    const now = this.#clock.now();
    for (const [item, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > now + 1) break;
      this.#dueAtMs.delete(item);
      this.#onExpired(item);
    }
    const next = this.#dueAtMs.values().next();
    if (next.done !== true) this.#timer ??= this.#clock.setTimer(this.#expire, Math.max(0, next.value - now));
  };
}
