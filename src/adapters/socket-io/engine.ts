import type { IncomingMessage } from 'node:http';
import type { ServerOptions, Socket } from 'socket.io';
import type { WebSocket } from 'ws';

/*
 * Parts of Socket.IO and Engine.IO that Mooring uses and that are not in their types, all in this file. They have been the
 * same since Socket.IO 4.6; tests run on the oldest and the newest version.
 */

/** A session of Engine.IO: one client, by polling or over a WebSocket, with all its namespaces. */
export type EngineSocket = Socket['conn'];

/** A packet of Engine.IO. The data of a `message` is a packet of Socket.IO, or a binary attachment of one. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: PacketData | undefined;
  readonly options?: { readonly preEncoded?: unknown; readonly wsPreEncodedFrame?: unknown } | undefined;
}

export type PacketData = string | ArrayBuffer | ArrayBufferView;

/** Whether the message goes to several sockets. */
export function isBroadcast({ options }: EnginePacket): boolean {
  return options?.preEncoded === true || options?.wsPreEncodedFrame !== undefined;
}

/** Middleware's callback: without an error, the socket is connected to its namespace. */
export type Next = (error?: (Error & { data?: unknown }) | null) => void;

/** A namespace; `run` calls its middlewares, and `next` when all have agreed. */
export interface NamespaceInternals {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, Socket>;
  run: (socket: Socket, next: Next) => void;
}

export type AllowRequest = NonNullable<ServerOptions['allowRequest']>;

export interface EngineInternals {
  readonly opts: { allowRequest?: AllowRequest | undefined };
  on(event: 'connection', listener: (session: EngineSocket) => void): void;
  off(event: 'connection', listener: (session: EngineSocket) => void): void;
}

export interface ServerInternals {
  readonly _nsps: ReadonlyMap<string, NamespaceInternals>;
  readonly opts: {
    readonly connectionStateRecovery?: { readonly skipMiddlewares?: boolean } | undefined;
    /** Given if it is another one than the default. */
    readonly parser?: unknown;
  };
  /** Another one each time the server is put on an HTTP server. */
  readonly engine: EngineInternals | undefined;
  /** Puts the server on an HTTP server, or on a port; `listen` calls it too. */
  attach: (...args: unknown[]) => unknown;
  on(event: 'new_namespace', listener: (namespace: NamespaceInternals) => void): void;
  off(event: 'new_namespace', listener: (namespace: NamespaceInternals) => void): void;
}

interface TransportInternals {
  readonly name: string;
  /** From now on a close does not wait for the client. */
  discard(): void;
  /** Over polling: takes a request of the client. */
  onRequest(request: IncomingMessage): void;
  readonly socket?: unknown;
  /** Over polling: ends a close that waits for the client's next request. */
  readonly shouldClose?: (() => void) | null;
}

interface SessionInternals {
  readonly transport: TransportInternals;
  readonly request: IncomingMessage | null;
  readonly writeBuffer?: readonly EnginePacket[];
  sendPacket(type: string): void;
  onClose(reason: string): void;
}

/** The request that began the session; `null` over WebTransport. */
export function requestOf(session: EngineSocket): IncomingMessage | null {
  return (session as unknown as SessionInternals).request;
}

/** The session's WebSocket of `ws`, or `null`: over polling, or if its transport has none or one of another library. */
export function webSocketOf(session: EngineSocket): WebSocket | null {
  const { socket } = (session as unknown as SessionInternals).transport;
  return isWebSocket(socket) ? socket : null;
}

function isWebSocket(socket: unknown): socket is WebSocket {
  return typeof socket === 'object' && socket !== null && 'bufferedAmount' in socket && '_socket' in socket;
}

/** By polling, calls back with each request of the client, before Engine.IO gets it. Does nothing over other transports. */
export function watchRequests(session: EngineSocket, act: (request: IncomingMessage) => void): void {
  const { transport } = session as unknown as SessionInternals;
  if (transport.name !== 'polling') return;
  const onRequest = transport.onRequest.bind(transport);
  transport.onRequest = (request) => {
    act(request);
    onRequest(request);
  };
}

/** Sends a ping of Engine.IO, unless one waits to be sent. */
export function pingByPacket(session: EngineSocket): void {
  const internals = session as unknown as SessionInternals;
  if (internals.writeBuffer?.some(({ type }) => type === 'ping') !== true) internals.sendPacket('ping');
}

/** Closes the session: by polling with the client's next request. */
export function closeSession(session: EngineSocket): void {
  const { transport } = session as unknown as SessionInternals;
  session.close();
  // If the session upgrades meanwhile, Engine.IO forgets its timer, which would keep the process alive for half a minute.
  session.once('close', () => setImmediate(() => transport.shouldClose?.()));
}

/** Closes the session and its transport at once. */
export function destroySession(session: EngineSocket): void {
  session.close(true);
  webSocketOf(session)?.terminate();
  const internals = session as unknown as SessionInternals;
  internals.transport.shouldClose?.();
  if (session.readyState === 'closed') return;
  // Engine.IO 6.4 does not destroy a session that is closing already.
  internals.transport.discard();
  internals.onClose('forced close');
}
