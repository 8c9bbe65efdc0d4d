import { describe, type EventStream } from '../events.js';
import type { RefusalError } from '../errors.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import { admitted, refused, type Admission, type PendingAdmission } from './admission.js';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from './quota-ledger.js';
import type { Ticket } from './ticket.js';

interface LedgerDeskOptions {
  readonly events: EventStream;
  readonly limits: UserLimits;
  readonly ledger?: QuotaLedger | undefined;
}

/**
 * Has local reservations confirmed by the quota ledger, if there is one. Fails open: without an answer the local limit
 * has decided.
 */
export class LedgerDesk {
  readonly #options: LedgerDeskOptions;
  readonly #claims = new Map<WebSocketManager, QuotaClaim>();
  #claimId = 0;

  constructor(options: LedgerDeskOptions) {
    this.#options = options;
  }

  /** Confirms a fresh reservation, or gives it back. */
  confirm(ticket: Ticket, refusal: () => RefusalError): Admission | PendingAdmission {
    const { ledger, limits } = this.#options;
    if (ledger === undefined) return admitted(ticket);
    const { manager } = ticket;
    const { userId, threadId } = manager;
    const claim = { userId, threadId, claimId: (this.#claimId += 1) };
    this.#claims.set(manager, claim);
    try {
      const answer = ledger.acquire(claim, limits.of(userId));
      if (!isPromise(answer)) return this.#settle(ticket, answer, refusal);
      const settled = answer.then(
        (later) => this.#settle(ticket, later, refusal),
        (error: unknown) => this.#failedOpen(ticket, error),
      );
      return {
        settled,
        cancel: () => {
          ticket.cancel();
        },
      };
    } catch (error) {
      return this.#failedOpen(ticket, error);
    }
  }

  /** Gives a released manager's claim back. */
  released(manager: WebSocketManager): void {
    const claim = this.#claims.get(manager);
    if (claim === undefined || this.#options.ledger === undefined) return;
    this.#claims.delete(manager);
    try {
      const result = this.#options.ledger.release(claim);
      if (isPromise(result))
        result.catch((error: unknown) => {
          this.#report(claim.userId, error);
        });
    } catch (error) {
      this.#report(claim.userId, error);
    }
  }

  #settle(ticket: Ticket, answer: LedgerAnswer, refusal: () => RefusalError): Admission {
    if (ticket.refusal !== null) return refused(ticket.refusal);
    if (answer.granted) return admitted(ticket);
    const why = refusal();
    ticket.cancel();
    return refused(why);
  }

  #failedOpen(ticket: Ticket, error: unknown): Admission {
    this.#report(ticket.manager.userId, error);
    return ticket.refusal === null ? admitted(ticket) : refused(ticket.refusal);
  }

  #report(userId: string, error: unknown): void {
    this.#options.events.emit('ledger.failed', { userId, error: describe(error) });
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}
