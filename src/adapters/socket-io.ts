import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io';
import { describe } from '../core/errors.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import { callOutside } from './attempt.js';
import { Doorway, type Authenticate } from './doorway.js';
import {
  requestOf,
  type AllowRequest,
  type EngineInternals,
  type EngineSocket,
  type NamespaceInternals,
  type ServerInternals,
} from './socket-io/engine.js';
import { ActivityFilter } from './socket-io/events.js';
import { FirstRequest } from './socket-io/first-request.js';
import { checkOptions, type AttachOptions, type SocketIoServer, type SocketIoSocket } from './socket-io/options.js';
import { Refuser, type Connect } from './socket-io/refuser.js';
import { Session, sessionOf, type SessionContext } from './socket-io/session.js';

export type { AttemptRate } from './attempt-rate.js';
export type { AuthenticationCall } from './authentication-call.js';
export type { Authenticate, AuthenticateResult } from './doorway.js';
export type { OriginRule } from './origins.js';
export type { EngineSocket } from './socket-io/engine.js';
export type { IsKeepaliveEvent } from './socket-io/events.js';
export type { AttachOptions, CommonAttachOptions, SocketIoServer, SocketIoSocket } from './socket-io/options.js';
export type { RefuseBy } from './socket-io/refuser.js';
export type { Told } from '../client/reconnect-when-told.js';

/**
 * Puts Mooring in front of a Socket.IO server. What is limited are sessions of Engine.IO, over WebSocket, polling or another
 * transport: all namespaces of a client share one manager. Sockets that are connected already are not managed.
 *
 * @example
 * const io = new Server(httpServer);
 * attach(io, { mooring: createMooring(), authenticate: (socket) => whoIs(socket.handshake.auth) });
 *
 * @returns detaches: later sessions are not managed; sessions that are managed stay so
 * @throws TypeError if the server has no HTTP server yet, has a Mooring already, or recovers connections without its
 * middlewares, or if an option is not valid
 */
export function attach<AppSocket extends SocketIoSocket>(
  io: SocketIoServer<AppSocket>,
  options: AttachOptions<AppSocket>,
): () => void {
  return new Gate(io as unknown as ServerInternals, options as unknown as AttachOptions).install();
}

/**
 * The manager of a socket, or of its session: for `hold()`, `onRelease()` and `data`. Its `socket()` is the first socket of
 * the session that is still connected.
 * @throws TypeError if the session has no manager. Where that may be, use {@link findManager}.
 */
export function managerOf<Data = unknown, AppSocket extends SocketIoSocket = Socket>(
  socket: AppSocket | EngineSocket,
): WebSocketManager<AppSocket, Data> {
  const manager = findManager<Data, AppSocket>(socket);
  if (manager !== undefined) return manager;
  throw new TypeError(
    'managerOf: this socket has no manager: it did not come through a server with attach(), its namespace is left out, ' +
      'or it is not admitted yet. Where that may be, use findManager().',
  );
}

/** As {@link managerOf}, but returns `undefined` if there is no manager. Never throws. */
export function findManager<Data = unknown, AppSocket extends SocketIoSocket = Socket>(
  socket: AppSocket | EngineSocket,
): WebSocketManager<AppSocket, Data> | undefined {
  if (typeof socket !== 'object' || (socket as unknown) === null) return undefined;
  const session = 'conn' in socket ? socket.conn : socket;
  return sessionOf(session as EngineSocket)?.manager as unknown as WebSocketManager<AppSocket, Data> | undefined;
}

const gated = new WeakSet<ServerInternals>();

class Gate {
  readonly #io: ServerInternals;
  readonly #engine: EngineInternals;
  readonly #options: AttachOptions;
  readonly #context: SessionContext;
  /** Sessions whose request was let in, until Engine.IO has made them. */
  readonly #arrived = new WeakMap<IncomingMessage, Session>();
  /** Sessions that are older than this gate. */
  readonly #before = new WeakSet<EngineSocket>();
  /** How what was done to the server and its engines is undone. */
  readonly #undo: (() => void)[] = [];
  #isAttached = true;

