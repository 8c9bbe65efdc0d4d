import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Connection } from '../core/managers/connection.js';
import { announceClosing } from './closing-streams.js';
import type { MooredSocket } from './moored-web-socket.js';

/** The longest control frame a client can send: header, mask and payload. */
const maxControlFrameBytes = 2 + 4 + 125;

/** Header bytes of a short unmasked frame. */
const pingHeaderBytes = 2;

/** The part of a libuv stream handle that shows how far a large write has come. Not public, so it may be missing. */
interface StreamHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** The counters of a `net.Socket`. They are missing if `ws` was given another kind of Duplex. */
interface CountingStream {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writableLength: number;
  readonly _handle?: StreamHandle | null;
}

/** The `Connection` of the core, over a WebSocket of `ws`. */
export class WsConnection implements Connection {
  readonly #socket: MooredSocket;
  readonly #stream: CountingStream;
  #pingBytes = 0;
  #maxBytesSent = 0;
  #messagesThen = 0;
  #dataBytesAtMessage: number;

  constructor(socket: MooredSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
    this.#dataBytesAtMessage = this.#stream.bytesRead ?? 0;
  }

  /** The socket that the application has. */
  get socket(): WebSocket {
    return this.#socket;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get isReadingPaused(): boolean {
    return this.#socket.isPaused;
  }

  /** If the stream does not count bytes, messages and control bytes are counted: they too show that the peer is there. */
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
    // A ping that waits behind other data is subtracted too early. The maximum keeps the count from going down.
    this.#maxBytesSent = Math.max(this.#maxBytesSent, sent - this.#pingBytes);
    return this.#maxBytesSent;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /**
   * Bytes that arrived since this was first read after the last message, without control frames; 0 if they can be an
   * incomplete control frame.
   *
   * Why not since that message: the byte count would have to be read with every message.
   */
  get partialMessageBytes(): number {
    const { messagesReceived, controlBytesReceived } = this.#socket;
    const dataBytes = (this.#stream.bytesRead ?? 0) - controlBytesReceived;
    if (messagesReceived !== this.#messagesThen) {
      this.#messagesThen = messagesReceived;
      this.#dataBytesAtMessage = dataBytes;
    }
    const bytes = dataBytes - this.#dataBytesAtMessage;
    return bytes > maxControlFrameBytes ? bytes : 0;
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
