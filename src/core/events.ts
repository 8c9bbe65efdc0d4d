import { noContexts, type AsyncContexts } from './async-contexts.js';
import { describe, type ErrorCode } from './errors.js';
import { isPromise } from './promises.js';
import type {
  AlertLevel,
  CleanupTrigger,
  CloseCause,
  Finding,
  ReleasedBy,
  ReleaseReason,
  StrategyTally,
} from './vocabulary.js';

/** What can be asked for over the admin API that may also be tried without doing it. */
type TriedFirst = 'cleanup' | 'emergency-cleanup' | 'background-cleanup';

/** What can be done by hand, over the admin API. */
export type AdminAction = 'check' | 'release' | 'release-all' | TriedFirst | `${TriedFirst} (dry run)`;

/** What an event about a user says first. */
export interface OfUser {
  readonly userId: string;
}

/** What an event about one of a user's managers says first. */
export interface OfKey extends OfUser {
  readonly threadId: string;
  readonly key: string;
}

/** A manager that was admitted, and should be gone. */
export interface Leak extends OfKey {
  /** Stack frames of who admitted it, the nearest first; for one that had to wait, of who made room for it. */
  readonly admittedBy: readonly string[];
}

/**
 * Everything Mooring says about itself, by event name. Each event is a plain object that survives JSON and is emitted
 * after the state has changed.
 */
