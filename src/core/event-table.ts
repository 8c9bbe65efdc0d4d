import type { ErrorCode } from './errors.js';
import { fields, type EventRowsByName, type Fields, type Leak, type OfKey, type OfUser } from './event-row.js';
import type {
  AlertLevel,
  CleanupTrigger,
  CloseCause,
  Finding,
  LedgerState,
  ReleasedBy,
  ReleaseReason,
  StrategyTally,
} from './vocabulary.js';

/** The events of the core. Those of edges are in `src/events/`. */
export const coreEvents = Object.freeze({
  'manager.admitted': {
    fields: fields<OfKey & { readonly managerCount: number; readonly waitedMs: number }>(),
    severity: 'debug',
    isJournalled: true,
    about: 'A slot was taken: the key has a manager from here on.',
  },
  'manager.released': {
    fields: fields<
      OfKey & {
        readonly reason: ReleaseReason;
        /** The cause the peer was told; `null` if there was no connection. */
        readonly closeCause: CloseCause | null;
        readonly generation: number;
        readonly ageMs: number;
        /** Since the last activity. */
        readonly idleMs: number;
        /** Since a byte from the peer was last noticed; without a connection, since the admission. */
        readonly silentMs: number;
        /** The cleanup, or the heartbeat, that found it; `null` if its socket closed, or an operator or the application asked. */
        readonly by: ReleasedBy | null;
        /** The limit that `idleMs`, or the age of an error, reached; `null` if there was none. */
        readonly limitMs: number | null;
        /** What showed that it was dead; `null` if it was released for another reason. */
        readonly finding: Finding | null;
      }
    >(),
    severity: 'debug',
    isJournalled: true,
    about: 'A slot is free again. Exactly once for each `manager.admitted`.',
  },
  'connection.opened': {
    fields: fields<OfKey & { readonly generation: number }>(),
    severity: 'debug',
    about: 'A socket was attached to its manager.',
  },
  'connection.replaced': {
    fields: fields<OfKey & { readonly generation: number }>(),
    severity: 'info',
    isJournalled: true,
    about: 'A newer socket of the same thread took over.',
  },
  'connection.left': {
    fields: fields<OfKey & { readonly generation: number; readonly graceMs: number }>(),
    severity: 'debug',
    isJournalled: true,
    about:
      'The connection of a held manager closed or broke: the manager waits, for at most `graceMs`, for the next connection of its thread.',
  },
  'connection.resumed': {
    fields: fields<OfKey & { readonly generation: number; readonly awayMs: number }>(),
    severity: 'debug',
    isJournalled: true,
    about: 'The next connection of a thread took over a manager that had waited for it.',
  },
  'hold.expired': {
    fields: fields<OfKey & { readonly maxMs: number; readonly heldMs: number }>(),
    severity: 'warn',
    isJournalled: true,
    about: 'A hold was neither ended nor renewed within its `maxMs`.',
  },
  'hold.forgotten': {
    fields: fields<OfKey & { readonly holds: number; readonly idleMs: number }>(),
    severity: 'warn',
    isJournalled: true,
    about:
      'A held manager had no activity, and no hold of it was renewed, for its idle timeout: the hold does not protect it any longer. Once for each hold.',
  },
  'connection.answeredLate': {
    fields: fields<
      OfKey & {
        readonly generation: number;
        /** What released it: the heartbeat, which took it for dead, or a cleanup, which took it for a suspect. */
        readonly by: ReleasedBy | null;
      }
    >(),
    severity: 'warn',
    isJournalled: true,
    about: 'A connection that was released for its silence sent something before it was destroyed.',
  },
  'connection.neverAnswers': {
    fields: fields<OfKey & { readonly generation: number }>(),
    severity: 'warn',
    isJournalled: true,
    about:
      'The client sends messages, and has answered no ping for as many heartbeats as a connection may miss. Once for each connection.',
  },
  'heartbeat.missed': {
    fields: fields<OfKey & { readonly generation: number; readonly misses: number }>(),
    severity: 'debug',
    isJournalled: true,
    about: 'A heartbeat found a ping unanswered.',
  },
  'admission.queued': {
    fields: fields<OfKey & { readonly position: number }>(),
    severity: 'debug',
    isJournalled: true,
    about: 'A newcomer waits for a slot.',
  },
  'admission.refused': {
    fields: fields<
      OfKey & {
        readonly code: ErrorCode;
        readonly closeCause: CloseCause;
        readonly retryAfterMs: number | null;
        readonly waitedMs: number;
        /** Newcomers of the same user that waited before it; `null` unless it was refused because the quota was full. */
        readonly ahead: number | null;
        /** `false` for a newcomer whose socket was accepted and pinged, and that answered nothing. */
        readonly isHeard: boolean;
      }
    >(),
    severity: 'warn',
    isJournalled: true,
    about: 'A newcomer was not admitted.',
  },
  'admission.cancelled': {
    fields: fields<OfKey & { readonly waitedMs: number }>(),
    severity: 'debug',
    isJournalled: true,
    about: 'A newcomer gave up before it was served.',
  },
  'level.changed': {
    fields: fields<
      OfUser & {
        readonly level: AlertLevel;
        readonly previous: AlertLevel;
        readonly direction: 'rise' | 'fall';
        readonly managerCount: number;
        /** `null` without a limit. */
        readonly maxManagers: number | null;
        readonly usageRatio: number;
      }
    >(),
    severity: 'info',
    isJournalled: true,
    about: "A user's alert level rose or fell.",
  },
  'cleanup.completed': {
    fields: fields<
      OfUser & {
        readonly trigger: CleanupTrigger;
        readonly cleaned: number;
        readonly byStrategy: StrategyTally;
        readonly attempts: number;
        readonly timedOut: boolean;
        readonly durationMs: number;
        readonly remaining: number;
      }
    >(),
    severity: 'info',
    isJournalled: true,
    about: 'A cleanup of one user ended.',
  },
  'cleanup.failed': {
    fields: fields<OfUser & { readonly trigger: CleanupTrigger; readonly error: string }>(),
    severity: 'error',
    isJournalled: true,
    about: 'A pass of a cleanup threw; the cleanup went on.',
  },
  'background.completed': {
    fields: fields<{
      readonly cleaned: number;
      readonly users: number;
      readonly byStrategy: StrategyTally;
      readonly errors: number;
      readonly durationMs: number;
    }>(),
    severity: 'debug',
    isSampled: false,
    about: 'A background cycle ended.',
  },
  'hook.failed': {
    fields: fields<OfKey & { readonly error: string }>(),
    severity: 'error',
    isJournalled: true,
    about: 'An onRelease hook threw, rejected or ran out of time.',
  },
  'listener.failed': {
    fields: fields<{ readonly event: string; readonly error: string }>(),
    severity: 'error',
    about: 'A listener of this stream threw.',
  },
  'limit.rejected': {
    fields: fields<OfUser & { readonly got: string; readonly used: number }>(),
    severity: 'error',
    isJournalled: true,
    about: '`limitOf` threw, or it or a connection gave a value that is no limit; the configured limit was used.',
  },
  'idleTimeout.rejected': {
    fields: fields<OfKey & { readonly got: string; readonly used: number | null }>(),
    severity: 'error',
    isJournalled: true,
    about:
      'A connection came with a value that is no idle timeout; the configured one was used (`null`: connections are never idle).',
  },
  'keepalive.failed': {
    fields: fields<{ readonly error: string }>(),
    severity: 'error',
    about:
      "The application's `isKeepalive` threw or gave no boolean: such messages count as activity. Once for each function.",
  },
  'ledger.failed': {
    fields: fields<OfUser & { readonly error: string }>(),
    severity: 'error',
    isJournalled: true,
    about: 'The quota ledger failed: the local limit decides, and slots that it did not take back are tried again.',
  },
  'ledger.changed': {
    fields: fields<{
      readonly state: LedgerState;
      readonly previous: LedgerState;
      /** Why it is not up, and what to do; `null` if it is up. */
      readonly reason: string | null;
      /** How long it was in the previous state. */
      readonly afterMs: number;
    }>(),
    severity: 'warn',
    isSampled: false,
    about:
      'The quota ledger can be asked (`up`), or not: while it is `suspended`, newcomers still wait for its answer; while it is `down`, the local limit decides, or with `failOpen: false` they are refused.',
  },
  'ledger.mismatch': {
    fields: fields<{ readonly ours: number; readonly theirs: number }>(),
    severity: 'error',
    isSampled: false,
    about:
      'Another process that shares the quota has another `maxManagersPerUser` than this one: which limit a user has depends on where they connect. Once for each value.',
  },
  'claim.lost': {
    fields: fields<OfKey>(),
    severity: 'error',
    isJournalled: true,
    about:
      'A slot could not be released in the shared ledger and will not be tried again: it stays taken until the ledger expires it.',
  },
  'leak.found': {
    fields: fields<
      Leak & {
        readonly what: 'manager' | 'socket';
        /** Since the release; for a socket since it was told to close, also by a takeover. */
        readonly releasedForMs: number;
      }
    >(),
    severity: 'warn',
    isJournalled: true,
    about:
      'With `leakDetection`: the application holds on to a released manager, or a socket that was destroyed is still open. Once for each.',
  },
  'leak.gone': {
    fields: fields<Leak & { readonly what: 'manager' | 'socket'; readonly releasedForMs: number }>(),
    severity: 'info',
    isJournalled: true,
    about: 'A leak that was found is gone after all.',
  },
  'process.stalled': {
    fields: fields<{ readonly stalledMs: number }>(),
    severity: 'warn',
    about: 'This process did not run for a while; no age counts that time.',
  },
  'server.draining': {
    fields: fields<{ readonly managers: number }>(),
    severity: 'info',
    isSampled: false,
    about: 'The server stops: newcomers are refused, and connections are closed in waves.',
  },
  'server.stopped': {
    fields: fields<{ readonly released: number }>(),
    severity: 'info',
    isSampled: false,
    about: 'Every manager is released, and no timer is left.',
  },
} as const satisfies EventRowsByName);

type CoreEvents = typeof coreEvents;

/** The rows of all events by name: the core's, and those that edges add by declaring this interface once more. */
export interface EventRows extends CoreEvents {}

/** The name of an event: a noun and what happened to it. */
export type MooringEventName = keyof EventRows;

/**
 * The fields of each event, by its name. Each event is a plain object that survives JSON and is emitted after the state
 * has changed.
 */
export type MooringEvents = {
  readonly [Name in MooringEventName]: EventRows[Name]['fields'] extends Fields<infer T> ? T : never;
};

/** The names of events that the journal of a user keeps. */
export type JournalledEventName = {
  [Name in MooringEventName]: EventRows[Name] extends { readonly isJournalled: true } ? Name : never;
}[MooringEventName];
