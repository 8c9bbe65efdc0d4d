import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, type WebSocketServer } from 'ws';
import { isPending, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import type { Ticket } from '../core/admission/ticket.js';
import { describe, type RefusalError } from '../core/errors.js';
import type { IsKeepalive, Keepalives } from '../core/liveness/keepalives.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import { Arrival } from './arrival.js';
import { AttemptLimiter, type AttemptRate } from './attempt-rate.js';
import { Entry, type EntryOptions } from './attach.js';
import { CallSurroundings } from './call-surroundings.js';
import { Farewell } from './farewell.js';
import { isHandshake, isSocket, isTurnedDown } from './handshake.js';
import { isManaged, isMoored, mooredClass } from './moored-web-socket.js';
import { AllowedOrigins, type OriginRule } from './origins.js';
import { checkServer } from './supported-server.js';
import { afterAnswers, hasBody, isAnswering, type Asked } from './upgrade-request.js';
import { Passage, type Upgrade } from './passage.js';
import { Wait, withdraw } from './wait.js';
import { WsConnection } from './ws-connection.js';
import { isClosed } from './ws-internals.js';

/** What {@link attach} needs. */
export interface AttachOptions extends EntryOptions<IncomingMessage> {
  /**
   * Which `Origin`s may connect; others get 403 before anything else. Requests without one are let through: they do
   * not come from a page. A list has origins such as `https://app.example`, compared whole; upper case, default ports
   * and a trailing slash are forgiven. `null`, which every page can send, is let in by a function only.
   * @default all
   */
  readonly allowedOrigins?: OriginRule;
  /** How often one client may try; attempts over it get 429 before authentication. @default unlimited */
  readonly attemptRate?: AttemptRate;
  /**
   * Messages of this server that are keepalives beside the presets; see {@link IsKeepalive}.
   * @default the function that `createMooring` was given, if any
   */
  readonly isKeepalive?: IsKeepalive;
}

export { anonymous } from './anonymous.js';
export type { Authenticate, AuthenticationCall } from './attach.js';
export type { AttemptRate } from './attempt-rate.js';
export type { OriginRule } from './origins.js';

/** An upgraded socket's slot. */
interface Granted extends Pick<Passage, 'stream' | 'attempt'> {
  readonly ticket: Ticket;
}

const badRequest = Object.freeze({ status: 400, reason: 'Bad Request' });

/** Unadmitted sockets leave within seconds, so retry soon. */
const tooBusy = Object.freeze({ status: 503, reason: 'Service Unavailable', retryAfterMs: 1_000 });

/**
 * Puts Mooring in front of a `ws` server, in any of its modes (`port`, `server`, `noServer`): clients are authenticated
 * before the 101, and the application gets only sockets that were admitted and have a manager. A client that has to
 * wait for its admission is accepted and waits as an open socket. The server behaves as before otherwise. Sockets
 * connected before are not managed.
 *
 * @example
 * const server = new WebSocketServer({ port: 8080 });
 * attach(server, { mooring: createMooring(), authenticate: (request) => whoIs(request) });
 * server.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
 *
 * @returns detaches: later sockets pass unmanaged; those already managed stay so
 * @throws TypeError if the server has a Mooring already, or is one that Mooring cannot manage (`ws` before 8.5), or if an
 * option is of no use
 */
export function attach(server: WebSocketServer, options: AttachOptions): () => void {
  const gate = new Gate(server, options);
  return gate.install();
}

/**
 * The manager of a socket, for `hold()`, `socket()` and `onRelease()`; `undefined` if Mooring does not manage it, or not
 * yet. Never throws.
 */
export function managerOf(socket: WebSocket): WebSocketManager<WebSocket> | undefined {
  return isSocket(socket) && isMoored(socket)
    ? (socket.moored?.manager as WebSocketManager<WebSocket> | undefined)
    : undefined;
}

const gated = new WeakSet<WebSocketServer>();

/** Properties of the server that are overridden while Mooring is attached. */
const overridden = ['handleUpgrade', 'emit'] as const;

class Gate {
  readonly #server: WebSocketServer;
  readonly #options: AttachOptions;
  readonly #entry: Entry<IncomingMessage>;
  readonly #attempts: AttemptLimiter | null;
  readonly #origins: AllowedOrigins;
  readonly #pass: WebSocketServer['handleUpgrade'];
  readonly #farewell: Farewell;
  readonly #keepalives: Keepalives;
  #isAttached = false;

  constructor(server: WebSocketServer, options: AttachOptions) {
    checkServer(server);
    if (gated.has(server)) throw new TypeError('This WebSocketServer has a Mooring attached already');
    this.#server = server;
    this.#options = options;
    const { mooring, allowedOrigins, attemptRate, keyOf = attemptRate?.keyOf } = options;
    this.#attempts = attemptRate === undefined ? null : new AttemptLimiter(attemptRate, mooring);
    this.#entry = new Entry({ ...options, keyOf }, ({ socket }: Asked) => socket?.remoteAddress);
    this.#keepalives = mooring.keepalives.with(options.isKeepalive);
    this.#origins = new AllowedOrigins(allowedOrigins, (error) => {
      this.#report(error);
    });
    this.#farewell = new Farewell(mooring);
    this.#pass = server.handleUpgrade.bind(server);
  }

  /** All three modes of `ws` come through `handleUpgrade`, and make their sockets of `options.WebSocket`. */
  install(): () => void {
    const server = this.#server;
    const Base = server.options.WebSocket ?? WebSocket;
    const former = overridden.map((name) => [name, Object.getOwnPropertyDescriptor(server, name)] as const);
    const { maxUnsentBytes } = this.#options.mooring.config;
    server.options.WebSocket = mooredClass(Base, { keepalives: this.#keepalives, maxUnsentBytes });
    server.handleUpgrade = (...given) => {
      this.#arrive({ request: given[0], stream: given[1], head: given[2], upgraded: given[3] });
    };
    this.#guardConnections();
    gated.add(server);
    this.#isAttached = true;
    return () => {
      if (!this.#isAttached) return;
      this.#isAttached = false;
      gated.delete(server);
      server.options.WebSocket = Base;
      for (const [name, own] of former) {
        if (own === undefined) Reflect.deleteProperty(server, name);
        else Object.defineProperty(server, name, own);
      }
    };
  }

  /**
   * Sockets that went past Mooring, through a subclass of the server or a method of its prototype, are refused where
   * they are given to the application. Those connected before are not.
   */
  #guardConnections(): void {
    const server = this.#server;
    const emit = server.emit.bind(server) as (...args: unknown[]) => boolean;
    const before = new WeakSet<object>((server.clients as Set<WebSocket> | undefined) ?? []);
    const guarded = (event: string | symbol, ...args: unknown[]): boolean => {
      const [socket] = args;
      if (event !== 'connection' || !isSocket(socket) || isManaged(socket) || before.has(socket))
        return emit(event, ...args);
      this.#dismissUnmanaged(socket, 'it did not come through the handleUpgrade of the server');
      return true;
    };
    server.emit = guarded as typeof server.emit;
  }

  #arrive(upgrade: Upgrade): void {
    const { request, stream } = upgrade;
    if (!isHandshake(request) || !this.#server.shouldHandle(request)) {
      this.#leaveToServer(upgrade);
      return;
    }
    if (isAnswering(stream, request)) {
      afterAnswers(stream, () => {
        this.#farewell.reject(stream, badRequest);
      });
      return;
    }
    if (hasBody(request)) {
      this.#farewell.reject(stream, badRequest);
      return;
    }
    if (!this.#origins.allow(request.headers.origin)) {
      this.#farewell.reject(stream, { status: 403, reason: 'Forbidden' });
      return;
    }
    const attempt = this.#entry.arrive(request, () => {
      this.#displace(passage);
    });
    if (attempt === null) {
      this.#farewell.reject(stream, tooBusy);
      return;
    }
    const passage = new Passage(upgrade, attempt);
    const retryAfterMs = this.#attempts?.check(request) ?? null;
    if (retryAfterMs === null) {
      this.#enter(passage);
      return;
    }
    attempt.leave();
    this.#farewell.reject(stream, { status: 429, reason: 'Too Many Requests', retryAfterMs });
  }

  #enter(passage: Passage): void {
    const authenticated = (outcome: Admission | PendingAdmission): void => {
      this.#authenticated(passage, outcome);
    };
    this.#entry.begin(passage.attempt, passage.request, { decided: authenticated, waits: authenticated });
    if (passage.isAuthenticated) return;
    passage.surroundings = new CallSurroundings(this.#server);
    passage.arrival = new Arrival(passage.stream, passage.head, () => {
      passage.attempt.leave();
    });
  }

  /** Its room is needed for a client of another address. */
  #displace(passage: Passage): void {
    passage.isAuthenticated = true;
    passage.arrival?.handOver();
    this.#farewell.reject(passage.stream, tooBusy);
  }

  /** There is a decision, or one has to be waited for and comes later. */
  #authenticated(passage: Passage, outcome: Admission | PendingAdmission): void {
    passage.isAuthenticated = true;
    if (passage.arrival !== null) {
      passage.head = passage.arrival.handOver();
      passage.arrival = null;
    }
    if (isPending(outcome)) this.#acceptFirst(passage, outcome);
    else if (passage.wait === null) this.#decided(passage, outcome);
    else this.#decidedLater(passage, passage.wait, outcome);
  }

  #decided(passage: Passage, { ticket, refusal }: Admission): void {
    if (refusal !== null) {
      this.#refuse(passage, refusal);
      return;
    }
    this.#accept(passage, ticket);
  }

  /** The server completes the handshake, or finds fault with it: then the slot is given back. */
  #accept(passage: Passage, ticket: Ticket): void {
    const { request, stream, upgraded, attempt } = passage;
    const handshake = { isDone: false };
    try {
      this.#handshake(passage, (socket) => {
        handshake.isDone = true;
        if (this.#open(socket, { stream, ticket, attempt })) upgraded(socket, request);
      });
    } finally {
      if (!handshake.isDone) this.#awaitServer(stream, ticket, handshake);
    }
  }

  /** `ws` does its part, with what was around the call that brought the upgrade. */
  #handshake({ request, stream, head, surroundings }: Passage, accepted: (socket: WebSocket) => void): void {
    if (surroundings === null) {
      this.#pass(request, stream, head, accepted);
      return;
    }
    const pass = (): void => {
      this.#pass(request, stream, head, accepted);
    };
    surroundings.around(pass, this.#isAttached ? null : 'WebSocket');
  }

  /** `verifyClient` takes its time, or has said no, or threw. Nobody reads the stream: it must not wait for ever. */
  #awaitServer(stream: Duplex, ticket: Ticket, handshake: { readonly isDone: boolean }): void {
    if (isTurnedDown(stream)) {
      ticket.cancel();
      return;
    }
    ticket.whenEnded = () => {
      this.#giveUpOnServer(stream, handshake);
    };
    stream.once('close', () => {
      ticket.cancel();
    });
  }

  /** `ws`, or who is asked by it, gets some time yet; none when Mooring stops. */
  #giveUpOnServer(stream: Duplex, handshake: { readonly isDone: boolean }): void {
    const { mooring } = this.#options;
    const giveUp = (): void => {
      if (!handshake.isDone && !isTurnedDown(stream)) this.#farewell.reject(stream, tooBusy);
    };
    if (mooring.isDraining) giveUp();
    else mooring.clock.setTimer(giveUp, mooring.config.authenticateTimeoutMs);
  }

  /** @returns whether the application gets the socket. One made after Mooring was detached is not managed. */
  #open(socket: WebSocket, { stream, ticket, attempt }: Granted): boolean {
    if (!isMoored(socket)) {
      ticket.cancel();
      return this.#passUnmanaged(socket);
    }
    const { connection, refusal } = ticket.open(new WsConnection(socket, stream));
    if (refusal !== null) {
      withdraw(this.#server, socket);
      this.#farewell.dismiss({ socket, stream }, refusal, attempt);
      return false;
    }
    socket.moor(connection, stream);
    return true;
  }

  /** @returns whether the application gets a socket that is not of Mooring's class: once it is detached */
  #passUnmanaged(socket: WebSocket): boolean {
    if (!this.#isAttached) return true;
    this.#dismissUnmanaged(socket, 'options.WebSocket of the server was replaced after attach');
    return false;
  }

  #dismissUnmanaged(socket: WebSocket, reason: string): void {
    (this.#server.clients as Set<WebSocket> | undefined)?.delete(socket);
    this.#farewell.dismissUnmanaged(socket, reason);
  }

  /** The decision takes time, and a browser has one handshake at a time with a host: so the handshake comes first. */
  #acceptFirst(passage: Passage, pending: PendingAdmission): void {
    const { stream, request, upgraded, attempt } = passage;
    const wait = new Wait({ server: this.#server, stream, pending, who: attempt, farewell: this.#farewell });
    passage.wait = wait;
    try {
      this.#handshake(passage, (socket) => {
        if (!isMoored(socket)) {
          wait.giveBack();
          if (this.#passUnmanaged(socket)) upgraded(socket, request);
          return;
        }
        const decided = wait.accepted(socket);
        if (decided !== null) this.#decidedLater(passage, wait, decided);
      });
    } catch (error) {
      wait.giveBack();
      if (!isTurnedDown(stream)) this.#farewell.reject(stream, tooBusy);
      throw error;
    }
    if (!wait.isDone && isTurnedDown(stream)) wait.giveBack();
  }

  #decidedLater({ request, stream, upgraded }: Passage, wait: Wait, admission: Admission): void {
    const socket = wait.decided(admission);
    const { ticket, refusal } = admission;
    if (wait.isOver) return;
    if (socket === null) {
      if (ticket === null) this.#giveUpOnServer(stream, wait);
      else this.#awaitServer(stream, ticket, wait);
      return;
    }
    if (ticket === null || isClosed(this.#server)) {
      ticket?.cancel();
      wait.refuse(refusal ?? this.#options.mooring.refusals.draining());
      return;
    }
    const opening = ticket.open(new WsConnection(socket, stream));
    if (opening.refusal !== null) {
      wait.refuse(opening.refusal);
      return;
    }
    socket.moor(opening.connection, stream);
    wait.admit(opening.connection, () => {
      upgraded(socket, request);
    });
  }

  #refuse({ request, stream, head, attempt }: Passage, refusal: RefusalError): void {
    if (!stream.destroyed) this.#farewell.refuse({ request, stream, head }, refusal, attempt);
  }

  /** What is no WebSocket handshake, the server turns down by itself; should it not, nobody unmanaged gets in. */
  #leaveToServer({ request, stream, head }: Upgrade): void {
    this.#pass(request, stream, head, (socket) => {
      socket.terminate();
    });
  }

  #report(error: unknown): void {
    this.#options.mooring.events.emit('authentication.failed', { error: describe(error) });
  }
}
