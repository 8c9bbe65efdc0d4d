import { quarterOf } from '../core/bounds.js';
import { Multimap } from '../core/multimap.js';

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
  readonly #byOwner = new Multimap<RefusedSocket>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what to call once the socket is closed */
  add(socket: RefusedSocket): () => void {
    const { owner } = socket;
    if (this.#byOwner.countOf(owner) >= quarterOf(this.#limit)) this.#destroy(this.#byOwner.oldestOf(owner));
    else if (this.#all.size >= this.#limit) this.#destroy(this.#all.values().next().value);
    this.#all.add(socket);
    this.#byOwner.add(owner, socket);
    return () => {
      this.#remove(socket);
    };
  }

  get size(): number {
    return this.#all.size;
  }

  #destroy(socket: RefusedSocket | undefined): void {
    if (socket === undefined) return;
    this.#remove(socket);
    socket.destroy();
  }

  #remove(socket: RefusedSocket): void {
    this.#all.delete(socket);
    this.#byOwner.delete(socket.owner, socket);
  }
}
