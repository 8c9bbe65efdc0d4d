import type { Place, PlaceQueue } from '../admission/queue.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { attempted, isPromise } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import { levelTotals, type Thresholds } from '../pressure/level.js';
import type { Clock, Random } from '../time.js';
import type { LedgerAnswer, LedgerConfig, LedgerStatus, QuotaClaim, QuotaLedger } from './quota-ledger.js';
import { StatusOfLedger } from './ledger-status.js';
import { UnreleasedClaims, type ThreadState } from './unreleased-claims.js';

interface ConfirmationsParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'ticketMs' | 'failOpen'> & LedgerConfig;
  readonly random: Random;
  readonly thresholds: Thresholds;
  readonly registry: ManagerRegistry;
  readonly events: EventStream;
  readonly limits: UserLimits;
  /** Newcomers for which the ledger is asked. Each takes a slot of this process. */
  readonly asking: PlaceQueue;
  readonly ledger: QuotaLedger | undefined;
  readonly lifecycle: Pick<Lifecycle, 'release' | 'mayAskAgain' | 'totalChanged'>;
}

/**
 * For how many milliseconds a denial holds. Then the ledger is asked again for the first of those who wait, since nobody
 * tells when another process gives a slot back.
 */
const denialMs = 500;

/** What becomes of a newcomer that the ledger was asked for. Each is called with the newest newcomer of the thread. */
export interface AnswerListener {
  /** It has the slot; also if the ledger failed, since the local limit decides then. */
  granted(place: Place, claim: HeldClaim): void;
  /** The quota is full, counting all processes. */
  denied(place: Place): void;
  /** Two processes keep taking its thread from each other. */
  contested(place: Place): void;
  /** The ledger cannot be asked, and the local limit does not suffice. */
  unavailable(place: Place): void;
  /** The ledger has not answered within `ticketMs`. */
  unanswered(place: Place): void;
}

/** The claim of a manager. */
export interface HeldClaim {
  readonly claim: QuotaClaim;
  /** Whether the ledger has granted it. */
  readonly isGranted: boolean;
}

/** A newcomer that has a slot of this process, for which the ledger is asked. */
interface Question {
  readonly claim: QuotaClaim;
  readonly listener: AnswerListener;
  place: Place;
  expiry: Expiry<Question> | null;
  isOpen: boolean;
}

/** The quota of a user is full. */
interface Denial {
  /** Since when each process that holds its slots has been heard of, on the clock of this one. */
  readonly heardAtMs: number;
  /** When the ledger may be asked again; `null`: it may. */
  expiry: Expiry<string> | null;
}

/** Numbers the claims of all Moorings in this process, since they may share a ledger. */
let claims = 0;

/**
 * Has the quota ledger confirm slots that were taken in this process, if there is a ledger. A newcomer has no manager until
 * it has answered. Fails open: if the ledger fails, the local limit has decided.
 */
export class Confirmations {
  readonly #parts: ConfirmationsParts;
  readonly #questions = new Map<Place, Question>();
  readonly #expiries: ExpiryQueue<Question>;
  /** By user: the last answer about each whose quota is full, counting all processes. */
  readonly #denials = new Map<string, Denial>();
  readonly #denialExpiries: ExpiryQueue<string>;
  /** By user: the slots in all processes, if that is more than there are in this one. */
  readonly #totals = new Map<string, number>();
  readonly #held = new Map<WebSocketManager, HeldClaim>();
  readonly #unreleased: UnreleasedClaims;
  readonly #status: StatusOfLedger;

