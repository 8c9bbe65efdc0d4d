import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import type { Clock } from '../time.js';

/** The ledger said that the quota of a user is full. */
interface Denial {
  /** When it said so. */
  readonly answeredAtMs: number;
  /**
   * The processes that hold the user's slots each say now and then that they are alive. This is when the one that has been
   * silent for the longest time last did, on the clock of this process.
   */
  readonly oldestBeatAtMs: number;
  /** The timer after which the ledger may be asked again; `null` once it may. */
  expiry: Expiry<string> | null;
}

/**
 * For how many milliseconds a denial holds. Then the ledger is asked again, for the first newcomer in line: this process is
 * not told when another process gives a slot back.
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

  /** @param silentMs how long ago the most silent of the processes that hold the slots last said that it is alive */
  add(userId: string, silentMs: number): void {
    const answeredAtMs = this.#clock.now();
    this.#byUser.set(userId, {
      answeredAtMs,
      oldestBeatAtMs: answeredAtMs - silentMs,
      expiry: this.#expiries.add(userId),
    });
  }

  /** Whether the user's quota was full when the ledger was last asked. While it is being asked again, it still is. */
  has(userId: string): boolean {
    const denial = this.#byUser.size === 0 ? undefined : this.#byUser.get(userId);
    return denial !== undefined && (denial.expiry !== null || this.#isAsked(userId));
  }

  /**
   * When the most silent of the processes that hold the user's slots last said that it is alive; `Infinity` without a
   * denial. If that is before a newcomer came, the process may be dead, and its slots may be free soon.
   */
  oldestBeatAtMs(userId: string): number {
    return this.#byUser.get(userId)?.oldestBeatAtMs ?? Infinity;
  }

  /** Whether there is one, and the ledger has not just answered. */
  isOld(userId: string): boolean {
    const answeredAtMs = this.#byUser.get(userId)?.answeredAtMs ?? Infinity;
    return this.#clock.now() - answeredAtMs > freshMs;
  }

  /** Ends the user's denial. The ledger is asked again within this call, if a newcomer waits. */
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
