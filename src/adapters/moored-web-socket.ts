import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { unreportedMs, type Keepalives } from '../core/liveness/keepalives.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import { announceClosing } from './closing-streams.js';
import { ignoreRepeatedEnd } from './ignore-repeated-end.js';
import { controlHeaderBytes, maxPendingBytesOf, type FrameCounts } from './stream-counters.js';
import { hasCloseFrameOf, receiverOf } from './ws-internals.js';

type Content = Parameters<WebSocket['send']>[0];

/** The codes with which `ws` closes a socket whose peer broke the protocol. */
export const protocolErrors: ReadonlySet<number | undefined> = new Set([1002, 1007, 1009]);

/** The property by which a `Proxy` of a socket, or an object that inherits from it, finds the socket itself. */
const self = Symbol('mooring.self');

/** A socket that reports to a connection. The methods bypass overrides of the application. */
export interface MooredSocket extends WebSocket, FrameCounts {
  /** The connection that the socket reports to; `null` before it is bound. */
  readonly mooredConnection: ManagedConnection | null;
  /** From now on the socket reports to the connection. */
  bindConnection(connection: ManagedConnection, stream: Duplex): void;
  /** Closes without reporting it, since Mooring itself closes the socket. */
  closeQuietly(code: number, reason: string): void;
  /** Pings for Mooring, not for the application. */
  pingQuietly(payload: string): void;
}

/** Whether the socket is of a class made here. */
export function isMoored(socket: WebSocket): socket is MooredSocket {
  return 'mooredConnection' in socket;
}

/** Whether the socket is, or was, the connection of a manager. */
export function isManaged(socket: WebSocket): boolean {
  return isMoored(socket) && socket.mooredConnection !== null;
}

/** Options of {@link mooredClass}. */
export interface MooredClassOptions {
  readonly keepalives: Keepalives;
  /** How many bytes may already wait to be sent when the application sends a message; 0 is no limit. */
  readonly maxUnsentBytes: number;
}

/**
 * Extends the WebSocket class of a server, so that its sockets report what happens to their connections.
 *
 * Why a subclass: no listener is added to a socket, so `listenerCount`, `on`, `once` and the order of listeners are those
 * of the application. With thousands of connections, most of the cost of a message is objects that are not in the
 * processor's cache: a message needs the socket and one more object.
 */
