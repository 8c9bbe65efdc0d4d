import type { SimulatedSocket } from '../socket.js';

/** What the seed's strategies look at. */
export class SeedManager {
  readonly key: string;
  readonly userId: string;
  socket: SimulatedSocket;
  /** `_connection_error`; the seed never clears it. */
  hasError = false;

  readonly #createdAtMs: number;

  constructor(key: string, userId: string, socket: SimulatedSocket, createdAtMs: number) {
    this.#createdAtMs = createdAtMs;
    this.key = key;
    this.userId = userId;
    this.socket = socket;
  }

  /** `_is_connection_active`: whether a ping can be sent. */
  get isConnectionActive(): boolean {
    if (this.socket.isOver) return false;
    this.socket.ping('');
    return true;
  }

  /** Its last message, either way, or its beginning. */
  get lastActivityAtMs(): number {
    return Math.max(this.#createdAtMs, this.socket.activeAtMs);
  }
}