export interface MooringEvents {
  /** A slot was taken: the key has a manager from here on. */
  'manager.admitted': OfKey & { readonly managerCount: number; readonly waitedMs: number };
  /** A slot is free again. Exactly once for each `manager.admitted`. */
  'manager.released': OfKey & {
    readonly reason: ReleaseReason;
    /** The cause told to the peer, where one was. */
    readonly closeCause: CloseCause | null;
    readonly generation: number;
    readonly ageMs: number;
    /** Since the last activity. */
    readonly idleMs: number;
    /** Since the last byte from the peer, as far as was looked; without a connection, since the admission. */
    readonly silentMs: number;
    /** The cleanup, or the heartbeat, that found it; `null` where its socket closed or somebody asked. */
    readonly by: ReleasedBy | null;
    /** What `idleMs`, or the age of an error, was held against; `null` where nothing was. */
    readonly limitMs: number | null;
    /** What showed that it was dead; `null` of those released for another reason. */
    readonly finding: Finding | null;
  };
  /** A socket was attached to its manager. */
  'connection.opened': OfKey & { readonly generation: number };
  /** A newer socket of the same thread took over. */
  'connection.replaced': OfKey & { readonly generation: number };
  /** The connection of a held manager said goodbye or broke: the manager waits, for `graceMs`, for the next one of its thread. */
  'connection.left': OfKey & { readonly generation: number; readonly graceMs: number };
  /** The next connection of a thread took over a manager that had waited for it. */
  'connection.resumed': OfKey & { readonly generation: number; readonly awayMs: number };
  /** A hold was neither ended nor renewed within its `maxMs`. */
  'hold.expired': OfKey & { readonly maxMs: number; readonly heldMs: number };
  /** A held manager had no activity, and none of its holds was renewed, for its idle timeout: it protects no longer. Once for each hold. */
  'hold.forgotten': OfKey & { readonly holds: number; readonly idleMs: number };
  /** A connection that was released for its silence sent something before it was destroyed. */
  'connection.answeredLate': OfKey & {
    readonly generation: number;
    /** Who released it: the heartbeat, which took it for dead, or a cleanup, which took it for a suspect. */
    readonly by: ReleasedBy | null;
  };
  /** The client talks, and has answered no ping for as many heartbeats as a connection may miss. Said once of a connection. */
  'connection.neverAnswers': OfKey & { readonly generation: number };
  /** A heartbeat found a ping unanswered. */
  'heartbeat.missed': OfKey & { readonly generation: number; readonly misses: number };
  /** A newcomer waits for a slot. */
  'admission.queued': OfKey & { readonly position: number };
  /** A newcomer was not admitted. */
  'admission.refused': OfKey & {
    readonly code: ErrorCode;
    readonly closeCause: CloseCause;
    readonly retryAfterMs: number | null;
    readonly waitedMs: number;
    /** Newcomers of the same user that stood before it; `null` unless it was refused because the quota was full. */
    readonly ahead: number | null;
    /** Whether the newcomer was heard of itself; one that was accepted, was asked, and answered nothing was not. */
    readonly isHeard: boolean;
  };
  /** A newcomer gave up before it was served. */
  'admission.cancelled': OfKey & { readonly waitedMs: number };
  /** A user's alert level rose or fell. */
  'level.changed': OfUser & {
    readonly level: AlertLevel;
    readonly previous: AlertLevel;
    readonly direction: 'rise' | 'fall';
    readonly managerCount: number;
    /** `null` where there is no limit. */
    readonly maxManagers: number | null;
    readonly usageRatio: number;
  };
  /** A cleanup of one user ended. */
  'cleanup.completed': OfUser & {
    readonly trigger: CleanupTrigger;
    readonly cleaned: number;
    readonly byStrategy: StrategyTally;
    readonly attempts: number;
    readonly timedOut: boolean;
    readonly durationMs: number;
    readonly remaining: number;
  };
  /** A pass of a cleanup threw; the cleanup went on. */
  'cleanup.failed': OfUser & { readonly trigger: CleanupTrigger; readonly error: string };
  /** A background cycle ended. */
  'background.completed': {
    readonly cleaned: number;
    readonly users: number;
    readonly byStrategy: StrategyTally;
    readonly errors: number;
    readonly durationMs: number;
  };
  /** An onRelease hook threw, rejected or ran out of time. */
  'hook.failed': OfKey & { readonly error: string };
  /** A listener of this stream threw. */
  'listener.failed': { readonly event: MooringEventName; readonly error: string };
  /** The limit function threw, or it or a connection gave something that is no limit; the configured one was used. */
  'limit.rejected': OfUser & { readonly got: string; readonly used: number };
  /** A connection came with an idle timeout that is none; the configured one was used. `null`: never. */
  'idleTimeout.rejected': OfKey & { readonly got: string; readonly used: number | null };
  /** The application's `isKeepalive` threw or gave no boolean: such messages are activity. Told once per function. */
  'keepalive.failed': { readonly error: string };
  /** The quota ledger failed: the local limit decided, or what it would not take back is tried again. */
  'ledger.failed': OfUser & { readonly error: string };
  /** Of what the ledger would not take back, too much waits, or Mooring stops: unless the ledger forgets it, it holds a place. */
  'claim.lost': OfKey;
  /** With `leakDetection`: a released manager is kept by somebody, or a socket that was destroyed is still open. Said once. */
  'leak.found': Leak & {
    readonly what: 'manager' | 'socket';
    /** Since the release; for a socket since it was told to close, which a takeover does too. */
    readonly releasedForMs: number;
  };
  /** What was found is gone after all. */
  'leak.gone': Leak & { readonly what: 'manager' | 'socket'; readonly releasedForMs: number };
  /** This process did not run for a while; that time is taken out of every age. */
  'process.stalled': { readonly stalledMs: number };
  /** `authenticate`, or what comes before it (`allowedOrigins`, `attemptRate`), threw, rejected or gave no answer. */
  'authentication.failed': { readonly error: string };
  /** Attempts to connect are not counted by `attemptRate`, for want of an address. Told once. */
  'attempts.uncounted': { readonly reason: string };
  /** A socket was turned away before authentication, with an HTTP status. */
  'socket.rejected': { readonly status: number; readonly reason: string };
  /** A socket came out of an attached server without a manager: it was closed with 1011, so that no limit is evaded. */
  'socket.unmanaged': { readonly reason: string };
  /** Somebody acted on this server by hand, over the admin API. */
  'admin.acted': {
    /** The name of the token; `loopback` where none is asked for. */
    readonly who: string;
    /** What was asked for. */
    readonly action: AdminAction;
    readonly userId: string | null;
    readonly key: string | null;
    readonly outcome: 'done' | 'failed';
    /** What came of it, in a few words. */
    readonly result: string;
  };
  /** Somebody was turned away by the admin API: no token or a wrong one, too little scope, a foreign origin, too often. */
  'admin.refused': {
    readonly status: number;
    /** At most 200 characters. */
    readonly reason: string;
    /** The name of the token, where it is known. */
    readonly who: string | null;
    /** Method and path, at most 200 characters. */
    readonly request: string;
    /** Where it came from, as far as this process knows: behind a proxy, that. */
    readonly address: string | null;
    /** How many others with this status it stands for: beyond 30 a minute they are told in sum, with the last of them. */
    readonly more: number;
  };
  /** The admin API failed by itself. */
  'admin.failed': { readonly route: string; readonly error: string };
  /** Somebody who watches the event stream over the admin API reads too slowly, and lost so many events of it. */
  'viewer.missed': { readonly events: number };
  /** Somebody who watched took nothing for a minute and was dropped. */
  'viewer.dropped': { readonly watchedMs: number };
  /** Admission is shut; connections are being closed in waves. */
  'server.draining': { readonly managers: number };
  /** Everything is released and every timer gone. */
  'server.stopped': { readonly released: number };
}

