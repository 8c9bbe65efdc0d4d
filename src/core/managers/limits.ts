import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import { ShardedMap } from '../sharded-map.js';

/** How many managers a user may hold: an integer of at least 0, or `Infinity`. May differ between users and change at any time. */
export type LimitOf = (userId: string) => number;

interface LimitsParts {
  readonly config: Pick<WebSocketConfig, 'maxManagersPerUser'>;
  readonly events: EventStream;
  readonly limitOf: LimitOf | undefined;
}

/** The limit of each user: the one the latest connection came with, else that of `limitOf`, else the setting. */
export class UserLimits {
  readonly #parts: LimitsParts;
  /** The limit that the newest connection of each user with a manager came with. */
  readonly #byUser = new ShardedMap<number>();

  constructor(parts: LimitsParts) {
    this.#parts = parts;
  }

  /**
   * A connection came with this limit for its user: it holds until another connection says otherwise.
   * @returns whether the user may hold more than before
   */
  set(userId: string, limit: unknown): boolean {
    const before = this.of(userId);
    if (!isLimit(limit)) this.#report(userId, describe(limit));
    const used = isLimit(limit) ? limit : this.#parts.config.maxManagersPerUser;
    this.#byUser.set(userId, used);
    return used > before;
  }

  /** To be called with the user's last manager: from now on no connection's limit holds. */
  forget(userId: string): void {
    this.#byUser.delete(userId);
  }

  /** Never throws: if `limitOf` throws, or returns no limit, that is reported and the configured limit holds. */
  of(userId: string): number {
    const own = this.#byUser.size > 0 ? this.#byUser.get(userId) : undefined;
    if (own !== undefined) return own;
    const { limitOf, config } = this.#parts;
    if (limitOf === undefined) return config.maxManagersPerUser;
    try {
      const limit: unknown = limitOf(userId);
      if (isLimit(limit)) return limit;
      // An asynchronous limit is not waited for; its rejection must not end the process.
      if (isPromise(limit)) limit.then(undefined, () => undefined);
      this.#report(userId, describe(limit));
    } catch (error) {
      this.#report(userId, describe(error));
    }
    return config.maxManagersPerUser;
  }

  #report(userId: string, got: string): void {
    this.#parts.events.emit('limit.rejected', { userId, got, used: this.#parts.config.maxManagersPerUser });
  }
}

function isLimit(value: unknown): value is number {
  return value === Infinity || (Number.isSafeInteger(value) && Number(value) >= 0);
}
