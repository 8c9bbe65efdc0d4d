import type { EventStream } from '../events.js';
import { sample } from '../liveness/silence.js';
import type { AttachedConnection } from '../managers/manager.js';
import type { ReleasedBy } from '../vocabulary.js';

/** Watches connections that were released for their silence until they are gone, and reports those that send a byte. */
export class LateAnswers {
  readonly #events: EventStream;
  /** Few are released for silence, so they are kept here and not noted on each connection. */
  readonly #releasedBy = new WeakMap<AttachedConnection, ReleasedBy | null>();

  constructor(events: EventStream) {
    this.#events = events;
  }

  /** The connection is released for its silence now. Bytes that have arrived by now do not count. */
  watch(connection: AttachedConnection, by: ReleasedBy | null): void {
    sample(connection);
    this.#releasedBy.set(connection, by);
  }

  connectionGone(connection: AttachedConnection): void {
    const by = this.#releasedBy.get(connection);
    if (by === undefined) return;
    this.#releasedBy.delete(connection);
    const before = connection.bytesReceivedSeen;
    sample(connection);
    if (connection.bytesReceivedSeen === before) return;
    this.#events.emitOf('connection.answeredLate', connection.manager, { generation: connection.generation, by });
  }
}