/** The name of an event: a noun and what happened to it. */
export type MooringEventName = keyof MooringEvents;

/** All names. */
export const eventNames = Object.freeze(
  Object.keys({
    'manager.admitted': true,
    'manager.released': true,
    'connection.opened': true,
    'connection.replaced': true,
    'connection.left': true,
    'connection.resumed': true,
    'hold.expired': true,
    'hold.forgotten': true,
    'connection.answeredLate': true,
    'connection.neverAnswers': true,
    'heartbeat.missed': true,
    'admission.queued': true,
    'admission.refused': true,
    'admission.cancelled': true,
    'level.changed': true,
    'cleanup.completed': true,
    'cleanup.failed': true,
    'background.completed': true,
    'hook.failed': true,
    'listener.failed': true,
    'limit.rejected': true,
    'idleTimeout.rejected': true,
    'keepalive.failed': true,
    'ledger.failed': true,
    'claim.lost': true,
    'leak.found': true,
    'leak.gone': true,
    'process.stalled': true,
    'authentication.failed': true,
    'attempts.uncounted': true,
    'socket.rejected': true,
    'socket.unmanaged': true,
    'admin.acted': true,
    'admin.refused': true,
    'admin.failed': true,
    'viewer.missed': true,
    'viewer.dropped': true,
    'server.draining': true,
    'server.stopped': true,
  } satisfies Record<MooringEventName, true>),
) as readonly MooringEventName[];

/** An event as listeners get it. `atMs` is wall-clock time, for display. */
export type MooringEvent<Name extends MooringEventName = MooringEventName> = {
  readonly [N in Name]: { readonly type: N; readonly atMs: number } & MooringEvents[N];
}[Name];

/**
 * A listener. What it throws is reported as `listener.failed`, and stops nothing. It runs in the async context of no
 * request, whoever's request the event comes from.
 */
export type MooringListener<Name extends MooringEventName = MooringEventName> = (event: MooringEvent<Name>) => void;

/** The names of events about one of a user's managers. */
export type KeyedEventName = {
  [Name in MooringEventName]: MooringEvents[Name] extends OfKey ? Name : never;
}[MooringEventName];

/** What such an event says besides whose manager it is about. */
export type KeyedDetails<Name extends KeyedEventName> = Omit<MooringEvents[Name], keyof OfKey>;

/** Hears what an event says, before listeners do. What it throws is reported as `listener.failed`, and stops nothing. */
export type Observer<Name extends KeyedEventName> = (of: OfUser, details: KeyedDetails<Name>) => void;

