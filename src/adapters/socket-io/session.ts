import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io';
import { refused, type Admission, type PendingAdmission } from '../../core/admission/outcome.js';
import type { Ticket } from '../../core/admission/ticket.js';
import { AuthenticationError, type RefusalError } from '../../core/errors.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Mooring } from '../../core/mooring.js';
import { Attempt, type AttemptListener, type HttpRejection } from '../attempt.js';
import { AbortableCall, type AuthenticationCall } from '../authentication-call.js';
import type { AuthenticateResult, Doorway } from '../doorway.js';
import { EngineConnection, type EngineConnectionParts } from './engine-connection.js';
import type { EngineSocket } from './engine.js';
import type { Connect, Refuser } from './refuser.js';
import { connectError, toldOf } from './told.js';

/** Who the socket of a CONNECT is. */
export type WhoIs = (socket: Socket, call: AuthenticationCall) => AuthenticateResult | Promise<AuthenticateResult>;

/** What the sessions of one server share. */
export interface SessionContext {
  readonly mooring: Mooring;
  readonly doorway: Doorway<Session>;
  readonly refuser: Refuser;
  /** `null` if the request that began the session has said who it is. */
  readonly whoIs: WhoIs | null;
  /** The event before a close; `null`: none. */
  readonly announcement: string | null;
  /** Whether `socket.emit` goes the way of broadcasts, as with connection state recovery. */
  readonly isEmitBroadcast: boolean;
  readonly connection: Pick<EngineConnectionParts, 'filter' | 'countBroadcasts' | 'maxUnsentBytes'>;
}

