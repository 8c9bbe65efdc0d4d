import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io';
import { refused, type Admission, type PendingAdmission } from '../../core/admission/outcome.js';
import type { Ticket } from '../../core/admission/ticket.js';
import { AuthenticationError, type RefusalError } from '../../core/errors.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Mooring } from '../../core/mooring.js';
import { attempted } from '../../core/promises.js';
import type { Timer } from '../../core/time.js';
import { Attempt, type AttemptListener, type HttpRejection } from '../attempt.js';
import { AbortableCall, type AuthenticationCall } from '../authentication-call.js';
import type { AuthenticateResult, Doorway } from '../doorway.js';
import { EngineConnection, type EngineConnectionParts } from './engine-connection.js';
import type { EngineSocket } from './engine.js';
import type { Connect, Refuser } from './refuser.js';
import { SessionSockets, type SocketsContext } from './session-sockets.js';
import { connectError, toldOf } from './told.js';

/** Who the socket of a CONNECT is. */
export type WhoIs = (socket: Socket, call: AuthenticationCall) => AuthenticateResult | Promise<AuthenticateResult>;

/** What the sessions of one server share. */
export interface SessionContext extends SocketsContext {
  readonly mooring: Mooring;
  readonly doorway: Doorway<Session>;
  readonly refuser: Refuser;
  /** Sessions that are not decided yet. */
  readonly undecided: Set<Session>;
  /** `null` if the request that began the session has said who it is. */
  readonly whoIs: WhoIs | null;
  readonly connection: Pick<EngineConnectionParts, 'filter' | 'countBroadcasts' | 'maxUnsentBytes'>;
}

/** Told to whoever made the session's request, before Engine.IO has made the session. */
export interface RequestListener {
  onDecided(admission: Admission): void;
  onRejected(rejection: HttpRejection): void;
}

/** Where the answer of `authenticate` goes, which comes with the first CONNECT. */
interface Question {
  readonly call: AuthenticationCall;
  readonly answer: (fields: AuthenticateResult | Promise<AuthenticateResult>) => void;
}

/** How many CONNECTs of one session may be without an answer. */
const maxUnanswered = 100;

const sessions = new WeakMap<EngineSocket, Session>();

/** The session as Mooring has it, or `undefined` if it did not come through `attach`. */
export function sessionOf(engineSocket: EngineSocket): Session | undefined {
  return sessions.get(engineSocket);
}

/**
 * A session of Engine.IO, from its first request on. It counts as unauthenticated until its first CONNECT says who it is,
 * and is admitted once: all its namespaces share the manager, and the answer.
 */
export class Session implements AttemptListener {
  readonly #context: SessionContext;
  readonly #listener: RequestListener | null;
  #engineSocket: EngineSocket | null = null;
  #link: EngineConnection | null = null;
  #sockets: SessionSockets | null = null;
  #attempt: Attempt<Session> | null = null;
  #question: Question | null = null;
  /** A decision that came before the session was made, or a refusal before its first CONNECT. */
  #early: Admission | null = null;
  #manager: WebSocketManager<Socket> | null = null;
  /** CONNECTs that wait for the decision, or are held. */
  #waiting: Connect[] = [];
  /** The calls of `authenticate` for namespaces that are joined later. */
  readonly #joining = new Set<AbortableCall>();
  /** When refused CONNECTs are decided again, or later namespaces. */
  readonly #retries = new Set<Timer>();
  #isHeld = false;
  /** Whether it has joined a namespace that is not Mooring's: then refusals must not close it. */
  #isShared = false;

  constructor(
    context: SessionContext,
    readonly request: IncomingMessage | null,
    listener: RequestListener | null = null,
  ) {
    this.#context = context;
    this.#listener = listener;
  }

