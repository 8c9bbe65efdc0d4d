import type { ManagedConnection, Watcher } from '../managers/managed-connection.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Timer } from '../time.js';
import { unansweredSinceMs, type Pinger } from './ping.js';
import { ProbeTiming } from './probe-timing.js';
import { hasUnsent, judgeSilence, sample, stateOf, type Verdict } from './silence.js';
import type { Suspicion } from './suspicion.js';

/** The result of a probe. A connection in neither set answered, has gone, or could not be judged. */
export interface ProbeFindings {
  /** The suspects: silent through both pings, and since a ping that left at least `minSilenceMs` ago. */
  readonly silent: ReadonlySet<ManagedConnection>;
  /** Dead: unsent data has not moved, or we have not read, for `slowConsumerTimeoutMs`. */
  readonly stuck: ReadonlySet<ManagedConnection>;
}

/** The result before any connection was pinged. */
export const noFindings: ProbeFindings = Object.freeze({ silent: new Set<never>(), stuck: new Set<never>() });

export interface ProbeParts {
  readonly clock: Clock;
  readonly pinger: Pinger;
  readonly suspicion: Suspicion;
  readonly config: Pick<
    WebSocketConfig,
    'probeTimeoutMs' | 'emergencyCleanupTimeoutMs' | 'minSilenceMs' | 'slowConsumerTimeoutMs'
  >;
}

/** What one probe is for. */
export interface ProbeRequest {
  /** The connections to ping, all of one user. */
  readonly connections: readonly ManagedConnection[];
  readonly onDone: (findings: ProbeFindings) => void;
}

/** The part of an emergency cleanup's time within which a probe ends. */
export const probeShare = 0.8;

/** What is known of a connection from which no byte has come since the probe began. */
interface Unheard {
  /** What `bytesReceived` was before the first ping. */
  readonly bytesThen: number;
  /** How long a ping of ours must have been unanswered before the connection is a suspect. */
  readonly silenceMs: number;
  /** How long the probe waits for an answer to the second ping. */
  readonly windowMs: number;
  /** How many were sent; with 2 only the verdict is left. */
  pings: 1 | 2;
  /** When the second ping leaves, or the connection is judged. */
  dueAtMs: number;
}

/**
 * Finds out whether the peers of one user's connections are alive: pings each at once, and a second time those that have
 * not answered. A connection that is silent through both becomes a suspect as soon as a ping has been unanswered for
 * `minSilenceMs`. The probe ends when every connection has answered, gone, become a suspect or is excused, at the latest
 * after 80 % of an emergency cleanup's time.
 *
 * Timing: the second ping leaves `spacingMs` after the first, and the verdict comes `windowMs` after the second. Both are
 * `probeTimeoutMs`. If the round trip of a connection is long, both are longer ({@link ProbeTiming}).
 *
 * Answers: any byte is one. The pinger notes of each ping when it left and how many bytes had come by then. So the ping
 * that has been unanswered for the longest time is the first since which no byte has come ({@link unansweredSinceMs}); the
 * heartbeat may have sent it.
 *
 * Every connection that can answer in time is pinged, even if a byte has just come: the peer may have died a moment ago.
 * Before each verdict the process reads its sockets once more, since an answer may wait behind the timer.
 */
export class Probe implements Watcher {
  readonly #parts: ProbeParts;
  readonly #request: ProbeRequest;
  readonly #timing: ProbeTiming;
  readonly #unheard = new Map<ManagedConnection, Unheard>();
  readonly #found = { silent: new Set<ManagedConnection>(), stuck: new Set<ManagedConnection>() };
  #startedAtMs = 0;
  #endsAtMs = Infinity;
  #timer: Timer | null = null;
  #isOver = false;

  constructor(parts: ProbeParts, request: ProbeRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#timing = new ProbeTiming(parts.config);
  }

