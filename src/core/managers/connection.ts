/**
 * What Mooring needs of a socket: the port every adapter implements.
 *
 * The counters are read, not listened to, so that watching a connection costs nothing while it is healthy.
 */
export interface Connection {
  /** Whether frames can still go both ways. Throwing means the state cannot be read; the connection is then probed. */
  readonly isOpen: boolean;
  /** Every inbound byte so far: the evidence that the peer is there. Only grows. */
  readonly bytesReceived: number;
  /** Every byte that has left the process so far, pings of Mooring's apart, as precisely as the transport can tell. Only grows. */
  readonly bytesSent: number;
  /** Bytes accepted for sending that have not left the process. While there are any, a ping has not left either. */
  readonly unsentBytes: number;
  /** Whether the application or the adapter stopped reading. */
  readonly isReadingPaused: boolean;
  /**
   * How much has arrived of the message that is arriving; 0 between messages.
   *
   * Why: any data of a long message is activity, not just its end. Optional: absent means messages arrive whole.
   */
  readonly partialMessageBytes?: number;
  /** The adapter's own socket, as `manager.socket()` gives it to the application. Optional: absent means there is none to give. */
  readonly socket?: unknown;
  /** Sends a ping; the pong that answers it carries the same payload (ASCII, at most 125 bytes). May throw. */
  ping(payload: string): void;
  /** Sends a close frame. May throw. */
  close(code: number, reason: string): void;
  /** Destroys the socket at once. May throw. */
  terminate(): void;
}
