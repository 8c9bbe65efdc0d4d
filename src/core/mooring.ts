import type { ArrivalOrder } from './admission/arrival-order.js';
import type { WebSocketManagerFactory } from './admission/factory.js';
import type { RefusalPacer } from './admission/refusal-pacer.js';
import type { Refusals } from './admission/refusals.js';
import type { BackgroundCleanup } from './cleanup/background.js';
import type { BackgroundPreview } from './cleanup/requested.js';
import { compose, type Composition } from './compose.js';
import type { WebSocketConnectionManager } from './connections.js';
import type { EventStream, MooringEventName, MooringListener } from './events.js';
import type { Keepalives } from './liveness/keepalives.js';
import type { Journal } from './diagnostics/journal.js';
import type { MooringParts } from './mooring-parts.js';
import type { SuccessReport } from './kpis/kpi.js';
import type { UnsentBytes } from './liveness/heartbeat.js';
import { unansweredSinceMs } from './liveness/ping.js';
import type { WebSocketManager } from './managers/manager.js';
import type { WebSocketResourceMonitor } from './pressure/monitor.js';
import { withResolver } from './promises.js';
import type { WebSocketConfig } from './settings.js';
import type { Clock } from './time.js';

/** What is known of a suspect: a connection that was silent to a probe, and has sent no byte since. */
export interface SuspectOutlook {
  /** Since the first ping that nothing has answered. */
  readonly unansweredMs: number;
  /**
   * When the heartbeat ends it at the latest, if nothing comes and no newcomer takes its place; `null` where that depends
   * on data that waits to be sent to it, or on when it is read from again.
   */
  readonly endsInMs: number | null;
}

/**
 * The whole: admission, liveness, cleanup and monitor around one registry. It needs no start: timers run while there is
 * something to watch. `stop()` ends it for good.
 */
export class Mooring {
  readonly config: WebSocketConfig;
  readonly events: EventStream;
  /** Who gets a manager. @source seed, `WebSocketManagerFactory` */
  readonly factory: WebSocketManagerFactory;
  /** Sockets come and go. @source seed, `WebSocketConnectionManager` */
  readonly connections: WebSocketConnectionManager;
  /** How full the quotas are. @source seed, `WebSocketResourceMonitor` */
  readonly monitor: WebSocketResourceMonitor;
  /** What runs every `backgroundCleanupIntervalMs`. @source seed fix 5 */
  readonly backgroundCleanup: BackgroundCleanup;
  /** What was lately decided about each user; nothing unless `journalBytes` says how much. */
  readonly journal: Journal;
  /** Tells keepalives from activity, for adapters. */
  readonly keepalives: Keepalives;
  readonly #parts: Composition;
  #stopping: Promise<void> | null = null;

  /** @internal */
  constructor(parts: MooringParts) {
    this.#parts = compose(parts);
    this.config = parts.config;
    this.events = this.#parts.events;
    this.factory = this.#parts.factory;
    this.connections = this.#parts.connections;
    this.monitor = this.#parts.monitor;
    this.backgroundCleanup = this.#parts.background;
    this.journal = this.#parts.journal;
    this.keepalives = this.#parts.keepalives;
  }

  /** The success metrics of the last day, or since the start. @source seed "Success Metrics" */
  kpis(): SuccessReport {
    return this.#parts.metrics.report();
  }

  /** What is known of the manager's connection where it is a suspect now; `null` where it is none. Never throws. */
  suspicionOf(manager: WebSocketManager): SuspectOutlook | null {
    const { link } = manager;
    const { suspicion, heartbeat, clock } = this.#parts;
    if (link === null || !suspicion.has(link)) return null;
    const sinceMs = unansweredSinceMs(link) ?? link.lastByteAtMs;
    return { unansweredMs: clock.now() - sinceMs, endsInMs: heartbeat.endsInMs(link) };
  }

  /** How many connections are suspects now. */
  get suspectCount(): number {
    return this.#parts.suspicion.count();
  }

  /** Bytes that waited to be sent when the heartbeat last visited each connection: of all, and of the one with most. */
  get unsentBytes(): UnsentBytes {
    return this.#parts.heartbeat.unsentBytes;
  }

  /** What a background cycle would do now. It walks through everybody, in slices, and changes nothing. Never rejects. */
  previewBackgroundCleanup(): Promise<BackgroundPreview> {
    return this.#parts.requested.previewBackground();
  }

  /** Whether `stop()` was called. */
  get isDraining(): boolean {
    return this.factory.isDraining;
  }

  /** Milliseconds on the clock of all ages: monotonic, stalled time taken out. */
  now(): number {
    return this.#parts.clock.now();
  }

  /** The timers of that clock, for adapters' own deadlines, and whose request code runs for. */
  get clock(): Pick<Clock, 'now' | 'setTimer' | 'contexts'> {
    return this.#parts.clock;
  }

  /** The order in which attempts arrive: `begin()` numbers one whose decision comes later, for `factory.admit`. */
  get arrivals(): ArrivalOrder {
    return this.#parts.arrivals;
  }

  /** The refusals adapters answer with. @internal */
  get refusals(): Refusals {
    return this.#parts.refusals;
  }

  /** When the close frames of refusals leave. @internal */
  get pacer(): RefusalPacer {
    return this.#parts.pacer;
  }

  /** Listens to one kind of event. @returns what ends it */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>): () => void {
    return this.events.on(name, listener);
  }

  /**
   * Shuts admission, tells everybody in waves to reconnect elsewhere, those that are held last and after up to
   * `drainHoldTimeoutMs` in which their runs may end, and resolves once all sockets are closed, all
   * hooks have ended or run out of time, and no timer is left. Never rejects; a second call joins the first.
   */
  stop(): Promise<void> {
    if (this.#stopping !== null) return this.#stopping;
    // Noted before anything happens: a listener of what happens may call again.
    const { promise, resolve } = withResolver<undefined>();
    this.#stopping = promise;
    void this.#stop().then(() => {
      resolve(undefined);
    });
    return promise;
  }

  async #stop(): Promise<void> {
    const { factory, tickets, ledgerDesk, emergency, requested, background, audit, leaks, registry } = this.#parts;
    const { events, pacer, closing, hooks, clock, heartbeat, holds, away, drain } = this.#parts;
    const managers = registry.size;
    factory.drain();
    emergency.stop();
    requested.stop();
    away.stop();
    tickets.stop();
    background.stop();
    audit.stop();
    pacer.flush();
    events.emit('server.draining', { managers });
    await drain.run();
    holds.stop();
    heartbeat.dispose();
    await closing.whenGone();
    // Afterwards, as hooks may be registered, and run, while the last sockets close.
    await hooks.whenEmpty();
    closing.dispose();
    ledgerDesk.stop();
    leaks.stop();
    clock.dispose();
    events.emit('server.stopped', { released: managers });
  }
}
