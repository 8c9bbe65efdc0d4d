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

/** A cleanup strategy, as everything outside `cleanup/` knows it. */
interface StrategyRow {
  /** Which managers it chooses. */
  readonly about: string;
  /** Whether every cleanup applies it. If not, it is for cleanups that have to make room. */
  readonly isRoutine: boolean;
  /** Why a manager that it chose was released. Each strategy has a reason of its own. */
  readonly reason: string;
  /** What the client of such a manager is told. */
  readonly closeCause: CloseCause;
  /** Its name in a list of strategies, and the name of its reason in a list of reasons. */
  readonly label: string;
  readonly releaseLabel: string;
  /** What a manager is that it chose, and the figure that shows it: `abandoned: unused for 12 min`. */
  readonly verdict: string;
  readonly figure: 'silence' | 'idleness' | 'errorAge';
  /** How bad such a release is. */
  readonly tone: 'warn' | 'bad';
}

/**
 * The cleanup strategies, in the order in which they are applied. A new one needs a row here and its file in
 * `cleanup/strategies/`; the compiler then asks for the file in `cleanup/playbook.ts`.
 */
export const strategies = {
  disconnected: {
    about: 'Not open, two heartbeats missed, or silent to a probe.',
    isRoutine: true,
    reason: 'disconnected',
    closeCause: 'silent',
    label: 'dead or suspect',
    releaseLabel: 'dead or suspect',
    verdict: 'dead',
    figure: 'silence',
    tone: 'warn',
  },
  idle: {
    about: 'No activity for as long as the cleanup allows.',
    isRoutine: true,
    reason: 'idle',
    closeCause: 'idle',
    label: 'abandoned',
    releaseLabel: 'abandoned',
    verdict: 'abandoned',
    figure: 'idleness',
    tone: 'warn',
  },
  error: {
    about: '`fail(error)`, a fatal socket error, or a reported error that stood too long.',
    isRoutine: true,
    reason: 'error',
    closeCause: 'error',
    label: 'failed',
    releaseLabel: 'after an error',
    verdict: 'failed',
    figure: 'errorAge',
    tone: 'bad',
  },
  oldest: {
    about: 'Forced eviction: made room for a newcomer of the same user.',
    isRoutine: false,
    reason: 'evicted',
    closeCause: 'evicted',
    label: 'left alone longest',
    releaseLabel: 'evicted',
    verdict: 'the one left alone longest',
    figure: 'idleness',
    tone: 'bad',
  },
} as const satisfies Record<string, StrategyRow>;

/** @see strategies */
export type StrategyName = keyof typeof strategies;

/** What shows that a strategy was right to choose a manager. */
export type StrategyFigure = StrategyRow['figure'];

/** @see strategies */
export const strategyNames = Object.freeze(Object.keys(strategies)) as readonly StrategyName[];

/** The strategies that never release a connection in use. */
export const routineStrategyNames = routineNamesIn(strategies);

/** @see routineStrategyNames */
export type RoutineStrategyName = (typeof routineStrategyNames)[number];

function routineNamesIn<T extends Readonly<Record<string, StrategyRow>>>(rows: T) {
  type Names = { [Name in keyof T & string]: T[Name]['isRoutine'] extends true ? Name : never };
  const names = Object.keys(rows).filter((name) => rows[name]?.isRoutine);
  return Object.freeze(names) as readonly Names[keyof Names][];
}

/** How many managers each strategy released. */
export type StrategyTally = Readonly<Record<StrategyName, number>>;

type CausesByReason = {
  readonly [
    Name in keyof typeof strategies as (typeof strategies)[Name]['reason']
  ]: (typeof strategies)[Name]['closeCause'];
};

/** A reason that belongs to a strategy. */
export type StrategyReason = keyof CausesByReason;

const causesByReason = Object.fromEntries(
  Object.values(strategies).map(({ reason, closeCause }) => [reason, closeCause]),
) as CausesByReason;

/** Why a manager was released, and the cause that its client is told, unless the release has a more exact one. */
export const releaseReasons = {
  /** The socket's own close event, or `disconnect` of its own context. */
  closed: 'closed',
  ...causesByReason,
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

/** Why a cleanup ran. */
export const cleanupTriggers = ['background', 'level', 'admission', 'request'] as const;

/** @see cleanupTriggers */
export type CleanupTrigger = (typeof cleanupTriggers)[number];

/** What can decide to release a manager, apart from its own socket and calls of the application. */
export const releasers = ['heartbeat', ...cleanupTriggers] as const;

/** @see releasers */
export type ReleasedBy = (typeof releasers)[number];
