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
export function stateOf(link: ManagedConnection): ConnectionState {
  try {
    return link.connection.isOpen ? 'open' : 'closed';
  } catch {
    return 'unreadable';
  }
}

/**
 * Looks at the connection's counters and notes what moved since they were last looked at: data of a message that is
 * still arriving is activity, and so is data of a message that is still leaving. Never throws.
 */
export function sample(link: ManagedConnection): void {
  try {
    noteCounters(link);
  } catch {
    // A socket whose counters cannot be read has shown nothing; it is judged by what else is known of it.
  }
}

function noteCounters(link: ManagedConnection): void {
  const { connection } = link;
  const { bytesReceived, bytesSent, unsentBytes, partialMessageBytes } = connection;
  const hasComeIn = bytesReceived !== link.bytesReceivedSeen;
  const hasMoved = bytesSent !== link.bytesSentSeen;
  const hasPartMoved = partialMessageBytes !== undefined && partialMessageBytes !== link.partialBytesSeen;
  // Mostly so, and then the clock need not be read.
  if (!hasComeIn && !hasMoved && !hasPartMoved && unsentBytes === 0 && link.standstillAtMs === never) return;
  const now = link.clock.now();
  if (hasComeIn) {
    link.bytesReceivedSeen = bytesReceived;
    // Where nothing is incomplete, the last byte came with the last frame, and its time is known.
    link.lastBytesAtMs = partialMessageBytes === 0 ? Math.max(link.lastBytesAtMs, link.lastSeenAtMs) : now;
    if (unsentBytes === 0) link.backloggedAtMs = never;
  }
  if (unsentBytes > backlogBytes) link.backloggedAtMs = now;
  if (hasMoved) {
    link.bytesSentSeen = bytesSent;
    link.lastWriteAtMs = now;
  }
  if (unsentBytes === 0) link.standstillAtMs = never;
  else if (hasMoved || link.standstillAtMs === never) link.standstillAtMs = now;
  if (hasPartMoved) {
    link.partialBytesSeen = partialMessageBytes;
    if (partialMessageBytes > 0) link.lastInboundAtMs = now;
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
export function judgeSilence(link: ManagedConnection, bytesThen: number, slowConsumerTimeoutMs: number): Verdict {
  sample(link);
  if (standstillMs(link) >= slowConsumerTimeoutMs) return 'stuck';
  if (link.bytesReceivedSeen !== bytesThen) return 'heard';
  const now = link.clock.now();
  if (isPaused(link)) return now - link.lastByteAtMs >= slowConsumerTimeoutMs ? 'stuck' : 'excused';
  return hasUnsent(link) || now - link.backloggedAtMs < slowConsumerTimeoutMs ? 'excused' : 'silent';
}

/** For how long unsent data has not moved, as far as was looked; 0 where none waits. */
export function standstillMs(link: ManagedConnection): number {
  const { standstillAtMs, clock } = link;
  return standstillAtMs === never ? 0 : clock.now() - standstillAtMs;
}

/** Whether something still waits to leave the process; another ping would only wait behind it. Never throws. */
export function hasUnsent(link: ManagedConnection): boolean {
  return unsentBytesOf(link) > 0;
}

/** Bytes that wait to leave the process; 0 where that cannot be read. Never throws. */
export function unsentBytesOf({ connection }: ManagedConnection): number {
  try {
    return connection.unsentBytes;
  } catch {
    return 0;
  }
}

/** Whether the application or the adapter does not read, so that an answer would not be seen. */
function isPaused({ connection }: ManagedConnection): boolean {
  try {
    return connection.isReadingPaused;
  } catch {
    return false;
  }
}
