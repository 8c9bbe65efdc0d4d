import type { SeedManager, SeedSocket } from './manager.js';

/** The sketch's `_active_managers`, with an index by user, so that a simulated day does not take weeks. */
export class ActiveManagers<Socket extends SeedSocket> {
  readonly #byUser = new Map<string, Map<string, SeedManager<Socket>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(userId: string, key: string): SeedManager<Socket> | undefined {
    return this.#byUser.get(userId)?.get(key);
  }

  countOf(userId: string): number {
    return this.#byUser.get(userId)?.size ?? 0;
  }

  /** The managers of a user, the oldest first. */
  of(userId: string): SeedManager<Socket>[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  users(): Iterable<string> {
    return this.#byUser.keys();
  }

  add(manager: SeedManager<Socket>): void {
    const managers = this.#byUser.get(manager.userId) ?? new Map<string, SeedManager<Socket>>();
    this.#byUser.set(manager.userId, managers);
    managers.set(manager.key, manager);
    this.#size += 1;
  }

  /** @returns whether it was there */
  remove(manager: SeedManager<Socket>): boolean {
    const managers = this.#byUser.get(manager.userId);
    if (managers?.delete(manager.key) !== true) return false;
    if (managers.size === 0) this.#byUser.delete(manager.userId);
    this.#size -= 1;
    return true;
  }
}

/**
 * The same as the sketch has it, to measure its cost: each search for a user's managers copies the dictionary and
 * compares the beginning of every key. The lock and the waits for pings are left out, since they would only add to its time.
 * Counts cost nothing, since the sketch does not say how it counts.
 */
export class ScannedManagers<Socket extends SeedSocket> extends ActiveManagers<Socket> {
  readonly #byKey = new Map<string, SeedManager<Socket>>();

  override of(userId: string): SeedManager<Socket>[] {
    const prefix = `${userId}:`;
    const found: SeedManager<Socket>[] = [];
    for (const [key, manager] of [...this.#byKey]) if (key.startsWith(prefix)) found.push(manager);
    return found;
  }

  /** `_get_active_users` */
  override users(): Set<string> {
    const users = new Set<string>();
    for (const key of this.#byKey.keys()) users.add(key.slice(0, key.indexOf(':')));
    return users;
  }

  override add(manager: SeedManager<Socket>): void {
    super.add(manager);
    this.#byKey.set(manager.key, manager);
  }

  override remove(manager: SeedManager<Socket>): boolean {
    this.#byKey.delete(manager.key);
    return super.remove(manager);
  }
}
