import { setImmediate } from 'node:timers/promises';
import { levelOf, thresholdsOf, usageRatio, type Thresholds } from '../core/pressure/level.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import type { UserResources } from '../core/pressure/monitor.js';
import type { UserSummary } from './schemas.js';
import { viewResources } from './views.js';

/** A user as counted. */
export interface CountedUser {
  readonly resources: UserResources;
  /** Where they stand in the list: the least first, and those of equal rank by id. */
  readonly rank: number;
}

/** Everybody, as of one moment or nearly so. */
export interface Snapshot {
  /** For display. */
  readonly takenAt: Date;
  /** On the clock of all ages. */
  readonly takenAtMs: number;
  readonly users: readonly CountedUser[];
}

type Managers = ReadonlyMap<string, WebSocketManager>;

/**
 * What users can be sorted by: the fullest first, the one left alone longest first, or by id. The rank is what stays as
 * it is while nothing happens: an idle time would grow from page to page.
 */
const ranks = Object.freeze({
  usage: ({ usageRatio: ratio }) => -ratio,
  idle: (_, managers) => aloneSinceMs(managers),
  id: () => 0,
}) satisfies Record<string, (resources: UserResources, managers: Managers) => number>;

export type Sorting = keyof typeof ranks;

/** The names of the sortings. */
export const sortings = Object.freeze(Object.keys(ranks)) as readonly Sorting[];

/** For how long a snapshot is good enough. */
const freshMs = 1_000;

/** How long the walk works at a stretch, and how many users it takes between two looks at the time. */
const sliceMs = 4;
const usersPerLook = 64;

/**
 * Walks through all users for whoever looks at a list of them: in slices, so that no connection waits for it, and for
 * all viewers at once, so that ten cost what one costs.
 *
 * Why it leaves the managers alone where it can: they lie all over the memory, and looking at fifty thousand takes ten
 * times as long as counting them. What a page says of them is looked up for those who are on it.
 */
export class Census {
  readonly #mooring: Mooring;
  readonly #thresholds: Thresholds;
  readonly #last = new Map<Sorting, Snapshot>();
  readonly #walks = new Map<Sorting, Promise<Snapshot>>();

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.#thresholds = thresholdsOf(mooring.config);
  }

  /** Everybody, at most a second ago, in no order. */
  async take(sort: Sorting): Promise<Snapshot> {
    const last = this.#last.get(sort);
    if (last !== undefined && this.#mooring.now() - last.takenAtMs < freshMs) return last;
    const walk = this.#walks.get(sort) ?? this.#walkThrough(sort);
    this.#walks.set(sort, walk);
    return walk;
  }

  /** The rest of what is said of a user, as of now. */
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
      const resources = this.#resourcesOf(userId, managers.size);
      users.push({ resources, rank: ranks[sort](resources, managers) });
      if (users.length % usersPerLook > 0 || performance.now() < until) continue;
      await setImmediate();
      until = performance.now() + sliceMs;
    }
    return { takenAt: new Date(), takenAtMs: this.#mooring.now(), users };
  }

  #resourcesOf(userId: string, managerCount: number): UserResources {
    const maxManagers = this.#mooring.limitOf(userId);
    const ratio = usageRatio(managerCount, maxManagers);
    const alertLevel = levelOf(managerCount, maxManagers, this.#thresholds);
    return { userId, managerCount, usageRatio: ratio, alertLevel, maxManagers };
  }
}

/** When the manager left alone longest was last active, on the clock of all ages. */
function aloneSinceMs(managers: Managers): number {
  let sinceMs = Infinity;
  for (const { lastActivityAtMs } of managers.values()) sinceMs = Math.min(sinceMs, lastActivityAtMs);
  return sinceMs;
}
