import type { Duplex } from 'node:stream';
import type { WaitingPeer } from '../core/admission/outcome.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import { protocolErrors, type MooredSocket } from './moored-web-socket.js';
import { controlHeaderBytes } from './stream-counters.js';
import { hasCloseFrameOf } from './ws-internals.js';

/** How many bytes are read from a waiting client, without pings and pongs, and how many more once it is refused. */
const maxBytes = Object.freeze({ waiting: 4_096, refused: 65_536 });

/** An event of the socket that was kept, usually a message. */
type Kept = readonly [event: string | symbol, ...args: unknown[]];

interface WaitingParts {
  readonly socket: MooredSocket;
  readonly stream: Duplex;
  /** Whether the socket answers pings by itself. If not, we do, since the application does not have the socket yet. */
  readonly answersPings: boolean;
  /** Called once, if the client closes, ends, or breaks the protocol while it waits. */
  readonly onGone: () => void;
}

/** `delivering`: admitted, and the kept messages are being delivered. `over`: refused, or the client has gone. */
type Stage = 'waiting' | 'delivering' | 'over';

/**
 * An accepted socket that waits for its admission.
 *
 * `ws` reads and parses as usual, so that pings are answered and a close frame is noticed. The messages it emits are
 * kept: `emit` and `close` are overridden on this one object until all of them are delivered. After that it is a socket
 * like any other.
 */
export class WaitingSocket implements WaitingPeer {
  readonly #parts: WaitingParts;
  readonly #prototype: MooredSocket;
  readonly #binaryType: MooredSocket['binaryType'];
  #stage: Stage = 'waiting';
  #kept: Kept[] = [];
  #bytes = 0;
  #maxBytes: number = maxBytes.waiting;
  #isPausedHere = false;
  /** Whether the application is being called, with the socket or with a kept event. */
  #isCalling = false;
  /** Payloads of our pings that no pong has answered. */
  readonly #pings = new Set<string>();

  constructor(parts: WaitingParts) {
    const { socket, stream } = parts;
    this.#parts = parts;
    this.#prototype = Object.getPrototypeOf(socket) as MooredSocket;
    this.#binaryType = socket.binaryType;
    socket.binaryType = 'fragments'; // Every type that the application may choose can be made of these.
    socket.emit = this.#onEvent;
    socket.close = this.#close;
    stream.on('data', this.#read);
    stream.on('end', this.#onEnd);
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
   * The client is admitted, and the socket is bound to its connection. Kept messages are delivered once the application
   * had the chance to add listeners; messages that arrive meanwhile follow them.
   * @param open gives the socket to the application, whose exceptions are passed on
   */
  admit(connection: ManagedConnection, open: () => void): void {
    this.#stage = 'delivering';
    this.#unwatch();
    this.#parts.socket.binaryType = this.#binaryType;
    // So that pongs to our pings do not reach the application. None counts as unanswered: bytes came since.
    const atMs = connection.clock.now();
    if (this.#pings.size > 0) connection.pings = [...this.#pings].map((payload) => ({ payload, atMs, bytesThen: -1 }));
    try {
      this.#call(open);
    } finally {
      if (this.#kept.length === 0) this.#restore();
      else setImmediate(this.#deliver);
    }
  }

  /** The client is not admitted: kept messages are dropped, and it is read only to find its close frame. */
  refuse(): void {
    this.#stage = 'over';
    this.#kept = [];
    this.#maxBytes = this.#bytes + maxBytes.refused;
    this.#resume();
  }

  readonly #onEvent = (event: string | symbol, ...args: unknown[]): boolean => {
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
   * `ws` also calls it, when a close frame arrived or the protocol was broken: then kept messages are delivered before.
   * If the application closes the socket, it does not get them.
   */
  readonly #close = (code?: number, reason?: string | Buffer): void => {
    if (this.#stage === 'delivering' && !this.#isCalling && this.#isByPeer(code)) this.#deliverAll();
    this.#prototype.close.call(this.#parts.socket, code, reason);
    this.#gone();
  };

  #isByPeer(code: number | undefined): boolean {
    return protocolErrors.has(code) || hasCloseFrameOf(this.socket);
  }

  readonly #onEnd = (): void => {
    this.#gone();
  };

  readonly #read = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#maxBytes || this.#isPausedHere) return;
    this.#isPausedHere = true;
    this.#parts.socket.pause();
  };

  #pinged(payload: Buffer): void {
    this.#bytes -= controlHeaderBytes + payload.length;
    if (!this.#parts.answersPings) this.#parts.socket.pong(payload);
  }

  /** A peer may answer only the latest ping, so a pong answers the earlier ones too. */
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

  /** New events must not overtake kept ones. A close or an error does not wait for a paused application. */
  #keepOrder(event: string | symbol, args: unknown[]): boolean {
    if (event === 'message' || event === 'ping' || event === 'pong') {
      this.#kept.push([event, ...args]);
      return true;
    }
    if (event === 'close' || event === 'error') this.#deliverAll();
    return this.#emit(event, args);
  }

  /** Delivers until the application pauses. If one of its listeners throws, delivery goes on afterwards. */
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

  /** Calls the `emit` that is overridden here. */
  #emit(event: string | symbol, args: unknown[]): boolean {
    return this.#prototype.emit.call(this.#parts.socket, event, ...args);
  }

  #unwatch(): void {
    const { stream } = this.#parts;
    stream.off('data', this.#read);
    stream.off('end', this.#onEnd);
    this.#resume();
  }

  #resume(): void {
    if (!this.#isPausedHere) return;
    this.#isPausedHere = false;
    this.#parts.socket.resume();
  }

  /** In the reverse order of adding, so that V8 gives the object its former hidden class back. */
  #restore(): void {
    const { socket } = this.#parts;
    for (const name of ['resume', 'close', 'emit']) Reflect.deleteProperty(socket, name);
  }
}

/** The message as `ws` would have emitted it with this `binaryType`. */
function inBinaryType(fragments: Buffer[], binaryType: string): unknown {
  if (binaryType === 'fragments') return fragments;
  if (binaryType === 'blob') return new Blob(fragments as Buffer<ArrayBuffer>[]);
  const [only] = fragments;
  const whole = fragments.length === 1 && only !== undefined ? only : Buffer.concat(fragments);
  if (binaryType !== 'arraybuffer') return whole;
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength);
}
