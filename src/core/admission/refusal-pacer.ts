import type { CloseCause } from '../vocabulary.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import type { Clock } from '../time.js';

/** Within `windowMs`, the first `atOnce` close frames leave at once, the others `delayMs` later. */
const pace = Object.freeze({ atOnce: 5, windowMs: 10_000, delayMs: 1_000 });

/** How many close frames may wait, and for how many users and addresses refusals are counted. */
const limits = Object.freeze({ waiting: 100, remembered: 10_000 });

/** Refusals are counted by user, or by the client's address if the user is unknown. */
const countedBy: Partial<Record<CloseCause, 'user' | 'address'>> = Object.freeze({
  quota: 'user',
  capacity: 'user',
  contested: 'user',
  unauthenticated: 'address',
  malformed: 'address',
  authentication: 'address',
});

/** A refusal whose close frame is to be sent. */
export interface PacedRefusal {
  readonly closeCause: CloseCause;
  /** The user that was refused; `null` if unknown. */
  readonly userId: string | null;
  /** The client's address, as it is counted. Called only if it is needed. */
  readonly address?: () => string;
  /** Sends the close frame; called once, unless the refusal is cancelled before. */
  readonly send: () => void;
}

interface Delayed {
  readonly send: () => void;
  expiry: Expiry<Delayed> | null;
}

const nothingToCancel = (): void => undefined;

/**
 * Slows down clients that come back at once whenever they are refused: from the sixth refusal within ten seconds on,
 * the close frame leaves a second later. At most 100 wait; for one more, the one that has waited longest leaves.
 */
export class RefusalPacer {
  readonly #clock: Clock;
  /** The times of the last five refusals of each user or address. Sorted by the last refusal, the latest last. */
  readonly #refusedAtMs = new Map<string, number[]>();
  readonly #waiting = new Set<Delayed>();
  readonly #expiries: ExpiryQueue<Delayed>;
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: pace.delayMs,
      onExpired: (delayed) => {
        this.#send(delayed);
      },
    });
  }

  /** Sends the close frame, at once or later. @returns cancels that, if the client goes before */
  tell({ closeCause, userId, address, send }: PacedRefusal): () => void {
    const by = countedBy[closeCause];
    const of = by === 'user' ? userId : by === 'address' ? (address?.() ?? null) : null;
    if (by === undefined || of === null || this.#isOver || !this.#isRefusedOften(`${by} ${of}`)) {
      send();
      return nothingToCancel;
    }
    return this.#delay({ send, expiry: null });
  }

  /** Sends all close frames that wait. From now on they leave at once. */
  flush(): void {
    this.#isOver = true;
    this.#refusedAtMs.clear();
    for (const delayed of this.#expiries.clear()) this.#send(delayed);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  #delay(delayed: Delayed): () => void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined && this.#waiting.size >= limits.waiting) this.#send(oldest);
    this.#waiting.add(delayed);
    delayed.expiry = this.#expiries.add(delayed);
    return () => {
      this.#remove(delayed);
    };
  }

  #send(delayed: Delayed): void {
    if (!this.#remove(delayed)) return;
    try {
      // The socket's own timers must not belong to another request, or to the code that stops the server.
      this.#clock.contexts.outside(delayed.send);
    } catch {
      // The code that refused the client destroys its socket in any case.
    }
  }

  #remove(delayed: Delayed): boolean {
    if (delayed.expiry !== null) this.#expiries.delete(delayed.expiry);
    return this.#waiting.delete(delayed);
  }

  /** Notes one more refusal. @returns whether there have been too many */
  #isRefusedOften(key: string): boolean {
    const now = this.#clock.now();
    const since = now - pace.windowMs;
    const lately = (this.#refusedAtMs.get(key) ?? []).filter((atMs) => atMs > since);
    const isOften = lately.length >= pace.atOnce;
    this.#refusedAtMs.delete(key);
    this.#refusedAtMs.set(key, [...lately.slice(isOften ? 1 : 0), now]);
    this.#forget(since);
    return isOften;
  }

  /** Removes users and addresses whose last refusal is too old, or that are too many. */
  #forget(since: number): void {
    for (const [key, times] of this.#refusedAtMs) {
      const isDue = (times.at(-1) ?? 0) <= since;
      if (!isDue && this.#refusedAtMs.size <= limits.remembered) return;
      this.#refusedAtMs.delete(key);
    }
  }
}
