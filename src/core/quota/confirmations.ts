import { admitted, refused, type Admission, type PendingAdmission } from '../admission/outcome.js';
import type { Ticket } from '../admission/ticket.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { isPromise } from '../promises.js';
import type { Clock } from '../time.js';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from './quota-ledger.js';
import { UnreleasedClaims, type ThreadState } from './unreleased-claims.js';

interface LedgerConfirmationsParts {
  readonly clock: Clock;
  readonly registry: ManagerRegistry;
  readonly events: EventStream;
  readonly limits: UserLimits;
  readonly ledger: QuotaLedger | undefined;
}

/** Called with a manager whose claim the ledger denied. */
type OnDenied = (manager: WebSocketManager) => void;

/** Numbers the claims of all Moorings in this process, since they may share a ledger. */
let claims = 0;

/** A claim that the ledger was given. */
interface MadeClaim {
  readonly claim: QuotaClaim;
  readonly onDenied: OnDenied;
  /** Resolves with the ledger's answer; `null` if none is awaited. */
  answered: Promise<unknown> | null;
  isGranted: boolean;
}

/**
 * Has local reservations confirmed by the quota ledger, if there is one. Fails open: without an answer the local limit
 * has decided.
 */
export class LedgerConfirmations {
  readonly #parts: LedgerConfirmationsParts;
  readonly #claims = new Map<WebSocketManager, MadeClaim>();
  readonly #unreleased: UnreleasedClaims;

  constructor(parts: LedgerConfirmationsParts) {
    this.#parts = parts;
    const { clock, ledger, events } = parts;
    this.#unreleased = new UnreleasedClaims({
      clock,
      release: (claim) => ledger?.release(claim),
      stateOf: (claim) => this.#stateOf(claim),
      onLost: ({ userId, threadId }) => {
        events.emit('claim.lost', { userId, threadId, key: isolationKey({ userId, threadId }) });
      },
    });
  }

  /**
   * Has a new reservation confirmed.
   * @param onDenied called if the ledger denies it, now or later; it must refuse the ticket
   */
  confirm(ticket: Ticket, onDenied: OnDenied): Admission | PendingAdmission {
    const { ledger, limits } = this.#parts;
    if (ledger === undefined) return admitted(ticket);
    const { manager } = ticket;
    const { userId, threadId } = manager;
    const claim = { userId, threadId, claimId: (claims += 1) };
    const made: MadeClaim = { claim, onDenied, answered: null, isGranted: false };
    this.#claims.set(manager, made);
    try {
      const answer = ledger.acquire(claim, limits.of(userId));
      if (isPromise(answer)) made.answered = this.#await(answer, manager, made);
      else this.#settle(answer, manager, made);
    } catch (error) {
      this.#report(userId, error);
    }
    return this.whenConfirmed(ticket);
  }

  /** The admission of a ticket: pending until the reservation of its manager is confirmed, or the ticket ends. */
  whenConfirmed(ticket: Ticket): Admission | PendingAdmission {
    if (ticket.refusal !== null) return refused(ticket.refusal);
    const answered = this.#claims.get(ticket.manager)?.answered ?? null;
    if (answered === null) return admitted(ticket);
    const settled = new Promise<Admission>((resolve) => {
      ticket.whenEnded = (refusal) => {
        resolve(refused(refusal));
      };
      void answered.then(() => {
        ticket.whenEnded = null;
        resolve(ticket.refusal === null ? admitted(ticket) : refused(ticket.refusal));
      });
    });
    return {
      settled,
      cancel: () => {
        ticket.cancel();
      },
    };
  }

  /** Gives back the claim of a released manager. */
  managerReleased(manager: WebSocketManager): void {
    if (this.#claims.size === 0) return;
    const made = this.#claims.get(manager);
    if (made === undefined) return;
    this.#claims.delete(manager);
    this.#giveBack(made.claim);
  }

  /** Tries a last time to give back claims that the ledger did not take back. Leaves no timer. */
  stop(): void {
    this.#unreleased.stop();
  }

  #giveBack(claim: QuotaClaim): void {
    const failed = (error: unknown): void => {
      this.#report(claim.userId, error);
      this.#unreleased.add(claim);
    };
    try {
      const result = this.#parts.ledger?.release(claim);
      if (isPromise(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #stateOf(claim: QuotaClaim): ThreadState {
    const manager = this.#parts.registry.get(claim);
    if (manager === undefined) return 'free';
    return this.#claims.get(manager)?.isGranted === true ? 'takenOver' : 'claimed';
  }

  async #await(answer: PromiseLike<LedgerAnswer>, manager: WebSocketManager, made: MadeClaim): Promise<void> {
    try {
      const settled = await answer;
      made.answered = null;
      if (!manager.isReleased) this.#settle(settled, manager, made);
      // The ledger may have granted the claim after it was given back: it is given back once more.
      else if (isAnswer(settled) && settled.granted) this.#giveBack(made.claim);
    } catch (error) {
      made.answered = null;
      this.#report(manager.userId, error);
    }
  }

  #settle(answer: LedgerAnswer, manager: WebSocketManager, made: MadeClaim): void {
    if (!isAnswer(answer)) throw new TypeError('the ledger gave no answer');
    made.isGranted = answer.granted;
    if (!answer.granted) made.onDenied(manager);
  }

  #report(userId: string, error: unknown): void {
    this.#parts.events.emit('ledger.failed', { userId, error: describe(error) });
  }
}

/** Checks the answer, since a ledger may be an application's own code. */
function isAnswer(value: unknown): value is LedgerAnswer {
  return typeof value === 'object' && value !== null && 'granted' in value && typeof value.granted === 'boolean';
}
