import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io';
import type { Admission, PendingAdmission } from '../../core/admission/outcome.js';
import type { Ticket } from '../../core/admission/ticket.js';
import { AuthenticationError, RefusalError } from '../../core/errors.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Mooring } from '../../core/mooring.js';
import { withResolver } from '../../core/promises.js';
import type { Timer } from '../../core/time.js';
import { Attempt, type AttemptListener, type HttpRejection } from '../attempt.js';
import { AbortableCall, type AuthenticationCall } from '../authentication-call.js';
import type { Authenticate, AuthenticateResult, Doorway } from '../doorway.js';
import type { EngineSocket } from './engine.js';
import { longestHoldMs, type Connect, type Refuser } from './refuser.js';
import { SessionSockets, type SocketsContext } from './session-sockets.js';
import { connectError, rejectionText, toldOf } from './told.js';

/** What the sessions of one server share. */
export interface SessionContext extends SocketsContext {
  readonly mooring: Mooring;
  readonly doorway: Doorway<Session>;
  readonly refuser: Refuser;
  /** Sessions that are not decided yet. */
  readonly undecided: Set<Session>;
  /** Who the socket of a CONNECT is; `null` if the request that began the session has said so. */
  readonly whoIs: Authenticate<Socket> | null;
}

/** Why a client is not let in: the core refuses it, or the doorway rejects it. `null`: it is let in. */
type Answer = RefusalError | HttpRejection | null;

type Resolver<Value> = ReturnType<typeof withResolver<Value>>;

/** How many CONNECTs of one session may be without an answer. */
const maxUnanswered = 100;

const sessions = new WeakMap<EngineSocket, Session>();

/** The session as Mooring has it, or `undefined` if it did not come through `attach`. */
export function sessionOf(engineSocket: EngineSocket): Session | undefined {
  return sessions.get(engineSocket);
}

/**
 * A session of Engine.IO, from its first request on. It counts as unauthenticated until its first CONNECT says who it is,
 * and is admitted once: all its namespaces share the manager, and those that are joined before share the answer.
 */
export class Session implements AttemptListener {
  readonly #context: SessionContext;
  /** `null` until Engine.IO has made the session. */
  #sockets: SessionSockets | null = null;
  #attempt: Attempt<Session> | null = null;
  /** While the attempt is under way: the socket that says who the client is; `null` if that is not asked any longer. */
  #firstSocket: Resolver<Socket | null> | null = null;
  /** What the attempt comes to. `null` if there is none, or if a CONNECT was answered with it. */
  #answer: Resolver<Answer> | null = null;
  #ticket: Ticket | null = null;
  #manager: WebSocketManager<Socket> | null = null;
  /** CONNECTs that wait for an answer, or are held. */
  readonly #unanswered = new Set<Connect>();
  /** Why CONNECTs before the admission are refused, or `null`: for all that come while it is decided or held. */
  #decision: Promise<RefusalError | null> | null = null;
  /** The calls of `authenticate` for namespaces that are joined later. */
  readonly #calls = new Set<AbortableCall>();
  /** When CONNECTs that are held are decided again. */
  readonly #holds = new Set<Timer>();
  /** Whether it has joined a namespace that is not Mooring's: then refusals must not close it. */
  #isShared = false;

  constructor(
    context: SessionContext,
    readonly request: IncomingMessage | null,
  ) {
    this.#context = context;
  }

  /** `undefined` before it is admitted. */
  get manager(): WebSocketManager<Socket> | undefined {
    return this.#manager ?? undefined;
  }

