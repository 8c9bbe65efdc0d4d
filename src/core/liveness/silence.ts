import type { ManagedConnection } from '../managers/managed-connection.js';
import { never } from '../time.js';

/** Whether frames can go both ways; `unreadable` where even asking fails. */
export type ConnectionState = 'open' | 'closed' | 'unreadable';

/**
 * What the counters of a connection say since a ping of ours:
 * `heard`: some byte came; `excused`: the ping may still be on its way, or we are not reading; `stuck`: unsent data has
 * not moved, or we have not read, for too long; `silent`: it had its chance to answer.
 */
export type Verdict = 'heard' | 'excused' | 'stuck' | 'silent';

/** More unsent bytes than this are a backlog, and not just a frame that is being compressed. */
const backlogBytes = 16_384;

/** Never throws. */
export function stateOf(connection: ManagedConnection): ConnectionState {
  try {
    return connection.transport.isOpen ? 'open' : 'closed';
  } catch {
    return 'unreadable';
  }
}

/**
 * Looks at the connection's counters and notes what moved since they were last looked at: data of a message that is
 * still arriving is activity, and so is data of a message that is still leaving. Never throws.
 */
export function sample(connection: ManagedConnection): void {
  try {
    noteCounters(connection);
  } catch {
    // A socket whose counters cannot be read has shown nothing; it is judged by what else is known of it.
  }
}

function noteCounters(connection: ManagedConnection): void {
  const { transport } = connection;
  const { bytesReceived, bytesSent, unsentBytes, partialMessageBytes } = transport;
  const hasComeIn = bytesReceived !== connection.bytesReceivedSeen;
  const hasMoved = bytesSent !== connection.bytesSentSeen;
  const hasPartMoved = partialMessageBytes !== undefined && partialMessageBytes !== connection.partialBytesSeen;
  // Mostly so, and then the clock need not be read.
  if (!hasComeIn && !hasMoved && !hasPartMoved && unsentBytes === 0 && connection.standstillAtMs === never) return;
  const now = connection.clock.now();
  if (hasComeIn) {
    connection.bytesReceivedSeen = bytesReceived;
    // Where nothing is incomplete, the last byte came with the last frame, and its time is known.
    connection.lastBytesAtMs =
      partialMessageBytes === 0 ? Math.max(connection.lastBytesAtMs, connection.lastSeenAtMs) : now;
    if (unsentBytes === 0) connection.backloggedAtMs = never;
  }
  if (unsentBytes > backlogBytes) connection.backloggedAtMs = now;
  if (hasMoved) {
    connection.bytesSentSeen = bytesSent;
    connection.lastWriteAtMs = now;
  }
  if (unsentBytes === 0) connection.standstillAtMs = never;
  else if (hasMoved || connection.standstillAtMs === never) connection.standstillAtMs = now;
  if (hasPartMoved) {
    connection.partialBytesSeen = partialMessageBytes;
    if (partialMessageBytes > 0) connection.lastInboundAtMs = now;
  }
}

/**
 * The one judge of silence.
 *
 * Why the excuses: a ping behind megabytes of unsent data has asked nothing yet, and while nobody reads nothing can be
 * heard. What the kernel holds cannot be seen, so data that waited here, and has only just left, excuses too. No excuse
 * outlasts `slowConsumerTimeoutMs`, and unsent data that has not moved for so long shows a peer that takes nothing,
 * whatever it sends.
 * @param bytesThen `bytesReceived` when the first unanswered ping was sent; -1 where none was
 */
export function judgeSilence(connection: ManagedConnection, bytesThen: number, slowConsumerTimeoutMs: number): Verdict {
  sample(connection);
  if (standstillMs(connection) >= slowConsumerTimeoutMs) return 'stuck';
  if (connection.bytesReceivedSeen !== bytesThen) return 'heard';
  const now = connection.clock.now();
  if (isPaused(connection)) return now - connection.lastByteAtMs >= slowConsumerTimeoutMs ? 'stuck' : 'excused';
  return hasUnsent(connection) || now - connection.backloggedAtMs < slowConsumerTimeoutMs ? 'excused' : 'silent';
}

/** For how long unsent data has not moved, as far as was looked; 0 where none waits. */
export function standstillMs(connection: ManagedConnection): number {
  const { standstillAtMs, clock } = connection;
  return standstillAtMs === never ? 0 : clock.now() - standstillAtMs;
}

/** Whether something still waits to leave the process; another ping would only wait behind it. Never throws. */
export function hasUnsent(connection: ManagedConnection): boolean {
  return unsentBytesOf(connection) > 0;
}

/** Bytes that wait to leave the process; 0 if that cannot be read. Never throws. */
export function unsentBytesOf({ transport }: ManagedConnection): number {
  try {
    return transport.unsentBytes;
  } catch {
    return 0;
  }
}

/** Whether the application or the adapter does not read, so that an answer would not be seen. */
function isPaused({ transport }: ManagedConnection): boolean {
  try {
    return transport.isReadingPaused;
  } catch {
    return false;
  }
}
