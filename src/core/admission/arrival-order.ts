import type { ManagedConnection } from '../managers/managed-connection.js';

/** An attempt's number in the order in which upgrade requests arrived: the newer attempt has the higher one. */
export type Arrival = number;

/** How many noted connections there may be before those that nothing can precede any longer are looked for. */
const fewestToSweep = 64;

/**
 * The order in which attempts to connect arrived. Within a key the newest attempt wins, however long the
 * authentication of each took.
 *
 * How the arrival of a connection is known without a field for it: it matters only to an attempt that arrived before
 * it and is decided after it. So a connection is noted only if such an attempt is under way when it opens. One that is
 * not noted arrived before every attempt that is under way now, and before every attempt to come.
 */
export class ArrivalOrder {
  #last: Arrival = 0;
  /** The last attempt that began, while it waits to be decided; 0 if there is none. */
  #newest: Arrival = 0;
  /** The other attempts that wait, oldest first. Mostly empty: an attempt is usually decided before the next begins. */
  readonly #older = new Set<Arrival>();
  /** When connections arrived that may have overtaken an attempt. */
  readonly #noted = new Map<ManagedConnection, Arrival>();
  #sweepAbove = fewestToSweep;

  /** The arrival of an attempt that is decided in the same call. */
  now(): Arrival {
    return (this.#last += 1);
  }

  /**
   * The arrival of an attempt that is decided later, e.g. after its authentication. It is under way until
   * {@link decided} is called with it, which the caller must do whatever becomes of the attempt.
   */
  begin(): Arrival {
    if (this.#newest !== 0) this.#older.add(this.#newest);
    return (this.#newest = this.now());
  }

  /** The attempt is under way no longer: it has a place, a ticket or a refusal, or its client has gone. */
  decided(arrival: Arrival): void {
    if (arrival === this.#newest) this.#newest = 0;
    else this.#older.delete(arrival);
    if (this.#noted.size > 0 && this.#countUnderWay() === 0) this.#noted.clear();
  }

  /** A connection has opened. */
  opened(connection: ManagedConnection, arrival: Arrival): void {
    if (this.#oldest() > arrival) return;
    this.#noted.set(connection, arrival);
    if (this.#noted.size > this.#sweepAbove) this.#sweep();
  }

  /** Whether the attempt arrived before the connection did. */
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

  /** Forgets connections that arrived before all attempts under way. As rare as the map is large: O(1) for each. */
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
