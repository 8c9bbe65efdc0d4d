import type { UserExecutionContext } from '../identity/user-execution-context.js';
import type { Expiry } from '../expiry-queue.js';
import type { Closable } from './closing.js';
import { never, type Clock } from '../time.js';
import type { Connection } from './connection.js';

/** What a connection needs of the manager it belongs to. */
export interface ConnectionOwner {
  readonly userId: string;
  readonly threadId: string;
  readonly key: string;
  /** @internal */ readonly generation: number;
  /** @internal */ readonly connection: object | null;
  /** @internal */ readonly isReleased: boolean;
  readonly lastActivityAtMs: number;
  /** @internal */ readonly lifecycle: ConnectionLifecycle;
  fail(error: unknown): void;
}

/** Hears what happens to connections. */
export interface ConnectionLifecycle {
  readonly clock: Clock;
  connectionClosing(connection: ManagedConnection): void;
  connectionClosed(connection: ManagedConnection): void;
  endConnection(connection: ManagedConnection): void;
  connectionOverfull(connection: ManagedConnection): void;
}

/** A ping that no pong has answered yet. */
export interface SentPing {
  readonly payload: string;
  readonly atMs: number;
  /** What `bytesReceived` was when it was sent: as long as that has not grown, nothing has answered it. */
  readonly bytesThen: number;
}

/** Is told at once when a connection answers. */
export interface Watcher {
  heard(connection: ManagedConnection): void;
}

/**
 * Few networks take longer. A slower answer was probably delayed once, by a peer that slept or by lost packets; taken for
 * the usual round trip, it would make the connection too slow to be asked when its place is needed. So it counts in full
 * only if the answer before it took as long.
 */
const believedAtOnceMs = 3_000;

/**
 * One accepted WebSocket and its manager. An adapter tells it what happens to the socket.
 *
 * Every call of a connection that is no longer its manager's is ignored, so a late close of a socket that was taken
 * over changes nothing. Never throws.
 */
export class ManagedConnection<Owner extends ConnectionOwner = ConnectionOwner> {
  /** 1 for the manager's first socket, one more for each that took over. */
  readonly generation: number;
  readonly connectedAtMs: number;
  /** @internal When an application message last arrived. */ lastInboundAtMs: number;
  /** @internal */ lastSendAtMs = never;
  /** @internal When a ping or a keepalive last arrived. */ lastTouchedAtMs: number;
  /** @internal */ lastPongAtMs = never;
  /** @internal When `bytesReceived` was last found to have grown. */
  lastBytesAtMs: number;
  /** @internal When `bytesSent` was last found to have grown. */
  lastWriteAtMs: number;
  /** @internal */ bytesReceivedSeen = 0;
  /** @internal */ bytesSentSeen = 0;
  /** @internal */ partialBytesSeen = 0;
  /** @internal When data was last seen waiting to leave this process; `never` once the peer was heard of after it. */
  backloggedAtMs = never;
  /** @internal Since when the data that waits to leave has not moved; `never` while none waits. */
  standstillAtMs = never;
  /** @internal */ misses = 0;
  /** @internal What `bytesReceived` was when the first unanswered heartbeat left; -1 while none is out. */
  bytesAtPing = -1;
  /** @internal */ pings: SentPing[] | null = null;
  /** @internal The usual round trip in milliseconds; -1 while unknown. */
  roundTripMs = -1;
  /** @internal What the last answer took. */ lastTookMs = 0;
  /** @internal */ watcher: Watcher | null = null;
  /** @internal */ closing: Expiry<Closable> | null = null;
  /** @internal */ wheelBucket = -1;
  /** @internal */ wheelIndex = 0;
  /** @internal The clock all its times are of. */ readonly clock: Clock;

  /** @internal */
  constructor(
    readonly manager: Owner,
    readonly transport: Connection,
    readonly context: UserExecutionContext,
  ) {
    this.clock = manager.lifecycle.clock;
    const now = this.clock.now();
    this.generation = manager.generation;
    this.connectedAtMs = now;
    this.lastInboundAtMs = now;
    this.lastTouchedAtMs = now;
    this.lastBytesAtMs = now;
    this.lastWriteAtMs = now;
  }

