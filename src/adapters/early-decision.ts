import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Admission, PendingAdmission } from '../core/admission/outcome.js';
import type { RefusalError } from '../core/errors.js';
import { withResolver } from '../core/promises.js';
import type { Attempt, AttemptListener, HttpRejection } from './attempt.js';

/**
 * What `admitBefore` decided. Whatever it is, the request may be passed to the server: Mooring rejects, refuses, admits or
 * keeps the client waiting there. A framework that prefers to answer by itself finds here what to say.
 */
export type DecisionBefore =
  | { readonly outcome: 'admitted' | 'waiting'; readonly refusal: null; readonly rejection: null }
  | { readonly outcome: 'refused'; readonly refusal: RefusalError; readonly rejection: null }
  | { readonly outcome: 'rejected'; readonly refusal: null; readonly rejection: HttpRejection };

export function rejectedBefore(rejection: HttpRejection): DecisionBefore {
  return { outcome: 'rejected', refusal: null, rejection };
}

/**
 * A decision that is made before the server gets the request. If the server never gets it, its slot is given back when the
 * framework has answered with something else or the socket has closed, else after `ticketMs`. Nobody reads a socket before
 * the handshake, so a client that goes may not be noticed.
 */
export class EarlyDecision implements AttemptListener {
  readonly #attempt: Attempt<IncomingMessage>;
  readonly #request: IncomingMessage;
  readonly #known = withResolver<DecisionBefore>();
  #admission: Admission | null = null;
  #pending: PendingAdmission | null = null;
  #rejection: HttpRejection | null = null;
  #upgrade: AttemptListener | null = null;

  constructor(attempt: Attempt<IncomingMessage>, request: IncomingMessage) {
    this.#attempt = attempt;
    this.#request = request;
    // A framework may inject a request without a socket.
    const socket = request.socket as Socket | undefined;
    socket?.on('error', ignore);
    socket?.once('finish', this.#onOver);
    socket?.once('close', this.#onOver);
  }

  /** Resolves once it is known whether the client is let in. If it goes before, that is `waiting`. */
  get known(): Promise<DecisionBefore> {
    return this.#known.promise;
  }

  get decision(): DecisionBefore {
    const { refusal = null } = this.#admission ?? {};
    if (this.#rejection !== null) return rejectedBefore(this.#rejection);
    if (refusal !== null) return { outcome: 'refused', refusal, rejection: null };
    return { outcome: this.#admission === null ? 'waiting' : 'admitted', refusal: null, rejection: null };
  }

  onDecided(admission: Admission): void {
    this.#admission = admission;
    if (admission.ticket === null) this.#unwatch();
    this.#known.resolve(this.decision);
    this.#upgrade?.onDecided(admission);
  }

  onWaiting(pending: PendingAdmission): void {
    this.#pending = pending;
    this.#known.resolve(this.decision);
  }

  onDisplaced(rejection: HttpRejection): void {
    this.#rejection = rejection;
    this.#unwatch();
    this.#known.resolve(this.decision);
    this.#upgrade?.onDisplaced(rejection);
  }

  /** The server has the request: tells this listener what was decided, and what will be. */
  passTo(upgrade: AttemptListener): void {
    this.#unwatch();
    this.#upgrade = upgrade;
    if (this.#rejection !== null) upgrade.onDisplaced(this.#rejection);
    else if (this.#admission !== null) upgrade.onDecided(this.#admission);
    else if (this.#pending !== null) upgrade.onWaiting(this.#pending);
  }

  get attempt(): Attempt<IncomingMessage> {
    return this.#attempt;
  }

  #unwatch(): void {
    const socket = this.#request.socket as Socket | undefined;
    socket?.off('finish', this.#onOver);
    socket?.off('close', this.#onOver);
  }

  readonly #onOver = (): void => {
    this.#unwatch();
    this.#attempt.leave();
    this.#admission?.ticket?.cancel();
    this.#known.resolve(this.decision);
  };
}

/** Nobody else listens between the request and its upgrade: one reset would end the process. */
function ignore(): void {
  // The socket also emits 'close'.
}
