import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, type WebSocketServer } from 'ws';
import type { Admission } from '../core/admission/admission.js';
import type { Ticket } from '../core/admission/ticket.js';
import type { RefusalError } from '../core/errors.js';
import { describe } from '../core/events.js';
import type { IsKeepalive, Keepalives } from '../core/liveness/keepalives.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import { isPromise } from '../core/promises.js';
import { Arrival } from './arrival.js';
import { AttemptLimiter, type AttemptRate } from './attempt-rate.js';
import { Entry, type Attempt, type EntryOptions } from './attach.js';
import { Farewell } from './farewell.js';
import { isMoored, mooredClass } from './moored-web-socket.js';
import { afterAnswers, hasBody, isAnswering } from './upgrade-request.js';
import { WsConnection } from './ws-connection.js';

/** What {@link attach} needs. */
export interface AttachOptions extends EntryOptions<IncomingMessage> {
  /**
   * Which `Origin`s may connect; others get 403 before anything else. Requests without one are let through: they do
   * not come from a page.
   * @default all
   */
  readonly allowedOrigins?: readonly string[] | ((origin: string) => boolean);
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

/** What is done with an upgraded socket. */
type Upgraded = (socket: WebSocket, request: IncomingMessage) => void;

/** What `ws` is asked to upgrade. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** What the client has sent after its request. */
  head: Buffer;
  readonly upgraded: Upgraded;
}

/** An upgrade on its way through. */
interface Passage extends Upgrade {
  readonly attempt: Attempt;
  /** Where it has to wait. */
  arrival: Arrival | null;
  isDecided: boolean;
}

/** An upgraded socket's slot. */
interface Granted extends Pick<Passage, 'stream' | 'attempt'> {
  readonly ticket: Ticket;
}

/** Who is on the way in is quickly through. */
const tooBusy = Object.freeze({ status: 503, reason: 'Service Unavailable', retryAfterMs: 1_000 });

/**
 * Puts Mooring in front of a `ws` server, in any of its modes (`port`, `server`, `noServer`): whoever connects is
 * authenticated and admitted before the 101, and every admitted socket has a manager. The server behaves as before
 * otherwise. Sockets connected before are not managed.
 *
 * @example
 * const server = new WebSocketServer({ port: 8080 });
 * attach(server, { mooring: createMooring(), authenticate: (request) => whoIs(request) });
 * server.on('connection', (socket) => socket.on('message', (text) => socket.send(text)));
 *
 * @returns detaches: later sockets pass unmanaged; those already managed stay so
 * @throws TypeError where the server has a Mooring already
 */
export function attach(server: WebSocketServer, options: AttachOptions): () => void {
  const gate = new Gate(server, options);
  return gate.install();
}

/**
 * The manager of a socket, for `hold()`, `socket()` and `onRelease()`; `undefined` where Mooring does not manage it. Never
 * throws.
 */
export function managerOf(socket: WebSocket): WebSocketManager<WebSocket> | undefined {
  return isMoored(socket) ? (socket.moored?.manager as WebSocketManager<WebSocket> | undefined) : undefined;
}

const gated = new WeakSet<WebSocketServer>();

class Gate {
  readonly #server: WebSocketServer;
  readonly #options: AttachOptions;
  readonly #entry: Entry<IncomingMessage>;
  readonly #attempts: AttemptLimiter | null;
  readonly #pass: WebSocketServer['handleUpgrade'];
  readonly #farewell: Farewell;
  readonly #keepalives: Keepalives;

  constructor(server: WebSocketServer, options: AttachOptions) {
    if (gated.has(server)) throw new TypeError('This WebSocketServer has a Mooring attached already');
    this.#server = server;
    this.#options = options;
    const { keyOf = options.attemptRate?.keyOf } = options;
    this.#entry = new Entry({ ...options, keyOf }, ({ socket }) => socket.remoteAddress);
    this.#farewell = new Farewell(options.mooring);
    this.#keepalives = options.mooring.keepalives.with(options.isKeepalive);
    this.#attempts =
      options.attemptRate === undefined ? null : new AttemptLimiter(options.attemptRate, options.mooring);
    this.#pass = server.handleUpgrade.bind(server);
  }

