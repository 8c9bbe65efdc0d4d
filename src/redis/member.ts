import type { LedgerAnswer, QuotaClaim } from '../core/quota/quota-ledger.js';
import type { Clock, Random } from '../core/time.js';
import { callTimeoutMs } from './calls.js';
import { Health } from './health.js';
import { HeldClaims, type HeldClaim } from './held-claims.js';
import { LogCursor } from './log-cursor.js';
import type { PartitionCalls } from './partition-calls.js';
import { RedisError, redisErrorOf } from './redis-errors.js';
import type { AcquireReply, BeatReply, HoldingEpoch, LogEntry, Unknown } from './replies.js';
import { Rotation } from './rotation.js';
import type { Stamps } from './stamps.js';
import type { Turns } from './turns.js';

/** What a member is made with. */
export interface MemberOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly calls: PartitionCalls;
  readonly stamps: Stamps;
  readonly processId: string;
  /** The setting maxManagersPerUser. */
  readonly limit: number;
  /** For how many batches of all partitions Redis may be asked at once. */
  readonly turns: Turns;
  readonly superseded: (claim: QuotaClaim) => void;
  readonly totalChanged: (userId: string, total: number) => void;
  readonly limitDiffers: (theirs: number) => void;
  /** The health has changed. */
  readonly healthChanged: () => void;
}

/**
 * How often Redis is asked for one claim. It is asked again if it had a newer claim of the thread, or did not know the epoch
 * of this process.
 */
const maxAttempts = 3;

/**
 * The highest limit that the quota enforces. A script reads all slots of its user, and Redis runs one script at a time: with
 * more slots than this, one user's calls would delay those of all others. A user with a higher limit is not counted.
 */
const maxSharedLimit = 1_000;

