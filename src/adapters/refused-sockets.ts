import { quarterOf } from '../core/bounds.js';

/** A refused socket that is closing. */
export interface RefusedSocket {
  /** The user who was refused, or the client's address where nobody knows who it is. */
  readonly owner: string;
  /** Ends it at once. */
  destroy(): void;
}

/**
 * Refused sockets that are closing, which takes as long as their peers like. For one too many the oldest is destroyed:
 * of its own user where that has a quarter of them, else of all.
 */
export class RefusedSockets {
  readonly #most: number;
  /** Oldest first. */
  readonly #all = new Set<RefusedSocket>();
  readonly #byOwner = new Map<string, Set<RefusedSocket>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns what to call once it is closed */
  add(socket: RefusedSocket): () => void {
    const own = this.#byOwner.get(socket.owner) ?? new Set();
    if (own.size >= quarterOf(this.#most)) this.#destroyOldest(own);
    else if (this.#all.size >= this.#most) this.#destroyOldest(this.#all);
    this.#all.add(socket);
    own.add(socket);
    this.#byOwner.set(socket.owner, own);
    return () => {
      this.#remove(socket);
    };
  }

  /** How many are closing. */
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
