import type { Duplex } from 'node:stream';
import type { WaitingPeer } from '../core/admission/outcome.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import { protocolErrors, type MooredSocket } from './moored-web-socket.js';
import { hasCloseFrameOf } from './ws-internals.js';

/** Of a client that waits, so many bytes are read, pings and pongs apart; of one that was refused, so many more. */
const mostBytes = Object.freeze({ waiting: 4_096, refused: 65_536 });

/** Header and mask of a control frame from a client. */
const controlHeaderBytes = 6;

/** An event of the socket's that was kept: a message, mostly. */
type Kept = readonly [event: string | symbol, ...args: unknown[]];

interface WaitingParts {
  readonly socket: MooredSocket;
  readonly stream: Duplex;
  /** Whether the socket answers pings by itself. The application, which would do it otherwise, does not know it yet. */
  readonly answersPings: boolean;
  /** Told once, when the client closes, ends, or breaks the protocol while it waits. */
  readonly onGone: () => void;
}

/** What becomes of it: it waits, then it was admitted and its messages are being delivered, or it is over. */
type Stage = 'waiting' | 'delivering' | 'over';

/**
 * An accepted socket that waits for its admission.
 *
 * `ws` reads and parses as ever, so that pings are answered and a close frame is noticed. What it emits is kept back:
 * the socket's `emit` and `close` are overridden on this one object until everything that was kept is delivered. From
 * then on it is a socket like any other.
 */
export class WaitingSocket implements WaitingPeer {
  readonly #parts: WaitingParts;
  readonly #prototype: MooredSocket;
  readonly #binaryType: MooredSocket['binaryType'];
  #stage: Stage = 'waiting';
  #kept: Kept[] = [];
  #bytes = 0;
  #mostBytes: number = mostBytes.waiting;
  #isPausedHere = false;
  /** Whether the application is being given the socket, or something that came, in this call. */
  #isCalling = false;
  /** Payloads of our pings that no pong has answered. */
  readonly #pings = new Set<string>();

