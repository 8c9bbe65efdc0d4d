import { quarterOf, unadmittedLimit } from '../bounds.js';
import { Tally } from '../cleanup/tally.js';
import type { UserCleanup } from '../cleanup/user-cleanup.js';
import type { AwayManagers } from '../managers/away.js';
import { timeToFloorMs } from '../managers/engagement.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { Multimap } from '../multimap.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { PlaceQueue } from './queue.js';

interface RoomParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly limits: UserLimits;
  readonly queue: PlaceQueue;
  /** Newcomers that have a slot of this process, for which the ledger is asked. */
  readonly asking: PlaceQueue;
  readonly confirmations: { isFull(userId: string): boolean };
  readonly away: AwayManagers;
  readonly userCleanup: UserCleanup;
}

/**
 * Whether one more manager fits within its user's limit and `maxTotalManagers`, and whether one more newcomer may wait.
 * Of all newcomers that may wait, one user can have a quarter, so that no user takes the room of all others.
 */
export class Room {
  readonly #parts: RoomParts;
  readonly #maxWaiting: number;
  /** Newcomers that wait for the answer of a connection, by user. Those that wait for a slot are in the queue. */
  readonly #contests = new Multimap<object>();
  #contestCount = 0;

  constructor(parts: RoomParts) {
    this.#parts = parts;
    this.#maxWaiting = unadmittedLimit(parts.config);
  }

  /** Whether a newcomer of this user that waits fits now, for all that is known of other processes. */
  fits(userId: string): boolean {
    const { limits, confirmations } = this.#parts;
    const isWithin = this.#takenOf(userId) < limits.of(userId) && !confirmations.isFull(userId);
    return isWithin && this.#isInTotalFor(userId);
  }

  /** Whether one more fits within the user's limit. If not, a manager that is away is released to make it fit. */
  makeWithin(limit: number, userId: string): boolean {
    return this.#takenOf(userId) < limit || this.#releaseAway(userId);
  }

  /** Whether one more fits into this process. If not, one of the user's own that is not engaged is released. */
  makeInTotal(userId: string): boolean {
    if (this.#isInTotalFor(userId) || (this.#releaseAway(userId) && this.#isInTotalFor(userId))) return true;
    const { registry, userCleanup } = this.#parts;
    const before = registry.size;
    userCleanup.evict(userId, { trigger: 'admission', tally: new Tally(0), maxCount: 1 });
    return registry.size < before;
  }

  /** In how many milliseconds the first slot of the user may be free: when a cleanup may evict a manager, or a ticket expires. */
  firstFreeInMs(userId: string): number {
    const rule = this.#parts.userCleanup.engagement();
    let shortestMs = Infinity;
    for (const manager of this.#parts.registry.ofUser(userId).values()) {
      const waitMs = manager.state === 'reserved' ? this.#ticketLeftMs(manager) : timeToFloorMs(manager, rule);
      shortestMs = Math.min(shortestMs, waitMs);
    }
    return shortestMs === Infinity ? rule.floorMs : shortestMs;
  }

  /** In how many milliseconds the slot is free again if no socket comes. */
  #ticketLeftMs({ admittedAtMs }: WebSocketManager): number {
    const { clock, config } = this.#parts;
    return Math.max(0, admittedAtMs + config.ticketMs - clock.now());
  }

  /** Whether one more newcomer of the user may wait: all users together, and each by itself, have a limit. */
  mayWait(userId: string): boolean {
    const { queue } = this.#parts;
    const ofUser = queue.sizeOf(userId) + this.#contests.countOf(userId);
    return ofUser < quarterOf(this.#maxWaiting) && queue.size + this.#contestCount < this.#maxWaiting;
  }

  /** A newcomer of the user waits in this contest. */
  addContest(userId: string, contest: object): void {
    this.#contests.add(userId, contest);
    this.#contestCount += 1;
  }

  /** The contest is over. May be called again. */
  removeContest(userId: string, contest: object): void {
    if (this.#contests.delete(userId, contest)) this.#contestCount -= 1;
  }

  /** Releases a manager of the user that is away. @returns whether the user has one manager less */
  #releaseAway(userId: string): boolean {
    const { registry, away } = this.#parts;
    const before = registry.countOf(userId);
    // A listener of the release may have taken the place.
    return away.endOldestOf(userId) && registry.countOf(userId) < before;
  }

  /** The user's slots in this process. */
  #takenOf(userId: string): number {
    const { registry, asking } = this.#parts;
    return registry.countOf(userId) + asking.sizeOf(userId);
  }

  /** The last tenth of `maxTotalManagers` is for users who have no manager yet. */
  #isInTotalFor(userId: string): boolean {
    const { registry, asking, config } = this.#parts;
    const limit = config.maxTotalManagers ?? Infinity;
    const taken = registry.size + asking.size;
    if (taken >= limit) return false;
    const isLastTenth = taken >= limit - Math.floor(limit / 10);
    return !isLastTenth || this.#takenOf(userId) === 0;
  }
}