  /** The request that is to begin it has arrived. @returns why it must not, or `null` */
  async requested(): Promise<string | null> {
    const { promise } = this.arrive();
    if (this.#attempt !== null && this.#context.whoIs !== null) return null; // its CONNECT is answered
    const answer = await promise;
    return answer instanceof RefusalError ? answer.close.reason : answer && rejectionText(answer);
  }

  /** The request will not become a session. */
  readonly requestEnded = (): void => {
    if (this.#sockets === null) this.leave();
  };

  /** The steps of the doorway. */
  arrive(): { readonly promise: Promise<Answer> } {
    const { doorway, undecided, whoIs } = this.#context;
    const answer = withResolver<Answer>();
    this.#answer = answer;
    this.#firstSocket = withResolver();
    const attempt = doorway.arrive(this, this.request ?? { headers: {} });
    if (attempt instanceof Attempt) {
      undecided.add(this);
      this.#attempt = attempt;
      attempt.isClientAwaited = whoIs !== null;
      doorway.authenticateAndAdmit(attempt, this);
    } else this.#settle(attempt);
    return answer;
  }

  /** Who the client is, once its first CONNECT says so. */
  async authenticate(whoIs: Authenticate<Socket>, call: AuthenticationCall): Promise<AuthenticateResult> {
    const socket = await (this.#firstSocket?.promise ?? null);
    if (this.#attempt !== null) this.#attempt.isClientAwaited = false;
    return socket === null ? null : whoIs(socket, call);
  }

  onDecided({ ticket, refusal }: Admission): void {
    this.#ticket = ticket;
    this.#settle(refusal ?? this.#open());
  }

  onWaiting(pending: PendingAdmission): void {
    if (this.#sockets !== null) pending.accepted?.(this.#sockets.link);
  }

  onDisplaced(rejection: HttpRejection): void {
    this.#settle(rejection);
  }

  /** Without a CONNECT there is nobody to tell: a client that must not come back, or was rejected, is closed. */
  #settle(answer: Answer): void {
    const { undecided, refuser, mooring } = this.#context;
    undecided.delete(this);
    this.#firstSocket?.resolve(null);
    this.#firstSocket = null;
    this.#answer?.resolve(answer);
    if (answer === null) return;
    const isRefusal = answer instanceof RefusalError;
    if (!isRefusal) mooring.events.emit('socket.rejected', { status: answer.status, reason: answer.reason });
    const isLater = isRefusal && toldOf(answer.close).retryAfterMs !== null;
    if (!isLater && this.#sockets !== null && this.#unanswered.size === 0) refuser.close(this.#sockets.session);
  }

  /** Engine.IO has made the session. */
  opened(engineSocket: EngineSocket): void {
    sessions.set(engineSocket, this);
    this.#sockets = new SessionSockets(engineSocket, this.#context);
    engineSocket.once('close', this.gone);
    if (this.#open() !== null) this.#context.refuser.close(engineSocket);
  }

  /** Opens the ticket, if it and the session are there. @returns why that is refused */
  #open(): RefusalError | null {
    const ticket = this.#ticket;
    if (ticket === null || this.#sockets === null) return null;
    this.#ticket = null;
    if (!this.#isOpen) {
      ticket.cancel();
      return null;
    }
    const { link } = this.#sockets;
    const { connection, refusal } = ticket.open(link);
    if (refusal !== null) return refusal;
    this.#manager = connection.manager as WebSocketManager<Socket>;
    link.bind(connection);
    return null;
  }

  get #isOpen(): boolean {
    return this.#sockets?.session.readyState === 'open';
  }

  /** Whether other namespaces use it, so that it must not be closed. */
  get #isInUse(): boolean {
    return this.#isShared || this.#manager !== null;
  }

  /** A namespace that is not Mooring's is joined: the session does not count before it joins another. */
  share(): void {
    this.#isShared = true;
    if (this.#manager === null && this.#unanswered.size === 0) this.leave();
  }

  /** The middlewares of a namespace have let a socket in. */
  async connect(connect: Connect): Promise<void> {
    const { refuser } = this.#context;
    const sockets = this.#sockets;
    if (sockets === null || !this.#isOpen || this.#unanswered.size >= maxUnanswered) {
      if (sockets !== null) refuser.close(sockets.session);
      connect.next(); // Socket.IO forgets the socket
      return;
    }
    this.#unanswered.add(connect);
    const refusal = await this.#refusalOf(connect);
    if (!this.#unanswered.delete(connect)) return; // the client has gone
    if (refusal === null) {
      sockets.join(connect);
      return;
    }
    connect.next(connectError(refusal)); // the client may try again on the same session
    const isUnused = (): boolean => !this.#isInUse && this.#unanswered.size === 0;
    if (!this.#isInUse) refuser.endSoon(sockets.session, isUnused);
  }

  /** Those that come before the admission are decided once. The first is admitted with it, the others are asked. */
  async #refusalOf(connect: Connect): Promise<RefusalError | null> {
    if (this.#manager === null) {
      const isFirst = this.#decision === null;
      this.#decision ??= this.#finalAnswer(() => this.#admit(connect.socket), this.#unanswered);
      const refusal = await this.#decision;
      this.#decision = null;
      if (isFirst || refusal !== null) return refusal;
    }
    return this.#finalAnswer(() => this.#identify(connect.socket), [connect]);
  }

  /** Asks, and asks again when the clients should come back, unless they are told to by CONNECT_ERROR. */
  async #finalAnswer(ask: () => Promise<Answer>, connects: Iterable<Connect>): Promise<RefusalError | null> {
    for (;;) {
      const answer = await ask();
      if (answer === null || !this.#isOpen) return null;
      if (answer instanceof RefusalError) {
        const { retryAfterMs } = toldOf(answer.close);
        if (retryAfterMs === null || !this.#context.refuser.holds(connects)) return answer;
        await this.#hold(retryAfterMs);
      } else await this.#hold(answer.retryAfterMs ?? longestHoldMs);
    }
  }

  /** Resolves after this time. A session that is not in use is closed instead, so that its client comes back by itself. */
  #hold(holdMs: number): Promise<void> {
    const { promise, resolve } = withResolver<undefined>();
    if (this.#isInUse) {
      const timer = this.#context.mooring.clock.setTimer(() => {
        this.#holds.delete(timer);
        resolve(undefined);
      }, holdMs);
      this.#holds.add(timer);
    } else if (this.#sockets !== null) this.#context.refuser.hold(this.#sockets.session, holdMs);
    return promise;
  }

  async #admit(socket: Socket): Promise<Answer> {
    const { promise } = this.#answer ?? this.arrive();
    this.#firstSocket?.resolve(socket);
    const answer = await promise;
    this.#answer = null;
    return answer;
  }

  /** The same user may join more namespaces. Another user may not, since the first one would pay for it. */
  async #identify(socket: Socket): Promise<RefusalError | null> {
    const { whoIs, doorway, mooring } = this.#context;
    if (whoIs === null) return null;
    const call = new AbortableCall();
    this.#calls.add(call);
    const { fields, refusal } = await doorway.identify(() => whoIs(socket, call), call);
    this.#calls.delete(call);
    if (refusal !== null || fields.userId === this.#manager?.userId) return refusal;
    return mooring.refusals.unauthenticated(new AuthenticationError('wrong'));
  }

  /** Gives back what it has or waits for, and is not asked any longer. */
  leave(): void {
    this.#context.undecided.delete(this);
    this.#attempt?.leave();
    this.#attempt = null;
    this.#ticket?.cancel();
    this.#firstSocket?.resolve(null);
    this.#firstSocket = null;
    this.#answer?.resolve(null);
    this.#answer = null;
  }

  /**
   * The client has gone, or Mooring was detached: those that wait are let in. If the session is closed, Socket.IO
   * forgets them then.
   */
  readonly gone = (): void => {
    this.leave();
    this.#decision = null;
    for (const call of this.#calls) call.abort('AbortError', 'The client has gone');
    for (const timer of this.#holds) timer.cancel();
    this.#holds.clear();
    for (const { next } of this.#unanswered) next();
    this.#unanswered.clear();
  };
}
