import type { IncomingMessage } from 'node:http';
import type { Admission, PendingAdmission } from '../core/admission/outcome.js';
import type { RefusalError } from '../core/errors.js';
import type { Attempt, AttemptListener, HttpRejection } from './attempt.js';

/**
 * What `admitBefore` decided. Whatever it is, the request may be passed to the server: Mooring rejects, refuses, admits or
 * keeps the client waiting there. A framework that prefers to answer by itself finds here what to say.
 */
export type DecisionBefore =
  | { readonly outcome: 'admitted' | 'waiting'; readonly refusal: null; readonly rejection: null }
  | { readonly outcome: 'refused'; readonly refusal: RefusalError; readonly rejection: null }
  | { readonly outcome: 'rejected'; readonly refusal: null; readonly rejection: HttpRejection };

/**
 * A decision that was made before the server gets the request. If the server never gets it, its slot is given
 * back after `ticketMs`, or when its socket closes: nobody reads a socket before the handshake, so that may not be noticed.
 */
export class EarlyDecision implements AttemptListener {
  readonly #attempt: Attempt<IncomingMessage>;
  readonly #request: IncomingMessage;
  #admission: Admission | null = null;
  #pending: PendingAdmission | null = null;
  #upgrade: AttemptListener | null = null;

  constructor(attempt: Attempt<IncomingMessage>, request: IncomingMessage) {
    this.#attempt = attempt;
    this.#request = request;
    request.socket.once('close', this.#onClosed);
  }

  get decision(): DecisionBefore {
    const refusal = this.#admission?.refusal ?? null;
    if (refusal !== null) return { outcome: 'refused', refusal, rejection: null };
    return { outcome: this.#admission === null ? 'waiting' : 'admitted', refusal: null, rejection: null };
  }

  onDecided(admission: Admission): void {
    this.#admission = admission;
    this.#upgrade?.onDecided(admission);
  }

  onWaiting(pending: PendingAdmission): void {
    this.#pending = pending;
  }

  onDisplaced(): void {
    // It counts as unauthenticated for no time.
  }

  /** The server has the request: tells this listener what was decided, and what will be. */
  passTo(makeUpgrade: (attempt: Attempt<IncomingMessage>) => AttemptListener): void {
    this.#request.socket.off('close', this.#onClosed);
    const upgrade = makeUpgrade(this.#attempt);
    this.#upgrade = upgrade;
    if (this.#admission !== null) upgrade.onDecided(this.#admission);
    else if (this.#pending !== null) upgrade.onWaiting(this.#pending);
  }

  readonly #onClosed = (): void => {
    this.#attempt.leave();
    this.#admission?.ticket?.cancel();
  };
}
