import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { unreportedMs } from '../../core/liveness/keepalives.js';
import type { Connection } from '../../core/managers/connection.js';
import type { ManagedConnection } from '../../core/managers/managed-connection.js';
import { controlHeaderBytes, StreamCounters } from '../stream-counters.js';
import { streamOf } from '../ws-internals.js';
import {
  destroySession,
  isBroadcast,
  pingByPacket,
  watchRequests,
  webSocketOf,
  type EnginePacket,
  type EngineSocket,
  type PacketData,
} from './engine.js';
import type { ActivityFilter } from './events.js';

/** What the connections of one server share. */
export interface ConnectionContext {
  readonly filter: ActivityFilter;
  /** Whether messages to many clients at once are activity of each. */
  readonly countBroadcasts: boolean;
  /** `Infinity`: no limit. */
  readonly maxUnsentBytes: number;
  /** Whether packets do not show whether they are activity: then {@link EngineConnection.arrived} and `emitted` tell. */
  readonly readsEvents: boolean;
}

/** The sockets over a connection. */
interface Sockets {
  /** What `manager.socket()` returns. */
  readonly first: unknown;
  /** Tells the client, and closes the session. */
  close(code: number, reason: string): void;
}

/**
 * The `Connection` of the core over a session of Engine.IO, which may begin by polling and go on over a WebSocket.
 *
 * Over a WebSocket the bytes of its stream are counted, and pings are those of WebSocket, which a browser answers without
 * the page. By polling, requests and packets are counted, and pings are packets of Engine.IO. Their answers carry no
 * payload, so an answer is taken for that to the last ping.
 */
export class EngineConnection implements Connection {
  readonly #session: EngineSocket;
  readonly #sockets: Sockets;
  readonly #context: ConnectionContext;
  #webSocket: TransportSocket | null = null;
  #connection: ManagedConnection | null = null;
  /** Before there was a WebSocket. */
  #received = 0;
  #sent = 0;
  #maxBytesSent = 0;
  /** By polling, the stream of the client's last request for data. */
  #pollStream: Socket | null = null;
  /** Bytes of messages that wait until the transport takes them. */
  #waitingBytes = 0;
  /** The payload of the last ping that left as a packet. */
  #asked: string | null = null;
  #isClosedByUs = false;

