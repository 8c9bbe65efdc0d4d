import type { Lifecycle } from '../managers/lifecycle.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import { sample } from './silence.js';

/**
 * The suspects: connections that were silent to a probe, and have sent no byte since a ping that left at least
 * `minSilenceMs` ago.
 *
 * A suspect does not count as dead: it loses its slot only to a newcomer that waits, or to the heartbeat. It stays a
 * suspect until a byte comes. Suspects are few, so they are kept here and not noted on each connection.
 */
export class Suspicion {
  /** With `bytesReceived` when each became a suspect. */
  readonly #suspects = new Map<ManagedConnection, number>();
  readonly #lifecycle: Pick<Lifecycle, 'suspectsFound'>;

  constructor(lifecycle: Pick<Lifecycle, 'suspectsFound'>) {
    this.#lifecycle = lifecycle;
  }

  /**
   * These connections of one user are suspects from now on. Their counters have just been sampled. Within this call the
   * emergency cleanup gives their slots to newcomers that have answered.
   */
  add(connections: readonly ManagedConnection[]): void {
    for (const connection of connections) this.#suspects.set(connection, connection.bytesReceivedSeen);
    const [first] = connections;
    if (first !== undefined) this.#lifecycle.suspectsFound(first.manager.userId);
  }

  /** Whether the connection is a suspect now: a byte that came since clears it. Never throws. */
  has(connection: ManagedConnection): boolean {
    const bytesThen = this.#suspects.get(connection);
    if (bytesThen === undefined) return false;
    sample(connection);
    if (connection.bytesReceivedSeen === bytesThen) return true;
    this.#suspects.delete(connection);
    return false;
  }

  /** Clears the connection if a byte has come since it became a suspect. Never throws. */
  review(connection: ManagedConnection): void {
    this.has(connection);
  }

  /** The connection has ended, or is no longer its manager's. */
  remove(connection: ManagedConnection): void {
    this.#suspects.delete(connection);
  }

  /** How many connections are suspects now. It checks each. Never throws. */
  count(): number {
    let count = 0;
    for (const connection of this.#suspects.keys()) if (this.has(connection)) count += 1;
    return count;
  }

  /** How many connections were suspects when each was last checked. */
  get size(): number {
    return this.#suspects.size;
  }
}
