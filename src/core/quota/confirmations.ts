import type { AnswerListener, Confirmation, QuotaPort } from '../admission/quota-port.js';
import type { Place, PlaceQueue } from '../admission/queue.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { ExpiryQueue, type Expiry } from '../expiry-queue.js';
import { isolationKey } from '../identity/isolation-key.js';
import type { Lifecycle } from '../managers/lifecycle.js';
import type { UserLimits } from '../managers/limits.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import { attempted, isPromise, withResolver } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Random } from '../time.js';
import { Denials } from './denials.js';
import type { LedgerAnswer, LedgerConfig, LedgerStatus, QuotaClaim, QuotaLedger } from './quota-ledger.js';
import { StatusOfLedger } from './ledger-status.js';
import { UnreleasedClaims, type ThreadState } from './unreleased-claims.js';

interface ConfirmationsParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'ticketMs' | 'failOpen' | 'hookTimeoutMs'> & LedgerConfig;
  readonly random: Random;
  /** The totals at which the level of a user with this limit changes. */
  readonly levelsOf: (limit: number) => readonly number[];
  readonly registry: ManagerRegistry;
  readonly events: EventStream;
  readonly limits: UserLimits;
  /** Newcomers for which the ledger is asked. Each takes a slot of this process. */
  readonly asking: PlaceQueue;
  readonly ledger: QuotaLedger | undefined;
  readonly lifecycle: Pick<Lifecycle, 'release' | 'mayAskAgain' | 'totalChanged'>;
}

/** A newcomer that has a slot of this process, for which the ledger is asked. */
interface Question {
  readonly claim: QuotaClaim;
  readonly listener: AnswerListener;
  place: Place;
  expiry: Expiry<Question> | null;
  isOpen: boolean;
}

/** Numbers the claims of all Moorings in this process, since they may share a ledger. */
let claims = 0;

/**
 * Has the quota ledger confirm slots that were taken in this process, if there is a ledger. A newcomer has no manager until
 * it has answered. If the ledger fails, the local limit decides, or with
 * `failOpen: false` the newcomer is refused.
 */
export class Confirmations implements QuotaPort {
  readonly #parts: ConfirmationsParts;
  readonly #questions = new Map<Place, Question>();
  readonly #expiries: ExpiryQueue<Question>;
  readonly #denials: Denials;
  /** By user: the slots in all processes, if that is more than there are in this one. */
  readonly #totals = new Map<string, number>();
  readonly #held = new Map<WebSocketManager, Confirmation>();
  readonly #unreleased: UnreleasedClaims;
  readonly #status: StatusOfLedger;