  constructor(session: EngineSocket, sockets: Sockets, context: ConnectionContext) {
    this.#session = session;
    this.#sockets = sockets;
    this.#context = context;
    session.on('packet', this.#onPacket);
    session.on('packetCreate', this.#onPacketCreated);
    session.on('flush', this.#onFlushed);
    session.on('upgrade', this.#watchTransport);
    session.on('close', this.#onClosed);
    this.#watchTransport();
  }

  /** From now on what happens is reported to the connection. */
  bind(connection: ManagedConnection): void {
    this.#connection = connection;
  }

  get socket(): unknown {
    return this.#sockets.first;
  }

  get isOpen(): boolean {
    return this.#session.readyState === 'open';
  }

  /** Clients of Engine.IO 3 do not answer by polling: then nobody can ask, as if the socket were not read. */
  get isReadingPaused(): boolean {
    return this.#webSocket === null && this.#session.protocol === 3;
  }

  get bytesReceived(): number {
    return this.#received + (this.#webSocket?.bytesReceived ?? 0);
  }

  get bytesSent(): number {
    this.#maxBytesSent = Math.max(
      this.#maxBytesSent,
      this.#sent - this.#leavingBytes + (this.#webSocket?.bytesSent ?? 0),
    );
    return this.#maxBytesSent;
  }

  /** By polling, data that waits for the client's next request does not count: the ping in it had its chance. */
  get unsentBytes(): number {
    return this.#webSocket === null ? this.#leavingBytes : this.#waitingBytes + this.#webSocket.socket.bufferedAmount;
  }

  /** By polling, bytes of an answer that is on its way out. */
  get #leavingBytes(): number {
    return this.#webSocket === null ? (this.#pollStream?.writableLength ?? 0) : 0;
  }

  get partialMessageBytes(): number {
    return this.#webSocket?.partialMessageBytes ?? 0;
  }

  ping(payload: string): void {
    if (this.#webSocket !== null) {
      this.#webSocket.ping(payload);
      return;
    }
    if (this.isReadingPaused) return;
    this.#asked = payload;
    pingByPacket(this.#session);
  }

  close(code: number, reason: string): void {
    this.#isClosedByUs = true;
    this.#sockets.close(code, reason);
  }

  terminate(): void {
    this.#isClosedByUs = true;
    destroySession(this.#session);
  }

  /** The application has emitted an event to this client alone. */
  emitted(event: string, args: readonly unknown[]): void {
    if (!this.#context.filter.isKeepalive(event, args)) this.#connection?.sent(this.#isBacklogged);
  }

  /** An event has arrived. */
  arrived(event: string, args: readonly unknown[]): void {
    if (!this.#context.filter.isKeepalive(event, args)) this.#connection?.received();
  }

  /** The application disconnected its sockets: the session closes, by polling only with the client's next request. */
  closingBegan(): void {
    if (!this.isOpen && !this.#isClosedByUs) this.#connection?.closingBegan('application');
  }

  readonly #watchTransport = (): void => {
    const webSocket = webSocketOf(this.#session);
    if (webSocket === null) {
      watchRequests(this.#session, this.#onRequest);
      return;
    }
    const transport = new TransportSocket(webSocket);
    webSocket.on('ping', (payload: Buffer) => {
      transport.controlReceived(payload);
      this.#connection?.touched();
    });
    webSocket.on('pong', (payload: Buffer) => {
      transport.controlReceived(payload);
      this.#connection?.ponged(payload.toString('latin1'));
    });
    this.#webSocket = transport;
  };

  /** By polling, the client asks for data, or sends some: a sign of life. */
  readonly #onRequest = ({ method, socket }: IncomingMessage): void => {
    this.#received += 1;
    if (method === 'GET') this.#pollStream = socket;
    this.#connection?.touched();
  };

  readonly #onPacket = ({ type, data }: EnginePacket): void => {
    if (this.#webSocket === null) this.#received += 1 + sizeOf(data);
    else this.#webSocket.frames.messagesReceived += 1;
    const connection = this.#connection;
    if (connection === null) return;
    if (type === 'message') this.#messageReceived(connection, data);
    else if (type === 'pong' && this.#webSocket === null && this.#asked !== null) connection.ponged(this.#asked);
    else connection.touched();
  };

  /** A message soon after another is not reported: no age changes much. */
  #messageReceived(connection: ManagedConnection, data: PacketData = ''): void {
    const now = connection.clock.recentMs;
    if (now - connection.lastInboundAtMs < unreportedMs) return;
    if (!this.#context.readsEvents && this.#context.filter.isActivity(data)) connection.received(now);
    else connection.touched();
  }

  readonly #onPacketCreated = (packet: EnginePacket): void => {
    const { type, data = '' } = packet;
    if (type !== 'message') return;
    const before = this.#waitingBytes + (this.#webSocket?.socket.bufferedAmount ?? 0);
    this.#waitingBytes += sizeOf(data);
    const connection = this.#connection;
    if (connection === null) return;
    if (before > this.#context.maxUnsentBytes) connection.overfull();
    const { countBroadcasts, readsEvents } = this.#context;
    if (isBroadcast(packet) ? countBroadcasts : !readsEvents) this.#messageSent(connection, data);
  };

  #messageSent(connection: ManagedConnection, data: PacketData): void {
    const now = connection.clock.recentMs;
    const isBacklogged = this.#isBacklogged;
    if (!isBacklogged && now - connection.lastSendAtMs < unreportedMs) return;
    if (this.#context.filter.isActivity(data)) connection.sent(isBacklogged, now);
  }

  get #isBacklogged(): boolean {
    return this.#webSocket?.isBacklogged ?? false;
  }

  readonly #onFlushed = (): void => {
    if (this.#webSocket === null) this.#sent += this.#waitingBytes;
    this.#waitingBytes = 0;
  };

  /** Engine.IO reports the close before the WebSocket has closed, which a dead peer delays by half a minute. */
  readonly #onClosed = (reason: string, description?: unknown): void => {
    const connection = this.#connection;
    if (connection === null) return;
    if (reason.endsWith('error')) connection.errored(description instanceof Error ? description : new Error(reason));
    if (!this.#isClosedByUs) connection.closingBegan(reason.startsWith('forced') ? 'application' : 'peer');
    const socket = this.#webSocket?.socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) connection.closed();
    else
      socket.once('close', () => {
        connection.closed();
      });
  };
}

/** The WebSocket of a session, with its counters. */
class TransportSocket extends StreamCounters {
  constructor(
    readonly socket: WebSocket,
    readonly frames = { messagesReceived: 0, controlBytesReceived: 0 },
  ) {
    super(frames, streamOf(socket) ?? { writableLength: 0 });
  }

  ping(payload: string): void {
    this.socket.ping(payload);
    this.pinged(payload);
  }

  /** A ping or a pong has arrived. */
  controlReceived(payload: Buffer): void {
    this.frames.controlBytesReceived += controlHeaderBytes + payload.length;
  }
}

function sizeOf(data: PacketData = ''): number {
  return typeof data === 'string' ? data.length : data.byteLength;
}
