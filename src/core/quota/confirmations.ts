import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { Clock } from '../time.js';
import { admitted, refused, type Admission, type PendingAdmission } from '../admission/outcome.js';
import type { LedgerAnswer, QuotaClaim, QuotaLedger } from './quota-ledger.js';
import type { Ticket } from '../admission/ticket.js';
import { UnreleasedClaims, type ThreadState } from './unreleased-claims.js';
import { describe } from '../errors.js';

interface LedgerConfirmationsParts {
  readonly clock: Clock;
  readonly registry: ManagerRegistry;
  readonly events: EventStream;
  readonly limits: UserLimits;
  readonly ledger?: QuotaLedger | undefined;
}

/** What follows from a denial. */
type Denied = (manager: WebSocketManager) => void;

/** Distinguishes claims of all Moorings in this process, which may share a ledger. */
let claims = 0;

/** A claim the ledger knows of; `answered` while its answer is awaited. */
interface Asked {
  readonly claim: QuotaClaim;
  answered: Promise<unknown> | null;
  isGranted: boolean;
}

/**
 * Has local reservations confirmed by the quota ledger, if there is one. Fails open: without an answer the local limit
 * has decided.
 */
export class LedgerConfirmations {
  readonly #parts: LedgerConfirmationsParts;
  readonly #asked = new Map<WebSocketManager, Asked>();
  readonly #unreleased: UnreleasedClaims;

  constructor(parts: LedgerConfirmationsParts) {
    this.#parts = parts;
    const { clock, ledger, events } = parts;
    this.#unreleased = new UnreleasedClaims({
      clock,
      release: (claim) => ledger?.release(claim),
      stateOf: (claim) => this.#stateOf(claim),
      whenLost: ({ userId, threadId }) => {
        events.emit('claim.lost', { userId, threadId, key: isolationKey({ userId, threadId }) });
      },
    });
  }

  /**
   * Asks for a fresh reservation.
   * @param denied called if the user's quota is full elsewhere, now or later; it decides what becomes of the ticket
   */
  confirm(ticket: Ticket, denied: Denied): Admission | PendingAdmission {
    const { ledger, limits } = this.#parts;
    if (ledger === undefined) return admitted(ticket);
    const { manager } = ticket;
    const { userId, threadId } = manager;
    const claim = { userId, threadId, claimId: (claims += 1) };
    const asked: Asked = { claim, answered: null, isGranted: false };
    this.#asked.set(manager, asked);
    try {
      const answer = ledger.acquire(claim, limits.of(userId));
      if (isPromise(answer)) asked.answered = this.#await(answer, { manager, asked, denied });
      else this.#settle(manager, answer, denied);
    } catch (error) {
      this.#report(userId, error);
    }
    return this.whenConfirmed(ticket);
  }

  /** A ticket of a manager whose reservation may still have to be confirmed. It ends waiting when the ticket ends. */
  whenConfirmed(ticket: Ticket): Admission | PendingAdmission {
    if (ticket.refusal !== null) return refused(ticket.refusal);
    const answered = this.#asked.get(ticket.manager)?.answered ?? null;
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

  /** Gives a released manager's claim back. */
  released(manager: WebSocketManager): void {
    if (this.#asked.size === 0) return;
    const asked = this.#asked.get(manager);
    if (asked === undefined) return;
    this.#asked.delete(manager);
    this.#giveBack(asked.claim);
  }

  /** Tries a last time for what the ledger would not take back, and leaves no timer. */
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
    return this.#asked.get(manager)?.isGranted === true ? 'takenOver' : 'claimed';
  }

  async #await(
    answer: PromiseLike<LedgerAnswer>,
    { manager, asked, denied }: { manager: WebSocketManager; asked: Asked; denied: Denied },
  ): Promise<void> {
    try {
      const later = await answer;
      asked.answered = null;
      if (!manager.isReleased) this.#settle(manager, later, denied);
      else if (isAnswer(later) && later.granted) this.#giveBack(asked.claim); // it may have come after the release
    } catch (error) {
      asked.answered = null;
      this.#report(manager.userId, error);
    }
  }

  #settle(manager: WebSocketManager, answer: LedgerAnswer, denied: Denied): void {
    if (!isAnswer(answer)) throw new TypeError('the ledger gave no answer');
    const asked = this.#asked.get(manager);
    if (asked !== undefined) asked.isGranted = answer.granted;
    if (!answer.granted) denied(manager);
  }

  #report(userId: string, error: unknown): void {
    this.#parts.events.emit('ledger.failed', { userId, error: describe(error) });
  }
}

/** Ledgers are other people's code. */
function isAnswer(value: unknown): value is LedgerAnswer {
  return typeof value === 'object' && value !== null && 'granted' in value && typeof value.granted === 'boolean';
}
