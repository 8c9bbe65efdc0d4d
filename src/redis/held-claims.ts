import type { QuotaClaim } from '../core/quota/quota-ledger.js';
import { threadField } from './claims.js';

/** A claim of this process: from its acquire until its release. */
export class HeldClaim {
  readonly of: QuotaClaim;
  /** The field of its thread. */
  readonly field: string;
  /** The limit of its user when it was made. */
  readonly limit: number;
  /** When its newest connection came before it had a stamp. @see Stamps.nowMs */
  madeAtMs: number;
  /** When it was made, in Redis's time; 0 until Redis has said it. */
  stampMs = 0;
  /** When the newest connection of the thread came in this process, in Redis's time; 0 if there was only one. */
  renewedMs = 0;
  /** The rotation under which Redis has it, or may have it; `null` if Redis was never told. */
  rotation: number | null = null;
  /** Whether it is decided: Redis has granted it, or could not be asked and left it to the local limit. */
  isDecided = false;
  /**
   * Whether a connection in another process still has its thread. Redis has the claim as the successor. Once the connection
   * of the claim is open, a commit makes the claim the holder.
   */
  needsCommit = false;
  /** Whether its connection is open. */
  isOpen = false;
  /** Whether the log says that its thread moved elsewhere, and Redis has not confirmed that yet. */
  isDoubted = false;
  /** Whether it was given back. */
  isReleased = false;
  #last: Promise<unknown> | null = null;

  constructor(of: QuotaClaim, limit: number, madeAtMs: number) {
    this.of = of;
    this.limit = limit;
    this.madeAtMs = madeAtMs;
    this.field = threadField(of.threadId);
  }

  /** Whether a call about it is under way. */
  get isBusy(): boolean {
    return this.#last !== null;
  }

  /**
   * Calls to Redis about one claim come one after the other, so that none overtakes another when it is sent again.
   * @returns what `call` returns: it is called now, if none is under way
   */
  inOrder<T>(call: () => Promise<T>): Promise<T> {
    const made = this.#last === null ? call() : this.#last.then(call, call);
    const ended = made
      .catch(() => undefined)
      .then(() => {
        if (this.#last === ended) this.#last = null;
      });
    this.#last = ended;
    return made;
  }

  /** Resolves when the calls that were made so far have ended. Never rejects. */
  async whenIdle(): Promise<void> {
    await this.#last;
  }
}

/** The claims of this process in one partition. */
export class HeldClaims {
  readonly #byId = new Map<number, HeldClaim>();
  readonly #byStamp = new Map<number, HeldClaim>();
  readonly #doubted = new Set<HeldClaim>();

  /** @param madeAtMs {@link Stamps.nowMs} */
  add(of: QuotaClaim, limit: number, madeAtMs: number): HeldClaim {
    const claim = new HeldClaim(of, limit, madeAtMs);
    this.#byId.set(of.claimId, claim);
    return claim;
  }

  get({ claimId }: QuotaClaim): HeldClaim | undefined {
    return this.#byId.get(claimId);
  }

  /** @param stampMs of a claim of this process: no two have the same */
  ofStamp(stampMs: number): HeldClaim | undefined {
    return this.#byStamp.get(stampMs);
  }

  stamp(claim: HeldClaim, stampMs: number): void {
    this.#byStamp.delete(claim.stampMs);
    claim.stampMs = stampMs;
    if (!claim.isReleased) this.#byStamp.set(stampMs, claim);
  }

  /** Gives a claim without a stamp that of a time in the past, or the next that no other has. */
  stampLate(claim: HeldClaim, stampMs: number): void {
    let free = stampMs;
    while (this.#byStamp.has(free)) free += 1;
    this.stamp(claim, free);
  }

  /** The log says that its thread moved elsewhere. */
  doubt(claim: HeldClaim): void {
    claim.isDoubted = true;
    this.#doubted.add(claim);
  }

  /** It has not moved. */
  trust(claim: HeldClaim): void {
    claim.isDoubted = false;
    this.#doubted.delete(claim);
  }

  /** It is given back. */
  remove(claim: HeldClaim): void {
    this.#doubted.delete(claim);
    claim.isReleased = true;
    this.#byId.delete(claim.of.claimId);
    this.#byStamp.delete(claim.stampMs);
  }

  /** Those that may have moved, unless Redis is just being asked. */
  doubted(): HeldClaim[] {
    return [...this.#doubted].filter(({ isBusy }) => !isBusy);
  }

  /** In the order in which they were made. It is live: a claim that is added during the iteration comes last. */
  all(): Iterable<HeldClaim> {
    return this.#byId.values();
  }
}
