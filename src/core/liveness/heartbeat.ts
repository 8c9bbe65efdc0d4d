import type { EventStream } from '../events.js';
import type { AttachedConnection } from '../managers/manager.js';
import { DeadlineWheel } from '../deadline-wheel.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { Slices } from '../slices.js';
import type { Clock, Timer } from '../time.js';
import type { Pinger } from './ping.js';
import { hasUnsent, judgeSilence, stateOf, unsentBytesOf, type Verdict } from './silence.js';
import type { Suspicion } from './suspicion.js';

/** Into how many buckets an interval is cut: how exactly visits come, and how finely they are spread. */
const bucketsPerInterval = 100;

/** When the first visit comes, in buckets: soon, but not at once, and not all at the same time after a deploy. */
const firstVisit = Object.freeze({ earliest: 4, spread: 16 });

interface HeartbeatParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly pinger: Pinger;
  readonly suspicion: Suspicion;
  readonly slices: Slices;
  /** Told of each connection that is dead: it missed its heartbeats, is not open, or its unsent data is stuck. */
  readonly lifecycle: Pick<Lifecycle, 'died'>;
  readonly heartbeatIntervalMs: number;
  readonly maxHeartbeatMisses: number;
  readonly slowConsumerTimeoutMs: number;
}

/**
 * Visits each connection once an interval and pings it, talkative ones too, since clients run watchdogs on the pings of
 * their server. A ping after which not a byte has come by the next visit is a miss; two in a row and the connection is
 * dead.
 *
 * The first visit comes within a fifth of the interval, for the round trip: as long as that is unknown, a slow connection
 * cannot be told from a dead one when a newcomer waits. One timer serves all, armed with the first connection and
 * disarmed with the last. A visit that was held up because this process did not run is made one poll phase later, when
 * answers that waited have been read: a stall charges no miss and forgives none, and a process that stalls all the time
 * still visits.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #wheel = new DeadlineWheel<AttachedConnection>(bucketsPerInterval + 3);
  readonly #bucketMs: number;
  /** Connections of which `connection.neverAnswers` was said. */
  readonly #neverAnswering = new WeakSet<AttachedConnection>();
  readonly #unsent = new Map<AttachedConnection, number>();
  /** The first bucket that has not been visited. */
  #bucket = 0;
  #spread = 0;
  #stallsSeen = 0;
  #timer: Timer | null = null;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#bucketMs = parts.heartbeatIntervalMs / bucketsPerInterval;
  }

  /** Whether its timer is armed. */
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
   * In how many milliseconds a connection is found dead at the latest, if no byte of it comes; `null` where that depends
   * on more: data waits to be sent to it, or it is not read from. Never throws.
   */
  endsInMs(connection: AttachedConnection): number | null {
    const { clock, heartbeatIntervalMs, maxHeartbeatMisses } = this.#parts;
    const verdict = this.#judge(connection);
    if (connection.wheelBucket < 0 || verdict === 'excused') return null;
    // Where a byte came after the last ping, or none has left yet, the next visit only asks.
    const visits = { silent: maxHeartbeatMisses - connection.misses, heard: maxHeartbeatMisses + 1, stuck: 1 }[verdict];
    const nextInMs = connection.wheelBucket * this.#bucketMs - clock.now();
    return Math.max(0, nextInMs + (Math.max(1, visits) - 1) * (heartbeatIntervalMs + this.#bucketMs));
  }

  /** Watches a connection. */
  add(connection: AttachedConnection): void {
    this.#spread = (this.#spread + 1) % firstVisit.spread;
    this.#visitAt(connection, connection.connectedAtMs + (firstVisit.earliest + this.#spread) * this.#bucketMs);
  }

  /** Pings a connection that was not pinged yet: its round trip may soon be needed. */
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

  #visit(connection: AttachedConnection): void {
    if (!connection.isCurrent) return; // a listener of another visit may have seen to that
    if (stateOf(connection) === 'closed') {
      this.#parts.lifecycle.died(connection, 'closed');
      return;
    }
    const verdict = this.#judge(connection);
    this.#noteUnsent(connection);
    if (verdict === 'heard') this.#heard(connection);
    else if (verdict === 'silent') this.#miss(connection);
    this.#ping(connection);
    if (verdict === 'stuck' || connection.misses >= this.#parts.maxHeartbeatMisses) this.#lookAgain(connection);
  }

  /** What became of the last ping. */
  #judge(connection: AttachedConnection): Verdict {
    return judgeSilence(connection, connection.bytesAtPing, this.#parts.slowConsumerTimeoutMs);
  }

  #heard(connection: AttachedConnection): void {
    connection.misses = 0;
    connection.bytesAtPing = -1;
    // What was heard may be older than the suspicion: only a byte since then clears it.
    this.#parts.suspicion.review(connection);
    // A pong of its own accord answers nothing.
    if (connection.roundTripMs < 0) this.#noteUnanswered(connection);
  }

  /** Says once of a connection that its client talks and answers no ping, as RFC 6455 (5.5.2) demands. */
  #noteUnanswered(connection: AttachedConnection): void {
    const { clock, events, heartbeatIntervalMs, maxHeartbeatMisses } = this.#parts;
    const askedAtMs = connection.pings?.[0]?.atMs ?? Infinity;
    const isToldOf = this.#neverAnswering.has(connection);
    if (isToldOf || clock.now() - askedAtMs < maxHeartbeatMisses * heartbeatIntervalMs) return;
    this.#neverAnswering.add(connection);
    const { userId, threadId, key } = connection.manager;
    events.emit('connection.neverAnswers', { userId, threadId, key, generation: connection.generation });
  }

  #noteUnsent(connection: AttachedConnection): void {
    const bytes = unsentBytesOf(connection);
    if (bytes > 0) this.#unsent.set(connection, bytes);
    else this.#unsent.delete(connection);
  }

  #miss(connection: AttachedConnection): void {
    connection.misses += 1;
    const { userId, threadId, key } = connection.manager;
    const { generation, misses } = connection;
    this.#parts.events.emit('heartbeat.missed', { userId, threadId, key, generation, misses });
  }

  /** Before a verdict of death: an answer may be waiting behind the timer. */
  #lookAgain(connection: AttachedConnection): void {
    this.#parts.clock.afterPoll(() => {
      if (!connection.isCurrent || connection.wheelBucket < 0 || connection.bytesAtPing < 0) return;
      const verdict = this.#judge(connection);
      if (verdict === 'silent' || verdict === 'stuck') this.#parts.lifecycle.died(connection, verdict);
    });
  }

  /** Asks, unless the last question has not even left, and comes back for the answer. */
  #ping(connection: AttachedConnection): void {
    if (!connection.isCurrent) return;
    if (connection.bytesAtPing < 0 || !hasUnsent(connection)) this.#parts.pinger.ping(connection);
    connection.bytesAtPing = connection.bytesReceivedSeen;
    this.#visitAt(connection, this.#parts.clock.now() + this.#parts.heartbeatIntervalMs);
  }

  /** Buckets are visited from their time on, and hold what is due until then. */
  #bucketAt(atMs: number): number {
    return Math.ceil(atMs / this.#bucketMs);
  }
}

/** Bytes that wait to be sent: of all connections, and of the one with most. */
export interface UnsentBytes {
  readonly sum: number;
  readonly largest: number;
}
