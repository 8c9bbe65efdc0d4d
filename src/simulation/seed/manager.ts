/** What a manager of the sketch reads of its connection. */
export interface SeedSocket {
  readonly isOver: boolean;
  /** When the last message came or went. */
  readonly activeAtMs: number;
  /** Throws if it cannot be sent. */
  ping(payload: string): void;
}

interface SeedManagerOptions<Socket> {
  readonly key: string;
  readonly userId: string;
  readonly socket: Socket;
  readonly createdAtMs: number;
}

/** What the strategies of the sketch look at. */
export class SeedManager<Socket extends SeedSocket = SeedSocket> {
  readonly key: string;
  readonly userId: string;
  socket: Socket;
  /** `_connection_error`; the sketch never clears it. */
  hasError = false;
  /** `_last_error_time`, an error that did not end the connection. */
  lastErrorAtMs: number | null = null;
  readonly #createdAtMs: number;

  constructor({ key, userId, socket, createdAtMs }: SeedManagerOptions<Socket>) {
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
