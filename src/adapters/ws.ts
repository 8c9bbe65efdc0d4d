import type { IncomingMessage } from 'node:http';
import { WebSocket, type WebSocketServer } from 'ws';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import { describe } from '../core/errors.js';
import type { Attachment, AttachOptions } from './attachment.js';
import { Attempt, type HttpRejection } from './attempt.js';
import type { AuthenticationCall } from './authentication-call.js';
import { badRequest, Doorway, type Authenticate, type AuthenticateResult } from './doorway.js';
import { EarlyDecision, rejectedBefore, type DecisionBefore } from './early-decision.js';
import { lateAdmissionOf, type LateAdmission, type SocketAdmission } from './late-admission.js';
import { LateUpgrade } from './late-upgrade.js';
import { isManaged, isMoored, mooredClass } from './moored-web-socket.js';
import { PendingUpgrade, type Upgrade, type UpgradeContext } from './pending-upgrade.js';
import { RefusalSender } from './refusal-sender.js';
import { checkServer, nameOf } from './supported-server.js';
import { afterAnswers, isAnswering, isHandshake, mayUpgrade } from './upgrade-request.js';

export { anonymous } from './anonymous.js';
export type { Attachment, AttachOptions } from './attachment.js';
export type { AttemptRate } from './attempt-rate.js';
export type { AuthenticationCall } from './authentication-call.js';
export type { HttpRejection } from './attempt.js';
export type { Authenticate, AuthenticateResult } from './doorway.js';
export type { DecisionBefore } from './early-decision.js';
export type { SocketAdmission } from './late-admission.js';
export type { OriginRule } from './origins.js';

/**
 * Puts Mooring in front of a `ws` server, in any of its modes (`port`, `server`, `noServer`). Clients are authenticated
 * before the 101, and the application gets only sockets that were admitted and have a manager. A client that has to
 * wait for its admission is accepted, and waits as an open socket. Otherwise the server behaves as before. Sockets
 * connected before are not managed.
 *
 * The way of a connection:
 *
 * 1. `handleUpgrade` of the server, which Mooring replaces, gets the request (this file).
 * 2. A doorway rejects it, or authenticates the client and has `mooring.admit` decide (`doorway.ts`).
 * 3. The client is refused, waits, or gets a ticket; `ws` does the handshake (`pending-upgrade.ts`).
 * 4. The ticket is opened with the socket, which reports to its connection from then on (`moored-web-socket.ts`).
 *
 * @example
 * const server = new WebSocketServer({ port: 8080 });
 * attach(server, { mooring: createMooring(), authenticate: (request) => whoIs(request) });
 * server.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
 *
 * @returns detaches: later sockets are not managed; sockets that are managed stay so. It has the method `admitBefore`.
 * @throws TypeError if the server has a Mooring already, if Mooring cannot manage it (`ws` before 8.5), or if an option
 * is not valid
 */
export function attach(server: WebSocketServer, options: AttachOptions): Attachment {
  const gate = new Gate(server, options);
  return Object.assign(gate.install(), { admitBefore: gate.admitBefore, letThrough: gate.letThrough });
}

/**
 * Admits a socket of a server with `authenticate: 'later'`, for protocols whose first message says who the client is. Until
 * then the socket counts as unauthenticated, at most 64 KiB are read from it, and after `authenticateTimeoutMs` it is closed
 * with 4401. A refused socket is closed with the reason. Never rejects.
 * @param fields the user and the thread; `null` for a client that is not authenticated
 * @throws TypeError if the socket is not such a socket, or if this was called for it before
 */
export function admit<Data = unknown>(socket: WebSocket, fields: AuthenticateResult): Promise<SocketAdmission<Data>> {
  const late = isSocket(socket) ? lateAdmissionOf(socket) : undefined;
  if (late !== undefined) return late.admit(fields) as Promise<SocketAdmission<Data>>;
  const got = isSocket(socket) ? 'a socket of a server without it' : nameOf(socket);
  throw new TypeError(`admit: got ${got}, wanted a socket of a server with attach(server, { authenticate: 'later' })`);
}

/**
 * The manager of an admitted socket, for `hold()`, `socket()`, `onRelease()` and `data`. `Data` is the type of the `data`
 * that your `authenticate` returns.
 * @throws TypeError if the socket has no manager: it did not come through a server with {@link attach}, or is not admitted
 * yet. Where that may be, use {@link findManager}.
 */
