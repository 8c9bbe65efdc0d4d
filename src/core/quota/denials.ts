import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import type { Clock } from '../time.js';

/** The quota of a user is full. */
interface Denial {
  /** When the ledger said so. */
  readonly answeredAtMs: number;
  /** Since when each process that holds its slots has been heard of, on the clock of this one. */
  readonly heardAtMs: number;
  /** When it is over; `null`: it is. */
  expiry: Expiry<string> | null;
}

/**
 * For how many milliseconds a denial holds. Then the ledger is asked again for the first of those who wait, since nobody
 * tells when another process gives a slot back.
 */
const denialMs = 500;

/** For how many milliseconds a denial is recent enough to refuse a newcomer by it. */
const freshMs = 100;

/** The last answer about each user whose quota is full, counting all processes. */
export class Denials {
  readonly #clock: Clock;
  readonly #byUser = new Map<string, Denial>();
  readonly #expiries: ExpiryQueue<string>;
  readonly #onOver: (userId: string) => void;
  readonly #isAsked: (userId: string) => boolean;

  /**
   * @param onOver called when a denial is over: the ledger may be asked again
   * @param isAsked whether the ledger is being asked for a newcomer of the user
   */
  constructor(clock: Clock, onOver: (userId: string) => void, isAsked: (userId: string) => boolean) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#isAsked = isAsked;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: denialMs,
      onExpired: (userId) => {
        this.end(userId);
      },
    });
  }

  /** @param silentMs for how long the most silent of the processes that hold the slots has not been heard of */
  add(userId: string, silentMs: number): void {
    const answeredAtMs = this.#clock.now();
    this.#byUser.set(userId, {
      answeredAtMs,
      heardAtMs: answeredAtMs - silentMs,
      expiry: this.#expiries.add(userId),
    });
  }

  /** Whether the user's quota was full when the ledger was last asked. While it is being asked again, it still is. */
  has(userId: string): boolean {
    const denial = this.#byUser.size === 0 ? undefined : this.#byUser.get(userId);
    return denial !== undefined && (denial.expiry !== null || this.#isAsked(userId));
  }

  /** Since when each process that holds the user's slots has been heard of; `Infinity` without a denial. */
  heardAtMs(userId: string): number {
    return this.#byUser.get(userId)?.heardAtMs ?? Infinity;
  }

  /** Whether there is one, and the ledger has not just answered. */
  isOld(userId: string): boolean {
    const answeredAtMs = this.#byUser.get(userId)?.answeredAtMs ?? Infinity;
    return this.#clock.now() - answeredAtMs > freshMs;
  }

  /** The ledger may be asked again for whoever waits: that is done within this call. */
  end(userId: string): void {
    const denial = this.#byUser.get(userId);
    if (denial === undefined) return;
    if (denial.expiry !== null) this.#expiries.delete(denial.expiry);
    denial.expiry = null;
    this.#onOver(userId);
    if (this.#byUser.get(userId) === denial && !this.#isAsked(userId)) this.#byUser.delete(userId);
  }

  forget(userId: string): void {
    const expiry = this.#byUser.get(userId)?.expiry ?? null;
    if (expiry !== null) this.#expiries.delete(expiry);
    this.#byUser.delete(userId);
  }

  /** Leaves no timer. */
  clear(): void {
    this.#expiries.clear();
    this.#byUser.clear();
  }
}
