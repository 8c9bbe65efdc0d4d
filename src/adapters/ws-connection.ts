import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Connection } from '../core/managers/connection.js';
import { announceClosing } from './closing-streams.js';
import type { MooredSocket } from './moored-web-socket.js';
import { StreamCounters } from './stream-counters.js';

/** The `Connection` of the core, over a WebSocket of `ws`. */
export class WsConnection extends StreamCounters implements Connection {
  readonly #socket: MooredSocket;
  readonly #stream: Duplex;

  constructor(socket: MooredSocket, stream: Duplex) {
    super(socket, stream);
    this.#socket = socket;
    this.#stream = stream;
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

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  ping(payload: string): void {
    this.#socket.pingQuietly(payload);
    this.pinged(payload);
  }

  close(code: number, reason: string): void {
    announceClosing(this.#stream);
    this.#socket.closeQuietly(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