// eslint-disable-next-line max-lines-per-function -- a class has to be made inside a function to extend what it is given
export function mooredClass(
  Base: typeof WebSocket,
  { keepalives, maxUnsentBytes }: MooredClassOptions,
): typeof WebSocket {
  const unsentLimit = maxUnsentBytes === 0 ? Infinity : maxUnsentBytes;
  return class MooredWebSocket extends Base implements MooredSocket {
    #connection: ManagedConnection | null = null;
    /** `null` before the socket is bound, and after it began to close. */
    #stream: Duplex | null = null;
    #maxPendingBytes = 0;
    #messagesReceived = 0;
    #controlBytesReceived = 0;
    /** The application has pinged and got no pong since. */
    #isWaitingForPong = false;
    readonly [self] = this;

    get mooredConnection(): ManagedConnection | null {
      return this[self].#connection;
    }

    get messagesReceived(): number {
      return this.#messagesReceived;
    }

    get controlBytesReceived(): number {
      return this.#controlBytesReceived;
    }

    bindConnection(connection: ManagedConnection, stream: Duplex): void {
      this.#stream = stream;
      this.#maxPendingBytes = maxPendingBytesOf(stream);
      this.#connection = connection;
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const real = this[self];
      if (real !== this) return real.emit(event, ...args);
      const connection = this.#connection;
      if (connection !== null && !this.#report(connection, event, args)) return true;
      return super.emit(event, ...args);
    }

    override send(content: Content, ...rest: unknown[]): void {
      const real = this[self];
      if (real !== this) {
        real.send(content, ...rest);
        return;
      }
      const connection = this.#connection;
      if (connection !== null && this.#stream !== null && this.bufferedAmount > unsentLimit) connection.overfull();
      super.send(content, ...(rest as [{ binary?: boolean }, (error?: Error) => void]));
      const stream = this.#stream;
      if (connection === null || stream === null) return;
      const now = connection.clock.recentMs;
      const isBacklogged = stream.writableLength > this.#maxPendingBytes;
      if (!isBacklogged && now - connection.lastSendAtMs < unreportedMs) return;
      if (!isOnePiece(content) || !keepalives.matches(content)) connection.sent(isBacklogged, now);
    }

    override ping(...args: Parameters<WebSocket['ping']>): void {
      this[self].#isWaitingForPong = true;
      super.ping(...args);
    }

    /**
     * The slot is free on the decision to close, not when the peer has agreed. `ws` also calls this when the peer's close
     * frame arrived, and before it emits an error of the protocol. That error would come too late, so it is reported here.
     */
    override close(code?: number, reason?: string | Buffer): void {
      const real = this[self];
      if (real !== this) {
        real.close(code, reason);
        return;
      }
      const wasOpen = this.readyState === WebSocket.OPEN;
      super.close(code, reason);
      const connection = wasOpen ? this.#connection : null;
      if (protocolErrors.has(code))
        connection?.errored(new Error(`The peer broke the protocol: closed with ${String(code)}`));
      if (wasOpen && this.#stream !== null) announceClosing(this.#stream);
      if (connection === null) return;
      connection.closingBegan(hasCloseFrameOf(this) ? 'peer' : 'application');
      this.#stopDelivery();
    }

    closeQuietly(code: number, reason: string): void {
      this.#stopDelivery();
      super.close(code, reason);
    }

    pingQuietly(payload: string): void {
      super.ping(payload);
    }

    /** From now on the application gets no more messages, pings and pongs. */
    #stopDelivery(): void {
      if (this.#stream === null) return;
      ignoreRepeatedEnd(this.#stream);
      const receiver = receiverOf(this);
      if (receiver !== null) ignoreRepeatedEnd(receiver);
      this.#stream = null;
    }

    /** Reports an event to the connection. @returns whether the application gets the event too */
    #report(connection: ManagedConnection, event: string | symbol, [first, isBinary]: readonly unknown[]): boolean {
      switch (event) {
        case 'message':
          this.#messagesReceived += 1;
          this.#received(connection, first, isBinary !== true);
          return this.#stream !== null;
        case 'ping':
          this.#controlBytesReceived += controlHeaderBytes + (first as Buffer).length;
          connection.touched();
          return this.#stream !== null;
        case 'pong':
          this.#controlBytesReceived += controlHeaderBytes + (first as Buffer).length;
          return this.#ponged(connection, first as Buffer);
        case 'close':
          connection.closed();
          return true;
        case 'error':
          connection.errored(first);
          return true;
        default:
          return true;
      }
    }

    /** A message soon after another is not reported: no age changes much. */
    #received(connection: ManagedConnection, content: unknown, isText: boolean): void {
      const now = connection.clock.recentMs;
      if (now - connection.lastInboundAtMs < unreportedMs) return;
      if (isOnePiece(content) && keepalives.matches(content, isText)) connection.touched();
      else connection.received(now);
    }

    /**
     * @returns whether the application gets it: if it answers a ping of the application, or a ping of ours while the
     * application waits for a pong, since a peer may answer only the latest ping (RFC 6455, 5.5.3)
     */
    #ponged(connection: ManagedConnection, payload: Buffer): boolean {
      const text = payload.toString('latin1');
      const isOurs = connection.pings?.some((ping) => ping.payload === text) ?? false;
      connection.ponged(text);
      const isSeen = !isOurs || this.#isWaitingForPong;
      this.#isWaitingForPong = false;
      return isSeen && this.#stream !== null;
    }
  };
}

function isOnePiece(content: unknown): content is RawData & Uint8Array {
  return typeof content === 'string' || content instanceof Uint8Array;
}
