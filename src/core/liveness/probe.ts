import type { WebSocketConfig } from '../settings.js';
import type { Clock, Timer } from '../time.js';
import type { ManagedConnection, Watcher } from '../managers/managed-connection.js';
import { ProbeTiming } from './probe-timing.js';
import { unansweredSinceMs, type Pinger } from './ping.js';
import { hasUnsent, judgeSilence, sample, stateOf } from './silence.js';
import type { Suspicion } from './suspicion.js';

/** What a probe found. A connection in neither set answered, has gone, or could not be judged. */
export interface ProbeFindings {
  /** The suspects: silent through both pings, and since a ping that left at least `minSilenceMs` ago. */
  readonly silent: ReadonlySet<ManagedConnection>;
  /** Dead: unsent data has not moved, or we have not read, for `slowConsumerTimeoutMs`. */
  readonly stuck: ReadonlySet<ManagedConnection>;
}

/** Before any connection was asked. */
export const noFindings: ProbeFindings = Object.freeze({ silent: new Set<never>(), stuck: new Set<never>() });

/** What a probe needs. */
export interface ProbeParts {
  readonly clock: Clock;
  readonly pinger: Pinger;
  readonly suspicion: Suspicion;
  readonly config: Pick<
    WebSocketConfig,
    'probeTimeoutMs' | 'emergencyCleanupTimeoutMs' | 'minSilenceMs' | 'slowConsumerTimeoutMs'
  >;
}

/** Which connections to ask, all of one user, and whom to tell. */
export interface ProbeRequest {
  readonly connections: readonly ManagedConnection[];
  readonly onDone: (findings: ProbeFindings) => void;
}

/** The part of an emergency cleanup's time within which a probe ends. */
export const probeShare = 0.8;

/** A connection that has not been heard of since the probe began. */
interface Asked {
  /** What `bytesReceived` was before the first ping. */
  readonly bytesThen: number;
  /** How long a ping of ours must have been unanswered before the connection is a suspect. */
  readonly silenceMs: number;
  /** How long an answer to the second ping is waited for. */
  readonly windowMs: number;
  pings: 1 | 2;
  /** When the second ping leaves, or the connection is judged. */
  dueAtMs: number;
}

/**
 * Asks connections of one user whether their peers are there: a ping to each at once, and a second one to those that
 * have not answered. Each gets the time that its own round trip calls for. A connection that is silent through both
 * becomes a suspect as soon as a ping of ours has been unanswered for `minSilenceMs`. The probe ends when every
 * connection has answered, gone, become a suspect or is excused, at the latest after 80 % of an emergency cleanup's time.
 *
 * Every connection is asked, however recently seen: a peer that fell silent a moment ago must not cost its user a
 * refusal. Before each verdict the process looks at its sockets once more, since an answer may wait behind the timer.
 */
export class Probe implements Watcher {
  readonly #parts: ProbeParts;
  readonly #request: ProbeRequest;
  readonly #timing: ProbeTiming;
  readonly #unheard = new Map<ManagedConnection, Asked>();
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
    // An answer may come within the call that asks, and must not find half of them missing.
    const toAsk = [...this.#unheard].filter(([, { pings }]) => pings === 1);
    this.#parts.pinger.pingAll(toAsk.map(([connection]) => connection));
    this.#goOn();
  }

  /** Ends it without findings. */
  cancel(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const connection of this.#unheard.keys()) this.#forget(connection);
  }

  /** No caller waits for its findings any longer: only connections that were pinged twice are judged, for the next newcomer. */
  askNoMore(): void {
    if (this.#isOver) return;
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
      this.#awaitHeartbeat(connection, Math.max(minSilenceMs, this.#timing.answersWithinMs(connection.roundTripMs)));
      return;
    }
    const { spacingMs, windowMs } = this.#timing.forRoundTrip(this.#timing.roundTripOf(connection));
    const dueAtMs = clock.now() + spacingMs;
    this.#listenTo(connection, { bytesThen, silenceMs: minSilenceMs, windowMs, pings: 1, dueAtMs });
  }

