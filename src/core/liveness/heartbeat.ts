import type { EventStream } from '../events.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import { DeadlineWheel } from '../deadline-wheel.js';
import type { Slices } from '../slices.js';
import type { Clock, Timer } from '../time.js';
import type { Pinger } from './ping.js';
import { hasUnsent, judgeSilence, sample, stateOf } from './silence.js';

/** Into how many parts an interval is cut: each connection is visited in one of them, so pings are spread. */
const phases = 100;

interface HeartbeatOptions {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly pinger: Pinger;
  readonly slices: Slices;
  readonly heartbeatIntervalMs: number;
  readonly maxHeartbeatMisses: number;
  readonly stalledMs: number;
}

/** Hears of a connection that is dead: it missed its heartbeats, is not open, or its data is stuck. */
export type WhenDead = (link: ManagedConnection, cause: 'silent' | 'slow') => void;

/**
 * Visits each connection once an interval and pings it if nothing came since the last visit. Two pings without a byte
 * and the connection is dead.
 *
 * One timer for all, armed with the first connection and disarmed with the last. A visit that was late because this
 * process did not run is made up for one phase later, when answers that waited have been read: it charges no miss and
 * forgives none.
 * @source spec section 5; orca#12790, #12841, #11300, #9885; crossbar's heartbeat timers
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #wheel = new DeadlineWheel<ManagedConnection>(phases);
  readonly #phaseMs: number;
  #phase = 0;
  #spread = 0;
  #stallsSeen = 0;
  #timer: Timer | null = null;
  #whenDead: WhenDead = () => undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#phaseMs = options.heartbeatIntervalMs / phases;
  }

  /** Who acts on dead connections. */
  whenDead(act: WhenDead): void {
    this.#whenDead = act;
  }

  /** Whether its timer is armed. */
  get isArmed(): boolean {
    return this.#timer !== null;
  }

  /** Watches a connection. Its first visit is half an interval to a whole one away: a peer just accepted is left alone. */
  add(link: ManagedConnection): void {
    this.#spread = (this.#spread + 1) % (phases / 2);
    this.#wheel.put(link, this.#phase + phases / 2 + this.#spread);
    if (this.#timer === null) this.#arm();
  }

  remove(link: ManagedConnection): void {
    const { wheelBucket } = link;
    if (wheelBucket < 0) return;
    this.#wheel.remove(link);
    if (this.#wheel.countIn(wheelBucket) === 0 && this.#wheel.count === 0) this.dispose();
  }

  /** Leaves no timer. */
  dispose(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#stallsSeen = this.#options.clock.stalls;
    this.#timer = this.#options.clock.setTimer(this.#beat, this.#phaseMs);
  }

  readonly #beat = (): void => {
    const wasStalled = this.#options.clock.stalls !== this.#stallsSeen;
    this.#arm();
    if (wasStalled) return;
    const phase = this.#phase;
    this.#phase = (phase + 1) % phases;
    this.#sweep(phase);
  };

  #sweep(phase: number): void {
    let index = this.#wheel.countIn(phase) - 1;
    this.#options.slices.run(() => {
      const link = this.#wheel.at(phase, index--);
      if (link !== undefined) this.#visit(link);
      return index >= 0;
    });
  }

  #visit(link: ManagedConnection): void {
    if (stateOf(link) === 'closed') {
      this.#whenDead(link, 'silent');
      return;
    }
    const bytesBefore = link.bytesReceivedSeen;
    const wasAsked = link.bytesAtPing >= 0;
    if (wasAsked) this.#judge(link);
    else sample(link);
    if (link.misses >= this.#options.maxHeartbeatMisses || !isWatched(link)) return;
    const isHeard = link.bytesReceivedSeen !== bytesBefore && (!wasAsked || this.#saidSomething(link));
    if (isHeard && link.roundTripMs >= 0) return;
    if (!wasAsked || !hasUnsent(link)) this.#ping(link);
  }

  /** Bytes alone may have been the pong to the last ping, and so an interval old. */
  #saidSomething(link: ManagedConnection): boolean {
    const { clock, heartbeatIntervalMs } = this.#options;
    return clock.now() - link.manager.lastInboundAtMs < heartbeatIntervalMs;
  }

  #judge(link: ManagedConnection): void {
    const verdict = judgeSilence(link, link.bytesAtPing, this.#options.stalledMs);
    if (verdict === 'heard') {
      link.misses = 0;
      link.bytesAtPing = -1;
    } else if (verdict === 'silent') {
      this.#miss(link);
    } else if (verdict === 'stuck') {
      this.#lookAgain(link);
    }
  }

  #miss(link: ManagedConnection): void {
    link.misses += 1;
    const { userId, threadId, key } = link.manager;
    const { generation, misses } = link;
    this.#options.events.emit('heartbeat.missed', { userId, threadId, key, generation, misses });
    if (misses >= this.#options.maxHeartbeatMisses) this.#lookAgain(link);
  }

  /** Before a verdict: an answer may be waiting behind the timer. */
  #lookAgain(link: ManagedConnection): void {
    this.#options.clock.afterPoll(() => {
      if (!isWatched(link)) return;
      const verdict = judgeSilence(link, link.bytesAtPing, this.#options.stalledMs);
      if (verdict === 'silent') this.#whenDead(link, 'silent');
      else if (verdict === 'stuck') this.#whenDead(link, 'slow');
    });
  }

  #ping(link: ManagedConnection): void {
    if (link.bytesAtPing < 0) link.bytesAtPing = link.bytesReceivedSeen;
    this.#options.pinger.ping(link);
  }
}

function isWatched(link: ManagedConnection): boolean {
  return link.wheelBucket >= 0;
}