  /** Whether this is still the connection of a manager that holds its slot. */
  get isCurrent(): boolean {
    return this.manager.connection === this && !this.manager.isReleased;
  }

  /** When a frame last arrived. */
  get lastSeenAtMs(): number {
    return Math.max(this.lastSaidAtMs, this.lastPongAtMs);
  }

  /** When the peer was last heard of, by frames and by bytes, as far as was looked. */
  get lastByteAtMs(): number {
    return Math.max(this.lastSeenAtMs, this.lastBytesAtMs);
  }

  /** @internal When the peer last sent something of its own accord. */
  get lastSaidAtMs(): number {
    return Math.max(this.lastTouchedAtMs, this.lastInboundAtMs);
  }

  /** When the application last said something, either way. */
  get lastActivityAtMs(): number {
    return this.manager.lastActivityAtMs;
  }

  /**
   * An application message arrived. Its manager asks for this when it wants to know: a message costs one store.
   * @param atMs when, as precisely as is worth it @default now
   */
  received(atMs = this.clock.now()): void {
    this.lastInboundAtMs = atMs;
  }

  /** A frame arrived that is no activity: a ping, or an application's keepalive. */
  touched(): void {
    this.lastTouchedAtMs = this.clock.now();
  }

  /** A pong arrived. The peer chooses its payload; only the payload of one of our pings tells the round trip. */
  ponged(payload: string): void {
    const now = this.clock.now();
    this.lastPongAtMs = now;
    const ping = this.pings?.find((sent) => sent.payload === payload);
    if (ping !== undefined) this.#answered(ping, now);
    if (this.isCurrent) this.watcher?.heard(this);
  }

  /**
   * The application handed over a message for sending. It counts as activity once it has left the process.
   * @param isBacklogged whether the transport could not take all of it
   * @param atMs when, as precisely as is worth it @default now
   */
  sent(isBacklogged: boolean, atMs = this.clock.now()): void {
    this.lastSendAtMs = atMs;
    if (!isBacklogged) return;
    if (this.backloggedAtMs === never) this.backloggedAtMs = atMs;
    if (this.standstillAtMs === never) this.standstillAtMs = atMs;
  }

  /** A message was handed over while more than `maxUnsentBytes` waited: the connection is closed as slow. */
  overfull(): void {
    if (this.isCurrent) this.manager.lifecycle.connectionOverfull(this);
  }

  /**
   * The peer or the application began to close the socket: nothing of its manager waits for the rest. The socket gets
   * `closeGraceMs` to close, then it is destroyed. Optional: without it, {@link closed} does the same when it comes.
   */
  closingBegan(): void {
    this.manager.lifecycle.connectionClosing(this);
  }

  /** The socket closed: nothing of it is left to wait for. */
  closed(): void {
    this.manager.lifecycle.connectionClosed(this);
  }

  /** The socket failed for good: a reset, a protocol error. */
  errored(error: unknown): void {
    if (this.isCurrent) this.manager.fail(error);
  }

  /** An answer that arrived during a stall of this process tells nothing: when it arrived is not known. */
  #answered({ atMs }: SentPing, now: number): void {
    this.pings = null;
    if (atMs > this.clock.lastStallEndedAtMs) this.#measured(now - atMs);
  }

  /** The estimate follows a faster answer sooner than a slower one. */
  #measured(tookMs: number): void {
    const roundTripMs = Math.min(tookMs, Math.max(believedAtOnceMs, this.lastTookMs));
    this.lastTookMs = tookMs;
    const usual = this.roundTripMs < 0 ? roundTripMs : this.roundTripMs;
    const weight = roundTripMs < usual ? 0.5 : 0.25;
    this.roundTripMs = Math.round((1 - weight) * usual + weight * roundTripMs);
  }
}
