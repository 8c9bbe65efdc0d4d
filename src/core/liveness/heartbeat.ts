import { DeadlineWheel } from '../deadline-wheel.js';
import type { EventStream } from '../events.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { AttachedConnection } from '../managers/manager.js';
import type { WebSocketConfig } from '../settings.js';
import type { Slices } from '../slices.js';
import type { Clock, Timer } from '../time.js';
import type { Pinger } from './ping.js';
import { hasUnsent, judgeSilence, stateOf, unsentBytesOf, type Verdict } from './silence.js';
import type { Suspicion } from './suspicion.js';

/** How many buckets an interval has: visits come within a bucket of their time, and are spread over all of them. */
const bucketsPerInterval = 100;

/** When the first visit comes, in buckets. It is spread, since many connections may come at once after a deploy. */
const firstVisit = Object.freeze({ earliest: 4, spread: 16 });

interface HeartbeatParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'heartbeatIntervalMs' | 'maxHeartbeatMisses' | 'slowConsumerTimeoutMs'>;
  readonly events: EventStream;
  readonly pinger: Pinger;
  readonly suspicion: Suspicion;
  readonly slices: Slices;
  readonly lifecycle: Pick<Lifecycle, 'connectionDied'>;
}

/**
 * Visits each connection once an interval and pings it, active ones too, since clients may expect pings of their server.
 * If no byte has come by the next visit, the ping is a miss. After `maxHeartbeatMisses` in a row the connection is dead.
 *
 * The first visit comes within a fifth of the interval, to measure the round trip: without it a slow connection cannot be
 * told from a dead one when a newcomer waits. One timer serves all connections. If this process was stalled, visits are
 * made one poll phase later, when answers that waited have been read: a stall adds no miss and clears none.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #wheel = new DeadlineWheel<AttachedConnection>(bucketsPerInterval + 3);
  readonly #bucketMs: number;
  /** Connections for which `connection.neverAnswers` was emitted. */
  readonly #neverAnswering = new WeakSet<AttachedConnection>();
  readonly #unsent = new Map<AttachedConnection, number>();
  /** The first bucket that has not been visited. */
  #bucket = 0;
  #spread = 0;
  #stallsSeen = 0;
  #timer: Timer | null = null;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#bucketMs = parts.config.heartbeatIntervalMs / bucketsPerInterval;
  }

  get isArmed(): boolean {
    return this.#timer !== null;
  }

  /** Bytes that waited to be sent when each connection was last visited. */
  get unsentBytes(): UnsentBytes {
    let sum = 0;
    let largest = 0;
    for (const bytes of this.#unsent.values()) {
      sum += bytes;
      largest = Math.max(largest, bytes);
    }
    return { sum, largest };
  }

  /**
   * In how many milliseconds a connection is found dead at the latest, if no byte comes; `null` if that cannot be said,
   * since it has unsent data or is not read from. Never throws.
   */
  endsInMs(connection: AttachedConnection): number | null {
    const { clock, config } = this.#parts;
    const { heartbeatIntervalMs, maxHeartbeatMisses } = config;
    const verdict = this.#judge(connection);
    if (connection.wheelBucket < 0 || verdict === 'excused') return null;
    // If a byte came after the last ping, or no ping has left yet, the next visit only pings.
    const visits = { silent: maxHeartbeatMisses - connection.misses, heard: maxHeartbeatMisses + 1, stuck: 1 }[verdict];
    const nextInMs = connection.wheelBucket * this.#bucketMs - clock.now();
    return Math.max(0, nextInMs + (Math.max(1, visits) - 1) * (heartbeatIntervalMs + this.#bucketMs));
  }

  /** Watches a connection. */
  add(connection: AttachedConnection): void {
    this.#spread = (this.#spread + 1) % firstVisit.spread;
    this.#visitAt(connection, connection.connectedAtMs + (firstVisit.earliest + this.#spread) * this.#bucketMs);
  }

  /** Pings a connection that was not pinged yet, since its round trip may soon be needed. */
  pingIfNew(connection: AttachedConnection): void {
    if (connection.roundTripMs < 0 && connection.pings === null) this.#parts.pinger.ping(connection);
  }

  remove(connection: AttachedConnection): void {
    this.#unsent.delete(connection);
    if (connection.wheelBucket < 0) return;
    this.#wheel.remove(connection);
    if (this.#wheel.count === 0) this.dispose();
  }

  /** Leaves no timer. */
  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #visitAt(connection: AttachedConnection, atMs: number): void {
    if (this.#timer === null) {
      this.#bucket = this.#bucketAt(this.#parts.clock.now());
      this.#arm();
    }
    this.#wheel.put(connection, this.#bucketAt(atMs));
  }

  #arm(): void {
    const { clock } = this.#parts;
    this.#stallsSeen = clock.stalls;
    this.#timer = clock.setTimer(this.#beat, this.#bucketMs - (clock.now() % this.#bucketMs));
  }

  readonly #beat = (): void => {
    const { clock } = this.#parts;
    const wasStalled = clock.stalls !== this.#stallsSeen;
    this.#arm();
    if (wasStalled) clock.afterPoll(this.#visitDue);
    else this.#visitDue();
  };

  readonly #visitDue = (): void => {
    if (this.#timer === null) return; // disposed of meanwhile
    const current = Math.floor(this.#parts.clock.now() / this.#bucketMs);
    while (this.#bucket <= current) this.#sweep(this.#wheel.take(this.#bucket++));
    if (this.#wheel.count === 0) this.dispose();
  };

  #sweep(connections: Iterator<AttachedConnection, void>): void {
    this.#parts.slices.run(() => {
      const { done, value: connection } = connections.next();
      if (done === true) return false;
      this.#visit(connection);
      return true;
    });
  }

  /**
   * Judges the connection by what has come since the last visit, pings it, and plans the next visit. A silent one has
   * missed a heartbeat; after `maxHeartbeatMisses` of them, or if its unsent data is stuck, it is judged once more, and dies.
   */
  #visit(connection: AttachedConnection): void {
    if (!connection.isCurrent) return; // released by a listener of another visit
    if (stateOf(connection) === 'closed') {
      this.#parts.lifecycle.connectionDied(connection, 'closed');
      return;
    }
    const verdict = this.#judge(connection);
    this.#noteUnsent(connection);
    if (verdict === 'heard') this.#heard(connection);
    else if (verdict === 'silent') this.#miss(connection);
    this.#ping(connection);
    if (verdict === 'stuck' || connection.misses >= this.#parts.config.maxHeartbeatMisses)
      this.#judgeAfterPoll(connection);
  }

  /** What its connection has done since the first ping of the heartbeat that nothing has answered. */
  #judge(connection: AttachedConnection): Verdict {
    return judgeSilence(connection, connection.bytesAtPing, this.#parts.config.slowConsumerTimeoutMs);
  }

  #heard(connection: AttachedConnection): void {
    connection.misses = 0;
    connection.bytesAtPing = -1;
    this.#parts.suspicion.review(connection);
    // A pong that answers none of our pings gives no round trip.
    if (connection.roundTripMs < 0) this.#noteUnanswered(connection);
  }

  /** Reports once that the client sends messages and answers no ping, which RFC 6455 (5.5.2) demands. */
  #noteUnanswered(connection: AttachedConnection): void {
    const { clock, config, events } = this.#parts;
    const pingedAtMs = connection.pings?.[0]?.atMs ?? Infinity;
    const isReported = this.#neverAnswering.has(connection);
    if (isReported || clock.now() - pingedAtMs < config.maxHeartbeatMisses * config.heartbeatIntervalMs) return;
    this.#neverAnswering.add(connection);
    events.emitOf('connection.neverAnswers', connection.manager, { generation: connection.generation });
  }

  #noteUnsent(connection: AttachedConnection): void {
    const bytes = unsentBytesOf(connection);
    if (bytes > 0) this.#unsent.set(connection, bytes);
    else this.#unsent.delete(connection);
  }

  #miss(connection: AttachedConnection): void {
    connection.misses += 1;
    const { manager, generation, misses } = connection;
    this.#parts.events.emitOf('heartbeat.missed', manager, { generation, misses });
  }

  /** An answer may have arrived and not been read yet: judges once more before the connection counts as dead. */
  #judgeAfterPoll(connection: AttachedConnection): void {
    this.#parts.clock.afterPoll(() => {
      if (!connection.isCurrent || connection.wheelBucket < 0 || connection.bytesAtPing < 0) return;
      const verdict = this.#judge(connection);
      if (verdict === 'silent' || verdict === 'stuck') this.#parts.lifecycle.connectionDied(connection, verdict);
    });
  }

  /** Pings, unless the last ping has not left yet, and plans the next visit. */
  #ping(connection: AttachedConnection): void {
    if (!connection.isCurrent) return;
    if (connection.bytesAtPing < 0 || !hasUnsent(connection)) this.#parts.pinger.ping(connection);
    connection.bytesAtPing = connection.bytesReceivedSeen;
    this.#visitAt(connection, this.#parts.clock.now() + this.#parts.config.heartbeatIntervalMs);
  }

  /** A bucket is visited at its time, and holds what is due by then. */
  #bucketAt(atMs: number): number {
    return Math.ceil(atMs / this.#bucketMs);
  }
}

/** Unsent bytes: the sum of all connections, and the largest of them. */
export interface UnsentBytes {
  readonly sum: number;
  readonly largest: number;
}
