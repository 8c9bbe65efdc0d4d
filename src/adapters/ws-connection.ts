import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import { isKeepalive } from '../core/liveness/keepalive.js';
import type { Connection } from '../core/managers/connection.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';

/** The longest control frame a client can send: header, mask and payload. */
const longestControlFrame = 2 + 4 + 125;

/** Header bytes of a short unmasked frame. */
const pingHeaderBytes = 2;

/** What a moored socket lets its connection do past its own overrides. */
export interface MooredSocket extends WebSocket {
  /** Closes without telling Mooring, which is who asks. */
  closeQuietly(code: number, reason: string): void;
  /** Pings without this being the application's ping. */
  pingQuietly(payload: string): void;
}

/** The part of a libuv stream handle that tells how far a large write has come. Not public, so it may be missing. */
interface StreamHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** The counters of a `net.Socket`. `ws` also takes any other Duplex; then they are missing, and nothing is seen to move. */
interface CountingStream {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writableLength: number;
  readonly _handle?: StreamHandle | null;
}

/** A `ws` WebSocket as Mooring sees it. */
export class WsConnection implements Connection {
  readonly #socket: MooredSocket;
  readonly #stream: CountingStream;
  readonly #recognisesKeepalives: boolean;
  #link: ManagedConnection | null = null;
  #pingBytes = 0;
  #bytesAtFrame: number;
  /** The application pinged and has had no pong since. */
  #isAppWaitingForPong = false;

  constructor(socket: MooredSocket, stream: Duplex, recognisesKeepalives: boolean) {
    this.#socket = socket;
    this.#stream = stream as unknown as CountingStream;
    this.#recognisesKeepalives = recognisesKeepalives;
    this.#bytesAtFrame = this.bytesReceived;
  }

  get link(): ManagedConnection | null {
    return this.#link;
  }

  bind(link: ManagedConnection): void {
    this.#link = link;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get isReadingPaused(): boolean {
    return this.#socket.isPaused;
  }

  get bytesReceived(): number {
    return this.#stream.bytesRead;
  }

  get bytesSent(): number {
    const { bytesWritten, writeQueueSize } = this.#stream._handle ?? {};
    const sent =
      bytesWritten !== undefined && writeQueueSize !== undefined
        ? bytesWritten - writeQueueSize
        : this.#stream.bytesWritten - this.#stream.writableLength;
    return sent - this.#pingBytes;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Bytes since the last frame ended are of a message, unless they can be a control frame not yet complete. */
  get partialMessageBytes(): number {
    const bytes = this.bytesReceived - this.#bytesAtFrame;
    return bytes > longestControlFrame ? bytes : 0;
  }

  ping(payload: string): void {
    this.#socket.pingQuietly(payload);
    this.#pingBytes += pingHeaderBytes + payload.length;
  }

  close(code: number, reason: string): void {
    this.#socket.closeQuietly(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** A message arrived. */
  message(content: RawData): void {
    this.#bytesAtFrame = this.bytesReceived;
    if (this.#isKeepalive(content)) this.#link?.touched();
    else this.#link?.received();
  }

  /** A ping arrived. */
  pinged(): void {
    this.#frameEnded();
    this.#link?.touched();
  }

  /**
   * A pong arrived.
   * @returns whether the application should see it: its own pings' pongs, and those of ours that may stand for them,
   * since a peer need answer only the latest ping (RFC 6455, 5.5.3)
   */
  ponged(payload: Buffer): boolean {
    this.#frameEnded();
    const text = payload.toString('latin1');
    const isOurs = this.#link?.pings?.some((ping) => ping.payload === text) ?? false;
    this.#link?.ponged(text);
    const isSeen = !isOurs || this.#isAppWaitingForPong;
    this.#isAppWaitingForPong = false;
    return isSeen;
  }

  /** The application pinged. */
  appPinged(): void {
    this.#isAppWaitingForPong = true;
  }

  /** The application sent something. */
  sent(content: unknown): void {
    const isShort = typeof content === 'string' || content instanceof Uint8Array;
    if (isShort && this.#recognisesKeepalives && isKeepalive(content)) return;
    this.#link?.sent(this.#stream.writableLength > 0);
  }

  /** The socket closed, or a close frame went either way. */
  closed(): void {
    this.#link?.closed();
  }

  /** The socket failed; what follows is its end. */
  errored(error: unknown): void {
    this.#link?.errored(error);
  }

  #isKeepalive(content: RawData): boolean {
    return this.#recognisesKeepalives && content instanceof Uint8Array && isKeepalive(content);
  }

  /** A control frame between the fragments of a message must not hide that the message goes on. */
  #frameEnded(): void {
    if (this.partialMessageBytes > 0) this.#link?.received();
    this.#bytesAtFrame = this.bytesReceived;
  }
}
