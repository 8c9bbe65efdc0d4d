import type { Connection } from '../core/managers/connection.js';
import { never } from '../core/time.js';
import { forever } from './forever.js';
import { NetworkPath } from './network-path.js';
import type { PeerProcess } from './peer-process.js';
import type { Holds, Peer, SocketListener, SocketServer, Traits } from './traits.js';

const pongBytes = 14;
const closeBytes = 8;

/** How many unacknowledged bytes the server's kernel takes before data waits in the process. */
const kernelBufferBytes = 200_000;

/** When the kernel gives up on a peer that acknowledges nothing, with Linux's default of 15 repetitions. */
const kernelTimeoutMs = 924_600;

/**
 * Both ends of a WebSocket and the network between them: what the server sees, and the truth about the peer, which only
 * the judges see. All times are milliseconds in which the server ran.
 */
export class SimulatedSocket implements Connection {
  bytesReceived = 0;
  bytesSent = 0;
  unsentBytes = 0;
  partialMessageBytes = 0;
  readonly traits: Traits;
  /** Since when the application has not read from it; `forever` while it reads. */
  pausedSinceMs = forever;
  /** When the server's end closed; `forever` before. */
  closedAtMs = forever;
  /** When a message of the peer last arrived, or the connection was opened. */
  #lastMessageAtMs = never;
  /** When the last message of the application left. */
  outboundAtMs = never;
  /** When the handshake was done. */
  openedAtMs = forever;
  /** When the first ping was sent after which nothing has arrived; `forever` without one. */
  unansweredSinceMs = forever;
  /** The application's holds on its manager; a connection that takes over gets them too. */
  holds: Holds = { expiresAtMs: new Map(), changedAtMs: never };
  /** When anything last arrived from the peer. */
  lastByteAtMs = never;
  /** How long its slowest answer to a ping took; -1 while it has answered none. */
  slowestAnswerMs = -1;
  /** Whether it ever had an excuse for being silent: unsent data, or an application that did not read. */
  hasExcuse = false;
  /** Since when data of the application has waited in this process; `forever` while none waits. */
  stuckSinceMs = forever;
  /** Whether the peer sent a message that arrived in more than one part. */
  hasSentInParts = false;
  /** Whether its manager was told of an error since the last inbound activity. */
  hasFailed = false;
  /** Whether the server's end is closed. */
  isClosed = false;
  #isClosing = false;
  readonly #server: SocketServer;
  readonly #path: NetworkPath;
  readonly #process: PeerProcess | null;
  readonly #onServerClose: () => void;
  readonly #throws: boolean;
  /** The effects of what has arrived and is not read. */
  readonly #unread: (() => void)[] = [];
  #listener: SocketListener | null = null;
  #onEnd: ((code: number, reason: string) => void) | null = null;
  #onPeerGone: () => void = () => undefined;
  #unacknowledged = 0;
  /** Bytes that the peer's kernel has taken and its process has not read. */
  #unreadByPeer = 0;
  #lastSendAtMs = never;

