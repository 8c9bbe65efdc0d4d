import type { KeyParts } from '../identity/isolation-key.js';
import { ShardedMap } from '../sharded-map.js';
import type { AttachedConnection, WebSocketManager } from './manager.js';

const none: ReadonlyMap<string, WebSocketManager> = new Map();

/** A user's manager, or several by thread. Most users have one, and making a map for it would take longer than admitting it. */
type Held = WebSocketManager | Map<string, WebSocketManager>;

/**
 * All managers, by user and then by thread. Managers are added and removed nowhere else.
 *
 * Why by user: every decision is about one user's managers. Why no second index by key: two indexes can differ.
 */
export class ManagerRegistry {
  readonly #byUser = new ShardedMap<Held>();
  #size = 0;
  /** The last user that was looked up, and the result: an admission or release looks up its user several times. */
  #lastUserId: string | null = null;
  #lastHeld: Held | undefined;

  /** Managers of all users, reserved ones included. */
  get size(): number {
    return this.#size;
  }

  get({ userId, threadId }: KeyParts): WebSocketManager | undefined {
    const held = this.#find(userId);
    if (held instanceof Map) return held.get(threadId);
    return held?.context.threadId === threadId ? held : undefined;
  }

  /** The user's managers by thread, reserved ones included, oldest first; later changes show in it. */
  ofUser(userId: string): ReadonlyMap<string, WebSocketManager> {
    const held = this.#find(userId);
    if (held === undefined) return none;
    return held instanceof Map ? held : this.#spread(userId, held);
  }

  /** The string that the user's managers have as user id. One string for all of them takes less memory. */
  storedUserId(userId: string): string | undefined {
    const held = this.#find(userId);
    if (held === undefined) return undefined;
    const one = held instanceof Map ? held.values().next().value : held;
    return one?.context.userId;
  }

  /** The user's connections, in the order of their managers. */
  connectionsOf(userId: string): AttachedConnection[] {
    const connections: AttachedConnection[] = [];
    for (const { connection } of this.ofUser(userId).values()) if (connection !== null) connections.push(connection);
    return connections;
  }

  /** Live and reserved: what is compared with the limit. */
  countOf(userId: string): number {
    const held = this.#find(userId);
    if (held === undefined) return 0;
    return held instanceof Map ? held.size : 1;
  }

  /** Every user who has at least one manager. */
  users(): Iterable<string> {
    return this.#byUser.keys();
  }

  /** As {@link users}, each with their managers by thread. */
  *byUser(): Generator<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    for (const [userId, held] of this.#byUser.entries())
      yield [userId, held instanceof Map ? held : new Map([[held.context.threadId, held]])];
  }

  get userCount(): number {
    return this.#byUser.size;
  }

  *all(): Generator<WebSocketManager> {
    for (const held of this.#byUser.values()) {
      if (held instanceof Map) yield* held.values();
      else yield held;
    }
  }

  /** @returns how many the user has now */
  add(manager: WebSocketManager): number {
    const { userId, threadId } = manager.context;
    const held = this.#find(userId);
    if (held === undefined) {
      this.#put(userId, manager);
      this.#size += 1;
      return 1;
    }
    const managers = held instanceof Map ? held : this.#spread(userId, held);
    if (managers.has(threadId)) throw new TypeError(`${manager.key} has a manager already`);
    managers.set(threadId, manager);
    this.#size += 1;
    return managers.size;
  }

  /** @returns whether this manager was in the registry; another manager of its key is not removed */
  remove(manager: WebSocketManager): boolean {
    const { userId, threadId } = manager.context;
    const held = this.#find(userId);
    if (this.get(manager.context) !== manager) return false;
    if (held instanceof Map) held.delete(threadId);
    this.#size -= 1;
    if (held instanceof Map && held.size > 0) return true;
    this.#byUser.delete(userId);
    this.#lastHeld = undefined;
    return true;
  }

  #find(userId: string): Held | undefined {
    if (userId !== this.#lastUserId) {
      this.#lastHeld = this.#byUser.get(userId);
      this.#lastUserId = userId;
    }
    return this.#lastHeld;
  }

  /** To be called after {@link #find} of this user. */
  #put(userId: string, held: Held): void {
    this.#byUser.set(userId, held);
    this.#lastHeld = held;
  }

  /** Makes a map for the user's one manager. */
  #spread(userId: string, one: WebSocketManager): Map<string, WebSocketManager> {
    const managers = new Map([[one.context.threadId, one]]);
    this.#put(userId, managers);
    return managers;
  }
}
