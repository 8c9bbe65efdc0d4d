import type { ManagedConnection } from '../managers/managed-connection.js';
import { never } from '../time.js';

/** Whether frames can go both ways; `unreadable` where even asking fails. */
export type ConnectionState = 'open' | 'closed' | 'unreadable';

/**
 * What a ping that was not answered by a pong says of its connection:
 * `heard`: some byte came; `excused`: the ping may still be on its way, or we are not reading; `stuck`: it has been
 * excused for too long; `silent`: it had its chance.
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
  const { connection, manager } = link;
  const now = manager.host.clock.now();
  const { bytesReceived, bytesSent, unsentBytes, partialMessageBytes } = connection;
  if (bytesReceived !== link.bytesReceivedSeen) {
    link.bytesReceivedSeen = bytesReceived;
    // Where nothing is incomplete, the last byte came with the last frame, and its time is known.
    link.lastBytesAtMs = partialMessageBytes === 0 ? Math.max(link.lastBytesAtMs, link.lastSeenAtMs) : now;
    if (unsentBytes === 0) link.backloggedAtMs = never;
  }
  if (unsentBytes > backlogBytes) link.backloggedAtMs = now;
  if (bytesSent !== link.bytesSentSeen) {
    link.bytesSentSeen = bytesSent;
    link.lastWriteAtMs = now;
  }
  if (partialMessageBytes !== undefined && partialMessageBytes !== link.partialBytesSeen) {
    link.partialBytesSeen = partialMessageBytes;
    if (partialMessageBytes > 0) link.lastInboundAtMs = now;
  }
}

/**
 * The one judge of silence.
 *
 * Why the excuses: a ping behind megabytes of unsent data has asked nothing yet, and while nobody reads nothing can be
 * heard. What the kernel holds cannot be seen, so data that was stuck here, and has only just left, excuses too. No
 * excuse outlasts `slowConsumerTimeoutMs` without a byte moving: a dead peer with a full buffer must go.
 * @param bytesThen `bytesReceived` when the first unanswered ping was sent
 * @source spec section 5 "Probe"
 */
export function judgeSilence(link: ManagedConnection, bytesThen: number, slowConsumerTimeoutMs: number): Verdict {
  sample(link);
  if (link.bytesReceivedSeen !== bytesThen) return 'heard';
  const now = link.manager.host.clock.now();
  if (!isBlocked(link)) return now - link.backloggedAtMs < slowConsumerTimeoutMs ? 'excused' : 'silent';
  const movedAtMs = Math.max(link.lastSeenAtMs, link.lastBytesAtMs, link.lastWriteAtMs);
  return now - movedAtMs >= slowConsumerTimeoutMs ? 'stuck' : 'excused';
}

/** Whether something still waits to leave the process; another ping would only wait behind it. Never throws. */
export function hasUnsent(link: ManagedConnection): boolean {
  try {
    return link.connection.unsentBytes > 0;
  } catch {
    return false;
  }
}

/** Whether the question has not left, or the answer would not be read. */
function isBlocked(link: ManagedConnection): boolean {
  try {
    return hasUnsent(link) || link.connection.isReadingPaused;
  } catch {
    return false;
  }
}
