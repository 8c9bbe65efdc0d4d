import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Connection } from '../core/managers/connection.js';
import { announceClosing } from './closing-streams.js';
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
  #mostBytesSent = 0;
  #messagesSeen = 0;
  #dataBytesThen: number;

  constructor(socket: MooredSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
    this.#dataBytesThen = this.#stream.bytesRead ?? 0;
  }

  /** As the application has it. */
  get socket(): WebSocket {
    return this.#socket;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get isReadingPaused(): boolean {
    return this.#socket.isPaused;
  }

  /** Where the stream does not count bytes, what has arrived is counted: that too shows that the peer is there. */
  get bytesReceived(): number {
    const { messagesReceived, controlBytesReceived } = this.#socket;
    return this.#stream.bytesRead ?? messagesReceived + controlBytesReceived;
  }

  get bytesSent(): number {
    const { bytesWritten: handedOver = 0, writableLength, _handle } = this.#stream;
    const { bytesWritten, writeQueueSize } = _handle ?? {};
    const sent =
      bytesWritten !== undefined && writeQueueSize !== undefined
        ? bytesWritten - writeQueueSize
        : handedOver - writableLength;
    // A ping that waits behind other data has not left, and yet is taken off: what has left stays sent.
    this.#mostBytesSent = Math.max(this.#mostBytesSent, sent - this.#pingBytes);
    return this.#mostBytesSent;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * What has come since this was first asked after the last message, control frames apart, unless it can be one that is
   * not complete.
   *
   * Why not since that message: the count at its end would have to be read with every message.
   */
  get partialMessageBytes(): number {
    const { messagesReceived, controlBytesReceived } = this.#socket;
    const dataBytes = (this.#stream.bytesRead ?? 0) - controlBytesReceived;
    if (messagesReceived !== this.#messagesSeen) {
      this.#messagesSeen = messagesReceived;
      this.#dataBytesThen = dataBytes;
    }
    const bytes = dataBytes - this.#dataBytesThen;
    return bytes > longestControlFrame ? bytes : 0;
  }

  ping(payload: string): void {
    this.#socket.pingQuietly(payload);
    this.#pingBytes += pingHeaderBytes + payload.length;
  }

  close(code: number, reason: string): void {
    announceClosing(this.#stream);
    this.#socket.closeQuietly(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