  constructor(parts: ConfirmationsParts) {
    this.#parts = parts;
    const { clock, config, events } = parts;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: config.ticketMs,
      onExpired: ({ place, listener }) => {
        if (this.leave(place)) listener.unanswered(place);
      },
    });
    this.#denialExpiries = new ExpiryQueue({
      clock,
      timeoutMs: denialMs,
      onExpired: (userId) => {
        this.#denialOver(userId);
      },
    });
    this.#status = new StatusOfLedger({ clock, config, events });
    this.#unreleased = new UnreleasedClaims({
      clock,
      release: (claim) => parts.ledger?.release(claim),
      stateOf: (claim) => this.#stateOf(claim),
      onLost: ({ userId, threadId }) => {
        events.emit('claim.lost', { userId, threadId, key: isolationKey({ userId, threadId }) });
      },
    });
  }

  /**
   * Tells the ledger whom to call. To be called once, before anything else.
   * @throws what the ledger throws, if it cannot be used
   */
  start(): void {
    const { ledger, lifecycle, clock, random, config, thresholds } = this.#parts;
    ledger?.attach?.({
      clock,
      random,
      config,
      levelsOf: (limit) => levelTotals(limit, thresholds),
      superseded: (claim) => {
        this.#superseded(claim);
      },
      totalChanged: (userId, total) => {
        this.#noteTotal(userId, total);
        this.#denialOver(userId);
        lifecycle.totalChanged(userId);
      },
      stateChanged: (status) => {
        // What other processes hold is not known any longer.
        if (status.state === 'down') this.#totals.clear();
        this.#status.changed(status);
      },
      limitDiffers: (theirs) => {
        this.#status.limitDiffers(theirs);
      },
    });
  }

  /** The state of the ledger, and for how long it has had it; `null` if there is none, or it does not say. */
  get status(): (LedgerStatus & { readonly forMs: number }) | null {
    return this.#status.now;
  }

  /** Whether there is a ledger, so that slots have to be confirmed. */
  get areNeeded(): boolean {
    return this.#parts.ledger !== undefined;
  }

  /**
   * Whether the user's quota was full, counting all processes, when the ledger was last asked. When it may be asked again,
   * that is done for one newcomer at a time.
   */
  isFull(userId: string): boolean {
    const denial = this.#denials.size === 0 ? undefined : this.#denials.get(userId);
    return denial !== undefined && (denial.expiry !== null || this.#parts.asking.sizeOf(userId) > 0);
  }

  /**
   * Whether the quota is full, and one of the processes that hold its slots has not been heard of since then: it may have
   * died, so that a slot is free soon.
   */
  mayBeFreeSoon(userId: string, sinceMs: number): boolean {
    return (this.#denials.get(userId)?.heardAtMs ?? Infinity) < sinceMs;
  }

  /** The user's slots in use in all processes, as far as is known. */
  totalOf(userId: string): number {
    const count = this.#parts.registry.countOf(userId);
    return this.#totals.size === 0 ? count : Math.max(count, this.#totals.get(userId) ?? 0);
  }

  /** Asks for a newcomer that has a slot of this process. The listener is called within this call, or later. */
  ask(place: Place, listener: AnswerListener): void {
    const { ledger, limits, asking } = this.#parts;
    const { userId, threadId } = place.context;
    const claim = { userId, threadId, claimId: (claims += 1) };
    const question: Question = { claim, listener, place, expiry: null, isOpen: true };
    this.#questions.set(place, question);
    asking.put(place);
    try {
      const answer = ledger?.acquire(claim, limits.of(userId));
      if (isPromise(answer)) void this.#await(answer, question);
      else this.#answered(question, answer);
    } catch (error) {
      this.#failed(question, error);
    }
  }

  /** A newer connection of the thread has come: it gets the answer. */
  passOn(former: Place, newer: Place): void {
    const question = this.#questions.get(former);
    if (question === undefined) return;
    this.#questions.delete(former);
    question.place = newer;
    this.#questions.set(newer, question);
    this.#parts.asking.put(newer);
    this.#renewed(question.claim);
  }

  /** The newcomer has gone, or is refused: its claim is given back. @returns whether the ledger was asked for it */
  leave(place: Place): boolean {
    const question = this.#questions.get(place);
    if (question === undefined) return false;
    this.#close(question);
    this.giveBack(question.claim);
    return true;
  }

  /** A manager was made with this claim. It is given back with its release. */
  hold(manager: WebSocketManager, held: HeldClaim): void {
    this.#held.set(manager, held);
  }

  /** The first connection of the manager is open. */
  managerOpened(manager: WebSocketManager): void {
    const held = this.#held.size === 0 ? undefined : this.#held.get(manager);
    if (held === undefined) return;
    try {
      this.#parts.ledger?.opened?.(held.claim);
    } catch (error) {
      this.#report(manager.userId, error);
    }
  }

  /** A newer connection of its thread took over the manager. */
  managerTakenOver(manager: WebSocketManager): void {
    const held = this.#held.size === 0 ? undefined : this.#held.get(manager);
    if (held !== undefined) this.#renewed(held.claim);
  }

  /** Gives back the claim of a released manager. */
  managerReleased(manager: WebSocketManager): void {
    if (this.#held.size === 0) return;
    const held = this.#held.get(manager);
    if (held === undefined) return;
    this.#held.delete(manager);
    this.giveBack(held.claim);
    this.#forgetDenial(manager.userId);
    const total = this.#totals.get(manager.userId);
    if (total !== undefined) this.#noteTotal(manager.userId, total - 1);
  }

  /** Tries a last time to give back claims that the ledger did not take back, and stops it. Leaves no timer. Never rejects. */
  async stop(): Promise<void> {
    this.#unreleased.stop();
    this.#expiries.clear();
    this.#denialExpiries.clear();
    this.#denials.clear();
    this.#totals.clear();
    await attempted(() => this.#parts.ledger?.stop?.()).catch((error: unknown) => {
      this.#report('', error);
    });
  }

  async #await(answer: PromiseLike<LedgerAnswer>, question: Question): Promise<void> {
    question.expiry = this.#expiries.add(question);
    try {
      this.#answered(question, await answer);
    } catch (error) {
      this.#failed(question, error);
    }
  }

  #answered(question: Question, answer: unknown): void {
    if (!isAnswer(answer)) {
      this.#failed(question, new TypeError('the ledger gave no answer'));
      return;
    }
    if (!question.isOpen) {
      // It was given back before: the ledger may have granted it after that.
      if (answer.granted === true || answer.granted === 'unknown') this.giveBack(question.claim);
      return;
    }
    this.#close(question);
    const { place, claim, listener } = question;
    if (answer.granted === 'unknown') this.#undecided(question);
    else if (answer.granted === 'contested') listener.contested(place);
    else {
      this.#forgetDenial(claim.userId);
      if (answer.total !== undefined) this.#noteTotal(claim.userId, answer.total);
      if (answer.granted) listener.granted(place, { claim, isGranted: true });
      else this.#denied(question, answer.silentMs ?? 0);
    }
  }

  #denied({ place, claim: { userId }, listener }: Question, silentMs: number): void {
    const heardAtMs = this.#parts.clock.now() - silentMs;
    this.#denials.set(userId, { heardAtMs, expiry: this.#denialExpiries.add(userId) });
    listener.denied(place);
  }

  /** What failed may have been done all the same. */
  #failed(question: Question, error: unknown): void {
    this.#report(question.claim.userId, error);
    if (!question.isOpen) {
      this.giveBack(question.claim);
      return;
    }
    this.#close(question);
    this.#undecided(question);
  }

  /** The ledger cannot be asked. */
  #undecided({ place, claim, listener }: Question): void {
    if (this.#parts.config.failOpen) {
      listener.granted(place, { claim, isGranted: false });
      return;
    }
    this.giveBack(claim);
    listener.unavailable(place);
  }

  #superseded(claim: QuotaClaim): void {
    const manager = this.#parts.registry.get(claim);
    if (manager === undefined || this.#held.get(manager)?.claim.claimId !== claim.claimId) return;
    this.#parts.lifecycle.release(manager, 'moved');
  }

  /** The ledger may be asked again for whoever waits. */
  #denialOver(userId: string): void {
    const denial = this.#denials.get(userId);
    if (denial === undefined) return;
    const { asking, lifecycle } = this.#parts;
    if (denial.expiry !== null) this.#denialExpiries.delete(denial.expiry);
    denial.expiry = null;
    lifecycle.mayAskAgain(userId);
    if (this.#denials.get(userId) === denial && asking.sizeOf(userId) === 0) this.#denials.delete(userId);
  }

  #forgetDenial(userId: string): void {
    const expiry = this.#denials.get(userId)?.expiry ?? null;
    if (expiry !== null) this.#denialExpiries.delete(expiry);
    this.#denials.delete(userId);
  }

  /** Kept only if it is more than the count of this process, which may change meanwhile. */
  #noteTotal(userId: string, total: number): void {
    const count = this.#parts.registry.countOf(userId);
    if (count > 0 && total > count) this.#totals.set(userId, total);
    else this.#totals.delete(userId);
  }

  #close(question: Question): void {
    question.isOpen = false;
    this.#questions.delete(question.place);
    this.#parts.asking.remove(question.place);
    if (question.expiry !== null) this.#expiries.delete(question.expiry);
  }

  /** Gives back a claim that no manager has. If that fails, it is tried again. */
  giveBack(claim: QuotaClaim): void {
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

  #renewed(claim: QuotaClaim): void {
    try {
      this.#parts.ledger?.renewed?.(claim);
    } catch (error) {
      this.#report(claim.userId, error);
    }
  }

  #stateOf(claim: QuotaClaim): ThreadState {
    const manager = this.#parts.registry.get(claim);
    const held = manager === undefined ? undefined : this.#held.get(manager);
    if (held?.isGranted === true) return 'takenOver';
    const isAsked = this.#parts.asking.placeOf(claim.userId, isolationKey(claim)) !== undefined;
    return manager === undefined && !isAsked ? 'free' : 'claimed';
  }

  #report(userId: string, error: unknown): void {
    this.#parts.events.emit('ledger.failed', { userId, error: describe(error) });
  }
}

const answers: readonly unknown[] = [true, false, 'contested', 'unknown'] satisfies LedgerAnswer['granted'][];

/** Checks the answer, since a ledger may be an application's own code. */
function isAnswer(value: unknown): value is LedgerAnswer {
  return typeof value === 'object' && value !== null && 'granted' in value && answers.includes(value.granted);
}
