import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Connection } from '../core/managers/connection.js';
import type { MooredSocket } from './moored-web-socket.js';

/** The longest control frame a client can send: header, mask and payload. */
const longestControlFrame = 2 + 4 + 125;

/** Header bytes of a short unmasked frame. */
const pingHeaderBytes = 2;

/** The part of a libuv stream handle that tells how far a large write has come. Not public, so it may be missing. */
interface StreamHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** The counters of a `net.Socket`. `ws` also takes any other Duplex; then they are missing. */
interface CountingStream {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writableLength: number;
  readonly _handle?: StreamHandle | null;
}

/** A `ws` WebSocket as Mooring sees it. */
export class WsConnection implements Connection {
  readonly #socket: MooredSocket;
  readonly #stream: CountingStream;
  #pingBytes = 0;

  constructor(socket: MooredSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get isReadingPaused(): boolean {
    return this.#socket.isPaused;
  }

  /** Where the stream does not count bytes, frames: they show as well that the peer is there. */
  get bytesReceived(): number {
    return this.#stream.bytesRead ?? this.#socket.receivedAtFrame;
  }

  get bytesSent(): number {
    const { bytesWritten: handedOver = 0, writableLength, _handle } = this.#stream;
    const { bytesWritten, writeQueueSize } = _handle ?? {};
    const sent =
      bytesWritten !== undefined && writeQueueSize !== undefined
        ? bytesWritten - writeQueueSize
        : handedOver - writableLength;
    return sent - this.#pingBytes;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Bytes since the last frame ended are of a message, unless they can be a control frame not yet complete. */
  get partialMessageBytes(): number {
    const bytes = this.bytesReceived - this.#socket.receivedAtFrame;
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
}