  /** @param onServerClose called before the server closes or terminates it */
  constructor(server: SocketServer, { traits, chance, process = null }: Peer, onServerClose: () => void) {
    this.#server = server;
    this.#process = process;
    this.#path = new NetworkPath({
      time: server.time,
      now: server.now,
      chance: chance ?? server.chance,
      roundTripMs: traits.roundTripMs,
      lossRatio: traits.lossRatio,
      process,
      read: (act) => this.#read(act),
    });
    this.traits = traits;
    this.#throws = traits.throwsFrom.length > 0;
    this.#onServerClose = onServerClose;
  }

  /** Whether what either end sends reaches the other. */
  get isReachable(): boolean {
    return this.#path.isReachable;
  }

  /** Since when neither end reaches the other; `forever` while it does. */
  get unreachableSinceMs(): number {
    return this.#path.unreachableSinceMs;
  }

  /** Since when the peer could answer: it is reachable, and its process runs. `forever` while it cannot. */
  get presentSinceMs(): number {
    return Math.max(this.#path.reachableSinceMs, this.#process?.runningSinceMs ?? never);
  }

  /** Whether a ping has been unanswered for this long, and the peer could not answer at some time since. */
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

  /** Whether the server's end is closed, or the server has sent a close frame. */
  get isOver(): boolean {
    return this.isClosed || this.#isClosing;
  }

  /** The last inbound activity: a message arrived, a hold began or ended, or the connection was opened. */
  get inboundAtMs(): number {
    return Math.max(this.#lastMessageAtMs, this.holds.changedAtMs);
  }

  /** The last activity, either way. */
  get activeAtMs(): number {
    return Math.max(this.inboundAtMs, this.outboundAtMs);
  }

  /** The handshake is done, and the client waits. @param onPeerGone called if the peer closes before `attach` */
  accept(onPeerGone: () => void): void {
    this.#onPeerGone = onPeerGone;
  }

  /** It is about to become a manager's connection: earlier pings and answers no longer count. */
  forgetPings(): void {
    this.unansweredSinceMs = forever;
    this.slowestAnswerMs = -1;
  }

  /**
   * The handshake is done: from now on it reports to this connection, as an adapter does.
   * @param onEnd called when the peer learns that the connection ended
   */
  attach(listener: SocketListener, onEnd: (code: number, reason: string) => void): void {
    this.#listener = listener;
    this.#onEnd = onEnd;
    this.openedAtMs = this.#now();
    this.#noteMessage();
  }

  /** The peer does something: now or, while its process pauses, when the process goes on. */
  inPeer(act: () => void): void {
    if (this.#process === null) act();
    else this.#process.run(act);
  }

  /** Whether the application holds its manager. */
  get isHeld(): boolean {
    return this.heldUntilMs > this.#now();
  }

  /** When the last of the holds that were not ended expires, or expired. */
  get heldUntilMs(): number {
    return Math.max(never, ...this.holds.expiresAtMs.values());
  }

  /** The application holds its manager. @returns ends this hold */
  hold(): () => void {
    const { holds } = this;
    const hold = Symbol('hold');
    holds.expiresAtMs.set(hold, this.#now() + this.#server.maxHoldMs);
    this.#noteHoldChange(holds);
    return () => {
      const untilMs = holds.expiresAtMs.get(hold) ?? never;
      holds.expiresAtMs.delete(hold);
      if (untilMs > this.#now()) this.#noteHoldChange(holds);
    };
  }

  #noteHoldChange(holds: Holds): void {
    holds.changedAtMs = this.#now();
    this.hasFailed = false;
  }

  #now(): number {
    return this.#server.now();
  }

  /** Nothing arrives any longer, either way, and neither end is told. */
  fallSilent(): void {
    this.#path.cut();
  }

  /** Ends the silence. A peer whose connection was given up meanwhile learns so. */
  wake(): void {
    if (this.isReachable) return;
    this.#path.restore();
    this.#unacknowledged = 0;
    this.#sendStuckData();
    if (this.isClosed) this.#notifyPeer(1006, '');
  }

  /** The application stops reading. */
  pauseReading(): void {
    this.hasExcuse = true;
    this.pausedSinceMs = Math.min(this.pausedSinceMs, this.#now());
  }

  /** The application reads again, first what has arrived meanwhile. */
  resumeReading(): void {
    this.pausedSinceMs = forever;
    for (const act of this.#unread.splice(0)) if (!this.isClosed) act();
  }

  /** The peer sends an application message. */
  message(bytes: number): void {
    this.#toServer(() => {
      this.#receive(bytes);
      this.#noteMessage();
      this.#listener?.received(this.#listener.clock.recentMs);
    });
  }

  /** The peer sends a message so large that it arrives in parts. */
  longMessage({ parts, partBytes, everyMs }: { parts: number; partBytes: number; everyMs: number }): void {
    this.hasSentInParts = true;
    for (let part = 1; part <= parts; part++)
      this.#server.time.schedule(part * everyMs, () => {
        this.#toServer(() => this.#receivePart(partBytes, part === parts));
      });
  }

  #receivePart(bytes: number, isLast: boolean): void {
    this.#receive(bytes);
    this.#noteMessage();
    this.partialMessageBytes = isLast ? 0 : this.partialMessageBytes + bytes;
    if (isLast) this.#listener?.received(this.#listener.clock.recentMs);
  }

  /** The peer's library sends a keepalive. */
  keepalive(): void {
    this.#toServer(() => {
      this.#receive(pongBytes);
      this.#listener?.touched();
    });
  }

  /** The application sends a message. */
  send(bytes: number): void {
    if (this.isOver) return;
    if (!this.isReachable) this.#repeatInVain(bytes);
    else if (this.#process?.isPaused === true) this.#fillPeerBuffer(bytes);
    const isStuck = this.#unacknowledged + this.#unreadByPeer > kernelBufferBytes;
    this.hasExcuse ||= isStuck;
    this.#lastSendAtMs = this.#now();
    if (isStuck) {
      this.unsentBytes += bytes;
      this.stuckSinceMs = Math.min(this.stuckSinceMs, this.#lastSendAtMs);
    } else {
      this.bytesSent += bytes;
      this.outboundAtMs = this.#lastSendAtMs;
    }
    this.#listener?.sent(isStuck, this.#listener.clock.recentMs);
  }

  /** The peer sends a close frame and closes. */
  leave(): void {
    this.#toServer(() => {
      this.#receive(closeBytes);
      this.#closed();
    });
  }

  /** The connection is reset. */
  reset(): void {
    this.#path.toServer(() => this.#failed('read ECONNRESET'));
  }

  ping(payload: string): void {
    this.#mayThrow('ping');
    const sentAtMs = this.#now();
    this.unansweredSinceMs = Math.min(this.unansweredSinceMs, sentAtMs);
    if (!this.isReachable) this.#repeatInVain(pongBytes);
    this.#path.roundTrip(0, () => {
      this.#receive(pongBytes);
      this.slowestAnswerMs = Math.max(this.slowestAnswerMs, this.#now() - sentAtMs);
      this.#listener?.ponged(payload);
    });
  }

  close(code: number, reason: string): void {
    this.#mayThrow('close');
    if (!this.isOver) this.#onServerClose();
    this.#isClosing = true;
    this.#notifyPeer(code, reason);
    if (this.traits.closeAfterMs === null) return;
    this.#path.roundTrip(this.traits.closeAfterMs, () => {
      this.#receive(closeBytes);
      this.#closed();
    });
  }

  terminate(): void {
    this.#mayThrow('terminate');
    if (this.isClosed) return;
    if (!this.isOver) this.#onServerClose();
    this.isClosed = true;
    this.closedAtMs = this.#now();
    this.#notifyPeer(1006, '');
    this.#server.time.schedule(0, () => this.#listener?.closed());
  }

  #read(act: () => void): void {
    if (this.isClosed) return;
    if (this.isReadingPaused) this.#unread.push(act);
    else act();
  }

  #receive(bytes: number): void {
    this.bytesReceived += bytes;
    this.unansweredSinceMs = forever;
    this.lastByteAtMs = this.#now();
  }

  #noteMessage(): void {
    this.#lastMessageAtMs = this.#now();
    this.hasFailed = false;
  }

  #failed(message: string): void {
    this.hasFailed = true;
    this.#listener?.errored(new Error(message));
    this.#closed();
  }

  #closed(): void {
    this.isClosed = true;
    this.closedAtMs = this.#now();
    if (this.#listener === null) this.#onPeerGone();
    else this.#listener.closed();
  }

  #toServer(act: () => void): void {
    this.inPeer(() => this.#path.toServer(act));
  }

  /** The peer's process does not read: its kernel takes what there is room for. */
  #fillPeerBuffer(bytes: number): void {
    if (this.#unreadByPeer === 0)
      this.inPeer(() => {
        this.#unreadByPeer = 0;
        if (this.isReachable) this.#sendStuckData();
      });
    this.#unreadByPeer += bytes;
  }

  /** What waited in this process leaves it. */
  #sendStuckData(): void {
    if (this.unsentBytes === 0) return;
    this.bytesSent += this.unsentBytes;
    this.unsentBytes = 0;
    this.stuckSinceMs = forever;
    this.outboundAtMs = this.#lastSendAtMs;
  }

  /** The kernel repeats what is sent, until it gives up. */
  #repeatInVain(bytes: number): void {
    const isFirst = this.#unacknowledged === 0;
    this.#unacknowledged += bytes;
    if (!isFirst) return;
    const sinceMs = this.unreachableSinceMs;
    this.#server.time.schedule(kernelTimeoutMs, () => {
      if (this.unreachableSinceMs === sinceMs && !this.isClosed) this.#failed('read ETIMEDOUT');
    });
  }

  #notifyPeer(code: number, reason: string): void {
    this.#path.toPeer(() => this.inPeer(() => this.#onEnd?.(code, reason)));
  }

  #mayThrow(from: Traits['throwsFrom'][number]): void {
    if (this.#throws && this.traits.throwsFrom.includes(from)) throw new Error(`the socket's ${from} throws`);
  }
}
