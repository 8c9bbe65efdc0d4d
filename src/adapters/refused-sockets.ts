import { quarterOf } from '../core/bounds.js';

/** A refused socket that is closing. */
export interface RefusedSocket {
  /** The refused user, or the client's address if the user is not known. */
  readonly owner: string;
  /** Ends it at once. */
  destroy(): void;
}

/**
 * Limits how many refused sockets may be closing at once, since a peer may delay the close. If one owner has a quarter of
 * the limit, its oldest socket is destroyed for a new one; if the limit is reached, the oldest of all.
 */
export class RefusedSockets {
  readonly #limit: number;
  /** Oldest first. */
  readonly #all = new Set<RefusedSocket>();
  readonly #byOwner = new Map<string, Set<RefusedSocket>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what to call once the socket is closed */
  add(socket: RefusedSocket): () => void {
    const own = this.#byOwner.get(socket.owner) ?? new Set();
    if (own.size >= quarterOf(this.#limit)) this.#destroyOldest(own);
    else if (this.#all.size >= this.#limit) this.#destroyOldest(this.#all);
    this.#all.add(socket);
    own.add(socket);
    this.#byOwner.set(socket.owner, own);
    return () => {
      this.#remove(socket);
    };
  }

  /** How many sockets are closing. */
  get size(): number {
    return this.#all.size;
  }

  #destroyOldest(sockets: ReadonlySet<RefusedSocket>): void {
    const [oldest] = sockets;
    if (oldest === undefined) return;
    this.#remove(oldest);
    oldest.destroy();
  }

  #remove(socket: RefusedSocket): void {
    this.#all.delete(socket);
    const own = this.#byOwner.get(socket.owner);
    own?.delete(socket);
    if (own?.size === 0) this.#byOwner.delete(socket.owner);
  }
}
