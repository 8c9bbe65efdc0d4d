import type { KeyParts } from '../identity/isolation-key.js';
import { ShardedMap } from '../sharded-map.js';
import type { ManagedConnection } from './managed-connection.js';
import type { WebSocketManager } from './manager.js';

const none: ReadonlyMap<string, WebSocketManager> = new Map();

/**
 * All managers, by user and then by thread: the only place where one is added or removed.
 *
 * Why by user: the user's managers are what every decision is about, and finding them by a key's prefix would take user
 * `a:b` for user `a`. Why no second index by key: a key says whose it is, and two indexes can differ.
 */
export class ManagerRegistry {
  readonly #byUser = new ShardedMap<Map<string, WebSocketManager>>();
  #size = 0;
  /** Whose managers were looked for last, and what was found: who comes or goes is looked for several times. */
  #lastUserId: string | null = null;
  #lastManagers: Map<string, WebSocketManager> | undefined;

  /** Managers of all users, reserved ones included: what the users' maps have grown and shrunk by. */
  get size(): number {
    return this.#size;
  }

  get({ userId, threadId }: KeyParts): WebSocketManager | undefined {
    return this.#find(userId)?.get(threadId);
  }

  /** The user's managers by thread, reserved ones included, oldest first. */
  ofUser(userId: string): ReadonlyMap<string, WebSocketManager> {
    return this.#find(userId) ?? none;
  }

  /** The user's connections, in the order of their managers. */
  linksOf(userId: string): ManagedConnection[] {
    const links: ManagedConnection[] = [];
    for (const { link } of this.ofUser(userId).values()) if (link !== null) links.push(link);
    return links;
  }

  /** Live and reserved: what is compared with the limit. */
  countOf(userId: string): number {
    return this.#find(userId)?.size ?? 0;
  }

  /** Everybody who holds at least one manager. */
  users(): Iterable<string> {
    return this.#byUser.keys();
  }

  /** The same, each with their managers by thread. */
  byUser(): Iterable<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    return this.#byUser.entries();
  }

  /** How many they are. */
  get userCount(): number {
    return this.#byUser.size;
  }

  *all(): Generator<WebSocketManager> {
    for (const managers of this.#byUser.values()) yield* managers.values();
  }

  /** @returns how many the user has now */
  add(manager: WebSocketManager): number {
    const { userId, threadId } = manager.context;
    const managers = this.#find(userId) ?? new Map<string, WebSocketManager>();
    if (managers.has(threadId)) throw new TypeError(`${manager.key} has a manager already`);
    const before = managers.size;
    managers.set(threadId, manager);
    if (before === 0) this.#byUser.set(userId, managers);
    this.#lastManagers = managers;
    this.#size += managers.size - before;
    return managers.size;
  }

  /** Removes this very manager; `false` where it is not in, even if another one has its key. */
  remove(manager: WebSocketManager): boolean {
    const { userId, threadId } = manager.context;
    const managers = this.#find(userId);
    if (managers?.get(threadId) !== manager) return false;
    const before = managers.size;
    managers.delete(threadId);
    if (managers.size === 0) {
      this.#byUser.delete(userId);
      this.#lastManagers = undefined;
    }
    this.#size += managers.size - before;
    return true;
  }

  /** The user's managers, unless there are none. */
  #find(userId: string): Map<string, WebSocketManager> | undefined {
    if (userId !== this.#lastUserId) {
      this.#lastManagers = this.#byUser.get(userId);
      this.#lastUserId = userId;
    }
    return this.#lastManagers;
  }
}
