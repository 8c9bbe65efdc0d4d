/**
 * A socket, as Mooring uses it. Every adapter implements this.
 *
 * The counters are read, not listened to, so that watching a connection costs nothing while it is healthy.
 */
export interface Connection {
  /** Whether frames can still go both ways. Throwing means the state cannot be read; the connection is then probed. */
  readonly isOpen: boolean;
  /** All bytes that have arrived: the evidence that the peer is alive. Only grows. */
  readonly bytesReceived: number;
  /** All bytes that have left the process, without Mooring's pings, as exactly as the transport can tell. Only grows. */
  readonly bytesSent: number;
  /** Bytes accepted for sending that have not left the process. While there are any, a ping has not left either. */
  readonly unsentBytes: number;
  /** Whether the application or the adapter stopped reading. */
  readonly isReadingPaused: boolean;
  /**
   * Bytes of the incomplete message that have arrived; 0 between messages.
   *
   * Why: each part of a long message is activity, not only its end. Absent if messages arrive whole.
   */
  readonly partialMessageBytes?: number;
  /** The adapter's own socket, which `manager.socket()` returns. Absent if the adapter has none for the application. */
  readonly socket?: unknown;
  /** Sends a ping; the pong that answers it carries the same payload (ASCII, at most 125 bytes). May throw. */
  ping(payload: string): void;
  /** Sends a close frame. May throw. */
  close(code: number, reason: string): void;
  /** Destroys the socket at once. May throw. */
  terminate(): void;
}
