import { textHash } from './text-hash.js';

/** Newcomers of one user that were refused in about the same moment, and had asked in about the same moment. */
interface Refused {
  readonly atMs: number;
  /** When they asked to come in: a connection that was heard of since was alive while they waited. */
  readonly askedAtMs: number;
  /** How many of them had so many newcomers before them: so many more places had to be free. */
  readonly byAhead: number[];
  /** Managers counted then that have turned out to be dead. */
  dead: number;
}

/** What is about the same moment; messages are stamped no more exactly. */
const sameMomentMs = 250;

/** Moments of one user that are remembered at most, and those of all users. */
const maxPerUser = 640;
const maxInAll = 3_072;

/** With more newcomers ahead than this a refusal is not watched: so many dead would long have shown otherwise. */
const maxAhead = 63;

/**
 * Refusals for quota, watched until every connection that was dead then must have been found: a refusal is wrong when more of the
 * managers that were counted turn out to have been dead than newcomers stood ahead of it. However fast a client loops on
 * refusals, those of one moment take one place here.
 * @see docs/decisions/0011-success-metrics.md
 */
export class WrongRefusals {
  readonly #watchedForMs: number;
  /** Users, by the hash of their id, in the order of their last refusal. */
  readonly #byUser = new Map<number, Refused[]>();
  #size = 0;

  /** @param watchedForMs how long a dead connection can go unnoticed */
  constructor(watchedForMs: number) {
    this.#watchedForMs = watchedForMs;
  }

  /** How many moments are watched. */
  get size(): number {
    return this.#size;
  }

  refused(userId: string, { ahead, askedAtMs }: { ahead: number; askedAtMs: number }, nowMs: number): void {
    if (ahead > maxAhead) return;
    const now = { atMs: nowMs, askedAtMs };
    const user = numberOf(userId);
    const moments = this.#byUser.get(user);
    const moment = moments?.findLast((each) => isSame(each, now)) ?? { ...now, byAhead: [], dead: 0 };
    this.#byUser.delete(user);
    this.#byUser.set(user, this.#withMoment(moments, moment));
    moment.byAhead[ahead] = (moment.byAhead[ahead] ?? 0) + 1;
    this.#forgetOld(nowMs);
  }

  /**
   * A manager was released as dead.
   * @param lastByteAtMs when its peer was last heard of
   * @returns how many refusals turn out to have been wrong
   */
  died(userId: string, { admittedAtMs, lastByteAtMs }: { admittedAtMs: number; lastByteAtMs: number }): number {
    let wrong = 0;
    for (const moment of this.#byUser.get(numberOf(userId)) ?? []) {
      if (moment.askedAtMs <= lastByteAtMs || moment.atMs < admittedAtMs) continue;
      moment.dead += 1;
      wrong += moment.byAhead[moment.dead - 1] ?? 0;
    }
    return wrong;
  }

  #withMoment(moments: Refused[] | undefined, moment: Refused): Refused[] {
    if (moments?.includes(moment) === true) return moments;
    this.#size += 1;
    // Most users have one; an array that grows makes room for many.
    if (moments === undefined) return [moment];
    moments.push(moment);
    if (moments.length > maxPerUser) {
      moments.shift();
      this.#size -= 1;
    }
    return moments;
  }

  #forgetOld(nowMs: number): void {
    for (const [user, moments] of this.#byUser) {
      const last = moments.at(-1);
      const isOver = last === undefined || nowMs - last.atMs > this.#watchedForMs;
      if (!isOver && this.#size <= maxInAll) return;
      this.#byUser.delete(user);
      this.#size -= moments.length;
    }
  }
}

/** A refusal that joins others after a connection was found dead would have missed that death. */
function isSame(
  { atMs, askedAtMs, dead }: Refused,
  other: { readonly atMs: number; readonly askedAtMs: number },
): boolean {
  return dead === 0 && other.atMs - atMs < sameMomentMs && Math.abs(other.askedAtMs - askedAtMs) < sameMomentMs;
}

/** So few users share one that it makes no difference. */
function numberOf(userId: string): number {
  const { low, high } = textHash(userId);
  return (low >>> 0) * 2 ** 21 + high;
}
