import type { KeyParts } from '../identity/isolation-key.js';
import { ShardedMap } from '../sharded-map.js';
import type { AttachedConnection, WebSocketManager } from './manager.js';

const none: ReadonlyMap<string, WebSocketManager> = new Map();

/** A user's one manager, or several by thread. Most have one, and making a map for it takes longer than admitting it. */
type Held = WebSocketManager | Map<string, WebSocketManager>;

/**
 * All managers, by user and then by thread: the only place where one is added or removed.
 *
 * Why by user: the user's managers are what every decision is about, and finding them by a key's prefix would take user
 * `a:b` for user `a`. Why no second index by key: a key says whose it is, and two indexes can differ.
 */
export class ManagerRegistry {
  readonly #byUser = new ShardedMap<Held>();
  #size = 0;
  /** The user looked up last, and what was found: an admission or release looks up its user several times. */
  #lastUserId: string | null = null;
  #lastHeld: Held | undefined;

  /** Managers of all users, reserved ones included: what the users' maps have grown and shrunk by. */
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

  /** The text by which the user's managers know the user: one for all of them takes less room than one each. */
  userIdAsKept(userId: string): string | undefined {
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

  /** The same, each with their managers by thread. */
  *byUser(): Generator<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    for (const [userId, held] of this.#byUser.entries())
      yield [userId, held instanceof Map ? held : new Map([[held.context.threadId, held]])];
  }

  /** How many they are. */
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

  /** Removes this very manager; `false` if it is not in the registry, even if another manager has its key. */
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

  /** Of the user that was just looked for. */
  #put(userId: string, held: Held): void {
    this.#byUser.set(userId, held);
    this.#lastHeld = held;
  }

  /** From now on the user has a map. */
  #spread(userId: string, one: WebSocketManager): Map<string, WebSocketManager> {
    const managers = new Map([[one.context.threadId, one]]);
    this.#put(userId, managers);
    return managers;
  }
}
