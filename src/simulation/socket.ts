import type { Connection } from '../core/managers/connection.js';
import { never } from '../core/time.js';
import { forever } from './forever.js';
import { Line } from './line.js';
import type { PeerProcess } from './peer-process.js';
import type { Held, Listener, Surroundings, Traits } from './traits.js';

const pongBytes = 14;
const closeBytes = 8;

/** What the kernel takes for a peer that acknowledges nothing. */
const kernelBytes = 200_000;

/** When the kernel gives up a peer that acknowledges nothing, with Linux's default of 15 repetitions. */
const kernelPatienceMs = 924_600;

/**
 * Both ends of a WebSocket and the way between them: what the server sees of it, and what is true of the peer.
 */
export class SimulatedSocket implements Connection {
  bytesReceived = 0;
  bytesSent = 0;
  unsentBytes = 0;
  partialMessageBytes = 0;
  readonly traits: Traits;
  /** Since when the application has not read from it; `forever` while it does. All times are of the time in which the server ran. */
  pausedSinceMs = forever;
  /** When the server's end went; `forever` before. */
  closedAtMs = forever;
  /** When the peer last sent a message that arrived, or the connection was opened. */
  #heardAtMs = never;
  /** When the last message of the application left. */
  outboundAtMs = never;
  /** When the handshake was done. */
  openedAtMs = forever;
  /** When the first ping was sent after which nothing has arrived; `forever` without one. */
  unansweredSinceMs = forever;
  /** What the application holds of its manager; the connection that takes over has it too. */
  held: Held = { holds: new Map(), changedAtMs: never };
  /** When anything last arrived of it. */
  lastByteAtMs = never;
  /** What its slowest answer to a ping took; -1 while it has answered none. */
  slowestAnswerMs = -1;
  /** Whether it had an excuse for being silent: something stuck on the way out, or nobody reading. */
  hasExcuse = false;
  /** Since when what the application sent has waited in this process; `forever` while nothing does. */
  stuckSinceMs = forever;
  /** Whether a message of it arrived in more than one part. */
  hasSentInParts = false;
  /** Whether its manager was told of an error since the peer last said something. */
  hasFailed = false;
  /** Whether the server's end is gone. */
  isClosed = false;
  /** Whether a close frame was sent or received here. */
  isClosing = false;
  /** Told when the peer learns that the connection ended. */
  whenEnded: ((code: number, reason: string) => void) | null = null;
  readonly #around: Surroundings;
  readonly #line: Line;
  readonly #process: PeerProcess | null;
  readonly #whenServerCloses: () => void;
  readonly #throws: boolean;
  /** What has arrived and nobody reads. */
  readonly #unread: (() => void)[] = [];
  #connection: Listener | null = null;
  #unacknowledged = 0;
  /** What the peer's kernel has taken and its process has not read. */
  #unreadByPeer = 0;
  #lastSendAtMs = never;
  #whenGone: () => void = () => undefined;

