import { setImmediate } from 'node:timers/promises';
import {
  alertLevels,
  levelOf,
  thresholdsOf,
  usageRatio,
  type AlertLevel,
  type Thresholds,
} from '../core/pressure/level.js';
import type { Mooring } from '../core/mooring.js';
import type { UserSummary } from './schemas.js';

/** A user as counted. */
export interface CountedUser {
  readonly summary: UserSummary;
  /** When the manager left alone longest was last active, on the clock of all ages. */
  readonly aloneSinceMs: number;
}

/** Everybody, as of one moment or nearly so. */
export interface Snapshot {
  readonly takenAt: Date;
  readonly users: readonly CountedUser[];
  readonly byLevel: Readonly<Record<AlertLevel, number>>;
  /** Managers whose connection is attached. */
  readonly connections: number;
}

/** For how long a snapshot is good enough. */
const freshMs = 1_000;

/** How long the walk works at a stretch, and how many users it takes between two looks at the time. */
const sliceMs = 4;
const usersPerLook = 64;

/**
 * Walks through all users for whoever looks at a list of them: in slices, so that no connection waits for it, and for
 * all viewers at once, so that ten cost what one costs.
 */
export class Census {
  readonly #mooring: Mooring;
  readonly #thresholds: Thresholds;
  #last: Snapshot | null = null;
  #walk: Promise<Snapshot> | null = null;

  constructor(mooring: Mooring) {
    this.#mooring = mooring;
    this.#thresholds = thresholdsOf(mooring.config);
  }

  /** Everybody, at most a second ago. */
  async take(): Promise<Snapshot> {
    if (this.#last !== null && Date.now() - this.#last.takenAt.getTime() < freshMs) return this.#last;
    this.#walk ??= this.#walkThrough();
    return this.#walk;
  }

  async #walkThrough(): Promise<Snapshot> {
    try {
      this.#last = await this.#count();
      return this.#last;
    } finally {
      this.#walk = null;
    }
  }

  async #count(): Promise<Snapshot> {
    const users: CountedUser[] = [];
    const byLevel = Object.fromEntries(alertLevels.map((level) => [level, 0])) as Record<AlertLevel, number>;
    let connections = 0;
    let until = performance.now() + sliceMs;
    for (const userId of this.#mooring.factory.activeUsers()) {
      const { attached, ...user } = this.#summarise(userId);
      users.push(user);
      byLevel[user.summary.alertLevel] += 1;
      connections += attached;
      if (users.length % usersPerLook > 0 || performance.now() < until) continue;
      await setImmediate();
      until = performance.now() + sliceMs;
    }
    return { takenAt: new Date(), users, byLevel, connections };
  }

  #summarise(userId: string): CountedUser & { readonly attached: number } {
    const { factory } = this.#mooring;
    const now = this.#mooring.now();
    let [held, attached, activeAtMs, aloneSinceMs] = [0, 0, -Infinity, now];
    const managers = factory.getUserManagers(userId);
    for (const manager of managers) {
      const { lastActivityAtMs } = manager;
      activeAtMs = Math.max(activeAtMs, lastActivityAtMs);
      aloneSinceMs = Math.min(aloneSinceMs, lastActivityAtMs);
      if (manager.isHeld) held += 1;
      if (manager.link !== null) attached += 1;
    }
    const maxManagers = factory.limitOf(userId);
    const ratio = usageRatio(managers.length, maxManagers);
    const summary = {
      ...{ userId, managerCount: managers.length, usageRatio: ratio, maxManagers },
      alertLevel: levelOf(ratio, this.#thresholds),
      ...{ held, waiting: factory.getWaitingCount(userId) },
      ...{ idleMs: managers.length === 0 ? 0 : now - activeAtMs, longestIdleMs: now - aloneSinceMs },
    };
    return { summary, aloneSinceMs, attached };
  }
}