  /** All three modes of `ws` come through `handleUpgrade`, and make their sockets of `options.WebSocket`. */
  install(): () => void {
    const server = this.#server;
    const Base = server.options.WebSocket ?? WebSocket;
    const own = Object.getOwnPropertyDescriptor(server, 'handleUpgrade');
    server.options.WebSocket = mooredClass(Base, this.#keepalives);
    server.handleUpgrade = (...[request, stream, head, upgraded]) => {
      this.#arrive({ request, stream, head, upgraded });
    };
    gated.add(server);
    return () => {
      if (!gated.delete(server)) return;
      server.options.WebSocket = Base;
      if (own === undefined) Reflect.deleteProperty(server, 'handleUpgrade');
      else Object.defineProperty(server, 'handleUpgrade', own);
    };
  }

  #arrive(upgrade: Upgrade): void {
    const { request, stream, head, upgraded } = upgrade;
    if (!isHandshake(request) || !this.#server.shouldHandle(request)) {
      this.#leaveToServer(upgrade);
      return;
    }
    if (hasBody(request) || isAnswering(stream)) {
      afterAnswers(stream, () => {
        this.#farewell.reject(stream, { status: 400, reason: 'Bad Request' });
      });
      return;
    }
    if (!this.#isAllowed(request.headers.origin)) {
      this.#farewell.reject(stream, { status: 403, reason: 'Forbidden' });
      return;
    }
    const attempt = this.#entry.arrive(request, () => {
      this.#displace(passage); // never within this call: there is a passage by then
    });
    if (attempt === null) {
      this.#farewell.reject(stream, tooBusy);
      return;
    }
    // Field by field: spreading the upgrade takes V8 longer than admitting it.
    const passage: Passage = { request, stream, head, upgraded, attempt, arrival: null, isDecided: false };
    const retryAfterMs = this.#attempts?.check(request) ?? null;
    if (retryAfterMs === null) {
      this.#enter(passage);
      return;
    }
    attempt.leave();
    this.#farewell.reject(stream, { status: 429, reason: 'Too Many Requests', retryAfterMs });
  }

  #enter(passage: Passage): void {
    const decided = (admission: Admission): void => {
      passage.isDecided = true;
      if (passage.arrival !== null) passage.head = passage.arrival.handOver();
      this.#decided(passage, admission);
    };
    this.#entry.begin(passage.attempt, passage.request, { decided });
    if (passage.isDecided) return;
    passage.arrival = new Arrival(passage.stream, passage.head, () => {
      passage.attempt.leave();
    });
  }

  #displace(passage: Passage): void {
    passage.isDecided = true;
    passage.arrival?.handOver();
    this.#farewell.reject(passage.stream, tooBusy);
  }

  #decided(passage: Passage, { ticket, refusal }: Admission): void {
    if (refusal !== null) {
      this.#refuse(passage, refusal);
      return;
    }
    this.#accept(passage, ticket);
  }

  /** The server completes the handshake, or finds fault with it: then the slot is given back. */
  #accept({ request, stream, head, upgraded, attempt }: Passage, ticket: Ticket): void {
    const handshake = { isDone: false };
    try {
      this.#pass(request, stream, head, (socket) => {
        handshake.isDone = true;
        if (this.#open(socket, { stream, ticket, attempt })) upgraded(socket, request);
      });
    } finally {
      if (!handshake.isDone) this.#awaitServer(stream, ticket, handshake);
    }
  }

  /** `verifyClient` takes its time, or has said no, or threw. Nobody reads the stream: it must not wait for ever. */
  #awaitServer(stream: Duplex, ticket: Ticket, handshake: { readonly isDone: boolean }): void {
    if (stream.destroyed) {
      ticket.cancel();
      return;
    }
    const { mooring } = this.#options;
    const giveUp = (): void => {
      if (!handshake.isDone && !stream.destroyed) this.#farewell.reject(stream, tooBusy);
    };
    ticket.whenEnded = () => {
      if (mooring.isDraining) giveUp();
      else mooring.clock.setTimer(giveUp, mooring.config.authenticateTimeoutMs);
    };
    stream.once('close', () => {
      ticket.cancel();
    });
  }

  /** @returns whether the application gets the socket. One made after Mooring was detached is not managed. */
  #open(socket: WebSocket, { stream, ticket, attempt }: Granted): boolean {
    if (!isMoored(socket)) {
      ticket.cancel();
      return true;
    }
    const { link, refusal } = ticket.open(new WsConnection(socket, stream));
    if (refusal !== null) {
      this.#farewell.dismiss(socket, refusal, attempt);
      return false;
    }
    socket.moor(link, stream);
    return true;
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

  #isAllowed(origin: string | undefined): boolean {
    const { allowedOrigins } = this.#options;
    if (allowedOrigins === undefined || origin === undefined) return true;
    if (typeof allowedOrigins !== 'function') return allowedOrigins.includes(origin);
    try {
      const answer: unknown = allowedOrigins(origin);
      if (typeof answer === 'boolean') return answer;
      if (isPromise(answer)) answer.then(undefined, () => undefined);
      throw new TypeError(`allowedOrigins gave ${describe(answer)}, wanted true or false at once`);
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  #report(error: unknown): void {
    this.#options.mooring.events.emit('authentication.failed', { error: describe(error) });
  }
}

const handshakeKey = /^[+/0-9A-Za-z]{22}==$/;

/** Whether `ws` would take it for a handshake; authentication is not asked about anything else. */
function isHandshake({ method, headers }: IncomingMessage): boolean {
  const version = Number(headers['sec-websocket-version']);
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    handshakeKey.test(headers['sec-websocket-key'] ?? '') &&
    (version === 13 || version === 8)
  );
}
