import type { ManagedConnection } from '../managers/managed-connection.js';
import { sample } from './silence.js';

/**
 * The suspects: connections that were silent to a probe and have sent no byte since a ping of ours that left at least
 * `minSilenceMs` ago.
 *
 * A suspect is not dead: it gives its place to a newcomer that waits, one for one, and only the heartbeat ends it
 * otherwise. It stays a suspect until a byte comes. Suspects are few, so they are kept here and not noted on each
 * connection.
 */
export class Suspicion {
  /** With `bytesReceived` when each became a suspect. */
  readonly #suspects = new Map<ManagedConnection, number>();

  /** The connection is a suspect from now on. Its counters have just been sampled. */
  add(link: ManagedConnection): void {
    this.#suspects.set(link, link.bytesReceivedSeen);
  }

  /** Whether the connection is a suspect now: a byte that came since clears it. Never throws. */
  has(link: ManagedConnection): boolean {
    const bytesThen = this.#suspects.get(link);
    if (bytesThen === undefined) return false;
    sample(link);
    if (link.bytesReceivedSeen === bytesThen) return true;
    this.#suspects.delete(link);
    return false;
  }

  /** The connection has ended, or is no longer its manager's. */
  remove(link: ManagedConnection): void {
    this.#suspects.delete(link);
  }

  /** How many connections are suspects, as far as was looked. */
  get size(): number {
    return this.#suspects.size;
  }
}