  /** The request will not become a session. */
  readonly requestEnded = (): void => {
    if (this.#engineSocket === null) this.leave();
  };

  /** `undefined` before it is admitted. */
  get manager(): WebSocketManager<Socket> | undefined {
    return this.#manager ?? undefined;
  }

  /** The steps of the doorway; `authenticate` gets its answer from {@link whenAsked}. @returns why it is rejected, or `null` */
  arrive(): HttpRejection | null {
    const { doorway, undecided } = this.#context;
    const attempt = doorway.arrive(this, this.request ?? { headers: {} });
    if (!(attempt instanceof Attempt)) return attempt;
    undecided.add(this);
    this.#attempt = attempt;
    doorway.authenticateAndAdmit(attempt, this);
    return null;
  }

  /** Who the client is, once its first CONNECT says so. */
  whenAsked(call: AuthenticationCall): Promise<AuthenticateResult> {
    if (this.#attempt !== null) this.#attempt.isClientAwaited = true;
    return new Promise((answer) => {
      this.#question = { call, answer };
    });
  }

  /** Engine.IO has made the session. */
  opened(engineSocket: EngineSocket): void {
    this.#engineSocket = engineSocket;
    sessions.set(engineSocket, this);
    const sockets = new SessionSockets(engineSocket, this.#context);
    const link = new EngineConnection(engineSocket, {
      ...this.#context.connection,
      readsEvents: this.#context.watchesEvents,
      socket: () => sockets.first,
      close: (code, reason) => {
        sockets.close(code, reason);
      },
    });
    sockets.link = link;
    this.#sockets = sockets;
    this.#link = link;
    engineSocket.once('close', this.gone);
    if (this.#early !== null && this.#early.ticket !== null) this.onDecided(this.#early);
  }

  /** A namespace that is not Mooring's is joined: the session does not count before it joins another. */
  share(): void {
    this.#isShared = true;
    if (this.#manager === null && this.#waiting.length === 0) this.leave();
  }

  /** The middlewares of a namespace have let a socket in. */
  connect(connect: Connect): void {
    if (this.#engineSocket?.readyState !== 'open') {
      connect.next(); // Socket.IO forgets the socket
    } else if (this.#waiting.length + this.#joining.size + this.#retries.size >= maxUnanswered) {
      this.#context.refuser.close(this.#engineSocket);
      connect.next();
    } else if (this.#manager !== null) {
      void this.#joinAnother(connect, this.#manager);
    } else {
      this.#waiting.push(connect);
      if (this.#isHeld || this.#waiting.length > 1) return;
      if (this.#early === null) this.#ask(connect.socket);
      else this.onDecided(this.#early);
    }
  }

  onDecided(admission: Admission): void {
    this.#early = null;
    this.#context.undecided.delete(this);
    if (this.#engineSocket === null) {
      this.#early = admission;
      this.#listener?.onDecided(admission);
    } else if (admission.ticket === null) this.#refuse(this.#engineSocket, admission.refusal);
    else this.#open(admission.ticket, this.#engineSocket);
  }

  onWaiting(pending: PendingAdmission): void {
    if (this.#link !== null) pending.accepted?.(this.#link);
  }

  onDisplaced(rejection: HttpRejection): void {
    if (this.#engineSocket === null) this.#listener?.onRejected(rejection);
    else this.#reject(this.#engineSocket, rejection);
  }

  #ask(socket: Socket): void {
    const { whoIs } = this.#context;
    if (this.#engineSocket !== null && this.#attempt?.isAuthenticating !== true) {
      const rejection = this.arrive();
      if (rejection !== null) this.#reject(this.#engineSocket, rejection);
    }
    const question = this.#question;
    if (whoIs === null || question === null || this.#attempt?.isAuthenticating !== true) return;
    this.#question = null;
    this.#attempt.isClientAwaited = false;
    question.answer(attempted(() => whoIs(socket, question.call)));
  }

  #open(ticket: Ticket, engineSocket: EngineSocket): void {
    if (engineSocket.readyState !== 'open' || this.#link === null) {
      ticket.cancel();
      return;
    }
    const { connection, refusal } = ticket.open(this.#link);
    if (refusal !== null) {
      this.onDecided(refused(refusal));
      return;
    }
    const manager = connection.manager as WebSocketManager<Socket>;
    this.#manager = manager;
    this.#link.bind(connection);
    const [first, ...others] = this.#waiting.splice(0);
    if (first !== undefined) this.#sockets?.join(first);
    for (const connect of others) void this.#joinAnother(connect, manager);
  }

  /** Too many clients, or too many attempts of this one: it is held for the time it would have been told. */
  #reject(engineSocket: EngineSocket, { status, reason, retryAfterMs = 0 }: HttpRejection): void {
    const { mooring, refuser } = this.#context;
    mooring.events.emit('socket.rejected', { status, reason });
    this.#isHeld = true;
    if (this.#waiting.length === 0) refuser.close(engineSocket);
    else refuser.hold(engineSocket, retryAfterMs);
  }

  /** All that wait get the same answer. After a CONNECT_ERROR the client may try again on the same session. */
  #refuse(engineSocket: EngineSocket, refusal: RefusalError): void {
    const { refuser } = this.#context;
    const { retryAfterMs } = toldOf(refusal.close);
    if (this.#waiting.length === 0) {
      this.#early = refused(refusal);
      if (retryAfterMs === null) refuser.close(engineSocket);
    } else if (retryAfterMs !== null && refuser.holds(this.#waiting)) {
      this.#isHeld = true;
      if (this.#isShared) this.#retry(retryAfterMs, this.#askAgain);
      else refuser.hold(engineSocket, retryAfterMs);
    } else {
      for (const { next } of this.#waiting.splice(0)) next(connectError(refusal));
      refuser.endSoon(engineSocket, () => !this.#isShared && this.#manager === null && this.#waiting.length === 0);
    }
  }

  readonly #askAgain = (): void => {
    this.#isHeld = false;
    const [first] = this.#waiting;
    if (first !== undefined) this.#ask(first.socket);
  };

  /** Not by a new session, since other namespaces use this one. */
  #retry(afterMs: number, act: () => void): void {
    const timer = this.#context.mooring.clock.setTimer(() => {
      this.#retries.delete(timer);
      act();
    }, afterMs);
    this.#retries.add(timer);
  }

  /** The same user may join more namespaces. Another user may not, since the first one would pay for it. */
  async #joinAnother(connect: Connect, manager: WebSocketManager<Socket>): Promise<void> {
    const { whoIs, doorway, refuser, mooring } = this.#context;
    if (whoIs === null) {
      this.#sockets?.join(connect);
      return;
    }
    const call = new AbortableCall();
    this.#joining.add(call);
    const { fields, refusal } = await doorway.identify(() => whoIs(connect.socket, call), call);
    this.#joining.delete(call);
    if (this.#engineSocket?.readyState !== 'open') connect.next();
    else if (refusal === null) {
      if (fields.userId === manager.userId) this.#sockets?.join(connect);
      else connect.next(connectError(mooring.refusals.unauthenticated(new AuthenticationError('wrong'))));
    } else {
      const { retryAfterMs } = toldOf(refusal.close);
      if (retryAfterMs === null || !refuser.holds([connect])) connect.next(connectError(refusal));
      else this.#retry(retryAfterMs, () => void this.#joinAnother(connect, manager));
    }
  }

  /** Gives back what it has or waits for, and is not asked any longer. */
  leave(): void {
    this.#context.undecided.delete(this);
    this.#attempt?.leave();
    this.#attempt = null;
    this.#early?.ticket?.cancel();
    this.#question?.answer(null);
    this.#question = null;
    for (const call of this.#joining) call.abort('AbortError', 'The client has gone');
    for (const timer of this.#retries) timer.cancel();
    this.#retries.clear();
  }

  /**
   * The client has gone, or Mooring was detached: those that wait are let in. If the session is closed, Socket.IO
   * forgets them then.
   */
  readonly gone = (): void => {
    this.leave();
    for (const { next } of this.#waiting.splice(0)) next();
  };
}