  constructor(parts: WaitingParts) {
    const { socket, stream } = parts;
    this.#parts = parts;
    this.#prototype = Object.getPrototypeOf(socket) as MooredSocket;
    this.#binaryType = socket.binaryType;
    socket.binaryType = 'fragments'; // Whatever the application will want, it can be made of these.
    socket.emit = this.#overhear;
    socket.close = this.#close;
    stream.on('data', this.#read);
    stream.on('end', this.#ended);
  }

  get socket(): MooredSocket {
    return this.#parts.socket;
  }

  get bytesReceived(): number {
    return (this.#parts.stream as { readonly bytesRead?: number }).bytesRead ?? this.#bytes;
  }

  ping(payload: string): void {
    this.#pings.add(payload);
    this.#parts.socket.pingQuietly(payload);
  }

  /**
   * It is admitted, and moored already. What came while it waited follows when the application has had the chance to
   * listen; what comes meanwhile comes after it.
   * @param open gives the socket to the application. What that throws is the application's
   */
  admit(connection: ManagedConnection, open: () => void): void {
    this.#stage = 'delivering';
    this.#unwatch();
    this.#parts.socket.binaryType = this.#binaryType;
    // Pongs that are still to come are not the application's. Nothing is unanswered yet: a byte has come since.
    const atMs = connection.clock.now();
    if (this.#pings.size > 0) connection.pings = [...this.#pings].map((payload) => ({ payload, atMs, bytesThen: -1 }));
    try {
      this.#call(open);
    } finally {
      if (this.#kept.length === 0) this.#restore();
      else setImmediate(this.#deliver);
    }
  }

  /** It is not admitted: what came is dropped, and only so much is read that its close frame can be. */
  refuse(): void {
    this.#stage = 'over';
    this.#kept = [];
    this.#mostBytes = this.#bytes + mostBytes.refused;
    this.#resume();
  }

  readonly #overhear = (event: string | symbol, ...args: unknown[]): boolean => {
    if (this.#stage === 'delivering') return this.#keepOrder(event, args);
    switch (event) {
      case 'message':
        if (this.#stage === 'waiting') this.#kept.push([event, ...args]);
        return true;
      case 'ping':
        this.#pinged(args[0] as Buffer);
        return true;
      case 'pong':
        this.#ponged(args[0] as Buffer);
        return true;
      case 'error':
        this.#gone();
        // The application cannot listen yet: without a listener an error would end the process.
        return this.#parts.socket.listenerCount('error') > 0 && this.#emit(event, args);
      case 'close':
        this.#gone();
        this.#unwatch();
        return this.#emit(event, args);
      default:
        return this.#emit(event, args);
    }
  };

  /**
   * `ws` calls it too, when a close frame has come or the protocol was broken: what came before that is delivered before.
   * What the application closes in front of, it does not get.
   */
  readonly #close = (code?: number, reason?: string | Buffer): void => {
    if (this.#stage === 'delivering' && !this.#isCalling && this.#isByPeer(code)) this.#deliverAll();
    this.#prototype.close.call(this.#parts.socket, code, reason);
    this.#gone();
  };

  #isByPeer(code: number | undefined): boolean {
    return protocolErrors.has(code) || hasCloseFrameOf(this.socket);
  }

  readonly #ended = (): void => {
    this.#gone();
  };

  readonly #read = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#mostBytes || this.#isPausedHere) return;
    this.#isPausedHere = true;
    this.#parts.socket.pause();
  };

  #pinged(payload: Buffer): void {
    this.#bytes -= controlHeaderBytes + payload.length;
    if (!this.#parts.answersPings) this.#parts.socket.pong(payload);
  }

  /** A peer need answer only the latest ping, so that a pong answers the earlier ones too. */
  #ponged(payload: Buffer): void {
    this.#bytes -= controlHeaderBytes + payload.length;
    const answered = payload.toString('latin1');
    if (!this.#pings.has(answered)) return;
    for (const sent of this.#pings) {
      this.#pings.delete(sent);
      if (sent === answered) return;
    }
  }

  #gone(): void {
    if (this.#stage !== 'waiting') return;
    this.#stage = 'over';
    this.#kept = [];
    this.#parts.onGone();
  }

  /** What is no longer kept back must not overtake what is. The end does not wait for a paused application. */
  #keepOrder(event: string | symbol, args: unknown[]): boolean {
    if (event === 'message' || event === 'ping' || event === 'pong') {
      this.#kept.push([event, ...args]);
      return true;
    }
    if (event === 'close' || event === 'error') this.#deliverAll();
    return this.#emit(event, args);
  }

  /** One by one, until the application pauses. One of its listeners that throws does not cost it the rest. */
  readonly #deliver = (): void => {
    const { socket } = this.#parts;
    try {
      while (this.#kept.length > 0 && !socket.isPaused) this.#deliverNext();
    } finally {
      if (this.#kept.length === 0) this.#restore();
      else if (socket.isPaused) socket.resume = this.#resumed;
      else setImmediate(this.#deliver);
    }
  };

  #deliverAll(): void {
    while (this.#kept.length > 0) this.#deliverNext();
    this.#restore();
  }

  #deliverNext(): void {
    const [event = '', ...args] = this.#kept.shift() ?? [];
    if (event === 'message' && Array.isArray(args[0]))
      args[0] = inBinaryType(args[0] as Buffer[], this.socket.binaryType);
    this.#call(() => this.#emit(event, args));
  }

  #call(application: () => unknown): void {
    this.#isCalling = true;
    try {
      application();
    } finally {
      this.#isCalling = false;
    }
  }

  /** The application wants to read again. */
  readonly #resumed = (): void => {
    const { socket } = this.#parts;
    Reflect.deleteProperty(socket, 'resume');
    socket.resume();
    setImmediate(this.#deliver);
  };

  /** Past what is overridden here. */
  #emit(event: string | symbol, args: unknown[]): boolean {
    return this.#prototype.emit.call(this.#parts.socket, event, ...args);
  }

  #unwatch(): void {
    const { stream } = this.#parts;
    stream.off('data', this.#read);
    stream.off('end', this.#ended);
    this.#resume();
  }

  #resume(): void {
    if (!this.#isPausedHere) return;
    this.#isPausedHere = false;
    this.#parts.socket.resume();
  }

  /** The latest first: so the object is again what it was to V8 too. */
  #restore(): void {
    const { socket } = this.#parts;
    for (const name of ['resume', 'close', 'emit']) Reflect.deleteProperty(socket, name);
  }
}

/** A binary message as `ws` would have given it. */
function inBinaryType(fragments: Buffer[], binaryType: string): unknown {
  if (binaryType === 'fragments') return fragments;
  if (binaryType === 'blob') return new Blob(fragments as Buffer<ArrayBuffer>[]);
  const [only] = fragments;
  const whole = fragments.length === 1 && only !== undefined ? only : Buffer.concat(fragments);
  if (binaryType !== 'arraybuffer') return whole;
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength);
}
