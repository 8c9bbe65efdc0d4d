import { setImmediate } from 'node:timers/promises';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import type { UserResources } from '../core/pressure/monitor.js';
import type { UserSummary } from './schemas.js';
import { viewResources } from './views.js';

export interface CountedUser {
  readonly resources: UserResources;
  /** The list begins with the lowest rank; users of equal rank are in order of their ids. */
  readonly rank: number;
}

/** All users, as of nearly the same moment. */
export interface Snapshot {
  /** For display. */
  readonly takenAt: Date;
  /** On the clock of `mooring.now()`. */
  readonly takenAtMs: number;
  readonly users: readonly CountedUser[];
}

type Managers = ReadonlyMap<string, WebSocketManager>;

/**
 * What users can be sorted by: the fullest first, the longest idle first, or by id. A rank does not change while nothing
 * happens: that is why it has the time of the last activity, and not the idle time, which grows from page to page.
 */
const ranks = Object.freeze({
  usage: ({ usageRatio: ratio }) => -ratio,
  idle: (_, managers) => leastRecentActivityMs(managers),
  id: () => 0,
}) satisfies Record<string, (resources: UserResources, managers: Managers) => number>;

export type Sorting = keyof typeof ranks;

export const sortings = Object.freeze(Object.keys(ranks)) as readonly Sorting[];

const freshMs = 1_000;

/** How long the walk works between pauses, and how many users it visits between two looks at the time. */
const sliceMs = 4;
const usersPerLook = 64;

/**
 * Walks through all users for the list of users: in slices, so that it does not block the event loop, and once for all
 * requests of the same second.
 *
 * Why it avoids reading managers: they lie all over the memory, and reading fifty thousand takes ten times as long as
 * counting them. Their details are read only for the users on the page.
 */
export class Census {
  readonly #mooring: Mooring;
  readonly #last = new Map<Sorting, Snapshot>();
  /** Walks under way. */
  readonly #walks = new Map<Sorting, Promise<Snapshot>>();

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
  }

  /** All users as of at most a second ago, in no order. */
  async take(sort: Sorting): Promise<Snapshot> {
    const last = this.#last.get(sort);
    if (last !== undefined && this.#mooring.now() - last.takenAtMs < freshMs) return last;
    const walk = this.#walks.get(sort) ?? this.#walkThrough(sort);
    this.#walks.set(sort, walk);
    return walk;
  }

  /** The row of a user, with details as of now. */
  summarise({ resources }: CountedUser): UserSummary {
    const mooring = this.#mooring;
    const now = this.#mooring.now();
    const managers = mooring.managersOf(resources.userId);
    const lastActive = managers.map(({ lastActivityAtMs }) => lastActivityAtMs);
    return {
      ...viewResources(resources),
      held: managers.filter(({ isHeld }) => isHeld).length,
      suspects: managers.filter((manager) => this.#mooring.suspicionOf(manager) !== null).length,
      waiting: mooring.waitingCountOf(resources.userId),
      idleMs: managers.length === 0 ? 0 : now - Math.max(...lastActive),
      longestIdleMs: now - Math.min(now, ...lastActive),
    };
  }

  async #walkThrough(sort: Sorting): Promise<Snapshot> {
    try {
      const snapshot = await this.#count(sort);
      this.#last.set(sort, snapshot);
      return snapshot;
    } finally {
      this.#walks.delete(sort);
    }
  }

  async #count(sort: Sorting): Promise<Snapshot> {
    const users: CountedUser[] = [];
    let until = performance.now() + sliceMs;
    for (const [userId, managers] of this.#mooring.managersByUser()) {
      const resources = this.#mooring.monitor.lookAt(userId);
      users.push({ resources, rank: ranks[sort](resources, managers) });
      if (users.length % usersPerLook > 0 || performance.now() < until) continue;
      await setImmediate();
      until = performance.now() + sliceMs;
    }
    return { takenAt: new Date(), takenAtMs: this.#mooring.now(), users };
  }
}

/** The earliest last activity of the managers, on the clock of `mooring.now()`. */
function leastRecentActivityMs(managers: Managers): number {
  let sinceMs = Infinity;
  for (const { lastActivityAtMs } of managers.values()) sinceMs = Math.min(sinceMs, lastActivityAtMs);
  return sinceMs;
}
