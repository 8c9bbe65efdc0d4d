import type { SimulatedSocket } from '../socket.js';

/** Whose it is, and since when. */
interface SeedManagerOptions {
  readonly key: string;
  readonly userId: string;
  readonly socket: SimulatedSocket;
  readonly createdAtMs: number;
}

/** What the seed's strategies look at. */
export class SeedManager {
  readonly key: string;
  readonly userId: string;
  socket: SimulatedSocket;
  /** `_connection_error`; the seed never clears it. */
  hasError = false;
  readonly #createdAtMs: number;

  constructor({ key, userId, socket, createdAtMs }: SeedManagerOptions) {
    this.key = key;
    this.userId = userId;
    this.socket = socket;
    this.#createdAtMs = createdAtMs;
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
