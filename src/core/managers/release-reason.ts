import type { CloseCause, CloseDetail } from '../close-codes.js';
import type { ReleasedBy } from '../events.js';

/**
 * Why a manager was released, and what its peer is told unless the release says something more exact.
 * `null`: nothing, the peer is gone already.
 * @source spec sections 4 and 10
 */
export const releaseReasons = {
  /** The socket's own close event, or `disconnect` of its own context. */
  closed: 'closed',
  /** Not open, two heartbeats missed, or silent to a probe. */
  disconnected: 'silent',
  /** No activity for as long as whoever asked allows. */
  idle: 'idle',
  /** `fail(error)`, a fatal socket error, or a reported error that stood too long. */
  error: 'error',
  /** Made room for a newcomer of the same user. */
  evicted: 'evicted',
  /** An operator or the application asked. */
  requested: 'requested',
  /** The slot was granted and no socket ever came. */
  unattached: 'unattached',
  /** The server stops. */
  shutdown: 'drain',
} as const satisfies Record<string, CloseCause>;

/** @see releaseReasons */
export type ReleaseReason = keyof typeof releaseReasons;

/**
 * What showed that a connection is dead, or takes too little: it was closed already (`closed`); nothing came back through
 * as many pings as it is given (`silent`); its unsent data did not move for too long (`stuck`); or a message was handed
 * over while more than `maxUnsentBytes` waited (`overfull`).
 */
export const findings = ['closed', 'silent', 'stuck', 'overfull'] as const;

/** @see findings */
export type Finding = (typeof findings)[number];

/** What else is to be said of a release. */
export interface ReleaseOptions {
  /** What to tell the peer instead of what the reason says by itself. */
  readonly closeCause?: CloseCause | undefined;
  readonly detail?: CloseDetail;
  /** Who found it. */
  readonly by?: ReleasedBy;
  /** What it was measured against. */
  readonly limitMs?: number | undefined;
  /** What showed that it is dead. */
  readonly finding?: Finding | undefined;
  /** Its place is for a newcomer that was heard of: one that was accepted and has answered nothing is passed over. */
  readonly isForHeard?: boolean;
}
