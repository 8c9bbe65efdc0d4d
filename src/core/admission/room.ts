import type { UserCleanup } from '../cleanup/user-cleanup.js';
import { Tally } from '../cleanup/tally.js';
import type { AwayManagers } from '../managers/away.js';
import type { UserLimits } from '../managers/limits.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';

interface RoomParts {
  readonly config: Pick<WebSocketConfig, 'maxTotalManagers'>;
  readonly registry: ManagerRegistry;
  readonly limits: UserLimits;
  readonly away: AwayManagers;
  readonly userCleanup: UserCleanup;
}

/** Whether one more manager fits: within its user's limit, and within `maxTotalManagers`. */
export class Room {
  readonly #parts: RoomParts;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Whether one more of this user fits as it is. */
  isFor(userId: string): boolean {
    const { registry, limits } = this.#parts;
    return registry.countOf(userId) < limits.of(userId) && this.#isInTotalFor(userId);
  }

  /** Whether one more fits within the user's limit, if need be after a manager that is away has made room. */
  makeWithin(limit: number, userId: string): boolean {
    return this.#parts.registry.countOf(userId) < limit || this.#hasGivenUpAway(userId);
  }

  /** Whether one more fits into this process, if need be after swapping one of the user's own that is not engaged. */
  makeInTotal(userId: string): boolean {
    if (this.#isInTotalFor(userId) || (this.#hasGivenUpAway(userId) && this.#isInTotalFor(userId))) return true;
    const { registry, userCleanup } = this.#parts;
    const before = registry.size;
    userCleanup.evict(userId, { trigger: 'admission', tally: new Tally(0), maxCount: 1 });
    return registry.size < before;
  }

  /** Whether the user has one manager less, since one that was away has made room: before anybody is asked. */
  #hasGivenUpAway(userId: string): boolean {
    const { registry, away } = this.#parts;
    const before = registry.countOf(userId);
    // A listener of the release may have taken the place.
    return away.endOldestOf(userId) && registry.countOf(userId) < before;
  }

  /** The last tenth of `maxTotalManagers` is for users who have no manager yet. */
  #isInTotalFor(userId: string): boolean {
    const { registry, config } = this.#parts;
    const limit = config.maxTotalManagers ?? Infinity;
    if (registry.size >= limit) return false;
    const isLastTenth = registry.size >= limit - Math.floor(limit / 10);
    return !isLastTenth || registry.countOf(userId) === 0;
  }
}
