/** What the seed's cleanup needs of a manager. */
export interface SeedManager {
  readonly websocket: { ping(): Promise<void> } | null;
  lastActivityAtMs: number;
  connectionError: unknown;
  lastErrorAtMs: number | null;
}

/** `asyncio.Lock`: whoever comes later waits its turn. */
class Lock {
  #last: Promise<void> = Promise.resolve();

  async hold<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let release = (): void => undefined;
    this.#last = new Promise((resolve) => (release = resolve));
    await before;
    try {
      return await act();
    } finally {
      release();
    }
  }
}

/**
 * The seed's background cleanup, as written: for every user, three strategies; for every strategy, a copy of all
 * managers and a comparison of each key's beginning, under one lock; a ping to every connection, one after the other.
 *
 * Two methods the seed calls are not in it. `_cleanup_idle_managers` is written as its siblings are.
 * `get_user_manager_count` is given a table, so it costs this port nothing. The prefix is made once per loop, not once
 * per key, and logging is left out.
 * @source the seed, fixes 1 and 5
 */
export class SeedFactory {
  readonly activeManagers = new Map<string, WeakRef<SeedManager>>();
  readonly managerCounts = new Map<string, number>();
  readonly cleaned: string[] = [];
  readonly #lock = new Lock();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(userId: string, threadId: string, manager: SeedManager): void {
    this.activeManagers.set(`${userId}:${threadId}`, new WeakRef(manager));
    this.managerCounts.set(userId, (this.managerCounts.get(userId) ?? 0) + 1);
  }

  /** `_enhanced_background_cleanup` */
  async enhancedBackgroundCleanup(): Promise<number> {
    let total = 0;
    for (const userId of await this.#getActiveUsers()) {
      if ((this.managerCounts.get(userId) ?? 0) === 0) continue;
      let user = 0;
      user += await this.#cleanupDisconnectedManagers(userId);
      user += await this.#cleanupIdleManagers(userId, 600_000);
      user += await this.#cleanupErrorStateManagers(userId);
      total += user;
    }
    return total;
  }

  /** `_get_active_users` */
  #getActiveUsers(): Promise<Set<string>> {
    return this.#lock.hold(() => {
      const users = new Set<string>();
      for (const key of this.activeManagers.keys()) users.add(key.slice(0, key.indexOf(':')));
      return Promise.resolve(users);
    });
  }

  /** `_cleanup_disconnected_managers` */
  #cleanupDisconnectedManagers(userId: string): Promise<number> {
    return this.#cleanupWhere(userId, async (manager) => !(await this.#isConnectionActive(manager)));
  }

  #cleanupIdleManagers(userId: string, maxIdleMs: number): Promise<number> {
    return this.#cleanupWhere(userId, (manager) => this.#now() - manager.lastActivityAtMs > maxIdleMs);
  }

  /** `_cleanup_error_state_managers` */
  #cleanupErrorStateManagers(userId: string): Promise<number> {
    return this.#cleanupWhere(userId, (manager) => {
      if (manager.connectionError !== null) return true;
      return manager.lastErrorAtMs !== null && this.#now() - manager.lastErrorAtMs > 300_000;
    });
  }

  /** The body all three share. */
  async #cleanupWhere(userId: string, isDue: (manager: SeedManager) => boolean | Promise<boolean>): Promise<number> {
    const toCleanup: string[] = [];
    const prefix = `${userId}:`;
    await this.#lock.hold(async () => {
      for (const [key, reference] of [...this.activeManagers]) {
        if (!key.startsWith(prefix)) continue;
        const manager = reference.deref();
        if (manager !== undefined && (await isDue(manager))) toCleanup.push(key);
      }
    });
    for (const key of toCleanup) await this.#cleanupSingleManager(userId, key);
    return toCleanup.length;
  }

  /** `_is_connection_active` */
  async #isConnectionActive(manager: SeedManager): Promise<boolean> {
    try {
      if (manager.websocket !== null) {
        await manager.websocket.ping();
        return true;
      }
    } catch {
      // as in the seed: not active
    }
    return false;
  }

  async #cleanupSingleManager(userId: string, key: string): Promise<void> {
    await this.#lock.hold(() => {
      this.activeManagers.delete(key);
      this.managerCounts.set(userId, (this.managerCounts.get(userId) ?? 1) - 1);
      this.cleaned.push(key);
      return Promise.resolve();
    });
  }
}