export function managerOf<Data = unknown>(socket: WebSocket): WebSocketManager<WebSocket, Data> {
  const manager = findManager<Data>(socket);
  if (manager !== undefined) return manager;
  const problem = isSocket(socket)
    ? 'this socket has no manager: it did not come through a server with attach(), or is not admitted yet'
    : `got ${nameOf(socket)}, wanted a WebSocket of ws`;
  throw new TypeError(`managerOf: ${problem}. Where that may be, use findManager().`);
}

/** As {@link managerOf}, but returns `undefined` if there is no manager. Never throws. */
export function findManager<Data = unknown>(socket: WebSocket): WebSocketManager<WebSocket, Data> | undefined {
  return isSocket(socket) && isMoored(socket)
    ? (socket.mooredConnection?.manager as WebSocketManager<WebSocket, Data> | undefined)
    : undefined;
}

const gated = new WeakSet<WebSocketServer>();

/** Properties of the server that are overridden while Mooring is attached. */
const overridden = ['handleUpgrade', 'emit'] as const;

type WhoIs = (call: AuthenticationCall) => AuthenticateResult | Promise<AuthenticateResult>;

class Gate implements UpgradeContext {
  readonly server: WebSocketServer;
  readonly mooring: Mooring;
  readonly refusalSender: RefusalSender;
  readonly handleUpgrade: WebSocketServer['handleUpgrade'];
  readonly #doorway: Doorway<IncomingMessage>;
  readonly #SocketClass: typeof WebSocket;
  readonly #isLater: boolean;
  readonly #early = new WeakMap<IncomingMessage, EarlyDecision | HttpRejection>();
  readonly #asked = new WeakMap<IncomingMessage, WhoIs>();
  readonly #late = new WeakMap<IncomingMessage, LateAdmission>();
  /** Requests whose sockets are let through, and sockets that Mooring leaves alone. */
  readonly #free = new WeakSet<object>();
  #isAttached = false;

