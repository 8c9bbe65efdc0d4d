import type { Connection } from '../core/managers/connection.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import type { Time } from '../core/time.js';

/** How a fake peer behaves. */
export interface FakeConnectionOptions {
  /** Needed if a pong or a close takes time. */
  readonly time?: Time;
  /** Milliseconds from a ping to its pong; `null`: never, like a half-open socket. @default 0, in the same call */
  readonly pongAfterMs?: number | null;
  /** Milliseconds from a close frame to the peer's close; `null`: never. @default 0 */
  readonly closeAfterMs?: number | null;
  /** Which calls throw. @default none */
  readonly throwsFrom?: readonly ('ping' | 'close' | 'terminate' | 'isOpen')[];
}

/** What an adapter reports to its connection. */
export type ConnectionReports = Pick<
  ManagedConnection,
  'received' | 'touched' | 'ponged' | 'sent' | 'closed' | 'errored'
>;

/** The size of a short frame. */
const frameBytes = 8;

/**
 * A connection without a socket, for tests: it answers, is silent, slow or broken, as the test wants. `bind` it to the
 * connection that `ticket.open()` returned: then it reports to that connection, as an adapter does.
 */
export class FakeConnection implements Connection {
  bytesReceived = 0;
  bytesSent = 0;
  unsentBytes = 0;
  partialMessageBytes = 0;
  isReadingPaused = false;
  /** Payloads of all pings sent to it. */
  readonly pings: string[] = [];
  /** Close frames sent to it. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  isTerminated = false;
  pongAfterMs: number | null;
  closeAfterMs: number | null;
  readonly throwsFrom: Set<string>;
  readonly #time: Time | undefined;
  #isClosed = false;
  #connection: ConnectionReports | null = null;

  constructor({ time, pongAfterMs = 0, closeAfterMs = 0, throwsFrom = [] }: FakeConnectionOptions = {}) {
    this.#time = time;
    this.pongAfterMs = pongAfterMs;
    this.closeAfterMs = closeAfterMs;
    this.throwsFrom = new Set(throwsFrom);
  }

  /** A peer that answers neither pings nor close frames. */
  static silent(options: FakeConnectionOptions = {}): FakeConnection {
    return new FakeConnection({ ...options, pongAfterMs: null, closeAfterMs: null });
  }

  /** What `manager.socket()` returns: the fake itself. */
  get socket(): this {
    return this;
  }

  get isOpen(): boolean {
    this.#mayThrow('isOpen');
    return !this.#isClosed && this.closes.length === 0;
  }

  /** Whether the socket is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** ConnectionReports to this connection from now on. */
  bind(connection: ConnectionReports): this {
    this.#connection = connection;
    return this;
  }

  /** From now on the peer answers neither pings nor close frames. */
  fallSilent(): void {
    this.pongAfterMs = null;
    this.closeAfterMs = null;
  }

  /** The peer sends a message, or the end of a message whose parts have arrived. */
  message(bytes = frameBytes): void {
    this.bytesReceived += bytes;
    this.partialMessageBytes = 0;
    this.#connection?.received();
  }

  /** The peer sends a part of a message, and not its end. */
  messagePart(bytes = frameBytes): void {
    this.bytesReceived += bytes;
    this.partialMessageBytes += bytes;
  }

  /** The peer sends a keepalive. */
  keepalive(): void {
    this.bytesReceived += frameBytes;
    this.#connection?.touched();
  }

  /** The application sends a message, and it leaves the process. */
  send(bytes = frameBytes): void {
    this.bytesSent += bytes;
    this.#connection?.sent(false);
  }

  /** The application sends a message, and it stays in the process. */
  sendStuck(bytes = frameBytes): void {
    this.unsentBytes += bytes;
    this.#connection?.sent(true);
  }

  ping(payload: string): void {
    this.#mayThrow('ping');
    this.pings.push(payload);
    if (this.pongAfterMs !== null) this.#after(this.pongAfterMs, () => this.pong(payload));
  }

  /** The peer's pong arrives. */
  pong(payload: string): void {
    if (this.#isClosed || this.isReadingPaused) return;
    this.bytesReceived += frameBytes;
    this.#connection?.ponged(payload);
  }

  close(code: number, reason: string): void {
    this.#mayThrow('close');
    this.closes.push({ code, reason });
    if (this.closeAfterMs !== null) this.#after(this.closeAfterMs, () => this.vanish());
  }

  terminate(): void {
    this.#mayThrow('terminate');
    this.isTerminated = true;
    this.vanish();
  }

  /** The socket fails, and closes. */
  fail(error: Error = new Error('the socket failed')): void {
    if (this.#isClosed) return;
    this.#connection?.errored(error);
    this.vanish();
  }

  /** The socket closes, and reports that. */
  vanish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection?.closed();
  }

  #after(delayMs: number, act: () => void): void {
    if (delayMs === 0 || this.#time === undefined) act();
    else this.#time.setTimer(act, delayMs);
  }

  #mayThrow(from: string): void {
    if (this.throwsFrom.has(from)) throw new Error(`fake failure of ${from}`);
  }
}
