import { quarterOf } from '../core/bounds.js';
import { Multimap } from '../core/multimap.js';

/** A socket that counts as unauthenticated. */
export interface UnauthenticatedSocket {
  /** The client's address, as it is counted. */
  readonly address: string;
  /** A client of another address needs its place. It no longer counts, and should be turned away. */
  displace(): void;
}

/**
 * Limits how many sockets may be unauthenticated at once. One address may use the whole limit while no other address
 * needs it. If the limit is reached, and a socket arrives from an address that has less than a quarter of it, the address
 * with the most sockets loses its newest one, if it has more than a quarter.
 */
export class UnauthenticatedCap {
  readonly #limit: number;
  readonly #byAddress = new Multimap<UnauthenticatedSocket>();
  #size = 0;

  /** @param limit `Infinity`: nothing is counted */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts a socket that is not counted yet. @returns whether there is room for it */
  add(socket: UnauthenticatedSocket): boolean {
    if (this.#limit === Infinity) return true;
    const { address } = socket;
    if (this.#size >= this.#limit && !this.#makeRoomFor(address)) return false;
    this.#byAddress.add(address, socket);
    this.#size += 1;
    return true;
  }

  /** The socket is authenticated or closed. A second call does nothing. */
  remove(socket: UnauthenticatedSocket): void {
    if (this.#limit === Infinity) return;
    if (this.#byAddress.delete(socket.address, socket)) this.#size -= 1;
  }

  /** How many sockets are counted; 0 without a limit. */
  get size(): number {
    return this.#size;
  }

  #makeRoomFor(address: string): boolean {
    const quarter = quarterOf(this.#limit);
    if (this.#byAddress.countOf(address) >= quarter) return false;
    const largest = this.#byAddress.largest();
    const newest = largest.at(-1);
    if (newest === undefined || largest.length <= quarter) return false;
    this.remove(newest);
    newest.displace();
    return true;
  }
}
