import type { ArrivalOrder } from './admission/arrival-order.js';
import type { Connected, ConnectOptions } from './admission/connector.js';
import {
  refused,
  settledOf,
  type Admission,
  type AdmitOptions,
  type DecideOptions,
  type PendingAdmission,
} from './admission/outcome.js';
import type { RefusalPacer } from './admission/refusal-pacer.js';
import type { Refusals } from './admission/refusals.js';
import type { BackgroundCleanup } from './cleanup/background.js';
import type { EmergencyCleanupResult, EvictionRequest } from './cleanup/emergency-run.js';
import type { BackgroundPreview, CleanupRequest, CleanupResult } from './cleanup/requested.js';
import { compose, type Composition, type MooringSetup } from './compose.js';
import { describe } from './errors.js';
import type { EventStream, ListenOptions, MooringListener } from './events.js';
import type { MooringEventName } from './event-table.js';
import type { Keepalives } from './liveness/keepalives.js';
import type { Journal } from './diagnostics/journal.js';
import type { SuccessReport } from './kpis/kpi.js';
import type { UnsentBytes } from './liveness/heartbeat.js';
import { unansweredSinceMs } from './liveness/ping.js';
import { partsOf } from './identity/isolation-key.js';
import type { ContextFields } from './identity/user-execution-context.js';
import type { Connection } from './managers/connection.js';
import type { ReleaseOptions, WebSocketManager } from './managers/manager.js';
import type { WebSocketResourceMonitor } from './pressure/monitor.js';
import { withResolver } from './promises.js';
import type { LedgerStatus } from './quota/quota-ledger.js';
import { aliasesOf, connectionsNames, factoryNames, type Aliases } from './seed-names.js';
import type { WebSocketConfig } from './settings.js';
import type { Clock } from './time.js';
import { closeCauses, type CloseCause } from './vocabulary.js';

/** A suspect: a connection that was silent to a probe, and has sent no byte since. */
export interface SuspectOutlook {
  /** Milliseconds since the first ping that nothing has answered. */
  readonly unansweredMs: number;
  /**
   * In how many milliseconds the heartbeat ends it at the latest, if nothing arrives and no newcomer takes its slot;
   * `null` if that depends on unsent data, or on when the application reads from it again.
   */
  readonly endsInMs: number | null;
}

/** How {@link Mooring.release} and {@link Mooring.releaseAll} end connections. */
export interface ReleaseRequest {
  /**
   * What the client is told, for example `unauthenticated` after a logout: then `mooring/client` does not connect again,
   * and asks the person to sign in. @default 'requested'
   */
  readonly closeCause?: CloseCause | undefined;
}

/** `mooring.factory`: what the original sketch calls its factory. */
export type WebSocketManagerFactory = Aliases<Mooring, typeof factoryNames>;

/** `mooring.connections`: what the original sketch calls its connection manager. */
export type WebSocketConnectionManager = Aliases<Mooring, typeof connectionsNames>;

/**
 * Keeps the connection limits of one server. It needs no start: its timers run while there are connections to watch.
 * `stop()` ends it for good.
 */
export class Mooring {
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  /** How full the users' limits are. */
  readonly monitor: WebSocketResourceMonitor;
  /** The cleanup that runs every `backgroundCleanupIntervalMs`. */
  readonly backgroundCleanup: BackgroundCleanup;
  /** The latest decisions about each user; empty if the setting `journalBytes` is 0. */
  readonly journal: Journal;
  /** Tells keepalives from activity, for adapters. */
  readonly keepalives: Keepalives;
  /**
   * The same operations under the names of the original sketch.
   * @deprecated they are methods of the Mooring itself: docs/guides/from-the-seed.md has both names.
   */
  readonly factory: WebSocketManagerFactory;
  /** @deprecated as {@link factory}. */
  readonly connections: WebSocketConnectionManager;
  readonly #parts: Composition;
  #stopping: Promise<void> | null = null;

