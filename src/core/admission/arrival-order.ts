import type { ManagedConnection } from '../managers/managed-connection.js';

/** An attempt's number in the order in which upgrade requests arrived: the newer attempt has the higher one. */
export type Arrival = number;

/** From how many noted connections on those that are no longer needed are removed. */
const fewestToSweep = 64;

/**
 * The order in which attempts to connect arrived. Within a key the newest attempt wins, however long the authentication
 * of each took.
 *
 * To save memory, connections have no field for their arrival. It matters only to an attempt that arrived before the
 * connection and is decided after it. So the arrival of a connection is noted only if such an attempt is still undecided
 * when the connection opens. A connection that is not noted arrived before all undecided and all later attempts.
 */
export class ArrivalOrder {
  #last: Arrival = 0;
  /** The last attempt that began, until it is decided; then 0. */
  #newest: Arrival = 0;
  /** The other undecided attempts, oldest first. Usually an attempt is decided before the next begins. */
  readonly #older = new Set<Arrival>();
  /** The arrivals of connections that opened before an older attempt was decided. */
  readonly #noted = new Map<ManagedConnection, Arrival>();
  #sweepAbove = fewestToSweep;

  /** The arrival of an attempt that is decided in the same call. */
  now(): Arrival {
    return (this.#last += 1);
  }

  /**
   * The arrival of an attempt that is decided later, e.g. after its authentication. If it never reaches `admit`, the caller must
   * call {@link decided} with it.
   */
  begin(): Arrival {
    if (this.#newest !== 0) this.#older.add(this.#newest);
    return (this.#newest = this.now());
  }

  /** The attempt has a place, a ticket or a refusal, or its client has gone. */
  decided(arrival: Arrival): void {
    if (arrival === this.#newest) this.#newest = 0;
    else this.#older.delete(arrival);
    if (this.#noted.size > 0 && this.#countUnderWay() === 0) this.#noted.clear();
  }

  opened(connection: ManagedConnection, arrival: Arrival): void {
    if (this.#oldest() > arrival) return;
    this.#noted.set(connection, arrival);
    if (this.#noted.size > this.#sweepAbove) this.#sweep();
  }

  isBefore(arrival: Arrival, connection: ManagedConnection): boolean {
    return this.#noted.size > 0 && arrival < (this.#noted.get(connection) ?? 0);
  }

  /** The connection has ended, or is no longer its manager's. */
  remove(connection: ManagedConnection): void {
    if (this.#noted.size > 0) this.#noted.delete(connection);
  }

  /** @internal How many attempts are under way, and how many connections are noted. */
  get sizes(): { readonly underWay: number; readonly noted: number } {
    return { underWay: this.#countUnderWay(), noted: this.#noted.size };
  }

  /** Removes connections that arrived before all undecided attempts. It runs as rarely as the map is large: O(1) each. */
  #sweep(): void {
    const oldest = this.#oldest();
    for (const [connection, arrival] of this.#noted) if (arrival < oldest) this.#noted.delete(connection);
    this.#sweepAbove = Math.max(fewestToSweep, 2 * this.#noted.size);
  }

  #countUnderWay(): number {
    return this.#older.size + (this.#newest === 0 ? 0 : 1);
  }

  #oldest(): Arrival {
    if (this.#older.size === 0) return this.#newest === 0 ? Infinity : this.#newest;
    return this.#older.values().next().value ?? Infinity;
  }
}