  /** Sends the first pings. `onDone` may be called before this returns, if no connection has to be pinged. */
  start(): void {
    if (this.#isOver) return;
    const { clock, config } = this.#parts;
    this.#startedAtMs = clock.now();
    this.#endsAtMs = this.#startedAtMs + probeShare * config.emergencyCleanupTimeoutMs;
    for (const connection of this.#request.connections) if (stateOf(connection) !== 'closed') this.#watch(connection);
    // Listed first: an answer may come within the call that pings, and changes the map.
    const toPing: ManagedConnection[] = [];
    for (const [connection, { pings }] of this.#unheard) if (pings === 1) toPing.push(connection);
    this.#parts.pinger.pingAll(toPing);
    this.#armOrFinish();
  }

  /** Ends it without findings. */
  cancel(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const connection of this.#unheard.keys()) this.#forget(connection);
  }

  /** No one waits for the result any longer. Connections that were pinged twice are still judged. */
  pingNoMore(): void {
    for (const [connection, { pings }] of this.#unheard) if (pings === 1) this.#forget(connection);
    if (this.#unheard.size === 0) this.cancel();
  }

  heard(connection: ManagedConnection): void {
    this.#forget(connection);
    if (this.#unheard.size === 0) this.#finish();
  }

  #watch(connection: ManagedConnection): void {
    sample(connection);
    const { clock, config } = this.#parts;
    const { minSilenceMs } = config;
    const bytesThen = connection.bytesReceivedSeen;
    if (this.#timing.isTooSlow(connection.roundTripMs)) {
      this.#watchHeartbeat(connection, Math.max(minSilenceMs, this.#timing.answersWithinMs(connection.roundTripMs)));
      return;
    }
    const { spacingMs, windowMs } = this.#timing.forRoundTrip(this.#timing.roundTripOf(connection));
    const dueAtMs = clock.now() + spacingMs;
    this.#add(connection, { bytesThen, silenceMs: minSilenceMs, windowMs, pings: 1, dueAtMs });
  }

  /** A connection that is too slow to answer in time is judged by a ping of the heartbeat that left long enough ago. */
  #watchHeartbeat(connection: ManagedConnection, silenceMs: number): void {
    const sinceMs = unansweredSinceMs(connection);
    if (sinceMs === null || sinceMs + silenceMs > this.#endsAtMs) return;
    const bytesThen = connection.bytesReceivedSeen;
    this.#add(connection, { bytesThen, silenceMs, windowMs: 0, pings: 2, dueAtMs: sinceMs + silenceMs });
  }

  #add(connection: ManagedConnection, unheard: Unheard): void {
    this.#unheard.set(connection, unheard);
    connection.watcher = this;
  }

  readonly #whenDue = (): void => {
    const now = this.#parts.clock.now();
    let isVerdictDue = now >= this.#endsAtMs;
    const toPing: ManagedConnection[] = [];
    for (const [connection, unheard] of this.#unheard) {
      if (!isDue(unheard, now)) continue;
      if (unheard.pings === 2) isVerdictDue = true;
      else if (this.#needsSecondPing(connection, unheard)) toPing.push(connection);
    }
    this.#parts.pinger.pingAll(toPing);
    if (isVerdictDue) this.#parts.clock.afterPoll(this.#judge);
    else this.#armOrFinish();
  };

  #needsSecondPing(connection: ManagedConnection, unheard: Unheard): boolean {
    if (this.#verdictOn(connection, unheard) === 'heard') {
      this.#forget(connection);
      return false;
    }
    unheard.pings = 2;
    unheard.dueAtMs += unheard.windowMs;
    return !hasUnsent(connection);
  }

  readonly #judge = (): void => {
    if (this.#isOver) return;
    const now = this.#parts.clock.now();
    const suspects: ManagedConnection[] = [];
    for (const [connection, unheard] of this.#unheard) {
      if (unheard.pings === 1 || !isDue(unheard, now)) continue;
      const verdict = this.#verdictOn(connection, unheard);
      const suspectAtMs = (unansweredSinceMs(connection) ?? this.#startedAtMs) + unheard.silenceMs;
      if (verdict === 'silent' && suspectAtMs > now) {
        unheard.dueAtMs = suspectAtMs;
        continue;
      }
      this.#forget(connection);
      if (verdict === 'silent') suspects.push(connection);
      else if (verdict === 'stuck') this.#found.stuck.add(connection);
    }
    this.#suspect(suspects);
    if (now >= this.#endsAtMs) this.#finish();
    else this.#armOrFinish();
  };

  /** Adds all at once: newcomers get their slots within this call, first that of the connection that was silent longest. */
  #suspect(connections: readonly ManagedConnection[]): void {
    if (connections.length === 0) return;
    for (const connection of connections) this.#found.silent.add(connection);
    this.#parts.suspicion.add(connections);
  }

  #armOrFinish(): void {
    if (this.#isOver) return;
    if (this.#unheard.size === 0) {
      this.#finish();
      return;
    }
    let nextAtMs = this.#endsAtMs;
    for (const { dueAtMs } of this.#unheard.values()) nextAtMs = Math.min(nextAtMs, dueAtMs);
    const { clock } = this.#parts;
    this.#timer = clock.setTimer(this.#whenDue, Math.max(0, nextAtMs - clock.now()));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.cancel();
    // A suspect may have sent a byte while the probe waited for others.
    for (const connection of this.#found.silent)
      if (!this.#parts.suspicion.has(connection)) this.#found.silent.delete(connection);
    this.#request.onDone(this.#found);
  }

  /** A connection that was replaced or released counts as heard. */
  #verdictOn(connection: ManagedConnection, { bytesThen }: Unheard): Verdict {
    if (!connection.isCurrent) return 'heard';
    return judgeSilence(connection, bytesThen, this.#parts.config.slowConsumerTimeoutMs);
  }

  #forget(connection: ManagedConnection): void {
    this.#unheard.delete(connection);
    if (connection.watcher === this) connection.watcher = null;
  }
}

/** Timers may be up to a millisecond early. */
function isDue({ dueAtMs }: Unheard, nowMs: number): boolean {
  return dueAtMs <= nowMs + 1;
}