interface Registration {
  readonly listener: (event: MooringEvent) => unknown;
}

/** The one stream that logs, metrics, journal and tests read. */
export class EventStream {
  readonly #byName = new Map<MooringEventName, Set<Registration>>();
  readonly #toAll = new Set<Registration>();
  readonly #observers = new Map<MooringEventName, (of: OfUser, details: object) => void>();
  readonly #wallNow: () => number;
  readonly #contexts: AsyncContexts;

  constructor(wallNow: () => number, contexts = noContexts) {
    this.#wallNow = wallNow;
    this.#contexts = contexts;
  }

  /** Listens to one kind of event. @returns what ends it */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners);
    return added(listeners, listener as MooringListener);
  }

  /** Listens to every event. @returns what ends it */
  onAny(listener: MooringListener): () => void {
    return added(this.#toAll, listener);
  }

  /**
   * @internal Has one part of Mooring itself hear of every event of a kind, for as long as there is an event stream.
   *
   * Why not a listener: the event object, its isolation key and the wall clock are read for listeners alone, and with
   * an observer alone none of them is made. What happens with every connection would make two for nobody.
   */
  observe<Name extends KeyedEventName>(name: Name, observer: Observer<Name>): void {
    if (this.#observers.has(name)) throw new TypeError(`${name} has an observer already`);
    this.#observers.set(name, observer as (of: OfUser, details: object) => void);
  }

  /** Never throws. */
  emit<Name extends MooringEventName>(name: Name, details: MooringEvents[Name]): void {
    // Only names of events about a manager are observed.
    this.#inform(name, details as unknown as OfUser, details);
    if (!this.#isHeard(name)) return;
    this.#deliver({ type: name, atMs: this.#wallNow(), ...details } as unknown as MooringEvent);
  }

  /**
   * @internal As {@link emit}, for what happens with every connection: thread and key are read only if somebody listens.
   * @param of the manager the event is about
   */
  emitOf<Name extends KeyedEventName>(name: Name, of: OfKey, details: KeyedDetails<Name>): void {
    this.#inform(name, of, details);
    if (!this.#isHeard(name)) return;
    const { userId, threadId, key } = of;
    const event = { type: name, atMs: this.#wallNow(), userId, threadId, key, ...details };
    this.#deliver(event as unknown as MooringEvent);
  }

  #inform(name: MooringEventName, of: OfUser, details: object): void {
    const observer = this.#observers.get(name);
    if (observer === undefined) return;
    try {
      observer(of, details);
    } catch (error) {
      this.#report(name, error);
    }
  }

  #isHeard(name: MooringEventName): boolean {
    if (this.#toAll.size > 0) return true;
    const listeners = this.#byName.get(name);
    return listeners !== undefined && listeners.size > 0;
  }

  #deliver(event: MooringEvent): void {
    const listeners = this.#byName.get(event.type);
    this.#contexts.outside(() => {
      if (listeners !== undefined) this.#tell(listeners, event);
      this.#tell(this.#toAll, event);
    });
  }

  #tell(listeners: ReadonlySet<Registration>, event: MooringEvent): void {
    for (const { listener } of listeners) {
      try {
        const result = listener(event);
        if (isPromise(result)) void this.#watch(result, event.type);
      } catch (error) {
        this.#report(event.type, error);
      }
    }
  }

  async #watch(result: PromiseLike<unknown>, event: MooringEventName): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.#report(event, error);
    }
  }

  #report(event: MooringEventName, error: unknown): void {
    if (event !== 'listener.failed') this.emit('listener.failed', { event, error: describe(error) });
  }
}

/** An object of its own for each registration: the same listener may be registered twice, and each end ends one. */
function added(registrations: Set<Registration>, listener: MooringListener): () => void {
  const registration = { listener };
  registrations.add(registration);
  return () => {
    registrations.delete(registration);
  };
}
