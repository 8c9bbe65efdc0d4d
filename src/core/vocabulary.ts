/**
 * The words that all other files use. This file imports nothing. A new word is one entry: the compiler then names the
 * tables that lack it.
 */

/** How full a user's quota is, lowest first. */
export const alertLevels = ['normal', 'info', 'warning', 'critical', 'emergency'] as const;

/** @see alertLevels */
export type AlertLevel = (typeof alertLevels)[number];

/** The cause that a client is told when Mooring closes or refuses its WebSocket. */
export const closeCauses = [
  'quota',
  'capacity',
  'contested',
  'slow',
  'silent',
  'drain',
  'error',
  'replaced',
  'evicted',
  'idle',
  'requested',
  'malformed',
  'unauthenticated',
  'authentication',
  'closed',
  'unattached',
  'unavailable',
] as const;

/** @see closeCauses */
export type CloseCause = (typeof closeCauses)[number];

/** Why a manager was released, and the cause that its client is told, unless the release has a more exact one. */
export const releaseReasons = {
  /** The socket's own close event, or `disconnect` of its own context. */
  closed: 'closed',
  /** Not open, two heartbeats missed, or silent to a probe. */
  disconnected: 'silent',
  /** No activity for as long as the cleanup allows. */
  idle: 'idle',
  /** `fail(error)`, a fatal socket error, or a reported error that stood too long. */
  error: 'error',
  /** Made room for a newcomer of the same user. */
  evicted: 'evicted',
  /** An operator or the application asked. */
  requested: 'requested',
  /** The slot was granted and no socket ever came. */
  unattached: 'unattached',
  /** A newer connection of the thread is served by another process. */
  moved: 'replaced',
  /** The server stops. */
  shutdown: 'drain',
} as const satisfies Record<string, CloseCause>;

/** @see releaseReasons */
export type ReleaseReason = keyof typeof releaseReasons;

/**
 * Whether the quota ledger can be asked, best first: `suspended` while it is not known, and each newcomer still waits for
 * its answer.
 */
export const ledgerStates = ['up', 'suspended', 'down'] as const;

/** @see ledgerStates */
export type LedgerState = (typeof ledgerStates)[number];

/**
 * What showed that a connection is dead or too slow: it was closed already (`closed`); it answered none of its pings
 * (`silent`); its unsent data did not move for too long (`stuck`); or a message was sent while more than `maxUnsentBytes`
 * waited (`overfull`).
 */
export const findings = ['closed', 'silent', 'stuck', 'overfull'] as const;

/** @see findings */
export type Finding = (typeof findings)[number];

/**
 * The strategies that never release a connection in use, in the order in which they are applied. A new one needs a name
 * here, its file in `cleanup/strategies/`, and the entries that the compiler then names.
 */
export const routineStrategyNames = ['disconnected', 'idle', 'error'] as const;

/** @see routineStrategyNames */
export type RoutineStrategyName = (typeof routineStrategyNames)[number];

/** All strategies, in the order in which they are applied; `oldest` is forced eviction. */
export const strategyNames = [...routineStrategyNames, 'oldest'] as const;

/** @see strategyNames */
export type StrategyName = (typeof strategyNames)[number];

/** How many managers each strategy released. */
export type StrategyTally = Readonly<Record<StrategyName, number>>;

/** Why a cleanup ran. */
export const cleanupTriggers = ['background', 'level', 'admission', 'request'] as const;

/** @see cleanupTriggers */
export type CleanupTrigger = (typeof cleanupTriggers)[number];

/** What can decide to release a manager, apart from its own socket and calls of the application. */
export const releasers = ['heartbeat', ...cleanupTriggers] as const;

/** @see releasers */
export type ReleasedBy = (typeof releasers)[number];
