import { describe, type EventStream } from '../events.js';
import { isPromise } from '../promises.js';

/** How many managers a user may hold: an integer of at least 0. May differ between users and change at any time. */
export type LimitOf = (userId: string) => number;

interface LimitsOptions {
  readonly events: EventStream;
  /** The configured limit, for everybody `limitOf` does not decide for. */
  readonly maxManagersPerUser: number;
  readonly limitOf?: LimitOf | undefined;
}

/** The limit of each user, whatever the application's function does. */
export class UserLimits {
  readonly #options: LimitsOptions;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** Never throws: a function that throws, or gives no limit, is reported and the configured limit holds. */
  of(userId: string): number {
    const { limitOf, maxManagersPerUser } = this.#options;
    if (limitOf === undefined) return maxManagersPerUser;
    try {
      const limit: unknown = limitOf(userId);
      if (isLimit(limit)) return limit;
      // Nobody waits for an asynchronous one; what becomes of it is not to end the process.
      if (isPromise(limit)) limit.then(undefined, () => undefined);
      this.#report(userId, describe(limit));
    } catch (error) {
      this.#report(userId, describe(error));
    }
    return maxManagersPerUser;
  }

  #report(userId: string, got: string): void {
    this.#options.events.emit('limit.rejected', { userId, got, used: this.#options.maxManagersPerUser });
  }
}

function isLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