  /** @internal */
  constructor(setup: MooringSetup) {
    this.#parts = compose(setup);
    this.config = setup.config;
    this.events = this.#parts.events;
    this.monitor = this.#parts.monitor;
    this.backgroundCleanup = this.#parts.background;
    this.journal = this.#parts.journal;
    this.keepalives = this.#parts.keepalives;
    const { tellRenamed = () => undefined } = setup;
    /* eslint-disable @typescript-eslint/no-deprecated -- they go on working */
    this.factory = aliasesOf(this, factoryNames, { path: 'mooring.factory', tellRenamed });
    this.connections = aliasesOf(this, connectionsNames, { path: 'mooring.connections', tellRenamed });
    /* eslint-enable @typescript-eslint/no-deprecated */
  }

  /**
   * Asks for a slot for a connection of this context. If the user has none left, Mooring first looks for dead and
   * abandoned connections of the user. Open the ticket within `ticketMs`, or cancel it.
   *
   * @example
   * const { ticket, refusal } = await mooring.admit({ userId, threadId }, { signal });
   * @returns a ticket, or the refusal; a refusal if the signal is aborted before
   * @throws MalformedContextError
   */
  async admit(fields: ContextFields, { signal, arrival }: AdmitOptions = {}): Promise<Admission> {
    if (signal?.aborted !== true) return settledOf(this.decide(fields, { arrival }), signal);
    if (arrival !== undefined) this.arrivals.decided(arrival);
    return refused(this.refusals.cancelled());
  }

  /**
   * As {@link admit}, at once, for adapters that have to know whether a client waits: a pending admission may be told of
   * the client's socket, so that it is pinged too.
   * @throws MalformedContextError
   */
  decide(fields: ContextFields, options?: DecideOptions): Admission | PendingAdmission {
    return this.#parts.admission.admit(fields, options);
  }

  /**
   * Admits a socket that was accepted already, and attaches it. A refused socket is closed with the reason.
   * @returns the connection, to which the adapter must report the socket's events, or the refusal
   * @throws MalformedContextError
   */
  connect(transport: Connection, fields: ContextFields, options?: ConnectOptions): Promise<Connected> {
    return this.#parts.connector.connect(transport, fields, options);
  }

  /**
   * Ends the connection that was made for this context object, at once, whatever its socket does. If that connection is
   * gone or was replaced, nothing happens. A context that was never passed to `connect` ends the manager of its thread.
   * @returns whether a connection or manager was ended
   */
  disconnect(fields: ContextFields): boolean {
    return this.#parts.connector.disconnect(fields);
  }

  /**
   * Makes a manager for a thread that has no socket yet. It is released if it gets none within `ticketMs`.
   * @returns the new manager, or the one that the thread has already
   * @throws MalformedContextError, QuotaExceededError or another RefusalError
   */
  async createManager(fields: ContextFields): Promise<WebSocketManager> {
    const existing = this.getManager(fields);
    if (existing !== undefined) return existing;
    const { ticket, refusal } = await this.admit(fields);
    if (refusal !== null) throw refusal;
    return ticket.manager;
  }

  /** The manager of a thread, by context or isolation key. */
  getManager(of: ContextFields | string): WebSocketManager | undefined {
    const parts = typeof of === 'string' ? partsOf(of, this.config) : of;
    return parts === null ? undefined : this.#parts.registry.get(parts);
  }

