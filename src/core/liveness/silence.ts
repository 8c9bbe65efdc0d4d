import type { ManagedConnection } from '../managers/managed-connection.js';
import { never } from '../time.js';

/** Whether frames can go both ways; `unreadable` if the transport throws. */
export type ConnectionState = 'open' | 'closed' | 'unreadable';

/**
 * The state of a connection since a ping:
 * `heard`: a byte came; `excused`: the ping may not have left, or the socket is not read; `stuck`: unsent data has not
 * moved, or the socket was not read, for too long; `silent`: no byte came, and there is no excuse.
 */
export type Verdict = 'heard' | 'excused' | 'stuck' | 'silent';

/** More unsent bytes than this are a backlog. Fewer may be one frame that is being compressed. */
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
 * Reads the connection's counters, and notes what moved since the last time: data of a message that is still arriving or
 * leaving is activity. Never throws.
 */
export function sample(connection: ManagedConnection): void {
  try {
    noteCounters(connection);
  } catch {
    // If the counters cannot be read, the connection is judged by what was noted before.
  }
}

function noteCounters(connection: ManagedConnection): void {
  const { transport } = connection;
  const { bytesReceived, bytesSent, unsentBytes, partialMessageBytes } = transport;
  const hasComeIn = bytesReceived !== connection.bytesReceivedSeen;
  const hasMoved = bytesSent !== connection.bytesSentSeen;
  const hasPartMoved = partialMessageBytes !== undefined && partialMessageBytes !== connection.partialBytesSeen;
  // The usual case: the clock need not be read.
  if (!hasComeIn && !hasMoved && !hasPartMoved && unsentBytes === 0 && connection.standstillAtMs === never) return;
  const now = connection.clock.now();
  if (hasComeIn) {
    connection.bytesReceivedSeen = bytesReceived;
    // If no message is incomplete, the last byte came with the last frame, whose time is known.
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
 * Judges the silence of a connection. Heartbeat and probe both use this function.
 *
 * Why there are excuses: a ping behind unsent data has not reached the peer, and an answer is not seen while the socket is
 * not read. Data that has just left this process may still wait in the kernel, so it excuses too. No excuse lasts longer
 * than `slowConsumerTimeoutMs`. If unsent data has not moved for that long, the peer takes nothing, whatever it sends.
 * @param bytesThen `bytesReceived` when the first unanswered ping was sent; -1 if there was none
 */
export function judgeSilence(connection: ManagedConnection, bytesThen: number, slowConsumerTimeoutMs: number): Verdict {
  sample(connection);
  if (standstillMs(connection) >= slowConsumerTimeoutMs) return 'stuck';
  if (connection.bytesReceivedSeen !== bytesThen) return 'heard';
  const now = connection.clock.now();
  if (isPaused(connection)) return now - connection.lastByteAtMs >= slowConsumerTimeoutMs ? 'stuck' : 'excused';
  return hasUnsent(connection) || now - connection.backloggedAtMs < slowConsumerTimeoutMs ? 'excused' : 'silent';
}

/** For how many milliseconds unsent data has not moved, as of the last sample; 0 if there is none. */
export function standstillMs(connection: ManagedConnection): number {
  const { standstillAtMs, clock } = connection;
  return standstillAtMs === never ? 0 : clock.now() - standstillAtMs;
}

/** Whether data waits to leave the process; another ping would wait behind it. Never throws. */
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

/** Whether the socket is not read, so that an answer would not be seen. Never throws. */
function isPaused({ transport }: ManagedConnection): boolean {
  try {
    return transport.isReadingPaused;
  } catch {
    return false;
  }
}
