import { ShardedMap } from '../sharded-map.js';
import type { WebSocketManager } from './manager.js';

const none: ReadonlyMap<string, WebSocketManager> = new Map();

/**
 * All managers, by key and by user: the only place where one is added or removed.
 *
 * Why two indexes: the user's managers are what every decision is about, and finding them by a key's prefix would take
 * user `a:b` for user `a`. Counts are the sizes of these sets; nothing is counted twice.
 */
export class ManagerRegistry {
  readonly #byKey = new ShardedMap<WebSocketManager>();
  readonly #byUser = new ShardedMap<Map<string, WebSocketManager>>();

  /** Managers of all users, reserved ones included. */
  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): WebSocketManager | undefined {
    return this.#byKey.get(key);
  }

  /** The user's managers by key, reserved ones included, oldest first. */
  ofUser(userId: string): ReadonlyMap<string, WebSocketManager> {
    return this.#byUser.get(userId) ?? none;
  }

  /** Live and reserved: what is compared with the limit. */
  countOf(userId: string): number {
    return this.#byUser.get(userId)?.size ?? 0;
  }

  /** Everybody who holds at least one manager. */
  users(): Iterable<string> {
    return this.#byUser.keys();
  }

  all(): Iterable<WebSocketManager> {
    return this.#byKey.values();
  }

  add(manager: WebSocketManager): void {
    if (this.#byKey.has(manager.key)) throw new TypeError(`${manager.key} has a manager already`);
    this.#byKey.set(manager.key, manager);
    const managers = this.#byUser.get(manager.userId);
    if (managers === undefined) this.#byUser.set(manager.userId, new Map([[manager.key, manager]]));
    else managers.set(manager.key, manager);
  }

  /** Removes this very manager; `false` where it is not in, even if another one has its key. */
  remove(manager: WebSocketManager): boolean {
    if (this.#byKey.get(manager.key) !== manager) return false;
    this.#byKey.delete(manager.key);
    const managers = this.#byUser.get(manager.userId);
    managers?.delete(manager.key);
    if (managers?.size === 0) this.#byUser.delete(manager.userId);
    return true;
  }
}
