import { jittered, type Clock, type Random } from '../core/time.js';
import { callTimeoutMs } from './calls.js';
import type { HeldClaim, HeldClaims } from './held-claims.js';
import type { LogCursor } from './log-cursor.js';
import type { PartitionCalls } from './partition-calls.js';
import { RedisError, redisErrorOf } from './redis-errors.js';
import { Repairs } from './repairs.js';
import type { RegisterReply } from './replies.js';
import type { Stamps } from './stamps.js';
import type { Turns } from './turns.js';

interface RotationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly calls: PartitionCalls;
  readonly stamps: Stamps;
  readonly turns: Turns;
  readonly claims: HeldClaims;
  readonly cursor: LogCursor;
  /** The setting maxManagersPerUser. */
  readonly limit: number;
  /** A new epoch is alive. */
  readonly onRegistered: (reply: RegisterReply) => void;
  /** Redis knows everything that this process holds, and nothing else of it. */
  readonly onRestored: () => void;
  /** A newer claim of the thread has the place of this one. */
  readonly onLost: (claim: HeldClaim) => void;
  readonly onFailed: (error: RedisError) => void;
}

/** Times of rotation, in milliseconds, and sizes. */
const rules = Object.freeze({
  everyMs: 500_000,
  /** How far apart two epochs of a process begin on average, at least: its rotations come round after 1,296. */
  spacingMs: 3_000,
  /** How many may begin at once. */
  burst: 10,
  /** After the first failure, and at most: each failure doubles it. It begins with a beat, so the first retry is that of the next. */
  minRetryMs: 500,
  maxRetryMs: 10_000,
  batch: 50,
});

/** How many rotations there are before the first comes again. */
const rotationCount = 1_296;

/**
 * The one repair: a new epoch of this process, under which it asserts all that it holds, and the end of the old one, with
 * which everything ends that it does not hold. So nothing that was lost, or done too late, stays.
 */