  /** The user's managers, reserved ones included, oldest first. */
  managersOf(userId: string): WebSocketManager[] {
    return [...this.#parts.registry.ofUser(userId).values()];
  }

  /** How many managers count against the user's limit, reserved ones included. */
  managerCountOf(userId: string): number {
    return this.#parts.registry.countOf(userId);
  }

  /** How many managers the user may hold; `Infinity` without a limit. */
  limitOf(userId: string): number {
    return this.#parts.limits.of(userId);
  }

  /** How many of the user's newcomers wait for a slot. */
  waitingCountOf(userId: string): number {
    return this.#parts.admission.waitingOf(userId);
  }

  /** Every user who holds a manager. */
  users(): Set<string> {
    return new Set(this.#parts.registry.users());
  }

  /** Every user who holds a manager, with their managers by thread. Lazy, so that a long walk can pause. */
  managersByUser(): Iterable<readonly [userId: string, managers: ReadonlyMap<string, WebSocketManager>]> {
    return this.#parts.registry.byUser();
  }

  /** How many users hold a manager. */
  get userCount(): number {
    return this.#parts.registry.userCount;
  }

  /** Managers of all users, reserved ones included. */
  get managerCount(): number {
    return this.#parts.registry.size;
  }

  /** Newcomers of all users that wait for a slot. */
  get waitingCount(): number {
    return this.#parts.admission.waiting;
  }

  /** Sockets in a closing handshake, begun by either side. Each is over within `closeGraceMs`. */
  get closingCount(): number {
    return this.#parts.closing.size;
  }

  /**
   * Releases the manager of a thread, by context or isolation key.
   * @returns whether there was one
   * @throws TypeError for an unknown `closeCause`
   */
  release(of: ContextFields | string, request?: ReleaseRequest): boolean {
    const options = releaseOptionsOf(request);
    const manager = this.getManager(of);
    return manager !== undefined && this.#parts.lifecycle.release(manager, 'requested', options);
  }

  /**
   * Releases all managers of exactly this user. The user's newcomers that wait get the slots; with a `closeCause` other
   * than `requested` they are refused with it.
   *
   * @example
   * mooring.releaseAll(userId, { closeCause: 'unauthenticated' }); // logged out everywhere
   * @returns how many
   * @throws TypeError for an unknown `closeCause`
   */
  releaseAll(userId: string, request?: ReleaseRequest): number {
    const { lifecycle, admission } = this.#parts;
    const options = releaseOptionsOf(request);
    const { closeCause = 'requested' } = options;
    if (closeCause !== 'requested') admission.refuseWaiting(userId, closeCause);
    return this.managersOf(userId).filter((manager) => lifecycle.release(manager, 'requested', options)).length;
  }

  /**
   * Pings the user's connections, and releases those that are dead, and those that the background cleanup would release
   * as idle or in error. A dry run chooses the same and releases nothing. Never rejects.
   */
  cleanup(userId: string, request?: CleanupRequest): Promise<CleanupResult> {
    return this.#parts.requested.clean(userId, request);
  }

  /**
   * Probes the user's connections and releases those that are dead, idle or in error; evicts only as many as asked for.
   * Never rejects.
   * @throws TypeError if `evict` or `keep` is no integer of at least 0
   */
  emergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<EmergencyCleanupResult> {
    return this.#parts.emergency.request(userId, wanted);
  }

  /** What {@link emergencyCleanup} would release, and why: it pings, and releases nothing. Never rejects. */
  previewEmergencyCleanup(userId: string, wanted?: EvictionRequest): Promise<CleanupResult> {
    return this.#parts.requested.previewEmergency(userId, wanted);
  }

  /** The success metrics of the last day, or since the start. */
  kpis(): SuccessReport {
    return this.#parts.metrics.report();
  }

  /** The manager's connection as a suspect; `null` if it is none now. Never throws. */
  suspicionOf(manager: WebSocketManager): SuspectOutlook | null {
    const { connection } = manager;
    const { suspicion, heartbeat, clock } = this.#parts;
    if (connection === null || !suspicion.has(connection)) return null;
    const sinceMs = unansweredSinceMs(connection) ?? connection.lastByteAtMs;
    return { unansweredMs: clock.now() - sinceMs, endsInMs: heartbeat.endsInMs(connection) };
  }

  /** How many connections are suspects now. */
  get suspectCount(): number {
    return this.#parts.suspicion.count();
  }

  /** Unsent bytes as of the heartbeat's last visit to each connection: the sum, and the largest of them. */
  get unsentBytes(): UnsentBytes {
    return this.#parts.heartbeat.unsentBytes;
  }

  /** What a background cycle would do now. It walks through all managers, in slices, and changes nothing. Never rejects. */
  previewBackgroundCleanup(): Promise<BackgroundPreview> {
    return this.#parts.requested.previewBackground();
  }

  /** The state of the quota ledger, and for how many milliseconds it is that; `null` without one that says so. */
  get ledgerStatus(): (LedgerStatus & { readonly forMs: number }) | null {
    return this.#parts.confirmations.status;
  }

  /** Whether `stop()` was called. */
  get isDraining(): boolean {
    return this.#parts.admission.isDraining;
  }

  /** Milliseconds on the clock of all ages: monotonic, stalled time taken out. */
  now(): number {
    return this.#parts.clock.now();
  }

  /** That clock, with its timers and async contexts, for adapters. */
  get clock(): Pick<Clock, 'now' | 'setTimer' | 'contexts'> {
    return this.#parts.clock;
  }

  /** Numbers attempts in the order of their arrival: `begin()` gives the number for an {@link admit} that comes later. */
  get arrivals(): ArrivalOrder {
    return this.#parts.arrivals;
  }

  /** @internal The refusals adapters answer with. */
  get refusals(): Refusals {
    return this.#parts.refusals;
  }

  /** @internal When the close frames of refusals leave. */
  get pacer(): RefusalPacer {
    return this.#parts.pacer;
  }

  /** Listens to one kind of event. @returns removes the listener */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>, options?: ListenOptions): () => void {
    return this.events.on(name, listener, options);
  }

  /** Listens to the next event of one kind. @returns removes the listener */
  once<Name extends MooringEventName>(
    name: Name,
    listener: MooringListener<Name>,
    options?: ListenOptions,
  ): () => void {
    return this.events.once(name, listener, options);
  }

  /**
   * Refuses newcomers from now on, and closes all connections in waves, telling them to reconnect elsewhere. Held
   * managers come last, once their holds end or `drainHoldTimeoutMs` have passed. Resolves once all sockets are closed,
   * all hooks have ended or run out of time, and no timer is left. Never rejects; a second call joins the first.
   */
  stop(): Promise<void> {
    if (this.#stopping !== null) return this.#stopping;
    // Set before the first event, since a listener of it may call this again.
    const { promise, resolve } = withResolver<undefined>();
    this.#stopping = promise;
    void this.#stop().then(() => {
      resolve(undefined);
    });
    return promise;
  }

  /** {@link stop}, at the end of the block of `await using mooring = createMooring()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const parts = this.#parts;
    const managers = parts.registry.size;
    parts.admission.drain();
    parts.emergency.stop();
    parts.requested.stop();
    parts.away.stop();
    parts.tickets.stop();
    parts.background.stop();
    parts.audit.stop();
    parts.pacer.flush();
    this.events.emit('server.draining', { managers });
    await parts.drain.run();
    parts.holds.stop();
    parts.heartbeat.dispose();
    await parts.closing.whenGone();
    // After the last socket has closed, since hooks may still be registered, and run, until then.
    await parts.hooks.whenEmpty();
    parts.closing.dispose();
    await parts.confirmations.stop();
    parts.leaks.stop();
    parts.clock.dispose();
    this.events.emit('server.stopped', { released: managers });
  }
}

/** @throws TypeError */
function releaseOptionsOf({ closeCause }: ReleaseRequest = {}): ReleaseOptions {
  if (closeCause !== undefined && !closeCauses.includes(closeCause))
    throw new TypeError(`closeCause: got ${describe(closeCause)}, wanted one of ${closeCauses.join(', ')}`);
  return { closeCause };
}
