import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Admission, PendingAdmission, WaitingPeer } from '../core/admission/outcome.js';
import type { RefusalError } from '../core/errors.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Mooring } from '../core/mooring.js';
import { withResolver } from '../core/promises.js';
import type { Attempt, AttemptListener } from './attempt.js';
import type { MooredSocket } from './moored-web-socket.js';
import type { RefusalSender } from './refusal-sender.js';
import { WsConnection } from './ws-connection.js';

/** What `admit` resolves with. A refused socket is closed already. */
export type SocketAdmission<Data = unknown> =
  | { readonly manager: WebSocketManager<WebSocket, Data>; readonly refusal: null }
  | { readonly manager: null; readonly refusal: RefusalError };

/** How many bytes are read from a client before it is admitted; then reading pauses. Enough for a token. */
const maxBytesBefore = 65_536;

interface LateAdmissionParts {
  readonly mooring: Mooring;
  readonly refusalSender: RefusalSender;
  readonly socket: MooredSocket;
  readonly stream: Duplex;
  readonly attempt: Attempt<IncomingMessage>;
}

const unadmitted = new WeakMap<WebSocket, LateAdmission>();

/** The admission of a socket that is still to come, or has come; `undefined` for other sockets. */
export function lateAdmissionOf(socket: WebSocket): LateAdmission | undefined {
  return unadmitted.get(socket);
}

/**
 * A socket that the application has before it is admitted, as its first message says who it is. Until the application
 * says so, it counts as unauthenticated, and has `authenticateTimeoutMs`. Its pings and messages reach the application.
 */
export class LateAdmission implements AttemptListener, WaitingPeer {
  /** The answer of `authenticate` for this client: it comes with {@link admit}. */
  readonly fields: Promise<ContextFields | null | undefined>;
  readonly #parts: LateAdmissionParts;
  readonly #answer: (fields: ContextFields | null | undefined) => void;
  readonly #result = withResolver<SocketAdmission>();
  readonly #bytesBefore: number;
  #isPausedHere = false;
  #isAsked = false;
  #isOver = false;

  constructor(parts: LateAdmissionParts) {
    this.#parts = parts;
    const { promise, resolve } = withResolver<ContextFields | null | undefined>();
    this.fields = promise;
    this.#answer = resolve;
    const { socket, stream, attempt } = parts;
    attempt.isClientAwaited = true;
    unadmitted.set(socket, this);
    this.#bytesBefore = this.bytesReceived;
    stream.once('close', this.#onClosed);
    stream.on('data', this.#read);
  }

  /** The application knows who it is. @throws TypeError if it said so before */
  admit(fields: ContextFields | null | undefined): Promise<SocketAdmission> {
    if (this.#isAsked) throw new TypeError('admit: it was called for this socket already');
    this.#isAsked = true;
    this.#answer(fields);
    return this.#result.promise;
  }

  onDecided({ ticket, refusal }: Admission): void {
    const { socket, stream } = this.#parts;
    this.#unwatch();
    if (ticket === null) {
      this.#refuse(refusal);
      return;
    }
    const opening = ticket.open(new WsConnection(socket, stream));
    if (opening.refusal !== null) {
      this.#refuse(opening.refusal);
      return;
    }
    this.#isOver = true;
    socket.bindConnection(opening.connection, stream);
    this.#resume();
    this.#result.resolve({ manager: opening.connection.manager as WebSocketManager<WebSocket>, refusal: null });
  }

  onWaiting(pending: PendingAdmission): void {
    pending.accepted?.(this);
  }

  onDisplaced(): void {
    this.#unwatch();
    this.#refuse(this.#parts.mooring.refusals.crowded());
  }

  get bytesReceived(): number {
    return (this.#parts.stream as { readonly bytesRead?: number }).bytesRead ?? 0;
  }

  ping(payload: string): void {
    this.#parts.socket.pingQuietly(payload);
  }

  #refuse(refusal: RefusalError): void {
    this.#isOver = true;
    const { refusalSender, socket, stream, attempt } = this.#parts;
    muteMessages(socket);
    this.#resume();
    refusalSender.refuseOpen({ socket, stream }, refusal, attempt);
    this.#result.resolve({ manager: null, refusal });
  }

  readonly #onClosed = (): void => {
    this.#unwatch();
    this.#parts.attempt.leave();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#result.resolve({ manager: null, refusal: this.#parts.mooring.refusals.cancelled() });
  };

  readonly #read = (): void => {
    if (this.#isPausedHere || this.bytesReceived - this.#bytesBefore <= maxBytesBefore) return;
    this.#isPausedHere = true;
    this.#parts.socket.pause();
  };

  #resume(): void {
    if (this.#isPausedHere) this.#parts.socket.resume();
    this.#isPausedHere = false;
  }

  #unwatch(): void {
    this.#parts.stream.off('data', this.#read);
    this.#parts.stream.off('close', this.#onClosed);
  }
}

/** The application gets no more messages of a socket that was refused and is about to close. */
function muteMessages(socket: MooredSocket): void {
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => event === 'message' || emit(event, ...args);
}