export class Rotation {
  readonly repairs: Repairs;
  readonly #options: RotationOptions;
  /** All epochs of this process that are alive, oldest first, by their rotation. */
  #live: number[] = [];
  /** The last one, unless it is lost. New claims are made under it. */
  #current: number | null = null;
  #lastUsed = -1;
  #isWanted = true;
  #isUnfinished = false;
  #isRunning = false;
  #isStopped = false;
  #registering: Promise<unknown> | null = null;
  #dueAtMs = Infinity;
  /** Until when the epochs that have begun would last if each lasted `spacingMs`. */
  #spacedUntilMs = 0;
  #triedAtMs = -Infinity;
  #mayRetryAtMs = 0;
  #failures = 0;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.repairs = new Repairs(options.clock);
  }

  /** The epochs of this process that are alive, by their rotation. */
  get live(): readonly number[] {
    return this.#live;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** The rotation for new calls. Waits for an epoch, if there is none. @throws RedisError if none came in time */
  async current(): Promise<number> {
    if (this.#current === null) {
      this.#runIfDue();
      await this.#registering;
    }
    return this.#known();
  }

  #known(): number {
    if (this.#current === null) throw new RedisError('notConnected', '');
    return this.#current;
  }

  /** Asks for a rotation: Redis may have lost something, or have something that is not so any longer. */
  want(): void {
    this.#isWanted = true;
    this.#runIfDue();
  }

  /** A script did not know this epoch. */
  epochLost(rotation: number): void {
    this.#live = this.#live.filter((each) => each !== rotation);
    if (this.#current !== rotation) return;
    this.#current = null;
    this.want();
  }

  /** @param epochs of this process, that a beat did not know */
  forget(epochs: readonly string[]): void {
    for (const epoch of epochs) this.epochLost(parseInt(epoch.slice(-2), 36));
  }

  /** To be called after each beat: begins what is due. */
  beatAnswered(): void {
    if (this.repairs.areTooMany) this.#isWanted = true;
    this.#runIfDue();
  }

  /** Asserts the claims that are to be repaired. Never rejects. */
  async repair(): Promise<void> {
    const rotation = this.#current;
    if (rotation === null || this.#isRunning) return;
    try {
      await this.#assert(this.repairs.held(), rotation);
    } catch (error) {
      this.#options.onFailed(redisErrorOf(error));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #runIfDue(): void {
    if (this.#isRunning || this.#isStopped) return;
    const nowMs = this.#options.clock.now();
    const needsEpoch = this.#current === null || this.#isWanted || nowMs >= this.#dueAtMs;
    if (needsEpoch ? this.#mayRegister(nowMs) : this.#isUnfinished && nowMs >= this.#mayRetryAtMs) {
      void this.#run(needsEpoch);
    }
  }

  /** While there is no epoch, it is asked for again as soon as a call has had its time. */
  #mayRegister(nowMs: number): boolean {
    const isSpaced = this.#spacedUntilMs - nowMs <= rules.burst * rules.spacingMs;
    return isSpaced && nowMs - this.#triedAtMs >= (this.#current === null ? callTimeoutMs : 0);
  }

  async #run(needsEpoch: boolean): Promise<void> {
    const { clock, random, onRestored, onFailed } = this.#options;
    this.#isRunning = true;
    this.#isUnfinished = true;
    try {
      if (needsEpoch) await (this.#registering = this.#begin());
      const repaired = this.repairs.entries();
      await this.#assertAll();
      await this.#leaveOld();
      this.repairs.deleteUnchanged(repaired);
      this.#isUnfinished = false;
      this.#failures = 0;
      this.#dueAtMs = clock.now() + jittered(rules.everyMs, 0.2, random);
      onRestored();
    } catch (error) {
      this.#mayRetryAtMs = clock.now() + Math.min(rules.maxRetryMs, rules.minRetryMs * 2 ** this.#failures);
      this.#failures += 1;
      onFailed(redisErrorOf(error));
    } finally {
      this.#registering = null;
      this.#isRunning = false;
    }
  }

  /** What a rotation was wanted for is not done as long as there is no new epoch. */
  async #begin(): Promise<void> {
    this.#isWanted = false;
    try {
      await this.#register();
    } catch (error) {
      this.#isWanted = true;
      throw error;
    }
  }

  async #register(): Promise<void> {
    const { clock, calls, cursor, limit, stamps, onRegistered } = this.#options;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const nowMs = clock.now();
      this.#triedAtMs = nowMs;
      this.#spacedUntilMs = Math.max(this.#spacedUntilMs, nowMs) + rules.spacingMs;
      const rotation = (this.#lastUsed + 1) % rotationCount;
      this.#lastUsed = rotation;
      const askedAtMs = stamps.nowMs;
      const reply = await calls.register(rotation, limit);
      stamps.learn(reply.nowMs, askedAtMs);
      // Also if it is our own, of a call whose answer was lost.
      if (reply.kind === 'taken') continue;
      if (this.#live.length === 0) cursor.startAfter(reply.lastId);
      cursor.saw(reply.lastId);
      this.#live.push(rotation);
      this.#current = rotation;
      onRegistered(reply);
      return;
    }
    throw new RedisError('misunderstood', 'all epochs are taken');
  }

  async #assertAll(): Promise<void> {
    for (;;) {
      const rotation = this.#current;
      if (rotation === null) throw new RedisError('other', 'the epoch was lost');
      const left = [...this.#options.claims.all()].filter((claim) => claim.rotation !== rotation);
      if (left.length === 0) return;
      const asserted = await this.#assert(left, rotation);
      if (asserted > 0) continue;
      const busy = left.filter(({ isBusy }) => isBusy);
      if (busy.length === 0) throw new RedisError('noAnswer', 'it is open whether some claims moved');
      await Promise.all(busy.map((claim) => claim.whenIdle()));
    }
  }

  /** Those of the claims that can be asserted now. @returns how many */
  async #assert(claims: readonly HeldClaim[], rotation: number): Promise<number> {
    const batches: HeldClaim[][] = [];
    for (let from = 0; from < claims.length; from += rules.batch) batches.push(claims.slice(from, from + rules.batch));
    const counts = await Promise.all(batches.map((batch) => this.#assertBatch(batch, rotation)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #assertBatch(claims: readonly HeldClaim[], rotation: number): Promise<number> {
    return this.#options.turns.take(async () => {
      const batch = claims.filter(canBeAsserted);
      if (batch.length === 0 || this.#isStopped) return 0;
      const call = this.#send(batch, rotation);
      for (const claim of batch) claim.inOrder(() => call).catch(() => undefined);
      await call;
      return batch.length;
    });
  }

  async #send(batch: readonly HeldClaim[], rotation: number): Promise<void> {
    const { calls, claims, cursor, stamps, onLost } = this.#options;
    for (const claim of batch) if (claim.stampMs === 0) claims.stampLate(claim, stamps.at(claim.madeAtMs));
    const areOpen = batch.map(({ isOpen }) => isOpen);
    const reply = await calls.assert(batch, rotation, cursor.id);
    if (reply.kind === 'unknown') {
      this.epochLost(rotation);
      throw new RedisError('other', 'the epoch was lost');
    }
    const lost = new Set(reply.lost);
    for (const [index, claim] of batch.entries()) {
      claim.rotation = rotation;
      this.repairs.delete(claim);
      if (lost.has(index)) onLost(claim);
      // It may be the successor of another: it is committed when it is open.
      else claim.needsCommit = areOpen[index] !== true;
    }
  }

  async #leaveOld(): Promise<void> {
    const current = this.#current;
    const old = this.#live.filter((rotation) => rotation !== current);
    if (old.length === 0 || current === null) return;
    await this.#options.calls.leave(old);
    this.#live = this.#live.filter((rotation) => !old.includes(rotation));
  }
}

/** Only what is decided, so that no claim is put beyond the limit that Redis has just denied. */
function canBeAsserted({ isReleased, isDecided, isDoubted, isBusy }: HeldClaim): boolean {
  return !isReleased && isDecided && !isDoubted && !isBusy;
}