  constructor(parts: ConfirmationsParts) {
    this.#parts = parts;
    const { clock, config, events } = parts;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: config.ticketMs,
      onExpired: ({ place, listener }) => {
        if (this.leave(place)) listener.refused(place, 'expired');
      },
    });
    this.#denials = new Denials(
      clock,
      (userId) => {
        parts.lifecycle.mayAskAgain(userId);
      },
      (userId) => parts.asking.sizeOf(userId) > 0,
    );
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
    const { ledger, lifecycle, clock, random, config, levelsOf } = this.#parts;
    ledger?.attach?.({
      clock,
      random,
      config,
      levelsOf,
      superseded: (claim) => {
        this.#superseded(claim);
      },
      totalChanged: (userId, total) => {
        this.#noteTotal(userId, total);
        this.#denials.end(userId);
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
    return this.#denials.has(userId);
  }

  /**
   * Whether the quota is full, and one of the processes that hold its slots has not said since then that it is alive: it
   * may have died, so that a slot is free soon.
   */
  mayBeFreeSoon(userId: string, sinceMs: number): boolean {
    return this.#denials.oldestBeatAtMs(userId) < sinceMs;
  }

  /** If the ledger said a while ago that the quota is full, it is asked again now, for the first newcomer in line. */
  askAgain(userId: string): void {
    if (this.#denials.isOld(userId)) this.#denials.end(userId);
  }

  /** The user's slots in use in all processes, as far as is known. */
  totalOf(userId: string): number {
    const count = this.#parts.registry.countOf(userId);
    return this.#totals.size === 0 ? count : Math.max(count, this.#totals.get(userId) ?? 0);
  }

  ask(place: Place, listener: AnswerListener): void {
    const { ledger, limits, asking } = this.#parts;
    const { userId, threadId } = place.context;
    const claim = { userId, threadId, claimId: (claims += 1) };
    const question: Question = { claim, listener, place, expiry: null, isOpen: true };
    this.#questions.set(place, question);
    asking.put(place);
    place.isAsked = true;
    try {
      const answer = ledger?.acquire(claim, limits.of(userId));
      if (isPromise(answer)) void this.#await(answer, question);
      else this.#answered(question, answer);
    } catch (error) {
      this.#failed(question, error);
    }
  }

  passOn(former: Place, newer: Place): void {
    const question = this.#questions.get(former);
    if (question === undefined) return;
    this.#questions.delete(former);
    question.place = newer;
    this.#questions.set(newer, question);
    this.#parts.asking.put(newer);
    newer.isAsked = true;
    this.#renewed(question.claim);
  }

  leave(place: Place): boolean {
    const question = this.#questions.get(place);
    if (question === undefined) return false;
    this.#close(question);
    this.#release(question.claim);
    return true;
  }

  hold(manager: WebSocketManager, confirmation: Confirmation): void {
    this.#held.set(manager, confirmation);
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
    this.#release(held.claim);
    this.#denials.forget(manager.userId);
    const total = this.#totals.get(manager.userId);
    if (total !== undefined) this.#noteTotal(manager.userId, total - 1);
  }

  /** Tries a last time to give back claims that the ledger did not take back, and stops it. Leaves no timer. Never rejects. */
  async stop(): Promise<void> {
    this.#unreleased.stop();
    this.#expiries.clear();
    this.#denials.clear();
    this.#totals.clear();
    await this.#stopLedger();
  }

  /** Waits for it no longer than for a hook. */
  async #stopLedger(): Promise<void> {
    const { ledger, clock, config } = this.#parts;
    if (ledger?.stop === undefined) return;
    const { promise, resolve } = withResolver<undefined>();
    const timer = clock.setTimer(() => {
      resolve(undefined);
    }, config.hookTimeoutMs);
    await Promise.race([attempted(() => ledger.stop?.()).catch(() => undefined), promise]);
    timer.cancel();
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
      if (answer.granted === true || answer.granted === 'unknown') this.#release(question.claim);
      return;
    }
    this.#close(question);
    const { place, claim, listener } = question;
    if (answer.granted === 'unknown') this.#leaveToLocalLimit(question);
    else if (answer.granted === 'contested') listener.refused(place, 'contested');
    else {
      this.#denials.forget(claim.userId);
      // Known before there is a manager, so that the level is right from the first.
      if (answer.total !== undefined) this.#totals.set(claim.userId, answer.total);
      if (answer.granted) listener.granted(place, { claim, isGranted: true });
      else {
        this.#denials.add(claim.userId, answer.silentMs ?? 0);
        listener.denied(place);
      }
      if (answer.total !== undefined) this.#noteTotal(claim.userId, answer.total);
    }
  }

  /** What failed may have been done all the same. */
  #failed(question: Question, error: unknown): void {
    this.#report(question.claim.userId, error);
    if (!question.isOpen) {
      this.#release(question.claim);
      return;
    }
    this.#close(question);
    this.#leaveToLocalLimit(question);
  }

  /** The ledger cannot be asked: the local limit decides, or with `failOpen: false` the newcomer is refused. */
  #leaveToLocalLimit({ place, claim, listener }: Question): void {
    if (this.#parts.config.failOpen) {
      listener.granted(place, { claim, isGranted: false });
      return;
    }
    this.#release(claim);
    listener.refused(place, 'unavailable');
  }

  #superseded(claim: QuotaClaim): void {
    const manager = this.#parts.registry.get(claim);
    if (manager === undefined || this.#held.get(manager)?.claim.claimId !== claim.claimId) return;
    this.#parts.lifecycle.release(manager, 'moved');
  }

  /** Kept only if it is more than the count of this process, which may change meanwhile. */
  #noteTotal(userId: string, total: number): void {
    const count = this.#parts.registry.countOf(userId);
    if (count > 0 && total > count) this.#totals.set(userId, total);
    else this.#totals.delete(userId);
  }

  #close(question: Question): void {
    question.isOpen = false;
    question.place.isAsked = false;
    this.#questions.delete(question.place);
    this.#parts.asking.remove(question.place);
    if (question.expiry !== null) this.#expiries.delete(question.expiry);
  }

  giveBack({ claim }: Pick<Confirmation, 'claim'>): void {
    this.#release(claim);
  }

  /** Gives back a claim. If that fails, it is tried again. */
  #release(claim: QuotaClaim): void {
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
