import type { Expiry } from '../expiry-queue.js';
import type { UserExecutionContext } from '../identity/user-execution-context.js';
import { never, type Clock } from '../time.js';
import type { Closable, Closer } from './closing.js';
import type { Connection } from './connection.js';

/** The manager of a connection, as the connection uses it. */
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

/** Called about what happens to connections. */
export interface ConnectionLifecycle {
  readonly clock: Clock;
  connectionClosing(connection: ManagedConnection, closer: Closer): void;
  connectionClosed(connection: ManagedConnection): void;
  endConnection(connection: ManagedConnection): void;
  connectionOverfull(connection: ManagedConnection): void;
}

/** A ping that no pong has answered yet. */
export interface SentPing {
  readonly payload: string;
  readonly atMs: number;
  /** `bytesReceived` when it was sent: as long as that has not grown, nothing has answered the ping. */
  readonly bytesThen: number;
}

/** A probe that waits for a connection's answer. It is called at once when a pong arrives. */
export interface Watcher {
  heard(connection: ManagedConnection): void;
}

/**
 * A single answer that takes longer was probably delayed once, by a peer that slept or by lost packets. It counts in full
 * only if the answer before it took as long: else the connection would seem too slow to be probed.
 */
const believedAtOnceMs = 3_000;

/**
 * One accepted WebSocket and its manager. An adapter reports to it what happens to the socket.
 *
 * Once a newer connection took over, what the old one reports changes nothing about the manager. Never throws.
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
  /** @internal When there was unsent data last; `never` once a byte of the peer has come after that. */
  backloggedAtMs = never;
  /** @internal Since when unsent data has not moved; `never` while there is none. */
  standstillAtMs = never;
  /** @internal */ misses = 0;
  /** @internal `bytesReceived` when the first unanswered heartbeat left; -1 if there is none. */
  bytesAtPing = -1;
  /** @internal */ pings: readonly SentPing[] | null = null;
  /** @internal The usual round trip in milliseconds; -1 while unknown. */
  roundTripMs = -1;
  /** @internal How long the last answer took. */ lastTookMs = 0;
  /** @internal */ watcher: Watcher | null = null;
  /** @internal */ closing: Expiry<Closable> | null = null;
  /** @internal */ wheelBucket = -1;
  /** @internal */ wheelIndex = 0;
  /** @internal */ readonly clock: Clock;

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

  /** When the last byte of the peer arrived, as far as frames and the last sample of its counters tell. */
  get lastByteAtMs(): number {
    return Math.max(this.lastSeenAtMs, this.lastBytesAtMs);
  }

  /** @internal When a frame other than a pong last arrived. */
  get lastSaidAtMs(): number {
    return Math.max(this.lastTouchedAtMs, this.lastInboundAtMs);
  }

  /** When the last message went either way. */
  get lastActivityAtMs(): number {
    return this.manager.lastActivityAtMs;
  }

  /**
   * An application message arrived. A message costs one store: the manager reads the time when it needs it.
   * @param atMs when; may be up to 250 ms too early @default now
   */
  received(atMs = this.clock.now()): void {
    this.lastInboundAtMs = atMs;
  }

  /** A frame arrived that is no activity: a ping, or a keepalive of the application. */
  touched(): void {
    this.lastTouchedAtMs = this.clock.now();
  }

  /** A pong arrived. Only a pong with the payload of one of our pings gives a round trip. */
  ponged(payload: string): void {
    const now = this.clock.now();
    this.lastPongAtMs = now;
    const ping = this.pings?.find((sent) => sent.payload === payload);
    if (ping !== undefined) this.#answered(ping, now);
    if (this.isCurrent) this.watcher?.heard(this);
  }

  /**
   * The application sent a message. It counts as activity once it has left the process.
   * @param isBacklogged whether the transport could not take all of it
   * @param atMs when; may be up to 250 ms too early @default now
   */
  sent(isBacklogged: boolean, atMs = this.clock.now()): void {
    this.lastSendAtMs = atMs;
    if (!isBacklogged) return;
    if (this.backloggedAtMs === never) this.backloggedAtMs = atMs;
    if (this.standstillAtMs === never) this.standstillAtMs = atMs;
  }

  /** The application sent a message while more than `maxUnsentBytes` waited: the connection is closed as slow. */
  overfull(): void {
    if (this.isCurrent) this.manager.lifecycle.connectionOverfull(this);
  }

  /**
   * The peer or the application began to close the socket. The slot is free at once; the socket gets `closeGraceMs` to
   * close, then it is destroyed. Adapters may leave this call out: {@link closed} does the same when it comes.
   * @param closer after a close by the application, data that it sent before gets up to 30 seconds to leave, and may
   *   stand still for `backlogExcuseMs`; after one by the peer it must go on leaving
   */
  closingBegan(closer: Closer = 'application'): void {
    this.manager.lifecycle.connectionClosing(this, closer);
  }

  /** The socket has closed. */
  closed(): void {
    this.manager.lifecycle.connectionClosed(this);
  }

  /** The socket has failed, e.g. by a reset or a protocol error. */
  errored(error: unknown): void {
    if (this.isCurrent) this.manager.fail(error);
  }

  /** If this process was stalled meanwhile, it is not known when the answer arrived, so it gives no round trip. */
  #answered({ atMs }: SentPing, now: number): void {
    this.pings = null;
    if (atMs > this.clock.lastStallEndedAtMs) this.#measured(now - atMs);
  }

  /** Faster answers change the estimate more than slower ones. */
  #measured(tookMs: number): void {
    const roundTripMs = Math.min(tookMs, Math.max(believedAtOnceMs, this.lastTookMs));
    this.lastTookMs = tookMs;
    const usual = this.roundTripMs < 0 ? roundTripMs : this.roundTripMs;
    const weight = roundTripMs < usual ? 0.5 : 0.25;
    this.roundTripMs = Math.round((1 - weight) * usual + weight * roundTripMs);
  }
}