  constructor(io: ServerInternals, options: AttachOptions) {
    this.#engine = checkServer(io);
    checkOptions(options);
    this.#io = io;
    this.#options = options;
    const { mooring, keyOf, allowedOrigins, attemptRate, isKeepalive, refuse = 'hold', announce = 'mooring' } = options;
    const isParserOther = io.opts.parser !== undefined;
    const doorway = new Doorway({
      mooring,
      authenticate: whoArrives(options),
      keyOf: ofRequest(keyOf),
      allowedOrigins,
      attemptRate: attemptRate && { ...attemptRate, keyOf: ofRequest(attemptRate.keyOf) },
    });
    this.#context = {
      mooring,
      doorway,
      refuser: new Refuser(mooring, refuse),
      undecided: new Set(),
      whoIs: options.at === 'request' ? null : options.authenticate,
      announcement: announce === false ? null : announce,
      watchesEmit: io.opts.connectionStateRecovery !== undefined || isParserOther,
      connection: {
        filter: new ActivityFilter(mooring.keepalives, isKeepalive),
        countBroadcasts: options.countBroadcasts ?? false,
        readsEvents: isParserOther,
        maxUnsentBytes: mooring.config.maxUnsentBytes === 0 ? Infinity : mooring.config.maxUnsentBytes,
      },
    };
  }

  install(): () => void {
    const io = this.#io;
    for (const namespace of io._nsps.values()) {
      for (const { conn } of namespace.sockets.values()) if (sessionOf(conn) === undefined) this.#before.add(conn);
      this.#guard(namespace);
    }
    io.on('new_namespace', this.#guard);
    this.#enter(this.#engine);
    this.#enterLater();
    gated.add(io);
    return () => {
      if (!this.#isAttached) return;
      this.#isAttached = false;
      gated.delete(io);
      io.off('new_namespace', this.#guard);
      for (const undo of this.#undo) undo();
      this.#context.refuser.stop();
      for (const session of this.#context.undecided) session.gone();
    };
  }

  #enter(engine: EngineInternals): void {
    const { opts } = engine;
    const { allowRequest } = opts;
    const allow = this.#allowAfter(allowRequest ?? allowAll);
    opts.allowRequest = allow;
    engine.on('connection', this.#opened);
    this.#undo.push(() => {
      engine.off('connection', this.#opened);
      if (opts.allowRequest === allow) opts.allowRequest = allowRequest;
    });
  }

  /** The server may get more HTTP servers: besides this one, or after a close. Each has an engine of its own. */
  #enterLater(): void {
    const io = this.#io;
    const { attach } = io;
    const attachAndEnter: typeof attach = (...args) => {
      const { engine } = io;
      const result = attach.apply(io, args);
      if (this.#isAttached && io.engine !== undefined && io.engine !== engine) this.#enter(io.engine);
      return result;
    };
    io.attach = attachAndEnter;
    this.#undo.push(() => {
      if (io.attach === attachAndEnter) io.attach = attach;
    });
  }

  /** After the application's own check, so that nobody is counted whom it rejects. */
  #allowAfter(former: AllowRequest): AllowRequest {
    return (request, callback) => {
      if (!this.#isAttached) {
        former(request, callback);
        return;
      }
      const session = new Session(this.#context, request);
      const first = new FirstRequest(request, callback, session.requestEnded);
      this.#arrived.set(request, session);
      former(request, (error, isAllowed) => {
        if (!isAllowed) first.answer(error, false);
        else if (!first.isOver)
          callOutside(session.requested(), (reason) => {
            first.answer(reason, reason === null);
          });
      });
    };
  }

  readonly #opened = (engineSocket: EngineSocket): void => {
    const request = requestOf(engineSocket);
    const arrived = request === null ? undefined : this.#arrived.get(request);
    if (arrived !== undefined) arrived.opened(engineSocket);
    else this.#begin(engineSocket);
  };

  /** A session that did not come with a request: over WebTransport, or through an HTTP server it had before the last one. */
  #begin(engineSocket: EngineSocket): Session {
    const { mooring, refuser } = this.#context;
    const session = new Session(this.#context, requestOf(engineSocket));
    session.opened(engineSocket);
    if (this.#options.at === 'request') {
      mooring.events.emit('socket.unmanaged', { reason: 'its request was not seen' });
      refuser.close(engineSocket);
      return session;
    }
    session.arrive();
    return session;
  }

  /** Takes the place of `run`, so that all middlewares come first, also those that are added later. */
  readonly #guard = (namespace: NamespaceInternals): void => {
    const run = namespace.run.bind(namespace);
    const isOurs = this.#options.namespaces?.(namespace.name) ?? true;
    namespace.run = (socket, next) => {
      run(socket, (error) => {
        if (!this.#isAttached || (error !== undefined && error !== null)) next(error);
        else this.#letIn({ socket, next }, isOurs);
      });
    };
  };

  #letIn(connect: Connect, isOurs: boolean): void {
    const { conn } = connect.socket;
    if (this.#before.has(conn) || conn.readyState !== 'open') {
      connect.next();
      return;
    }
    const session = sessionOf(conn) ?? this.#begin(conn);
    if (isOurs) void session.connect(connect);
    else {
      session.share();
      connect.next();
    }
  }
}

const allowAll: AllowRequest = (_, callback) => {
  callback(null, true);
};

/** Its answer comes with the first CONNECT, unless the request gives it. */
function whoArrives(options: AttachOptions): Authenticate<Session> {
  if (options.at !== 'request') return (session, call) => session.authenticate(options.authenticate, call);
  return ({ request }, call) => (request === null ? null : options.authenticate(request, call));
}

/** Sessions without a request count together. */
function ofRequest(
  keyOf: ((request: IncomingMessage) => string) | undefined,
): ((session: Session) => string) | undefined {
  if (typeof keyOf !== 'function') return keyOf;
  return ({ request }) => (request === null ? '' : keyOf(request));
}

function checkServer(io: ServerInternals | null | undefined): EngineInternals {
  if (typeof io !== 'object' || io === null || !('_nsps' in io))
    throw new TypeError(`attach: got ${describe(io)}, wanted a Server of Socket.IO 4.6 or newer`);
  const { engine, opts } = io;
  if (engine === undefined)
    throw new TypeError(
      'attach: this Server has no HTTP server yet; call attach after new Server(httpServer), io.listen() or io.attach()',
    );
  if (gated.has(io)) throw new TypeError('attach: this Server has a Mooring attached already');
  if (opts.connectionStateRecovery !== undefined && opts.connectionStateRecovery.skipMiddlewares !== false)
    throw new TypeError(
      'attach: recovered connections would walk past the limit; set connectionStateRecovery: { skipMiddlewares: false }',
    );
  return engine;
}