  constructor(server: WebSocketServer, options: AttachOptions) {
    checkServer(server);
    if (gated.has(server)) throw new TypeError('This WebSocketServer has a Mooring attached already');
    const { mooring, isKeepalive, authenticate } = options;
    this.#isLater = authenticate === 'later';
    this.#doorway = new Doorway({ ...options, authenticate: this.#whoIs(authenticate) });
    this.server = server;
    this.mooring = mooring;
    this.refusalSender = new RefusalSender(mooring);
    this.handleUpgrade = server.handleUpgrade.bind(server);
    this.#SocketClass = mooredClass(server.options.WebSocket ?? WebSocket, {
      keepalives: mooring.keepalives.with(isKeepalive),
      maxUnsentBytes: mooring.config.maxUnsentBytes,
    });
  }

  /** @throws TypeError if it is neither a function nor one of the two words */
  #whoIs(authenticate: AttachOptions['authenticate']): Authenticate<IncomingMessage> {
    if (authenticate === 'later') return (request) => this.#late.get(request)?.fields;
    if (authenticate === 'before') return (request, call) => (this.#asked.get(request) ?? this.#notAsked)(call);
    if (typeof authenticate === 'string')
      throw new TypeError(`authenticate: got ${describe(authenticate)}, wanted a function, 'before' or 'later'`);
    return authenticate;
  }

  readonly admitBefore = ((
    request: IncomingMessage,
    who: AuthenticateResult | WhoIs,
  ): DecisionBefore | Promise<DecisionBefore> => {
    if (this.#early.has(request)) throw new TypeError('admitBefore was called for this request already');
    const isAsked = typeof who === 'function';
    const attempt = mayUpgrade(request) ? this.#doorway.arrive(request, request) : badRequest;
    if (!(attempt instanceof Attempt)) {
      this.#early.set(request, attempt);
      return isAsked ? Promise.resolve(rejectedBefore(attempt)) : rejectedBefore(attempt);
    }
    const early = new EarlyDecision(attempt, request);
    this.#early.set(request, early);
    if (!isAsked) {
      this.#doorway.admit(attempt, who, early);
      return early.decision;
    }
    this.#asked.set(request, who);
    this.#doorway.authenticateAndAdmit(attempt, early);
    return early.known;
  }) as Attachment['admitBefore'];

  /** Nobody has called `admitBefore`: the route is not protected, or the middleware stands elsewhere. */
  readonly #notAsked = (): null => {
    this.mooring.events.emit('socket.unmanaged', { reason: 'admitBefore was not called for its request' });
    return null;
  };

  readonly letThrough = (request: IncomingMessage): void => {
    this.#free.add(request);
  };

  get isAttached(): boolean {
    return this.#isAttached;
  }

  /** In all three modes `ws` calls `handleUpgrade`, and makes its sockets of `options.WebSocket`. */
  install(): () => void {
    const { server } = this;
    const { WebSocket: formerClass } = server.options;
    const former = overridden.map((name) => [name, Object.getOwnPropertyDescriptor(server, name)] as const);
    server.options.WebSocket = this.#SocketClass;
    server.handleUpgrade = (...given) => {
      this.#upgrade({ request: given[0], stream: given[1], head: given[2], upgraded: given[3] });
    };
    this.#guardConnections();
    gated.add(server);
    this.#isAttached = true;
    return () => {
      if (!this.#isAttached) return;
      this.#isAttached = false;
      gated.delete(server);
      server.options.WebSocket = formerClass;
      for (const [name, own] of former) {
        if (own === undefined) Reflect.deleteProperty(server, name);
        else Object.defineProperty(server, name, own);
      }
    };
  }

  /**
   * Closes sockets that bypassed Mooring, through a subclass of the server or a method of its prototype, before the
   * application gets them. Sockets connected before are let through.
   */
  #guardConnections(): void {
    const { server } = this;
    const emit = server.emit.bind(server) as (...args: unknown[]) => boolean;
    for (const socket of (server.clients as Set<WebSocket> | undefined) ?? []) this.#free.add(socket);
    const guarded = (event: string | symbol, ...args: unknown[]): boolean => {
      const [socket] = args;
      if (event !== 'connection' || !isSocket(socket) || isKnown(socket) || this.#free.has(socket))
        return emit(event, ...args);
      this.refusalSender.closeUnmanaged(server, socket, 'it did not come through the handleUpgrade of the server');
      return true;
    };
    server.emit = guarded as typeof server.emit;
  }

  /**
   * Leads one request through the doorway. In the usual case, the last one, a {@link PendingUpgrade} is told the answer:
   * the doorway authenticates and admits, and the attempt then calls its `onDecided()` or `onWaiting()`. The other cases
   * are requests that are no handshake, that are let through, that `admitBefore` has decided, or that authenticate later.
   */
  #upgrade(upgrade: Upgrade): void {
    const { request, stream } = upgrade;
    if (!isHandshake(request) || !this.server.shouldHandle(request)) {
      this.#leaveToServer(upgrade);
      return;
    }
    if (this.#free.has(request)) {
      this.#letThrough(upgrade);
      return;
    }
    if (isAnswering(stream, request)) {
      afterAnswers(stream, () => {
        this.refusalSender.reject(stream, badRequest);
      });
      return;
    }
    const arrived = this.#early.get(request) ?? this.#doorway.arrive(request, request);
    if (arrived instanceof EarlyDecision) {
      this.#early.delete(request);
      const pending = new PendingUpgrade(this, upgrade, arrived.attempt);
      arrived.passTo(pending);
      if (arrived.attempt.isAuthenticating) pending.awaitAuthentication();
    } else if (!(arrived instanceof Attempt)) this.refusalSender.reject(stream, arrived);
    else if (this.#isLater) {
      new LateUpgrade(this, upgrade, arrived).start((late) => {
        this.#late.set(request, late);
        this.#doorway.authenticateAndAdmit(arrived, late);
      });
    } else {
      const pending = new PendingUpgrade(this, upgrade, arrived);
      this.#doorway.authenticateAndAdmit(arrived, pending);
      if (arrived.isAuthenticating) pending.awaitAuthentication();
    }
  }

  #letThrough({ request, stream, head, upgraded }: Upgrade): void {
    this.handleUpgrade(request, stream, head, (socket) => {
      this.#free.add(socket);
      upgraded(socket, request);
    });
  }

  /** The server rejects a request that is no WebSocket handshake. If it accepts it, the socket would be unmanaged. */
  #leaveToServer({ request, stream, head }: Upgrade): void {
    this.handleUpgrade(request, stream, head, (socket) => {
      socket.terminate();
    });
  }
}

/** Whether the socket came through Mooring: it has a manager, or is to get one. */
function isKnown(socket: WebSocket): boolean {
  return isManaged(socket) || lateAdmissionOf(socket) !== undefined;
}

/** Whether it is a socket of `ws`, of any copy of it. */
function isSocket(value: unknown): value is WebSocket {
  return typeof value === 'object' && value !== null && 'terminate' in value && 'readyState' in value;
}