/** This process as a member of one partition of the shared quota. */
export class Member {
  readonly health: Health;
  readonly #options: MemberOptions;
  readonly #claims = new HeldClaims();
  readonly #cursor = new LogCursor();
  readonly #rotation: Rotation;
  #runId: string | null = null;
  #isBeating = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.health = new Health(() => {
      options.healthChanged();
    });
    this.#rotation = new Rotation({
      ...options,
      claims: this.#claims,
      cursor: this.#cursor,
      onRegistered: (reply) => {
        this.#runId ??= reply.runId;
        if (reply.otherLimit !== null) options.limitDiffers(reply.otherLimit);
      },
      onRestored: () => {
        this.health.restored();
      },
      onLost: (claim) => {
        this.#claims.doubt(claim);
      },
      onFailed: (error) => {
        this.health.callFailed(error);
      },
    });
  }

  acquire(of: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer> {
    if (limit > maxSharedLimit) return { granted: true };
    const { stamps } = this.#options;
    const claim = this.#claims.add(of, limit, stamps.nowMs);
    // Stamped before the call, which may be delayed: claims are ordered by when their newcomers came.
    if (stamps.areKnown) this.#claims.stamp(claim, stamps.next());
    if (this.health.state === 'down') return leaveToLocalLimit(claim);
    return claim.inOrder(() => this.#acquire(claim));
  }

  /** Never rejects: what cannot be said now is said later. */
  async release(of: QuotaClaim): Promise<void> {
    const claim = this.#claims.get(of);
    if (claim === undefined) return;
    this.#claims.remove(claim);
    await claim.inOrder(() => this.#release(claim));
  }

  opened(of: QuotaClaim): void {
    const claim = this.#claims.get(of);
    if (claim === undefined) return;
    claim.isOpen = true;
    void claim.inOrder(() => this.#commit(claim));
  }

  renewed(of: QuotaClaim): void {
    const { stamps } = this.#options;
    const claim = this.#claims.get(of);
    if (claim === undefined) return;
    if (claim.stampMs === 0) claim.madeAtMs = stamps.nowMs;
    else claim.renewedMs = stamps.next();
  }

  /** Tells Redis that this process is alive, and reads what the others have told. @returns the error; `null` if it worked */
  async beat(): Promise<RedisError | null> {
    if (this.#isBeating) return new RedisError('noAnswer', '');
    this.#isBeating = true;
    try {
      await this.#beat();
      return null;
    } catch (error) {
      const trouble = redisErrorOf(error);
      this.health.beatMissed(trouble);
      return trouble;
    } finally {
      this.#isBeating = false;
    }
  }

  /** Ends the epochs of this process, which frees all slots that it holds. Never rejects. */
  async stop(): Promise<void> {
    this.#rotation.stop();
    if (this.health.state === 'down' || this.#rotation.live.length === 0) return;
    await this.#options.calls.leave(this.#rotation.live).catch(() => undefined);
  }

  /**
   * Makes a call in the name of the current epoch of this process. Waits for an epoch, if there is none.
   * @returns the reply; `null` if Redis does not know the epoch, so that nothing was done: the next one begins
   * @throws RedisError
   */
  async #ask<Known extends { readonly kind: string }>(
    call: (rotation: number) => Promise<Known | Unknown>,
  ): Promise<{ readonly reply: Known; readonly rotation: number } | null> {
    const rotation = await this.#rotation.current();
    const reply = await call(rotation);
    this.health.callAnswered();
    if (isKnown(reply)) return { reply, rotation };
    this.#rotation.epochLost(rotation);
    return null;
  }

  async #acquire(claim: HeldClaim): Promise<LedgerAnswer> {
    const { clock, calls } = this.#options;
    const untilMs = clock.now() + callTimeoutMs / 2;
    try {
      for (let attempt = 1, above = 0; attempt <= maxAttempts && clock.now() <= untilMs; attempt += 1) {
        const asked = await this.#ask((rotation) => {
          if (claim.stampMs <= above) this.#claims.stamp(claim, this.#options.stamps.next(above));
          claim.rotation = rotation;
          return calls.acquire(claim, rotation);
        });
        if (asked?.reply.kind === 'behind') above = asked.reply.stampMs;
        else if (asked !== null) return this.#decided(claim, asked.reply);
      }
    } catch (error) {
      this.#failed(claim, error);
    }
    this.#rotation.repairs.add(claim);
    return leaveToLocalLimit(claim);
  }

  /** @throws RedisError if the trouble is with this claim alone: it says nothing about Redis */
  #failed(claim: HeldClaim, error: unknown): void {
    const trouble = redisErrorOf(error);
    if (trouble.trouble !== 'misunderstood') this.health.callFailed(trouble);
    else {
      leaveToLocalLimit(claim);
      throw trouble;
    }
  }

  #decided(claim: HeldClaim, reply: Exclude<AcquireReply, { readonly kind: 'unknown' | 'behind' }>): LedgerAnswer {
    if (reply.kind === 'contested' || reply.kind === 'full') {
      this.#claims.remove(claim);
      if (reply.kind === 'contested') return { granted: 'contested' };
      return { granted: false, total: reply.total, silentMs: longestSilence(reply.elsewhere) };
    }
    claim.isDecided = true;
    claim.needsCommit = reply.kind === 'takes';
    return { granted: true, total: reply.total, ...(claim.needsCommit && { takesOver: true }) };
  }

  async #commit(claim: HeldClaim): Promise<void> {
    const { calls, totalChanged } = this.#options;
    if (claim.isReleased || !claim.needsCommit) return;
    if (this.health.state === 'down') {
      this.#rotation.repairs.add(claim);
      return;
    }
    try {
      const asked = await this.#ask((rotation) => calls.commit(claim, rotation));
      if (asked === null) return;
      const { reply, rotation } = asked;
      if (reply.kind === 'lost') await this.#lost(claim, rotation);
      else if (reply.kind === 'absent') this.#rotation.repairs.add(claim);
      else {
        claim.needsCommit = false;
        totalChanged(claim.of.userId, reply.total);
      }
    } catch (error) {
      this.#unanswered(claim, error);
    }
  }

  /**
   * While Redis is down, nothing is sent: a rotation will end the epoch under which Redis has the claim. If a rotation is
   * under way, it may just have asserted the claim under the next epoch, so the release is made afterwards.
   */
  async #release(claim: HeldClaim): Promise<void> {
    const { calls, totalChanged } = this.#options;
    if (claim.rotation === null) return;
    if (this.health.state === 'down') {
      if (this.#rotation.isUnderWay) this.#rotation.repairs.add(claim);
      return;
    }
    try {
      const asked = await this.#ask((rotation) => calls.release(claim, rotation));
      this.#rotation.repairs.delete(claim);
      if (asked !== null) totalChanged(claim.of.userId, asked.reply.total);
    } catch (error) {
      this.#unanswered(claim, error);
    }
  }

  #unanswered(claim: HeldClaim, error: unknown): void {
    const trouble = redisErrorOf(error);
    if (trouble.trouble === 'misunderstood') return;
    this.health.callFailed(trouble);
    this.#rotation.repairs.add(claim);
  }

  async #beat(): Promise<void> {
    const { calls, stamps } = this.#options;
    for (let isMore = true; isMore;) {
      const askedAtMs = stamps.nowMs;
      const reply = await calls.beat(this.#rotation.live, this.#cursor.id);
      stamps.learn(reply.nowMs, askedAtMs);
      this.#noteServer(reply);
      isMore = this.#apply(reply);
    }
    this.health.beatAnswered();
    if (this.health.isBack && !this.#rotation.isUnderWay) this.#rotation.want();
    this.#rotation.beatAnswered();
    this.#repair();
  }

  #noteServer({ runId, unknownEpochs }: BeatReply): void {
    if (this.#runId !== null && this.#runId !== runId) this.#rotation.want();
    this.#runId = runId;
    this.#rotation.forget(unknownEpochs);
  }

  /** Does what the log says. @returns whether there is more of it */
  #apply(reply: BeatReply): boolean {
    if (this.#cursor.isLost(reply)) {
      this.#cursor.restart();
      this.#rotation.want();
      return reply.lastId !== '';
    }
    for (const entry of reply.entries) this.#applyEntry(entry);
    this.#cursor.applied(reply.entries);
    return reply.entries.length > 0 && this.#cursor.id !== reply.lastId;
  }

  #applyEntry({ values }: LogEntry): void {
    const [userId = '', process, field] = ['u', 'p', 'f'].map((name) => values.get(name));
    if (values.get('t') === 'total') this.#options.totalChanged(userId, Number(values.get('n')) || 0);
    if (values.get('t') !== 'moved' || process !== this.#options.processId) return;
    const claim = this.#claims.ofStamp(parseInt(values.get('c') ?? '', 36));
    if (claim?.of.userId === userId && claim.field === field) this.#claims.doubt(claim);
  }

  /** Asks Redis about claims whose last call had no answer, and those that may have moved. */
  #repair(): void {
    // Also while Redis is down: only a rotation ends that, and it does not end before these claims are verified.
    for (const claim of this.#claims.doubted()) void claim.inOrder(() => this.#verify(claim));
    if (this.health.state === 'down') return;
    for (const claim of this.#rotation.repairs.released()) void claim.inOrder(() => this.#release(claim));
    void this.#rotation.repair();
  }

  async #verify(claim: HeldClaim): Promise<void> {
    if (claim.isReleased || !claim.isDoubted) return;
    try {
      const asked = await this.#ask((rotation) => this.#options.calls.verify(claim, rotation));
      if (asked?.reply.kind === 'lost') await this.#lost(claim, asked.rotation);
      else if (asked !== null) this.#claims.trust(claim);
    } catch (error) {
      this.health.callFailed(redisErrorOf(error));
    }
  }

  /**
   * Another process has the thread. If a newer connection of the thread has come to this process since the claim was made,
   * it may be newer than the connection there: so the thread is claimed once more, with the time of that connection.
   * @throws RedisError
   */
  async #lost(claim: HeldClaim, rotation: number): Promise<void> {
    const { calls, superseded } = this.#options;
    if (claim.renewedMs > claim.stampMs) {
      this.#claims.stamp(claim, claim.renewedMs);
      const { kind } = await calls.acquire(claim, rotation);
      if (kind === 'unknown') this.#rotation.epochLost(rotation);
      // The other process has gone, and so has its slot. A connection that is open is not closed for that: it is put back.
      if (kind === 'full') this.#rotation.repairs.add(claim);
      if (kind === 'takes') await calls.commit(claim, rotation);
      if (kind === 'takes' || kind === 'granted' || kind === 'full') this.#claims.trust(claim);
      if (kind !== 'behind' && kind !== 'contested') return;
    }
    superseded(claim.of);
  }
}

/** Whether Redis knew the epoch that the call was made under. */
function isKnown<Known extends { readonly kind: string }>(reply: Known | Unknown): reply is Known {
  return reply.kind !== 'unknown';
}

/** Redis cannot be asked: the local limit decides about the claim, which counts as decided from now on. */
function leaveToLocalLimit(claim: HeldClaim): LedgerAnswer {
  claim.isDecided = true;
  return { granted: 'unknown' };
}

function longestSilence(epochs: readonly HoldingEpoch[]): number {
  return Math.max(0, ...epochs.map(({ silentMs }) => silentMs));
}
