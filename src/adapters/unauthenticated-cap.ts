import { quarterOf } from '../core/bounds.js';
import { Multimap } from '../core/multimap.js';

/** A socket that counts as unauthenticated. */
export interface UnauthenticatedSocket {
  /** The client's address, as it is counted. */
  readonly address: string;
  /** Its room is needed for another address: it counts no longer and should be turned away. */
  displace(): void;
}

/**
 * How many sockets may be unauthenticated at once. One address may have all of them while nobody else comes; when it is
 * full, and somebody comes from an address that has less than a quarter, the newest socket of the address that has most
 * makes room, if that is more than a quarter.
 */
export class UnauthenticatedCap {
  readonly #most: number;
  readonly #byAddress = new Multimap<UnauthenticatedSocket>();
  #size = 0;

  /** @param most `Infinity`: nothing is counted */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a socket that is not counted yet. @returns whether there is room for it */
  enter(share: UnauthenticatedSocket): boolean {
    if (this.#most === Infinity) return true;
    const { address } = share;
    if (this.#size >= this.#most && !this.#makeRoomFor(address)) return false;
    this.#byAddress.add(address, share);
    this.#size += 1;
    return true;
  }

  /** It is authenticated, or gone. */
  leave(share: UnauthenticatedSocket): void {
    if (this.#most === Infinity) return;
    if (this.#byAddress.delete(share.address, share)) this.#size -= 1;
  }

  /** How many sockets count; 0 where nothing is counted. */
  get size(): number {
    return this.#size;
  }

  #makeRoomFor(address: string): boolean {
    const quarter = quarterOf(this.#most);
    if (this.#byAddress.countOf(address) >= quarter) return false;
    const largest = this.#byAddress.largest();
    const newest = largest.at(-1);
    if (newest === undefined || largest.length <= quarter) return false;
    this.leave(newest);
    newest.displace();
    return true;
  }
}