  /** A connection that is too slow to answer in time is judged by a heartbeat's ping that left long enough ago. */
  #awaitHeartbeat(connection: ManagedConnection, silenceMs: number): void {
    const sinceMs = unansweredSinceMs(connection);
    if (sinceMs === null || sinceMs + silenceMs > this.#endsAtMs) return;
    const bytesThen = connection.bytesReceivedSeen;
    this.#listenTo(connection, { bytesThen, silenceMs, windowMs: 0, pings: 2, dueAtMs: sinceMs + silenceMs });
  }

  #listenTo(connection: ManagedConnection, asked: Asked): void {
    this.#unheard.set(connection, asked);
    connection.watcher = this;
  }

  readonly #whenDue = (): void => {
    const now = this.#parts.clock.now();
    let isVerdictDue = now >= this.#endsAtMs;
    const toAsk: ManagedConnection[] = [];
    for (const [connection, asked] of this.#unheard) {
      if (!isDue(asked, now)) continue;
      if (asked.pings === 2) isVerdictDue = true;
      else if (this.#isToAskAgain(connection, asked)) toAsk.push(connection);
    }
    this.#parts.pinger.pingAll(toAsk);
    if (isVerdictDue) this.#parts.clock.afterPoll(this.#judge);
    else this.#goOn();
  };

  #isToAskAgain(connection: ManagedConnection, asked: Asked): boolean {
    if (this.#verdictOn(connection, asked) === 'heard') {
      this.#forget(connection);
      return false;
    }
    asked.pings = 2;
    asked.dueAtMs += asked.windowMs;
    return !hasUnsent(connection);
  }

  readonly #judge = (): void => {
    if (this.#isOver) return;
    const now = this.#parts.clock.now();
    const suspects: ManagedConnection[] = [];
    for (const [connection, asked] of this.#unheard) {
      if (asked.pings === 1 || !isDue(asked, now)) continue;
      const verdict = this.#verdictOn(connection, asked);
      const suspectAtMs = (unansweredSinceMs(connection) ?? this.#startedAtMs) + asked.silenceMs;
      if (verdict === 'silent' && suspectAtMs > now) {
        asked.dueAtMs = suspectAtMs;
        continue;
      }
      this.#forget(connection);
      if (verdict === 'silent') suspects.push(connection);
      else if (verdict === 'stuck') this.#found.stuck.add(connection);
    }
    this.#suspect(suspects);
    if (now >= this.#endsAtMs) this.#finish();
    else this.#goOn();
  };

  /** All at once, so that the one unheard of for the longest can give up its place first. */
  #suspect(connections: readonly ManagedConnection[]): void {
    if (connections.length === 0) return;
    for (const connection of connections) this.#found.silent.add(connection);
    this.#parts.suspicion.add(connections);
  }

  #goOn(): void {
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
    // The probe went on for others: a byte that came meanwhile has cleared its connection.
    for (const connection of this.#found.silent)
      if (!this.#parts.suspicion.has(connection)) this.#found.silent.delete(connection);
    this.#request.onDone(this.#found);
  }

  /** A connection that is no longer its manager's needs no verdict. */
  #verdictOn(connection: ManagedConnection, { bytesThen }: Asked) {
    return connection.isCurrent
      ? judgeSilence(connection, bytesThen, this.#parts.config.slowConsumerTimeoutMs)
      : 'heard';
  }

  #forget(connection: ManagedConnection): void {
    this.#unheard.delete(connection);
    if (connection.watcher === this) connection.watcher = null;
  }
}

/** Timers may be up to a millisecond early. */
function isDue({ dueAtMs }: Asked, nowMs: number): boolean {
  return dueAtMs <= nowMs + 1;
}