  constructor(around: Surroundings, traits: Traits, whenServerCloses: () => void) {
    this.#around = around;
    this.#process = around.process ?? null;
    this.#line = new Line({
      ...around,
      ...traits,
      process: around.process ?? null,
      read: (act) => {
        this.#read(act);
      },
    });
    this.traits = traits;
    this.#throws = traits.throwsFrom.length > 0;
    this.#whenServerCloses = whenServerCloses;
  }

  /** Whether what either end sends reaches the other. */
  get isReachable(): boolean {
    return this.#line.isReachable;
  }

  /** Since when that is not so; `forever` while it is so. */
  get unreachableSinceMs(): number {
    return this.#line.unreachableSinceMs;
  }

  /** Since when the peer has been there to answer: in reach, and running. `forever` while it is not. */
  get presentSinceMs(): number {
    return Math.max(this.#line.reachableSinceMs, this.#process?.runningSinceMs ?? never);
  }

  /** Since when it is not there; `forever` while it is. */
  get absentSinceMs(): number {
    return Math.min(this.unreachableSinceMs, this.#process?.pausedSinceMs ?? forever);
  }

  /** Whether, for so long, a ping of ours has had no answer, and the peer was absent at some time since. */
  hasLeftUnanswered(forMs: number): boolean {
    return this.#now() - this.unansweredSinceMs >= forMs && this.presentSinceMs > this.unansweredSinceMs;
  }

  get isReadingPaused(): boolean {
    return this.pausedSinceMs < forever;
  }

  get isOpen(): boolean {
    this.#mayThrow('isOpen');
    return !this.isOver;
  }

  /** Whether the server has done with it. */
  get isOver(): boolean {
    return this.isClosed || this.isClosing;
  }

  /** When the peer last sent a message that arrived, the application held or let go, or the connection was opened. */
  get inboundAtMs(): number {
    return Math.max(this.#heardAtMs, this.held.changedAtMs);
  }

  /** When anything counted as activity last. */
  get activeAtMs(): number {
    return Math.max(this.inboundAtMs, this.outboundAtMs);
  }

  /** It was accepted and waits: told when the peer goes while it does. */
  accepted(whenGone: () => void): void {
    this.#whenGone = whenGone;
  }

  /** It becomes a manager's connection: what it was asked, and answered, while it waited says nothing of that. */
  opening(): void {
    this.unansweredSinceMs = forever;
    this.slowestAnswerMs = -1;
  }

  /** The peer does something: now, or once its process goes on. */
  inPeer(act: () => void): void {
    if (this.#process === null) act();
    else this.#process.run(act);
  }

  /** The handshake is done: what arrives is reported to this connection, as an adapter does. */
  opened(connection: Listener, whenEnded: (code: number, reason: string) => void): void {
    this.#connection = connection;
    this.whenEnded = whenEnded;
    this.openedAtMs = this.#now();
    this.active();
  }

  /** Something happened that counts as inbound activity. */
  active(): void {
    this.#heardAtMs = this.#now();
    this.hasFailed = false;
  }

  /** Whether the application holds its manager. */
  get isHeld(): boolean {
    return this.heldUntilMs > this.#now();
  }

  /** When the last of the holds that nobody has ended expires, or expired. */
  get heldUntilMs(): number {
    return Math.max(never, ...this.held.holds.values());
  }

  /** The application holds its manager. @returns ends this hold */
  hold(): () => void {
    const { held } = this;
    const hold = Symbol('hold');
    held.holds.set(hold, this.#now() + this.#around.maxHoldMs);
    this.#holdChanged(held);
    return () => {
      const untilMs = held.holds.get(hold) ?? never;
      held.holds.delete(hold);
      if (untilMs > this.#now()) this.#holdChanged(held);
    };
  }

  #holdChanged(held: Held): void {
    held.changedAtMs = this.#now();
    this.hasFailed = false;
  }

  #now(): number {
    return this.#around.now();
  }

  /** Nothing gets through any longer, either way, and nobody is told. */
  fallSilent(): void {
    this.#line.cut();
  }

  /** The way is open again. A peer whose connection was given up meanwhile learns so. */
  wake(): void {
    if (this.isReachable) return;
    this.#line.heal();
    this.#unacknowledged = 0;
    this.#unstick();
    if (this.isClosed) this.#tellPeer(1006, '');
  }

  /** The application does not read from it any longer. */
  pauseReading(): void {
    this.hasExcuse = true;
    this.pausedSinceMs = Math.min(this.pausedSinceMs, this.#now());
  }

  /** It reads what has arrived meanwhile. */
  resumeReading(): void {
    this.pausedSinceMs = forever;
    for (const act of this.#unread.splice(0)) if (!this.isClosed) act();
  }

  /** The peer sends an application message. */
  message(bytes: number): void {
    this.#toServer(() => {
      this.#heard(bytes);
      this.active();
      this.#connection?.received(this.#connection.clock.recentMs);
    });
  }

  /** The peer sends a message so large that it arrives in parts. */
  longMessage({ parts, partBytes, everyMs }: { parts: number; partBytes: number; everyMs: number }): void {
    this.hasSentInParts = true;
    for (let part = 1; part <= parts; part++)
      this.#around.time.schedule(part * everyMs, () => {
        this.#toServer(() => {
          this.#part(partBytes, part === parts);
        });
      });
  }

  #part(bytes: number, isLast: boolean): void {
    this.#heard(bytes);
    this.active();
    this.partialMessageBytes = isLast ? 0 : this.partialMessageBytes + bytes;
    if (isLast) this.#connection?.received(this.#connection.clock.recentMs);
  }

  /** The peer sends what its library sends to keep proxies from closing the connection. */
  keepalive(): void {
    this.#toServer(() => {
      this.#heard(pongBytes);
      this.#connection?.touched();
    });
  }

  /** The application sends a message. */
  send(bytes: number): void {
    if (this.isOver) return;
    if (!this.isReachable) this.#repeatInVain(bytes);
    else if (this.#process?.isPaused === true) this.#pileUp(bytes);
    const isStuck = this.#unacknowledged + this.#unreadByPeer > kernelBytes;
    this.hasExcuse ||= isStuck;
    this.#lastSendAtMs = this.#now();
    if (isStuck) {
      this.unsentBytes += bytes;
      this.stuckSinceMs = Math.min(this.stuckSinceMs, this.#lastSendAtMs);
    } else {
      this.bytesSent += bytes;
      this.outboundAtMs = this.#lastSendAtMs;
    }
    this.#connection?.sent(isStuck, this.#connection.clock.recentMs);
  }

  /** The peer says goodbye, or its process ends in an orderly way. */
  leave(): void {
    this.#toServer(() => {
      this.#heard(closeBytes);
      this.#end();
    });
  }

  /** The connection is reset. */
  reset(): void {
    this.#line.toServer(() => {
      this.hasFailed = true;
      this.#connection?.errored(new Error('read ECONNRESET'));
      this.#end();
    });
  }

  ping(payload: string): void {
    this.#mayThrow('ping');
    this.unansweredSinceMs = Math.min(this.unansweredSinceMs, this.#now());
    if (!this.isReachable) this.#repeatInVain(pongBytes);
    const askedAtMs = this.#now();
    this.#line.thereAndBack(0, () => {
      this.#heard(pongBytes);
      this.slowestAnswerMs = Math.max(this.slowestAnswerMs, this.#now() - askedAtMs);
      this.#connection?.ponged(payload);
    });
  }

  close(code: number, reason: string): void {
    this.#mayThrow('close');
    if (!this.isOver) this.#whenServerCloses();
    this.isClosing = true;
    this.#tellPeer(code, reason);
    if (this.traits.closeAfterMs === null) return;
    this.#line.thereAndBack(this.traits.closeAfterMs, () => {
      this.#heard(closeBytes);
      this.#end();
    });
  }

  terminate(): void {
    this.#mayThrow('terminate');
    if (this.isClosed) return;
    if (!this.isOver) this.#whenServerCloses();
    this.isClosed = true;
    this.closedAtMs = this.#now();
    this.#tellPeer(1006, '');
    this.#around.time.schedule(0, () => {
      this.#connection?.closed();
    });
  }

  #read(act: () => void): void {
    if (this.isClosed) return;
    if (this.isReadingPaused) this.#unread.push(act);
    else act();
  }

  #heard(bytes: number): void {
    this.bytesReceived += bytes;
    this.unansweredSinceMs = forever;
    this.lastByteAtMs = this.#now();
  }

  #end(): void {
    this.isClosed = true;
    this.closedAtMs = this.#now();
    if (this.#connection === null) this.#whenGone();
    else this.#connection.closed();
  }

  #toServer(act: () => void): void {
    this.inPeer(() => {
      this.#line.toServer(act);
    });
  }

  /** The peer's process does not read: its kernel takes what there is room for. */
  #pileUp(bytes: number): void {
    if (this.#unreadByPeer === 0)
      this.inPeer(() => {
        this.#unreadByPeer = 0;
        if (this.isReachable) this.#unstick();
      });
    this.#unreadByPeer += bytes;
  }

  /** What waited in this process leaves it. */
  #unstick(): void {
    if (this.unsentBytes === 0) return;
    this.bytesSent += this.unsentBytes;
    this.unsentBytes = 0;
    this.stuckSinceMs = forever;
    this.outboundAtMs = this.#lastSendAtMs;
  }

  /** What is sent is repeated, until the kernel gives up. */
  #repeatInVain(bytes: number): void {
    const isFirst = this.#unacknowledged === 0;
    this.#unacknowledged += bytes;
    if (!isFirst) return;
    const sinceMs = this.unreachableSinceMs;
    this.#around.time.schedule(kernelPatienceMs, () => {
      if (this.unreachableSinceMs !== sinceMs || this.isClosed) return;
      this.hasFailed = true;
      this.#connection?.errored(new Error('read ETIMEDOUT'));
      this.#end();
    });
  }

  #tellPeer(code: number, reason: string): void {
    this.#line.toPeer(() => {
      this.inPeer(() => this.whenEnded?.(code, reason));
    });
  }

  #mayThrow(from: Traits['throwsFrom'][number]): void {
    if (this.#throws && this.traits.throwsFrom.includes(from)) throw new Error(`the socket's ${from} throws`);
  }
}
