import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { unlookedMs, type Keepalives } from '../core/liveness/keepalives.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import { announceClosing } from './closing-streams.js';
import { ignoreRepeatedEnd } from './ignore-repeated-end.js';
import { receiverOf } from './ws-internals.js';

/** What can be sent. */
type Content = Parameters<WebSocket['send']>[0];

/** Header and mask of a control frame from a client. */
const controlHeaderBytes = 6;

/** What a TLS stream may have pending after a send: it encrypts later, so that something always is. */
const encryptionBytes = 65_536;

/** What `ws` closes with when the peer has broken the protocol. */
export const protocolErrors: ReadonlySet<number | undefined> = new Set([1002, 1007, 1009]);

/** Leads from a `Proxy` of a socket, or an object made of one, to the socket itself, which has the private fields. */
const self = Symbol('mooring.self');

/** What Mooring needs of a socket, past the application's overrides. */
export interface MooredSocket extends WebSocket {
  /** The connection this socket is, once it is one. */
  readonly mooredConnection: ManagedConnection | null;
  /** Messages that have arrived, whole. */
  readonly messagesReceived: number;
  /** Bytes of the control frames that have arrived. */
  readonly controlBytesReceived: number;
  /** From here on the connection is told what happens. */
  bindConnection(connection: ManagedConnection, stream: Duplex): void;
  /** Closes without telling Mooring, which is who asks. */
  closeQuietly(code: number, reason: string): void;
  /** Pings without this being the application's ping. */
  pingQuietly(payload: string): void;
}

/** Whether the socket is of a class made here. */
export function isMoored(socket: WebSocket): socket is MooredSocket {
  return 'mooredConnection' in socket;
}

/** Whether the socket is a connection of a manager's, or was. */
export function isManaged(socket: WebSocket): boolean {
  return isMoored(socket) && socket.mooredConnection !== null;
}

/** What sockets of the class need to know. */
export interface MooredClassOptions {
  readonly keepalives: Keepalives;
  /** Bytes that may wait to be sent to one connection when a message is handed over; 0 is no limit. */
  readonly maxUnsentBytes: number;
}

/**
 * The server's own WebSocket class, with Mooring listening in.
 *
 * Why a subclass: no listener is added to any socket, so `listenerCount`, `on`, `once` and the order of listeners are
 * exactly the application's. And with thousands of connections it is not instructions that a message costs but objects
 * that have to come from memory: what every message needs lies in the socket itself and in one object more.
 */
// eslint-disable-next-line max-lines-per-function -- a class has to be made inside a function to extend what it is given
export function mooredClass(
  Base: typeof WebSocket,
  { keepalives, maxUnsentBytes }: MooredClassOptions,
): typeof WebSocket {
  const mostUnsentBytes = maxUnsentBytes === 0 ? Infinity : maxUnsentBytes;
  return class MooredWebSocket extends Base implements MooredSocket {
    #connection: ManagedConnection | null = null;
    /** `null` before the socket is a connection, and once it is one no longer: from then on the application has its end only. */
    #stream: Duplex | null = null;
    #mostPendingBytes = 0;
    #messagesReceived = 0;
    #controlBytesReceived = 0;
    /** The application pinged and has had no pong since. */
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
      this.#mostPendingBytes = 'encrypted' in stream ? encryptionBytes : 0;
      this.#connection = connection;
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      const real = this[self];
      if (real !== this) return real.emit(event, ...args);
      const connection = this.#connection;
      if (connection !== null && !this.#overhear(connection, event, args)) return true;
      return super.emit(event, ...args);
    }

    override send(content: Content, ...rest: unknown[]): void {
      const real = this[self];
      if (real !== this) {
        real.send(content, ...rest);
        return;
      }
      const connection = this.#connection;
      if (connection !== null && this.#stream !== null && this.bufferedAmount > mostUnsentBytes) connection.overfull();
      super.send(content, ...(rest as [{ binary?: boolean }, (error?: Error) => void]));
      const stream = this.#stream;
      if (connection === null || stream === null) return;
      const now = connection.clock.recentMs;
      const isBacklogged = stream.writableLength > this.#mostPendingBytes;
      if (!isBacklogged && now - connection.lastSendAtMs < unlookedMs) return;
      if (!isShort(content) || !keepalives.matches(content)) connection.sent(isBacklogged, now);
    }

    override ping(...args: Parameters<WebSocket['ping']>): void {
      this[self].#isWaitingForPong = true;
      super.ping(...args);
    }

    /**
     * The slot is free on the decision to close, not when the peer has agreed. `ws` calls this also when the peer's
     * close frame has come, and before it tells of an error of the protocol: then that would come too late.
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
        connection?.errored(new Error(`The protocol was broken: closed with ${String(code)}`));
      if (wasOpen && this.#stream !== null) announceClosing(this.#stream);
      if (connection === null) return;
      connection.closingBegan();
      this.#part();
    }

    closeQuietly(code: number, reason: string): void {
      this.#part();
      super.close(code, reason);
    }

    pingQuietly(payload: string): void {
      super.ping(payload);
    }

    /** From now on the application has the end of the socket only. */
    #part(): void {
      if (this.#stream === null) return;
      ignoreRepeatedEnd(this.#stream);
      const receiver = receiverOf(this);
      if (receiver !== null) ignoreRepeatedEnd(receiver);
      this.#stream = null;
    }

    /** Notes what an event says of the connection. @returns whether the application should have the event too */
    #overhear(connection: ManagedConnection, event: string | symbol, [first, isBinary]: readonly unknown[]): boolean {
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

    /** So soon after another message no age changes by enough to look at it, or to note it. */
    #received(connection: ManagedConnection, content: unknown, isText: boolean): void {
      const now = connection.clock.recentMs;
      if (now - connection.lastInboundAtMs < unlookedMs) return;
      if (isShort(content) && keepalives.matches(content, isText)) connection.touched();
      else connection.received(now);
    }

    /**
     * @returns whether the application should see it: its own pings' pongs, and those of ours that may stand for them,
     * since a peer need answer only the latest ping (RFC 6455, 5.5.3)
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

/** A message that came, or goes, in one piece. */
function isShort(content: unknown): content is RawData & Uint8Array {
  return typeof content === 'string' || content instanceof Uint8Array;
}