/** How many CONNECTs of one session may wait for an answer. */
const maxWaiting = 100;

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
  readonly #whenEarly: (admission: Admission) => void;
  #engineSocket: EngineSocket | null = null;
  #link: EngineConnection | null = null;
  #attempt: Attempt<Session> | null = null;
  #call: AuthenticationCall = new AbortableCall();
  #answer: (fields: AuthenticateResult | Promise<AuthenticateResult>) => void = () => undefined;
  /** A decision that came before the session, or before its first CONNECT. */
  #early: Admission | null = null;
  #manager: WebSocketManager<Socket> | null = null;
  /** CONNECTs without an answer: they wait for the decision, or are held. */
  #waiting: Connect[] = [];
  #isHeld = false;
  /** Whether it has joined a namespace that is not Mooring's. */
  #isPassed = false;
  readonly #sockets = new Set<Socket>();

  constructor(
    context: SessionContext,
    readonly request: IncomingMessage | null,
    /** Called with a decision that comes before Engine.IO has made the session. */
    whenEarly: (admission: Admission) => void = () => undefined,
  ) {
    this.#context = context;
    this.#whenEarly = whenEarly;
  }

  /** `undefined` before it is admitted. */
  get manager(): WebSocketManager<Socket> | undefined {
    return this.#manager ?? undefined;
  }

  /** The steps of the doorway; `authenticate` gets its answer from {@link whenAsked}. @returns why it is rejected, or `null` */
  arrive(): HttpRejection | null {
    const { doorway } = this.#context;
    const attempt = doorway.arrive(this, this.request ?? { headers: {} });
    if (!(attempt instanceof Attempt)) return attempt;
    this.#attempt = attempt;
    if (this.#engineSocket === null) this.request?.socket.once('close', this.#closed);
    doorway.authenticateAndAdmit(attempt, this);
    return null;
  }

  /** Who the client is, once its first CONNECT says so. */
  whenAsked(call: AuthenticationCall): Promise<AuthenticateResult> {
    this.#call = call;
    if (this.#attempt !== null) this.#attempt.isClientAwaited = true;
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** Engine.IO has made the session. */
  opened(engineSocket: EngineSocket): void {
    this.#engineSocket = engineSocket;
    this.request?.socket.off('close', this.#closed);
    sessions.set(engineSocket, this);
    this.#link = new EngineConnection(engineSocket, {
      ...this.#context.connection,
      socket: () => this.#sockets.values().next().value,
      close: (code, reason) => {
        this.#close(code, reason);
      },
    });
    engineSocket.once('close', this.#closed);
    if (this.#early !== null) this.onDecided(this.#early);
  }

  /** A namespace that is not Mooring's is joined: the session does not count before it joins another. */
  pass(): void {
    this.#isPassed = true;
    if (this.#attempt?.isAuthenticating === true && this.#waiting.length === 0) this.#leave();
  }

  /** The middlewares of a namespace have let a socket in. */
  connect(connect: Connect): void {
    if (this.#manager !== null) {
      void this.#joinAnother(connect, this.#manager);
      return;
    }
    if (this.#waiting.length >= maxWaiting) {
      this.#end();
      return;
    }
    this.#waiting.push(connect);
    if (this.#isHeld || this.#waiting.length > 1) return;
    if (this.#early !== null) this.onDecided(this.#early);
    else this.#ask(connect.socket);
  }

  onDecided(admission: Admission): void {
    this.#early = null;
    const { ticket, refusal } = admission;
    if (this.#engineSocket === null) {
      this.#early = admission;
      this.#whenEarly(admission);
    } else if (ticket === null) this.#refuse(this.#engineSocket, refusal);
    else if (this.#engineSocket.readyState === 'open') this.#open(ticket);
    else ticket.cancel();
  }

  onWaiting(pending: PendingAdmission): void {
    if (this.#link !== null) pending.accepted?.(this.#link);
  }

  onDisplaced(): void {
    this.#end();
  }

  #ask(socket: Socket): void {
    const { whoIs } = this.#context;
    if (this.#attempt?.isAuthenticating !== true && this.arrive() !== null) {
      this.#end();
      return;
    }
    if (whoIs === null || this.#attempt === null) return;
    this.#attempt.isClientAwaited = false;
    this.#answer(called(() => whoIs(socket, this.#call)));
  }

  #open(ticket: Ticket): void {
    if (this.#link === null) return;
    const { connection, refusal } = ticket.open(this.#link);
    if (refusal !== null) {
      this.onDecided(refused(refusal));
      return;
    }
    const manager = connection.manager as WebSocketManager<Socket>;
    this.#manager = manager;
    this.#link.bind(connection);
    const [first, ...others] = this.#waiting.splice(0);
    if (first !== undefined) this.#join(first);
    for (const connect of others) void this.#joinAnother(connect, manager);
  }

  /** All that wait get the same answer. After a CONNECT_ERROR the client may try again on the same session. */
  #refuse(engineSocket: EngineSocket, refusal: RefusalError): void {
    const { refuser } = this.#context;
    const { retryAfterMs } = toldOf(refusal.close);
    if (this.#waiting.length === 0) {
      this.#early = refused(refusal);
      if (retryAfterMs === null) this.#end();
    } else if (retryAfterMs !== null && refuser.holds(this.#waiting)) {
      this.#isHeld = true;
      refuser.hold(engineSocket, retryAfterMs);
    } else {
      for (const { next } of this.#waiting.splice(0)) next(connectError(refusal));
      refuser.endSoon(engineSocket, () => !this.#isPassed && this.#manager === null && this.#waiting.length === 0);
    }
  }

  #join({ socket, next }: Connect): void {
    this.#sockets.add(socket);
    socket.once('disconnect', () => {
      this.#sockets.delete(socket);
      this.#link?.closingBegan();
    });
    if (this.#context.isEmitBroadcast) this.#reportEmits(socket);
    next();
  }

  /** The same user may join more namespaces. Another user may not, since the first one would pay for it. */
  async #joinAnother(connect: Connect, manager: WebSocketManager<Socket>): Promise<void> {
    const { whoIs, doorway } = this.#context;
    if (whoIs === null) {
      this.#join(connect);
      return;
    }
    const { fields, refusal } = await doorway.identify((call) => whoIs(connect.socket, call));
    if (refusal !== null) connect.next(connectError(refusal));
    else if (fields.userId === manager.userId) this.#join(connect);
    else connect.next(connectError(this.#context.mooring.refusals.unauthenticated(new AuthenticationError('wrong'))));
  }

  #reportEmits(socket: Socket): void {
    const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
    socket.emit = (event: string, ...args: unknown[]) => {
      this.#link?.emitted(event, args);
      return emit(event, ...args);
    };
  }

  /** A client that should not come back by itself is disconnected from its namespaces; another one loses its session. */
  #close(code: number, reason: string): void {
    const { announcement } = this.#context;
    const told = toldOf({ code, reason });
    if (announcement !== null) for (const socket of this.#sockets) socket.emit(announcement, told);
    const [any] = this.#sockets;
    if (told.retryAfterMs === null && any !== undefined) any.disconnect(true);
    else this.#engineSocket?.close();
  }

  #end(): void {
    if (this.#engineSocket !== null) this.#context.refuser.close(this.#engineSocket);
  }

  /** Gives back what it has or waits for. */
  #leave(): void {
    this.#attempt?.leave();
    this.#attempt = null;
    this.#early?.ticket?.cancel();
    this.#answer(null);
  }

  /** Socket.IO forgets the sockets that wait when they are let in and the session is closed. */
  readonly #closed = (): void => {
    this.#leave();
    for (const { next } of this.#waiting.splice(0)) next();
  };
}

/** What the function returns, or the error that it throws, as a promise. */
function called<T>(act: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    resolve(act());
  });
}
