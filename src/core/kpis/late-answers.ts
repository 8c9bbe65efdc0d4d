import type { EventStream } from '../events.js';
import { sample } from '../liveness/silence.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { ReleasedBy } from '../vocabulary.js';

/**
 * Watches connections that were released for their silence until they are closed or destroyed, and tells of those that
 * send something after all.
 */
export class LateAnswers {
  readonly #events: EventStream;
  /** Few are released for silence, so that is kept here and not noted on each connection. */
  readonly #releasedBy = new WeakMap<ManagedConnection, ReleasedBy | null>();

  constructor(events: EventStream) {
    this.#events = events;
  }

  /** The connection is released for its silence now. What has arrived by now came before; what comes later is late. */
  await(connection: ManagedConnection, by: ReleasedBy | null): void {
    sample(connection);
    this.#releasedBy.set(connection, by);
  }

  /** The connection is closed or destroyed. */
  over(connection: ManagedConnection): void {
    const by = this.#releasedBy.get(connection);
    if (by === undefined) return;
    this.#releasedBy.delete(connection);
    const before = connection.bytesReceivedSeen;
    sample(connection);
    if (connection.bytesReceivedSeen === before) return;
    const { userId, threadId, key } = connection.manager;
    this.#events.emit('connection.answeredLate', { userId, threadId, key, generation: connection.generation, by });
  }
}
