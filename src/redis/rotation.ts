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

/** When a rotation begins, in milliseconds, and how it is done. */
const rules = Object.freeze({
  /** How long after the last, if nothing asks for one before. */
  everyMs: 500_000,
  /**
   * How far apart the epochs of a process begin at least, on average. Epochs are numbered from 0 to 1,295, and then from 0
   * again. With this space between them, no number comes again within an hour.
   */
  spacingMs: 3_000,
  /** How many epochs may begin without space between them, if none has begun for a while. */
  burst: 10,
  /** How long to wait after a first failure. Each further failure doubles it. Only a beat begins a retry. */
  minRetryMs: 500,
  /** How long to wait at most. */
  maxRetryMs: 10_000,
  /** How many claims one call asserts. */
  batch: 50,
});

/** Epochs are numbered from 0 to one less than this, and then from 0 again. */
const rotationCount = 1_296;

/**
 * Repairs what Redis has of this process in one partition. A rotation has three steps: a new epoch begins; under it, the
 * process asserts all claims that it holds; the old epoch ends, and with it all claims that Redis still had under it. So a
 * claim that Redis lost is back, and a claim that the process no longer holds is gone.
 */
export class Rotation {
  readonly repairs: Repairs;
  readonly #options: RotationOptions;
  /** The numbers of the epochs of this process that are alive, oldest first. */
  #live: number[] = [];
  /** The number of the newest epoch, under which calls are made; `null` if there is none, or Redis has lost it. */
  #current: number | null = null;
  /** What the rotation under way repairs: not the calls under its own epoch that had no answer. Empty between rotations. */
  #settled: ReadonlyMap<HeldClaim, unknown> = new Map();
  #lastUsed = -1;
  #isWanted = true;
  #isUnfinished = false;
  #isUnderWay = false;
  #isStopped = false;
  #registering: Promise<unknown> | null = null;
  #dueAtMs = Infinity;
  /** Each epoch that begins moves this on by `spacingMs`. None begins while it is too far ahead of now. @see rules.burst */
  #spacedUntilMs = 0;
  #triedAtMs = -Infinity;
  #mayRetryAtMs = 0;
  #failures = 0;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.repairs = new Repairs(options.clock);
  }

  /** The numbers of the epochs of this process that are alive, oldest first. */
  get live(): readonly number[] {
    return this.#live;
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** The number of the epoch to make calls under. Waits for one, if there is none. @throws RedisError if none came in time */
  async current(): Promise<number> {
    if (this.#current === null) {
      this.#rotateIfDue();
      await this.#registering;
    }
    return this.#known();
  }

  #known(): number {
    if (this.#current === null) throw new RedisError('notConnected', '');
    return this.#current;
  }

  /** Asks for a rotation: Redis may have lost claims, or still have claims that this process has given back. */
  want(): void {
    this.#isWanted = true;
    this.#rotateIfDue();
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
    this.#rotateIfDue();
  }

  /** Asserts the claims that are to be repaired. Never rejects. */
  async repair(): Promise<void> {
    const rotation = this.#current;
    if (rotation === null || this.#isUnderWay) return;
    try {
      await this.#assert(this.repairs.held(), rotation);
    } catch (error) {
      this.#options.onFailed(redisErrorOf(error));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #rotateIfDue(): void {
    if (this.#isUnderWay || this.#isStopped) return;
    const nowMs = this.#options.clock.now();
    const needsEpoch = this.#current === null || this.#isWanted || nowMs >= this.#dueAtMs;
    if (needsEpoch ? this.#mayRegister(nowMs) : this.#isUnfinished && nowMs >= this.#mayRetryAtMs) {
      void this.#rotate(needsEpoch);
    }
  }

  /** Whether an epoch may begin now: not too soon after others, and not while the call for one may still be answered. */
  #mayRegister(nowMs: number): boolean {
    const isSpaced = this.#spacedUntilMs - nowMs <= rules.burst * rules.spacingMs;
    return isSpaced && nowMs - this.#triedAtMs >= (this.#current === null ? callTimeoutMs : 0);
  }

  async #rotate(needsEpoch: boolean): Promise<void> {
    const { clock, random, onRestored, onFailed } = this.#options;
    this.#isUnderWay = true;
    this.#isUnfinished = true;
    try {
      if (needsEpoch) {
        await (this.#registering = this.#begin());
        this.#settled = this.repairs.entries();
      }
      await this.#assertAll();
      await this.#leaveOld();
      this.repairs.deleteUnchanged(this.#settled);
      this.#settled = new Map();
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
      this.#isUnderWay = false;
    }
  }

  /** Begins a new epoch. If that fails, the rotation is still wanted. */
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
      // Also if the epoch is our own: an earlier call may have made it, and its answer was lost. It is left unused.
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

  /** Asserts those of the claims that can be asserted now. @returns how many */
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
      // It may be the successor of another process's claim: then it is committed as soon as its connection is open.
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

/** Only claims that are decided: Redis may be about to deny the others, and an assert goes beyond any limit. */
function canBeAsserted({ isReleased, isDecided, isDoubted, isBusy }: HeldClaim): boolean {
  return !isReleased && isDecided && !isDoubted && !isBusy;
}
