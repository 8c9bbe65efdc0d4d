import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import { ShardedMap } from '../sharded-map.js';
import { describe } from '../errors.js';

/** How many managers a user may hold: an integer of at least 0, or `Infinity`. May differ between users and change at any time. */
export type LimitOf = (userId: string) => number;

interface LimitsParts {
  readonly events: EventStream;
  /** The configured limit, for users that `limitOf` does not decide for. */
  readonly maxManagersPerUser: number;
  readonly limitOf?: LimitOf | undefined;
}

/** The limit of each user: what the latest connection said, else what the application's function says, else the setting. */
export class UserLimits {
  readonly #parts: LimitsParts;

  /** The limit that the newest connection of each user with a manager came with. */
  readonly #said = new ShardedMap<number>();

  constructor(parts: LimitsParts) {
    this.#parts = parts;
  }

  /**
   * A connection came with this limit for its user: it holds until another connection says otherwise.
   * @returns whether the user may hold more than before
   */
  say(userId: string, limit: unknown): boolean {
    const before = this.of(userId);
    if (!isLimit(limit)) this.#report(userId, describe(limit));
    const used = isLimit(limit) ? limit : this.#parts.maxManagersPerUser;
    this.#said.set(userId, used);
    return used > before;
  }

  /** The user has no manager: nothing is remembered of what connections said. */
  forget(userId: string): void {
    this.#said.delete(userId);
  }

  /** Never throws: a function that throws, or gives no limit, is reported and the configured limit holds. */
  of(userId: string): number {
    const said = this.#said.size > 0 ? this.#said.get(userId) : undefined;
    if (said !== undefined) return said;
    const { limitOf, maxManagersPerUser } = this.#parts;
    if (limitOf === undefined) return maxManagersPerUser;
    try {
      const limit: unknown = limitOf(userId);
      if (isLimit(limit)) return limit;
      // An asynchronous limit is not waited for; its rejection must not end the process.
      if (isPromise(limit)) limit.then(undefined, () => undefined);
      this.#report(userId, describe(limit));
    } catch (error) {
      this.#report(userId, describe(error));
    }
    return maxManagersPerUser;
  }

  #report(userId: string, got: string): void {
    this.#parts.events.emit('limit.rejected', { userId, got, used: this.#parts.maxManagersPerUser });
  }
}

function isLimit(value: unknown): value is number {
  return value === Infinity || (Number.isSafeInteger(value) && Number(value) >= 0);
}
